package provision_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/store"
)

// rig is a channel between a directory and a server, on a real store.
type rig struct {
	t      *testing.T
	db     *store.DB
	dir    *directory
	srv    *server
	mapper *mapper
	engine *provision.Engine
	clock  *atomic.Int64
	where  string
}

var rigs atomic.Int64

var configuredEvent = audit.Event{Action: audit.Configure, Type: "Channel"}

var begin = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)

func (r *rig) now() time.Time { return begin.Add(time.Duration(r.clock.Load())) }

// onBoth runs a test on both stores.
func onBoth(t *testing.T, run func(t *testing.T, r *rig)) {
	t.Parallel() // most of the time is spent waiting for disks
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); run(t, newRig(t, t.TempDir())) })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		where, err := sharedPostgres()
		if err != nil {
			t.Fatal(err)
		}
		run(t, newRig(t, where))
	})
}

func newRig(t *testing.T, where string) *rig {
	t.Helper()
	r := &rig{t: t, dir: newDirectory(), srv: newServer(), mapper: &mapper{print: "1"}, clock: &atomic.Int64{}, where: where}
	db, err := store.Open(t.Context(), where, store.Options{Now: r.now, Migrate: !strings.HasPrefix(where, "postgres"), PoolSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	r.db = db
	t.Cleanup(func() { db.Close() })
	ctx := t.Context()
	e := audit.Event{Action: audit.Configure, Type: "Channel"}
	name := fmt.Sprintf("r%d", rigs.Add(1))
	if err := db.SaveSource(ctx, provision.Source{Name: name, Spec: json.RawMessage(`{"kind":"test"}`)}, e); err != nil {
		t.Fatal(err)
	}
	channel, err := db.SaveChannel(ctx, provision.Channel{Name: name, Spec: provision.Spec{Source: name,
		Target: json.RawMessage(`{}`), Mapping: json.RawMessage(`{}`)}}, e)
	if err != nil {
		t.Fatal(err)
	}
	r.engine = &provision.Engine{State: db, Channel: channel, Source: r.dir, Origin: "o1", Target: r.srv, Mapper: r.mapper,
		Holder: "test", Now: r.now, Log: slog.New(slog.DiscardHandler)}
	return r
}

// company fills the directory with n people, a manager, and two groups.
func (r *rig) company(n int) {
	r.dir.person("p000", "boss")
	names := []string{"boss"}
	for i := 1; i < n; i++ {
		name := fmt.Sprintf("user%03d", i)
		r.dir.person(fmt.Sprintf("p%03d", i), name, "manager", "cn=boss")
		names = append(names, name)
	}
	r.dir.group("g1", "all", names...)
	r.dir.group("g2", "few", names[:min(3, n)]...)
}

// run runs a cycle that must end well.
func (r *rig) run() provision.Status {
	r.t.Helper()
	st, err := r.engine.Run(r.t.Context())
	if err != nil {
		r.t.Fatalf("cycle: %v", err)
	}
	return st
}

// expect compares the server with what the directory should lead to.
func (r *rig) expect() {
	r.t.Helper()
	if d := cmp.Diff(r.wanted(), r.srv.state()); d != "" {
		r.t.Fatalf("the target differs from the source (-source +target):\n%s", d)
	}
}

// wanted computes the target from the directory by brute force: everybody in the directory is in scope.
func (r *rig) wanted() map[string]string {
	out := map[string]string{}
	byName := map[string]string{}
	for _, rec := range r.dir.records {
		if uid := rec.Attrs["uid"]; uid != nil {
			byName[rec.Name] = uid[0]
		}
	}
	for _, rec := range r.dir.records {
		if cn := rec.Attrs["cn"]; cn != nil {
			out["Group "+cn[0]] = fmt.Sprintf("active=<nil> title=<nil> manager= members=%v", r.flat(rec.Key, byName))
			continue
		}
		title := "<nil>"
		if t := rec.Attrs["title"]; t != nil {
			title = t[0]
		}
		manager := ""
		if m := rec.Attrs["manager"]; m != nil {
			manager = byName[m[0]]
		}
		out["User "+rec.Attrs["uid"][0]] = fmt.Sprintf("active=%v title=%s manager=%s members=[]", rec.Attrs["disabled"] == nil, title, manager)
	}
	return out
}

// idle runs a cycle that must send nothing.
func (r *rig) idle() {
	r.t.Helper()
	r.srv.reset()
	r.run()
	if n, log := r.srv.written(); n != 0 {
		r.t.Fatalf("an idle cycle sent %d requests: %v", n, log)
	}
}

func TestCycle_FillsTheTarget(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.company(12)
		st := r.run()
		r.expect()
		if st.Result != "done" || st.Counts[provision.Create] != 14 {
			t.Errorf("status: %+v", st)
		}
		r.idle()
	})
}
