package verify

// oktaGroups is group push: create empty, rename with each change, deltas, full pushes.
func oktaGroups() []Case {
	return []Case{
		{Name: "group-create", Rule: "R-49", Ref: "O-PROTO", Title: "a group is created with an empty list of members",
			Why: "the first step of every group push", Fix: "201 with the group and its id",
			Run: func(s *Session) {
				s.needGroups()
				name := s.name("og")
				x := s.createdOK(s.post("/Groups", Object{"schemas": list(groupSchema), "displayName": name, "members": list()}))
				x.want("displayName", name)
				x.absent("members")
			}},
		{Name: "group-find", Rule: "R-52", Ref: "O-PROTO", Title: "a group is found by displayName",
			Why: "Okta links to an existing group by name", Fix: "make displayName filterable",
			Run: func(s *Session) {
				s.decoy("/Groups")
				g := s.group("of")
				s.search("/Groups", eq("displayName", g.Name), "startIndex", "1", "count", "100").only("displayName eq", g.ID)
			}},
		{Name: "group-rename", Rule: "R-61", Ref: "O-PROTO, O-ISS", Title: `replace {"id":…,"displayName":…} without a path renames and keeps the members`,
			Why: "Okta sends this with every membership change; a 400 because of id stops the push, lost members lock a whole group out", Fix: "ignore id inside the value; touch members only if the operation names them",
			Run: func(s *Session) {
				us := s.users(2)
				g := s.group("or", us[0].ID, us[1].ID)
				next := s.name("renamed")
				x := s.apply(g.Path, op("replace", "", Object{"id": g.ID, "displayName": next}))
				s.againIs(x, g, "displayName", next, "after the rename")
				s.againIs(x, g, "id", g.ID, "after the rename")
				s.members(g, "after the rename", us[0].ID, us[1].ID)
			}},
		{Name: "member-delta", Rule: "R-63", Ref: "O-PROTO", Title: "one PATCH removes a member by filter and adds another",
			Why: "this is Okta's membership change; the filter form is ignored with 2xx by several servers, and leavers keep access", Fix: "apply both operations in order",
			Run: func(s *Session) {
				us := s.users(3)
				g := s.group("od", us[0].ID, us[1].ID)
				s.apply(g.Path,
					op("remove", `members[value eq "`+us[0].ID+`"]`, none),
					op("add", "members", list(Object{"value": us[2].ID, "display": "Ann Case"})))
				s.members(g, "after remove and add", us[1].ID, us[2].ID)
			}},
		{Name: "push-now", Rule: "R-60", Ref: "O-PROTO", Title: "replace members makes the list the whole membership",
			Why: "Push now repairs a group; added to the old members, leavers keep access", Fix: "make the value the whole membership",
			Run: func(s *Session) {
				us := s.users(4)
				g := s.group("op", us[0].ID, us[1].ID)
				s.apply(g.Path, op("replace", "members", refs(us[1].ID, us[2].ID, us[3].ID)))
				s.members(g, "after replace members", us[1].ID, us[2].ID, us[3].ID)
			}},
		{Name: "push-empty", Rule: "R-60", Ref: "O-PROTO, O-ISS", Title: "replace members [] empties the group",
			Why: "a group that was emptied in Okta keeps its members: a recurring bug with Push now", Fix: "tell an empty list from an absent value",
			Run: func(s *Session) {
				us := s.users(2)
				g := s.group("oe", us[0].ID, us[1].ID)
				s.apply(g.Path, op("replace", "members", list()))
				s.members(g, "after replace members []")
			}},
		{Name: "push-empty-no-path", Rule: "R-60", Ref: "O-ISS", Title: `replace {"members":[],"id":…,"displayName":…} without a path empties the group`,
			Why: "the older template pushes an empty group like this", Fix: "tell an empty list from an absent value, also without a path",
			Run: func(s *Session) {
				us := s.users(2)
				g := s.group("oe", us[0].ID, us[1].ID)
				s.apply(g.Path, op("replace", "", Object{"members": list(), "id": g.ID, "displayName": g.Name}))
				s.members(g, "after replace without a path")
			}},
		{Name: "push-list-no-path", Rule: "R-60", Ref: "O-ISS", Title: `replace {"members":[…]} without a path sets the members`,
			Why: "the older template pushes full lists like this", Fix: "make the value the whole membership",
			Run: func(s *Session) {
				us := s.users(3)
				g := s.group("on", us[0].ID)
				s.apply(g.Path, op("replace", "", Object{"members": refs(us[1].ID, us[2].ID)}))
				s.members(g, "after replace without a path", us[1].ID, us[2].ID)
			}},
		{Name: "group-delete", Rule: "R-68", Ref: "O-PROTO, O-PLAN", Title: "a deleted group is 204 and its users survive",
			Why: "unlink with delete must not lock the members out", Fix: "delete the group and its memberships only",
			Run: func(s *Session) {
				u := s.user("od", nil)
				g := s.group("od", u.ID)
				s.delete(g.Path).status(204)
				s.get(g.Path).status(404)
				s.get(u.Path).status(200)
			}},
	}
}
