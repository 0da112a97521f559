package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/store"
)

type accountCmd struct {
	Create accountCreateCmd `cmd:"" help:"Make an administrator, or a service account and print its token, once."`
	List   accountListCmd   `cmd:"" help:"List administrators and service accounts."`
	Link   accountLinkCmd   `cmd:"" help:"Print a one-time link with which an administrator sets a password."`
	Revoke accountRevokeCmd `cmd:"" help:"End an account, now and for good."`
}

type accountCreateCmd struct {
	storeFlags
	Name    string `arg:"" help:"E-mail address of an administrator, or name of a service account."`
	Role    string `required:"" enum:"owner,administrator,read-only" help:"What the account may do: ${enum}."`
	Service bool   `help:"A service account: a program that has a token."`
	Tenant  string `short:"t" placeholder:"NAME" help:"Only this tenant; without it, all tenants."`
	Expires span   `placeholder:"90d" help:"How long the account works; without it, until it is revoked."`
}

// accountItem is an account as it is printed.
type accountItem struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Name      string     `json:"name"`
	Role      string     `json:"role"`
	Tenant    string     `json:"tenant,omitempty"` // "" for all
	State     string     `json:"state"`
	Created   time.Time  `json:"created"`
	CreatedBy string     `json:"createdBy,omitempty"`
	Expires   *time.Time `json:"expires,omitempty"`
	LastUsed  *time.Time `json:"lastUsed,omitempty"`
	Token     string     `json:"token,omitempty"`
}

func (c *accountCreateCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	service := offlineAccess(db)
	asked := access.NewAccount{Name: c.Name, Role: access.Role(c.Role), Expires: c.Expires.from(time.Now())}
	if c.Tenant != "" {
		tenant, err := service.Tenant(ctx, c.Tenant)
		if errors.Is(err, access.ErrNotFound) {
			return &failure{what: fmt.Sprintf("there is no tenant %q", c.Tenant), kept: "no account was made", next: "provost tenant list " + c.flag()}
		}
		if err != nil {
			return err
		}
		asked.Tenant = tenant.ID
	}
	var account access.Account
	var token string
	if c.Service {
		account, token, err = service.CreateService(ctx, actor(), asked)
	} else {
		account, err = service.CreateAdministrator(ctx, actor(), asked)
	}
	if errors.Is(err, access.ErrExists) {
		return &failure{what: fmt.Sprintf("there is an account %q already", c.Name), kept: "it was left as it is", next: "provost account list " + c.flag()}
	}
	if err != nil {
		return wrong(err, "provost account create --help")
	}
	item := describeAccount(account, c.Tenant, time.Now())
	item.Token = token
	if t.form != "table" {
		return t.show(item)
	}
	t.note("%s %s (%s) has the role %s", item.Kind, item.Name, item.ID, item.Role)
	if c.Service {
		t.note("The token is shown this once; only its hash is kept:")
		_, err = fmt.Fprintln(t.out, token)
		return err
	}
	_, err = fmt.Fprintln(t.out, item.ID)
	return err
}

func describeAccount(a access.Account, tenant string, now time.Time) accountItem {
	item := accountItem{ID: a.ID, Kind: "administrator", Name: a.Name, Role: string(a.Role), Tenant: tenant, State: "live", Created: a.Created,
		CreatedBy: a.CreatedBy, Expires: optional(a.Expires), LastUsed: optional(a.LastUsed)}
	if a.Service {
		item.Kind = "service account"
	}
	switch {
	case a.Disabled:
		item.State = "disabled"
	case !a.Live(now):
		item.State = "expired"
	}
	return item
}

type accountListCmd struct {
	storeFlags
}

func (c *accountListCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	all, names, err := accounts(ctx, db)
	if err != nil {
		return err
	}
	l := t.list("name", "kind", "role", "tenant", "state", "expires", "last used", "id")
	for _, a := range all {
		item := describeAccount(a, names[a.Tenant], time.Now())
		tenant := item.Tenant
		if tenant == "" {
			tenant = "(all)"
		}
		if err := l.row(item, item.Name, item.Kind, item.Role, tenant, item.State, when(a.Expires), when(a.LastUsed), item.ID); err != nil {
			return err
		}
	}
	return l.end("there is no account yet; next: provost account create NAME --role owner " + c.flag())
}

// accounts lists all accounts and the names of tenants by id.
func accounts(ctx context.Context, db *store.DB) ([]access.Account, map[int64]string, error) {
	service := offlineAccess(db)
	all, err := service.AccountList(ctx)
	if err != nil {
		return nil, nil, err
	}
	tenants, err := service.Tenants(ctx)
	if err != nil {
		return nil, nil, err
	}
	names := map[int64]string{}
	for _, t := range tenants {
		names[t.ID] = t.Name
	}
	return all, names, nil
}

type accountRevokeCmd struct {
	storeFlags
	Account string `arg:"" help:"Id or name of the account."`
}

func (c *accountRevokeCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	found, err := findAccount(ctx, db, c.storeFlags, c.Account)
	if err != nil {
		return err
	}
	if err := offlineAccess(db).DeleteAccount(ctx, actor(), found); err != nil {
		return wrong(err, "provost account list "+c.flag())
	}
	t.note("account %s is revoked", found.Name)
	return nil
}

// findAccount returns the account of that id or name.
func findAccount(ctx context.Context, db *store.DB, f storeFlags, idOrName string) (access.Account, error) {
	all, _, err := accounts(ctx, db)
	if err != nil {
		return access.Account{}, err
	}
	var found []access.Account
	for _, a := range all {
		if a.ID == idOrName || strings.EqualFold(a.Name, idOrName) {
			found = append(found, a)
		}
	}
	switch len(found) {
	case 0:
		return access.Account{}, &failure{what: fmt.Sprintf("there is no account %q", idOrName), kept: "nothing was changed", next: "provost account list " + f.flag()}
	case 1:
		return found[0], nil
	}
	return access.Account{}, usage("use the id (provost account list)", "more than one account is named %q", idOrName)
}
