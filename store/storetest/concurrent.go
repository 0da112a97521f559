package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

// streams is how many clients write at the same time.
const streams = 64

// parallel runs fn in n goroutines and reports their errors.
func parallel(t *testing.T, n int, fn func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := fn(i); err != nil {
				t.Errorf("stream %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// changeGroup changes the membership as a PATCH does: lock, change, new version, event.
func changeGroup(t *testing.T, s directory.Store, g string, change func(tx directory.Store) error) error {
	ctx := t.Context()
	return s.Tx(ctx, func(tx directory.Store) error {
		rec, err := tx.Get(ctx, "Group", g, directory.Load{Lock: true})
		if err != nil {
			return err
		}
		if err := change(tx); err != nil {
			return err
		}
		w := directory.Write{Record: rec, Active: true, Display: "g", Expect: rec.Meta.Version,
			Index:  []scim.IndexRow{{Path: "displayname", Value: "g"}},
			Events: []audit.Event{{Action: audit.AddMembers, Type: "Group", ID: g, Version: rec.Meta.Version + 1}}}
		w.Record.Meta.Version++
		return tx.Update(ctx, w)
	})
}

// oneGroup lets 64 streams change one group: the result is that of a serial run.
func oneGroup(t *testing.T, db *store.DB) {
	ctx := t.Context()
	s := newTenant(t, db)
	const each = 4
	users := make([][]string, streams)
	for i := range users {
		for j := range each {
			users[i] = append(users[i], insert(t, s, user(fmt.Sprintf("u%d-%d", i, j))))
		}
	}
	g := insert(t, s, group("g"))
	parallel(t, streams, func(i int) error {
		for j, id := range users[i] {
			if err := changeGroup(t, s, g, func(tx directory.Store) error {
				added, missing, err := tx.AddMembers(ctx, g, []string{id, users[0][0]})
				if len(missing) > 0 || len(added) == 0 && i > 0 {
					return fmt.Errorf("added %v, missing %v, %w", added, missing, err)
				}
				return err
			}); err != nil {
				return err
			}
			if j%2 == 1 {
				if err := changeGroup(t, s, g, func(tx directory.Store) error {
					_, err := tx.RemoveMembers(ctx, g, []string{id})
					return err
				}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	want := []string{}
	for i := range users {
		want = append(want, users[i][0], users[i][2])
	}
	slices.Sort(want)
	rec, err := s.Get(ctx, "Group", g, directory.Load{Members: true})
	if d := gocmp.Diff(want, values(rec.Members)); err != nil || d != "" {
		t.Errorf("members: %v (-want +got):\n%s", err, d)
	}
	if want := int64(1 + streams*(each+each/2)); rec.Meta.Version != want {
		t.Errorf("version %d, want %d", rec.Meta.Version, want)
	}
	if events, err := s.Events(ctx, "Group", g, 0, 10000); err != nil || int64(len(events)) != rec.Meta.Version {
		t.Errorf("%d events for %d versions, %v", len(events), rec.Meta.Version, err)
	}
}

// compareAndSwap lets several writers replace the same version: one wins each time.
func compareAndSwap(t *testing.T, db *store.DB) {
	ctx := t.Context()
	s := newTenant(t, db)
	w := user("contested")
	insert(t, s, w)
	var won atomic.Int64
	for version := int64(1); version <= 10; version++ {
		next := change(w)
		next.Expect, next.Record.Meta.Version = version, version+1
		won.Store(0)
		parallel(t, 8, func(i int) error {
			update := func(s directory.Store) error { return s.Update(ctx, next) }
			var err error
			if i%2 == 0 {
				err = update(s)
			} else {
				err = s.Tx(ctx, update)
			}
			if err == nil {
				won.Add(1)
			} else if directory.KindOf(err) == directory.Stale {
				err = nil
			}
			return err
		})
		if won.Load() != 1 {
			t.Fatalf("version %d: %d writers won, want 1", version, won.Load())
		}
	}
	events, err := s.Events(ctx, "User", w.Record.ID, 0, 100)
	if err != nil || len(events) != 11 {
		t.Errorf("%d events, %v; want 11", len(events), err)
	}
}

// addAndDelete adds users to groups while they are deleted: no membership is left dangling, and the totals and
// the log stay exact.
func addAndDelete(t *testing.T, db *store.DB) {
	ctx := t.Context()
	s := newTenant(t, db)
	var users []string
	for i := range 48 {
		users = append(users, insert(t, s, user(fmt.Sprintf("u%d", i))))
	}
	groups := []string{insert(t, s, group("g")), insert(t, s, group("h"))}
	var deleted atomic.Int64
	parallel(t, 16, func(i int) error {
		r := rand.New(rand.NewPCG(uint64(i), 7))
		for range 12 {
			u := users[r.IntN(len(users))]
			if i%4 > 0 {
				g := groups[r.IntN(2)]
				if err := changeGroup(t, s, g, func(tx directory.Store) error {
					_, _, err := tx.AddMembers(ctx, g, []string{u})
					return err
				}); err != nil {
					return err
				}
				continue
			}
			switch err := s.Delete(ctx, "User", u, 1, audit.Event{Action: audit.Delete, Type: "User", ID: u}); {
			case err == nil:
				deleted.Add(1)
			case directory.KindOf(err) != directory.NotFound:
				return err
			}
		}
		return nil
	})
	if n := total(t, s, "User"); n != 48-int(deleted.Load()) {
		t.Errorf("total %d after %d of 48 were deleted", n, deleted.Load())
	}
	for _, g := range groups {
		rec, err := s.Get(ctx, "Group", g, directory.Load{Members: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range rec.Members {
			if _, err := s.Get(ctx, "User", m.Value, directory.Load{}); err != nil {
				t.Errorf("dangling member: %v", err)
			}
		}
		if events, err := s.Events(ctx, "Group", g, 0, 10000); err != nil || int64(len(events)) != rec.Meta.Version {
			t.Errorf("%d events for %d versions, %v", len(events), rec.Meta.Version, err)
		}
	}
}

// followLog reads the change log while many write: a reader that pages by sequence number misses nothing.
func followLog(t *testing.T, db *store.DB) {
	ctx := t.Context()
	s := newTenant(t, db)
	const writers, each = 16, 15
	done := make(chan struct{})
	seen := []int64{}
	var wg sync.WaitGroup
	wg.Go(func() {
		var after int64
		for last := false; ; {
			page, err := s.Events(ctx, "", "", after, 5)
			if err != nil {
				t.Error(err)
				return
			}
			for _, e := range page {
				seen = append(seen, e.Seq)
				after = e.Seq
			}
			if len(page) > 0 {
				continue
			}
			if last {
				return
			}
			select {
			case <-done:
				last = true
			default:
			}
		}
	})
	boom := errors.New("boom")
	parallel(t, writers, func(i int) error {
		for j := range each {
			err := s.Tx(ctx, func(tx directory.Store) error {
				if err := tx.Insert(ctx, user(fmt.Sprintf("a-%d-%d", i, j))); err != nil {
					return err
				}
				if j%5 == 4 {
					return boom
				}
				return tx.Insert(ctx, user(fmt.Sprintf("b-%d-%d", i, j)))
			})
			if err != nil && !errors.Is(err, boom) {
				return err
			}
		}
		return nil
	})
	close(done)
	wg.Wait()
	want := 1 + writers*each/5*4*2
	if len(seen) != want || !slices.IsSorted(seen) {
		t.Errorf("the reader saw %d events, sorted %v; want %d", len(seen), slices.IsSorted(seen), want)
	}
	if n := total(t, s, "User"); n != want-1 {
		t.Errorf("total %d, want %d", n, want-1)
	}
}
