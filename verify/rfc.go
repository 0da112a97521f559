package verify

import "slices"

// rfcProfile is the conformance suite of RFC 7643 and 7644. It tries what the server announces and holds it to
// that.
func rfcProfile() Profile {
	return Profile{
		Name: "rfc", Dialect: plain,
		About: "RFC 7643 and 7644: discovery, schemas, filters, sorting, projection, PATCH, ETag, bulk, search, errors, media types",
		Cases: slices.Concat(rfcDiscovery(), rfcCreate(), rfcReplace(), rfcFilter(), rfcBadFilter(), rfcSort(), rfcProjection(), rfcSearch(),
			rfcPatchAdd(), rfcPatchReplace(), rfcPatchRemove(), rfcPatchRefuse(), rfcGroups(), rfcETag(), rfcBulk(), rfcErrors(), rfcMedia()),
	}
}

// rfc makes a case whose reference is its rule.
func rfc(name, rule, title, why, fix string, run func(*Session)) Case {
	return Case{Name: name, Rule: rule, Ref: rule, Title: title, Why: why, Fix: fix, Run: run, Breaks: []string{"clients that follow the standard"}}
}

// should lowers the severity of a case to a warning.
func should(c Case) Case { c.Severity = Should; return c }

// note lowers it to a note.
func note(c Case) Case { c.Severity = Note; return c }

func rfcDiscovery() []Case {
	return []Case{
		should(rfc("service-provider-config", "R-10", "/ServiceProviderConfig describes every feature with the right types",
			"authentik and others choose PUT or PATCH by it, and take it for unsupported if it is not there", "publish the whole document of RFC 7643 §5", serviceProviderConfig)),
		should(rfc("resource-types", "RFC 7643 §6", "/ResourceTypes names the endpoint and schema of every type, and each endpoint answers",
			"clients that discover endpoints find none", "publish a ListResponse with User and Group", resourceTypes)),
		should(rfc("schemas", "RFC 7643 §7", "/Schemas is complete, without nulls, with the enumerations of the standard",
			"gallery apps of Entra and Okta's schema discovery fail on it", "publish what is stored, in camelCase enumerations", checkSchemas)),
		should(rfc("schema-by-id", "RFC 7644 §4", "each schema can be read by its URN",
			"clients read single schemas", "serve /Schemas/{urn}", func(s *Session) {
				l := s.list(s.get("/Schemas"))
				for _, id := range l.ids() {
					x := s.get("/Schemas/" + id)
					if s.check(x.Response.Status == 200, x, "status 200 for a schema of the list", x.describe()) {
						x.want("id", id)
					}
				}
			})),
		should(rfc("type-schemas-published", "RFC 7643 §6", "the schema of each resource type is in /Schemas",
			"a client cannot know what the type holds", "publish the schemas that the types name", func(s *Session) {
				known := s.list(s.get("/Schemas")).ids()
				l := s.list(s.get("/ResourceTypes"))
				for _, r := range l.Resources {
					urn, _ := r["schema"].(string)
					s.check(slices.Contains(known, urn), l.Exchange, "the schema of "+show(r["name"])+" in /Schemas", show(urn)+" is not there")
				}
			})),
		note(rfc("discovery-filter", "RFC 7644 §4", "a filter on a discovery endpoint is 403",
			"a client that filters there believes the full list to be the answer", "answer 403 to filter on /Schemas and /ResourceTypes", func(s *Session) {
				x := s.get("/Schemas" + s.query("filter", `name eq "User"`))
				s.check(x.Response.Status == 403, x, "status 403", x.describe())
			})),
		should(rfc("limits-are-sane", "RFC 7643 §5", "announced limits are numbers that a client can work with",
			"authentik cuts its PATCH requests by bulk.maxOperations; 0 made it loop", "announce a positive number, also while bulk is not supported a harmless one", func(s *Session) {
				x := s.get("/ServiceProviderConfig").status(200)
				if s.announced("bulk.supported") {
					v, ok := x.value("bulk.maxOperations")
					s.check(integer(v) > 0, x, "bulk.maxOperations greater than 0", showAt("bulk.maxOperations", v, ok))
				}
				if s.announced("filter.supported") {
					v, ok := x.value("filter.maxResults")
					s.check(integer(v) > 0, x, "filter.maxResults greater than 0", showAt("filter.maxResults", v, ok))
				}
			})),
	}
}

func serviceProviderConfig(s *Session) {
	x := s.get("/ServiceProviderConfig").status(200)
	if x.object() == nil {
		s.stop(x, "a ServiceProviderConfig object", x.describe())
	}
	s.check(contains(x.object()["schemas"], "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"), x, "schemas has the ServiceProviderConfig URN", showAt("schemas", x.object()["schemas"], true))
	for _, f := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag"} {
		v, ok := x.value(f + ".supported")
		_, isBool := v.(bool)
		s.check(ok && isBool, x, f+".supported is a boolean", showAt(f+".supported", v, ok))
	}
	for _, f := range []string{"bulk.maxOperations", "bulk.maxPayloadSize", "filter.maxResults"} {
		v, ok := x.value(f)
		s.check(ok && integer(v) >= 0, x, f+" is an integer", showAt(f, v, ok))
	}
	v, ok := x.value("authenticationSchemes")
	_, isList := v.([]any)
	s.check(ok && isList, x, "authenticationSchemes is a list", showAt("authenticationSchemes", v, ok))
	v, ok = x.value("patch.supported")
	s.check(v == true, x, "patch.supported is true: every identity provider but PingFederate needs PATCH", showAt("patch.supported", v, ok))
	if at := findNull(x.doc, ""); at != "" {
		s.fail(x, "no null in ServiceProviderConfig", "null at "+at)
	}
}

func resourceTypes(s *Session) {
	l := s.list(s.get("/ResourceTypes"))
	s.check(l.Total == len(l.Resources), l.Exchange, "totalResults is the number of types, "+show(len(l.Resources)), "totalResults "+showTotal(l))
	names := map[any]bool{}
	for _, r := range l.Resources {
		names[r["name"]] = true
		endpoint, _ := r["endpoint"].(string)
		if !s.check(endpoint != "" && endpoint[0] == '/', l.Exchange, "an endpoint like /Users", "endpoint "+show(r["endpoint"])) {
			continue
		}
		x := s.get(endpoint + "?startIndex=1&count=1")
		s.check(x.Response.Status == 200, x, "the endpoint of the type answers", x.describe())
		if id, ok := r["id"].(string); ok {
			y := s.get(pathOf("/ResourceTypes", id))
			s.check(y.Response.Status == 200, y, "status 200 for the type read by its id", y.describe())
		}
	}
	s.check(names["User"], l.Exchange, "a type named User", show(names["User"]))
	if s.run.facts.groups {
		s.check(names["Group"], l.Exchange, "a type named Group", show(names["Group"]))
	}
}
