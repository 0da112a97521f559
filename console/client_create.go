package console

import (
	"strconv"
	"time"

	"github.com/provost-scim/provost/access"
)

// MaxTokenDays is the longest life of a token that a form offers.
const MaxTokenDays = 3650

func createClient(c *call) error {
	expires, err := c.expiry()
	if err != nil {
		return c.refused(c.path("integration"), err)
	}
	client, text, err := c.Access.CreateClient(c.r.Context(), c.actor(), c.tenant.ID, access.NewClient{
		Name: c.form("name"), Profile: access.Profile(c.form("profile")), Expires: expires, OAuth: c.form("kind") == string(access.Secret),
	})
	if err != nil {
		return c.refused(c.path("integration"), err)
	}
	c.sessions.keep(c.session, "client "+client.ID, text)
	return c.done(c.path("clients", client.ID), "The client is made.")
}

// expiry reads the days a credential lives; none means that it does not end by itself.
func (c *call) expiry() (time.Time, error) {
	text := c.form("days")
	if text == "" || text == "0" {
		return time.Time{}, nil
	}
	days, err := strconv.Atoi(text)
	if err != nil || days < 1 || days > MaxTokenDays {
		return time.Time{}, &access.InvalidError{Field: "expiry", Reason: "1 to " + strconv.Itoa(MaxTokenDays) + " days"}
	}
	return c.Now().AddDate(0, 0, days), nil
}
