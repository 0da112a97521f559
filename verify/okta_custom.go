package verify

import "slices"

// oktaCustomProfile plays an app of Okta's App Integration Wizard, which uses PUT for everything.
func oktaCustomProfile() Profile {
	return Profile{
		Name: "okta-custom", Client: "Okta custom app", Dialect: oktaDialect,
		About: "an app of Okta's App Integration Wizard: read, then PUT, for users and for groups, sometimes twice with a stale list first",
		Cases: slices.Concat(oktaConnect()[:3], oktaCustomUsers(), oktaCustomGroups()),
	}
}

func oktaCustomUsers() []Case {
	active := func(name, title string, from, to bool, rule string) Case {
		return Case{Name: name, Rule: rule, Ref: "O-OBS", Title: title,
			Why: "the only way in which a custom app deactivates; it is tried once and not repeated",
			Fix: "honour active in a PUT",
			Run: func(s *Session) {
				u := s.user("ca", Object{"active": from})
				s.given(s.again(u), "active", from)
				x := s.put(u.Path, over(clone(s.again(u).object()), Object{"active": to})).status(200)
				s.againIs(x, u, "active", to, "after the PUT")
				s.againIs(x, u, "userName", u.Name, "after the PUT")
				s.search("/Users", eq("userName", u.Name)).only("userName eq", u.ID)
			}}
	}
	return []Case{
		{Name: "profile-put", Rule: "R-19", Ref: "O-OBS", Title: "GET, then PUT of the server's own representation with changes",
			Why: "every profile update works like this; a 400 because of id, meta or groups stops all of them", Fix: "ignore read-only attributes in a PUT",
			Run: func(s *Session) { readModifyWrite(s, s.okta()) }},
		active("deactivate-put", "PUT with active false deactivates the user", true, false, "R-29"),
		active("reactivate-put", "PUT with active true reactivates the user", false, true, "R-30"),
		{Name: "put-twice", Rule: "R-19", Ref: "O-OBS", Title: "the same PUT sent twice succeeds twice",
			Why: "Okta was seen to send a PUT twice in a row", Fix: "do not refuse what changes nothing",
			Run: func(s *Session) {
				u := s.okta()
				body := over(clone(s.again(u).object()), Object{"displayName": "Twice"})
				s.put(u.Path, body).status(200)
				x := s.put(u.Path, body).status(200)
				s.againIs(x, u, "displayName", "Twice", "after the second PUT")
			}},
		{Name: "put-keeps-active", Rule: "R-19", Ref: "R-19", Severity: Should, Title: "a PUT without active leaves the state as it was",
			Why: "a profile push that does not mention active must not enable somebody who left", Fix: "keep active if it is omitted",
			Run: func(s *Session) { putKeepsActive(s) }},
	}
}

// putKeepsActive sends a PUT without active to a disabled and to an enabled user.
func putKeepsActive(s *Session) {
	for _, state := range []bool{false, true} {
		u := s.user("pk", Object{"active": state})
		s.given(s.again(u), "active", state)
		x := s.put(u.Path, s.person(u.Name, Object{"active": none, "displayName": "Kept"})).status(200)
		s.againIs(x, u, "active", state, "after a PUT that does not mention active")
	}
}

func oktaCustomGroups() []Case {
	return []Case{
		{Name: "group-create-members", Rule: "R-49", Ref: "O-OBS", Title: "a group is created with members and their display names",
			Why: "a custom app sends the members with the create", Fix: "take members from a create",
			Run: func(s *Session) {
				s.needGroups()
				us := s.users(2)
				x := s.createdOK(s.post("/Groups", Object{"schemas": list(groupSchema), "displayName": s.name("oc"),
					"members": list(Object{"value": us[0].ID, "display": us[0].Name}, Object{"value": us[1].ID, "display": us[1].Name})}))
				g := created{ID: x.newID(), Path: pathOf("/Groups", x.newID())}
				s.members(g, "after the create", us[0].ID, us[1].ID)
			}},
		{Name: "group-put-members", Rule: "R-64", Ref: "O-OBS", Title: "PUT of the whole list sets the members, after a stale PUT too",
			Why: "Okta sends two PUTs, the first sometimes with the old list; the last must win exactly", Fix: "make the list of a PUT the whole membership",
			Run: func(s *Session) {
				us := s.users(3)
				g := s.group("cp", us[0].ID, us[1].ID)
				s.putGroup(g, g.Name, true, us[0].ID, us[1].ID)
				s.putGroup(g, g.Name, true, us[1].ID, us[2].ID)
				s.members(g, "after the second PUT", us[1].ID, us[2].ID)
			}},
		{Name: "group-put-empty", Rule: "R-64", Ref: "O-OBS", Title: "PUT with an empty list empties the group",
			Why: "members who left keep access", Fix: "tell an empty list from an absent one",
			Run: func(s *Session) {
				us := s.users(2)
				g := s.group("ce", us[0].ID, us[1].ID)
				s.putGroup(g, g.Name, true)
				s.members(g, "after a PUT with members []")
			}},
		{Name: "group-put-rename", Rule: "R-64", Ref: "O-OBS", Title: "PUT renames a group and keeps the members that it lists",
			Why: "a rename is a PUT of the whole group", Fix: "update displayName and the set of members",
			Run: func(s *Session) {
				u := s.user("cr", nil)
				g := s.group("cr", u.ID)
				next := s.name("renamed")
				x := s.putGroup(g, next, true, u.ID)
				s.againIs(x, g, "displayName", next, "after the PUT")
				s.members(g, "after the PUT", u.ID)
			}},
		{Name: "group-get-put", Rule: "R-64", Ref: "O-OBS", Title: "the server's own representation of a group can be PUT back",
			Why: "custom apps read the group and send it back with id and meta", Fix: "ignore read-only attributes in a PUT",
			Run: func(s *Session) {
				us := s.users(2)
				g := s.group("cg", us[0].ID)
				body := clone(s.again(g).object())
				body["members"] = refs(us[0].ID, us[1].ID)
				s.put(g.Path, body).status(200)
				s.members(g, "after the PUT", us[0].ID, us[1].ID)
			}},
	}
}

// putGroup sends a whole group, with or without its id.
func (s *Session) putGroup(g created, name string, withID bool, members ...string) *Exchange {
	body := Object{"schemas": list(groupSchema), "displayName": name, "members": refs(members...)}
	if withID {
		body["id"] = g.ID
	}
	x := s.put(g.Path, body)
	if x.Response.Status != 204 {
		x.status(200)
	}
	return x
}
