package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

// Fill puts something into every table and returns Contents.
func Fill(t *testing.T, db *store.DB) map[string]any {
	t.Helper()
	ctx := t.Context()
	p := populate(t, db, 20, 3)
	u := user("deleted")
	insert(t, p.store, u)
	if err := p.store.Delete(ctx, "User", u.Record.ID, 1, audit.Event{Action: audit.Delete, Type: "User", ID: u.Record.ID}); err != nil {
		t.Fatal(err)
	}
	tenant := tenants(t, db)[0]
	e := audit.Event{Action: audit.Configure, Change: []byte(`{"a":{"after":"b"}}`)}
	must(t, db.SaveClient(ctx, access.Client{ID: "client", Tenant: tenant.ID, Name: "n", Profile: access.Okta, Rate: 2.5, Created: Clock.Now()}, e))
	must(t, db.SaveToken(ctx, access.Token{ID: "token", Tenant: tenant.ID, Client: "client", Kind: access.Static, Hash: []byte{0, 255, 7},
		Created: Clock.Now(), Expires: Clock.Now().Add(time.Hour)}, &e))
	must(t, db.SaveAccount(ctx, access.Account{ID: "account", Name: "a@example.com", Role: access.Owner, Created: Clock.Now()}, e))
	must(t, db.AppendRequests(ctx, tenant.ID, []audit.Request{{Time: Clock.Now(), ID: "r", Status: 201, Resource: "x", Tolerances: []string{"t"}, Body: "{}"}}))
	if _, err := db.SaveSchemas(ctx, tenant.ID, []byte(`{}`), e); err != nil {
		t.Fatal(err)
	}
	return Contents(t, db)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func tenants(t *testing.T, db *store.DB) []access.Tenant {
	t.Helper()
	list, err := db.Tenants(t.Context())
	if err != nil || len(list) == 0 {
		t.Fatalf("tenants: %v, %v", list, err)
	}
	return list
}

// Contents reads all that Fill wrote, through the interfaces of the store.
func Contents(t *testing.T, db *store.DB) map[string]any {
	t.Helper()
	ctx := t.Context()
	out := map[string]any{}
	tenant := tenants(t, db)[0]
	read := func(name string, v any, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = v
	}
	read("tenant", tenant, nil)
	s := db.Directory(tenant.ID)
	for _, typ := range []string{"User", "Group"} {
		page, err := s.List(ctx, scim.Query{Targets: []scim.Target{{Type: typ}}, Client: "c1", Count: 1000, Members: true, Groups: true})
		read(typ, page.Resources, err)
		read(typ+" total", total(t, s, typ), nil)
		for _, r := range page.Resources {
			rec, err := s.Get(ctx, typ, r.ID, directory.Load{Client: "c2"})
			read(r.ID, rec, err)
		}
	}
	indexed, err := scim.ParseFilter(`emails sw "a" or userName sw "b"`)
	read("filter", nil, err)
	bound, err := scim.Default().Bind("User", indexed)
	read("bound", nil, err)
	page, err := s.List(ctx, scim.Query{Targets: []scim.Target{{Type: "User", Filter: bound}}, Count: 1000})
	read("indexed", len(page.Resources), err)
	stones, err := s.Deleted(ctx, "User", 10)
	read("trash", stones, err)
	events, err := s.Events(ctx, "", "", 0, 10000)
	read("events", events, err)
	clients, err := db.ClientList(ctx, tenant.ID)
	read("clients", clients, err)
	token, err := db.Token(ctx, "token")
	read("token", token, err)
	accounts, err := db.AccountList(ctx)
	read("accounts", accounts, err)
	log, err := db.Requests(ctx, tenant.ID, audit.RequestFilter{}, time.Time{}, 10)
	read("requests", log, err)
	schemas, version, err := db.Schemas(ctx, tenant.ID)
	read("schemas", fmt.Sprint(string(schemas), version), err)
	key, err := db.Key(ctx, "key")
	read("key", key, err)
	return out
}

// UseRestored goes on working with a restored store.
func UseRestored(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	old := tenants(t, db)[0]
	s := db.Directory(old.ID)
	before, err := s.Events(ctx, "", "", 0, 10000)
	must(t, err)
	last := before[len(before)-1].Seq
	insert(t, s, user("after"))
	behind, err := s.Events(ctx, "", "", last, 10)
	if err != nil || len(behind) != 1 {
		t.Errorf("events behind the restored ones: %v, %v", behind, err)
	}
	if fresh := addTenant(t, db); fresh.ID <= old.ID {
		t.Errorf("a new tenant has the id %d, an old one %d", fresh.ID, old.ID)
	}
	stones, err := s.Deleted(ctx, "User", 1)
	must(t, err)
	if _, err := s.Undelete(ctx, "User", stones[0].ID, audit.Event{Action: audit.Restore, Type: "User", ID: stones[0].ID}); err != nil {
		t.Error(err)
	}
}
