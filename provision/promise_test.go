package provision_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
	"github.com/provost-scim/provost/store"
)

var errCrash = errors.New("crash")

// points are all named points of a cycle.
var points = []string{"read", "published", "before journal", "noted", "journal", "members journal", "sent", "members sent"}

// TestP1_ACrashLosesAndDuplicatesNothing cuts a cycle off at every point, at each of its visits, and starts again from
// what the store holds.
func TestP1_ACrashLosesAndDuplicatesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		for i, point := range points {
			for visit := 1; visit <= 2; visit++ {
				t.Run(fmt.Sprintf("%s %d", point, visit), func(t *testing.T) {
					t.Parallel()
					r := r.again(t)
					r.srv.noFilter = i%2 == 0 // every other target does not tell externalId
					r.company(8)
					r.crash(point, visit)
					for key := range r.srv.posts {
						if r.srv.posts[key] != 1 {
							t.Errorf("%s was created %d times", key, r.srv.posts[key])
						}
					}
					r.expect()
					// The same in the middle of changes and removals.
					r.dir.person("p001", "user001", "title", "Director", "manager", "cn=user002")
					r.dir.person("p009", "user009")
					r.dir.group("g2", "few", "user002", "user009")
					r.crash(point, visit)
					r.expect()
					r.idle()
				})
			}
		}
	})
}

// again is a rig of its own for a part of a test: a channel of its own in the same store.
func (r *rig) again(t *testing.T) *rig {
	t.Helper()
	n := *r
	n.t, n.dir, n.srv, n.mapper = t, newDirectory(), newServer(), &mapper{print: "1"}
	e := audit.Event{Action: audit.Configure, Type: "Channel"}
	name := fmt.Sprintf("c%d", time.Now().UnixNano())
	channel, err := r.db.SaveChannel(t.Context(), provision.Channel{Name: name, Spec: r.engine.Channel.Spec}, e)
	if err != nil {
		t.Fatal(err)
	}
	n.engine = &provision.Engine{State: r.db, Channel: channel, Source: n.dir, Origin: "o1", Target: n.srv, Mapper: n.mapper,
		Holder: "test", Now: n.now, Log: slog.New(slog.DiscardHandler)}
	return &n
}

// crash runs a cycle that is cut off at a point, if it gets there so often, and one that goes on.
func (r *rig) crash(point string, visit int) {
	r.t.Helper()
	r.engine.SetFault(func(at string) error {
		if at == point {
			if visit--; visit == 0 {
				return errCrash
			}
		}
		return nil
	})
	if _, err := r.engine.Run(r.t.Context()); err != nil && !errors.Is(err, errCrash) {
		r.t.Fatal(err)
	}
	r.engine.SetFault(nil)
	r.run()
}

// TestP2_ALostAnswerMakesNoSecondObject loses the answer of creates, with a target that knows externalId and with one
// that ignores it.
func TestP2_ALostAnswerMakesNoSecondObject(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		for _, noFilter := range []bool{false, true} {
			for _, blind := range []bool{false, true} {
				t.Run(fmt.Sprintf("noFilter=%v blind=%v", noFilter, blind), func(t *testing.T) {
					r := r.again(t)
					r.srv.noFilter = noFilter
					r.company(6)
					lost := map[string]bool{}
					r.srv.lose = func(verb, id string) error {
						if verb == "create" && !lost[id] {
							lost[id] = true
							return unknownAnswer(verb)
						}
						return nil
					}
					if blind { // the target cannot be asked either until the cycle is over
						r.srv.fail = func(verb, id string) error {
							if verb == "find" && len(lost) > 0 {
								return &provision.TargetError{Trouble: provision.Invalid, Msg: "503 to finds"}
							}
							return nil
						}
					}
					if _, err := r.engine.Run(t.Context()); err != nil {
						t.Fatal(err)
					}
					if len(lost) == 0 {
						t.Fatal("no answer was lost")
					}
					r.srv.lose, r.srv.fail = nil, nil
					r.clock.Add(int64(2 * time.Minute))
					r.run()
					r.clock.Add(int64(10 * time.Minute))
					r.run()
					for key, n := range r.srv.posts {
						if n != 1 {
							t.Errorf("%s was created %d times", key, n)
						}
					}
					r.expect()
					r.idle()
				})
			}
		}
	})
}

