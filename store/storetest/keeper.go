package storetest

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/store"
)

func keeper(t *testing.T, db *store.DB) {
	ctx := t.Context()
	e := audit.Event{Action: audit.Configure, Type: "Tenant"}
	a := addTenant(t, db)
	got, err := db.Tenant(ctx, a.Name)
	if d := cmp.Diff(a, got); err != nil || d != "" {
		t.Errorf("tenant: %v (-want +got):\n%s", err, d)
	}
	if _, err := db.CreateTenant(ctx, access.Tenant{Name: a.Name}, e); !errors.Is(err, access.ErrExists) {
		t.Errorf("second tenant of that name: got %v, want ErrExists", err)
	}
	for _, name := range []string{"nobody", "nul\x00", "\xff"} {
		if _, err := db.Tenant(ctx, name); !errors.Is(err, access.ErrNotFound) {
			t.Errorf("tenant %q: got %v, want ErrNotFound", name, err)
		}
	}
	a.Display, a.Disabled, a.Settings.Rehire = "Other", true, access.RehireReactivate
	if err := db.UpdateTenant(ctx, a, e); err != nil {
		t.Fatal(err)
	}
	if got, _ = db.Tenant(ctx, a.Name); cmp.Diff(a, got) != "" {
		t.Errorf("updated tenant: %+v, want %+v", got, a)
	}
	if err := db.UpdateTenant(ctx, access.Tenant{ID: 1 << 40, Name: "x"}, e); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("update of no tenant: got %v, want ErrNotFound", err)
	}
	clients(t, db, a.ID)
	deleteTenant(t, db, a)
}

func clients(t *testing.T, db *store.DB, tenant int64) {
	ctx := t.Context()
	e := audit.Event{Action: audit.Configure, Type: "Client"}
	c := access.Client{ID: "abcdefghijkl", Tenant: tenant, Name: "Entra", Profile: access.Entra, User: "u", Rate: 12.5, Burst: 3, Concurrent: 4,
		Created: Clock.Now(), CreatedBy: "root"}
	if err := db.SaveClient(ctx, c, e); err != nil {
		t.Fatal(err)
	}
	c.Revoked = Clock.Now().Add(time.Hour)
	if err := db.SaveClient(ctx, c, e); err != nil {
		t.Fatal(err)
	}
	got, err := db.Client(ctx, tenant, c.ID)
	if d := cmp.Diff(c, got); err != nil || d != "" {
		t.Errorf("client: %v (-want +got):\n%s", err, d)
	}
	other := c
	other.ID = "other"
	if err := db.SaveClient(ctx, other, e); !errors.Is(err, access.ErrExists) {
		t.Errorf("second client of that name: got %v, want ErrExists", err)
	}
	if list, err := db.ClientList(ctx, tenant); err != nil || len(list) != 1 {
		t.Errorf("clients: %v, %v", list, err)
	}
	if _, err := db.Client(ctx, tenant+1, c.ID); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("client of another tenant: got %v, want ErrNotFound", err)
	}
	tokens(t, db, c)
}

