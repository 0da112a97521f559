//go:build chaos

package chaos

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/provost-scim/provost/bench/rig"
)

// writers is how many connections write at the same time, each to resources of its own.
const writers = 8

// mostUsers bounds the users of one writer, so that a look at all of them stays cheap.
const mostUsers = 24

// state is what a writer's resources look like from outside: by name, a user's value or a group's members.
type state map[string]string

// world is the load and what is known of its effects.
type world struct {
	tenant string
	token  string
	w      [writers]*writer
	acked  atomic.Int64
	reads  atomic.Int64
}

// writer does one request after the other. What it has been told is in known; if its last request got no answer,
// or one that leaves the outcome open, the state after it is in maybe.
type writer struct {
	name   string
	rng    *rand.Rand
	serial int
	known  state
	maybe  state             // nil: nothing is open
	open   string            // what the open request was
	ids    map[string]string // by name
}

func newWorld(tenant, token string, seed uint64) *world {
	w := &world{tenant: tenant, token: token}
	for i := range w.w {
		w.w[i] = &writer{name: fmt.Sprintf("w%d", i), rng: rand.New(rand.NewPCG(seed, uint64(i))), known: state{}, ids: map[string]string{}}
	}
	return w
}

// run lets all writers work on the server at addr until stop is closed or a request of theirs has no clear
// outcome; it returns when all have ended.
func (w *world) run(t *testing.T, addr string, stop <-chan struct{}) {
	t.Helper()
	var wg sync.WaitGroup
	for _, one := range w.w {
		wg.Go(func() {
			conn := rig.NewConn(addr, w.token)
			defer conn.Close()
			for one.maybe == nil {
				select {
				case <-stop:
					return
				default:
				}
				if err := w.step(one, conn); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// request is one write with the state that it makes.
type request struct {
	method, path, body string
	status             int
	after              state
	made               []string // names of the resources that it creates, in the order of their ids in the answer
}

// step does one request. An answer that is neither the expected one nor 503 is an error.
func (w *world) step(one *writer, conn *rig.Conn) error {
	base := "/t/" + w.tenant + "/scim/v2"
	if one.rng.IntN(4) == 0 {
		return w.read(one, conn, base)
	}
	r := one.next()
	one.maybe, one.open = r.after, r.method+" "+r.path+" "+r.body
	a, err := conn.Do(r.method, base+r.path, []byte(r.body))
	switch {
	case err != nil:
		return nil // no answer: the outcome is open
	case a.Status == 503:
		return checkRetryAfter(&a)
	case a.Status != r.status:
		return fmt.Errorf("%s %s: status %d, want %d: %s", r.method, r.path, a.Status, r.status, a.Body)
	}
	if err := one.learn(r, a.Body); err != nil {
		return err
	}
	one.known, one.maybe, one.open = r.after, nil, ""
	w.acked.Add(1)
	return nil
}

func checkRetryAfter(a *rig.Answer) error {
	if s := a.Header("Retry-After"); s == "" || strings.Trim(s, "0123456789") != "" {
		return fmt.Errorf("503 with Retry-After %q, want whole seconds: %s", s, a.Body)
	}
	return nil
}

// read looks up one of the writer's users and checks that it is as known.
func (w *world) read(one *writer, conn *rig.Conn, base string) error {
	users := one.users()
	if len(users) == 0 {
		return nil
	}
	name := users[one.rng.IntN(len(users))]
	a, err := conn.Do("GET", base+"/Users/"+one.ids[name], nil)
	if err != nil {
		one.maybe, one.open = one.known, "a read" // the server is gone: end, with nothing open
		return nil
	}
	if a.Status == 503 {
		one.maybe, one.open = one.known, "a read"
		return checkRetryAfter(&a)
	}
	if a.Status != 200 {
		return fmt.Errorf("GET of user %s: status %d: %s", name, a.Status, a.Body)
	}
	var u wireUser
	if err := json.Unmarshal(a.Body, &u); err != nil {
		return err
	}
	if got := u.value(); got != one.known[name] {
		return fmt.Errorf("user %s reads %q, but %q was acknowledged", name, got, one.known[name])
	}
	w.reads.Add(1)
	return nil
}

// learn takes the ids of created resources from an answer.
func (one *writer) learn(r request, body []byte) error {
	if len(r.made) == 0 {
		return nil
	}
	var answer struct {
		ID         string
		Operations []struct{ Location, Status string }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if len(answer.Operations) == 0 {
		one.ids[r.made[0]] = answer.ID
		return nil
	}
	if len(answer.Operations) != len(r.made) {
		return fmt.Errorf("bulk answer with %d operations, want %d: %s", len(answer.Operations), len(r.made), body)
	}
	for i, op := range answer.Operations {
		if op.Status != "201" {
			return fmt.Errorf("bulk operation %d: status %s: %s", i, op.Status, body)
		}
		one.ids[r.made[i]] = op.Location[strings.LastIndexByte(op.Location, '/')+1:]
	}
	return nil
}

// users are the names of the writer's users, sorted.
func (one *writer) users() []string {
	var names []string
	for name := range one.known {
		if !strings.Contains(name, "-team") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// wireUser is what the checks read of a user.
type wireUser struct{ ID, UserName, Title, NickName string }

// value is the user's state: title and nick name are always written together.
func (u *wireUser) value() string {
	if u.Title != u.NickName {
		return "torn: " + u.Title + " and " + u.NickName
	}
	return u.Title
}

// wireGroup is what the checks read of a group.
type wireGroup struct {
	ID, DisplayName, ExternalID string
	Members                     []struct{ Value string }
}

// resolve compares what is stored with what each writer knows, and takes it as the new truth. It returns how many
// open requests turned out to have been done.
func (w *world) resolve(t *testing.T, stored map[string]state, ids map[string]map[string]string) (done int) {
	t.Helper()
	for _, one := range w.w {
		got := stored[one.name]
		if got == nil {
			got = state{}
		}
		switch {
		case maps.Equal(got, one.known):
		case one.maybe != nil && maps.Equal(got, one.maybe):
			done++
		default:
			t.Errorf("writer %s: stored is neither what was acknowledged nor that with the open request\n%s\nopen: %s",
				one.name, difference(got, one.known, one.maybe), one.open)
		}
		one.known, one.maybe, one.open, one.ids = got, nil, "", ids[one.name]
		if one.ids == nil {
			one.ids = map[string]string{}
		}
	}
	return done
}

// difference lists the names in which got is not known.
func difference(got, known, maybe state) string {
	names := map[string]bool{}
	for _, s := range []state{got, known, maybe} {
		for name := range s {
			names[name] = true
		}
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if got[name] != known[name] || maybe != nil && got[name] != maybe[name] {
			fmt.Fprintf(&b, "  %s: stored %q, acknowledged %q, open %q\n", name, got[name], known[name], maybe[name])
		}
	}
	return b.String()
}
