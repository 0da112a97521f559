package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/console"
	"github.com/provost-scim/provost/store"
)

type serveCmd struct {
	storeFlags
	serverFlags
	logFlags
	noticeFlags
	Migrate bool `help:"Bring a PostgreSQL store to the form this program needs first; SQLite is always brought there."`
}

// serverFlags say how a server listens.
type serverFlags struct {
	Listen      string `placeholder:"ADDR" default:"127.0.0.1:8080" help:"Address to listen on; :8080 is every address of the machine."`
	PublicURL   string `name:"public-url" placeholder:"URL" help:"Address under which clients reach the server, if it is another one; without it, the one they used."`
	Domain      string `placeholder:"DOMAIN" help:"Also serve every tenant at https://TENANT.DOMAIN."`
	TLSCert     string `name:"tls-cert" placeholder:"FILE" and:"tls" help:"Certificate chain in PEM; read again when the file changes."`
	TLSKey      string `name:"tls-key" placeholder:"FILE" and:"tls" help:"Its private key in PEM."`
	OpsListen   string `placeholder:"ADDR" default:"127.0.0.1:9090" help:"Address for /healthz/live, /healthz/ready and /metrics, without authentication; \"off\" for none."`
	TenantLabel bool   `default:"true" negatable:"" help:"Label metrics by tenant."`
}

// Deadlines and limits of the HTTP servers.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 60 * time.Second
	writeTimeout      = 120 * time.Second
	idleTimeout       = 120 * time.Second
	maxHeaderBytes    = 32 << 10
	stopTimeout       = 10 * time.Second // from the signal to the end, whatever is still under way
)

func (c *serveCmd) Run(ctx context.Context, t *terminal) error {
	log := c.logger(t.err)
	db, err := c.openAny(ctx, c.Migrate || c.Database == "", log)
	if err != nil {
		return err
	}
	defer db.Close()
	running, err := startServer(ctx, db, c.serverFlags, log)
	if err != nil {
		return err
	}
	log.Info("provost serves", "version", thisBuild().Version, "url", running.url, "operations", running.opsURL, "store", c.name())
	running.warn(log, c.serverFlags)
	if err := inviteOwner(ctx, t, offlineAccess(db), c.PublicURL, running.url); err != nil {
		return errors.Join(err, running.stop())
	}
	stopChannels := runChannels(ctx, db, c.Database == "", c.noticeFlags, log)
	select {
	case <-ctx.Done():
		log.Info("stopping")
	case err = <-running.failed:
	}
	stopChannels()
	return errors.Join(err, running.stop())
}

// firstOwner is the name of the administrator that a server without administrators makes.
const firstOwner = "owner@localhost"

// inviteOwner prints a one-time link to the console while nobody can sign in there.
func inviteOwner(ctx context.Context, t *terminal, service *access.Service, public, url string) error {
	_, link, err := service.FirstLink(ctx, audit.Actor{Kind: "system", Name: "first start"}, firstOwner)
	if ctx.Err() != nil {
		return nil // told to stop already: that is no failure
	}
	if err != nil || link == "" {
		return err
	}
	if public == "" {
		public = url
	}
	t.note("Console: nobody can sign in yet. Choose a password for %s within 24 hours:\n  %s%s", firstOwner, strings.TrimRight(public, "/"), console.LinkPath(link))
	return nil
}

// running is a server at work.
type running struct {
	url    string // of the SCIM listener as this machine reaches it
	opsURL string // of the operations listener, "off" if there is none
	bound  net.Addr
	failed <-chan error // a listener that ended by itself
	stop   func() error // ends it within stopTimeout
}

