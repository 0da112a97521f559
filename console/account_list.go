package console

import (
	"net/http"

	"github.com/provost-scim/provost/access"
)

// accountRow is an administrator or service account.
type accountRow struct {
	access.Account
	Scope string // name of its tenant, "" for all
	State string // "live", "waiting" for its password, "disabled" or "expired"
	Mine  bool   // it is who looks at the page
}

// accountsPage lists administrators and service accounts.
type accountsPage struct {
	frame
	Rows    []accountRow
	Tenants []access.Tenant // those that the administrator sees
	Roles   []access.Role
	Secret  string // a link or token, shown this once
	Of      string // whose
}

func listAccounts(c *call) error {
	page := accountsPage{frame: c.frame("Administrators and service accounts", "accounts"), Roles: []access.Role{access.ReadOnly, access.Administrator, access.Owner}}
	page.Secret, page.Of = c.sessions.reveal(c.session, "account"), c.sessions.reveal(c.session, "account of")
	tenants, err := c.Access.Tenants(c.r.Context())
	if err != nil {
		return err
	}
	names := map[int64]string{}
	for _, t := range tenants {
		names[t.ID] = t.Name
		if c.sees(t.ID) {
			page.Tenants = append(page.Tenants, t)
		}
	}
	all, err := c.Access.AccountList(c.r.Context())
	if err != nil {
		return err
	}
	for _, a := range all {
		if c.me.Tenant != 0 && a.Tenant != c.me.Tenant {
			continue
		}
		row := accountRow{Account: a, Scope: names[a.Tenant], State: "live", Mine: a.ID == c.me.ID}
		switch {
		case a.Disabled:
			row.State = "disabled"
		case !a.Live(c.Now()):
			row.State = "expired"
		case !a.Service && !a.HasPassword():
			row.State = "waiting"
		}
		page.Rows = append(page.Rows, row)
	}
	return c.show(http.StatusOK, "accounts", page)
}
