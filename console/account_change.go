package console

import "github.com/provost-scim/provost/access"

func disableAccount(c *call) error { return setDisabled(c, true) }
func enableAccount(c *call) error  { return setDisabled(c, false) }

// setDisabled ends an account's sessions and tokens with its next request, or lets it in again.
func setDisabled(c *call, disabled bool) error {
	a, err := c.account()
	if err != nil {
		return err
	}
	changed := a
	changed.Disabled = disabled
	if err := c.Access.UpdateAccount(c.r.Context(), c.actor(), a, changed); err != nil {
		return c.refused("/accounts", err)
	}
	return c.done("/accounts", map[bool]string{true: "The account is disabled.", false: "The account is enabled."}[disabled])
}

// createLink makes a one-time link for an administrator who has no password or forgot it.
func createLink(c *call) error {
	a, err := c.account()
	if err != nil {
		return err
	}
	return c.link(a, "A one-time link is made.")
}

// account is the account in the path; one outside the administrator's scope looks like none.
func (c *call) account() (access.Account, error) {
	a, err := c.Access.AccountByID(c.r.Context(), c.r.PathValue("account"))
	if err == nil && c.me.Tenant != 0 && a.Tenant != c.me.Tenant {
		err = access.ErrNotFound
	}
	return a, err
}
