//go:build chaos

package chaos

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/provost-scim/provost/bench/rig"
)

// revokeLimit is how long a revoked token may still work, anywhere.
const revokeLimit = time.Second

// TestRevoke revokes tokens that are in use on every node, ten times, with the command line beside the servers:
// on PostgreSQL two nodes, on SQLite one.
func TestRevoke(t *testing.T) {
	each(t, func(t *testing.T, store string) {
		const rounds = 10
		s := newSite(t, store, tempDir(t))
		nodes := []*rig.Server{s.start()}
		if store == "postgres" {
			nodes = append(nodes, s.start())
		}
		s.cli("tenant", "create", "chaos")
		var slowest time.Duration
		for round := range rounds {
			name := fmt.Sprintf("c%d", round)
			token := s.cli("client", "create", name, "--tenant", "chaos", "--rate", "0", "--concurrent", "0")
			slowest = max(slowest, s.revoke(name, token, nodes))
		}
		if slowest > revokeLimit {
			t.Errorf("a revoked token still worked after %s, at most %s are allowed", slowest, revokeLimit)
		}
		t.Logf("%d revocations on %d nodes, the slowest effective after %s", rounds, len(nodes), slowest.Round(time.Millisecond))
	})
}

// revoke uses a token on all nodes, revokes it, and returns how long after that it was last accepted anywhere.
func (s *site) revoke(client, token string, nodes []*rig.Server) time.Duration {
	s.t.Helper()
	conns := make([]*rig.Conn, len(nodes))
	for i, n := range nodes {
		conns[i] = rig.NewConn(n.Addr, token)
		defer conns[i].Close()
	}
	use := func(i int) int {
		a, err := s.probe(conns[i], "GET")
		if err != nil {
			s.t.Fatal(err)
		}
		return a.Status
	}
	for i := range nodes {
		if got := use(i); got != 200 {
			s.t.Fatalf("node %d: status %d with a live token", i, got)
		}
	}
	done := make(chan time.Time, 1)
	go func() {
		if _, err := rig.CLI(context.Background(), binary, s.where, "client", "revoke", client, "--tenant", "chaos"); err != nil {
			s.t.Error(err)
		}
		done <- time.Now()
	}()
	var revoked, last time.Time
	for refused := 0; refused < len(nodes); {
		refused = 0
		for i := range nodes {
			if use(i) == 401 {
				refused++
			} else {
				last = time.Now()
			}
		}
		select {
		case revoked = <-done:
		default:
		}
		if !revoked.IsZero() && time.Since(revoked) > 5*revokeLimit {
			s.t.Fatalf("a revoked token is still accepted after %s", time.Since(revoked))
		}
		time.Sleep(5 * time.Millisecond)
	}
	if revoked.IsZero() {
		revoked = <-done
	}
	return max(0, last.Sub(revoked))
}

// TestTwoNodes lets the same writers work through two nodes on one PostgreSQL: what one node has acknowledged the
// other shows at once.
func TestTwoNodes(t *testing.T) {
	s := newSite(t, "postgres", tempDir(t))
	a, b := s.start(), s.start()
	w := s.world(seed(t))
	for range 5 {
		w.run(t, a.Addr, after(300*time.Millisecond))
		s.check(w, b)
		w.run(t, b.Addr, after(300*time.Millisecond))
		s.check(w, a)
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d writes acknowledged by either node, all shown by the other", w.acked.Load())
}
