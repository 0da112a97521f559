// Package console is the web console of administrators: pages made on the server, which work without JavaScript.
//
// It holds no rules: a handler reads a form, calls one method of access or directory and shows a page or
// redirects. GET shows and POST acts. Every route says in the route table which role it needs; nothing that a
// page does not show is allowed for that reason.
package console

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
)

// ChangeLog reads the change log of a tenant, newest first: at most limit events before sequence number before,
// 0 for the newest. Empty typ and id mean all.
type ChangeLog interface {
	RecentEvents(ctx context.Context, typ, id string, before int64, limit int) ([]audit.Event, error)
}

// Config is what a Console needs. Access, Directory, Changes and Requests must be set.
type Config struct {
	Access    *access.Service
	Directory func(ctx context.Context, t access.Tenant) (*directory.Directory, error)
	Changes   func(tenant int64) ChangeLog // tenant 0: what belongs to no tenant
	Requests  audit.RequestLog
	PublicURL string // "https://scim.example.com"; "": as the request came
	Log       *slog.Logger
	Now       func() time.Time
}

// Console answers the requests of browsers.
type Console struct {
	Config
	sessions  *sessions
	attempts  *attempts
	templates map[string]*template.Template
	assets    map[string]asset
	handler   http.Handler
}

// New checks a configuration and makes a console of it.
func New(c Config) (*Console, error) {
	if c.Access == nil || c.Directory == nil || c.Changes == nil || c.Requests == nil {
		return nil, errors.New("console: Access, Directory, Changes and Requests are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Console{Config: c, sessions: newSessions(c.Now), attempts: newAttempts(c.Now)}
	var err error
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.templates, err = s.loadTemplates(); err != nil {
		return nil, err
	}
	guard := http.NewCrossOriginProtection()
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil {
			return nil, err
		}
		if err := guard.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			return nil, err
		}
	}
	guard.SetDenyHandler(http.HandlerFunc(s.crossOrigin))
	s.handler = guard.Handler(s.mux())
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header(), s.secure(r))
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	s.handler.ServeHTTP(w, r)
}

// maxForm is the longest body that a form sends, in bytes.
const maxForm = 64 << 10

// policy lets a page use what this server sends and nothing else; no script and no style stands in a page.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func setHeaders(h http.Header, secure bool) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// secure says whether the browser came over TLS.
func (s *Console) secure(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(s.PublicURL, "https://")
}

// address is the scheme and host under which the outside reaches this server.
func (s *Console) address(r *http.Request) string {
	if s.PublicURL != "" {
		return strings.TrimRight(s.PublicURL, "/")
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// scimBase is the SCIM server URL of a tenant.
func (s *Console) scimBase(r *http.Request, t access.Tenant) string {
	return s.address(r) + "/t/" + t.Name + "/scim/v2"
}

// LinkPath is where the one-time link with that secret leads.
func LinkPath(secret string) string { return "/link/" + secret }
