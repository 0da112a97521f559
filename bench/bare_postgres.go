package main

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// barePostgres is pgx with one connection per worker; a write is one pipelined batch, which PostgreSQL runs as
// one transaction in one round trip.
type barePostgres struct {
	conns []*pgx.Conn
}

func openBarePostgres(ctx context.Context, url string) (*barePostgres, error) {
	b := &barePostgres{}
	for range workers {
		c, err := pgx.Connect(ctx, url)
		if err != nil {
			b.close()
			return nil, err
		}
		b.conns = append(b.conns, c)
	}
	return b, nil
}

func (b *barePostgres) write(ctx context.Context, worker int, batch []stmt) error {
	var p pgx.Batch
	for _, s := range batch {
		p.Queue(s.sql, s.args...)
	}
	return b.conns[worker].SendBatch(ctx, &p).Close()
}

func (b *barePostgres) docs(ctx context.Context, worker int, s stmt, each func(d *doc)) (int, error) {
	rows, err := b.conns[worker].Query(ctx, s.sql, s.args...)
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

func (b *barePostgres) all(ctx context.Context, s stmt) ([]string, [][]any, error) {
	rows, err := b.conns[0].Query(ctx, s.sql, s.args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	var columns []string
	for _, f := range rows.FieldDescriptions() {
		columns = append(columns, f.Name)
	}
	var out [][]any
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			return nil, nil, err
		}
		out = append(out, row)
	}
	return columns, out, rows.Err()
}

func (b *barePostgres) close() {
	for _, c := range b.conns {
		c.Close(context.Background())
	}
}
