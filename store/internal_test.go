package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store/pgtest"
)

// TestBackupHoldsAllColumns compares what a backup holds with the schema, in both engines.
func TestBackupHoldsAllColumns(t *testing.T) {
	for name, where := range map[string]string{"SQLite": t.TempDir(), "Postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(t.Context(), where, Options{Migrate: true})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			q := "select m.name, c.name from sqlite_schema m, pragma_table_info(m.name) c where m.type = 'table' and m.name not like 'sqlite%'"
			if db.d.postgres {
				q = "select table_name::text, column_name::text from information_schema.columns where table_schema = 'public' and table_name <> 'clock'"
			}
			var have, want []string
			err = db.query(t.Context(), q, nil, func(scan func(...any) error) error {
				var table, column string
				err := scan(&table, &column)
				if !strings.HasPrefix(table, migrationTable) {
					have = append(have, table+"."+column)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range backupTables {
				for _, c := range b.Columns {
					want = append(want, b.Table+"."+c)
				}
			}
			slices.Sort(have)
			slices.Sort(want)
			if d := cmp.Diff(have, want); d != "" {
				t.Errorf("columns of the schema (-) and of a backup (+):\n%s", d)
			}
		})
	}
}

// TestQueryTimeout lets a filter that has to read everything run out of time: the answer is Exhausted, and the
// store goes on working.
func TestQueryTimeout(t *testing.T) {
	for name, where := range map[string]string{"SQLite": t.TempDir(), "Postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(t.Context(), where, Options{Migrate: true})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			s := db.Directory(1)
			fillForPlans(t, s)
			f, err := scim.ParseFilter(`title co "a" or nickName co "b" or emails[display co "c"]`)
			if err != nil {
				t.Fatal(err)
			}
			bound, err := scim.Default().Bind("User", f)
			if err != nil {
				t.Fatal(err)
			}
			q := scim.Query{Targets: []scim.Target{{Type: "User", Filter: bound}}, Count: 10}
			for range 3 * sqliteScanners {
				db.timeout = time.Millisecond
				if _, err := s.List(t.Context(), q); directory.KindOf(err) != directory.Exhausted {
					t.Fatalf("got %v, want kind Exhausted", err)
				}
				db.timeout = QueryTimeout
				if _, err := s.List(t.Context(), q); err != nil {
					t.Fatalf("with enough time: %v", err)
				}
			}
		})
	}
}

// TestSecondsAndInstantKeys checks that the two forms of an instant keep its order.
func TestSecondsAndInstantKeys(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Unix(0, 0), "0.000000000"},
		{time.Unix(0, -1), "-0.000000001"},
		{time.Unix(-1, 0), "-1.000000000"},
		{time.Unix(-2, 500_000_000), "-1.500000000"},
		{time.Unix(1, 5), "1.000000005"},
	} {
		if got := seconds(c.at); got != c.want {
			t.Errorf("seconds(%v): got %s, want %s", c.at.UTC(), got, c.want)
		}
	}
	last := ""
	for _, at := range []time.Time{time.Date(1, 1, 1, 0, 0, 0, 0, time.FixedZone("", 14*3600)), time.Unix(-1, 0), time.Unix(-1, 1), time.Unix(0, 0),
		time.Date(9999, 12, 31, 24, 0, 0, 0, time.FixedZone("", -14*3600))} {
		if key := instantKey(at); key <= last || len(key) != 21 {
			t.Errorf("instantKey(%v) = %q is not behind %q", at, key, last)
		} else {
			last = key
		}
	}
}

func TestSuccessor(t *testing.T) {
	for s, want := range map[string]string{"a": "b", "az": "a{", "\uD7FF": "\uE000", "a\U0010FFFF": "b", "ab\U0010FFFF\U0010FFFF": "ac"} {
		if got, ok := successor(s); !ok || got != want {
			t.Errorf("successor(%q): got %q, %v; want %q", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "\U0010FFFF"} {
		if got, ok := successor(s); ok {
			t.Errorf("successor(%q): got %q, want none", s, got)
		}
	}
}

// TestManyFilterShapes asks for more shapes of filters than statements are kept, at the same time.
func TestManyFilterShapes(t *testing.T) {
	db, err := Open(t.Context(), t.TempDir(), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.Directory(1)
	done := make(chan error)
	for w := range 4 {
		go func() {
			var err error
			for i := range maxStatements {
				sql := fmt.Sprintf("select %d where %d = $1", i, (i*(w+1))%7)
				if err = s.do(context.Background(), stmt{sql: sql, args: []any{i}, each: func(func(...any) error) error { return nil }}); err != nil {
					break
				}
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := len(db.e.(*sqliteEngine).read.m); n > maxStatements {
		t.Errorf("%d statements are kept, more than %d", n, maxStatements)
	}
}
