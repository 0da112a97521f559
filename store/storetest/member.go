package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

func members(t *testing.T, db *store.DB) {
	ctx := t.Context()
	s := newTenant(t, db)
	a, b, c := insert(t, s, user("a")), insert(t, s, user("b")), insert(t, s, user("c"))
	g, h := insert(t, s, group("g")), insert(t, s, group("h"))

	added, missing, err := s.AddMembers(ctx, g, []string{a, "ghost", b, "nul\x00"})
	if err != nil || len(added) != 0 || len(missing) != 2 {
		t.Fatalf("unknown members: added %v, missing %q, %v", added, missing, err)
	}
	added, _, err = s.AddMembers(ctx, g, []string{b, a})
	if err != nil || len(added) != 2 || added[0].Type != "User" || added[0].Display != "a" {
		t.Fatalf("added %v, %v", added, err)
	}
	added, _, err = s.AddMembers(ctx, g, []string{a, c})
	if err != nil || len(added) != 1 || added[0].Value != c {
		t.Fatalf("second time: added %v, %v", added, err)
	}
	if _, _, err = s.AddMembers(ctx, h, []string{g, a}); err != nil {
		t.Fatal(err)
	}

	rec, err := s.Get(ctx, "Group", h, directory.Load{Members: true})
	want := []scim.Ref{{Value: a, Type: "User", Display: "a"}, {Value: g, Type: "Group", Display: "g"}}
	if d := cmp.Diff(want, rec.Members); err != nil || d != "" || !rec.HasMembers {
		t.Errorf("members of h: %v (-want +got):\n%s", err, d)
	}
	rec, err = s.Get(ctx, "User", b, directory.Load{Groups: true})
	want = []scim.Ref{{Value: g, Type: "direct", Display: "g"}, {Value: h, Type: "indirect", Display: "h"}}
	if d := cmp.Diff(want, rec.Groups); err != nil || d != "" {
		t.Errorf("groups of b: %v (-want +got):\n%s", err, d)
	}
	rec, err = s.Get(ctx, "User", a, directory.Load{Groups: true})
	want[1].Type = "direct"
	if d := cmp.Diff(want, rec.Groups); err != nil || d != "" {
		t.Errorf("groups of a, in h both ways: %v (-want +got):\n%s", err, d)
	}
	of, err := s.GroupsOf(ctx, []string{a, b, g})
	if err != nil || len(of[a]) != 2 || len(of[b]) != 1 || len(of[g]) != 1 || of[g][0].Value != h {
		t.Errorf("GroupsOf: %v, %v", of, err)
	}

	removed, err := s.RemoveMembers(ctx, g, []string{a, "ghost", "nul\x00"})
	if err != nil || len(removed) != 1 || removed[0].Value != a {
		t.Errorf("removed %v, %v", removed, err)
	}
	if removed, err = s.RemoveMembers(ctx, g, []string{}); err != nil || len(removed) != 0 {
		t.Errorf("removing no ids removed %v, %v", removed, err)
	}
	if removed, err = s.RemoveMembers(ctx, g, nil); err != nil || len(removed) != 2 {
		t.Errorf("removing all removed %v, %v", removed, err)
	}
	foreign := newTenant(t, db)
	if _, missing, err = foreign.AddMembers(ctx, g, []string{a}); err != nil || len(missing) != 1 {
		t.Errorf("another tenant's member: missing %v, %v", missing, err)
	}
}

