package console

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
)

// call is one request with what was found out about it.
type call struct {
	*Console
	w       http.ResponseWriter
	r       *http.Request
	id      string
	session *session       // nil if nobody is signed in
	me      access.Account // zero if nobody is signed in
	tenant  access.Tenant  // zero on pages of no tenant
}

// serve finds out who asks for what and refuses what the route does not allow.
func (s *Console) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{Console: s, w: w, r: r, id: requestID()}
		w.Header().Set("X-Request-Id", c.id)
		if err := c.enter(rt); err != nil {
			c.fail(err)
		}
	})
}

func (c *call) enter(rt route) error {
	if err := c.identify(); err != nil {
		return err
	}
	if rt.scope == public {
		return rt.handle(c)
	}
	if c.session == nil {
		return c.askToSignIn()
	}
	switch rt.scope {
	case whole:
		if c.me.Tenant != 0 {
			return forbidden
		}
	case tenant:
		t, err := c.Access.Tenant(c.r.Context(), c.r.PathValue("tenant"))
		if errors.Is(err, access.ErrNotFound) || err == nil && !c.sees(t.ID) {
			return missing // a tenant of others looks like none
		}
		if err != nil {
			return err
		}
		c.tenant = t
	}
	if !c.me.Role.Allows(rt.need) {
		return forbidden
	}
	return rt.handle(c)
}

// identify finds the session and the account it belongs to, as the account is now.
func (c *call) identify() error {
	cookie, err := c.r.Cookie(c.cookieName())
	if err != nil {
		return nil
	}
	found := c.sessions.find(cookie.Value)
	if found == nil {
		return nil
	}
	a, err := c.Access.AccountByID(c.r.Context(), found.account)
	if err != nil && !errors.Is(err, access.ErrNotFound) {
		return err
	}
	if err != nil || !a.Live(c.Now()) || a.Service || a.PasswordMark() != found.mark {
		c.sessions.end(cookie.Value)
		return nil
	}
	c.session, c.me = found, a
	return nil
}

// askToSignIn leads to the sign-in page, and back if a page was asked for.
func (c *call) askToSignIn() error {
	to := "/signin"
	if c.r.Method == http.MethodGet && c.r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(c.r.URL.RequestURI())
	}
	http.Redirect(c.w, c.r, to, http.StatusSeeOther)
	return nil
}

// sees says whether the administrator's scope holds a tenant.
func (c *call) sees(tenant int64) bool { return c.me.Tenant == 0 || c.me.Tenant == tenant }

// may says whether the administrator has at least that role.
func (c *call) may(need access.Role) bool { return c.session != nil && c.me.Role.Allows(need) }

// actor is the administrator for the change log.
func (c *call) actor() audit.Actor {
	return audit.Actor{Kind: "admin", ID: c.me.ID, Name: c.me.Name, Request: c.id}
}

// caller is the administrator as a directory sees it.
func (c *call) caller() directory.Caller { return directory.Caller{Actor: c.actor()} }

func (c *call) directory() (*directory.Directory, error) {
	return c.Directory(c.r.Context(), c.tenant)
}

// path is an address below the tenant's pages.
func (c *call) path(parts ...string) string {
	p := "/t/" + url.PathEscape(c.tenant.Name)
	for _, part := range parts {
		p += "/" + url.PathEscape(part)
	}
	return p
}

// done ends a POST: the page at where shows the notice.
func (c *call) done(where, notice string) error {
	if c.session != nil && notice != "" {
		c.sessions.note(c.session, notice, false)
	}
	http.Redirect(c.w, c.r, where, http.StatusSeeOther)
	return nil
}

// refused ends a POST that could not be done: the page at where shows why. An error that is not the
// administrator's to mend is returned.
func (c *call) refused(where string, err error) error {
	text, ok := explained(err)
	if !ok || c.session == nil {
		return err
	}
	c.sessions.note(c.session, text, true)
	http.Redirect(c.w, c.r, where, http.StatusSeeOther)
	return nil
}

// show writes a page with its status.
func (c *call) show(status int, name string, page any) error {
	var buf bytes.Buffer
	if err := c.templates[name].ExecuteTemplate(&buf, "layout", page); err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.w.WriteHeader(status)
	_, _ = buf.WriteTo(c.w) // the browser may have gone
	return nil
}

// remote is the address of the browser or of the proxy before it.
func (c *call) remote() string {
	host, _, err := net.SplitHostPort(c.r.RemoteAddr)
	if err != nil {
		return c.r.RemoteAddr
	}
	return host
}

// form is a field of the form without spaces around it.
func (c *call) form(name string) string { return strings.TrimSpace(c.r.PostFormValue(name)) }

// query is a parameter of the address.
func (c *call) query(name string) string { return strings.TrimSpace(c.r.URL.Query().Get(name)) }

func requestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}
