// Package store keeps everything that Provost remembers, in a SQLite file or in PostgreSQL: one schema, one
// behaviour. It implements directory.Store, Trash and History for each tenant, access.Keeper and Accounts, and
// audit.RequestLog. It decides nothing about directories: it writes what it is given, whole or not at all.
package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
)

// QueryTimeout bounds one statement that reads on behalf of a client; beyond it the answer is
// directory.Exhausted.
const QueryTimeout = 10 * time.Second

// Options are how a database is opened. The zero value is usable.
type Options struct {
	Now      func() time.Time // time.Now if nil
	Log      *slog.Logger     // slog.Default() if nil
	PoolSize int              // PostgreSQL: connections of this node at most; 0 for 16
	Migrate  bool             // run pending migrations; without it a database with pending migrations is an error
	Inspect  bool             // open a database with pending migrations all the same, to ask for Migrations
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	e       engine
	d       *dialect
	now     func() time.Time
	log     *slog.Logger
	timeout time.Duration // QueryTimeout, but for tests
}

var (
	_ access.Keeper     = (*DB)(nil)
	_ access.Accounts   = (*DB)(nil)
	_ audit.RequestLog  = (*DB)(nil)
	_ directory.Store   = (*Tenant)(nil)
	_ directory.Trash   = (*Tenant)(nil)
	_ directory.History = (*Tenant)(nil)
)

// Open opens the database at where: a folder, in which SQLite keeps provost.db, or a URL postgres://….
func Open(ctx context.Context, where string, o Options) (*DB, error) {
	db := &DB{now: o.Now, log: o.Log, timeout: QueryTimeout}
	if db.now == nil {
		db.now = time.Now
	}
	if db.log == nil {
		db.log = slog.Default()
	}
	var err error
	if isPostgres(where) {
		db.e, err = openPostgres(ctx, where, o.PoolSize)
	} else {
		db.e, err = openSQLite(ctx, where)
	}
	if err != nil {
		return nil, err
	}
	db.d = db.e.dialect()
	if err := db.prepare(ctx, o); err != nil {
		db.e.close()
		return nil, err
	}
	return db, nil
}

func (db *DB) prepare(ctx context.Context, o Options) error {
	if o.Migrate {
		if err := db.Migrate(ctx); err != nil {
			return err
		}
	}
	ms, err := db.Migrations(ctx)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if !m.Applied && o.Inspect {
			return nil
		}
		if !m.Applied {
			return fmt.Errorf("the database lacks migration %s: run \"provost migrate up\"", m.Name)
		}
	}
	return db.setClock(ctx)
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.fault(db.e.ping(ctx)) }

// Close closes the database. Work that is under way fails.
func (db *DB) Close() error { return db.e.close() }

// Key returns the secret of that name: 32 random bytes, made on first use and the same for every node.
func (db *DB) Key(ctx context.Context, name string) ([]byte, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	err := db.e.once(ctx, stmt{sql: "insert into secret (name, value) values ($1, $2) on conflict do nothing", args: []any{name, key}})
	if err != nil {
		return nil, db.fault(err)
	}
	var stored []byte
	_, err = db.queryOne(ctx, "select value from secret where name = $1", []any{name}, &stored)
	return stored, err
}

// query runs one indexed read outside a transaction.
func (db *DB) query(ctx context.Context, sql string, args []any, each func(scan func(...any) error) error) error {
	c, done, err := db.e.reader(ctx, false)
	if err != nil {
		return db.fault(err)
	}
	defer done()
	return db.fault(c.do(ctx, stmt{sql: sql, args: args, each: each}))
}

func (db *DB) queryOne(ctx context.Context, sql string, args []any, dest ...any) (found bool, err error) {
	c, done, err := db.e.reader(ctx, false)
	if err != nil {
		return false, db.fault(err)
	}
	defer done()
	found, err = one(ctx, c, sql, args, dest...)
	return found, db.fault(err)
}

// micros is how times are stored outside resources; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
