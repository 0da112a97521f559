package console

import "github.com/provost-scim/provost/access"

func revokeClient(c *call) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := c.Access.RevokeClient(c.r.Context(), c.actor(), client); err != nil {
		return c.refused(c.path("clients", client.ID), err)
	}
	return c.done(c.path("integration"), "The client is revoked with all its tokens.")
}

func revokeToken(c *call) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	tokens, err := c.Access.TokenList(c.r.Context(), client)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.ID != c.r.PathValue("token") {
			continue
		}
		if err := c.Access.RevokeToken(c.r.Context(), c.actor(), t); err != nil {
			return err
		}
		return c.done(c.path("clients", client.ID), "The token is revoked.")
	}
	return access.ErrNotFound
}