// TestP7_AFailedReadRemovesNobody fails a read at every record, and checks that nothing was believed.
func TestP7_AFailedReadRemovesNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.company(6)
		r.run()
		before := r.srv.state()
		for _, fault := range []source.Fault{source.Unreachable, source.Refused, source.Partial, source.Busy, source.Malformed} {
			for cut := 1; cut <= 9; cut++ {
				r.dir.cut, r.dir.err = cut, &source.Error{Fault: fault, Msg: "the read was cut"}
				r.srv.reset()
				st, err := r.engine.Run(t.Context())
				if _, ok := errors.AsType[*provision.SourceError](err); !ok {
					t.Fatalf("cut at %d: got %v, want a SourceError", cut, err)
				}
				if n, log := r.srv.written(); n != 0 {
					t.Fatalf("cut at %d: %d requests: %v", cut, n, log)
				}
				if st.Quarantine == nil || st.Quarantine.Reason != provision.QuarantineSource {
					t.Errorf("cut at %d: quarantine %+v", cut, st.Quarantine)
				}
			}
		}
		r.dir.cut = 0
		r.idle()
		if d := cmp.Diff(before, r.srv.state()); d != "" {
			t.Errorf("the target changed:\n%s", d)
		}
		if st := r.run(); st.Quarantine != nil {
			t.Errorf("the quarantine stayed: %+v", st.Quarantine)
		}
	})
}

// TestP7_AMappingErrorIsNotOutOfScope breaks the mapping for everybody.
func TestP7_AMappingErrorIsNotOutOfScope(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.company(6)
		r.run()
		for key, rec := range r.dir.records {
			rec.Attrs["broken"] = []string{"yes"}
			r.dir.records[key] = rec
		}
		r.srv.reset()
		st := r.run()
		if n, log := r.srv.written(); n != 0 || st.Result != "done with failures" {
			t.Fatalf("%d requests: %v, %+v", n, log, st)
		}
	})
}

// TestP7_ADeltaIsNoFullRead hands over one changed record and checks that nobody else is taken for gone.
func TestP7_ADeltaIsNoFullRead(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.company(20)
		r.dir.delta = true
		r.run()
		r.srv.reset()
		r.dir.person("p003", "user003", "title", "Director", "manager", "cn=boss")
		st := r.run()
		if n, log := r.srv.written(); n != 1 {
			t.Fatalf("%d requests for one change: %v, %+v", n, log, st)
		}
		r.expect()
	})
}

// TestP12_MembershipIsExact makes the changes that a directory does not tell groups about.
func TestP12_MembershipIsExact(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.dir.delta = true
		r.company(20)
		r.dir.group("g3", "inner", "user005", "user006")
		r.dir.group("g4", "outer", "user001", "inner")
		r.dir.group("g5", "circle", "user007", "round")
		r.dir.group("g6", "round", "user008", "circle")
		r.run()
		r.expect()

		// A member is renamed: only the member comes with the delta.
		rec := r.dir.records["p005"]
		rec.Name = "cn=Renamed,ou=elsewhere"
		r.dir.put(rec)
		r.srv.reset()
		r.run()
		if n, log := r.srv.written(); n != 0 {
			t.Errorf("a rename that changes no mapped attribute sent %v", log)
		}
		for key, g := range r.dir.records { // the directory has rewritten its groups, without saying so
			g.Members = slices.Clone(g.Members)
			for i, m := range g.Members {
				if m == "cn=user005" {
					g.Members[i] = rec.Name
				}
			}
			r.dir.records[key] = g
		}
		r.expect()

		// A member is deleted: the groups do not come, and no longer have it.
		r.dir.drop("p006")
		for key, g := range r.dir.records {
			g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(m string) bool { return m == "cn=user006" })
			r.dir.records[key] = g
		}
		r.run()
		if got := r.srv.state()["Group inner"] + r.srv.state()["Group outer"]; strings.Contains(got, "user006") {
			t.Errorf("a deleted person is still a member: %s", got)
		}

		// A member that is not there yet, then arrives.
		r.dir.group("g7", "future", "user030")
		r.run()
		r.dir.person("p030", "user030")
		r.run()
		if got := r.srv.state()["Group future"]; !strings.Contains(got, "user030") {
			t.Errorf("a member that arrived late is missing: %s", got)
		}

		// A change within a nested group reaches the outer ones.
		r.dir.group("g3", "inner", "user009")
		rec = r.dir.records["g3"]
		r.dir.put(rec)
		r.run()
		if got := r.srv.state()["Group outer"]; !strings.Contains(got, "user009") || strings.Contains(got, "user005") {
			t.Errorf("the outer group: %s", got)
		}

		// A full read says the same.
		r.dir.delta = false
		r.clock.Add(int64(25 * time.Hour))
		r.srv.reset()
		r.run()
		if n, log := r.srv.written(); n != 0 {
			t.Errorf("the full read corrected %d things: %v", n, log)
		}
	})
}

