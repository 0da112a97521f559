package provision_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/source"
)

// TestP3_TheTargetIsLeftAlone answers with a time to wait: nothing is sent to the object meanwhile, and nothing lost.
func TestP3_TheTargetIsLeftAlone(t *testing.T) {
	r := newRig(t, t.TempDir())
	r.company(3)
	const wait = 300 * time.Millisecond
	until := map[string]time.Time{}
	early := 0
	r.srv.fail = func(verb, id string) error {
		if verb != "create" {
			return nil
		}
		switch end, asked := until[id]; {
		case !asked:
			until[id] = time.Now().Add(wait)
			return &provision.TargetError{Trouble: provision.Down, Msg: "429", After: wait}
		case time.Now().Before(end):
			early++
		}
		return nil
	}
	r.run()
	if early > 0 || len(until) != 5 {
		t.Errorf("%d requests came too early, %d were held off", early, len(until))
	}
	r.srv.fail = nil
	r.expect()
}

// TestP4_FaultsEndInEscrowAndPass lets a third of all requests fail in every way, then none: nothing is lost or twice.
func TestP4_FaultsEndInEscrowAndPass(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		random := rand.New(rand.NewPCG(7, 7))
		r.company(15)
		trouble := func(before bool) func(verb, id string) error {
			return func(verb, id string) error {
				if random.IntN(6) != 0 {
					return nil
				}
				kinds := []provision.Trouble{provision.Invalid, provision.Unknown}
				if before {
					kinds = []provision.Trouble{provision.Invalid, provision.Unknown, provision.Invalid}
				}
				return &provision.TargetError{Trouble: kinds[random.IntN(len(kinds))], Msg: verb + " went wrong"}
			}
		}
		r.srv.fail, r.srv.lose = trouble(true), trouble(false)
		for range 3 {
			if _, err := r.engine.Run(t.Context()); err != nil {
				if _, ok := errors.AsType[*provision.TargetError](err); !ok {
					t.Fatal(err)
				}
			}
			r.clock.Add(int64(3 * time.Hour))
		}
		r.srv.fail, r.srv.lose = nil, nil
		for range 3 {
			r.run()
			r.clock.Add(int64(25 * time.Hour))
		}
		for key, n := range r.srv.posts {
			if n != 1 {
				t.Errorf("%s was created %d times", key, n)
			}
		}
		r.expect()
		if totals, err := r.db.Totals(t.Context(), r.engine.Channel.ID); err != nil || totals.Escrow != 0 || totals.Dirty != 0 {
			t.Errorf("escrow: %+v, %v", totals, err)
		}
		r.idle()
	})
}

// tellers counts notices.
func (r *rig) tellers() *[]provision.Notice {
	var told []provision.Notice
	var mu sync.Mutex
	r.engine.Notify = func(_ context.Context, _ provision.Notify, n provision.Notice) error {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, n)
		return nil
	}
	return &told
}

// TestP5_ATargetThatIsDown stays down for 28 days of the clock: few requests, one notice, one more when the reason
// changes, and everything by itself when it is back.
func TestP5_ATargetThatIsDown(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		told := r.tellers()
		r.company(20)
		r.run()
		r.dir.person("p001", "user001", "title", "Director")
		attempts := 0
		r.srv.fail = func(verb, id string) error {
			attempts++
			return &provision.TargetError{Trouble: provision.Down, Msg: "connection refused", After: time.Hour}
		}
		cycles := 0
		for end := r.now().Add(28 * 24 * time.Hour); r.now().Before(end); cycles++ {
			for i := range 12 { // enough for the cycle to give up
				r.dir.person(fmt.Sprintf("p%03d", i+1), fmt.Sprintf("user%03d", i+1), "title", fmt.Sprintf("T%d", cycles))
			}
			st, _ := r.engine.Run(t.Context())
			if st.Quarantine == nil || st.Quarantine.Reason != provision.QuarantineTarget {
				t.Fatalf("cycle %d: %+v", cycles, st)
			}
			r.clock.Store(int64(st.Quarantine.Next.Sub(begin)))
		}
		if cycles > 40 || attempts > 40*16 {
			t.Errorf("%d cycles and %d requests in 28 days", cycles, attempts)
		}
		if len(*told) != 1 {
			t.Errorf("%d notices, want 1: %+v", len(*told), *told)
		}
		r.srv.fail = func(string, string) error { return &provision.TargetError{Trouble: provision.Denied, Msg: "401"} }
		if st, _ := r.engine.Run(t.Context()); st.Quarantine == nil || st.Quarantine.Reason != provision.QuarantineCredentials {
			t.Errorf("quarantine: %+v", st.Quarantine)
		}
		if len(*told) != 2 || (*told)[1].Event != "quarantine" {
			t.Errorf("%d notices, want 2: %+v", len(*told), *told)
		}
		r.srv.fail = nil
		r.clock.Add(int64(48 * time.Hour))
		if st := r.run(); st.Quarantine != nil {
			t.Errorf("quarantine: %+v", st.Quarantine)
		}
		r.idle()
	})
}

