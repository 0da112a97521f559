package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/provision"
)

// configTenant is the log in which changes of sources and channels stand: they belong to no tenant.
const configTenant = 0

const sourceColumns = "select name, spec, created, modified, version from source"

func scanSource(scan func(...any) error) (s provision.Source, err error) {
	var spec string
	var created, modified int64
	err = scan(&s.Name, &spec, &created, &modified, &s.Version)
	s.Spec, s.Created, s.Modified = json.RawMessage(spec), fromMicros(created), fromMicros(modified)
	return s, err
}

// Sources implements provision.Configs; the list is by name.
func (db *DB) Sources(ctx context.Context) ([]provision.Source, error) {
	return collect(ctx, db, sourceColumns+" order by name", nil, scanSource)
}

// Source implements provision.Configs.
func (db *DB) Source(ctx context.Context, name string) (provision.Source, error) {
	return only(ctx, db, name, sourceColumns+" where name = $1", []any{name}, scanSource)
}

// only reads one row that is asked for by name; provision.ErrNotFound if there is none.
func only[T any](ctx context.Context, db *DB, name, sql string, args []any, scanOne func(scan func(...any) error) (T, error)) (T, error) {
	var zero T
	if !storable(name) {
		return zero, provision.ErrNotFound
	}
	out, err := collect(ctx, db, sql, args, scanOne)
	if err != nil {
		return zero, err
	}
	if len(out) == 0 {
		return zero, provision.ErrNotFound
	}
	return out[0], nil
}

// configure runs a change of sources and channels together with its event.
func (db *DB) configure(ctx context.Context, e audit.Event, fn func(s *txState) error) error {
	err := db.transact(ctx, func(s *txState) error {
		if err := fn(s); err != nil {
			return err
		}
		return s.c.do(ctx, db.eventStmt(s, configTenant, db.now().UnixMicro(), e))
	})
	if err != nil {
		if f := db.e.classify(err); f == faultUnique || f == faultPrimary {
			return fmt.Errorf("%w: %w", provision.ErrExists, err)
		}
	}
	return db.fault(err)
}

// SaveSource implements provision.Configs.
func (db *DB) SaveSource(ctx context.Context, v provision.Source, e audit.Event) error {
	now := db.now().UnixMicro()
	return db.configure(ctx, e, func(s *txState) error {
		if v.Version == 0 {
			return s.c.do(ctx, stmt{sql: "insert into source (name, spec, created, modified, version) values ($1, $2, $3, $4, 1)",
				args: []any{v.Name, string(v.Spec), now, now}})
		}
		return changedOne(ctx, s, stmt{sql: "update source set spec = $1, modified = $2, version = version + 1 where name = $3",
			args: []any{string(v.Spec), now, v.Name}})
	})
}

// changedOne runs a change that must meet a row.
func changedOne(ctx context.Context, s *txState, change stmt) error {
	var n int64
	change.n = &n
	if err := s.c.do(ctx, change); err != nil {
		return err
	}
	if n == 0 {
		return provision.ErrNotFound
	}
	return nil
}

// DeleteSource implements provision.Configs.
func (db *DB) DeleteSource(ctx context.Context, name string, e audit.Event) error {
	return db.configure(ctx, e, func(s *txState) error {
		var user string
		used, err := one(ctx, s.c, "select name from channel where source = $1 order by name limit 1", []any{name}, &user)
		if err != nil {
			return err
		}
		if used {
			return fmt.Errorf("channel %s reads it: %w", user, provision.ErrExists)
		}
		return changedOne(ctx, s, stmt{sql: "delete from source where name = $1", args: []any{name}})
	})
}

const channelColumns = "select id, name, spec, paused, created, modified, version from channel"

func scanChannel(scan func(...any) error) (c provision.Channel, err error) {
	var spec string
	var paused int
	var created, modified int64
	if err := scan(&c.ID, &c.Name, &spec, &paused, &created, &modified, &c.Version); err != nil {
		return c, err
	}
	c.Paused, c.Created, c.Modified = paused != 0, fromMicros(created), fromMicros(modified)
	return c, json.Unmarshal([]byte(spec), &c.Spec)
}

// Channels implements provision.Configs; the list is by name.
func (db *DB) Channels(ctx context.Context) ([]provision.Channel, error) {
	return collect(ctx, db, channelColumns+" order by name", nil, scanChannel)
}

// Channel implements provision.Configs.
func (db *DB) Channel(ctx context.Context, name string) (provision.Channel, error) {
	return only(ctx, db, name, channelColumns+" where name = $1", []any{name}, scanChannel)
}

// SaveChannel implements provision.Configs.
func (db *DB) SaveChannel(ctx context.Context, c provision.Channel, e audit.Event) (provision.Channel, error) {
	now := db.now().UnixMicro()
	err := db.configure(ctx, e, func(s *txState) error {
		if c.ID == 0 {
			_, err := one(ctx, s.c, "insert into channel (name, source, spec, paused, created, modified, version)"+
				" values ($1, $2, $3, $4, $5, $6, 1) returning id",
				[]any{c.Name, c.Spec.Source, jsonText(c.Spec), flag(c.Paused), now, now}, &c.ID)
			return err
		}
		return changedOne(ctx, s, stmt{
			sql:  "update channel set source = $1, spec = $2, paused = $3, modified = $4, version = version + 1 where id = $5",
			args: []any{c.Spec.Source, jsonText(c.Spec), flag(c.Paused), now, c.ID}})
	})
	return c, err
}

// The tables that hold what a channel remembers.
var channelTables = []string{"mirror", "mirror_member", "staged", "staged_member", "dirty", "link", "link_member", "reference",
	"journal", "held", "removal", "provisioning_log", "lease"}

// DeleteChannel implements provision.Configs.
func (db *DB) DeleteChannel(ctx context.Context, id int64, e audit.Event) error {
	return db.configure(ctx, e, func(s *txState) error {
		for _, table := range channelTables {
			if err := s.c.do(ctx, stmt{sql: "delete from " + table + " where channel = $1", args: []any{id}}); err != nil {
				return err
			}
		}
		return changedOne(ctx, s, stmt{sql: "delete from channel where id = $1", args: []any{id}})
	})
}
