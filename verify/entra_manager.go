package verify

func entraManager() []Case {
	const (
		why   = "Entra sets managers after all users exist; if it fails, the attribute is retried in every cycle and never arrives"
		fix   = `read the manager from a string, {"value":…} or [{"value":…}], under manager and under the full URN`
		clear = `treat "" and {"value":""} as removal`
	)
	full := enterpriseSchema + ":manager"
	set := func(name, title, path string, value func(id string) any) Case {
		return Case{Name: name, Rule: "R-37", Ref: "E-DEV, E-OBS", Title: title, Why: why, Fix: fix,
			Run: func(s *Session) {
				s.needAttr(full)
				boss, u := s.user("boss", nil), s.user("mg", nil)
				x := s.apply(u.Path, op("Add", path, value(boss.ID)))
				s.againIs(x, u, full+".value", boss.ID, "after the manager was set")
			}}
	}
	unset := func(name, title string, o Object) Case {
		return Case{Name: name, Rule: "R-37", Ref: "E-OBS", Title: title, Fix: clear,
			Why: "a manager who left stays in the record, and what hangs on it, approvals for example, goes to the wrong person",
			Run: func(s *Session) {
				s.needAttr(full)
				boss, u := s.user("boss", nil), s.user("mg", nil)
				x := s.apply(u.Path, op("Add", full, Object{"value": boss.ID}))
				s.againIs(x, u, full+".value", boss.ID, "after the manager was set")
				y := s.apply(u.Path, o)
				s.againLacks(y, u, full+".value", "after the manager was cleared")
			}}
	}
	asText := func(id string) any { return id }
	asObject := func(id string) any { return Object{"value": id} }
	asList := func(id string) any { return list(Object{"$ref": "../Users/" + id, "value": id}) }
	return []Case{
		set("manager-string", "the manager can be set by a bare string", full, asText),
		set("manager-object", `the manager can be set by {"value":…}`, full, asObject),
		set("manager-list", "the manager can be set by a list of one", full, asList),
		set("manager-short", "the manager can be set under the path manager", "manager", asObject),
		{Name: "manager-unknown", Rule: "R-37", Ref: "E-OBS", Severity: Should,
			Title: "a manager who is not known is accepted",
			Why:   "the validator sends random ids, and Entra may send the reference before the person",
			Fix:   "do not require that manager.value is an existing user",
			Run: func(s *Session) {
				s.needAttr(full)
				u := s.user("mg", nil)
				s.apply(u.Path, op("Add", full, Object{"value": s.guid()}))
			}},
		unset("manager-clear-string", `Replace manager with "" clears it`, op("Replace", full, "")),
		unset("manager-clear-object", `Replace manager with {"value":""} clears it`, op("Replace", full, Object{"value": ""})),
		unset("manager-remove", "Remove manager clears it", op("Remove", full, none)),
	}
}

