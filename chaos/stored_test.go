//go:build chaos

package chaos

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // PostgreSQL for database/sql
	_ "modernc.org/sqlite"             // SQLite for database/sql

	"github.com/provost-scim/provost/bench/rig"
)

// look reads all users and groups over SCIM: by writer, states and ids by name.
func (w *world) look(t *testing.T, addr string) (map[string]state, map[string]map[string]string) {
	t.Helper()
	conn := rig.NewConn(addr, w.token)
	defer conn.Close()
	states, ids := map[string]state{}, map[string]map[string]string{}
	note := func(name, value, id string) {
		writer, _, _ := strings.Cut(name, "-")
		if states[writer] == nil {
			states[writer], ids[writer] = state{}, map[string]string{}
		}
		if old, twice := states[writer][name]; twice {
			t.Errorf("%s exists twice: %q and %q", name, old, value)
		}
		states[writer][name], ids[writer][name] = value, id
	}
	names := map[string]string{}
	for _, raw := range list(t, conn, "/t/"+w.tenant+"/scim/v2/Users") {
		var u wireUser
		if err := json.Unmarshal(raw, &u); err != nil {
			t.Fatal(err)
		}
		names[u.ID] = u.UserName
		note(u.UserName, u.value(), u.ID)
	}
	for _, raw := range list(t, conn, "/t/"+w.tenant+"/scim/v2/Groups") {
		var g wireGroup
		if err := json.Unmarshal(raw, &g); err != nil {
			t.Fatal(err)
		}
		team, label, _ := strings.Cut(g.DisplayName, " ")
		var members []string
		for _, m := range g.Members {
			members = append(members, names[m.Value])
		}
		note(team, joinTeam(label, members), g.ID)
	}
	return states, ids
}

// list reads all pages of a resource type.
func list(t *testing.T, conn *rig.Conn, path string) []json.RawMessage {
	t.Helper()
	var all []json.RawMessage
	for {
		a, err := conn.Do("GET", fmt.Sprintf("%s?count=1000&startIndex=%d", path, len(all)+1), nil)
		if err != nil || a.Status != 200 {
			t.Fatalf("list %s: status %d, %v: %s", path, a.Status, err, a.Body)
		}
		var page struct {
			TotalResults int
			Resources    []json.RawMessage
		}
		if err := json.Unmarshal(a.Body, &page); err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Resources...)
		if len(all) >= page.TotalResults || len(page.Resources) == 0 {
			return all
		}
	}
}

// openSQL opens the store with the driver alone: the checks trust nothing of Provost's own reading.
func openSQL(t *testing.T, where string) *sql.DB {
	t.Helper()
	driver, source := "sqlite", "file:"+filepath.Join(where, "provost.db")+"?_pragma=busy_timeout(10000)"
	if strings.HasPrefix(where, "postgres://") {
		driver, source = "pgx", where
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// entry is a row of the change log.
type entry struct {
	action  string
	version int64
	diff    string
}

// checkLog compares the change log of every resource of the tenant with the resources: each version has its
// entry, each entry its version, and the last value that was logged is the one that is stored. It returns the
// number of entries.
func checkLog(t *testing.T, db *sql.DB) int {
	t.Helper()
	ctx := context.Background()
	logs, n := readLog(t, db)
	rows, err := db.QueryContext(ctx, `select rtype, id, version, doc from resource`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var rtype, id, doc string
		var version int64
		if err := rows.Scan(&rtype, &id, &version, &doc); err != nil {
			t.Fatal(err)
		}
		checkHistory(t, rtype+" "+id, logs[id], version, doc)
		delete(logs, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for id, log := range logs {
		if log[0].action != "create" || log[len(log)-1].action != "delete" {
			t.Errorf("%s is not stored, but its log goes from %s to %s", id, log[0].action, log[len(log)-1].action)
		}
	}
	return n
}

// readLog reads the entries about users and groups by id, in order.
func readLog(t *testing.T, db *sql.DB) (map[string][]entry, int) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), `select rid, action, version, coalesce(diff, '') from change where rtype in ('User', 'Group') order by tenant, seq`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	logs, n := map[string][]entry{}, 0
	for rows.Next() {
		var id string
		var e entry
		if err := rows.Scan(&id, &e.action, &e.version, &e.diff); err != nil {
			t.Fatal(err)
		}
		logs[id] = append(logs[id], e)
		n++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return logs, n
}

// checkHistory checks one stored resource against its log.
func checkHistory(t *testing.T, what string, log []entry, version int64, doc string) {
	t.Helper()
	if len(log) == 0 || log[0].action != "create" {
		t.Errorf("%s has no entry of its creation", what)
		return
	}
	at := int64(0)
	last := map[string]any{}
	for _, e := range log {
		if e.version != at && e.version != at+1 {
			t.Errorf("%s: an entry of version %d follows one of version %d", what, e.version, at)
		}
		at = e.version
		var diff map[string]struct{ After any }
		if e.diff == "" {
			continue
		}
		if err := json.Unmarshal([]byte(e.diff), &diff); err != nil {
			t.Errorf("%s: diff of version %d: %v", what, e.version, err)
		}
		for _, attr := range []string{"title", "nickName", "displayName"} {
			if v, ok := diff[attr]; ok {
				last[attr] = v.After
			}
		}
	}
	if at != version {
		t.Errorf("%s is stored as version %d, but its log ends at %d", what, version, at)
	}
	var stored map[string]any
	if err := json.Unmarshal([]byte(doc), &stored); err != nil {
		t.Errorf("%s: document: %v", what, err)
	}
	for attr, v := range last {
		if stored[attr] != v {
			t.Errorf("%s: %s is stored as %v, but logged as %v", what, attr, stored[attr], v)
		}
	}
}

// checkRows checks what holds between the tables.
func checkRows(t *testing.T, db *sql.DB) {
	t.Helper()
	for what, query := range map[string]string{
		"index rows without their resource":   `select count(*) from attr a where not exists (select 1 from resource r where r.tenant = a.tenant and r.rtype = a.rtype and r.id = a.id)`,
		"resources without index rows":        `select count(*) from resource r where rtype = 'User' and not exists (select 1 from attr a where a.tenant = r.tenant and a.id = r.id)`,
		"memberships without group or member": `select count(*) from member m where not exists (select 1 from resource r where r.tenant = m.tenant and r.id = m.gid) or not exists (select 1 from resource r where r.tenant = m.tenant and r.id = m.mid)`,
		"miscounted types": `select count(*) from (select c.tenant, c.rtype, sum(c.n) as n from counter c group by c.tenant, c.rtype) s
			where s.n <> (select count(*) from resource r where r.tenant = s.tenant and r.rtype = s.rtype)`,
		"resources stored and in the trash": `select count(*) from trash t join resource r on r.tenant = t.tenant and r.id = t.id`,
	} {
		var n int
		if err := db.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
			t.Errorf("%s: %v", what, err)
		} else if n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}
