package store

import (
	"context"
	"database/sql"
	"sync"
)

// statements keeps prepared statements by their text, so that a filter of a shape that was seen is not parsed
// again.
type statements struct {
	prepare func(context.Context, string) (*sql.Stmt, error)
	mu      sync.Mutex
	m       map[string]*statement
}

type statement struct {
	*sql.Stmt
	users int
	kept  bool
}

// get returns the statement, prepared; put gives it back.
func (s *statements) get(ctx context.Context, text string) (*statement, error) {
	s.mu.Lock()
	if st := s.m[text]; st != nil {
		st.users++
		s.mu.Unlock()
		return st, nil
	}
	s.mu.Unlock()
	prepared, err := s.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	st := &statement{Stmt: prepared, users: 1}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[string]*statement{}
	}
	if len(s.m) >= maxStatements {
		s.evict()
	}
	if s.m[text] == nil && len(s.m) < maxStatements {
		s.m[text], st.kept = st, true
	}
	return st, nil
}

func (s *statements) put(st *statement) {
	s.mu.Lock()
	st.users--
	drop := !st.kept && st.users == 0
	s.mu.Unlock()
	if drop {
		st.Close()
	}
}

// evict makes room for one statement by closing any that nobody uses.
func (s *statements) evict() {
	for text, old := range s.m {
		if old.users == 0 {
			delete(s.m, text)
			old.Close()
			return
		}
	}
}

func (s *statements) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.m {
		st.Close()
	}
	s.m = nil
}

func runSQLite(ctx context.Context, stmts *statements, b stmt) error {
	st, err := stmts.get(ctx, b.sql)
	if err != nil {
		return err
	}
	defer stmts.put(st)
	if b.each == nil {
		res, err := st.ExecContext(ctx, b.args...)
		if err == nil && b.n != nil {
			*b.n, err = res.RowsAffected()
		}
		return err
	}
	rows, err := st.QueryContext(ctx, b.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := b.each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
