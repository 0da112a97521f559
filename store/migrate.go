package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// The migrations are one SQL text for both engines: the types of columns are filled in from columnTypes. A
// migration that was released is never edited.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

const migrationTable = "provost_migration"

// Migration is the state of one migration.
type Migration struct {
	Version int64
	Name    string
	Applied bool
	At      time.Time // zero if pending
}

// migrator is a goose provider and what has to be closed after it.
type migrator struct {
	*goose.Provider
	names map[int64]string
	close func()
}

// Migrations lists all migrations, oldest first.
func (db *DB) Migrations(ctx context.Context) ([]Migration, error) {
	m, err := db.e.migrator()
	if err != nil {
		return nil, err
	}
	defer m.close()
	list, err := m.Status(ctx)
	if err != nil {
		return nil, db.fault(fmt.Errorf("read the state of migrations: %w", err))
	}
	var out []Migration
	for _, s := range list {
		out = append(out, Migration{Version: s.Source.Version, Name: m.names[s.Source.Version],
			Applied: s.State == goose.StateApplied, At: s.AppliedAt.UTC()})
	}
	return out, nil
}

// Migrate applies pending migrations, each in a transaction. Several nodes may call it at the same time.
func (db *DB) Migrate(ctx context.Context) error {
	m, err := db.e.migrator()
	if err != nil {
		return err
	}
	defer m.close()
	if _, err := m.Up(ctx); err != nil {
		return db.fault(fmt.Errorf("migrate: %w", err))
	}
	return nil
}

func (e *sqliteEngine) migrator() (migrator, error) {
	// The writer belongs to transactions; migrations get a connection of their own.
	db, err := e.pool(context.Background(), 1, sqliteReaderCache, false)
	if err != nil {
		return migrator{}, err
	}
	e.dbs = e.dbs[:len(e.dbs)-1]
	m, err := newMigrator(goose.DialectSQLite3, db, e.d.columns())
	m.close = func() { db.Close() }
	return m, err
}

func (e *pgEngine) migrator() (migrator, error) {
	db := stdlib.OpenDBFromPool(e.pool)
	// A lock in a table: advisory locks do not exist in every database that speaks PostgreSQL.
	l, err := lock.NewPostgresTableLocker(lock.WithTableName(migrationTable + "_lock"))
	if err != nil {
		return migrator{}, err
	}
	m, err := newMigrator(goose.DialectPostgres, db, e.d.columns(), goose.WithLocker(l))
	m.close = func() { db.Close() }
	return m, err
}

func newMigrator(d goose.Dialect, db *sql.DB, c columnTypes, opts ...goose.ProviderOption) (migrator, error) {
	list, names, err := goMigrations(c)
	if err != nil {
		return migrator{}, err
	}
	opts = append(opts, goose.WithGoMigrations(list...), goose.WithDisableGlobalRegistry(true),
		goose.WithTableName(migrationTable), goose.WithLogger(goose.NopLogger()))
	p, err := goose.NewProvider(d, db, nil, opts...)
	return migrator{Provider: p, names: names}, err
}

func goMigrations(c columnTypes) (list []*goose.Migration, byVersion map[int64]string, err error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, nil, err
	}
	byVersion = map[int64]string{}
	for _, name := range names {
		base := strings.TrimPrefix(name, "migrations/")
		num, _, _ := strings.Cut(base, "_")
		version, err := strconv.ParseInt(num, 10, 64)
		if err != nil {
			return nil, nil, fmt.Errorf("migration %s has no number", base)
		}
		statements, err := migrationText(name, c)
		if err != nil {
			return nil, nil, err
		}
		byVersion[version] = strings.TrimSuffix(base, ".sql")
		m := goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			for _, s := range statements {
				if _, err := tx.ExecContext(ctx, s); err != nil {
					return fmt.Errorf("%s: %w", base, err)
				}
			}
			return nil
		}}, nil)
		list = append(list, m)
	}
	return list, byVersion, nil
}

func migrationText(name string, c columnTypes) ([]string, error) {
	text, err := migrationFiles.ReadFile(name)
	if err != nil {
		return nil, err
	}
	t, err := template.New(name).Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := t.Execute(&b, c); err != nil {
		return nil, err
	}
	var out []string
	for s := range strings.SplitSeq(b.String(), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out, nil
}
