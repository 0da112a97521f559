package console

import (
	"net/http"
	"time"

	"github.com/provost-scim/provost/access"
)

// clientRow is a client with the credential that counts.
type clientRow struct {
	access.Client
	State   string // "live", "waiting" for its first request, "expired" or "revoked"
	Token   access.Token
	Has     bool // Token is there
	Tokens  int  // live ones
	LastUse access.Token
}

// integrationPage is the SCIM integration of a tenant.
type integrationPage struct {
	frame
	URL      string
	Clients  []clientRow
	Profiles []access.Profile
	Asked    string // profile to begin with
}

func listClients(c *call) error {
	page := integrationPage{frame: c.frame("SCIM integration", "integration"), URL: c.scimBase(c.r, c.tenant), Profiles: access.Profiles, Asked: c.query("profile")}
	clients, err := c.Access.Clients(c.r.Context(), c.tenant.ID)
	if err != nil {
		return err
	}
	for _, client := range clients {
		tokens, err := c.Access.TokenList(c.r.Context(), client)
		if err != nil {
			return err
		}
		page.Clients = append(page.Clients, describeClient(client, tokens, c.Now()))
	}
	return c.show(http.StatusOK, "integration", page)
}

// describeClient finds the newest credential, the last use of any and the state. Tokens are newest first.
func describeClient(client access.Client, tokens []access.Token, now time.Time) clientRow {
	row := clientRow{Client: client, State: "expired"}
	for _, t := range tokens {
		if t.Live(now) {
			row.Tokens++
		}
		if !row.Has || !row.Token.Live(now) && t.Live(now) {
			row.Token, row.Has = t, true
		}
		if t.LastUsed.After(row.LastUse.LastUsed) {
			row.LastUse = t
		}
	}
	switch {
	case !client.Revoked.IsZero():
		row.State = "revoked"
	case row.Tokens > 0 && row.LastUse.LastUsed.IsZero():
		row.State = "waiting"
	case row.Tokens > 0:
		row.State = "live"
	}
	return row
}
