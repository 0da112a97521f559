package console

import (
	"net/http"

	"github.com/provost-scim/provost/access"
)

// tenantsPage lists the tenants that the administrator sees.
type tenantsPage struct {
	frame
	Tenants []access.Tenant
}

func listTenants(c *call) error {
	all, err := c.Access.Tenants(c.r.Context())
	if err != nil {
		return err
	}
	page := tenantsPage{frame: c.frame("Tenants", "tenants")}
	for _, t := range all {
		if c.sees(t.ID) {
			page.Tenants = append(page.Tenants, t)
		}
	}
	return c.show(http.StatusOK, "tenants", page)
}

// openTenant leads to the first page of a tenant.
func openTenant(c *call) error { return c.done(c.path("integration"), "") }
