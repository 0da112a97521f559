package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

var errUndo = errors.New("undo")

// sharing is a SQLite store with many writers at the same time.
type sharing struct {
	t      *testing.T
	db     *DB
	tenant *Tenant
}

func newSharing(t *testing.T) *sharing {
	db, err := Open(t.Context(), t.TempDir(), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	tn, err := db.CreateTenant(t.Context(), access.Tenant{Name: "x", Created: time.Now()}, audit.Event{})
	if err != nil {
		t.Fatal(err)
	}
	return &sharing{t, db, db.Directory(tn.ID)}
}

func (s *sharing) insert(ctx context.Context, id, name string) error {
	return s.tenant.Insert(ctx, directory.Write{
		Record: directory.Record{Resource: scim.Resource{Type: userType, ID: id, Doc: fmt.Appendf(nil, `{"id":%q,"userName":%q}`, id, name), Meta: scim.Meta{Version: 1}}},
		Unique: map[string]string{"userName": name},
		Index:  []scim.IndexRow{{Path: "username", Value: name}},
		Events: []audit.Event{{Action: audit.Create, Type: userType, ID: id, Version: 1}},
	})
}

// check compares what is stored with the ids whose inserts were acknowledged.
func (s *sharing) check(acked map[string]bool) {
	s.t.Helper()
	for _, q := range []string{"select id from resource", "select id from attr", "select rid from change where action = 'create' and rtype = 'User'"} {
		found := map[string]bool{}
		err := s.db.query(s.t.Context(), q, nil, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			found[id] = true
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
		for id := range acked {
			if !found[id] {
				s.t.Errorf("%s: %s was acknowledged but is missing", q, id)
			}
		}
		for id := range found {
			if !acked[id] {
				s.t.Errorf("%s: %s is stored, but its writer was told otherwise", q, id)
			}
		}
	}
	if n, err := s.count(); err != nil || n != len(acked) {
		s.t.Errorf("counted %d, %v, want %d", n, err, len(acked))
	}
}

func (s *sharing) count() (int, error) {
	p, err := s.tenant.List(s.t.Context(), scim.Query{Targets: []scim.Target{{Type: userType}}, Total: true})
	return p.Total, err
}

// crowd runs op 40 times in each of 16 goroutines and collects the names for which it returned true.
func crowd(op func(worker, n int) (string, bool)) map[string]bool {
	var mu sync.Mutex
	var wg sync.WaitGroup
	acked := map[string]bool{}
	for w := range 16 {
		wg.Go(func() {
			for n := range 40 {
				if id, ok := op(w, n); ok {
					mu.Lock()
					acked[id] = true
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return acked
}

// TestShared_ConflictsUndoTheirPartAlone: of four writers that insert the same name at the same time one
// succeeds, and some give up before they start.
func TestShared_ConflictsUndoTheirPartAlone(t *testing.T) {
	s := newSharing(t)
	var conflicts, gaveUp atomic.Int64
	acked := crowd(func(w, n int) (string, bool) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if n%7 == 0 && w%4 == 3 {
			time.AfterFunc(time.Duration(w)*50*time.Microsecond, cancel)
		}
		id := fmt.Sprintf("id-%d-%d", w, n)
		if n%3 == 0 { // a part that fails after it has written
			err := s.tenant.joined(ctx, func(t *Tenant) error {
				in := *s
				in.tenant = t
				if err := in.insert(ctx, "undone-"+id, "undone-"+id); err != nil {
					return err
				}
				return errUndo
			})
			if !errors.Is(err, errUndo) && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		err := s.insert(ctx, id, fmt.Sprintf("name-%d-%d", w/4, n))
		switch {
		case directory.KindOf(err) == directory.Conflict:
			conflicts.Add(1)
		case errors.Is(err, context.Canceled):
			gaveUp.Add(1)
		case err != nil:
			t.Error(err)
		}
		return id, err == nil
	})
	s.check(acked)
	if len(acked) != 4*40 || conflicts.Load() == 0 {
		t.Errorf("%d of 160 names inserted, %d conflicts, %d gave up", len(acked), conflicts.Load(), gaveUp.Load())
	}
}

// TestShared_FullDiskFailsAllParts: when the database cannot grow, nobody whose insert is not stored is told
// that it was, and afterwards writing goes on.
func TestShared_FullDiskFailsAllParts(t *testing.T) {
	s := newSharing(t)
	s.limitPages("20")
	var refused atomic.Int64
	acked := crowd(func(w, n int) (string, bool) {
		id := fmt.Sprintf("id-%d-%d", w, n)
		err := s.insert(t.Context(), id, "name-"+id)
		if err != nil && directory.KindOf(err) != directory.Unavailable {
			t.Error(err)
		}
		if err != nil {
			refused.Add(1)
		}
		return id, err == nil
	})
	s.check(acked)
	if refused.Load() == 0 || len(acked) == 0 {
		t.Errorf("%d inserted, %d refused: want some of both", len(acked), refused.Load())
	}
	s.limitPages("1000000")
	if err := s.insert(t.Context(), "last", "last"); err != nil {
		t.Fatal(err)
	}
	acked["last"] = true
	s.check(acked)
}

// limitPages lets the database have so many pages more than the schema takes.
func (s *sharing) limitPages(more string) {
	s.t.Helper()
	e := s.db.e.(*sqliteEngine)
	c := <-e.write
	defer func() { e.write <- c }()
	var pages int
	read := func(scan func(...any) error) error { return scan(&pages) }
	if err := c.do(context.Background(), stmt{sql: "pragma page_count", each: read}); err != nil {
		s.t.Fatal(err)
	}
	var extra int
	fmt.Sscan(more, &extra)
	if err := c.do(context.Background(), stmt{sql: fmt.Sprintf("pragma max_page_count = %d", pages+extra), each: read}); err != nil {
		s.t.Fatal(err)
	}
}

// TestShared_WritersShareCommits: writers that wait together are committed together.
func TestShared_WritersShareCommits(t *testing.T) {
	s := newSharing(t)
	e := s.db.e.(*sqliteEngine)
	first, err := e.begin(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	shared := first.(*sqlitePart).shared
	acked := make(chan error, 5)
	for n := range cap(acked) {
		go func() { acked <- s.insert(context.Background(), fmt.Sprint("id-", n), fmt.Sprint("name-", n)) }()
	}
	time.Sleep(100 * time.Millisecond) // they wait for the connection now
	if err := first.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range cap(acked) {
		if err := <-acked; err != nil {
			t.Error(err)
		}
	}
	if shared.parts != 1+cap(acked) {
		t.Errorf("%d parts in the first transaction, want %d", shared.parts, 1+cap(acked))
	}
}
