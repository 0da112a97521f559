//go:build chaos

package chaos

import (
	"database/sql"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/provost-scim/provost/bench/rig"
)

// The bar for a restart after kill -9, without any manual step.
const restartLimit = 3 * time.Second

// TestKill ends the server by kill -9 under load, CHAOS_ROUNDS times (50), and compares what is stored with what
// was acknowledged after each restart.
func TestKill(t *testing.T) {
	each(t, func(t *testing.T, store string) {
		s := newSite(t, store, tempDir(t))
		n := seed(t)
		rng := rand.New(rand.NewPCG(n, 1))
		rounds := number("CHAOS_ROUNDS", 50)
		server := s.start()
		w := s.world(n)
		var open, done, entries int
		var slowest time.Duration
		for round := range rounds {
			kill := time.Duration(200+rng.IntN(800)) * time.Millisecond
			killed := make(chan struct{})
			go func(server *rig.Server) {
				time.Sleep(kill)
				server.Kill()
				close(killed)
			}(server)
			w.run(t, server.Addr, killed)
			<-killed
			open += w.open()
			s.drain()
			begin := time.Now()
			server = s.start()
			slowest = max(slowest, time.Since(begin))
			d, e := s.check(w, server)
			done, entries = done+d, e
			if t.Failed() {
				t.Fatalf("after kill %d of %d", round+1, rounds)
			}
		}
		if w.acked.Load() < int64(10*rounds) || open == 0 {
			t.Errorf("%d writes acknowledged and %d open in %d rounds: the load was too thin to show anything", w.acked.Load(), open, rounds)
		}
		if slowest > restartLimit {
			t.Errorf("the slowest restart took %s, at most %s are allowed", slowest, restartLimit)
		}
		t.Logf("%d kills: %d writes acknowledged, all found; %d reads agreed; %d requests open, %d of them done, none by half; %d log entries; slowest restart %s",
			rounds, w.acked.Load(), w.reads.Load(), open, done, entries, slowest.Round(time.Millisecond))
	})
}

// open counts the writers whose last request has no known outcome.
func (w *world) open() int {
	n := 0
	for _, one := range w.w {
		if one.maybe != nil {
			n++
		}
	}
	return n
}

// drain waits until PostgreSQL has ended the sessions of a killed server: a commit that had arrived may still be
// under way.
func (s *site) drain() {
	s.t.Helper()
	if s.cluster == nil {
		return
	}
	db := openSQL(s.t, s.where)
	defer db.Close()
	db.SetMaxOpenConns(1)
	for range 500 {
		var n int
		err := db.QueryRow(`select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`).Scan(&n)
		if err != nil && err != sql.ErrNoRows {
			s.t.Fatal(err)
		}
		if n == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatal("sessions of the killed server are still there after 5 s")
}
