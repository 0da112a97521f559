package verify

import (
	"strings"
)

// entraValidatorProfile plays Microsoft's SCIM Validator: its tests V1 to V25 and the preview tests P1 to P7, with
// the payloads that it generates.
func entraValidatorProfile() Profile {
	return Profile{
		Name: "entra-validator", Client: "Microsoft SCIM Validator",
		About:   "the tests of the Microsoft Entra SCIM Validator, with its payloads",
		Dialect: Dialect{ContentType: "application/scim+json; charset=utf-8", Accept: "application/scim+json"},
		Cases:   append(validatorUsers(), append(validatorPatches(), validatorGroups()...)...),
	}
}

// v makes a case of the validator. What it finds would show as a failed test there.
func v(rule, name, title, fix string, run func(*Session)) Case {
	return Case{Name: strings.ToLower(rule) + "-" + name, Rule: rule, Ref: "E-OBS, E-VAL", Title: title, Fix: fix, Run: run,
		Why: "the validator reports this test as failed; Microsoft asks for a clean report before an app enters the gallery"}
}

// validatorUser is the payload of the validator: everything, a role with the string "True", a manager whom
// nobody knows. Attributes that the published schema lacks are left out, as the validator does.
func (s *Session) validatorUser() Object {
	name := s.mail("v")
	address := Object{"type": "work", "formatted": "12 Main", "streetAddress": "Main 12", "locality": "Umeå", "region": "AC", "postalCode": "90325", "country": "SE", "primary": true}
	all := Object{
		"userName": name, "active": true, "displayName": "Val Idator", "title": "Tester", "preferredLanguage": "xq-" + s.guid()[:4],
		"name":      Object{"givenName": "Val", "familyName": "Idator", "formatted": "Val Idator", "middleName": "M", "honorificPrefix": "Dr", "honorificSuffix": "X"},
		"emails":    list(Object{"type": "work", "value": name, "primary": true}),
		"addresses": list(address), "nickName": "Val", "userType": "Worker", "profileUrl": "https://verify.example/" + s.guid(),
		"locale": "lo-" + s.guid()[:4], "timezone": "tz-" + s.guid()[:4],
		"phoneNumbers": list(Object{"type": "work", "value": "55555555551", "primary": true}, Object{"type": "mobile", "value": "55555555552"}),
		"roles":        list(Object{"primary": "True", "display": "R", "value": "r-" + s.guid()[:4], "type": "t"}),
	}
	ent := Object{"employeeNumber": "7", "department": "D", "costCenter": "C", "organization": "O", "division": "V", "manager": Object{"value": s.guid()}}
	body := Object{"schemas": list(userSchema, enterpriseSchema), "externalId": s.guid()}
	for k, val := range all {
		if s.has(k) {
			body[k] = s.known(k, val)
		}
	}
	for k := range ent {
		if !s.has(enterpriseSchema + ":" + k) {
			delete(ent, k)
		}
	}
	if len(ent) > 0 {
		body[enterpriseSchema] = ent
	}
	return body
}

// known leaves sub-attributes out that the published schema lacks.
func (s *Session) known(attr string, v any) any {
	switch t := v.(type) {
	case Object:
		for k := range t {
			if !s.has(attr + "." + k) {
				delete(t, k)
			}
		}
	case []any:
		for _, e := range t {
			s.known(attr, e)
		}
	}
	return v
}

// echoes requires that everything in want is in the answer; the strings of booleans count as booleans.
func (s *Session) echoes(x *Exchange, want any, at string) {
	switch t := want.(type) {
	case Object:
		for k, e := range t {
			path := at + "." + k
			switch {
			case at == "":
				path = k
			case strings.HasPrefix(at, "urn:") && strings.Count(at, ":") == strings.Count(enterpriseSchema, ":"):
				path = at + ":" + k
			}
			if path != "schemas" && path != "meta" {
				s.echoes(x, e, path)
			}
		}
	case []any:
		for i, e := range t {
			which := orList([]int{i})
			if o, ok := e.(Object); ok && o["type"] != nil {
				which = "type=" + o["type"].(string) // a server may keep the elements in another order
			}
			s.echoes(x, e, at+"["+which+"]")
		}
	case string:
		if t == "True" {
			x.want(at, true)
			return
		}
		x.want(at, t)
	case nil:
	default:
		x.want(at, t)
	}
}