// TestP6_RevokedCredentialsStopTheCycle revokes them in the middle of a cycle.
func TestP6_RevokedCredentialsStopTheCycle(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		for i := range 250 {
			r.dir.person(fmt.Sprintf("p%03d", i), fmt.Sprintf("user%03d", i))
		}
		requests := 0
		r.srv.fail = func(verb, id string) error {
			if requests++; requests > 120 {
				return &provision.TargetError{Trouble: provision.Denied, Msg: "401"}
			}
			return nil
		}
		st, err := r.engine.Run(t.Context())
		if err == nil || st.Quarantine == nil || st.Quarantine.Reason != provision.QuarantineCredentials {
			t.Fatalf("%+v, %v", st, err)
		}
		if requests > 230 {
			t.Errorf("%d requests were made although the credentials were refused after 120", requests)
		}
		r.srv.fail = nil
		r.clock.Add(int64(time.Hour))
		r.run()
		r.expect()
		if _, log := r.srv.written(); slices.ContainsFunc(log, func(s string) bool { return !strings.HasPrefix(s, "create") }) {
			t.Errorf("other requests than creates: %v", log)
		}
	})
}

// TestP10_AnOldTokenWritesNothing lets a second engine take the lease over while the first is held up within a
// request, and checks that the first then neither sends nor notes anything.
func TestP10_AnOldTokenWritesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.company(30)
		entered, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		r.engine.SetFault(func(point string) error {
			if point == "journal" {
				once.Do(func() {
					close(entered)
					<-release
				})
			}
			return nil
		})
		done := make(chan error, 1)
		go func() {
			_, err := r.engine.Run(t.Context())
			done <- err
		}()
		<-entered
		// Beside it nobody gets in.
		second := *r.engine
		second.SetFault(nil)
		second.State, second.Holder = r.reopened(), "second"
		if _, err := second.Run(t.Context()); !errors.Is(err, provision.ErrHeld) {
			t.Fatalf("two engines at once: %v", err)
		}
		// The lease runs out, as it does when a process is stopped for long enough.
		if err := r.db.Renew(t.Context(), provision.Fence{Channel: r.engine.Channel.ID, Token: 1}, -time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.expect()
		r.srv.reset()
		posts := len(r.srv.posts)
		close(release)
		if err := <-done; !errors.Is(err, provision.ErrFenced) {
			t.Errorf("the old engine ended with %v, want ErrFenced", err)
		}
		if n, log := r.srv.written(); len(r.srv.posts) != posts {
			t.Errorf("the old engine created %d things: %v", n, log)
		}
		for key, n := range r.srv.posts {
			if n != 1 {
				t.Errorf("%s was created %d times", key, n)
			}
		}
	})
}

