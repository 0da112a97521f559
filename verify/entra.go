package verify

import "slices"

// entraDialect is how Entra writes requests: scim+json, blanks of filters as "+".
var entraDialect = Dialect{ContentType: "application/scim+json", Accept: "application/scim+json", PlusBlanks: true}

// entraProfile plays Entra's default dialect, which is what a tenant gets without any flag.
func entraProfile() Profile {
	return Profile{
		Name: "entra", Client: "Microsoft Entra ID", Dialect: entraDialect,
		About: "Entra automatic provisioning in its default dialect: capitalised operations, booleans as strings, members removed by a list of values",
		Cases: slices.Concat(entraConnect(), entraMatch(), entraCreate(), entraUpdate(), entraManager(), entraLife(),
			entraGroups(), entraMembers()),
	}
}

// entraFlagProfile plays the dialect of the URL flag aadOptscim062020.
func entraFlagProfile() Profile {
	return Profile{
		Name: "entra-flag", Client: "Microsoft Entra ID", Dialect: entraDialect,
		About: "Entra with the flag aadOptscim062020 in the tenant URL: lower-case operations, real booleans, several attributes in one object without a path",
		Cases: entraFlag(),
	}
}

func entraConnect() []Case {
	return []Case{
		{Name: "no-match", Rule: "R-01", Ref: "E-DEV, E-QUAR",
			Title: "a filter that matches nobody answers 200 with an empty list",
			Why:   "Entra asks for a random user before every activity; on 404 it puts the whole job into quarantine, and on a list of everybody it links the wrong person",
			Fix:   "answer 200 with totalResults 0 and Resources [], and apply the filter before counting",
			Run:   func(s *Session) { s.nobody("/Users", "userName") }},
		{Name: "no-match-group", Rule: "R-08", Ref: "E-DEV",
			Title: "a filter that matches no group answers 200 with an empty list",
			Why:   "with groups enabled the connection test also asks for a random group",
			Fix:   "treat /Groups like /Users: 200, totalResults 0, Resources []",
			Run: func(s *Session) {
				s.needGroups()
				s.nobody("/Groups", "displayName", "excludedAttributes", "members")
			}},
		{Name: "bad-token", Rule: "R-03", Ref: "O-SPEC S11",
			Title: "a wrong or missing token is 401 with a SCIM error",
			Why:   "on any other answer Entra reports a broken endpoint instead of wrong credentials; on a 2xx everybody can read the directory",
			Fix:   "check the token before anything else and answer 401 with the Error schema, never a redirect or a login page",
			Run:   badToken},
		{Name: "media-type", Rule: "R-05", Ref: "E-DEV",
			Title: "answers carry Content-Type application/scim+json",
			Why:   "Entra requires the SCIM media type; its validator once aborted a whole run on application/json",
			Fix:   "set application/scim+json on every answer with a body, errors too",
			Run: func(s *Session) {
				s.scimType(s.get("/Users" + s.query("filter", `userName eq "`+s.guid()+`"`)).status(200))
				u := s.user("mt", nil)
				s.scimType(u.Exchange)
				s.scimType(s.again(u))
			}},
		{Name: "error-media-type", Rule: "R-05", Ref: "E-DEV",
			Title: "errors carry Content-Type application/scim+json",
			Why:   "Entra reads the reason of a failure from a SCIM error; an HTML page shows as an unreadable failure in the provisioning log",
			Fix:   "write errors through the same function that writes resources",
			Run:   func(s *Session) { s.scimType(s.get(pathOf("/Users", s.guid())).status(404)) }},
		{Name: "schemas", Rule: "R-09", Ref: "E-DEV", Severity: Should,
			Title: "/Schemas describes users and groups without nulls",
			Why:   "gallery apps read the attribute list from /Schemas when the configuration is saved; nulls and wrong totals make it fail",
			Fix:   "publish a ListResponse with the schemas that are stored, camelCase enumerations, no null members",
			Run:   checkSchemas},
	}
}

// nobody requires that a search for a random value finds nothing, in the form of R-01.
func (s *Session) nobody(endpoint, attr string, more ...string) {
	s.decoy(endpoint)
	l := s.search(endpoint, attr+` eq "`+s.guid()+`"`, more...)
	s.listShape(l)
	s.check(l.Total == 0 && len(l.Resources) == 0, l.Exchange, "totalResults 0 and no resource: nobody has a random "+attr,
		"totalResults "+showTotal(l)+": the filter was ignored")
	v, ok := l.value("Resources")
	_, isList := v.([]any)
	s.check(ok && isList, l.Exchange, "Resources is present, as an empty list", showAt("Resources", v, ok))
}

// decoy makes an object that an ignored filter would find; without one an empty server looks right. It need not
// succeed.
func (s *Session) decoy(endpoint string) {
	switch {
	case s.run.o.ReadOnly:
	case endpoint == "/Groups":
		s.post(endpoint, Object{"schemas": list(groupSchema), "displayName": s.name("decoy")})
	default:
		s.post(endpoint, s.person(s.mail("decoy"), nil))
	}
}

