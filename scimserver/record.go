package scimserver

import (
	"strings"
	"time"

	"github.com/provost-scim/provost/audit"
)

// refusalsLogged is how many requests without a valid token are logged per second: enough to see that
// something is wrong, too few to fill a disk.
const refusalsLogged = 10

// record puts the request into the log of its tenant. Requests that name no tenant leave no entry.
func (c *call) record(took time.Duration) {
	if c.log == nil || c.grant.Tenant.ID == 0 {
		return
	}
	if c.grant.Client.ID == "" && !c.refusals.AllowN(c.start, 1) {
		return
	}
	e := audit.Request{
		Time: c.start.UTC(), ID: c.id,
		Client: c.grant.Client.ID, ClientName: c.grant.Client.Name,
		Method: c.r.Method, Path: c.loggedPath(), Status: c.status, Duration: took,
		Resource: c.resource, Addr: remoteAddr(c.r), Agent: clip([]byte(c.r.UserAgent()), maxLoggedAgent),
		Tolerances: c.tolerances, Body: c.body,
	}
	if c.failed != nil {
		e.Error, e.Answer = c.loggedError(c.failed.Error()), c.loggedError(c.reply)
	}
	c.log.add(c.grant.Tenant.ID, e)
}

const maxLoggedAgent = 200

// loggedPath is the path below the base with the query, without secrets.
func (c *call) loggedPath() string {
	path := c.at.rest
	if c.at.oauth {
		path = oauthPath
	}
	if path == "" {
		path = "/"
	}
	if q := c.r.URL.RawQuery; q != "" {
		path += "?" + c.secrets().redactQuery(q)
	}
	return clip([]byte(path), MaxLoggedReply)
}

// loggedError is a text about what went wrong, without secrets.
func (c *call) loggedError(text string) string {
	if c.secretive {
		return "(left out: the request holds a secret)"
	}
	for _, s := range c.hidden {
		text = strings.ReplaceAll(text, s, "[redacted]")
	}
	return clip([]byte(text), MaxLoggedReply)
}
