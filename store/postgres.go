package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	defaultPool = 16 // connections of a node
	leastPool   = 4  // migrating takes more than one
	pgSlots     = 16 // counter slots: so many transactions count at the same time without waiting
)

// pgEngine is a PostgreSQL database.
type pgEngine struct {
	pool  *pgxpool.Pool
	scans chan struct{} // as many as reads may scan at the same time
	d     dialect
}

func openPostgres(ctx context.Context, where string, size int) (*pgEngine, error) {
	cfg, err := pgxpool.ParseConfig(where)
	if err != nil {
		return nil, errors.New("the database URL cannot be read: expected postgres://user@host:port/name?option=value")
	}
	if size <= 0 {
		size = defaultPool
	}
	cfg.MaxConns = int32(max(size, leastPool))
	cfg.MaxConnIdleTime = 5 * time.Minute
	p := cfg.ConnConfig.RuntimeParams
	p["timezone"] = "UTC"
	p["statement_timeout"] = strconv.FormatInt(QueryTimeout.Milliseconds(), 10)
	p["client_encoding"] = "UTF8"
	p["jit"] = "off" // compiling costs more than our statements
	if p["application_name"] == "" {
		p["application_name"] = "provost"
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return &pgEngine{pool: pool, scans: make(chan struct{}, max(1, size/4)), d: dialect{postgres: true, slots: pgSlots}}, nil
}

func (e *pgEngine) dialect() *dialect { return &e.d }

func (e *pgEngine) reader(ctx context.Context, scan bool) (conn, func(), error) {
	if !scan {
		return pgReader{e.pool}, func() {}, nil
	}
	select {
	case e.scans <- struct{}{}:
		return pgReader{e.pool}, func() { <-e.scans }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

func (e *pgEngine) once(ctx context.Context, batch ...stmt) error {
	return pgReader{e.pool}.do(ctx, batch...)
}

func (e *pgEngine) begin(ctx context.Context, _ bool) (txConn, error) {
	return e.start(ctx, "begin")
}

func (e *pgEngine) snapshot(ctx context.Context) (txConn, error) {
	t, err := e.start(ctx, "begin isolation level repeatable read read only")
	if err != nil {
		return nil, err
	}
	if err := t.do(ctx, stmt{sql: "set local statement_timeout = 0"}); err != nil {
		t.rollback()
		return nil, err
	}
	return t, nil
}

func (e *pgEngine) start(ctx context.Context, begin string) (*pgTx, error) {
	c, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return &pgTx{c: c, begin: begin}, nil
}

func (e *pgEngine) ping(ctx context.Context) error { return e.pool.Ping(ctx) }

func (e *pgEngine) close() error {
	e.pool.Close()
	return nil
}

// querier is what a pool and a connection have in common.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// pgReader runs a batch on any connection. PostgreSQL treats a pipelined batch as one transaction.
type pgReader struct{ q querier }

func (r pgReader) do(ctx context.Context, batch ...stmt) error { return pgDo(ctx, r.q, batch) }

func pgDo(ctx context.Context, q querier, batch []stmt) error {
	if len(batch) == 1 {
		rows, err := q.Query(ctx, batch[0].sql, batch[0].args...)
		if err != nil {
			return err
		}
		return drain(rows, batch[0])
	}
	b := &pgx.Batch{QueuedQueries: make([]*pgx.QueuedQuery, 0, len(batch))}
	for _, s := range batch {
		b.Queue(s.sql, s.args...)
	}
	res := q.SendBatch(ctx, b)
	for i, s := range batch {
		rows, err := res.Query()
		if err == nil {
			err = drain(rows, s)
		}
		if err != nil {
			_ = res.Close() // reports the same error
			return fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return res.Close()
}

func drain(rows pgx.Rows, s stmt) error {
	defer rows.Close()
	if s.each != nil {
		for rows.Next() {
			if err := s.each(rows.Scan); err != nil {
				return err
			}
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return err
	}
	if s.n != nil {
		*s.n = rows.CommandTag().RowsAffected()
	}
	return nil
}

// pgTx sends its BEGIN together with the first batch.
type pgTx struct {
	c     *pgxpool.Conn
	begin string
	done  bool
}

func (t *pgTx) do(ctx context.Context, batch ...stmt) error {
	if t.begin == "" {
		return pgDo(ctx, t.c, batch)
	}
	first := append([]stmt{{sql: t.begin}}, batch...)
	t.begin = ""
	return pgDo(ctx, t.c, first)
}

func (t *pgTx) commit(ctx context.Context) error {
	if t.begin == "" {
		tag, err := t.c.Exec(ctx, "commit")
		if err != nil {
			return err
		}
		if tag.String() != "COMMIT" {
			return errors.New("the transaction was rolled back: an error within it was not returned")
		}
	}
	t.done = true
	t.c.Release()
	return nil
}

func (t *pgTx) rollback() {
	if t.done {
		return
	}
	t.done = true
	if t.begin == "" && !t.c.Conn().IsClosed() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, _ = t.c.Exec(ctx, "rollback") // a connection that is not idle is dropped by Release
	}
	t.c.Release()
}

func (e *pgEngine) classify(err error) fault {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return classifyNet(err)
	}
	switch pe.Code {
	case "23505":
		if pe.ConstraintName == "resource_uniq" || pe.ConstraintName == "tenant_name" ||
			pe.ConstraintName == "client_name" || pe.ConstraintName == "account_name" {
			return faultUnique
		}
		return faultPrimary
	case "23503":
		return faultForeign
	case "40001", "40P01", "55P03":
		return faultRetry
	case "22012":
		return faultGuard
	case "57014":
		return faultTimeout
	case "22021", "22P05":
		return faultText
	case "57P01", "57P02", "57P03", "25006":
		return faultUnavailable
	}
	switch pe.Code[:2] {
	case "08", "53", "58":
		return faultUnavailable
	}
	return faultOther
}

func classifyNet(err error) fault {
	if errors.Is(err, context.DeadlineExceeded) {
		return faultTimeout
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return faultUnavailable
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return faultUnavailable
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		pgconn.SafeToRetry(err) {
		return faultUnavailable
	}
	return faultOther
}