func trash(t *testing.T, db *store.DB) {
	ctx := t.Context()
	tenant := addTenant(t, db)
	s := db.Directory(tenant.ID)
	w := user("Lost")
	w.Record.External = map[string]string{"c": "e"}
	u, other := insert(t, s, w), insert(t, s, user("other"))
	g, h := insert(t, s, group("g")), insert(t, s, group("h"))
	add(t, s, g, u, other)
	add(t, s, h, u)
	actor := audit.Actor{Kind: "client", ID: "c"}
	if err := s.Delete(ctx, "User", u, 1, audit.Event{Actor: actor, Action: audit.Delete, Type: "User", ID: u, Name: "Lost", Version: 1}); err != nil {
		t.Fatal(err)
	}
	rec, err := s.Get(ctx, "Group", g, directory.Load{Members: true})
	if err != nil || rec.Meta.Version != 2 || cmp.Diff([]string{other}, values(rec.Members)) != "" {
		t.Errorf("group after its member was deleted: %+v, %v", rec, err)
	}
	events, err := s.Events(ctx, "Group", g, 0, 10)
	if err != nil || len(events) != 2 || events[1].Action != audit.RemoveMembers || events[1].Version != 2 ||
		string(events[1].Change) != `{"members":{"removed":["`+u+`"]}}` || events[1].Actor != actor {
		t.Errorf("events of the group: %+v, %v", events, err)
	}
	stones, err := s.Deleted(ctx, "User", 10)
	want := []directory.Tombstone{{Type: "User", ID: u, Display: "Lost", Unique: "lost", Deleted: Clock.Now(), Purge: Clock.Now().AddDate(0, 0, 30)}}
	if d := cmp.Diff(want, stones); err != nil || d != "" {
		t.Errorf("tombstones: %v (-want +got):\n%s", err, d)
	}
	if err := s.Delete(ctx, "Group", h, 2, audit.Event{Action: audit.Delete, Type: "Group", ID: h}); err != nil {
		t.Fatal(err)
	}

	taker := insert(t, s, user("LOST"))
	_, err = s.Undelete(ctx, "User", u, audit.Event{Action: audit.Restore, Type: "User", ID: u})
	wantKind(t, err, directory.Conflict)
	if err := s.Delete(ctx, "User", taker, 1, audit.Event{Action: audit.Delete, Type: "User", ID: taker}); err != nil {
		t.Fatal(err)
	}
	back, err := s.Undelete(ctx, "User", u, audit.Event{Action: audit.Restore, Type: "User", ID: u})
	if err != nil || back.Meta.Version != 2 || back.External["c"] != "e" || string(back.Doc) != string(w.Record.Doc) {
		t.Fatalf("restored: %+v, %v", back, err)
	}
	if d := cmp.Diff([]string{g}, values(back.Groups)); d != "" {
		t.Errorf("groups of the restored (-want +got):\n%s", d)
	}
	wantKind(t, s.Insert(ctx, user("lost")), directory.Conflict)
	if n := total(t, s, "User"); n != 2 {
		t.Errorf("users after restore: got %d, want 2", n)
	}
	restoreGroup(t, s, g, h, u)
	sweepTrash(t, db, s, taker)
}

func add(t *testing.T, s directory.Store, g string, ids ...string) {
	t.Helper()
	if added, missing, err := s.AddMembers(t.Context(), g, ids); err != nil || len(missing) > 0 || len(added) != len(ids) {
		t.Fatalf("add members: added %v, missing %v, %v", added, missing, err)
	}
}

// restoreGroup brings h back, whose only member u exists; a circle that would arise is left out.
func restoreGroup(t *testing.T, s *store.Tenant, g, h, u string) {
	ctx := t.Context()
	back, err := s.Undelete(ctx, "Group", h, audit.Event{Action: audit.Restore, Type: "Group", ID: h})
	if err != nil || len(back.Members) != 0 {
		// u was in the trash when h was deleted, so h had no member then.
		t.Errorf("restored group: %+v, %v", back, err)
	}
	add(t, s, h, g)
	p := insert(t, s, group("p"))
	add(t, s, p, h)
	if err := s.Delete(ctx, "Group", h, back.Meta.Version, audit.Event{Action: audit.Delete, Type: "Group", ID: h}); err != nil {
		t.Fatal(err)
	}
	add(t, s, g, p) // h held g and was in p: with both back there is a circle
	back, err = s.Undelete(ctx, "Group", h, audit.Event{Action: audit.Restore, Type: "Group", ID: h})
	if d := cmp.Diff([]string{g}, values(back.Members)); err != nil || d != "" {
		t.Errorf("members of the restored group: %v (-want +got):\n%s", err, d)
	}
	if rec, err := s.Get(ctx, "Group", p, directory.Load{Members: true}); err != nil || len(rec.Members) != 0 {
		t.Errorf("a circle of groups was restored: %v, %v", rec.Members, err)
	}
}

func sweepTrash(t *testing.T, db *store.DB, s *store.Tenant, id string) {
	ctx := t.Context()
	if swept, err := db.Sweep(ctx, Clock.Now().AddDate(0, 0, 29)); err != nil || swept.Trash != 0 {
		t.Fatalf("swept too early: %+v, %v", swept, err)
	}
	if swept, err := db.Sweep(ctx, Clock.Now().AddDate(0, 0, 30).Add(time.Second)); err != nil || swept.Trash != 1 {
		t.Fatalf("swept: %+v, %v", swept, err)
	}
	_, err := s.Undelete(ctx, "User", id, audit.Event{})
	wantKind(t, err, directory.NotFound)
	events, err := s.Events(ctx, "User", id, 0, 10)
	if err != nil || events[len(events)-1].Action != audit.Purge {
		t.Errorf("events of the purged: %+v, %v", events, err)
	}
}
