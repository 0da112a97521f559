package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/store"
)

// passwords is a service over a real store with an owner, and a clock that the test moves.
func passwords(t *testing.T) (s *access.Service, owner access.Account, ahead *time.Duration) {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir(), store.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ahead = new(time.Duration)
	s = &access.Service{Keeper: db, Accounts: db, Now: func() time.Time { return time.Now().Add(*ahead) }}
	owner, err = s.CreateAdministrator(t.Context(), audit.Actor{Kind: "cli"}, access.NewAccount{Name: "Ann@Example.com", Role: access.Owner})
	if err != nil {
		t.Fatal(err)
	}
	return s, owner, ahead
}

func refused(err error) bool {
	_, ok := errors.AsType[*access.Refusal](err)
	return ok
}

func TestPassword_LinkWorksOnce(t *testing.T) {
	s, owner, _ := passwords(t)
	ctx, by := t.Context(), audit.Actor{Kind: "cli"}
	replaced, err := s.CreateLink(ctx, by, owner)
	if err != nil {
		t.Fatal(err)
	}
	owner, _ = s.AccountByID(ctx, owner.ID)
	link, err := s.CreateLink(ctx, by, owner)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.LinkAccount(ctx, replaced); !refused(err) {
		t.Errorf("a replaced link: %v", err)
	}
	for _, bad := range []string{"short", strings.Repeat("x", access.MaxPassword+1), "ann@example.com", "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4"} {
		if _, err := s.SetPassword(ctx, link, bad); err == nil || refused(err) {
			t.Errorf("password %.20q: %v", bad, err)
		}
	}
	if _, err := s.SetPassword(ctx, link, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetPassword(ctx, link, "another password"); !refused(err) {
		t.Errorf("the link a second time: %v", err)
	}
	stored, err := s.AccountByID(ctx, owner.ID)
	if err != nil || strings.Contains(string(stored.Hash), "correct horse") || strings.Contains(string(stored.Hash), link) {
		t.Errorf("stored %q, %v", stored.Hash, err)
	}
	if a, err := s.SignIn(ctx, " ANN@example.com ", "correct horse battery"); err != nil || a.ID != owner.ID || a.LastUsed.IsZero() {
		t.Errorf("sign-in: %+v, %v", a, err)
	}
}

func TestPassword_RefusesAlike(t *testing.T) {
	s, owner, ahead := passwords(t)
	ctx, by := t.Context(), audit.Actor{Kind: "cli"}
	if _, err := s.SignIn(ctx, owner.Name, ""); !refused(err) {
		t.Errorf("no password set: %v", err)
	}
	link, _ := s.CreateLink(ctx, by, owner)
	*ahead = access.LinkFor
	if _, err := s.LinkAccount(ctx, link); !refused(err) {
		t.Errorf("an expired link: %v", err)
	}
	*ahead = 0
	a, err := s.SetPassword(ctx, link, "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, password string }{
		{owner.Name, "wrong horse battery"}, {"nobody@example.com", "correct horse battery"}, {owner.Name, ""},
		{owner.Name, strings.Repeat("x", access.MaxPassword+1)}, {"", ""},
	} {
		if _, err := s.SignIn(ctx, c.name, c.password); !refused(err) {
			t.Errorf("%q with %.20q: %v", c.name, c.password, err)
		}
	}
	other, err := s.CreateAdministrator(ctx, by, access.NewAccount{Name: "ben@example.com", Role: access.Owner})
	if err != nil {
		t.Fatal(err)
	}
	disabled := a
	disabled.Disabled = true
	if err := s.UpdateAccount(ctx, by, a, disabled); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SignIn(ctx, a.Name, "correct horse battery"); !refused(err) {
		t.Errorf("a disabled account: %v", err)
	}
	if _, err := s.CreateLink(ctx, by, disabled); err == nil {
		t.Error("a disabled account got a link")
	}
	service, token, err := s.CreateService(ctx, by, access.NewAccount{Name: "robot", Role: access.Owner})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateLink(ctx, by, service); err == nil {
		t.Error("a service account got a link")
	}
	if _, err := s.LinkAccount(ctx, token); !refused(err) {
		t.Errorf("a service token as a link: %v", err)
	}
	if other.HasPassword() || !a.HasPassword() || a.PasswordMark() == other.PasswordMark() {
		t.Error("HasPassword or PasswordMark do not tell accounts apart")
	}
}

func TestPassword_FirstLink(t *testing.T) {
	db, err := store.Open(t.Context(), t.TempDir(), store.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := &access.Service{Keeper: db, Accounts: db, Now: time.Now}
	ctx, by := t.Context(), audit.Actor{Kind: "system"}
	_, first, err := s.FirstLink(ctx, by, "owner@localhost")
	if err != nil || first == "" {
		t.Fatal(first, err)
	}
	_, second, err := s.FirstLink(ctx, by, "owner@localhost")
	if err != nil || second == "" {
		t.Fatalf("while nobody has a password there is a link at each start: %q, %v", second, err)
	}
	if _, err := s.LinkAccount(ctx, first); !refused(err) {
		t.Errorf("the link of the first start still works: %v", err)
	}
	if _, err := s.SetPassword(ctx, second, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	if _, third, err := s.FirstLink(ctx, by, "owner@localhost"); err != nil || third != "" {
		t.Errorf("with a password there is still a link: %q, %v", third, err)
	}
}
