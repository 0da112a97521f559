package main

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver
)

// bareSQLite is modernc through database/sql: one connection that writes, because SQLite has one writer, and a
// connection per worker that reads.
type bareSQLite struct {
	mu     sync.Mutex // of the writer
	writer *sql.DB
	reader *sql.DB
	stmts  sync.Map // prepared statements by pool and text
}

// openBareSQLite opens dir/provost.db durably: WAL, synchronous FULL.
func openBareSQLite(dir string) (*bareSQLite, error) {
	open := func(conns int) (*sql.DB, error) {
		q := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
			"foreign_keys(1)", "cache_size(-32768)", "wal_autocheckpoint(8000)"}}
		abs, err := filepath.Abs(filepath.Join(dir, "provost.db"))
		if err != nil {
			return nil, err
		}
		db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String())
		if err == nil {
			db.SetMaxOpenConns(conns)
			db.SetMaxIdleConns(conns)
		}
		return db, err
	}
	w, err := open(1)
	if err != nil {
		return nil, err
	}
	r, err := open(workers)
	return &bareSQLite{writer: w, reader: r}, err
}

func (b *bareSQLite) prepared(ctx context.Context, db *sql.DB, text string) (*sql.Stmt, error) {
	type key struct {
		db   *sql.DB
		text string
	}
	k := key{db, text}
	if s, ok := b.stmts.Load(k); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := db.PrepareContext(ctx, text)
	if err == nil {
		b.stmts.Store(k, s)
	}
	return s, err
}

func (b *bareSQLite) write(ctx context.Context, _ int, batch []stmt) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	ready := make([]*sql.Stmt, len(batch))
	for i, s := range batch {
		var err error
		if ready[i], err = b.prepared(ctx, b.writer, s.sql); err != nil {
			return err
		}
	}
	tx, err := b.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for i, s := range batch {
		if _, err := tx.StmtContext(ctx, ready[i]).ExecContext(ctx, s.args...); err != nil {
			_ = tx.Rollback() // the first error counts
			return err
		}
	}
	return tx.Commit()
}

func (b *bareSQLite) docs(ctx context.Context, _ int, s stmt, each func(d *doc)) (int, error) {
	p, err := b.prepared(ctx, b.reader, s.sql)
	if err != nil {
		return 0, err
	}
	rows, err := p.QueryContext(ctx, s.args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var d doc
		if err := rows.Scan(&d.id, &d.doc, &d.version, &d.created, &d.modified, &d.external); err != nil {
			return n, err
		}
		each(&d)
		n++
	}
	return n, rows.Err()
}

func (b *bareSQLite) all(ctx context.Context, s stmt) ([]string, [][]any, error) {
	rows, err := b.reader.QueryContext(ctx, s.sql, s.args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, nil, err
	}
	var out [][]any
	for rows.Next() {
		row, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, nil, err
		}
		out = append(out, row)
	}
	return columns, out, rows.Err()
}

func (b *bareSQLite) close() {
	b.writer.Close()
	b.reader.Close()
}
