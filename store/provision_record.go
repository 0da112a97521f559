package store

import (
	"context"
	"encoding/json"
	"math"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/provision"
)

var _ provision.State = (*DB)(nil)

// Status implements provision.Records.
func (db *DB) Status(ctx context.Context, channel int64) (provision.Status, error) {
	var st provision.Status
	var text string
	found, err := db.queryOne(ctx, "select status from channel where id = $1", []any{channel}, &text)
	if err == nil && !found {
		err = provision.ErrNotFound
	}
	if err != nil {
		return st, err
	}
	return st, json.Unmarshal([]byte(text), &st)
}

// SaveStatus implements provision.Records.
func (db *DB) SaveStatus(ctx context.Context, f provision.Fence, st provision.Status) error {
	return db.fenced(ctx, f, func(s *txState) error {
		return s.c.do(ctx, stmt{sql: "update channel set status = $1 where id = $2", args: []any{jsonText(st), f.Channel}})
	})
}

// Held implements provision.Records.
func (db *DB) Held(ctx context.Context, channel int64) ([]provision.Held, error) {
	return collect(ctx, db, heldColumns+" where channel = $1 order by kind desc, okey, verb", []any{channel}, scanHeld)
}

// Decide implements provision.Records.
func (db *DB) Decide(ctx context.Context, channel int64, keys []string, state provision.HoldState, e audit.Event) (int, error) {
	var n int64
	now := db.now().UnixMicro()
	err := db.configure(ctx, e, func(s *txState) error {
		n = 0
		a := args{}
		sql := "update held set state = " + a.add(string(state)) + ", decided = " + a.add(now) + ", by_whom = " + a.add(e.Actor.Name) +
			" where channel = " + a.add(channel)
		if keys == nil {
			sql += " and state = 'waiting'"
		} else {
			sql += " and " + db.d.in("okey", a.add(db.d.list(storables(keys))))
		}
		return s.c.do(ctx, stmt{sql: sql, args: a.list, n: &n},
			stmt{sql: "update dirty set retry = 0 where channel = $1 and okey in (select okey from held where channel = $2 and decided = $3)",
				args: []any{channel, channel, now}})
	})
	return int(n), err
}

// Entries implements provision.Records.
func (db *DB) Entries(ctx context.Context, channel int64, q provision.EntryQuery, before int64, limit int) ([]provision.Entry, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	a := args{}
	where := " where channel = " + a.add(channel) + " and seq < " + a.add(before)
	for _, c := range []struct{ column, value string }{{"okey", q.Key}, {"status", q.Status}, {"action", q.Action}} {
		if c.value == "" {
			continue
		}
		if !storable(c.value) {
			return nil, nil
		}
		where += " and " + c.column + " = " + a.add(c.value)
	}
	return collect(ctx, db, "select seq, at, cycle, entry from provisioning_log"+where+" order by seq desc limit "+a.add(limit), a.list,
		func(scan func(...any) error) (e provision.Entry, err error) {
			var seq, at, cycle int64
			var text string
			if err := scan(&seq, &at, &cycle, &text); err != nil {
				return e, err
			}
			err = json.Unmarshal([]byte(text), &e)
			e.Seq, e.Time, e.Cycle = seq, fromMicros(at), cycle
			return e, err
		})
}

// Reset implements provision.Records.
func (db *DB) Reset(ctx context.Context, channel int64, what provision.ResetWhat, e audit.Event) error {
	return db.configure(ctx, e, func(s *txState) error {
		switch what {
		case provision.ResetPosition:
			return changedOne(ctx, s, stmt{sql: "update channel set position = '{}' where id = $1", args: []any{channel}})
		case provision.ResetFailures:
			return resetFailures(ctx, s, channel)
		}
		var batch []stmt
		for _, table := range []string{"link", "link_member", "reference", "journal", "held"} {
			batch = append(batch, stmt{sql: "delete from " + table + " where channel = $1", args: []any{channel}})
		}
		batch = append(batch, stmt{sql: "insert into dirty (channel, kind, okey, reason, since) select channel, kind, okey, 'the ledger was reset', 0 from mirror" +
			" where channel = $1 on conflict do nothing", args: []any{channel}})
		return s.c.do(ctx, batch...)
	})
}

func resetFailures(ctx context.Context, s *txState, channel int64) error {
	var text string
	found, err := one(ctx, s.c, "select status from channel where id = $1", []any{channel}, &text)
	if err == nil && !found {
		err = provision.ErrNotFound
	}
	if err != nil {
		return err
	}
	var st provision.Status
	if err := json.Unmarshal([]byte(text), &st); err != nil {
		return err
	}
	st.Quarantine = nil
	return s.c.do(ctx, stmt{sql: "update dirty set attempts = 0, retry = 0 where channel = $1", args: []any{channel}},
		stmt{sql: "update channel set status = $1 where id = $2", args: []any{jsonText(st), channel}})
}
