package console

import (
	"errors"

	"github.com/provost-scim/provost/access"
)

// createAccount makes an administrator with a one-time link, or a service account with a token.
func createAccount(c *call) error {
	asked := access.NewAccount{Name: c.form("name"), Role: access.Role(c.form("role")), Tenant: c.me.Tenant}
	var err error
	if asked.Expires, err = c.expiry(); err != nil {
		return c.refused("/accounts", err)
	}
	if name := c.form("tenant"); name != "" {
		t, err := c.Access.Tenant(c.r.Context(), name)
		if errors.Is(err, access.ErrNotFound) || err == nil && !c.sees(t.ID) {
			return c.refused("/accounts", &access.InvalidError{Field: "tenant", Reason: "there is none of that name"})
		}
		if err != nil {
			return err
		}
		asked.Tenant = t.ID
	}
	if c.form("kind") == "service" {
		a, token, err := c.Access.CreateService(c.r.Context(), c.actor(), asked)
		if err != nil {
			return c.refused("/accounts", err)
		}
		return c.reveal(a, token, "The service account is made.")
	}
	a, err := c.Access.CreateAdministrator(c.r.Context(), c.actor(), asked)
	if err != nil {
		return c.refused("/accounts", err)
	}
	return c.link(a, "The administrator is made.")
}

// link makes a one-time link that the next page shows.
func (c *call) link(a access.Account, notice string) error {
	link, err := c.Access.CreateLink(c.r.Context(), c.actor(), a)
	if err != nil {
		return c.refused("/accounts", err)
	}
	return c.reveal(a, c.address(c.r)+LinkPath(link), notice)
}

func (c *call) reveal(a access.Account, secret, notice string) error {
	c.sessions.keep(c.session, "account", secret)
	c.sessions.keep(c.session, "account of", a.Name)
	return c.done("/accounts", notice)
}