// TestP13_APauseStops pauses in the middle of a cycle: nothing new is sent, and the next cycle goes on.
func TestP13_APauseStops(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.company(60)
		var mu sync.Mutex
		paused, after := false, 0
		r.srv.fail = func(verb, id string) error {
			mu.Lock()
			defer mu.Unlock()
			if paused {
				after++
			}
			if verb == "create" && id == "p020" {
				paused = true
			}
			return nil
		}
		r.engine.Paused = func(context.Context) bool { mu.Lock(); defer mu.Unlock(); return paused }
		st, err := r.engine.Run(t.Context())
		if !errors.Is(err, provision.ErrPaused) || st.Result != "stopped" || st.Quarantine != nil {
			t.Fatalf("%+v, %v", st, err)
		}
		if after > r.srv.Limits().Parallel {
			t.Errorf("%d requests began after the pause", after)
		}
		r.engine.Paused, r.srv.fail = nil, nil
		r.run()
		r.expect()
		for key, n := range r.srv.posts {
			if n != 1 {
				t.Errorf("%s was created %d times", key, n)
			}
		}
	})
}

// TestPlanFile_IsCarriedOutOrRefused makes a plan, lets the source move on, and makes another.
func TestPlanFile_IsCarriedOutOrRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.company(6)
		p, err := r.engine.Plan(t.Context())
		if err != nil || p.Counts[provision.Create] != 8 || len(p.Changes) == 0 {
			t.Fatalf("%+v, %v", p, err)
		}
		if n, _ := r.srv.written(); n != 0 {
			t.Fatalf("a plan sent %d requests", n)
		}
		r.dir.person("p001", "user001", "title", "Director", "manager", "cn=boss")
		if _, err := r.engine.Plan(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.engine.Apply(t.Context(), p); err == nil {
			t.Fatal("a plan was carried out although the source moved on")
		} else if _, ok := errors.AsType[*provision.StalePlan](err); !ok {
			t.Fatal(err)
		}
		if n, _ := r.srv.written(); n != 0 {
			t.Fatalf("a refused plan sent %d requests", n)
		}
		if p, err = r.engine.Plan(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.dir.person("p077", "late") // not read by Apply: it carries out exactly the plan
		if _, err := r.engine.Apply(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if got := r.srv.state(); got["User late"] != "" || !strings.Contains(got["User user001"], "Director") {
			t.Errorf("target: %v", got)
		}
		if _, err := r.engine.Apply(t.Context(), p); err == nil {
			t.Error("a plan was carried out twice")
		}
		r.run()
		r.expect()
		r.idle()
	})
}

// TestP12_RandomEdits edits at random over many cycles, deltas and full reads, and compares with brute force.
func TestP12_RandomEdits(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.engine.Channel.Spec.Guard = provision.Guard{Count: 1000}
		r.engine.Channel.Spec.Rules.Leave = provision.Leave{Deleted: provision.LeaveDelete, Retention: provision.Duration(time.Second)}
		seed := uint64(time.Now().UnixNano())
		random := rand.New(rand.NewPCG(seed, 1))
		t.Logf("seed %d", seed)
		name := func() string { return fmt.Sprintf("u%02d", random.IntN(30)) }
		for cycle := range 25 {
			for range 1 + random.IntN(8) {
				switch random.IntN(5) {
				case 0, 1:
					n := name()
					r.dir.person("k"+n, n, "title", fmt.Sprint(random.IntN(3)), "manager", "cn="+name())
				case 2:
					r.dir.drop("k" + name())
				default:
					var members []string
					for range random.IntN(9) {
						members = append(members, name())
					}
					members = append(members, fmt.Sprintf("g%d", random.IntN(5)))
					g := fmt.Sprintf("g%d", random.IntN(5))
					slices.Sort(members)
					r.dir.group("k"+g, g, slices.Compact(members)...)
				}
			}
			// A directory takes who is gone out of its groups, and tells nobody.
			r.dir.mu.Lock()
			present := map[string]bool{}
			for _, rec := range r.dir.records {
				present[rec.Name] = true
			}
			for key, rec := range r.dir.records {
				if rec.Kind == source.Group {
					kept := slices.DeleteFunc(slices.Clone(rec.Members), func(m string) bool { return !present[m] })
					rec.Members = kept
					r.dir.records[key] = rec
				}
			}
			r.dir.delta = cycle%4 != 0
			r.dir.mu.Unlock()
			r.run()
			r.clock.Add(int64(time.Minute))
			r.run()
			r.expect()
		}
		r.idle()
	})
}
