package console

import (
	"time"

	"github.com/provost-scim/provost/access"
)

func rotateClient(c *call) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	where := c.path("clients", client.ID)
	expires, err := c.expiry()
	if err != nil {
		return c.refused(where, err)
	}
	still, err := time.ParseDuration(c.form("overlap"))
	if err != nil {
		return c.refused(where, &access.InvalidError{Field: "overlap", Reason: "choose one"})
	}
	kind := access.Static
	if c.form("kind") == string(access.Secret) {
		kind = access.Secret
	}
	_, text, err := c.Access.RotateToken(c.r.Context(), c.actor(), client, kind, expires, still)
	if text != "" {
		c.sessions.keep(c.session, "client "+client.ID, text)
	}
	if err != nil {
		return c.refused(where, err)
	}
	return c.done(where, "A new token is made.")
}
