package access

import (
	"context"
	"strings"
	"time"

	"github.com/provost-scim/provost/audit"
)

// NewAccount is what is asked for a new administrator or service account.
type NewAccount struct {
	Name    string // e-mail address of an administrator, name of a service account
	Role    Role
	Tenant  int64     // 0: all tenants
	Expires time.Time // zero: never
}

// Allows says whether a role may do what needs at least the role need.
func (r Role) Allows(need Role) bool { return rank(r) > 0 && rank(r) >= rank(need) }

func rank(r Role) int {
	switch r {
	case Owner:
		return 3
	case Administrator:
		return 2
	case ReadOnly:
		return 1
	}
	return 0
}

// CreateService makes a service account and returns its token, which is shown once and kept nowhere.
func (s *Service) CreateService(ctx context.Context, by audit.Actor, n NewAccount) (Account, string, error) {
	if err := checkName("name", n.Name); err != nil {
		return Account{}, "", err
	}
	plain, id, err := makeToken(s.Random, ServicePrefix)
	if err != nil {
		return Account{}, "", err
	}
	a, err := s.createAccount(ctx, by, n, Account{ID: id, Service: true, Hash: hashOf(plain)})
	if err != nil {
		return Account{}, "", err
	}
	return a, plain, nil
}

// CreateAdministrator makes an administrator, who has no password yet.
func (s *Service) CreateAdministrator(ctx context.Context, by audit.Actor, n NewAccount) (Account, error) {
	n.Name = strings.ToLower(n.Name)
	if err := checkName("name", n.Name); err != nil {
		return Account{}, err
	}
	at := strings.LastIndexByte(n.Name, '@')
	if at < 1 || at == len(n.Name)-1 || strings.ContainsAny(n.Name, " \t<>\",;") {
		return Account{}, invalid("name", "an e-mail address")
	}
	id, err := RandomID(s.Random)
	if err != nil {
		return Account{}, err
	}
	return s.createAccount(ctx, by, n, Account{ID: id})
}

func (s *Service) createAccount(ctx context.Context, by audit.Actor, n NewAccount, a Account) (Account, error) {
	if rank(n.Role) == 0 {
		return Account{}, invalid("role", "%q, %q or %q", Owner, Administrator, ReadOnly)
	}
	if err := s.checkExpiry(n.Expires); err != nil {
		return Account{}, err
	}
	all, err := s.Accounts.AccountList(ctx)
	if err != nil {
		return Account{}, err
	}
	for _, o := range all {
		if o.Service == a.Service && o.Name == n.Name {
			return Account{}, ErrExists
		}
	}
	a.Tenant, a.Name, a.Role, a.Expires = n.Tenant, n.Name, n.Role, n.Expires
	a.Created, a.CreatedBy = s.stamp(), by.Name
	diff := audit.Diff{"name": {After: a.Name}, "role": {After: string(a.Role)}}
	compare(diff, "expires", "", text(a.Expires))
	return a, s.Accounts.SaveAccount(ctx, a, s.event(by, audit.Configure, a.kind(), a.ID, a.Name, diff))
}

// kind is the type of an account in the change log.
func (a Account) kind() string {
	if a.Service {
		return "ServiceAccount"
	}
	return "Administrator"
}

// AccountList lists administrators and service accounts.
func (s *Service) AccountList(ctx context.Context) ([]Account, error) {
	return s.Accounts.AccountList(ctx)
}

// Live says whether an account is neither disabled nor expired.
func (a Account) Live(now time.Time) bool {
	return !a.Disabled && (a.Expires.IsZero() || now.Before(a.Expires))
}

// UpdateAccount stores an account that was read and changed: its role, expiry or whether it is disabled. The
// last live owner of all tenants cannot be taken away: nobody could put it right again.
func (s *Service) UpdateAccount(ctx context.Context, by audit.Actor, before, after Account) error {
	if rank(after.Role) == 0 {
		return invalid("role", "%q, %q or %q", Owner, Administrator, ReadOnly)
	}
	changed := before
	changed.Role, changed.Expires, changed.Disabled = after.Role, after.Expires, after.Disabled
	if !s.owns(changed) {
		if err := s.keepsAnOwner(ctx, before); err != nil {
			return err
		}
	}
	diff := audit.Diff{}
	compare(diff, "role", string(before.Role), string(changed.Role))
	compare(diff, "expires", text(before.Expires), text(changed.Expires))
	compare(diff, "disabled", before.Disabled, changed.Disabled)
	if len(diff) == 0 {
		return nil
	}
	return s.Accounts.SaveAccount(ctx, changed, s.event(by, audit.Configure, before.kind(), before.ID, before.Name, diff))
}

// DeleteAccount removes an account, for good. The last live owner stays, see UpdateAccount.
func (s *Service) DeleteAccount(ctx context.Context, by audit.Actor, a Account) error {
	if err := s.keepsAnOwner(ctx, a); err != nil {
		return err
	}
	diff := audit.Diff{"name": {Before: a.Name}, "role": {Before: string(a.Role)}}
	return s.Accounts.DeleteAccount(ctx, a.ID, s.event(by, audit.Configure, a.kind(), a.ID, a.Name, diff))
}

// owns says whether an account is a person who may do everything everywhere.
func (s *Service) owns(a Account) bool {
	return !a.Service && a.Role == Owner && a.Tenant == 0 && a.Live(s.now())
}

// keepsAnOwner refuses to lose the last owner.
func (s *Service) keepsAnOwner(ctx context.Context, leaving Account) error {
	if !s.owns(leaving) {
		return nil
	}
	all, err := s.Accounts.AccountList(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.ID != leaving.ID && s.owns(a) {
			return nil
		}
	}
	return invalid("role", "%s is the last owner; make another one first", leaving.Name)
}

// AuthenticateService checks the token of a service account. The error is a *Refusal or comes from Accounts.
func (s *Service) AuthenticateService(ctx context.Context, token string) (Account, error) {
	prefix, id, ok := ParseToken(token)
	if !ok || prefix != ServicePrefix {
		return Account{}, refuse("malformed token")
	}
	a, err := s.Accounts.Account(ctx, id)
	if err != nil {
		return Account{}, refusedIfMissing(err, "no such account")
	}
	if !a.Service || !sameHash(token, a.Hash) {
		return Account{}, refuse("wrong secret")
	}
	if !a.Live(s.now()) {
		return Account{}, refuse("account disabled or expired")
	}
	return a, nil
}
