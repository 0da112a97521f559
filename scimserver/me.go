package scimserver

import (
	"net/http"
)

// me answers at /Me, the alias of the user that the client is bound to (RFC 7644 §3.11).
func me(c *call) error {
	user := c.grant.Client.User
	t := c.dir.Registry.Type("User")
	if user == "" || t == nil || c.r.Method == http.MethodPost {
		return &statusError{status: http.StatusNotImplemented, detail: "/Me needs a client that is bound to a user; this one is not. Nobody can be created there."}
	}
	c.w.Header()["Content-Location"] = []string{c.location(t, user)}
	return c.one(t, user)
}
