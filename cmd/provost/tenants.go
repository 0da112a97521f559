package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/console"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/scimserver"
	"github.com/provost-scim/provost/store"
)

// offlineAccess is the access service of a command that ends soon; nothing has to be closed.
func offlineAccess(db *store.DB) *access.Service {
	return &access.Service{Keeper: db, Accounts: db, Now: time.Now}
}

// tenantServer is the receiving side: all tenants of one store over HTTP, and the console.
type tenantServer struct {
	db      *store.DB
	access  *access.Service
	scim    *scimserver.Server
	console *console.Console
	log     *slog.Logger

	mu      sync.Mutex
	schemas map[int64]schemas // by tenant
}

// schemas is what is remembered of a tenant's schemas.
type schemas struct {
	registry *scim.Registry
	version  int
	read     time.Time
}

// schemasFor is how long schemas are used without looking whether they changed.
const schemasFor = time.Second

// newTenantServer joins the rooms.
func newTenantServer(ctx context.Context, db *store.DB, f serverFlags, m *metrics, log *slog.Logger) (*tenantServer, error) {
	key, err := db.Key(ctx, "cursor")
	if err != nil {
		return nil, err
	}
	s := &tenantServer{
		db:      db,
		access:  &access.Service{Keeper: db, Accounts: db, Now: time.Now, Log: log},
		log:     log,
		schemas: map[int64]schemas{},
	}
	s.scim, err = scimserver.New(scimserver.Config{
		Access:    s.access,
		Directory: s.directory,
		Key:       key,
		Requests:  db,
		Log:       log,
		PublicURL: f.PublicURL,
		Domain:    f.Domain,
		Now:       time.Now,
		Metrics:   m,
	})
	if err != nil {
		return nil, err
	}
	s.console, err = console.New(console.Config{
		Access:    s.access,
		Directory: s.directory,
		Changes:   func(tenant int64) console.ChangeLog { return db.Directory(tenant) },
		Requests:  db,
		PublicURL: f.PublicURL,
		Log:       log,
		Now:       time.Now,
	})
	return s, err
}

// handler serves every address of the receiving side, and the console. No mux stands before it: the SCIM side must
// see paths as they came. What carries a credential in its header is a program with the wrong address, not a
// browser: it gets an error in SCIM's form.
func (s *tenantServer) handler() http.Handler {
	scim := s.scim.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.scim.Owns(r) || r.Header.Get("Authorization") != "" {
			scim.ServeHTTP(w, r)
			return
		}
		s.console.ServeHTTP(w, r)
	})
}

// close stores what is still in memory.
func (s *tenantServer) close(ctx context.Context) error {
	err := s.scim.Close(ctx)
	if other := s.access.Close(ctx); err == nil {
		err = other
	}
	return err
}

// directory gives the directory of a tenant with its present schemas and policies.
func (s *tenantServer) directory(ctx context.Context, t access.Tenant) (*directory.Directory, error) {
	registry, err := s.registry(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	return newDirectory(s.db.Directory(t.ID), registry, t.Settings), nil
}

// registry gives a tenant's schemas, at most schemasFor old.
func (s *tenantServer) registry(ctx context.Context, tenant int64) (*scim.Registry, error) {
	now := time.Now()
	s.mu.Lock()
	known, ok := s.schemas[tenant]
	s.mu.Unlock()
	if ok && now.Sub(known.read) < schemasFor {
		return known.registry, nil
	}
	text, version, err := s.db.Schemas(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if !ok || version != known.version {
		if known.registry, err = parseSchemas(text); err != nil {
			return nil, err
		}
		known.version = version
	}
	known.read = now
	s.mu.Lock()
	s.schemas[tenant] = known
	s.mu.Unlock()
	return known.registry, nil
}

// Intervals of the background work.
const (
	sweepEvery  = time.Hour
	firstSweep  = time.Minute
	gaugesEvery = 5 * time.Minute
)

// janitor clears away what expired and measures what changes by time alone, until ctx ends; then it closes done.
func (s *tenantServer) janitor(ctx context.Context, m *metrics) (done <-chan struct{}) {
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		sweep, gauges := time.NewTimer(firstSweep), time.NewTimer(0)
		defer sweep.Stop()
		defer gauges.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-sweep.C:
				if _, err := s.db.Sweep(ctx, time.Now()); err != nil {
					s.log.Error("expired data was not cleared away", "err", err)
				} else {
					m.swept.SetToCurrentTime()
				}
				sweep.Reset(sweepEvery)
			case <-gauges.C:
				if err := m.tokens(ctx, s.access, time.Now()); err != nil {
					s.log.Warn("tokens were not looked through", "err", err)
				}
				gauges.Reset(gaugesEvery)
			}
		}
	}()
	return finished
}
