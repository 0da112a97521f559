package verify

import "strings"

func entraGroups() []Case {
	return []Case{
		{Name: "group-create", Rule: "R-50", Ref: "E-DEV", Title: "a group is created without members, with Microsoft's second schema URI",
			Why: "the body of every group create names a private URI of Microsoft; a 400 stops all groups", Fix: "ignore unknown schema URIs", Run: groupCreate},
		{Name: "group-duplicate", Rule: "R-51", Ref: "V20", Title: "a second group of the same displayName is 409",
			Why: "Entra matches groups by name; with two of a name it stops with DuplicateTargetEntries",
			Fix: "unique key on the folded displayName, best as a setting of the tenant",
			Run: func(s *Session) {
				g := s.group("dup")
				s.conflict(s.post("/Groups", Object{"schemas": list(groupSchema), "displayName": g.Name, "externalId": s.guid()}), "the same displayName")
			}},
		{Name: "group-match", Rule: "R-52", Ref: "E-DEV", Title: "a group is found by displayName, without its members",
			Why: "not found, the group is created twice; sent with members, a large group makes the match time out",
			Fix: "make displayName filterable and honour excludedAttributes in lists",
			Run: func(s *Session) {
				s.decoy("/Groups")
				u := s.user("gm", nil)
				g := s.group("gm", u.ID)
				l := s.search("/Groups", eq("displayName", g.Name), "excludedAttributes", "members")
				if l.only("displayName eq", g.ID) {
					l.noKey("Resources[0].members")
				}
			}},
		{Name: "group-match-case", Rule: "R-52", Ref: "V18", Title: "a group is found by displayName in another case",
			Why: "the name of the source may change its case; Entra then creates the group again", Fix: "compare displayName without case",
			Run: func(s *Session) {
				g := s.group("gc")
				s.search("/Groups", eq("displayName", strings.ToUpper(g.Name))).only("displayName eq in upper case", g.ID)
			}},
		{Name: "group-match-external-id", Rule: "R-52", Ref: "E-DEV", Title: "a group is found by externalId",
			Why: "tenants that map objectId match by it", Fix: "store externalId of groups and make it filterable",
			Run: func(s *Session) {
				s.needGroups()
				ext := s.guid()
				x := s.make("/Groups", Object{"schemas": list(groupSchema), "displayName": s.name("ge"), "externalId": ext}, "")
				s.search("/Groups", eq("externalId", ext)).only("externalId eq", x.ID)
			}},
		{Name: "group-get-without-members", Rule: "R-54", Ref: "E-DEV, V14", Title: "excludedAttributes=members leaves members out of a read",
			Why: "Entra asks so on purpose; an answer with members can raise MultipleEntriesInResponse", Fix: "honour excludedAttributes for members",
			Run: func(s *Session) {
				u := s.user("gw", nil)
				g := s.group("gw", u.ID)
				s.get(g.Path + s.query("excludedAttributes", "members")).status(200).noKey("members")
			}},
		{Name: "group-members", Rule: "R-55", Ref: "E-DEV", Severity: Should, Title: "a read of a group shows its members",
			Why: "authentik and Okta's imports compare the members that they read", Fix: "return members by default",
			Run: func(s *Session) {
				u := s.user("gr", nil)
				g := s.group("gr", u.ID)
				x := s.again(g)
				x.want("members[0].value", u.ID)
			}},
		{Name: "group-rename", Rule: "R-62", Ref: "E-DEV", Title: "Replace displayName renames a group and keeps its members",
			Why: "if the members are lost, everybody in the group loses access; Entra sends members only when they change", Fix: "touch members only if the operation names them",
			Run: func(s *Session) { groupRename(s, func(n string) Object { return op("Replace", "displayName", n) }) }},
		{Name: "group-delete", Rule: "R-68", Ref: "E-DEV, RFC 7644 §3.6", Title: "a deleted group is 204, then 404, and its users survive",
			Why: "a group that stays keeps granting access; a user deleted with it is locked out", Fix: "delete the group and its memberships only",
			Run: func(s *Session) {
				u := s.user("gd", nil)
				g := s.group("gd", u.ID)
				deleteTwice(s, g, "displayName")
				x := s.get(u.Path)
				s.check(x.Response.Status == 200, x, "the member survives the group", x.describe())
			}},
	}
}

