package verify_test

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/provost-scim/provost/verify"
)

// everything plays all profiles at each broken server instead of the cases that are to catch it.
var everything = flag.Bool("everything", false, "play all cases at every broken server")

// fault is one bug of a SCIM server, put in front of a Provost by a proxy.
type fault struct {
	name   string   // the bug
	source string   // where the field met it
	cases  []string // the cases that must catch it: each has to fail or warn
	cause  string   // what the finding of one of them must say
	broken func() middleware
}

// faults is the list of all bugs.
func faults() []fault {
	return slices.Concat(listFaults(), cursorFaults(), filterFaults(), createFaults(), identityFaults(), patchFaults(), valuePathFaults(), lifeFaults(),
		putFaults(), groupFaults(), memberFaults(), errorFaults(), securityFaults(), discoveryFaults(), bulkFaults())
}

// caught is a row of the catch table.
type caught struct {
	fault
	by      []string // cases that failed or warned
	says    string   // the finding that names the cause
	missing []string // cases that should have caught it and did not
	named   bool
}

// TestCatchTable puts each bug in front of a healthy server and requires that the cases meant for it catch it and name
// the cause. The same proxy without a bug must be accused of nothing.
func TestCatchTable(t *testing.T) {
	s := newSite(t, quick(t))
	t.Run("healthy", func(t *testing.T) {
		rep := s.against(t, nil, verify.Options{})
		if rep.Failed+rep.Warned+rep.Blocked > 0 {
			t.Fatalf("a healthy server is accused behind the proxy:\n%s", complaints(rep))
		}
	})
	list := faults()
	seen := map[string]bool{}
	for _, f := range list {
		if seen[f.name] {
			t.Errorf("two faults are called %q", f.name)
		}
		seen[f.name] = true
	}
	if len(list) < 60 {
		t.Errorf("%d faults, want at least 60", len(list))
	}
	rows := s.catch(t, list)
	t.Log(tableOf(rows))
	hit := map[string]bool{}
	for _, r := range rows {
		if len(r.missing) > 0 || !r.named {
			t.Errorf("%s: not caught by %v; named %v (want %q); caught by %v", r.name, r.missing, r.named, r.cause, r.by)
		}
		for _, c := range r.by {
			hit[c] = true
		}
	}
	total := 0
	for _, p := range verify.Profiles() {
		if !p.Heavy {
			total += len(p.Cases)
		}
	}
	t.Logf("%d bugs, %d caught with their cause named; %d of %d cases caught at least one", len(rows), countGood(rows), len(hit), total)
	if *everything {
		t.Logf("cases that caught none:\n%s", strings.Join(idle(hit), "\n"))
	}
}

// catch plays the bugs, as many at once as there are processors.
func (s *site) catch(t *testing.T, list []fault) []caught {
	rows := make([]caught, len(list))
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				o := verify.Options{Only: list[i].cases}
				if *everything {
					o.Only = nil
				}
				rows[i] = judge(list[i], s.against(t, list[i].broken(), o))
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	wg.Wait()
	return rows
}

// against plays at a new tenant behind the proxy.
func (s *site) against(t testing.TB, m middleware, o verify.Options) *verify.Report {
	own, other := s.newPeer(t, ""), s.newPeer(t, "")
	p := newProxy(t, s, own, m)
	p.second = other.token
	o.URL, o.Auth.Token, o.SecondToken = p.base, own.token, other.token
	rep, err := verify.Run(t.Context(), o)
	if err != nil {
		t.Errorf("run: %v", err)
		return &verify.Report{}
	}
	return rep
}

func judge(f fault, rep *verify.Report) caught {
	row := caught{fault: f}
	for _, r := range rep.Results {
		if r.Outcome != verify.Fail && r.Outcome != verify.Warn {
			if slices.Contains(f.cases, r.Name) {
				row.missing = append(row.missing, r.Name)
			}
			continue
		}
		row.by = append(row.by, r.Name)
		for _, x := range r.Findings {
			text := "expected " + x.Expected + ", got " + x.Got
			if slices.Contains(f.cases, r.Name) && !row.named && strings.Contains(text, f.cause) {
				row.named, row.says = true, text
			}
		}
	}
	for _, c := range f.cases {
		if !slices.ContainsFunc(rep.Results, func(r verify.Result) bool { return r.Name == c }) {
			row.missing = append(row.missing, c+" (no such case)")
		}
	}
	return row
}

func countGood(rows []caught) int {
	n := 0
	for _, r := range rows {
		if len(r.missing) == 0 && r.named {
			n++
		}
	}
	return n
}

// tableOf prints the catch table.
func tableOf(rows []caught) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-4s %-58s %-34s %s\n", "", "BUG OF THE SERVER", "CAUGHT BY", "WHAT IT SAYS")
	for i, r := range rows {
		by := strings.Join(r.cases[:1], "")
		if n := len(r.by); n > 1 {
			by += fmt.Sprintf(" +%d", n-1)
		}
		if len(r.missing) > 0 || !r.named {
			by = "NOT CAUGHT"
		}
		fmt.Fprintf(&b, "%-4d %-58s %-34s %s\n", i+1, r.name, by, clip([]byte(r.says))[:min(len(r.says), 150)])
	}
	return b.String()
}

// idle lists the cases that caught nothing.
func idle(hit map[string]bool) []string {
	all := map[string]bool{}
	for _, p := range verify.Profiles() {
		for _, c := range p.Cases {
			if !hit[c.Name] && !p.Heavy {
				all[c.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}
