package storetest

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/source"
	"github.com/provost-scim/provost/store"
)

var configured = audit.Event{Action: audit.Configure, Type: "Channel"}

// addChannel makes a source and a channel that reads it.
func addChannel(t *testing.T, db *store.DB, name string) provision.Channel {
	t.Helper()
	err := db.SaveSource(t.Context(), provision.Source{Name: "src-" + name, Spec: json.RawMessage(`{"kind":"csv"}`)}, configured)
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.SaveChannel(t.Context(), provision.Channel{Name: name, Spec: provision.Spec{Source: "src-" + name,
		Target: json.RawMessage(`{"url":"x"}`), Mapping: json.RawMessage(`{}`), Interval: provision.Duration(time.Minute)}}, configured)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func channels(t *testing.T, db *store.DB) {
	ctx := t.Context()
	c := addChannel(t, db, "one")
	got, err := db.Channel(ctx, "one")
	if err != nil || got.ID != c.ID || got.Spec.Source != "src-one" || got.Spec.Interval != c.Spec.Interval || got.Version != 1 {
		t.Fatalf("channel: %+v, %v", got, err)
	}
	if _, err := db.SaveChannel(ctx, provision.Channel{Name: "one", Spec: c.Spec}, configured); !errors.Is(err, provision.ErrExists) {
		t.Errorf("a second channel of that name: %v", err)
	}
	if err := db.DeleteSource(ctx, "src-one", configured); !errors.Is(err, provision.ErrExists) {
		t.Errorf("delete of a source in use: %v", err)
	}
	got.Paused = true
	if _, err := db.SaveChannel(ctx, got, configured); err != nil {
		t.Fatal(err)
	}
	if list, err := db.Channels(ctx); err != nil || len(list) != 1 || !list[0].Paused || list[0].Version != 2 {
		t.Errorf("channels: %+v, %v", list, err)
	}
	for _, bad := range []string{"nobody", "a\x00", "\xff"} {
		if _, err := db.Channel(ctx, bad); !errors.Is(err, provision.ErrNotFound) {
			t.Errorf("channel %q: %v", bad, err)
		}
		if _, err := db.Source(ctx, bad); !errors.Is(err, provision.ErrNotFound) {
			t.Errorf("source %q: %v", bad, err)
		}
	}
	events, err := db.Directory(0).Events(ctx, "Channel", "", 0, 10)
	if err != nil || len(events) < 3 {
		t.Errorf("%d events of the configuration, %v", len(events), err)
	}
	if err := db.DeleteChannel(ctx, c.ID, configured); err != nil {
		t.Fatal(err)
	}
	if err := db.DeleteSource(ctx, "src-one", configured); err != nil {
		t.Error(err)
	}
}

func leases(t *testing.T, db *store.DB) {
	ctx := t.Context()
	c := addChannel(t, db, "leased")
	a, err := db.Acquire(ctx, c.ID, "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Acquire(ctx, c.ID, "b", time.Hour); !errors.Is(err, provision.ErrHeld) {
		t.Fatalf("a lease that is held: %v", err)
	}
	// It runs out, and somebody else takes it.
	if err := db.Renew(ctx, a, -time.Hour); err != nil {
		t.Fatal(err)
	}
	b, err := db.Acquire(ctx, c.ID, "b", time.Hour)
	if err != nil || b.Token <= a.Token {
		t.Fatalf("a lease that ran out: %+v after %+v, %v", b, a, err)
	}
	out := provision.Outcome{Key: "k", Kind: source.Person, Link: &provision.Link{Key: "k", Kind: source.Person, Target: "t", State: provision.Linked}}
	for name, write := range map[string]func(provision.Fence) error{
		"renew": func(f provision.Fence) error { return db.Renew(ctx, f, time.Hour) },
		"begin": func(f provision.Fence) error {
			return db.Begin(ctx, f, []provision.Intent{{Key: "k", Kind: source.Person, Verb: provision.Create}})
		},
		"finish": func(f provision.Fence) error { return db.Finish(ctx, f, 1, []provision.Outcome{out}) },
		"stage": func(f provision.Fence) error {
			return db.Stage(ctx, f, []provision.Staged{{Record: source.Record{Key: "k"}}})
		},
		"discard": func(f provision.Fence) error { return db.Discard(ctx, f) },
		"publish": func(f provision.Fence) error { return db.Publish(ctx, f, provision.Publication{}) },
		"expire":  func(f provision.Fence) error { return db.Expire(ctx, f) },
		"status":  func(f provision.Fence) error { return db.SaveStatus(ctx, f, provision.Status{}) },
	} {
		if err := write(a); !errors.Is(err, provision.ErrFenced) {
			t.Errorf("%s with an old token: %v", name, err)
		}
		if err := write(b); err != nil {
			t.Errorf("%s with the newest token: %v", name, err)
		}
	}
	if err := db.Release(ctx, a); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Acquire(ctx, c.ID, "c", time.Hour); !errors.Is(err, provision.ErrHeld) {
		t.Errorf("an old token released the lease: %v", err)
	}
	if err := db.Release(ctx, b); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Acquire(ctx, c.ID, "c", time.Hour); err != nil {
		t.Errorf("a released lease: %v", err)
	}
}

// mirror publishes reads and looks at what they leave.
func mirror(t *testing.T, db *store.DB) {
	ctx := t.Context()
	c := addChannel(t, db, "mirrored")
	f, err := db.Acquire(ctx, c.ID, "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	publish := func(gone []string, records ...source.Record) {
		t.Helper()
		var staged []provision.Staged
		for _, r := range records {
			staged = append(staged, provision.Staged{Record: r, Hash: "h"})
		}
		if err := db.Stage(ctx, f, staged); err != nil {
			t.Fatal(err)
		}
		if err := db.Publish(ctx, f, provision.Publication{Gone: gone, Moved: true, Nested: true}); err != nil {
			t.Fatal(err)
		}
	}
	members := func(group string) []string {
		t.Helper()
		all, err := db.MemberKeys(ctx, c.ID, []string{group})
		if err != nil {
			t.Fatal(err)
		}
		out := []string{}
		for _, m := range all[group] {
			out = append(out, m.Key)
		}
		return out
	}
	person := func(key, name string) source.Record {
		return source.Record{Kind: source.Person, Key: key, Name: name, Attrs: map[string][]string{"cn": {name, "nul\x00"}}}
	}
	group := source.Record{Kind: source.Group, Key: "g", Name: "cn=g", Members: []string{"cn=a", "cn=b", "cn=later", "cn=a"}}
	publish(nil, person("ka", "cn=a"), person("kb", "cn=b"), group)
	if d := cmp.Diff([]string{"ka", "kb"}, members("g")); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
	publish([]string{"kb"}, person("ka", "cn=renamed"), person("kc", "cn=later"))
	if d := cmp.Diff([]string{"ka", "kc"}, members("g")); d != "" {
		t.Errorf("after a rename, an arrival and a departure (-want +got):\n%s", d)
	}
	// A new person with the name of one who is gone is no member by that.
	publish(nil, person("kd", "cn=b"))
	if d := cmp.Diff([]string{"ka", "kc"}, members("g")); d != "" {
		t.Errorf("somebody inherited a membership (-want +got):\n%s", d)
	}
	items, err := db.Work(ctx, c.ID, source.Person, "", 10, false)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, it := range items {
		reasons[it.Key] = it.Reason
		if (it.Record == nil) != (it.Key == "kb") {
			t.Errorf("%s: record %v", it.Key, it.Record)
		}
	}
	want := map[string]string{"ka": "new in the source", "kb": "new in the source", "kc": "new in the source", "kd": "new in the source"}
	if d := cmp.Diff(want, reasons); d != "" {
		t.Errorf("dirty (-want +got):\n%s", d)
	}
	pos, err := db.Position(ctx, c.ID)
	if err != nil || pos.Generation != 3 {
		t.Errorf("position: %+v, %v", pos, err)
	}
	named, err := db.Named(ctx, c.ID, []string{"cn=renamed", "cn=a", "\xff"})
	if err != nil || len(named) != 1 || named["cn=renamed"].Key != "ka" {
		t.Errorf("named: %v, %v", named, err)
	}
}
