package store_test

import (
	"testing"

	"github.com/provost-scim/provost/store"
	"github.com/provost-scim/provost/store/pgtest"
	"github.com/provost-scim/provost/store/storetest"
)

func TestSQLite(t *testing.T) { storetest.Run(t, openSQLite) }

func TestPostgres(t *testing.T) { storetest.Run(t, openPostgres) }

func openSQLite(t *testing.T) *store.DB { return open(t, t.TempDir()) }

func openPostgres(t *testing.T) *store.DB { return open(t, pgtest.URL(t)) }

func open(t *testing.T, where string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), where, store.Options{Now: storetest.Clock.Now, Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}
