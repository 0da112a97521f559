package verify

import "fmt"

func rfcGroups() []Case {
	const rule = "RFC 7644 §3.5.2"
	return []Case{
		rfc("group-members-shapes", "R-56", "members are added, removed by filter and by value, replaced and cleared", "members who should be gone keep access; those who should be there have none", patchFix, memberShapes),
		rfc("group-remove-and-add", "R-63", "remove and add of members in one request are applied in order", patchWhy, patchFix, func(s *Session) {
			us := s.users(3)
			g := s.group("ra", us[0].ID)
			s.apply(g.Path, op("remove", `members[value eq "`+us[0].ID+`"]`, none), op("add", "members", refs(us[1].ID, us[2].ID)), op("remove", `members[value eq "`+us[1].ID+`"]`, none))
			s.members(g, "after three operations", us[2].ID)
		}),
		rfc("group-rename-keeps-members", "R-62", "a rename keeps the members", "everybody in the group loses access", "touch members only if the operation names them", func(s *Session) {
			groupRename(s, func(n string) Object { return op("replace", "displayName", n) })
		}),
		rfc("group-put-set", "R-64", "a PUT sets exactly the members that it lists", "members who should be gone keep access", "make the list of a PUT the whole membership", func(s *Session) {
			us := s.users(3)
			g := s.group("ps", us[0].ID, us[1].ID)
			s.putGroup(g, g.Name, true, us[2].ID)
			s.members(g, "after the PUT", us[2].ID)
		}),
		should(rfc("group-unknown-member", "R-65", "a member who is not known is refused, by POST, PUT and PATCH", "accepted in silence, the membership is lost without anybody knowing", "answer 400 invalidValue with the id, or 404", func(s *Session) {
			u := s.user("um", nil)
			g := s.group("um", u.ID)
			for _, x := range []*Exchange{
				s.post("/Groups", Object{"schemas": list(groupSchema), "displayName": s.name("um"), "members": refs(s.guid())}),
				s.put(g.Path, Object{"schemas": list(groupSchema), "displayName": g.Name, "members": refs(s.guid())}),
				s.patch(g.Path, op("add", "members", refs(s.guid()))),
			} {
				s.check(x.Response.Status == 400 || x.Response.Status == 404, x, "status 400 or 404 for a member who is not known", x.describe())
			}
			s.members(g, "after the refused requests", u.ID)
		})),
		should(rfc("group-nested", "RFC 7643 §4.2", "a group can be a member of a group", "nested groups of the source are lost", "accept groups as members", func(s *Session) {
			inner := s.group("inner")
			outer := s.group("outer")
			x := s.patch(outer.Path, op("add", "members", list(Object{"value": inner.ID, "type": "Group"})))
			s.check(x.ok(), x, "status 2xx for a group as member", x.describe())
			s.members(outer, "after the add", inner.ID)
		})),
		should(rfc("user-groups", "RFC 7643 §4.1.2", "a user shows its groups, read-only", "clients that import see users without their groups", "derive groups of users from memberships", func(s *Session) {
			u := s.user("ug", nil)
			g := s.group("ug", u.ID)
			x := s.again(u)
			v, ok := x.value("groups[value=" + g.ID + "].value")
			s.check(ok && v == g.ID, x, "groups of the user has "+show(g.ID), showAt("groups", x.object()["groups"], x.object()["groups"] != nil))
			s.apply(g.Path, op("remove", `members[value eq "`+u.ID+`"]`, none))
			y := s.again(u)
			y.absent("groups")
		})),
		rfc("group-list-equals-get", "R-55", "a group has the same members in a list as in a read", "clients that compare lists remove or add members without need", "build both from the same data", func(s *Session) {
			us := s.users(3)
			g := s.group("le", us[0].ID, us[1].ID, us[2].ID)
			x := s.again(g)
			one, there := x.value("members")
			if !there {
				s.skip("the server sends no members by default")
			}
			l := s.search("/Groups", eq("displayName", g.Name))
			many, _ := l.value("Resources[0].members")
			a, _ := one.([]any)
			b, _ := many.([]any)
			s.check(len(a) == len(b), l.Exchange, fmt.Sprintf("%d members in the list, as in the read", len(a)), count(len(b), "member"))
		}),
		rfc("concurrent-members", rule, "members added at the same moment are all there afterwards", "members vanish while several workers of a client write to one group: the loudest complaint of the field", "change membership by rows, or compare the version inside the write", concurrentMembers),
		rfc("concurrent-create", "RFC 7644 §3.3", "of equal creates at the same moment exactly one succeeds", "two accounts for one person when a client repeats a slow request", "let a unique index decide, not a look before the write", concurrentCreate),
		rfc("member-gone-with-user", "RFC 7644 §3.6", "a deleted user is no member any more", "the id of somebody who is gone stays in the group", "delete memberships with the user", func(s *Session) {
			us := s.users(2)
			g := s.group("mg", us[0].ID, us[1].ID)
			s.delete(us[1].Path).success()
			s.members(g, "after one of two members was deleted", us[0].ID)
		}),
	}
}

