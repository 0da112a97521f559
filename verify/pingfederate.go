package verify

import "slices"

// pingDialect is PingFederate's SCIM Provisioner.
var pingDialect = Dialect{ContentType: "application/scim+json", Accept: "application/scim+json"}

func pingPutProfile() Profile {
	return Profile{
		Name: "pingfederate-put", Client: "PingFederate", Dialect: pingDialect,
		About: "PingFederate's SCIM Provisioner with its defaults: users and groups by PUT, groups found by listing them all",
		Cases: slices.Concat(pingUsers(), pingGroups(), []Case{
			{Name: "group-put", Rule: "R-64", Ref: "P-SET", Title: "PUT of the whole group sets name and members",
				Why: "PingFederate overwrites the membership of the target with each change; members who should be gone keep access", Fix: "make the list of a PUT the whole membership",
				Run: func(s *Session) {
					us := s.users(3)
					g := s.group("pg", us[0].ID, us[1].ID)
					next := s.name("renamed")
					x := s.putGroup(g, next, false, us[1].ID, us[2].ID)
					s.againIs(x, g, "displayName", next, "after the PUT")
					s.members(g, "after the PUT", us[1].ID, us[2].ID)
				}},
			{Name: "group-put-empty", Rule: "R-64", Ref: "P-SET", Title: "PUT with an empty list empties the group",
				Why: "who left the directory group keeps access", Fix: "tell an empty list from an absent one",
				Run: func(s *Session) {
					us := s.users(2)
					g := s.group("pe", us[0].ID, us[1].ID)
					s.putGroup(g, g.Name, false)
					s.members(g, "after a PUT with members []")
				}},
			{Name: "group-put-body", Rule: "R-64", Ref: "RFC 7644 §3.5.1", Severity: Should, Title: "a PUT of a group answers 200 with the group",
				Why: "RFC 7644 requires it; Pocket ID and Okta read the answer", Fix: "answer 200 with the resource",
				Run: func(s *Session) {
					g := s.group("pb")
					x := s.putGroup(g, g.Name, false)
					x.want("id", g.ID)
					x.want("displayName", g.Name)
				}},
			{Name: "group-put-without-members", Rule: "R-64", Ref: "R-64", Severity: Note, Title: "a PUT of a group that does not mention members keeps them",
				Why: "a client that renames a group without sending its members would lock everybody out", Fix: "empty the group only for members []",
				Run: func(s *Session) {
					u := s.user("pw", nil)
					g := s.group("pw", u.ID)
					s.put(g.Path, Object{"schemas": list(groupSchema), "displayName": g.Name}).success()
					s.members(g, "after a PUT that does not mention members", u.ID)
				}},
		}),
	}
}

func pingPatchProfile() Profile {
	return Profile{
		Name: "pingfederate-patch", Client: "PingFederate with PATCH for groups", Dialect: pingDialect,
		About: "PingFederate's SCIM Provisioner with \"Use PATCH for Group Updates\": groups by PATCH, users by PUT",
		Cases: []Case{
			{Name: "list-groups", Rule: "R-53", Ref: "P-SET", Title: "all groups are found by listing them", Run: allGroups,
				Why: "PingFederate never filters groups: it lists all and compares names itself", Fix: "cap count, report itemsPerPage truthfully, make every page reachable"},
			{Name: "group-patch-name", Rule: "R-62", Ref: "P-SET", Title: "PATCH of displayName renames and keeps the members",
				Why: "lost members lose their access", Fix: "touch members only if the operation names them",
				Run: func(s *Session) { groupRename(s, func(n string) Object { return op("replace", "displayName", n) }) }},
			{Name: "group-patch-members", Rule: "R-60", Ref: "P-SET", Title: "PATCH replace members sets the membership",
				Why: "added to the old members, leavers keep access", Fix: "make the value the whole membership",
				Run: func(s *Session) {
					us := s.users(3)
					g := s.group("pp", us[0].ID, us[1].ID)
					s.apply(g.Path, op("replace", "members", refs(us[2].ID)))
					s.members(g, "after replace members", us[2].ID)
					s.apply(g.Path, op("replace", "members", list()))
					s.members(g, "after replace members []")
				}},
			{Name: "group-patch-delta", Rule: "R-63", Ref: "P-SET", Title: "PATCH adds and removes single members",
				Why: "with large groups only the difference is sent", Fix: "apply add and remove to the set",
				Run: func(s *Session) {
					us := s.users(3)
					g := s.group("pd", us[0].ID, us[1].ID)
					s.apply(g.Path, op("add", "members", refs(us[2].ID)))
					s.apply(g.Path, op("remove", `members[value eq "`+us[0].ID+`"]`, none))
					s.members(g, "after add and remove", us[1].ID, us[2].ID)
				}},
			{Name: "group-delete", Rule: "R-68", Ref: "P-SET", Title: "a deleted group is 204, then 404",
				Why: "groups that no filter matches any more are deleted for good", Fix: "delete the group and its memberships only",
				Run: func(s *Session) { deleteTwice(s, s.group("pd"), "displayName") }},
		},
	}
}

func pingGroups() []Case {
	return []Case{
		{Name: "list-groups", Rule: "R-53", Ref: "P-SET", Title: "all groups are found by listing them",
			Why: "PingFederate never filters groups: it lists all and compares names itself; a group that no page shows is created again", Fix: "cap count, report itemsPerPage truthfully, make every page reachable", Run: allGroups},
		{Name: "group-create", Rule: "R-49", Ref: "P-SET", Title: "a group is created with members and without externalId",
			Why: "this is PingFederate's create", Fix: "take members from a create",
			Run: func(s *Session) {
				s.needGroups()
				us := s.users(2)
				x := s.createdOK(s.post("/Groups", Object{"schemas": list(groupSchema), "displayName": s.name("pc"), "members": refs(us[0].ID, us[1].ID)}))
				s.members(created{ID: x.newID(), Path: pathOf("/Groups", x.newID())}, "after the create", us[0].ID, us[1].ID)
			}},
		{Name: "group-delete", Rule: "R-68", Ref: "P-SET", Title: "a deleted group is 204, then 404",
			Why: "groups that no filter matches any more are deleted for good", Fix: "delete the group and its memberships only",
			Run: func(s *Session) { deleteTwice(s, s.group("pd"), "displayName") }},
	}
}

// allGroups lists groups in the largest pages that the server allows and requires that a new one is among them.
func allGroups(s *Session) {
	g := s.group("all")
	seen := map[string]int{}
	total, start := -1, 1
	for start > 0 && len(seen) <= 100_000 {
		l := s.list(s.get("/Groups" + s.query("startIndex", orList([]int{start}), "count", "1000")))
		if total >= 0 {
			s.check(l.Total >= total || l.Total < 0, l.Exchange, "totalResults does not shrink between pages", "totalResults "+showTotal(l))
		}
		total = l.Total
		for _, id := range l.ids() {
			seen[id]++
		}
		if v, ok := l.value("itemsPerPage"); ok {
			s.check(integer(v) == len(l.Resources), l.Exchange, "itemsPerPage is the number of groups returned, "+show(len(l.Resources)), "itemsPerPage is "+show(v))
		}
		start += len(l.Resources)
		if len(l.Resources) == 0 || start > total {
			start = 0
		}
	}
	x := s.again(g)
	s.check(seen[g.ID] == 1, x, "the new group is on exactly one page of the list of "+count(total, "group"), "it was seen "+count(seen[g.ID], "time"))
}