// valid makes a user of the validator's payload.
func (s *Session) valid() created {
	body := s.validatorUser()
	return s.make("/Users", body, body["userName"])
}

func validatorUsers() []Case {
	return []Case{
		v("V1", "create", "a new user with every attribute comes back as it was sent", "store and return every attribute of the published schema", func(s *Session) {
			body := s.validatorUser()
			x := s.createdOK(s.post("/Users", body))
			l := s.search("/Users", eq("userName", body["userName"].(string)))
			if l.only("the joining property", x.newID()) {
				l.Exchange.doc = l.Resources[0]
				s.echoes(l.Exchange, body, "")
			}
		}),
		v("V2", "duplicate", "a duplicate user is 409", "unique key on the folded userName", func(s *Session) {
			u := s.valid()
			s.conflict(s.post("/Users", u.Body), "the same user")
		}),
		v("V3", "filter", "a filter finds an existing user", "support eq on the joining property", func(s *Session) {
			u := s.valid()
			l := s.search("/Users", eq("userName", u.Name))
			s.listShape(l)
			if l.only("the joining property", u.ID) {
				for _, path := range []string{"id", "userName", "schemas", "meta.resourceType"} {
					l.present("Resources[0]." + path)
				}
			}
		}),
		v("V4", "filter-none", "a filter for a user who does not exist is 200 with 0", "answer 200 with an empty list", func(s *Session) { s.nobody("/Users", "userName") }),
		v("V5", "filter-case", "a filter in another case finds the user", "compare userName without case", func(s *Session) {
			u := s.valid()
			s.search("/Users", eq("userName", strings.ToUpper(u.Name))).only("the joining property in upper case", u.ID)
		}),
		v("V13", "delete", "a deleted user is 204 and then 404", "answer 404 for what is deleted", func(s *Session) {
			u := s.valid()
			s.delete(u.Path).status(204)
			s.get(u.Path).status(404)
		}),
		v("P3", "delete-unknown", "the delete of a user who does not exist is 404", "answer 404", func(s *Session) {
			s.delete(pathOf("/Users", s.guid())).status(404)
		}),
		v("P4", "delete-twice", "the second delete of a user is 404", "answer 404 for what is deleted", func(s *Session) {
			u := s.valid()
			s.delete(u.Path).status(204)
			s.delete(u.Path).status(404)
		}),
	}
}

func validatorPatches() []Case {
	full := enterpriseSchema + ":manager"
	manager := func(rule, name, title string, value any, lacks bool) Case {
		return v(rule, name, title, "read the manager from a string or an object, \"\" as removal; do not require that the manager exists", func(s *Session) {
			s.needAttr(full)
			u := s.valid()
			x := s.apply(u.Path, op("replace", full, value))
			if lacks {
				s.againLacks(x, u, full+".value", "after the manager was removed")
				return
			}
			want := value
			if o, ok := value.(Object); ok {
				want = o["value"]
			}
			s.againIs(x, u, full+".value", want, "after the manager was set")
		})
	}
	return []Case{
		v("V6", "replace-verbose", "one replace per attribute changes each in place", "apply operations in order; value paths change one element", replaceVerbose),
		v("V7", "rename", "userName is replaced without a path", "apply each key of the object", func(s *Session) { rename(s, op("replace", "", none)) }),
		v("V8", "disable", "replace active false disables", "store the boolean", func(s *Session) {
			u := s.valid()
			x := s.apply(u.Path, op("replace", "active", false))
			s.againIs(x, u, "active", false, "after the replace")
		}),
		v("V9", "add-verbose", "a bare user gets every attribute by add", "create elements from the terms of value paths; True in a path is a boolean", addVerbose),
		manager("V10", "add-manager", "a manager is added as an object", Object{"value": "7fd4c1ab-unknown-manager"}, false),
		manager("V11", "replace-manager", "a manager is replaced by a bare string", "0c77e1de-another-manager", false),
		manager("V12", "remove-manager", `a manager is removed by {"value":""}`, Object{"value": ""}, true),
		manager("V12", "remove-manager-string", `a manager is removed by ""`, "", true),
		v("P1", "multi-attribute", "remove, add and replace of different attributes in one request", "apply operations in order", func(s *Session) {
			u := s.valid()
			ext := s.guid()
			ops := []Object{op("add", "externalId", ext), op("replace", "displayName", "Multi")}
			if s.has("preferredLanguage") {
				ops = append([]Object{op("remove", "preferredLanguage", none)}, ops...)
			}
			x := s.apply(u.Path, ops...)
			s.againLacks(x, u, "preferredLanguage", "after its removal")
			s.againIs(x, u, "externalId", ext, "after the add")
			s.againIs(x, u, "displayName", "Multi", "after the replace")
		}),
		v("P2", "multi-same-attribute", "remove, add and replace of one attribute in one request: the last wins", "apply operations in order", func(s *Session) {
			u := s.valid()
			x := s.apply(u.Path, op("remove", "displayName", none), op("add", "displayName", "Second"), op("replace", "displayName", "Third"))
			s.againIs(x, u, "displayName", "Third", "after the three operations")
		}),
	}
}

