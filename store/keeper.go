package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
)

// save runs a change of tenants, clients, tokens or accounts together with its event. A name that is taken is
// access.ErrExists.
func (db *DB) save(ctx context.Context, tenant int64, e *audit.Event, batch ...stmt) error {
	err := db.transact(ctx, func(s *txState) error {
		all := batch
		if e != nil {
			all = append(append([]stmt(nil), batch...), db.eventStmt(s, tenant, db.now().UnixMicro(), *e))
		}
		return s.c.do(ctx, all...)
	})
	return db.taken(err)
}

func (db *DB) taken(err error) error {
	if err == nil {
		return nil
	}
	if f := db.e.classify(err); f == faultUnique || f == faultPrimary {
		return fmt.Errorf("%w: %w", access.ErrExists, err)
	}
	return db.fault(err)
}

// CreateTenant implements access.Keeper.
func (db *DB) CreateTenant(ctx context.Context, t access.Tenant, e audit.Event) (access.Tenant, error) {
	err := db.transact(ctx, func(s *txState) error {
		_, err := one(ctx, s.c, "insert into tenant (name, display, created, disabled, settings) values ($1, $2, $3, $4, $5) returning id",
			[]any{t.Name, t.Display, micros(t.Created), flag(t.Disabled), jsonText(t.Settings)}, &t.ID)
		if err != nil {
			return err
		}
		return s.c.do(ctx, db.eventStmt(s, t.ID, db.now().UnixMicro(), e))
	})
	return t, db.taken(err)
}

// UpdateTenant implements access.Keeper.
func (db *DB) UpdateTenant(ctx context.Context, t access.Tenant, e audit.Event) error {
	err := db.transact(ctx, func(s *txState) error {
		var n int64
		err := s.c.do(ctx, stmt{
			sql:  "update tenant set name = $1, display = $2, disabled = $3, settings = $4 where id = $5",
			args: []any{t.Name, t.Display, flag(t.Disabled), jsonText(t.Settings), t.ID}, n: &n,
		})
		if err != nil {
			return err
		}
		if n == 0 {
			return access.ErrNotFound
		}
		return s.c.do(ctx, db.eventStmt(s, t.ID, db.now().UnixMicro(), e))
	})
	return db.taken(err)
}

// The tables that hold a tenant's rows, in the order in which they can be emptied.
var tenantTables = []string{"member", "attr", "resource", "counter", "trash", "change", "request", "schema_version"}

// removeRows is how many rows of a table one transaction removes.
const removeRows = 5000

// DeleteTenant implements access.Keeper. The tenant is gone at once; its rows are removed in steps that let
// others work, and Sweep finishes what was interrupted.
func (db *DB) DeleteTenant(ctx context.Context, id int64) error {
	err := db.transact(ctx, func(s *txState) error {
		var n int64
		if err := s.c.do(ctx, stmt{sql: "delete from tenant where id = $1", args: []any{id}, n: &n}); err != nil {
			return err
		}
		if n == 0 {
			return access.ErrNotFound
		}
		return s.c.do(ctx,
			stmt{sql: "delete from token where tenant = $1", args: []any{id}},
			stmt{sql: "delete from client where tenant = $1", args: []any{id}},
			stmt{sql: "delete from account where tenant = $1", args: []any{id}},
			stmt{sql: "insert into gone (tenant) values ($1) on conflict do nothing", args: []any{id}})
	})
	if err != nil {
		return db.fault(err)
	}
	return db.removeTenant(ctx, id)
}

func (db *DB) removeTenant(ctx context.Context, id int64) error {
	for _, table := range tenantTables {
		for {
			var n int64
			err := db.transact(ctx, func(s *txState) error {
				return s.c.do(ctx, stmt{sql: removeSQL(db.d, table), args: []any{id, removeRows, id}, n: &n})
			})
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
	}
	return db.fault(db.e.once(ctx, stmt{sql: "delete from gone where tenant = $1", args: []any{id}}))
}

// removeSQL removes some rows of a tenant.
func removeSQL(d *dialect, table string) string {
	key := map[string]string{"member": "gid, mid", "attr": "rtype, path, val, id, elem", "resource": "rtype, id", "counter": "rtype, slot",
		"trash": "rtype, id", "change": "seq", "request": "at, id", "schema_version": "version"}[table]
	return "delete from " + table + " where (tenant, " + key + ") in (select tenant, " + key + " from " + table +
		" where tenant = $1 limit $2) and tenant = $3"
}

const tenantColumns = "select id, name, display, created, disabled, settings from tenant"

func scanTenant(scan func(...any) error) (t access.Tenant, err error) {
	var created int64
	var disabled int
	var settings string
	if err := scan(&t.ID, &t.Name, &t.Display, &created, &disabled, &settings); err != nil {
		return t, err
	}
	t.Created, t.Disabled, t.Settings = fromMicros(created), disabled != 0, access.Defaults()
	return t, json.Unmarshal([]byte(settings), &t.Settings)
}

// Tenants implements access.Keeper.
func (db *DB) Tenants(ctx context.Context) ([]access.Tenant, error) {
	return collect(ctx, db, tenantColumns+" order by name", nil, scanTenant)
}

// Tenant implements access.Keeper.
func (db *DB) Tenant(ctx context.Context, name string) (access.Tenant, error) {
	if !storable(name) {
		return access.Tenant{}, access.ErrNotFound
	}
	return first(ctx, db, tenantColumns+" where name = $1", []any{name}, scanTenant)
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, db *DB, sql string, args []any, scanOne func(scan func(...any) error) (T, error)) ([]T, error) {
	var out []T
	err := db.query(ctx, sql, args, func(scan func(...any) error) error {
		v, err := scanOne(scan)
		out = append(out, v)
		return err
	})
	return out, err
}

// first reads one row; access.ErrNotFound if there is none.
func first[T any](ctx context.Context, db *DB, sql string, args []any, scanOne func(scan func(...any) error) (T, error)) (T, error) {
	out, err := collect(ctx, db, sql, args, scanOne)
	if err != nil || len(out) == 0 {
		var zero T
		if err == nil {
			err = access.ErrNotFound
		}
		return zero, err
	}
	return out[0], nil
}
