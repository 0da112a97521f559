package store

import (
	"context"
	"encoding/json"

	"github.com/provost-scim/provost/audit"
)

// Events implements directory.History. An event of a transaction that still runs is not shown, nor is any that
// comes behind it, so a reader that continues behind the last event it saw misses none.
func (t *Tenant) Events(ctx context.Context, typ, id string, after int64, limit int) ([]audit.Event, error) {
	a := args{}
	where := "tenant = " + a.add(t.id) + " and seq > " + a.add(after) + t.db.d.settled()
	return t.events(ctx, a, where, typ, id, "seq", limit)
}

// RecentEvents returns at most limit events, newest first, before sequence number before; 0 begins with the
// newest. Empty typ and id mean all.
func (t *Tenant) RecentEvents(ctx context.Context, typ, id string, before int64, limit int) ([]audit.Event, error) {
	a := args{}
	where := "tenant = " + a.add(t.id)
	if before > 0 {
		where += " and seq < " + a.add(before)
	}
	return t.events(ctx, a, where, typ, id, "seq desc", limit)
}

func (t *Tenant) events(ctx context.Context, a args, where, typ, id, order string, limit int) ([]audit.Event, error) {
	if id != "" {
		if !storable(id) {
			return nil, nil
		}
		where += " and rid = " + a.add(id)
	}
	if typ != "" {
		where += " and rtype = " + a.add(typ)
	}
	var out []audit.Event
	err := t.do(ctx, stmt{
		sql: "select seq, at, actor_kind, actor_id, actor_name, request, action, rtype, rid, name, version, diff from change where " +
			where + " order by " + order + " limit " + a.add(limit),
		args: a.list,
		each: func(scan func(...any) error) error {
			var e audit.Event
			var at int64
			var diff *string
			err := scan(&e.Seq, &at, &e.Actor.Kind, &e.Actor.ID, &e.Actor.Name, &e.Actor.Request, &e.Action, &e.Type, &e.ID,
				&e.Name, &e.Version, &diff)
			e.Time = fromMicros(at)
			if diff != nil {
				e.Change = json.RawMessage(*diff)
			}
			out = append(out, e)
			return err
		},
	})
	return out, err
}

// setClock keeps the sequence numbers of the change log growing after the data was brought from another
// PostgreSQL, whose transaction ids were ahead of this one's.
func (db *DB) setClock(ctx context.Context) error {
	if !db.d.postgres {
		return nil
	}
	return db.fault(db.e.once(ctx, stmt{
		sql: "update clock set base = m.top from (select max((select max(seq) from change c where c.tenant = t.id)) as top from (select id from tenant union all select 0) t) m" +
			" where m.top >= clock.base + (pg_snapshot_xmax(pg_current_snapshot())::text::bigint << " + seqShift + ")",
	}))
}
