package store

import (
	"context"
	"time"

	"github.com/provost-scim/provost/provision"
)

// present is the present time as an expression in microseconds, and the arguments with what it takes. The nodes of a
// PostgreSQL share its clock; SQLite lives on one machine, whose clock this process reads. placeholder is the one behind
// args.
func (db *DB) present(placeholder string, args []any) (expression string, out []any) {
	if db.d.postgres {
		return "(extract(epoch from clock_timestamp()) * 1000000)::bigint", args
	}
	return "cast(" + placeholder + " as integer)", append(args, db.now().UnixMicro())
}

// Acquire implements provision.Leases.
func (db *DB) Acquire(ctx context.Context, channel int64, holder string, ttl time.Duration) (provision.Fence, error) {
	f := provision.Fence{Channel: channel}
	err := db.transact(ctx, func(s *txState) error {
		now, a := db.present("$2", []any{channel})
		var present int64
		var fence, expires int64
		found, err := one(ctx, s.c, "select fence, expires, "+now+" from lease where channel = $1"+db.forUpdate(), a, &fence, &expires, &present)
		if err != nil {
			return err
		}
		if !found {
			f.Token = 1
			now, a := db.present("$4", []any{channel, holder, ttl.Microseconds()})
			var n int64
			err := s.c.do(ctx, stmt{sql: "insert into lease (channel, fence, holder, expires) values ($1, 1, $2, " + now +
				" + $3) on conflict do nothing", args: a, n: &n})
			if err == nil && n == 0 {
				return provision.ErrHeld
			}
			return err
		}
		if expires > present {
			return provision.ErrHeld
		}
		f.Token = fence + 1
		return s.c.do(ctx, stmt{sql: "update lease set fence = $1, holder = $2, expires = $3 where channel = $4",
			args: []any{f.Token, holder, present + ttl.Microseconds(), channel}})
	})
	return f, err
}

// forUpdate keeps others from a row until the transaction ends.
func (db *DB) forUpdate() string {
	if db.d.postgres {
		return " for update"
	}
	return ""
}

// Renew implements provision.Leases.
func (db *DB) Renew(ctx context.Context, f provision.Fence, ttl time.Duration) error {
	return db.transact(ctx, func(s *txState) error {
		now, a := db.present("$4", []any{ttl.Microseconds(), f.Channel, f.Token})
		var n int64
		err := s.c.do(ctx, stmt{sql: "update lease set expires = $1 + " + now + " where channel = $2 and fence = $3", args: a, n: &n})
		if err == nil && n == 0 {
			return provision.ErrFenced
		}
		return err
	})
}

// Release implements provision.Leases.
func (db *DB) Release(ctx context.Context, f provision.Fence) error {
	return db.transact(ctx, func(s *txState) error {
		return s.c.do(ctx, stmt{sql: "update lease set expires = 0 where channel = $1 and fence = $2", args: []any{f.Channel, f.Token}})
	})
}

// fenced runs a transaction on behalf of the holder of a lease: ErrFenced if somebody took the lease over. The row of
// the lease is locked meanwhile, so nobody can take it over before the end.
func (db *DB) fenced(ctx context.Context, f provision.Fence, fn func(s *txState) error) error {
	return db.transact(ctx, func(s *txState) error {
		var n int64
		err := s.c.do(ctx, stmt{sql: "update lease set fence = fence where channel = $1 and fence = $2", args: []any{f.Channel, f.Token}, n: &n})
		if err != nil {
			return err
		}
		if n == 0 {
			return provision.ErrFenced
		}
		return fn(s)
	})
}
