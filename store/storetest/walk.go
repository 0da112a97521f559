package storetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

// walk pages through users while others come and go: who is there all the time appears exactly once.
func walk(t *testing.T, db *store.DB) {
	s := newTenant(t, db)
	stay := map[string]bool{}
	var gone []string
	for i := range 300 {
		id := insert(t, s, user(fmt.Sprintf("%03d", (i*7919)%1000)))
		if i%3 == 0 {
			gone = append(gone, id)
		} else {
			stay[id] = true
		}
	}
	ref, ok := scim.Default().Resolve("User", scim.AttrPath{Name: "userName"})
	if !ok {
		t.Fatal("no userName")
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	wg.Go(func() { comeAndGo(t, s, gone, stop) })
	for _, q := range []scim.Query{{Count: 9}, {Count: 9, Descending: true}, {Count: 9, Sort: &ref}, {Count: 9, Sort: &ref, Descending: true}} {
		q.Targets = []scim.Target{{Type: "User"}}
		seen := map[string]int{}
		for {
			page, err := s.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Resources {
				seen[r.ID]++
			}
			if q.After = page.Next; q.After == nil {
				break
			}
		}
		for id := range stay {
			if seen[id] != 1 {
				t.Errorf("sort %v descending %v: %s was seen %d times, want 1", q.Sort != nil, q.Descending, id, seen[id])
			}
		}
	}
}

// comeAndGo adds users and deletes those that may go, until stop.
func comeAndGo(t *testing.T, s *store.Tenant, gone []string, stop <-chan struct{}) {
	const most = 400
	for i := range most {
		select {
		case <-stop:
			return
		default:
		}
		err := s.Insert(t.Context(), user(fmt.Sprintf("new-%d", i)))
		if err == nil && i < len(gone) {
			err = s.Delete(t.Context(), "User", gone[i], 1, audit.Event{Action: audit.Delete, Type: "User", ID: gone[i]})
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}