func replaceVerbose(s *Session) {
	u := s.valid()
	next := s.mail("v6")
	s.verbose(u, "replace", [][2]any{
		{"displayName", "Vera"}, {"title", "Chief"}, {"name.givenName", "Vera"}, {"name.familyName", "Bose"},
		{`emails[type eq "work"].value`, next}, {`phoneNumbers[type eq "work"].value`, "55555555559"},
		{`addresses[type eq "work"].locality`, "Luleå"}, {enterpriseSchema + ":department", "Dept"},
		{enterpriseSchema + ":employeeNumber", "99"}, {"userType", "Boss"}, {"nickName", "Vee"},
	})
}

// addVerbose is V9: a user with nothing but a name, then one PATCH that adds the rest.
func addVerbose(s *Session) {
	name := s.mail("v9")
	u := s.make("/Users", Object{"schemas": list(userSchema), "userName": name}, name)
	ops := [][2]any{
		{"displayName", "Added"}, {"title", "T"}, {"preferredLanguage", "xq"}, {"name.givenName", "G"}, {"name.familyName", "F"},
		{"name.formatted", "G F"}, {"nickName", "N"}, {"userType", "U"}, {"locale", "lo"}, {"timezone", "tz"}, {"externalId", s.guid()},
		{`emails[type eq "work"].value`, name}, {`phoneNumbers[type eq "work"].value`, "55555555551"}, {`phoneNumbers[type eq "mobile"].value`, "55555555552"},
		{`addresses[type eq "work"].country`, "SE"}, {`addresses[type eq "work"].locality`, "Umeå"}, {`addresses[type eq "work"].postalCode`, "90325"},
		{`roles[primary eq "True"].display`, "R"}, {`roles[primary eq "True"].value`, "r"}, {`roles[primary eq "True"].type`, "t"},
		{enterpriseSchema + ":employeeNumber", "7"}, {enterpriseSchema + ":department", "D"}, {enterpriseSchema + ":costCenter", "C"},
		{enterpriseSchema + ":organization", "O"}, {enterpriseSchema + ":division", "V"},
	}
	s.verbose(u, "add", ops)
	if s.has("roles.primary") {
		x := s.again(u)
		x.want("roles[0].primary", true)
	}
}

// verbose sends one operation per attribute, of those that the schema has, and requires each value afterwards.
func (s *Session) verbose(u created, kind string, pairs [][2]any) {
	var ops []Object
	sent := pairs[:0:0]
	for _, p := range pairs {
		path := p[0].(string)
		sub := path[strings.LastIndexByte(path, '.')+1:]
		if s.has(bare(path)) && (bare(path) == path || s.has(bare(path)+"."+sub)) || path == "externalId" {
			ops = append(ops, op(kind, path, p[1]))
			sent = append(sent, p)
		}
	}
	x := s.apply(u.Path, ops...)
	for _, p := range sent {
		path := strings.NewReplacer(` eq "True"`, "=true", ` eq "work"`, "=work", ` eq "mobile"`, "=mobile").Replace(p[0].(string))
		s.againIs(x, u, path, p[1], "after "+kind+" "+p[0].(string))
	}
}

