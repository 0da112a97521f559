package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store/pgtest"
)

// The filters that must find their rows through an index, whatever the size of the tenant.
var seekFilters = map[string][]string{
	"User": {
		`userName eq "u7"`, `userName sw "u77"`, `externalId eq "x7"`, `id eq "none"`, `emails eq "u7@example.com"`,
		`emails[type eq "work" and value eq "u7@example.com"]`, `emails[value eq "u7@example.com" and type eq "work" and primary eq true]`,
		`userName eq "u7" and active eq true`, `userName eq "u7" or externalId eq "x7"`, `title eq "t" and userName eq "u7"`,
		`(userName eq "u7" and title co "t") or emails.value eq "u7@example.com"`, `not (active eq true) and userName eq "u7"`,
		`userName eq "u7" and not (emails co "x")`, `userName eq "u7" and emails pr`, `userName eq "u7" and name.familyName ge "a"`,
		`groups.value eq "none"`, `name.familyName gt "zzz"`, `userName co "u77"`,
	},
	"Group": {`displayName eq "g"`, `members.value eq "none"`, `members[value eq "none" and type eq "User"]`, `externalId eq "x"`},
}

// TestIndexedFiltersSeek proves with the plans of both engines that these filters do not read the tenant.
func TestIndexedFiltersSeek(t *testing.T) {
	for name, where := range map[string]string{"SQLite": t.TempDir(), "Postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(t.Context(), where, Options{Migrate: true})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			s := db.Directory(1)
			fillForPlans(t, s)
			for typ, filters := range seekFilters {
				for _, text := range filters {
					checkPlan(t, s, typ, text)
				}
			}
			checkSkip(t, s)
		})
	}
}

// fillForPlans adds so many users that a planner with statistics prefers indexes.
func fillForPlans(t *testing.T, s *Tenant) {
	if err := s.Tx(t.Context(), func(tx directory.Store) error { return fillUsers(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	if s.db.d.postgres {
		if err := s.db.e.once(t.Context(), stmt{sql: "analyze"}); err != nil {
			t.Fatal(err)
		}
	}
}

func fillUsers(ctx context.Context, tx directory.Store) error {
	for i := range 4000 {
		id := fmt.Sprintf("id-%05d", i)
		mail := fmt.Sprintf("u%d@example.com", i)
		w := directory.Write{Active: i%2 == 0, Events: []audit.Event{{Type: "User", ID: id}}, Index: []scim.IndexRow{
			{Path: "username", Value: fmt.Sprintf("u%d", i)}, {Path: "emails.value", Value: mail, Type: "work"},
			{Path: externalPath, Value: fmt.Sprintf("c1\x1fx%d", i)}, {Path: "name.familyname", Value: fmt.Sprintf("f%d", i%100)},
		}}
		w.Record.Resource = scim.Resource{Type: "User", ID: id, Doc: fmt.Appendf(nil, `{"userName":"u%d","emails":[{"value":%q,"type":"work"}]}`, i, mail)}
		if err := tx.Insert(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func checkPlan(t *testing.T, s *Tenant, typ, text string) {
	t.Helper()
	f, err := scim.ParseFilter(text)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := scim.Default().Bind(typ, f)
	if err != nil {
		t.Fatal(err)
	}
	l := &lister{t: s, q: scim.Query{Targets: []scim.Target{{Type: typ, Filter: bound}}, Client: "c1", Count: 100}}
	a, sql, _, _ := l.pageSQL()
	for _, line := range plan(t, s, sql, a.list) {
		if scans(line, strings.Contains(text, " co ") || strings.Contains(text, " gt ")) {
			t.Errorf("%s reads the tenant: %s\n%s", text, line, sql)
		}
	}
}

// checkSkip proves that a page far behind reads the documents of the page alone.
func checkSkip(t *testing.T, s *Tenant) {
	t.Helper()
	for _, descending := range []bool{false, true} {
		l := &lister{t: s, q: scim.Query{Targets: []scim.Target{{Type: "User"}}, Count: 10, Offset: 3000, Descending: descending}}
		a, sql, _, _ := l.pageSQL()
		lines := strings.Join(plan(t, s, sql, a.list), "\n")
		byID := strings.Contains(lines, "r USING INDEX sqlite_autoindex_resource_1 (tenant=? AND rtype=? AND id=?)")
		if s.db.d.postgres {
			byID = strings.Contains(lines, "Index Only Scan") && strings.Contains(lines, "(id = r.id)")
		}
		if !byID || strings.Contains(lines, "AUTOMATIC") || strings.Contains(lines, "TEMP B-TREE") {
			t.Errorf("descending %v: the page is not read by id:\n%s", descending, lines)
		}
	}
}

// plan asks the engine how it would run a statement.
func plan(t *testing.T, s *Tenant, sql string, args []any) (lines []string) {
	t.Helper()
	q := "explain query plan " + strings.TrimPrefix(sql, "(analyze, buffers) ")
	if s.db.d.postgres {
		q = "explain " + sql
	}
	err := s.db.query(context.Background(), q, args, func(scan func(...any) error) error {
		var a, b, c int
		var line string
		dest := []any{&a, &b, &c, &line}
		if s.db.d.postgres {
			dest = dest[3:]
		}
		err := scan(dest...)
		lines = append(lines, line)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return lines
}

// scans says whether a line of a plan reads a whole table, or in SQLite an index by its first columns only. A
// slice of attr may be read where the filter asks for a part or a side of a value.
func scans(line string, slice bool) bool {
	line = strings.TrimSpace(line)
	if strings.Contains(line, "AUTOMATIC") {
		return true
	}
	if strings.Contains(line, "Seq Scan on resource") || strings.Contains(line, "Seq Scan on attr") && !slice {
		return true
	}
	if strings.HasPrefix(line, "SCAN r") || strings.HasPrefix(line, "SCAN a") || strings.HasPrefix(line, "SCAN m") || strings.HasPrefix(line, "SCAN x") {
		return true
	}
	if strings.HasPrefix(line, "SEARCH r ") && !strings.Contains(line, "id=?") && !strings.Contains(line, "uniq=?") {
		return true
	}
	return !slice && strings.HasPrefix(line, "SEARCH a ") && !strings.Contains(line, "val") && !strings.Contains(line, "id=?")
}

// TestStalePlans lets PostgreSQL know another tenant only, as right after a tenant's first import: the search index
// of one resource must still be read by its id.
func TestStalePlans(t *testing.T) {
	db, err := Open(t.Context(), pgtest.URL(t), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	fillForPlans(t, db.Directory(2)) // ends with an analyze
	s := db.Directory(1)
	if err := s.Tx(t.Context(), func(tx directory.Store) error { return fillUsers(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	w := directory.Write{}
	w.Record.Resource = scim.Resource{Type: "User", ID: "id-00077"}
	batch, err := s.reindexStmts(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range []stmt{batch[0], s.indexStmt("User", "id-00077", nil)} {
		if lines := strings.Join(plan(t, s, st.sql, st.args), "\n"); !strings.Contains(lines, "attr_id") {
			t.Errorf("not read by id: %s\n%s", st.sql, lines)
		}
	}
}
