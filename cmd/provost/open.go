package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

// storeFlags say where the store is. Every command that needs it has them and works beside a running server.
type storeFlags struct {
	Data     string `group:"store" placeholder:"DIR" default:"provost-data" help:"Everything is kept in this folder, in SQLite."`
	Database string `group:"store" placeholder:"URL" help:"Everything is kept in PostgreSQL at this postgres:// URL, and --data is not used. The password comes from the environment or PGPASSFILE."`
}

// where is what store.Open takes.
func (f storeFlags) where() string {
	if f.Database != "" {
		return f.Database
	}
	return f.Data
}

// flag is how the same place is named on another command line, without a password.
func (f storeFlags) flag() string {
	if f.Database == "" {
		return "--data " + f.Data
	}
	return "--database " + f.name()
}

// name is the place for people: the folder, or the URL without its password.
func (f storeFlags) name() string {
	if f.Database == "" {
		return f.Data
	}
	u, err := url.Parse(f.Database)
	if err != nil {
		return "postgres://…"
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	q := u.Query()
	if q.Has("password") {
		q.Del("password")
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// databaseFile is the file that makes a folder a data folder.
const databaseFile = "provost.db"

// exists says whether the folder holds a store; a database is always taken to.
func (f storeFlags) exists() (bool, error) {
	if f.Database != "" {
		return true, nil
	}
	_, err := os.Stat(filepath.Join(f.Data, databaseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// open opens a store that must be there and have the form this program needs.
func (f storeFlags) open(ctx context.Context) (*store.DB, error) {
	there, err := f.exists()
	if err != nil {
		return nil, &failure{what: "the data folder cannot be read", err: err, next: "run this as the user that runs provost serve"}
	}
	if !there {
		return nil, &failure{what: "there is no store in " + f.Data,
			next: "name the folder of the server with --data, or begin one: provost tenant create NAME --data " + f.Data}
	}
	return f.openAny(ctx, false, slog.New(slog.DiscardHandler))
}

// openAny opens a store and makes it if need be; migrate brings it to the form this program needs, without it a
// store in another form is refused.
func (f storeFlags) openAny(ctx context.Context, migrate bool, log *slog.Logger) (*store.DB, error) {
	if f.Database == "" {
		if err := os.MkdirAll(f.Data, 0o700); err != nil {
			return nil, &failure{what: "the data folder cannot be made", err: err, next: "choose another with --data"}
		}
	}
	db, err := store.Open(ctx, f.where(), store.Options{Now: time.Now, Log: log, Migrate: migrate, Inspect: !migrate})
	if err != nil {
		return nil, f.unopened(err)
	}
	pending, err := pendingMigrations(ctx, db)
	if err != nil {
		db.Close()
		return nil, f.unopened(err)
	}
	if len(pending) > 0 {
		db.Close()
		return nil, f.outdated(len(pending), exitFailed)
	}
	return db, nil
}

// outdated is the failure of a store that must be migrated first.
func (f storeFlags) outdated(pending, code int) error {
	return &failure{what: fmt.Sprintf("the store at %s is older than this program: %d migrations are pending", f.name(), pending),
		kept: "nothing was changed", next: "provost backup create FILE " + f.flag() + ", then provost migrate up " + f.flag(), code: code}
}

func (f storeFlags) unopened(err error) error {
	return &failure{what: "the store at " + f.name() + " cannot be opened", err: err, kept: "nothing was changed", next: "provost doctor " + f.flag()}
}

// tenantFlags name a tenant in a store.
type tenantFlags struct {
	storeFlags
	Tenant string `short:"t" required:"" placeholder:"NAME" help:"The tenant."`
}

// room is an opened tenant.
type room struct {
	db        *store.DB
	access    *access.Service
	tenant    access.Tenant
	directory *directory.Directory
}

func (r *room) close() { r.db.Close() }

// open opens the tenant; the caller closes the room.
func (f tenantFlags) open(ctx context.Context) (*room, error) {
	db, err := f.storeFlags.open(ctx)
	if err != nil {
		return nil, err
	}
	r := &room{db: db, access: offlineAccess(db)}
	if r.tenant, err = r.access.Tenant(ctx, f.Tenant); err != nil {
		db.Close()
		if errors.Is(err, access.ErrNotFound) {
			return nil, &failure{what: fmt.Sprintf("there is no tenant %q in %s", f.Tenant, f.name()), next: "provost tenant list " + f.flag()}
		}
		return nil, err
	}
	registry, err := registryOf(ctx, db, r.tenant.ID)
	if err != nil {
		db.Close()
		return nil, err
	}
	r.directory = newDirectory(db.Directory(r.tenant.ID), registry, r.tenant.Settings)
	return r, nil
}

// newDirectory joins a tenant's store, schemas and policies.
func newDirectory(s directory.Store, g *scim.Registry, settings access.Settings) *directory.Directory {
	return &directory.Directory{
		Store:    s,
		Registry: g,
		Policy: directory.Policy{
			UniqueGroupNames: settings.UniqueGroupNames,
			Reactivate:       settings.Rehire == access.RehireReactivate,
		},
		Now:   time.Now,
		NewID: newID,
	}
}

// newID makes an id that sorts by the time it was made.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// actor is who works on the command line.
func actor() audit.Actor {
	a := audit.Actor{Kind: "cli"}
	if u, err := user.Current(); err == nil {
		a.Name = u.Username
	}
	return a
}
