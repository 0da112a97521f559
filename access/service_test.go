package access_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/store"
	"github.com/provost-scim/provost/store/pgtest"
)

var cli = audit.Actor{Kind: "cli"}

type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// node is one process over a shared database.
func node(t *testing.T, db *store.DB, c *clock) *access.Service {
	s := &access.Service{Keeper: db, Accounts: db, Now: c.Now}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func onBothStores(t *testing.T, test func(t *testing.T, db *store.DB, c *clock)) {
	for name, where := range map[string]func() string{"sqlite": func() string { return t.TempDir() }, "postgres": func() string { return pgtest.URL(t) }} {
		t.Run(name, func(t *testing.T) {
			c := &clock{}
			db, err := store.Open(t.Context(), where(), store.Options{Now: c.Now, Migrate: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			test(t, db, c)
		})
	}
}

func tenantAndClient(t *testing.T, s *access.Service, name string) (access.Tenant, access.Client, string) {
	t.Helper()
	tenant, err := s.CreateTenant(t.Context(), cli, name, "")
	if err != nil {
		t.Fatal(err)
	}
	client, token, err := s.CreateClient(t.Context(), cli, tenant.ID, access.NewClient{Name: "Entra"})
	if err != nil {
		t.Fatal(err)
	}
	return tenant, client, token
}

// valid asks a node about a token.
func valid(t *testing.T, s *access.Service, tenant, token string) bool {
	t.Helper()
	_, err := s.Authenticate(t.Context(), tenant, token)
	if err == nil {
		return true
	}
	if _, refused := errors.AsType[*access.Refusal](err); !refused {
		t.Fatal(err)
	}
	return false
}

func TestRotation(t *testing.T) {
	onBothStores(t, func(t *testing.T, db *store.DB, c *clock) {
		s, ctx := node(t, db, c), t.Context()
		_, client, first := tenantAndClient(t, s, "acme")
		_, second, err := s.RotateToken(ctx, cli, client, access.Static, time.Time{}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if !valid(t, s, "acme", first) || !valid(t, s, "acme", second) {
			t.Error("both tokens should be valid in the overlap")
		}
		c.advance(time.Hour + time.Second)
		if valid(t, s, "acme", first) || !valid(t, s, "acme", second) {
			t.Error("after the overlap only the new token is valid")
		}
		_, third, err := s.RotateToken(ctx, cli, client, access.Static, time.Time{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if valid(t, s, "acme", second) || !valid(t, s, "acme", third) {
			t.Error("without overlap the old token ends at once")
		}
		for _, overlap := range []time.Duration{-1, access.MaxOverlap + 1} {
			if _, _, err := s.RotateToken(ctx, cli, client, access.Static, time.Time{}, overlap); err == nil {
				t.Errorf("overlap %v is accepted", overlap)
			}
		}
		list, err := s.TokenList(ctx, client)
		if err != nil || len(list) != 3 {
			t.Fatalf("%d tokens, %v", len(list), err)
		}
		for _, k := range list {
			if bytes.Contains(k.Hash, []byte(third)) || k.Hint == "" || len(k.Hash) != 32 {
				t.Errorf("kept of a token: %+v", k)
			}
		}
	})
}

// TestRevocationOnEveryNode: another node may have read the token just before; a second later it refuses.
func TestRevocationOnEveryNode(t *testing.T) {
	onBothStores(t, func(t *testing.T, db *store.DB, c *clock) {
		here, there := node(t, db, c), node(t, db, c)
		for _, end := range []struct {
			name string
			do   func(tenant access.Tenant, client access.Client) error
		}{
			{"token", func(_ access.Tenant, client access.Client) error {
				list, err := here.TokenList(t.Context(), client)
				if err != nil {
					return err
				}
				return here.RevokeToken(t.Context(), cli, list[0])
			}},
			{"client", func(_ access.Tenant, client access.Client) error { return here.RevokeClient(t.Context(), cli, client) }},
			{"tenant", func(tenant access.Tenant, _ access.Client) error {
				return here.DisableTenant(t.Context(), cli, tenant.Name, true)
			}},
			{"delete", func(tenant access.Tenant, _ access.Client) error { return here.DeleteTenant(t.Context(), tenant.Name) }},
		} {
			tenant, client, token := tenantAndClient(t, here, "t-"+end.name)
			if !valid(t, here, tenant.Name, token) || !valid(t, there, tenant.Name, token) {
				t.Fatalf("%s: not valid before", end.name)
			}
			if err := end.do(tenant, client); err != nil {
				t.Fatal(err)
			}
			if valid(t, here, tenant.Name, token) {
				t.Errorf("%s: still valid where it ended", end.name)
			}
			c.advance(time.Second)
			if valid(t, there, tenant.Name, token) {
				t.Errorf("%s: still valid on another node after a second", end.name)
			}
		}
	})
}

func TestLastUsed(t *testing.T) {
	onBothStores(t, func(t *testing.T, db *store.DB, c *clock) {
		s := &access.Service{Keeper: db, Accounts: db, Now: c.Now}
		_, client, token := tenantAndClient(t, s, "acme")
		g, err := s.Authenticate(t.Context(), "acme", token)
		if err != nil {
			t.Fatal(err)
		}
		s.Used(g, "10.0.0.1", strings.Repeat("é", 200))
		c.advance(time.Minute)
		s.Used(g, "10.0.0.2", "Okta SCIM Client 1.0.0")
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := node(t, db, c).TokenList(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		k := list[0]
		if age := c.Now().Sub(k.LastUsed); age > 5*time.Second || k.LastAddr != "10.0.0.2" || k.LastAgent != "Okta SCIM Client 1.0.0" {
			t.Errorf("last used %v ago from %q by %q", age, k.LastAddr, k.LastAgent)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("a second Close: %v", err)
		}
	})
}

func TestClientRules(t *testing.T) {
	onBothStores(t, func(t *testing.T, db *store.DB, c *clock) {
		s, ctx := node(t, db, c), t.Context()
		tenant, client, _ := tenantAndClient(t, s, "acme")
		if client.Rate != access.DefaultRate || client.Concurrent != access.DefaultConcurrent || client.Profile != access.Generic {
			t.Errorf("defaults: %+v", client)
		}
		if _, _, err := s.CreateClient(ctx, cli, tenant.ID, access.NewClient{Name: "Entra"}); !errors.Is(err, access.ErrExists) {
			t.Errorf("second client of that name: %v", err)
		}
		if _, err := s.CreateTenant(ctx, cli, "acme", ""); !errors.Is(err, access.ErrExists) {
			t.Errorf("second tenant of that name: %v", err)
		}
		for name, n := range map[string]access.NewClient{
			"no name":      {},
			"control":      {Name: "a\x00b"},
			"spaces":       {Name: " a"},
			"profile":      {Name: "a", Profile: "x"},
			"rate":         {Name: "a", Rate: 1e9},
			"burst":        {Name: "a", Burst: -1},
			"already over": {Name: "a", Expires: c.Now().Add(-time.Second)},
		} {
			if _, _, err := s.CreateClient(ctx, cli, tenant.ID, n); err == nil {
				t.Errorf("%s: accepted", name)
			} else if _, ok := errors.AsType[*access.InvalidError](err); !ok {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, err := s.Client(ctx, tenant.ID, "Entra"); err != nil || got.ID != client.ID {
			t.Errorf("by name: %+v, %v", got, err)
		}
		if _, err := s.Client(ctx, tenant.ID, "nobody"); !errors.Is(err, access.ErrNotFound) {
			t.Errorf("missing client: %v", err)
		}
		if err := s.RenameTenant(ctx, cli, "acme", "globex"); err != nil {
			t.Fatal(err)
		}
		_, token, err := s.CreateToken(ctx, cli, client, access.Static, time.Time{})
		if err != nil || !valid(t, s, "globex", token) || valid(t, s, "acme", token) {
			t.Errorf("after a rename, %v", err)
		}
		if err := s.RevokeClient(ctx, cli, client); err != nil {
			t.Fatal(err)
		}
		client, _ = s.Client(ctx, tenant.ID, client.ID)
		if _, _, err := s.CreateToken(ctx, cli, client, access.Static, time.Time{}); err == nil {
			t.Error("a revoked client gets a token")
		}
		events, err := db.Directory(tenant.ID).Events(ctx, "", "", 0, 100)
		if err != nil || len(events) < 5 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		for _, e := range events {
			if e.Action != audit.Configure || strings.Contains(string(e.Change), "pvst_") {
				t.Errorf("event %+v: %s", e, e.Change)
			}
		}
	})
}

func TestAccounts(t *testing.T) {
	onBothStores(t, func(t *testing.T, db *store.DB, c *clock) {
		s, ctx := node(t, db, c), t.Context()
		robot, token, err := s.CreateService(ctx, cli, access.NewAccount{Name: "robot", Role: access.ReadOnly, Expires: c.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.AuthenticateService(ctx, token); err != nil || got.ID != robot.ID || !got.Role.Allows(access.ReadOnly) || got.Role.Allows(access.Administrator) {
			t.Errorf("service account: %+v, %v", got, err)
		}
		if _, err := s.AuthenticateService(ctx, token[:len(token)-7]+"0000000"); err == nil {
			t.Error("a made-up token is accepted")
		}
		if _, _, err := s.CreateService(ctx, cli, access.NewAccount{Name: "robot", Role: access.ReadOnly}); !errors.Is(err, access.ErrExists) {
			t.Errorf("second of that name: %v", err)
		}
		c.advance(2 * time.Hour)
		if _, err := s.AuthenticateService(ctx, token); err == nil {
			t.Error("an expired account is accepted")
		}
		ann, err := s.CreateAdministrator(ctx, cli, access.NewAccount{Name: "Ann@x.test", Role: access.Owner})
		if err != nil || ann.Name != "ann@x.test" {
			t.Fatal(ann, err)
		}
		for _, bad := range []access.NewAccount{{Name: "ann", Role: access.Owner}, {Name: "bob@x.test", Role: "king"}, {Name: "bob@x.test"}} {
			if _, err := s.CreateAdministrator(ctx, cli, bad); err == nil {
				t.Errorf("%+v is accepted", bad)
			}
		}
		lower := ann
		lower.Role = access.ReadOnly
		off := ann
		off.Disabled = true
		if s.UpdateAccount(ctx, cli, ann, lower) == nil || s.UpdateAccount(ctx, cli, ann, off) == nil || s.DeleteAccount(ctx, cli, ann) == nil {
			t.Error("the last owner was taken away")
		}
		if _, err := s.CreateAdministrator(ctx, cli, access.NewAccount{Name: "bob@x.test", Role: access.Owner}); err != nil {
			t.Fatal(err)
		}
		if err := s.UpdateAccount(ctx, cli, ann, lower); err != nil {
			t.Error(err)
		}
		if err := s.DeleteAccount(ctx, cli, ann); err != nil {
			t.Error(err)
		}
		if list, err := s.AccountList(ctx); err != nil || len(list) != 2 {
			t.Errorf("%d accounts, %v", len(list), err)
		}
	})
}

// A rotation keeps the lifetime: a token that expires is not followed by one that never does.
func TestRotation_KeepsTheLifetime(t *testing.T) {
	onBothStores(t, func(t *testing.T, db *store.DB, c *clock) {
		s, ctx := node(t, db, c), t.Context()
		_, client, _ := tenantAndClient(t, s, "acme")
		const month = 30 * 24 * time.Hour
		c.advance(time.Second) // the newest token is told by its time
		if _, _, err := s.CreateToken(ctx, cli, client, access.Static, c.Now().Add(month)); err != nil {
			t.Fatal(err)
		}
		c.advance(24 * time.Hour)
		got, _, err := s.RotateToken(ctx, cli, client, access.Static, time.Time{}, time.Hour)
		if err != nil || got.Expires.Sub(got.Created).Round(time.Second) != month {
			t.Errorf("the new token lives %v, %v; want %v", got.Expires.Sub(got.Created), err, month)
		}
	})
}