func validatorGroups() []Case {
	group := func(s *Session, members ...string) created {
		s.needGroups()
		body := Object{"schemas": list(groupSchema), "displayName": s.name("vg"), "externalId": s.guid()}
		if len(members) > 0 {
			body["members"] = refs(members...)
		}
		return s.make("/Groups", body, body["displayName"])
	}
	return []Case{
		v("V14", "get-without-members", "a group read with excludedAttributes=members has no members", "honour excludedAttributes", func(s *Session) {
			g := group(s, s.valid().ID)
			s.get(g.Path + "?excludedAttributes=members").status(200).noKey("members")
		}),
		v("V15", "filter-without-members", "a group found with excludedAttributes=members has no members", "honour excludedAttributes in lists", func(s *Session) {
			g := group(s, s.valid().ID)
			l := s.search("/Groups", eq("displayName", g.Name), "excludedAttributes", "members")
			if l.only("displayName eq", g.ID) {
				l.noKey("Resources[0].members")
			}
		}),
		v("V16", "filter", "a filter finds an existing group", "support displayName eq", func(s *Session) {
			g := group(s)
			l := s.search("/Groups", eq("displayName", g.Name))
			s.listShape(l)
			l.only("displayName eq", g.ID)
		}),
		v("V17", "filter-none", "a filter for a group that does not exist is 200 with 0", "answer 200 with an empty list", func(s *Session) {
			s.needGroups()
			s.nobody("/Groups", "displayName")
		}),
		v("V18", "filter-case", "a filter in another case finds the group", "compare displayName without case", func(s *Session) {
			g := group(s)
			s.search("/Groups", eq("displayName", strings.ToUpper(g.Name))).only("displayName eq in upper case", g.ID)
		}),
		v("V19", "create", "a new group comes back as it was sent", "store displayName and externalId", func(s *Session) {
			s.needGroups()
			body := Object{"schemas": list(groupSchema), "displayName": s.name("vg"), "externalId": s.guid()}
			x := s.createdOK(s.post("/Groups", body))
			y := s.get(pathOf("/Groups", x.newID())).status(200)
			s.echoes(y, body, "")
		}),
		v("V20", "duplicate", "a duplicate group is 409", "unique key on displayName", func(s *Session) {
			g := group(s)
			s.conflict(s.post("/Groups", g.Body), "the same group")
		}),
		v("V21", "replace-external-id", "externalId of a group is replaced without a path", "apply each key of the object", func(s *Session) {
			g, ext := group(s), s.guid()
			x := s.apply(g.Path, op("replace", "", Object{"externalId": ext}))
			s.againIs(x, g, "externalId", ext, "after the replace")
		}),
		v("V22", "rename", "displayName of a group is replaced without a path", "touch members only if the operation names them", func(s *Session) {
			groupRename(s, func(n string) Object { return op("replace", "", Object{"displayName": n}) })
		}),
		v("V23", "add-member", "replace members sets the member", "make the value the whole membership", func(s *Session) {
			u := s.valid()
			g := group(s)
			s.apply(g.Path, op("replace", "members", refs(u.ID)))
			s.members(g, "after replace members", u.ID)
		}),
		v("V24", "remove-member", "one of two members is removed by filter", "evaluate the value filter against the members", func(s *Session) {
			a, b := s.valid(), s.valid()
			g := group(s)
			s.apply(g.Path, op("replace", "members", refs(a.ID, b.ID)))
			s.apply(g.Path, op("remove", `members[value eq "`+a.ID+`"]`, none))
			s.members(g, "after the removal", b.ID)
		}),
		v("V25", "delete", "a deleted group is 204 and then 404", "answer 404 for what is deleted", func(s *Session) {
			g := group(s)
			s.delete(g.Path).status(204)
			s.get(g.Path).status(404)
		}),
		v("P5", "multi-members", "add of a member and its removal in one request leave the group empty", "apply operations in order", func(s *Session) {
			u := s.valid()
			g := group(s)
			s.apply(g.Path, op("add", "members", refs(u.ID)), op("remove", `members[value eq "`+u.ID+`"]`, none))
			s.members(g, "after add and remove")
		}),
		v("P6", "delete-unknown", "the delete of a group that does not exist is 404", "answer 404", func(s *Session) {
			s.needGroups()
			s.delete(pathOf("/Groups", s.guid())).status(404)
		}),
		v("P7", "delete-twice", "the second delete of a group is 404", "answer 404 for what is deleted", func(s *Session) {
			g := group(s)
			s.delete(g.Path).status(204)
			s.delete(g.Path).status(404)
		}),
	}
}
