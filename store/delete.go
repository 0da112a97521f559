package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/scim"
)

// Delete implements directory.Store.
func (t *Tenant) Delete(ctx context.Context, typ, id string, expect int64, e audit.Event) error {
	if !storable(id) {
		return notFound(typ, scim.Quote(id))
	}
	return t.joined(ctx, func(t *Tenant) error { return t.delete(ctx, typ, id, expect, e) })
}

// kept is what the trash remembers of a resource beside its row.
type kept struct {
	groups  []string // groups that held it
	members []string // its own members
	index   []scim.IndexRow
}

func (t *Tenant) delete(ctx context.Context, typ, id string, expect int64, e audit.Event) error {
	r, k, err := t.lockForDelete(ctx, typ, id)
	if err != nil {
		return err
	}
	if r.version != expect {
		return stale(typ, id)
	}
	now := t.db.now()
	touched, err := t.touchGroups(ctx, k.groups, now)
	if err != nil {
		return err
	}
	purge, err := t.purgeTime(ctx, now)
	if err != nil {
		return err
	}
	batch := []stmt{
		{sql: "delete from member where tenant = $1 and mid = $2", args: []any{t.id, id}},
		{sql: "delete from member where tenant = $1 and gid = $2", args: []any{t.id, id}},
		{sql: "delete from attr where " + t.db.d.ofResource("attr", "$1", "$3", "$2"), args: []any{t.id, id, typ}},
		{sql: "delete from resource where tenant = $1 and rtype = $2 and id = $3", args: []any{t.id, typ, id}},
		{sql: "delete from trash where tenant = $1 and rtype = $2 and id = $3", args: []any{t.id, typ, id}},
		{
			sql: "insert into trash (tenant, rtype, id, uniq, display, active, external, created, modified, version, doc, attrs, members, deleted, purge)" +
				" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
			args: []any{t.id, typ, id, r.uniq, r.display, flag(r.active), r.external, r.created, r.modified, r.version, string(r.doc),
				jsonText(k.index), jsonText([2][]string{k.groups, k.members}), now.UnixMilli(), purge.UnixMilli()},
		},
	}
	batch = t.eventStmts(batch, t.tx, append([]audit.Event{e}, groupEvents(touched, e.Actor, audit.RemoveMembers, id)...))
	t.tx.count(t.id, typ, -1)
	return t.db.fault(t.tx.c.do(ctx, batch...))
}

// lockForDelete reads everything about a resource and keeps others from adding it to groups.
func (t *Tenant) lockForDelete(ctx context.Context, typ, id string) (r resourceRow, k kept, err error) {
	suffix := ""
	if t.db.d.postgres {
		suffix = " for update"
	}
	found := false
	r = resourceRow{typ: typ, id: id}
	err = t.do(ctx, stmt{
		sql: "select uniq, display, active, external, created, modified, version, doc from resource where tenant = $1 and rtype = $2 and id = $3" +
			suffix,
		args: []any{t.id, typ, id},
		each: func(scan func(...any) error) error {
			found = true
			var active int
			err := scan(&r.uniq, &r.display, &active, &r.external, &r.created, &r.modified, &r.version, &r.doc)
			r.active = active != 0
			return err
		},
	})
	if err == nil && !found {
		err = notFound(typ, id)
	}
	if err != nil {
		return r, k, err
	}
	// After the lock: what is read now cannot grow any more.
	err = t.do(ctx,
		t.indexStmt(typ, id, func(x scim.IndexRow) { k.index = append(k.index, x) }),
		idsStmt(&k.groups, "select gid from member where tenant = $1 and mid = $2 order by gid", t.id, id),
		idsStmt(&k.members, "select mid from member where tenant = $1 and gid = $2 order by mid", t.id, id))
	return r, k, err
}

func idsStmt(to *[]string, sql string, args ...any) stmt {
	return stmt{sql: sql, args: args, each: func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		*to = append(*to, id)
		return err
	}}
}

// touched is a group whose membership changed through a change of a member.
type touched struct {
	id, display string
	version     int64
}

// touchGroups gives groups a new version. It takes their locks in the order of ids.
func (t *Tenant) touchGroups(ctx context.Context, ids []string, now time.Time) (out []touched, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if t.db.d.postgres {
		var locked []string
		err := t.do(ctx, idsStmt(&locked, "select id from resource where tenant = $1 and rtype = '"+groupType+"' and "+
			t.db.d.in("id", "$2")+" order by id"+t.db.d.lock(), t.id, t.db.d.list(ids)))
		if err != nil {
			return nil, err
		}
	}
	return out, t.do(ctx, stmt{
		sql: "update resource set version = version + 1, modified = $1 where tenant = $2 and rtype = '" + groupType + "' and " +
			t.db.d.in("id", "$3") + " returning id, display, version",
		args: []any{now.UnixMilli(), t.id, t.db.d.list(ids)},
		each: func(scan func(...any) error) error {
			var g touched
			err := scan(&g.id, &g.display, &g.version)
			out = append(out, g)
			return err
		},
	})
}

// groupEvents are the entries for groups that lost or regained a member.
func groupEvents(groups []touched, actor audit.Actor, action, member string) []audit.Event {
	v := audit.Values{Added: []string{member}}
	if action == audit.RemoveMembers {
		v = audit.Values{Removed: []string{member}}
	}
	change := json.RawMessage(jsonText(audit.Diff{"members": v}))
	var out []audit.Event
	for _, g := range groups {
		out = append(out, audit.Event{Actor: actor, Action: action, Type: groupType, ID: g.id, Name: g.display, Version: g.version, Change: change})
	}
	return out
}

// purgeTime is when something deleted now is gone for good, by the tenant's settings.
func (t *Tenant) purgeTime(ctx context.Context, now time.Time) (time.Time, error) {
	days := access.Defaults().RetentionDays
	err := t.do(ctx, stmt{sql: "select settings from tenant where id = $1", args: []any{t.id}, each: func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		s := access.Defaults()
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return err
		}
		days = s.RetentionDays
		return nil
	}})
	return now.AddDate(0, 0, days), err
}
