package console

import (
	"net/http"
	"time"

	"github.com/provost-scim/provost/access"
)

// clientPage shows a client with its credentials and how to connect it.
type clientPage struct {
	frame
	URL      string
	TokenURL string
	Client   clientRow
	Tokens   []tokenRow
	Secret   string // shown this once; "" on every other request
	OAuth    bool   // the credential is a client secret
	Ended    bool   // the client is revoked
	Overlaps []overlap
}

// tokenRow is a credential with its state.
type tokenRow struct {
	access.Token
	State  string // "live", "expired" or "revoked"
	Prefix string
}

// overlap is how long the old credentials work after a rotation.
type overlap struct {
	Value time.Duration
	Label string
}

var overlaps = []overlap{{time.Hour, "1 hour"}, {24 * time.Hour, "24 hours"}, {0, "not at all: they end now"}}

func showClient(c *call) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	tokens, err := c.Access.TokenList(c.r.Context(), client)
	if err != nil {
		return err
	}
	page := clientPage{frame: c.frame(client.Name, "integration"), URL: c.scimBase(c.r, c.tenant), Client: describeClient(client, tokens, c.Now()),
		TokenURL: c.address(c.r) + "/t/" + c.tenant.Name + "/oauth/token", Secret: c.sessions.reveal(c.session, "client "+client.ID), Ended: !client.Revoked.IsZero(), Overlaps: overlaps}
	page.OAuth = page.Client.Has && page.Client.Token.Kind == access.Secret
	for _, t := range tokens {
		row := tokenRow{Token: t, State: "live", Prefix: access.ScimPrefix}
		if t.Kind == access.Secret {
			row.Prefix = access.SecretPrefix
		}
		switch {
		case !t.Revoked.IsZero() || page.Ended:
			row.State = "revoked"
		case !t.Live(c.Now()):
			row.State = "expired"
		}
		page.Tokens = append(page.Tokens, row)
	}
	return c.show(http.StatusOK, "client", page)
}

// client is the client in the path; only its id is one.
func (c *call) client() (access.Client, error) {
	id := c.r.PathValue("client")
	client, err := c.Access.Client(c.r.Context(), c.tenant.ID, id)
	if err == nil && client.ID != id {
		err = access.ErrNotFound
	}
	return client, err
}