// TestP12_ADanglingName renames a member in a directory that leaves the old name in its groups, and gives that name to
// somebody else: he is the member then, and nobody by mistake.
func TestP12_ADanglingName(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.company(8)
		r.run()
		rec := r.dir.records["p002"]
		rec.Name = "cn=renamed"
		r.dir.put(rec)
		r.run()
		r.run()
		r.expect()
		r.dir.person("p050", "user050")
		rec = r.dir.records["p050"]
		rec.Name = "cn=user002"
		r.dir.put(rec)
		r.run()
		r.run()
		r.expect()
		r.idle()
	})
}

// TestP16_ForeignObjectsStay seeds the target with objects that nobody mapped, some of the same names.
func TestP16_ForeignObjectsStay(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		for i := range 50 {
			id := fmt.Sprintf("foreign%02d", i)
			r.srv.objects[id] = &object{Resource: scim.Resource{Type: "User", ID: id, Attrs: scim.Object{"userName": id, "title": "Guest"}}, members: map[string]bool{}}
		}
		r.srv.objects["same"] = &object{Resource: scim.Resource{Type: "User", ID: "same", Attrs: scim.Object{"userName": "USER003", "title": "Guest"}}, members: map[string]bool{}}
		r.company(6)
		r.run()
		r.dir.drop("p003")
		r.dir.drop("p004")
		r.run()
		for id, o := range r.srv.objects {
			if (strings.HasPrefix(id, "foreign") || id == "same") && o.Attrs["title"] != "Guest" || o.Attrs["title"] == "Guest" && o.Attrs["active"] != nil {
				t.Errorf("%s was touched: %v", id, o.Attrs)
			}
		}
		if st := r.srv.state(); strings.Contains(st["Group all"], "USER003") {
			t.Errorf("a foreign object became a member: %v", st["Group all"])
		}
	})
}

// TestAdopt_TakesOverWhenTold lets a channel adopt what is there.
func TestAdopt_TakesOverWhenTold(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.engine.Channel.Spec.Rules.Existing = "adopt"
		r.srv.objects["same"] = &object{Resource: scim.Resource{Type: "User", ID: "same", Attrs: scim.Object{"userName": "USER003", "title": "Guest"}}, members: map[string]bool{}}
		r.company(6)
		st := r.run()
		if st.Counts[provision.Adopt] != 1 {
			t.Errorf("counts: %v", st.Counts)
		}
		r.expect()
		r.idle()
	})
}

// TestP18_ReplaysAreSafe is every suite's last cycle; here after each kind of change.
func TestP18_ReplaysAreSafe(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.company(10)
		r.run()
		for name, change := range map[string]func(){
			"title":       func() { r.dir.person("p001", "user001", "title", "Director") },
			"no title":    func() { rec := r.dir.records["p002"]; delete(rec.Attrs, "title"); r.dir.put(rec) },
			"disabled":    func() { r.dir.person("p003", "user003", "disabled", "yes") },
			"enabled":     func() { r.dir.person("p003", "user003") },
			"gone":        func() { r.dir.drop("p004") },
			"group name":  func() { r.dir.group("g2", "renamed", "user001") },
			"group gone":  func() { r.dir.drop("g2") },
			"new manager": func() { r.dir.person("p005", "user005", "manager", "cn=user006") },
		} {
			change()
			r.run()
			r.srv.reset()
			r.run()
			if n, log := r.srv.written(); n != 0 {
				t.Errorf("%s: the second cycle sent %v", name, log)
			}
		}
	})
}

// TestP9_RestoredObjectsComeBackComplete deletes and restores somebody within the retention.
func TestP9_RestoredObjectsComeBackComplete(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.engine.Channel.Spec.Rules.Leave = provision.Leave{Deleted: provision.LeaveDelete, Retention: provision.Duration(48 * time.Hour)}
		r.company(10)
		r.run()
		before := r.srv.state()
		rec := r.dir.records["p003"]
		r.dir.drop("p003")
		r.run()
		r.clock.Add(int64(47 * time.Hour))
		r.run()
		if got := r.srv.state()["User user003"]; !strings.Contains(got, "active=false") {
			t.Fatalf("within the retention: %q", got)
		}
		r.dir.put(rec)
		r.run()
		if d := cmp.Diff(before, r.srv.state()); d != "" {
			t.Errorf("restored, and still:\n%s", d)
		}
		r.dir.drop("p003")
		r.run()
		r.clock.Add(int64(49 * time.Hour))
		r.run()
		if got, there := r.srv.state()["User user003"]; there {
			t.Errorf("after the retention: %q", got)
		}
		r.idle()
	})
}

// reopened is the store as another process sees it.
func (r *rig) reopened() *store.DB {
	r.t.Helper()
	db, err := store.Open(r.t.Context(), r.where, store.Options{Now: r.now})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { db.Close() })
	return db
}