func groupCreate(s *Session) {
	s.needGroups()
	name, ext := s.name("g"), s.guid()
	x := s.createdOK(s.post("/Groups", Object{
		"schemas":    list(groupSchema, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"),
		"externalId": ext, "displayName": name, "meta": Object{"resourceType": "Group"},
	}))
	y := s.get(pathOf("/Groups", x.newID())).status(200)
	y.want("displayName", name)
	y.want("externalId", ext)
	y.absent("members")
}

// groupRename renames a group that has members with the operation and requires that they stay.
func groupRename(s *Session, o func(name string) Object) {
	us := s.users(2)
	g := s.group("old", us[0].ID, us[1].ID)
	s.members(g, "after it was created with two members", us[0].ID, us[1].ID)
	next := s.name("new")
	x := s.apply(g.Path, o(next))
	s.againIs(x, g, "displayName", next, "after the rename")
	s.members(g, "after the rename", us[0].ID, us[1].ID)
	s.search("/Groups", eq("displayName", next)).only("the new displayName", g.ID)
}

func entraMembers() []Case {
	removeWhy := "Entra removes a member by a list of values; read as a removal of members as a whole, one leaver empties the group"
	return []Case{
		{Name: "member-add", Rule: "R-56", Ref: "E-DEV", Title: "Add members adds one and then several, and keeps those who were there",
			Why: "members who are lost lose their access, and Entra does not send them again", Fix: "add to the set, ignore $ref null, display and unknown keys", Run: memberAdd},
		{Name: "member-add-again", Rule: "R-56", Ref: "E-DEV", Title: "Add of somebody who is a member already succeeds",
			Why: "Entra repeats an Add whose answer it lost; an error keeps the group in retry, a second entry breaks removals", Fix: "treat it as done, keep one entry", Run: memberAddAgain},
		{Name: "member-remove-values", Rule: "R-57", Ref: "E-COMPAT", Title: "Remove members with a list of one value removes that member alone",
			Why: removeWhy, Fix: "with a value, remove only the members it names", Run: func(s *Session) { memberRemove(s, 1) }},
		{Name: "member-remove-several", Rule: "R-57", Ref: "E-COMPAT", Title: "Remove members with a list of two values removes those two alone",
			Why: removeWhy, Fix: "with a value, remove only the members it names", Run: func(s *Session) { memberRemove(s, 2) }},
		{Name: "member-remove-stranger", Rule: "R-58", Ref: "RFC 7644 §3.5.2.2", Title: "Remove of somebody who is no member succeeds and changes nothing",
			Why: "a repeated removal that is an error keeps the group in retry for ever", Fix: "no change and 2xx if the value is not there",
			Run: func(s *Session) {
				us := s.users(2)
				g := s.group("rs", us[0].ID)
				x := s.patch(g.Path, op("Remove", "members", refs(us[1].ID)))
				s.check(x.ok(), x, "status 2xx for the removal of somebody who is no member", x.describe())
				s.members(g, "after the removal of somebody else", us[0].ID)
			}},
		{Name: "member-remove-all", Rule: "R-59", Ref: "E-REF", Severity: Should, Title: "Remove members without a value empties the group",
			Why: "the RFC's way to empty a group; ignored, everybody keeps access", Fix: "remove the attribute",
			Run: func(s *Session) {
				us := s.users(2)
				g := s.group("ra", us[0].ID, us[1].ID)
				s.apply(g.Path, op("Remove", "members", none))
				s.members(g, "after Remove of all members")
			}},
		{Name: "member-unknown", Rule: "R-65", Ref: "RFC 7644 §3.12", Severity: Should, Title: "Add of an unknown id is refused and leaves the group as it was",
			Why: "accepted in silence, the membership is lost without anybody knowing", Fix: "answer 400 invalidValue with the id, or 404", Run: memberUnknown},
		{Name: "member-bare-string", Rule: "R-56", Ref: "E-REF", Severity: Note, Title: `Add members ["id"] adds the member`,
			Why: "Microsoft's own collection sends bare strings and stray keys", Fix: `read "id" as {"value":"id"}`,
			Run: func(s *Session) {
				u := s.user("bs", nil)
				g := s.group("bs")
				s.apply(g.Path, op("Add", "members", list(u.ID)))
				s.members(g, "after Add of a bare string", u.ID)
			}},
		{Name: "member-answer", Rule: "R-69", Ref: "E-DEV", Severity: Note, Title: "a PATCH of members answers without the members",
			Why: "Microsoft recommends 204: with a large group the answer costs more than the change, and the request times out", Fix: "answer 204, or 200 with members only if attributes asks for them",
			Run: func(s *Session) {
				us := s.users(2)
				g := s.group("an", us[0].ID)
				s.apply(g.Path, op("Add", "members", refs(us[1].ID))).noKey("members")
			}},
		{Name: "member-delete-user", Rule: "R-42", Ref: "RFC 7644 §3.6", Severity: Should, Title: "a deleted user is no member any more",
			Why: "the id of somebody who is gone stays in the group; clients that compare members see a difference for ever", Fix: "delete memberships with the user",
			Run: func(s *Session) {
				us := s.users(2)
				g := s.group("du", us[0].ID, us[1].ID)
				s.delete(us[0].Path).success()
				s.members(g, "after one of two members was deleted", us[1].ID)
			}},
	}
}

func memberAdd(s *Session) {
	us := s.users(3)
	g := s.group("ma")
	entra := func(c created) Object { return Object{"$ref": nil, "value": c.ID} }
	x := s.patch(g.Path, op("Add", "members", list(entra(us[0])))).success()
	s.check(x.Response.Status == 204 || x.object() != nil, x, "204, or 200 with the group as body", x.describe())
	s.members(g, "after Add of one", us[0].ID)
	second := entra(us[1])
	second["display"] = "Ann Case"
	s.apply(g.Path, op("Add", "members", list(second, entra(us[2]))))
	s.members(g, "after Add of two more", us[0].ID, us[1].ID, us[2].ID)
}

func memberAddAgain(s *Session) {
	us := s.users(2)
	g := s.group("aa", us[0].ID, us[1].ID)
	x := s.patch(g.Path, op("Add", "members", refs(us[0].ID)))
	s.check(x.ok(), x, "status 2xx for a member who is there already", x.describe())
	s.members(g, "after Add of a member who is there already", us[0].ID, us[1].ID)
}

func memberRemove(s *Session, n int) {
	us := s.users(4)
	g := s.group("mr", us[0].ID, us[1].ID, us[2].ID, us[3].ID)
	var gone []any
	var stay []string
	for i, u := range us {
		if i < n {
			gone = append(gone, ref(u.ID))
		} else {
			stay = append(stay, u.ID)
		}
	}
	s.apply(g.Path, op("Remove", "members", gone))
	s.members(g, "after Remove of "+count(n, "member")+" by value", stay...)
}

func memberUnknown(s *Session) {
	u := s.user("mu", nil)
	g := s.group("mu", u.ID)
	x := s.patch(g.Path, op("Add", "members", refs(s.guid())))
	s.check(x.Response.Status == 400 || x.Response.Status == 404, x, "status 400 or 404 for a member who is not known", x.describe())
	s.members(g, "after Add of an unknown id", u.ID)
}