// entraLife are the cases of disabling, enabling and deleting.
func entraLife() []Case {
	return []Case{
		disableCase("disable-string", `Replace active "False", a string, disables the user`, op("Replace", "active", "False"), "E-COMPAT"),
		disableCase("disable-boolean", "Replace active false disables the user", op("Replace", "active", false), "E-DEV"),
		{Name: "disabled-readable", Rule: "R-29", Ref: "E-DEV",
			Title: "a disabled user can be read and found",
			Why:   "a 404 makes Entra treat the user as deleted (InvalidAnchor), and the user can never be enabled again",
			Fix:   "keep inactive users in reads and searches",
			Run:   disabledReadable},
		enableCase("enable-string", `Replace active "True", a string, enables the user again`, op("Replace", "active", "True")),
		{Name: "enable-keeps-groups", Rule: "R-30", Ref: "E-HOW",
			Title: "disabling and enabling keeps the user's groups",
			Why:   "Entra does not send the memberships again; they are gone for good",
			Fix:   "leave memberships alone when active changes",
			Run:   keepsGroups},
		{Name: "delete", Rule: "R-42", Ref: "E-HOW, RFC 7644 §3.6",
			Title: "a deleted user is 204, then 404 on read and on a second delete",
			Why:   "a user that can still be read counts as present; other answers are retried for ever",
			Fix:   "answer 404 for what is deleted, also if the record is kept for restoring",
			Run:   func(s *Session) { deleteTwice(s, s.user("del", nil), "userName") }},
		{Name: "recreate", Rule: "R-43", Ref: "RFC 7644 §3.6", Severity: Should,
			Title: "after a delete the userName can be created again, with a new id",
			Why:   "who returns cannot be provisioned while the deleted record owns the name",
			Fix:   "leave deleted records out of the unique key",
			Run: func(s *Session) {
				u := s.user("re", nil)
				s.delete(u.Path).success()
				x := s.post("/Users", s.person(u.Name, nil)).status(201)
				s.check(x.newID() != u.ID, x, "a new id", "the id of the deleted user")
			}},
	}
}

func disableCase(name, title string, o Object, ref string) Case {
	return Case{Name: name, Rule: "R-29", Ref: ref, Title: title,
		Why: "a leaver keeps access: the client takes the 2xx for done and never asks again",
		Fix: "convert True and False in any case to booleans, read active with and without path",
		Run: func(s *Session) {
			u := s.user("dis", nil)
			x := s.apply(u.Path, o)
			s.againIs(x, u, "active", false, "after the user was disabled")
		}}
}

func enableCase(name, title string, o Object) Case {
	return Case{Name: name, Rule: "R-30", Ref: "E-HOW", Title: title,
		Why: "who comes back stays locked out",
		Fix: "convert True and False in any case to booleans, read active with and without path",
		Run: func(s *Session) {
			u := s.user("en", Object{"active": false})
			s.given(s.again(u), "active", false)
			x := s.apply(u.Path, o)
			s.againIs(x, u, "active", true, "after the user was enabled")
			s.againIs(x, u, "id", u.ID, "after the user was enabled")
		}}
}

// given ends the case as blocked unless the set-up left a value.
func (s *Session) given(x *Exchange, path string, want any) {
	if v, ok := x.value(path); !ok || !same(v, want) {
		s.block(x, "the set-up wants %s %s, but %s, so it", path, show(want), showAt(path, v, ok))
	}
}

func disabledReadable(s *Session) {
	u := s.user("dr", nil)
	s.apply(u.Path, op("Replace", "active", false))
	x := s.get(u.Path)
	s.check(x.Response.Status == 200, x, "status 200 for a disabled user", x.describe())
	s.search("/Users", eq("userName", u.Name)).only("the userName of a disabled user", u.ID)
}

func keepsGroups(s *Session) {
	s.needGroups()
	u := s.user("kg", nil)
	g := s.group("kg", u.ID)
	s.members(g, "before the user is disabled", u.ID)
	s.apply(u.Path, op("Replace", "active", false))
	s.members(g, "while the user is disabled", u.ID)
	s.apply(u.Path, op("Replace", "active", true))
	s.members(g, "after the user was enabled again", u.ID)
}

// deleteTwice deletes an object and requires that it is gone everywhere.
func deleteTwice(s *Session, c created, attr string) {
	x := s.delete(c.Path)
	s.check(x.Response.Status == 204, x, "status 204 for the delete", x.describe())
	x = s.get(c.Path)
	s.check(x.Response.Status == 404, x, "status 404 for the read of what was deleted", x.describe())
	l := s.search(endpointOf(c.Path), eq(attr, c.Name))
	l.only("a search after the delete")
	x = s.delete(c.Path)
	s.check(x.Response.Status == 404, x, "status 404 for the second delete", x.describe())
}

func endpointOf(path string) string {
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			return path[:i]
		}
	}
	return path
}