func tokens(t *testing.T, db *store.DB, c access.Client) {
	ctx := t.Context()
	token := access.Token{ID: "tok1", Tenant: c.Tenant, Client: c.ID, Kind: access.Static, Hash: []byte{0, 1, 255}, Hint: "wxyz",
		Created: Clock.Now(), CreatedBy: "root", Expires: Clock.Now().Add(time.Hour)}
	e := audit.Event{Action: audit.Configure, Type: "Token", ID: token.ID}
	if err := db.SaveToken(ctx, token, &e); err != nil {
		t.Fatal(err)
	}
	issued := token
	issued.ID, issued.Kind = "tok2", access.Issued
	if err := db.SaveToken(ctx, issued, nil); err != nil {
		t.Fatal(err)
	}
	used := Clock.Now().Add(time.Minute)
	uses := []access.Use{{Token: "unknown", At: used}, {Token: "tok1", Addr: "192.0.2.1", Agent: "a\x00b", At: used}}
	if err := db.TouchTokens(ctx, uses); err != nil {
		t.Fatal(err)
	}
	if err := db.TouchTokens(ctx, []access.Use{{Token: "tok1", At: used.Add(-time.Second)}}); err != nil {
		t.Fatal(err)
	}
	token.Revoked = Clock.Now().Add(2 * time.Minute)
	if err := db.SaveToken(ctx, token, &e); err != nil { // from a copy that was read before the use
		t.Fatal(err)
	}
	token.LastUsed, token.LastAddr, token.LastAgent = used, "192.0.2.1", "a\uFFFDb"
	got, err := db.Token(ctx, "tok1")
	if d := cmp.Diff(token, got); err != nil || d != "" {
		t.Errorf("token: %v (-want +got):\n%s", err, d)
	}
	if list, err := db.TokenList(ctx, c.Tenant, c.ID); err != nil || len(list) != 1 || list[0].ID != "tok1" {
		t.Errorf("tokens: %v, %v", list, err)
	}
	if swept, err := db.Sweep(ctx, Clock.Now().Add(2*time.Hour)); err != nil || swept.Tokens != 1 {
		t.Errorf("expired tokens: swept %+v, %v", swept, err)
	}
	if _, err := db.Token(ctx, "tok2"); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("swept token: got %v, want ErrNotFound", err)
	}
}

func deleteTenant(t *testing.T, db *store.DB, a access.Tenant) {
	ctx := t.Context()
	s := db.Directory(a.ID)
	u, g := insert(t, s, user("x")), insert(t, s, group("g"))
	add(t, s, g, u)
	other := newTenant(t, db)
	kept := insert(t, other, user("x"))
	if err := db.DeleteTenant(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	if err := db.DeleteTenant(ctx, a.ID); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("second delete: got %v, want ErrNotFound", err)
	}
	_, err := s.Get(ctx, "User", u, directory.Load{})
	wantKind(t, err, directory.NotFound)
	if n := total(t, s, "User"); n != 0 {
		t.Errorf("users of a deleted tenant: %d", n)
	}
	if _, err := db.Token(ctx, "tok1"); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("token of a deleted tenant: got %v, want ErrNotFound", err)
	}
	if _, err := other.Get(ctx, "User", kept, directory.Load{}); err != nil {
		t.Errorf("another tenant's user: %v", err)
	}
	if b := addTenant(t, db); b.ID <= a.ID {
		t.Errorf("a new tenant has the id %d of an old one (%d)", b.ID, a.ID)
	}
}

func accounts(t *testing.T, db *store.DB) {
	ctx := t.Context()
	e := audit.Event{Action: audit.Configure, Type: "Administrator"}
	a := access.Account{ID: "a1", Name: "root@example.com", Role: access.Owner, Created: Clock.Now(), CreatedBy: "cli"}
	if err := db.SaveAccount(ctx, a, e); err != nil {
		t.Fatal(err)
	}
	a.Hash, a.Disabled = []byte("hash"), true
	if err := db.SaveAccount(ctx, a, e); err != nil {
		t.Fatal(err)
	}
	got, err := db.Account(ctx, "a1")
	if d := cmp.Diff(a, got); err != nil || d != "" {
		t.Errorf("account: %v (-want +got):\n%s", err, d)
	}
	same := a
	same.ID = "a2"
	if err := db.SaveAccount(ctx, same, e); !errors.Is(err, access.ErrExists) {
		t.Errorf("second administrator of that name: got %v, want ErrExists", err)
	}
	same.Service = true
	if err := db.SaveAccount(ctx, same, e); err != nil {
		t.Errorf("service account of that name: %v", err)
	}
	if err := db.DeleteAccount(ctx, "a1", e); err != nil {
		t.Fatal(err)
	}
	if err := db.DeleteAccount(ctx, "a1", e); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("second delete: got %v, want ErrNotFound", err)
	}
	if list, err := db.AccountList(ctx); err != nil || len(list) != 1 || list[0].ID != "a2" {
		t.Errorf("accounts: %v, %v", list, err)
	}
}

