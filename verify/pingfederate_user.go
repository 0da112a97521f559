package verify

func pingUsers() []Case {
	return []Case{
		{Name: "connection", Rule: "R-04", Ref: "P-SET", Title: "a made-up id is 404 with a SCIM error, for users and groups",
			Why: "PingFederate checks the connection with it; 400 or 500 count as a broken target", Fix: "answer 404 for ids of any form",
			Run: func(s *Session) {
				paths := []string{"/Users/11111111-1111-1111-1111-111111111111"}
				if s.run.facts.groups {
					paths = append(paths, "/Groups/11111111-1111-1111-1111-111111111111")
				}
				for _, p := range paths {
					x := s.get(p)
					if s.check(x.Response.Status == 404, x, "status 404 for a made-up id", x.describe()) {
						s.errorBody(x, 404)
					}
				}
			}},
		{Name: "bad-token", Rule: "R-03", Ref: "P-SET", Title: "a wrong or missing token is 401 with a SCIM error",
			Why: "PingFederate tells by it that the credentials are wrong", Fix: "answer 401 with the Error schema", Run: badToken},
		{Name: "match-user", Rule: "R-23", Ref: "P-SET", Title: "a user is found by userName",
			Why: "the default unique identifier; not found, the user is created again", Fix: "support userName eq",
			Run: func(s *Session) {
				s.decoy("/Users")
				u := s.user("pm", nil)
				s.search("/Users", eq("userName", u.Name)).only("userName eq", u.ID)
			}},
		{Name: "match-mail", Rule: "R-25", Ref: "P-SET", Title: `a user is found by emails eq "…"`,
			Why: "with workEmail as unique identifier PingFederate filters on emails without a sub-attribute; unmatched, it creates the user again", Fix: "read emails eq as emails.value eq",
			Run: func(s *Session) {
				s.needAttr("emails")
				s.decoy("/Users")
				u := s.user("pe", nil)
				s.search("/Users", eq("emails", u.Name)).only("emails eq", u.ID)
			}},
		{Name: "match-expression", Rule: "R-25", Ref: "P-SET", Severity: Note, Title: "an unknown attribute in a filter is 400 invalidFilter",
			Why: "administrators write the filter expression by hand; with a wrong attribute, a list of everybody links wrong accounts", Fix: "refuse unknown attributes (RFC 7644 §3.4.2.2)",
			Run: func(s *Session) {
				s.user("px", nil)
				x := s.get("/Users" + s.query("filter", `email co "@verify.example"`))
				s.check(x.Response.Status == 400, x, "status 400 invalidFilter for the unknown attribute email", x.describe())
			}},
		{Name: "create", Rule: "R-16", Ref: "P-SET", Title: "a create answers 201 with an id",
			Why: "PingFederate keeps the id in its own database; without it the user is lost to it", Fix: "answer 201 with the whole resource",
			Run: func(s *Session) {
				s.storedUser(s.createdOK(s.post("/Users", s.person(s.mail("pc"), Object{"password": s.password(), "externalId": s.guid()}))))
			}},
		{Name: "update", Rule: "R-19", Ref: "P-SET", Title: "a PUT of the mapped attributes updates the user",
			Why: "PingFederate never PATCHes users", Fix: "support PUT",
			Run: func(s *Session) {
				u := s.user("pu", nil)
				x := s.put(u.Path, s.person(u.Name, Object{"displayName": "Updated", "name": Object{"givenName": "Anna", "familyName": "Kase"}})).success()
				s.againIs(x, u, "displayName", "Updated", "after the PUT")
				s.againIs(x, u, "name.familyName", "Kase", "after the PUT")
			}},
		{Name: "disable", Rule: "R-29", Ref: "P-SET", Title: "a PUT with active false disables, with active true enables again",
			Why: "the default removal; a leaver keeps access", Fix: "honour active in a PUT",
			Run: func(s *Session) {
				u := s.user("pd", nil)
				x := s.put(u.Path, s.person(u.Name, Object{"active": false})).success()
				s.againIs(x, u, "active", false, "after PUT active false")
				x = s.put(u.Path, s.person(u.Name, nil)).success()
				s.againIs(x, u, "active", true, "after PUT active true")
			}},
		{Name: "put-keeps-active", Rule: "R-19", Ref: "R-19", Severity: Should, Title: "a PUT without active leaves the state as it was",
			Why: "PingFederate omits what is not mapped; who was disabled elsewhere must not come back", Fix: "keep active if it is omitted",
			Run: putKeepsActive},
		{Name: "two-primary", Rule: "R-46", Ref: "P-SET", Severity: Should, Title: "two addresses marked primary are accepted and one stays primary",
			Why: "PingFederate sends both as primary if one of two mail attributes is empty", Fix: "keep the first primary, demote the others",
			Run: twoPrimary},
		{Name: "type-lower-case", Rule: "R-16", Ref: "P-SET", Severity: Should, Title: `the type "work" comes back in lower case`,
			Why: "before 1.5.2 PingFederate compares types with case and adds the address again", Fix: "return canonical values as the schema spells them",
			Run: func(s *Session) {
				s.needAttr("emails")
				s.again(s.user("pt", nil)).want("emails[0].type", "work")
			}},
		{Name: "duplicate", Rule: "R-17", Ref: "P-SET", Title: "a second create with the same userName is 409",
			Why: "two accounts for one person", Fix: "unique key on the folded userName",
			Run: func(s *Session) {
				u := s.user("pd", nil)
				s.conflict(s.post("/Users", s.person(u.Name, nil)), "the same userName")
			}},
		{Name: "delete", Rule: "R-42", Ref: "P-SET", Title: "a deleted user is 204, then 404",
			Why: "with Remove User Action set to Delete", Fix: "answer 404 for what is deleted",
			Run: func(s *Session) { deleteTwice(s, s.user("pd", nil), "userName") }},
	}
}

func twoPrimary(s *Session) {
	s.needAttr("emails.primary")
	u := s.user("tp", nil)
	x := s.put(u.Path, s.person(u.Name, Object{"emails": list(
		Object{"type": "work", "value": u.Name, "primary": true}, Object{"type": "home", "value": s.mail("home"), "primary": true})})).success()
	y := s.again(u)
	v, _ := y.value("emails")
	items, _ := v.([]any)
	n := 0
	for _, e := range items {
		if p, _ := lookup(e, "primary"); p == true {
			n++
		}
	}
	s.check(len(items) == 2 && n == 1, x, "2 addresses, 1 of them primary", count(len(items), "address")+", "+show(n)+" of them primary")
}
