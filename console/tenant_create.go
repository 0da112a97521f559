package console

func createTenant(c *call) error {
	t, err := c.Access.CreateTenant(c.r.Context(), c.actor(), c.form("name"), c.form("display"))
	if err != nil {
		return c.refused("/", err)
	}
	c.tenant = t
	return c.done(c.path("integration"), "The tenant is made. Add a SCIM client to connect an identity provider.")
}
