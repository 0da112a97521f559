package scimclient

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/scimserver"
	"github.com/provost-scim/provost/store"
)

// provostTarget is a tenant of Provost itself, over real HTTP and a real store; it returns a configuration for it.
func provostTarget(t *testing.T) Config {
	t.Helper()
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, t.TempDir(), store.Options{Now: time.Now, Migrate: true, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	service := &access.Service{Keeper: db, Accounts: db, Now: time.Now, Log: quiet}
	key, err := db.Key(ctx, "cursor")
	if err != nil {
		t.Fatal(err)
	}
	server, err := scimserver.New(scimserver.Config{Access: service, Key: key, Requests: db, Log: quiet,
		Directory: func(_ context.Context, tenant access.Tenant) (*directory.Directory, error) {
			return &directory.Directory{Store: db.Directory(tenant.ID), Registry: scim.Default(), Now: time.Now,
				Policy: directory.Policy{UniqueGroupNames: true}, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		web.Close()
		if err := server.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := service.Close(ctx); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	admin := audit.Actor{Kind: "cli"}
	tenant, err := service.CreateTenant(ctx, admin, "acme", "")
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := service.CreateClient(ctx, admin, tenant.ID, access.NewClient{Name: "channel", Rate: -1, Concurrent: -1})
	if err != nil {
		t.Fatal(err)
	}
	return Config{URL: web.URL + "/t/acme/scim/v2", Auth: Auth{Type: "bearer", Token: token}, Allow: []string{"loopback"}}
}

func newClient(t *testing.T, c Config) *Client {
	t.Helper()
	client, err := New(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func user(name string) scim.Resource {
	return scim.Resource{Type: "User", ExternalID: "key-" + name, Attrs: scim.Object{
		"userName": name, "active": true, "name": scim.Object{"givenName": "Given", "familyName": name},
		"emails":              []any{scim.Object{"value": name + "@example.com", "type": "work", "primary": true}},
		scim.EnterpriseSchema: scim.Object{"department": "Sales"},
	}}
}

// updates are the ways in which a profile may change resources; Provost takes all of them.
var updates = []string{Patch, Put, Merge}

func TestClient_LifeOfAUser(t *testing.T) {
	target := provostTarget(t)
	for _, mode := range updates {
		t.Run(mode, func(t *testing.T) {
			config := target
			config.Override = &Override{UserUpdate: mode}
			c, ctx := newClient(t, config), t.Context()
			name := "ann-" + mode
			made, err := c.Create(ctx, user(name))
			if err != nil || made.ID == "" {
				t.Fatalf("Create = %+v, %v", made, err)
			}
			for attr, value := range map[string]string{"userName": name, "externalId": "key-" + name, `emails[type eq "work"].value`: name + "@example.com"} {
				found, err := c.Find(ctx, "User", attr, value)
				if err != nil || len(found) != 1 || found[0].ID != made.ID {
					t.Errorf("Find %s = %v, %v, want %s", attr, found, err, made.ID)
				}
			}
			_, err = c.Create(ctx, user(name))
			if e := asError(t, err); !e.Conflict() || e.Unknown || e.Retryable() {
				t.Errorf("second Create = %v, want a conflict", err)
			}
			want := user(name)
			want.ID = made.ID
			want.Attrs["title"] = "Boss"
			want.Attrs["active"] = false
			want.Attrs[scim.EnterpriseSchema] = scim.Object{"division": "West"}
			if err := c.Update(ctx, want, []scim.Op{{Op: "add", Path: "title", Value: "Boss"}, {Op: "replace", Path: "active", Value: false},
				{Op: "remove", Path: scim.EnterpriseSchema + ":department"}, {Op: "add", Path: scim.EnterpriseSchema + ":division", Value: "West"}}); err != nil {
				t.Fatal(err)
			}
			got, err := c.Get(ctx, "User", made.ID)
			ext, _ := got.Attrs[scim.EnterpriseSchema].(scim.Object)
			if err != nil || got.Attrs["title"] != "Boss" || got.Attrs["active"] != false || ext["division"] != "West" || ext["department"] != nil {
				t.Errorf("after Update: %+v, %v", got, err)
			}
			for range 2 {
				if err := c.Delete(ctx, "User", made.ID); err != nil {
					t.Errorf("Delete: %v", err)
				}
			}
			if _, err := c.Get(ctx, "User", made.ID); !IsMissing(err) {
				t.Errorf("Get of a deleted user = %v, want missing", err)
			}
		})
	}
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("error = %T %v, want *Error", err, err)
	}
	return e
}

func TestClient_MembersOfAGroup(t *testing.T) {
	target := provostTarget(t)
	setup := newClient(t, target)
	var ids []string
	for _, name := range []string{"a", "b", "c", "d"} {
		made, err := setup.Create(t.Context(), user(name))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.ID)
	}
	for _, mode := range updates {
		for _, remove := range []string{RemoveFilter, RemoveValues} {
			t.Run(mode+" "+remove, func(t *testing.T) {
				config := target
				config.Override = &Override{GroupUpdate: mode, Remove: remove}
				c, ctx := newClient(t, config), t.Context()
				g, err := c.Create(ctx, scim.Resource{Type: "Group", Attrs: scim.Object{"displayName": mode + remove}})
				if err != nil {
					t.Fatal(err)
				}
				for _, step := range []struct{ add, remove, want []string }{
					{add: ids[:3], want: ids[:3]},
					{add: ids[2:], remove: ids[:1], want: ids[1:]},
					{remove: ids[1:3], want: ids[3:]},
				} {
					if err := c.Members(ctx, g.ID, step.add, step.remove); err != nil {
						t.Fatal(err)
					}
					if got := membersOf(t, c, g.ID); !sameSet(got, step.want) {
						t.Fatalf("members = %v, want %v", got, step.want)
					}
				}
				g.Attrs = scim.Object{"displayName": "renamed " + mode + remove}
				if err := c.Update(ctx, g, []scim.Op{{Op: "replace", Path: "displayName", Value: "renamed " + mode + remove}}); err != nil {
					t.Fatal(err)
				}
				if got := membersOf(t, c, g.ID); !sameSet(got, ids[3:]) {
					t.Errorf("members after a rename = %v, want %v", got, ids[3:])
				}
			})
		}
	}
}

func membersOf(t *testing.T, c *Client, id string) []string {
	t.Helper()
	g, err := c.GetWithMembers(t.Context(), id)
	if err != nil || !g.HasMembers && len(g.Members) > 0 {
		t.Fatal(err)
	}
	var list []string
	for _, m := range g.Members {
		list = append(list, m.Value)
	}
	return list
}

func sameSet(a, b []string) bool {
	seen := map[string]int{}
	for _, s := range a {
		seen[s]++
	}
	for _, s := range b {
		seen[s]--
	}
	for _, n := range seen {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestClient_ListIsWhole(t *testing.T) {
	config := provostTarget(t)
	page := 7
	config.Override = &Override{PageSize: &page}
	c := newClient(t, config)
	want := map[string]bool{}
	for i := range 30 {
		made, err := c.Create(t.Context(), user("u"+string(rune('a'+i))))
		if err != nil {
			t.Fatal(err)
		}
		want[made.ID] = true
	}
	if err := c.List(t.Context(), "User", "", func(r scim.Resource) error {
		if !want[r.ID] {
			t.Errorf("%s came twice or is foreign", r.ID)
		}
		delete(want, r.ID)
		return nil
	}); err != nil || len(want) != 0 {
		t.Errorf("List: %v; %d users did not come", err, len(want))
	}
}

func TestClient_TestReportsEachAnswer(t *testing.T) {
	config := provostTarget(t)
	r, err := newClient(t, config).Test(t.Context())
	if err != nil || len(r.Lines) != 5 {
		t.Fatalf("Test = %+v, %v", r, err)
	}
	for _, l := range r.Lines {
		if l.Verdict != Good || l.Asked == "" || l.Answered == "" {
			t.Errorf("line %+v, want ok", l)
		}
	}
	config.Auth.Token += "x"
	r, err = newClient(t, config).Test(t.Context())
	last := r.Lines[len(r.Lines)-1]
	if e := asError(t, err); !e.Denied() || last.Verdict != Bad || last.Next == "" {
		t.Errorf("with a wrong token: %v, %+v", err, last)
	}
}
