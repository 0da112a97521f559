package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

func crud(t *testing.T, db *store.DB) {
	ctx := t.Context()
	s := newTenant(t, db)
	w := user("Bjensen")
	w.Record.External = map[string]string{"c1": "x-1", "c2": "x-2"}
	id := insert(t, s, w)

	got, err := s.Get(ctx, "User", id, directory.Load{Client: "c2"})
	if err != nil {
		t.Fatal(err)
	}
	want := w.Record
	want.ExternalID = "x-2"
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("stored record differs (-want +got):\n%s", d)
	}

	_, err = s.Get(ctx, "Group", id, directory.Load{})
	wantKind(t, err, directory.NotFound)
	for _, bad := range []string{"", "nobody", "a\x00b", "a\xffb", "’; drop table resource; --"} {
		_, err = s.Get(ctx, "User", bad, directory.Load{})
		wantKind(t, err, directory.NotFound)
	}
	_, err = newTenant(t, db).Get(ctx, "User", id, directory.Load{})
	wantKind(t, err, directory.NotFound)

	err = s.Insert(ctx, user("bJENSEN"))
	wantKind(t, err, directory.Conflict)
	if e, ok := errors.AsType[*directory.Error](err); !ok || e.Attr != "userName" {
		t.Errorf("conflict names %+v, want userName", err)
	}
	insert(t, newTenant(t, db), user("bjensen"))
	if n := total(t, s, "User"); n != 1 {
		t.Errorf("total after a refused insert: got %d, want 1", n)
	}

	updates(t, s, w)
	deletes(t, s, id)
}

func updates(t *testing.T, s *store.Tenant, w directory.Write) {
	ctx := t.Context()
	insert(t, s, user("taken"))
	up := change(w)
	up.Record.Doc = append([]byte(nil), w.Record.Doc...)
	up.Record.External = nil
	up.Active = false
	up.Index = []scim.IndexRow{{Path: "username", Value: "bjensen"}, {Path: "emails.value", Value: "b@example.com", Elem: 1, Type: "work"}}
	up.Record.Meta.LastModified = up.Record.Meta.LastModified.Add(5 * time.Second)
	if err := s.Update(ctx, up); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(ctx, "User", w.Record.ID, directory.Load{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(up.Record, got); d != "" {
		t.Errorf("updated record differs (-want +got):\n%s", d)
	}
	wantKind(t, s.Update(ctx, up), directory.Stale)
	conflict := change(up)
	conflict.Unique = map[string]string{"userName": "taken"}
	wantKind(t, s.Update(ctx, conflict), directory.Conflict)
	wantKind(t, s.Tx(ctx, func(s directory.Store) error { return s.Update(ctx, up) }), directory.Stale)
	gone := change(up)
	gone.Record.ID = newID()
	wantKind(t, s.Update(ctx, gone), directory.NotFound)
	events, err := s.Events(ctx, "User", w.Record.ID, 0, 10)
	if err != nil || len(events) != 2 {
		t.Errorf("events of a created, once updated user: got %d, %v; want 2", len(events), err)
	}
}

func deletes(t *testing.T, s *store.Tenant, id string) {
	ctx := t.Context()
	e := audit.Event{Action: audit.Delete, Type: "User", ID: id}
	wantKind(t, s.Delete(ctx, "User", id, 1, e), directory.Stale)
	if err := s.Delete(ctx, "User", id, 2, e); err != nil {
		t.Fatal(err)
	}
	wantKind(t, s.Delete(ctx, "User", id, 2, e), directory.NotFound)
	_, err := s.Get(ctx, "User", id, directory.Load{})
	wantKind(t, err, directory.NotFound)
	if n := total(t, s, "User"); n != 1 {
		t.Errorf("total after a delete: got %d, want 1", n)
	}
	insert(t, s, user("bjensen"))
}

func tx(t *testing.T, db *store.DB) {
	ctx := t.Context()
	s := newTenant(t, db)
	boom := errors.New("boom")
	err := s.Tx(ctx, func(tx directory.Store) error {
		insert(t, tx, user("one"))
		if err := tx.Tx(ctx, func(inner directory.Store) error {
			insert(t, inner, user("two"))
			return inner.Insert(ctx, user("ONE"))
		}); directory.KindOf(err) != directory.Conflict {
			t.Errorf("nested conflict: got %v", err)
		}
		insert(t, tx, user("three"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := total(t, s, "User"); n != 2 {
		t.Errorf("after a nested rollback: got %d users, want 2", n)
	}
	err = s.Tx(ctx, func(tx directory.Store) error {
		insert(t, tx, user("four"))
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("error of a transaction: got %v, want %v", err, boom)
	}
	if n := total(t, s, "User"); n != 2 {
		t.Errorf("after a rollback: got %d users, want 2", n)
	}
	events, err := s.Events(ctx, "User", "", 0, 100)
	if err != nil || len(events) != 2 {
		t.Errorf("after rollbacks: got %d events, %v; want 2", len(events), err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = s.Tx(ctx, func(tx directory.Store) error { panic("boom") })
	}()
	insert(t, s, user("after the panic"))
}

func history(t *testing.T, db *store.DB) {
	ctx := t.Context()
	s := newTenant(t, db)
	w := user("a")
	w.Events[0].Actor = audit.Actor{Kind: "client", ID: "c1", Name: "Entra", Request: "r1"}
	w.Events[0].Change = []byte(`{"userName":{"after":"a"}}`)
	insert(t, s, w)
	insert(t, s, user("b"))
	all, err := s.Events(ctx, "", "", 0, 100)
	if err != nil || len(all) != 3 { // the tenant itself is the first
		t.Fatalf("got %d events, %v; want 3", len(all), err)
	}
	want := w.Events[0]
	want.Seq, want.Time = all[1].Seq, Clock.Now()
	if d := cmp.Diff(want, all[1]); d != "" {
		t.Errorf("event differs (-want +got):\n%s", d)
	}
	var after int64
	for i := range all {
		page, err := s.Events(ctx, "", "", after, 1)
		if err != nil || len(page) != 1 || page[0].Seq != all[i].Seq {
			t.Fatalf("page %d: got %v, %v", i, page, err)
		}
		after = page[0].Seq
	}
	if one, _ := s.Events(ctx, "User", w.Record.ID, 0, 100); len(one) != 1 {
		t.Errorf("events of one user: got %d, want 1", len(one))
	}
}
