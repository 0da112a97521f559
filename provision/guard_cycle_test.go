package provision_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/source"
)

// TestP8_MassRemovalsAreHeld takes many people away in the ways it happens by accident.
func TestP8_MassRemovalsAreHeld(t *testing.T) {
	removals := func(r *rig) (n int) {
		_, log := r.srv.written()
		for _, line := range log {
			if !strings.HasPrefix(line, "create") {
				n++
			}
		}
		return n
	}
	cases := map[string]func(r *rig){
		"deleted": func(r *rig) {
			for i := 1; i <= 12; i++ {
				r.dir.drop(fmt.Sprintf("p%03d", i))
			}
		},
		"a filter with a typo": func(r *rig) {
			r.mapper.only = func(rec source.Record) bool { return rec.Key == "p000" }
			r.mapper.print = "2"
		},
		"everything is gone": func(r *rig) { clear(r.dir.records) },
		"one is out after a change of the configuration": func(r *rig) {
			r.mapper.only = func(rec source.Record) bool { return rec.Key != "p004" }
			r.mapper.print = "3"
		},
		"a group is emptied": func(r *rig) { r.dir.group("g1", "all", "boss") },
	}
	onBoth(t, func(t *testing.T, r *rig) {
		for name, change := range cases {
			t.Run(name, func(t *testing.T) {
				r := r.again(t)
				r.company(40)
				r.run()
				before := r.srv.state()
				kept := map[string]source.Record{}
				for k, v := range r.dir.records {
					kept[k] = v
				}
				r.srv.reset()
				change(r)
				for range 3 {
					r.run()
				}
				if n := removals(r); n != 0 {
					t.Fatalf("%d removals went out unasked: %v", n, r.srv.log)
				}
				held, err := r.db.Held(t.Context(), r.engine.Channel.ID)
				if err != nil || len(held) == 0 {
					t.Fatalf("nothing is held: %v", err)
				}
				for _, h := range held {
					if h.State != provision.Waiting || h.Rule == "" || h.Reason == "" {
						t.Errorf("held: %+v", h)
					}
				}
				// Creates go on.
				r.dir.person("p900", "newcomer")
				r.mapper.only = nil
				r.mapper.print += "x"
				r.run()
				// What is put back before anybody answers was never sent.
				for k, v := range kept {
					r.dir.records[k] = v
				}
				r.run()
				r.run()
				after := r.srv.state()
				if after["User newcomer"] == "" {
					t.Error("nobody was created while removals were held")
				}
				delete(after, "User newcomer")
				if d := cmp.Diff(before, after); d != "" {
					t.Errorf("restored before approval, and still:\n%s", d)
				}
				if held, _ = r.db.Held(t.Context(), r.engine.Channel.ID); len(held) != 0 {
					t.Errorf("still held: %+v", held)
				}
			})
		}
	})
}

// TestP8_ApprovedRemovalsGo approves some, rejects one, and leaves the others waiting.
func TestP8_ApprovedRemovalsGo(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.company(30)
		r.run()
		for i := 1; i <= 10; i++ {
			r.dir.drop(fmt.Sprintf("p%03d", i))
		}
		r.run()
		e := audit.Event{Action: audit.Configure, Type: "Channel", Actor: audit.Actor{Name: "root"}}
		ctx, id := t.Context(), r.engine.Channel.ID
		if n, err := r.db.Decide(ctx, id, []string{"p001", "p002"}, provision.Approved, e); err != nil || n != 2 {
			t.Fatalf("approve: %d, %v", n, err)
		}
		if n, err := r.db.Decide(ctx, id, []string{"p003"}, provision.Rejected, e); err != nil || n != 1 {
			t.Fatalf("reject: %d, %v", n, err)
		}
		r.run()
		active := func(name string) bool { return strings.Contains(r.srv.state()["User "+name], "active=true") }
		all := r.srv.state()["Group all"]
		for name, want := range map[string]bool{"user001": false, "user002": false, "user003": true, "user004": true, "user010": true} {
			if active(name) != want || strings.Contains(all, name) != want {
				t.Errorf("%s: active %v, want %v; %s", name, active(name), want, all)
			}
		}
		if _, err := r.db.Decide(ctx, id, nil, provision.Approved, e); err != nil {
			t.Fatal(err)
		}
		r.run()
		if active("user010") || !active("user003") {
			t.Errorf("after approving the rest: %v", r.srv.state())
		}
		r.idle()
	})
}

// TestP8_ASlowLeakIsHeld removes one person per cycle: the rolling day stops it.
func TestP8_ASlowLeakIsHeld(t *testing.T) {
	onBoth(t, func(t *testing.T, r *rig) {
		r.company(40)
		r.run()
		for i := 1; i < 30; i++ {
			r.dir.drop(fmt.Sprintf("p%03d", i))
			r.clock.Add(int64(time.Minute))
			r.run()
		}
		gone := 0
		for _, line := range r.srv.state() {
			if strings.Contains(line, "active=false") {
				gone++
			}
		}
		if gone == 0 || gone > 5 {
			t.Errorf("%d were disabled within a day, want 1 to 5", gone)
		}
	})
}
