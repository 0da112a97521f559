package store

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store/pgtest"
)

// TestPlansWithoutStatistics runs what must be quick in a tenant that PostgreSQL has collected nothing about, as
// every tenant is for its first minute: no plan may read many rows to throw them away.
func TestPlansWithoutStatistics(t *testing.T) {
	db, err := Open(t.Context(), pgtest.URL(t), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"resource", "attr", "member"} {
		if err := db.e.once(t.Context(), stmt{sql: "alter table " + table + " set (autovacuum_enabled = off)"}); err != nil {
			t.Fatal(err)
		}
	}
	s := db.Directory(1)
	fillForPlans(t, s)
	filters := []string{"", `userName eq "u7"`, `externalId eq "x7"`, `emails[type eq "work" and value eq "u7@example.com"]`, `userName eq "u7" and active eq true`}
	for _, text := range filters {
		q := scim.Query{Targets: []scim.Target{{Type: "User"}}, Client: "c1", Count: 100, Groups: true}
		if text == "" {
			q.Offset = 1000
		} else {
			q.Targets[0].Filter = boundFilter(t, text)
		}
		a, sql, _, _ := (&lister{t: s, q: q}).pageSQL()
		for _, line := range plan(t, s, "(analyze) "+sql, a.list) {
			if m := regexp.MustCompile(`Rows Removed by (?:Join )?Filter: (\d+)`).FindStringSubmatch(line); m != nil {
				if n, _ := strconv.Atoi(m[1]); n > 100 {
					t.Errorf("filter %q throws %d rows away: %s\n%s", text, n, line, sql)
				}
			}
		}
	}
}

func boundFilter(t *testing.T, text string) scim.Filter {
	t.Helper()
	f, err := scim.ParseFilter(text)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := scim.Default().Bind("User", f)
	if err != nil {
		t.Fatal(err)
	}
	return bound
}
