package store

import (
	"context"

	"github.com/provost-scim/provost/scim"
)

// The members of a group are users and groups (RFC 7643 §4.2).
const memberTypes = "('" + userType + "', '" + groupType + "')"

// AddMembers implements directory.Store.
func (t *Tenant) AddMembers(ctx context.Context, group string, ids []string) (added []scim.Ref, missing []string, err error) {
	err = t.joined(ctx, func(t *Tenant) error {
		added, missing = nil, nil
		known, err := t.find(ctx, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, ok := known[id]; !ok {
				missing = append(missing, id)
			}
		}
		if len(missing) > 0 || len(ids) == 0 {
			return nil
		}
		return t.db.fault(t.tx.c.do(ctx, stmt{
			// In the order of ids, so that two such statements cannot wait for each other in a circle.
			sql: "insert into member (tenant, gid, mid, mtype) select r.tenant, g.id, r.id, r.rtype from resource g, resource r" +
				" where g.tenant = $1 and g.rtype = '" + groupType + "' and g.id = $2 and r.tenant = $3 and r.rtype in " + memberTypes +
				" and " + t.db.d.in("r.id", "$4") + " order by r.id on conflict do nothing returning mid",
			args: []any{t.id, group, t.id, t.db.d.list(ids)},
			each: func(scan func(...any) error) error {
				var id string
				if err := scan(&id); err != nil {
					return err
				}
				added = append(added, known[id])
				return nil
			},
		}))
	})
	return added, missing, err
}

// find returns those of ids that can be members.
func (t *Tenant) find(ctx context.Context, ids []string) (map[string]scim.Ref, error) {
	known := make(map[string]scim.Ref, len(ids))
	if ids = storables(ids); len(ids) == 0 {
		return known, nil
	}
	return known, t.do(ctx, stmt{
		sql:  "select id, rtype, display from resource where tenant = $1 and rtype in " + memberTypes + " and " + t.db.d.in("id", "$2"),
		args: []any{t.id, t.db.d.list(ids)},
		each: func(scan func(...any) error) error {
			var m scim.Ref
			if err := scan(&m.Value, &m.Type, &m.Display); err != nil {
				return err
			}
			known[m.Value] = m
			return nil
		},
	})
}

func storables(ids []string) []string {
	for i, id := range ids {
		if !storable(id) {
			kept := append([]string(nil), ids[:i]...)
			for _, id := range ids[i+1:] {
				if storable(id) {
					kept = append(kept, id)
				}
			}
			return kept
		}
	}
	return ids
}

// RemoveMembers implements directory.Store. The display names of the removed are not loaded.
func (t *Tenant) RemoveMembers(ctx context.Context, group string, ids []string) (removed []scim.Ref, err error) {
	s := stmt{sql: "delete from member where tenant = $1 and gid = $2", args: []any{t.id, group}}
	if ids != nil {
		if ids = storables(ids); len(ids) == 0 {
			return nil, nil
		}
		s.sql += " and " + t.db.d.in("mid", "$3")
		s.args = append(s.args, t.db.d.list(ids))
	}
	s.sql += " returning mid, mtype"
	s.each = func(scan func(...any) error) error {
		var m scim.Ref
		if err := scan(&m.Value, &m.Type); err != nil {
			return err
		}
		removed = append(removed, m)
		return nil
	}
	err = t.joined(ctx, func(t *Tenant) error {
		removed = nil
		return t.db.fault(t.tx.c.do(ctx, s))
	})
	return removed, err
}

// GroupsOf implements directory.Store.
func (t *Tenant) GroupsOf(ctx context.Context, ids []string) (map[string][]scim.Ref, error) {
	out := map[string][]scim.Ref{}
	if ids = storables(ids); len(ids) == 0 {
		return out, nil
	}
	return out, t.do(ctx, stmt{
		sql: "select m.mid, m.gid, 'direct', g.display from member m" +
			t.db.d.lookup("resource", "g", "g.tenant = m.tenant and g.rtype = m.gtype and g.id = m.gid") +
			" where m.tenant = $1 and " + t.db.d.in("m.mid", "$2") + " order by m.mid, m.gid",
		args: []any{t.id, t.db.d.list(ids)},
		each: refs(func(of string, g scim.Ref) { out[of] = append(out[of], g) }),
	})
}

// membersStmt reads the members of groups, by group and id.
func (t *Tenant) membersStmt(groups []string, to func(group string, m scim.Ref)) stmt {
	return stmt{
		sql: "select m.gid, m.mid, m.mtype, r.display from member m" +
			t.db.d.lookup("resource", "r", "r.tenant = m.tenant and r.rtype = m.mtype and r.id = m.mid") +
			" where m.tenant = $1 and " + t.db.d.in("m.gid", "$2") + " order by m.gid, m.mid",
		args: []any{t.id, t.db.d.list(groups)},
		each: refs(to),
	}
}

// memberFlag is an expression that says whether "resource r" is a member of any group, if that is wanted: most
// of the cost of a user's groups is saved where there are none.
func memberFlag(wanted bool) string {
	if !wanted {
		return "false"
	}
	return "exists (select 1 from member f where f.tenant = r.tenant and f.mid = r.id)"
}

// groupsStmt reads the direct and indirect groups of users, by user and group. A group that holds a user both
// ways is direct.
func (t *Tenant) groupsStmt(users []string, to func(user string, g scim.Ref)) stmt {
	return stmt{
		sql: "with recursive up (root, gid, way) as (" +
			"select mid, gid, 0 from member where tenant = $1 and " + t.db.d.in("mid", "$2") +
			" union select up.root, m.gid, 1 from up" + t.db.d.lookup("member", "m", "m.tenant = $3 and m.mid = up.gid") + ")" +
			" select u.root, u.gid, case u.way when 0 then 'direct' else 'indirect' end, g.display" +
			" from (select root, gid, min(way) as way from up group by root, gid) u" +
			t.db.d.lookup("resource", "g", "g.tenant = $4 and g.rtype = '"+groupType+"' and g.id = u.gid") + " order by u.root, u.gid",
		args: []any{t.id, t.db.d.list(users), t.id, t.id},
		each: refs(to),
	}
}

// refs scans rows of (owner, id, type, display).
func refs(to func(owner string, r scim.Ref)) func(scan func(...any) error) error {
	return func(scan func(...any) error) error {
		var owner string
		var r scim.Ref
		if err := scan(&owner, &r.Value, &r.Type, &r.Display); err != nil {
			return err
		}
		switch r.Type { // one copy of each for any number of rows
		case userType:
			r.Type = userType
		case groupType:
			r.Type = groupType
		case "direct":
			r.Type = "direct"
		case "indirect":
			r.Type = "indirect"
		}
		to(owner, r)
		return nil
	}
}
