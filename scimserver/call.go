package scimserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// call is one request in work.
type call struct {
	*Server
	w     http.ResponseWriter
	r     *http.Request
	id    string // request id
	start time.Time
	at    address
	route *Route
	typ   string // {type} of the path
	key   string // {id} of the path

	query  params
	grant  access.Grant
	dir    *directory.Directory
	caller directory.Caller
	base   string

	status     int
	resource   string   // id of the resource the request is about
	tolerances []string // that fired
	body       string   // for the request log
	reply      string   // for the request log
	failed     error    // for the logs
	hidden     []string // secrets that were in the body
	secretive  bool     // an error text could quote a secret: keep it out of the log
}

// serve is the handler: find the route, answer, write the logs. Whatever happens, the request gets an answer
// with its id.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := &call{Server: s, w: w, r: r, id: s.NewID(), start: s.Now()}
	w.Header()["X-Request-Id"] = []string{c.id}
	defer c.finish()
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.Log.Error("panic", "request", c.id, "tenant", c.at.tenant, "panic", p, "stack", string(debug.Stack()))
			c.fail(errors.New("panic"))
		}
	}()
	if err := c.answer(); err != nil {
		c.fail(err)
	}
}

// answer routes, then checks who calls, then does the work.
func (c *call) answer() error {
	var ok bool
	if c.at, ok = c.findAddress(c.r); !ok {
		return &statusError{status: http.StatusNotFound, detail: "There is no SCIM endpoint at this address. The base of a tenant is /t/{tenant}/scim/v2."}
	}
	if err := c.refuseTokenInQuery(); err != nil {
		return err
	}
	if c.at.oauth {
		c.route = &tokenRoute
	} else {
		c.route, c.typ, c.key = match(c.at.rest)
	}
	if c.route != nil && c.route.Guard == Credentials {
		if err := c.allowed(); err != nil {
			return err
		}
		return c.route.handle(c)
	}
	if err := c.authenticate(); err != nil {
		return err
	}
	release, err := c.admit()
	if err != nil {
		return err
	}
	defer release()
	if c.route == nil {
		return &statusError{status: http.StatusNotFound, detail: "There is no endpoint " + scim.Quote(c.at.rest) + "."}
	}
	if err := c.allowed(); err != nil {
		return err
	}
	if err := c.prepare(); err != nil {
		return err
	}
	return c.route.handle(c)
}

// allowed refuses a verb that the route does not have.
func (c *call) allowed() error {
	if slices.Contains(c.route.Methods, c.r.Method) {
		return nil
	}
	return notAllowed(c, c.route.Methods)
}

func notAllowed(c *call, methods []string) error {
	allow := strings.Join(methods, ", ")
	c.w.Header().Set("Allow", allow)
	return &statusError{status: http.StatusMethodNotAllowed, detail: "The method is not allowed here. Allowed are: " + allow + "."}
}

// prepare loads what every handler needs.
func (c *call) prepare() error {
	d, err := c.Directory(c.r.Context(), c.grant.Tenant)
	if err != nil {
		return err
	}
	c.dir = d
	client := c.grant.Client
	c.caller = directory.Caller{
		Actor:       audit.Actor{Kind: "client", ID: client.ID, Name: client.Name, Request: c.id},
		Client:      client.ID,
		Strict:      client.Profile == access.Strict,
		KeepOmitted: client.Profile == access.PingFederate,
	}
	c.base = c.Server.base(c.r, c.at)
	c.query, err = parseQuery(c.r.URL.RawQuery)
	return err
}

// ctx is the context of the request.
func (c *call) ctx() context.Context { return c.r.Context() }

// tolerate notes tolerances that fired, for the request log.
func (c *call) tolerate(names ...string) {
	for _, n := range names {
		if !slices.Contains(c.tolerances, n) {
			c.tolerances = append(c.tolerances, n)
		}
	}
}

// finish reports the request to the metrics and to both logs.
func (c *call) finish() {
	took := c.Now().Sub(c.start)
	name := ""
	if c.route != nil {
		name = c.route.Name
	}
	c.Metrics.Answered(c.grant.Tenant.Name, name, c.r.Method, c.status, took)
	gone := c.ctx().Err() != nil // the client went away: nothing of ours failed
	if c.status >= 500 && !gone {
		c.Log.Error("request failed", "request", c.id, "tenant", c.at.tenant, "client", c.grant.Client.ID,
			"route", name, "method", c.r.Method, "status", c.status, "err", c.failed)
	} else if c.Log.Enabled(c.ctx(), slog.LevelDebug) {
		c.Log.Debug("request", "request", c.id, "tenant", c.at.tenant, "client", c.grant.Client.ID,
			"route", name, "method", c.r.Method, "status", c.status, "took", took)
	}
	c.record(took)
}

// remoteAddr is the address of the peer without its port.
func remoteAddr(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