func requests(t *testing.T, db *store.DB) {
	ctx := t.Context()
	tenant := addTenant(t, db)
	at := Clock.Now()
	entries := []audit.Request{
		{Time: at, ID: "r1", Client: "c1", Method: "GET", Path: "/Users", Status: 200, Duration: time.Millisecond},
		{Time: at.Add(time.Second), ID: "r2", Client: "c2", Method: "POST", Path: "/Users", Status: 409, Resource: "u1", Tolerances: []string{"stringBoolean"},
			Agent: "nul\x00 and \xff", Body: `{"a":"\u0000"}`},
		{Time: at.Add(2 * time.Second), ID: "r3", Status: 503, Resource: "u1"},
	}
	if err := db.AppendRequests(ctx, tenant.ID, entries); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		f      audit.RequestFilter
		before time.Time
		limit  int
		want   []string
	}{
		{limit: 10, want: []string{"r3", "r2", "r1"}},
		{limit: 2, want: []string{"r3", "r2"}},
		{before: at.Add(2 * time.Second), limit: 10, want: []string{"r2", "r1"}},
		{f: audit.RequestFilter{Client: "c1"}, limit: 10, want: []string{"r1"}},
		{f: audit.RequestFilter{Resource: "u1"}, limit: 10, want: []string{"r3", "r2"}},
		{f: audit.RequestFilter{ID: "r1"}, limit: 10, want: []string{"r1"}},
		{f: audit.RequestFilter{Status: 4}, limit: 10, want: []string{"r2"}},
		{f: audit.RequestFilter{Status: 503}, limit: 10, want: []string{"r3"}},
		{f: audit.RequestFilter{Tolerance: "stringBoolean"}, limit: 10, want: []string{"r2"}},
		{f: audit.RequestFilter{Client: "nul\x00"}, limit: 10, want: []string{}},
	} {
		got, err := db.Requests(ctx, tenant.ID, c.f, c.before, c.limit)
		ids := []string{}
		for _, r := range got {
			ids = append(ids, r.ID)
		}
		if d := cmp.Diff(c.want, ids); err != nil || d != "" {
			t.Errorf("%+v before %v: %v (-want +got):\n%s", c.f, c.before, err, d)
		}
	}
	got, err := db.Requests(ctx, tenant.ID, audit.RequestFilter{ID: "r1"}, time.Time{}, 1)
	if err != nil || len(got) != 1 || cmp.Diff(entries[0], got[0]) != "" {
		t.Errorf("entry: %+v, %v", got, err)
	}
	if swept, err := db.Sweep(ctx, at.AddDate(0, 0, 30).Add(1500*time.Millisecond)); err != nil || swept.Requests != 2 {
		t.Errorf("swept %+v, %v; want 2 requests", swept, err)
	}
}

func settings(t *testing.T, db *store.DB) {
	ctx := t.Context()
	key, err := db.Key(ctx, "cursor")
	if err != nil || len(key) != 32 {
		t.Fatalf("key: %x, %v", key, err)
	}
	again, err := db.Key(ctx, "cursor")
	other, err2 := db.Key(ctx, "other")
	if err != nil || err2 != nil || !bytes.Equal(key, again) || bytes.Equal(key, other) {
		t.Errorf("keys: %x %x %x, %v %v", key, again, other, err, err2)
	}
	tenant := addTenant(t, db)
	if text, version, err := db.Schemas(ctx, tenant.ID); err != nil || text != nil || version != 0 {
		t.Errorf("schemas of a new tenant: %s, %d, %v", text, version, err)
	}
	for i, text := range []string{`{"schemas":[]}`, `{"schemas":[1]}`} {
		version, err := db.SaveSchemas(ctx, tenant.ID, []byte(text), audit.Event{Action: audit.Configure, Type: "Schema"})
		if err != nil || version != i+1 {
			t.Fatalf("saved version %d, %v", version, err)
		}
		if got, v, err := db.Schemas(ctx, tenant.ID); err != nil || string(got) != text || v != version {
			t.Errorf("schemas: %s, %d, %v", got, v, err)
		}
	}
	if err := db.Ping(ctx); err != nil {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := db.Directory(tenant.ID).Get(cancelled, "User", "x", directory.Load{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled read: got %v", err)
	}
}
