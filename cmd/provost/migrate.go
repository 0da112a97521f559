package main

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/provost-scim/provost/store"
)

type migrateCmd struct {
	Status migrateStatusCmd `cmd:"" help:"Say whether the store has the form that this program needs; exit code 3 if not."`
	Up     migrateUpCmd     `cmd:"" help:"Bring the store to that form."`
}

// migrationItem is a migration as it is printed.
type migrationItem struct {
	Version int64      `json:"version"`
	Name    string     `json:"name"`
	Applied *time.Time `json:"applied,omitempty"`
	Pending bool       `json:"pending"`
}

type migrateStatusCmd struct {
	storeFlags
}

func (c *migrateStatusCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	pending, err := showMigrations(ctx, t, db)
	if err == nil && pending > 0 {
		err = c.outdated(pending, exitPending)
	}
	return err
}

// inspect opens a store in whatever form it is, without changing it.
func (f storeFlags) inspect(ctx context.Context) (*store.DB, error) {
	there, err := f.exists()
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, &failure{what: "there is no store in " + f.Data, next: "name the folder of the server with --data"}
	}
	db, err := store.Open(ctx, f.where(), store.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), Inspect: true})
	if err != nil {
		return nil, f.unopened(err)
	}
	return db, nil
}

// pendingMigrations are those that the store lacks.
func pendingMigrations(ctx context.Context, db *store.DB) (pending []store.Migration, err error) {
	all, err := db.Migrations(ctx)
	for _, m := range all {
		if !m.Applied {
			pending = append(pending, m)
		}
	}
	return pending, err
}

func showMigrations(ctx context.Context, t *terminal, db *store.DB) (pending int, err error) {
	all, err := db.Migrations(ctx)
	if err != nil {
		return 0, err
	}
	l := t.list("version", "name", "state", "applied")
	for _, m := range all {
		state := "applied"
		if !m.Applied {
			state = "pending"
			pending++
		}
		if err := l.row(migrationItem{m.Version, m.Name, optional(m.At), !m.Applied}, strconv.FormatInt(m.Version, 10), m.Name, state, when(m.At)); err != nil {
			return 0, err
		}
	}
	return pending, l.end("this program knows no migration")
}

type migrateUpCmd struct {
	storeFlags
}

func (c *migrateUpCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.openAny(ctx, true, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = showMigrations(ctx, t, db)
	return err
}