func showTotal(l *List) string {
	v, ok := l.value("totalResults")
	if !ok {
		return "none"
	}
	return show(v) + " with " + count(len(l.Resources), "resource")
}

// listShape checks the envelope of a list: its schema and the three counters as integers.
func (s *Session) listShape(l *List) {
	s.check(contains(l.object()["schemas"], listMessage), l.Exchange, "schemas has "+listMessage, showAt("schemas", l.object()["schemas"], true))
	if v, ok := l.value("startIndex"); ok {
		s.check(integer(v) == 1, l.Exchange, "startIndex is the number 1", "startIndex is "+show(v))
	}
	if v, ok := l.value("itemsPerPage"); ok {
		if integer(v) != len(l.Resources) { // the cases on paging hold a server to it; a match does not depend on it
			s.warn(l.Exchange, "itemsPerPage is the number of resources returned, "+count(len(l.Resources), "resource"), "itemsPerPage is "+show(v))
		}
	}
}

func contains(list any, want string) bool {
	items, _ := list.([]any)
	return slices.Contains(items, any(want))
}

// badToken tries a wrong token and none at all.
func badToken(s *Session) {
	path := "/Users" + s.query("filter", `userName eq "`+s.guid()+`"`)
	for _, header := range []string{"Bearer non-token", "non-token"} {
		x := s.send(call{method: "GET", path: path, header: map[string]string{"Authorization": header}})
		s.unauthorized(x, "with the header Authorization: "+header)
	}
	s.unauthorized(s.send(call{method: "GET", path: path, anonymous: true}), "without an Authorization header")
}

func (s *Session) unauthorized(x *Exchange, when string) {
	if !s.check(x.Response.Status == 401, x, "status 401 "+when, x.describe()) {
		return
	}
	s.errorBody(x, 401)
}

// errorBody checks the SCIM error of an answer (RFC 7644 §3.12).
func (s *Session) errorBody(x *Exchange, status int) {
	if !s.check(x.object() != nil, x, "a SCIM Error object as body", x.describe()) {
		return
	}
	s.check(contains(x.object()["schemas"], errorMessage), x, "schemas has "+errorMessage, showAt("schemas", x.object()["schemas"], true))
	v, ok := x.value("status")
	s.check(ok && v == orList([]int{status}), x, `status is the string "`+orList([]int{status})+`"`, showAt("status", v, ok))
	x.present("detail")
}

func (s *Session) scimType(x *Exchange) {
	s.check(isMedia(x.header("Content-Type"), "application/scim+json"), x, "Content-Type application/scim+json", "Content-Type "+orNone(x.header("Content-Type")))
}

// checkSchemas reads /Schemas as Entra's gallery and Okta's schema discovery do.
func checkSchemas(s *Session) {
	l := s.list(s.get("/Schemas"))
	s.check(contains(l.object()["schemas"], listMessage), l.Exchange, "schemas has "+listMessage, showAt("schemas", l.object()["schemas"], true))
	s.check(l.Total == len(l.Resources), l.Exchange, "totalResults is the number of schemas, "+count(len(l.Resources), "schema"), "totalResults "+showTotal(l))
	ids := l.ids()
	s.check(slices.Contains(ids, userSchema), l.Exchange, "the schema "+userSchema, "schemas "+show(ids))
	if s.run.facts.groups {
		s.check(slices.Contains(ids, groupSchema), l.Exchange, "the schema "+groupSchema, "schemas "+show(ids))
	}
	if at := findNull(l.doc, ""); at != "" {
		s.fail(l.Exchange, "no null anywhere in /Schemas", "null at "+at)
	}
	for _, r := range l.Resources {
		checkEnums(s, l.Exchange, r["attributes"], show(r["id"]))
	}
}

// checkEnums requires the spellings of RFC 7643 §7 in the characteristics.
func checkEnums(s *Session, x *Exchange, attrs any, where string) {
	legal := map[string][]string{
		"type":       {"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"},
		"mutability": {"readOnly", "readWrite", "immutable", "writeOnly"},
		"returned":   {"always", "never", "default", "request"},
		"uniqueness": {"none", "server", "global"},
	}
	items, _ := attrs.([]any)
	for _, e := range items {
		o, _ := e.(Object)
		at := where + " " + show(o["name"])
		for _, key := range []string{"type", "mutability", "returned", "uniqueness"} {
			if v, ok := o[key].(string); ok && !slices.Contains(legal[key], v) {
				s.fail(x, key+" is one of "+show(legal[key]), at+" has "+key+" "+show(v))
			}
		}
		checkEnums(s, x, o["subAttributes"], at)
	}
}

// findNull returns the place of the first null in decoded JSON, "" if there is none.
func findNull(v any, at string) string {
	switch t := v.(type) {
	case nil:
		return at
	case Object:
		for k, e := range t {
			if f := findNull(e, at+"."+k); f != "" {
				return f
			}
		}
	case []any:
		for _, e := range t {
			if f := findNull(e, at+"[]"); f != "" {
				return f
			}
		}
	}
	return ""
}
