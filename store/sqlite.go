package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

const (
	fileName = "provost.db"

	sqliteReaders     = 4     // connections for indexed reads
	sqliteScanners    = 2     // connections for reads that scan
	sqliteWriterCache = 32768 // KiB of page cache
	sqliteReaderCache = 8192
	sqliteBusy        = 10000 // ms to wait for another process
	sqliteCheckpoint  = 8000  // pages of write-ahead log before a checkpoint: random inserts touch few pages twice
	maxStatements     = 256   // prepared statements kept per pool
)

// sqliteEngine is a SQLite file: one connection that writes, a pool that reads.
type sqliteEngine struct {
	write chan *sqliteConn // holds the writer while it is free
	read  *statements
	scan  *statements
	dbs   []*sql.DB
	d     dialect
	path  string
}

func openSQLite(ctx context.Context, dir string) (*sqliteEngine, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	e := &sqliteEngine{write: make(chan *sqliteConn, 1), d: dialect{slots: 1}, path: filepath.Join(dir, fileName)}
	writer, err := e.pool(ctx, 1, sqliteWriterCache, false)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(e.path, 0o600); err != nil {
		e.close()
		return nil, fmt.Errorf("protect the database file: %w", err)
	}
	c, err := writer.Conn(ctx)
	if err != nil {
		e.close()
		return nil, fmt.Errorf("open %s: %w", e.path, err)
	}
	e.write <- &sqliteConn{conn: c, stmts: &statements{prepare: c.PrepareContext}}
	for _, p := range []struct {
		to **statements
		n  int
	}{{&e.read, sqliteReaders}, {&e.scan, sqliteScanners}} {
		db, err := e.pool(ctx, p.n, sqliteReaderCache, true)
		if err != nil {
			e.close()
			return nil, err
		}
		*p.to = &statements{prepare: db.PrepareContext}
	}
	return e, nil
}

func (e *sqliteEngine) pool(ctx context.Context, size, cache int, readOnly bool) (*sql.DB, error) {
	abs, err := filepath.Abs(e.path)
	if err != nil {
		return nil, err
	}
	q := url.Values{"_txlock": {"immediate"}}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", sqliteBusy))
	if readOnly {
		q.Add("_pragma", "query_only(1)")
		q.Set("_txlock", "deferred")
	} else {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "temp_store(MEMORY)") // what a savepoint needs to undo its part costs no file
	}
	q.Add("_pragma", "synchronous(FULL)")
	q.Add("_pragma", "foreign_keys(1)")
	q.Add("_pragma", fmt.Sprintf("cache_size(-%d)", cache))
	q.Add("_pragma", fmt.Sprintf("wal_autocheckpoint(%d)", sqliteCheckpoint))
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", e.path, err)
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	e.dbs = append(e.dbs, db)
	if err := db.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", e.path, err)
	}
	return db, nil
}

func (e *sqliteEngine) dialect() *dialect { return &e.d }

func (e *sqliteEngine) reader(_ context.Context, scan bool) (conn, func(), error) {
	if scan {
		return sqliteReader{e.scan}, func() {}, nil
	}
	return sqliteReader{e.read}, func() {}, nil
}

func (e *sqliteEngine) once(ctx context.Context, batch ...stmt) error {
	t, err := e.begin(ctx, true)
	if err != nil {
		return err
	}
	defer t.rollback()
	if err := t.do(ctx, batch...); err != nil {
		return err
	}
	return t.commit(ctx)
}

func (e *sqliteEngine) snapshot(ctx context.Context) (txConn, error) {
	c, err := e.dbs[len(e.dbs)-1].Conn(ctx)
	if err != nil {
		return nil, err
	}
	sc := &sqliteConn{conn: c, stmts: &statements{prepare: c.PrepareContext}}
	if err := sc.do(ctx, stmt{sql: "begin"}); err != nil {
		c.Close()
		return nil, err
	}
	return &sqliteTx{sqliteConn: sc, free: func() { sc.stmts.clear(); c.Close() }}, nil
}

func (e *sqliteEngine) ping(ctx context.Context) error {
	return sqliteReader{e.read}.do(ctx, stmt{sql: "select 1", each: func(scan func(...any) error) error { var n int; return scan(&n) }})
}

func (e *sqliteEngine) close() error {
	var errs []error
	select {
	case c := <-e.write:
		if c.shared != nil {
			c.end(c.do(context.Background(), stmt{sql: "commit"}))
		}
		c.stmts.clear()
		errs = append(errs, c.conn.Close())
	default: // in use, or never opened: closing the pool closes it
	}
	for _, s := range []*statements{e.read, e.scan} {
		if s != nil {
			s.clear()
		}
	}
	for i := len(e.dbs) - 1; i >= 0; i-- {
		errs = append(errs, e.dbs[i].Close())
	}
	return errors.Join(errs...)
}

// sqliteReader runs each statement on any connection of a pool. A context that can end costs a goroutine per
// statement, so it is passed on only if it has a deadline, as those of scans have.
type sqliteReader struct{ stmts *statements }

func (r sqliteReader) do(ctx context.Context, batch ...stmt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, b := range batch {
		if err := runSQLite(quick(ctx), r.stmts, b); err != nil {
			return err
		}
	}
	return nil
}

func quick(ctx context.Context) context.Context {
	if _, ok := ctx.Deadline(); ok {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// sqliteConn is one connection.
type sqliteConn struct {
	conn   *sql.Conn
	stmts  *statements
	shared *sharedTx // of the writer: the transaction that is open; nil if none is
}

func (c *sqliteConn) do(ctx context.Context, batch ...stmt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, b := range batch {
		if err := runSQLite(quick(ctx), c.stmts, b); err != nil {
			if len(batch) > 1 {
				return fmt.Errorf("statement %d: %w", i+1, err)
			}
			return err
		}
	}
	return nil
}

// sqliteTx is a transaction that reads.
type sqliteTx struct {
	*sqliteConn
	free func()
	done bool
}

func (t *sqliteTx) commit(ctx context.Context) error {
	if err := t.do(ctx, stmt{sql: "commit"}); err != nil {
		return err
	}
	t.done = true
	t.free()
	return nil
}

func (t *sqliteTx) rollback() {
	if t.done {
		return
	}
	t.done = true
	_ = t.do(context.Background(), stmt{sql: "rollback"}) // it has written nothing
	t.free()
}

// isPostgres says whether where names a PostgreSQL database and not a folder.
func isPostgres(where string) bool {
	return strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://")
}
