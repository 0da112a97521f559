package store

import (
	"context"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
)

// Swept says what a Sweep removed.
type Swept struct {
	Trash    int64 // deleted resources past their retention
	Requests int64 // entries of request logs past their days
	Tokens   int64 // issued tokens that expired
}

// Sweep removes what is past its time, in small transactions. Each resource that is gone for good leaves an
// event. Several nodes may sweep at the same time.
func (db *DB) Sweep(ctx context.Context, now time.Time) (Swept, error) {
	var s Swept
	var gone []int64
	err := db.query(ctx, "select tenant from gone", nil, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		gone = append(gone, id)
		return err
	})
	if err != nil {
		return s, err
	}
	for _, id := range gone {
		if err := db.removeTenant(ctx, id); err != nil {
			return s, err
		}
	}
	tenants, err := db.Tenants(ctx)
	if err != nil {
		return s, err
	}
	for _, t := range tenants {
		if err := db.sweepTrash(ctx, t.ID, now, &s.Trash); err != nil {
			return s, err
		}
		if err := db.sweepRequests(ctx, t, now, &s.Requests); err != nil {
			return s, err
		}
	}
	return s, db.repeat(ctx, &s.Tokens, "delete from token where id in (select id from token where kind = 'issued' and expires > 0 and expires < $1 limit $2)",
		now.UnixMicro(), removeRows)
}

// repeat runs a statement that removes some rows until it finds no more.
func (db *DB) repeat(ctx context.Context, total *int64, sql string, args ...any) error {
	for {
		var n int64
		err := db.transact(ctx, func(s *txState) error { return s.c.do(ctx, stmt{sql: sql, args: args, n: &n}) })
		*total += n
		if err != nil || n == 0 {
			return err
		}
	}
}

func (db *DB) sweepRequests(ctx context.Context, t access.Tenant, now time.Time, total *int64) error {
	return db.repeat(ctx, total, "delete from request where (tenant, at, id) in (select tenant, at, id from request where tenant = $1 and at < $2 limit $3)",
		t.ID, now.AddDate(0, 0, -t.Settings.LogDays).UnixNano(), removeRows)
}

// purgeRows is how many deleted resources one transaction purges.
const purgeRows = 500

func (db *DB) sweepTrash(ctx context.Context, tenant int64, now time.Time, total *int64) error {
	for {
		var purged []audit.Event
		err := db.transact(ctx, func(s *txState) error {
			purged = nil
			err := s.c.do(ctx, stmt{
				sql: "delete from trash where (tenant, rtype, id) in (select tenant, rtype, id from trash where tenant = $1 and purge <= $2 limit $3)" +
					" and tenant = $4 returning rtype, id, display, version",
				args: []any{tenant, now.UnixMilli(), purgeRows, tenant},
				each: func(scan func(...any) error) error {
					e := audit.Event{Actor: audit.Actor{Kind: "system"}, Action: audit.Purge}
					err := scan(&e.Type, &e.ID, &e.Name, &e.Version)
					purged = append(purged, e)
					return err
				},
			})
			if err != nil || len(purged) == 0 {
				return err
			}
			return s.c.do(ctx, db.Directory(tenant).eventStmts(nil, s, purged)...)
		})
		*total += int64(len(purged))
		if err != nil || len(purged) == 0 {
			return err
		}
	}
}
