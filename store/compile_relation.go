package store

import "github.com/provost-scim/provost/scim"

// The relations are tables: the members of a group are rows of member, the groups of a user the groups above it.

// members compares a part of the members of a group; sub is nil for "members pr".
func (c *compiler) members(f *scim.Compare, sub *scim.Attribute) clause {
	if sub == nil {
		return clause{pred: func() string { return c.member("true", false) }}
	}
	cl := clause{pred: func() string { return c.member(c.test(f, sub, memberColumn(sub)), sub.Name == "display") }}
	if id, ok := exactID(f, sub); ok {
		cl.rank = rankEq
		cl.set = func() string { return "select x.gid as id from member x where x.tenant = $1 and x.mid = " + c.text(id) }
	}
	return cl
}

// memberPath is members[…].
func (c *compiler) memberPath(f *scim.ValuePath) clause {
	cl := clause{pred: func() string {
		display := false
		cond := c.element(f.Filter, func(leaf *scim.Compare) string {
			display = display || leaf.Ref.Attr.Name == "display"
			return c.test(leaf, leaf.Ref.Attr, memberColumn(leaf.Ref.Attr))
		})
		return c.member(cond, display)
	}}
	for _, part := range elementConjuncts(f.Filter, nil) {
		if cmp, ok := part.(*scim.Compare); ok {
			if id, ok := exactID(cmp, cmp.Ref.Attr); ok {
				cl.rank, cl.recheck = rankEq, true
				cl.set = func() string { return "select x.gid as id from member x where x.tenant = $1 and x.mid = " + c.text(id) }
			}
		}
	}
	return cl
}

// member is a condition that the group r has a member m, with its resource d, for which cond holds.
func (c *compiler) member(cond string, display bool) string {
	join := ""
	if display {
		join = " join resource d on d.tenant = $1 and d.rtype = m.mtype and d.id = m.mid"
	}
	return "exists (select 1 from member m" + join + " where m.tenant = $1 and m.gid = r.id and " + cond + ")"
}

func memberColumn(sub *scim.Attribute) value {
	switch sub.Name {
	case "value":
		return column("m.mid")
	case "type":
		return column("m.mtype")
	case "display":
		return column("nullif(d.display, '')")
	}
	return column("cast(null as text)")
}

// exactID says whether a comparison asks for one id, which the index on member finds. Ids are case-exact; where
// an attribute is not, only a condition will do.
func exactID(f *scim.Compare, sub *scim.Attribute) (string, bool) {
	id, ok := f.Value.(string)
	return id, ok && f.Op == scim.Eq && sub.Name == "value" && sub.CaseExact && storable(id)
}

// groups compares a part of the groups of a user, direct and indirect; sub is nil for "groups pr".
func (c *compiler) groups(f *scim.Compare, sub *scim.Attribute) clause {
	if sub == nil {
		return clause{pred: func() string { return "exists (select 1 from member m where m.tenant = $1 and m.mid = r.id)" }}
	}
	cl := clause{pred: func() string { return c.above(c.test(f, sub, groupColumn(sub))) }}
	if id, ok := exactID(f, sub); ok {
		cl.rank = rankRange // a group can hold everybody
		cl.set = func() string { return c.belowSQL(id) }
	}
	return cl
}

// groupPath is groups[…].
func (c *compiler) groupPath(f *scim.ValuePath) clause {
	cl := clause{pred: func() string {
		return c.above(c.element(f.Filter, func(leaf *scim.Compare) string {
			return c.test(leaf, leaf.Ref.Attr, groupColumn(leaf.Ref.Attr))
		}))
	}}
	for _, part := range elementConjuncts(f.Filter, nil) {
		if cmp, ok := part.(*scim.Compare); ok {
			if id, ok := exactID(cmp, cmp.Ref.Attr); ok {
				cl.rank, cl.recheck = rankRange, true
				cl.set = func() string { return c.belowSQL(id) }
			}
		}
	}
	return cl
}

// above is a condition that one group above the user r matches cond, on u (gid, way) and its resource g.
func (c *compiler) above(cond string) string {
	return "exists (with recursive up (gid, way) as (select m.gid, 0 from member m where m.tenant = $1 and m.mid = r.id" +
		" union select m.gid, 1 from up join member m on m.tenant = $1 and m.mid = up.gid)" +
		" select 1 from (select gid, min(way) as way from up group by gid) u" +
		" join resource g on g.tenant = $1 and g.rtype = '" + groupType + "' and g.id = u.gid where " + cond + ")"
}

func groupColumn(sub *scim.Attribute) value {
	switch sub.Name {
	case "value":
		return column("u.gid")
	case "type":
		return column("(case u.way when 0 then 'direct' else 'indirect' end)")
	case "display":
		return column("nullif(g.display, '')")
	}
	return column("cast(null as text)")
}

// belowSQL finds everything that a group holds, directly or not.
func (c *compiler) belowSQL(group string) string {
	return "select w.id from (with recursive down (id) as (select m.mid from member m where m.tenant = $1 and m.gid = " + c.text(group) +
		" union select m.mid from down join member m on m.tenant = $1 and m.gid = down.id) select id from down) w"
}
