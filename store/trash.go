package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// Deleted implements directory.Trash.
func (t *Tenant) Deleted(ctx context.Context, typ string, limit int) ([]directory.Tombstone, error) {
	var out []directory.Tombstone
	err := t.do(ctx, stmt{
		sql: "select id, display, coalesce(uniq, ''), deleted, purge from trash where tenant = $1 and rtype = $2" +
			" order by deleted desc, id desc limit $3",
		args: []any{t.id, typ, limit},
		each: func(scan func(...any) error) error {
			d := directory.Tombstone{Type: typ}
			var deleted, purge int64
			err := scan(&d.ID, &d.Display, &d.Unique, &deleted, &purge)
			d.Deleted, d.Purge = time.UnixMilli(deleted).UTC(), time.UnixMilli(purge).UTC()
			out = append(out, d)
			return err
		},
	})
	return out, err
}

// Undelete implements directory.Trash. A membership comes back if both sides exist and no circle of groups
// would arise.
func (t *Tenant) Undelete(ctx context.Context, typ, id string, e audit.Event) (directory.Record, error) {
	var rec directory.Record
	if !storable(id) {
		return rec, notFound(typ, scim.Quote(id))
	}
	err := t.joined(ctx, func(t *Tenant) error {
		r, k, err := t.fromTrash(ctx, typ, id)
		if err != nil {
			return err
		}
		now := t.db.now()
		r.version++
		r.modified = now.UnixMilli()
		e.Version = r.version
		batch := []stmt{t.insertStmt(r), {sql: "delete from trash where tenant = $1 and rtype = $2 and id = $3", args: []any{t.id, typ, id}}}
		batch = t.attrStmts(batch, typ, id, k.index)
		batch = t.eventStmts(batch, t.tx, []audit.Event{e})
		unique := map[string]string{}
		if r.uniq != nil {
			unique[map[string]string{userType: "userName", groupType: "displayName"}[typ]] = *r.uniq
		}
		if err := t.conflict(t.tx.c.do(ctx, batch...), unique); err != nil {
			return err
		}
		t.tx.count(t.id, typ, 1)
		if err := t.rejoin(ctx, id, k, e.Actor, now); err != nil {
			return err
		}
		rec, err = t.Get(ctx, typ, id, directory.Load{Members: true, Groups: true})
		return err
	})
	return rec, err
}

func (t *Tenant) fromTrash(ctx context.Context, typ, id string) (r resourceRow, k kept, err error) {
	r = resourceRow{typ: typ, id: id}
	found := false
	var index, members string
	err = t.do(ctx, stmt{
		sql: "select uniq, display, active, external, created, version, doc, attrs, members from trash" +
			" where tenant = $1 and rtype = $2 and id = $3" + t.db.d.lock(),
		args: []any{t.id, typ, id},
		each: func(scan func(...any) error) error {
			found = true
			var active int
			err := scan(&r.uniq, &r.display, &active, &r.external, &r.created, &r.version, &r.doc, &index, &members)
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
	var both [2][]string
	if err := json.Unmarshal([]byte(index), &k.index); err != nil {
		return r, k, fmt.Errorf("trash of %s: %w", id, err)
	}
	if err := json.Unmarshal([]byte(members), &both); err != nil {
		return r, k, fmt.Errorf("trash of %s: %w", id, err)
	}
	k.groups, k.members = both[0], both[1]
	return r, k, nil
}

// rejoin restores memberships in both directions.
func (t *Tenant) rejoin(ctx context.Context, id string, k kept, actor audit.Actor, now time.Time) error {
	known, err := t.find(ctx, append(append([]string(nil), k.groups...), k.members...))
	if err != nil {
		return err
	}
	var members, groups []string
	for _, m := range k.members {
		if _, ok := known[m]; ok {
			members = append(members, m)
		}
	}
	if len(members) > 0 {
		if _, _, err := t.AddMembers(ctx, id, members); err != nil {
			return err
		}
	}
	below, err := t.below(ctx, id)
	if err != nil {
		return err
	}
	for _, g := range k.groups {
		if known[g].Type == groupType && g != id && !below[g] {
			groups = append(groups, g)
		}
	}
	changed, err := t.touchGroups(ctx, groups, now)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if _, _, err := t.AddMembers(ctx, g, []string{id}); err != nil {
			return err
		}
	}
	return t.db.fault(t.tx.c.do(ctx, t.eventStmts([]stmt{}, t.tx, groupEvents(changed, actor, audit.AddMembers, id))...))
}

// below returns the groups that a group holds, directly or not.
func (t *Tenant) below(ctx context.Context, group string) (map[string]bool, error) {
	out := map[string]bool{}
	return out, t.do(ctx, stmt{
		sql: "with recursive down (gid) as (select mid from member where tenant = $1 and gid = $2 and mtype = '" + groupType + "'" +
			" union select m.mid from down join member m on m.tenant = $3 and m.gid = down.gid and m.mtype = '" + groupType + "')" +
			" select gid from down",
		args: []any{t.id, group, t.id},
		each: func(scan func(...any) error) error {
			var g string
			err := scan(&g)
			out[g] = true
			return err
		},
	})
}