// startServer listens and serves until stop is called. The store stays open.
func startServer(ctx context.Context, db *store.DB, f serverFlags, log *slog.Logger) (_ *running, err error) {
	if f.PublicURL != "" {
		if u, err := url.Parse(f.PublicURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, usage("for example --public-url https://scim.example.com", "--public-url %q is no URL with http or https and a host", f.PublicURL)
		}
	}
	var pair *certificate
	if f.TLSCert != "" {
		if pair, err = openCertificate(f.TLSCert, f.TLSKey, log); err != nil {
			return nil, &failure{what: "the TLS certificate cannot be used", err: err, next: "provost doctor --tls-cert FILE --tls-key FILE", code: exitUsage}
		}
	}
	m := newMetrics(f.TenantLabel)
	tenants, err := newTenantServer(ctx, db, f, m, log)
	if err != nil {
		return nil, err
	}
	handler, stopTraces, err := traced(ctx, tenants.handler())
	if err != nil {
		return nil, &failure{what: "traces cannot be sent", err: err, next: "check the OTEL_EXPORTER_OTLP_ variables", code: exitUsage}
	}
	failed := make(chan error, 2)
	r := &running{failed: failed, opsURL: "off"}
	main := newHTTPServer(handler, log)
	if pair != nil {
		main.TLSConfig = pair.config()
	}
	listener, err := listen(f.Listen)
	if err != nil {
		return nil, errors.Join(err, tenants.close(ctx))
	}
	r.bound = listener.Addr()
	r.url = reachable(listener.Addr(), pair != nil)
	servers := []*http.Server{main}
	var ops net.Listener
	if f.OpsListen != "off" {
		if ops, err = listen(f.OpsListen); err != nil {
			listener.Close()
			return nil, errors.Join(err, tenants.close(ctx))
		}
		r.opsURL = reachable(ops.Addr(), false)
		s := newHTTPServer(operations(readiness(db), m), log)
		servers = append(servers, s)
		go func() { failed <- ended(s.Serve(ops)) }()
	}
	go func() {
		if pair != nil {
			failed <- ended(main.ServeTLS(listener, "", ""))
			return
		}
		failed <- ended(main.Serve(listener))
	}()
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := tenants.janitor(background, m)
	r.stop = func() error {
		within, release := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer release()
		// Requests under way get most of the time, the rest is for what they leave behind.
		answers, enough := context.WithTimeout(within, stopTimeout-2*time.Second)
		defer enough()
		cancel()
		var problems []error
		for _, s := range servers {
			if err := s.Shutdown(answers); err != nil {
				s.Close()
				problems = append(problems, fmt.Errorf("requests were cut off: %w", err))
			}
		}
		<-done
		return errors.Join(append(problems, tenants.close(within), stopTraces(within))...)
	}
	return r, nil
}

// newHTTPServer makes a server that a slow or hostile client cannot hold.
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // broken handshakes and the like: noise of the open network
	}
}

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, &failure{what: "cannot listen on " + address, err: err, next: "stop what uses the address, or choose another with --listen or --ops-listen"}
	}
	return l, nil
}

// ended is nil for a server that was asked to stop.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// reachable is the URL of a listener for somebody on this machine.
func reachable(a net.Addr, secure bool) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// warn says what is probably not meant.
func (r *running) warn(log *slog.Logger, f serverFlags) {
	host, _, _ := net.SplitHostPort(r.bound.String())
	open := !net.ParseIP(host).IsLoopback()
	if open && f.TLSCert == "" && !strings.HasPrefix(f.PublicURL, "https://") {
		log.Warn("tokens travel in plain text: give --tls-cert and --tls-key, or put a TLS proxy in front and name it with --public-url")
	}
	if ops, _, err := net.SplitHostPort(f.OpsListen); err == nil && !net.ParseIP(ops).IsLoopback() && ops != "localhost" {
		log.Warn("the operations listener has no authentication and is not on loopback", "address", f.OpsListen)
	}
}

// readiness are the checks of /healthz/ready.
func readiness(db *store.DB) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"database": db.Ping,
		"migrations": func(ctx context.Context) error {
			pending, err := pendingMigrations(ctx, db)
			if err == nil && len(pending) > 0 {
				err = fmt.Errorf("%d are pending: run provost migrate up", len(pending))
			}
			return err
		},
	}
}
