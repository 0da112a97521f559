package verify

func entraFlag() []Case {
	full := enterpriseSchema + ":manager"
	cases := []Case{
		{Name: "flag-in-query", Rule: "R-11", Ref: "E-COMPAT", Title: "a valueless query key aadOptscim062020 is ignored",
			Why: "the flag is part of the tenant URL and may arrive as a query key before the filter", Fix: "ignore unknown query keys, with and without value",
			Run: func(s *Session) {
				u := s.user("fq", nil)
				l := s.list(s.get("/Users" + s.query("aadOptscim062020!", "", "filter", eq("userName", u.Name))))
				l.only("userName eq behind the flag", u.ID)
			}},
		disableCase("disable", "replace active false disables the user", op("replace", "active", false), "E-COMPAT"),
		disableCase("disable-no-path", `replace {"active":false} without a path disables the user`, op("replace", "", Object{"active": false}), "E-COMPAT"),
		enableCase("enable", "replace active true enables the user again", op("replace", "active", true)),
		{Name: "no-path-dotted", Rule: "R-33", Ref: "E-COMPAT", Title: `keys like "name.givenName" and "urn:…:employeeNumber" in an object without path are paths`,
			Why: "this is how the compliant dialect sends most updates; stored as literal keys, or ignored, the user never changes and Entra believes it did",
			Fix: "read the keys of an object without path as attribute paths, with dots and with URNs", Run: pathless},
		{Name: "no-path-plain", Rule: "R-33", Ref: "E-COMPAT", Title: "add and replace of several plain attributes in an object without path",
			Why: "the commonest update of this dialect", Fix: "apply each key as its own operation",
			Run: func(s *Session) {
				s.needAttr("title", "displayName")
				u := s.user("np", nil)
				x := s.apply(u.Path, op("replace", "", Object{"displayName": "Plain", "title": "Lead"}))
				s.againIs(x, u, "displayName", "Plain", "after the replace without path")
				s.againIs(x, u, "title", "Lead", "after the replace without path")
				s.againIs(x, u, "name.givenName", "Ann", "of an attribute that was not named")
			}},
		{Name: "no-path-with-value-path", Rule: "R-33", Ref: "E-COMPAT", Title: "a value path and an object without path in one request",
			Why: "value paths stay separate operations beside the merged object", Fix: "apply the operations in order",
			Run: func(s *Session) {
				s.needAttr("emails")
				u := s.user("nv", nil)
				next := s.mail("next")
				x := s.apply(u.Path, op("replace", `emails[type eq "work"].value`, next), op("replace", "", Object{"displayName": "Both"}))
				s.againIs(x, u, "emails[type=work].value", next, "after the request")
				s.againIs(x, u, "displayName", "Both", "after the request")
			}},
		{Name: "rename-no-path", Rule: "R-38", Ref: "V7", Title: `replace {"userName":…} without a path renames the user`,
			Why: "people marry; see the case entra/rename", Fix: "update every index of userName in the transaction of the change",
			Run: func(s *Session) { rename(s, op("replace", "", none)) }},
		{Name: "manager-add", Rule: "R-37", Ref: "E-DEV", Title: `add manager {"value":…}`,
			Why: "references are sent after all users exist and retried for ever if they fail", Fix: "accept manager as an object under its URN",
			Run: func(s *Session) {
				s.needAttr(full)
				boss, u := s.user("boss", nil), s.user("mg", nil)
				x := s.apply(u.Path, op("add", full, Object{"value": boss.ID}))
				s.againIs(x, u, full+".value", boss.ID, "after the manager was set")
			}},
		{Name: "value-path-add", Rule: "R-34", Ref: "E-ISS", Title: `add emails[type eq "work"].value creates the element`,
			Why: "as in the default dialect", Fix: fixValueP,
			Run: func(s *Session) { valuePathCreates(s, "add", "emails", "work", "value", s.mail("vp")) }},
	}
	return append(cases, entraFlagGroups()...)
}

func pathless(s *Session) {
	ent := enterpriseSchema
	u := s.user("pl", nil)
	value := Object{"displayName": "Dotted"}
	want := map[string]string{"displayName": "Dotted"}
	put := func(key, v string) {
		if s.has(key) {
			value[key], want[key] = v, v
		}
	}
	put("name.givenName", "Greta")
	put("name.familyName", "Dott")
	put(ent+":employeeNumber", "E-1")
	put(ent+":department", "Ops")
	x := s.apply(u.Path, op("replace", "", value))
	for path, v := range want {
		s.againIs(x, u, path, v, "after the replace without path")
	}
	y := s.again(u)
	for key := range y.object() {
		if key == "name.givenName" || key == "name.familyName" || key == ent+":employeeNumber" || key == ent+":department" {
			s.fail(y, "no attribute with the literal name "+key, "the user has an attribute named "+show(key))
		}
	}
}

func entraFlagGroups() []Case {
	return []Case{
		{Name: "member-remove-filter", Rule: "R-58", Ref: "E-COMPAT", Title: `remove members[value eq "id"] removes that member alone`,
			Why: "this form is ignored with 2xx by several servers: a leaver keeps what the group grants",
			Fix: "evaluate the value filter against the members", Run: func(s *Session) {
				us := s.users(3)
				g := s.group("rf", us[0].ID, us[1].ID, us[2].ID)
				s.apply(g.Path, op("remove", `members[value eq "`+us[0].ID+`"]`, none))
				s.members(g, "after the removal by filter", us[1].ID, us[2].ID)
			}},
		{Name: "member-remove-filter-stranger", Rule: "R-58", Ref: "RFC 7644 §3.5.2.2", Title: `remove members[value eq "id"] of somebody who is no member succeeds`,
			Why: "a repeated removal that is an error keeps the group in retry", Fix: "no change and 2xx",
			Run: func(s *Session) {
				us := s.users(2)
				g := s.group("rf", us[0].ID)
				x := s.patch(g.Path, op("remove", `members[value eq "`+us[1].ID+`"]`, none))
				s.check(x.ok(), x, "status 2xx for the removal of somebody who is no member", x.describe())
				s.members(g, "after the removal of somebody else", us[0].ID)
			}},
		{Name: "member-add", Rule: "R-56", Ref: "E-COMPAT", Title: "add members adds to the members",
			Why: "members who are lost lose their access", Fix: "add to the set",
			Run: func(s *Session) {
				us := s.users(2)
				g := s.group("ma", us[0].ID)
				s.apply(g.Path, op("add", "members", refs(us[1].ID)))
				s.members(g, "after the add", us[0].ID, us[1].ID)
			}},
		{Name: "group-rename", Rule: "R-62", Ref: "E-COMPAT", Title: `replace {"displayName":…} without a path renames a group and keeps its members`,
			Why: "if the members are lost, everybody in the group loses access", Fix: "touch members only if the operation names them",
			Run: func(s *Session) {
				groupRename(s, func(n string) Object { return op("replace", "", Object{"displayName": n}) })
			}},
	}
}