func memberShapes(s *Session) {
	us := s.users(3)
	a, b, c := us[0].ID, us[1].ID, us[2].ID
	g := s.group("ms")
	steps := []struct {
		what string
		o    Object
		want []string
	}{
		{"after add of two", op("add", "members", refs(a, b)), []string{a, b}},
		{"after add of one more", op("add", "members", refs(c)), []string{a, b, c}},
		{"after add of one who is there", op("add", "members", refs(c)), []string{a, b, c}},
		{"after remove by filter", op("remove", `members[value eq "`+a+`"]`, none), []string{b, c}},
		{"after remove by filter of one who is not there", op("remove", `members[value eq "`+a+`"]`, none), []string{b, c}},
		{"after replace", op("replace", "members", refs(a, b)), []string{a, b}},
		{"after add without a path", op("add", "", Object{"members": refs(c)}), []string{a, b, c}},
		{"after replace without a path", op("replace", "", Object{"members": refs(b)}), []string{b}},
		{"after remove of all", op("remove", "members", none), nil},
	}
	for _, st := range steps {
		x := s.patch(g.Path, st.o)
		if !s.check(x.ok(), x, "status 2xx "+st.what, x.describe()) || !s.members(g, st.what, st.want...) {
			return
		}
	}
}

// concurrentMembers adds eight members with eight requests at once.
func concurrentMembers(s *Session) {
	us := s.users(8)
	g := s.group("cm")
	var calls []call
	var want []string
	for _, u := range us {
		want = append(want, u.ID)
		calls = append(calls, call{method: "PATCH", path: g.Path, body: Object{"schemas": list(patchMessage), "Operations": list(op("add", "members", refs(u.ID)))}})
	}
	for i, x := range s.parallel(calls) {
		if x.Response.Status == 409 || x.Response.Status == 412 || x.Response.Status == 429 || x.Response.Status == 503 {
			x = s.send(calls[i]) // refused for the moment: a client tries again
		}
		s.check(x.ok(), x, "status 2xx for each add, or a refusal that allows to try again", x.describe())
	}
	s.members(g, "after eight adds at the same moment", want...)
}

func concurrentCreate(s *Session) {
	name := s.mail("cc")
	calls := make([]call, 6)
	for i := range calls {
		calls[i] = call{method: "POST", path: "/Users", body: s.person(name, nil)}
	}
	made := 0
	var last *Exchange
	for _, x := range s.parallel(calls) {
		if x.Response.Status == 201 {
			made++
			last = x
		} else {
			s.check(x.Response.Status == 409 || x.Response.Status == 429 || x.Response.Status == 503, x, "status 409 for the losers", x.describe())
		}
	}
	s.check(made == 1, last, "exactly 1 create succeeds", show(made)+" succeeded")
	s.search("/Users", eq("userName", name)).only("the userName afterwards", idsOf(last)...)
}

func idsOf(x *Exchange) []string {
	if x == nil {
		return nil
	}
	return []string{x.newID()}
}
