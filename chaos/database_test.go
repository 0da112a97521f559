//go:build chaos

package chaos

import (
	"testing"
	"time"

	"github.com/provost-scim/provost/bench/rig"
)

const (
	answerLimit  = 15 * time.Second // for a 503 while the database is gone
	recoverLimit = 10 * time.Second // for the first success after it is back
)

// TestDatabaseGone takes PostgreSQL away under load, by a crash and by an orderly stop, and gives it back: 503
// with Retry-After meanwhile, then work goes on in the same process with all that was acknowledged.
func TestDatabaseGone(t *testing.T) {
	for _, mode := range []string{"immediate", "fast"} {
		t.Run(mode, func(t *testing.T) {
			s := newSite(t, "postgres", tempDir(t))
			server := s.start()
			w := s.world(seed(t))
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				time.Sleep(500 * time.Millisecond)
				if err := s.cluster.Stop(t.Context(), mode); err != nil {
					t.Error(err)
				}
			}()
			w.run(t, server.Addr, gone)
			<-gone
			s.refuses(w, server, "GET", "POST")
			if server.Ready(t.Context()) {
				t.Error("/healthz/ready answers 200 while the database is gone")
			}
			if err := s.cluster.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			took := s.recovers(w, server)
			s.check(w, server)
			before := w.acked.Load()
			w.run(t, server.Addr, after(500*time.Millisecond))
			s.check(w, server)
			if w.acked.Load() == before {
				t.Error("no write was acknowledged after the database came back")
			}
			t.Logf("recovered %s after the start; %d writes acknowledged, all found", took.Round(time.Millisecond), w.acked.Load())
		})
	}
}

// refuses checks that a read and a write are answered 503 with Retry-After in time.
func (s *site) refuses(w *world, server *rig.Server, methods ...string) {
	s.t.Helper()
	conn := rig.NewConn(server.Addr, w.token)
	defer conn.Close()
	for _, method := range methods {
		begin := time.Now()
		a, err := s.probe(conn, method)
		if err != nil {
			s.t.Fatalf("%s without a database: %v", method, err)
		}
		if a.Status != 503 {
			s.t.Errorf("%s without a database: status %d, want 503: %s", method, a.Status, a.Body)
		}
		if err := checkRetryAfter(&a); a.Status == 503 && err != nil {
			s.t.Error(err)
		}
		if d := time.Since(begin); d > answerLimit {
			s.t.Errorf("%s took %s, at most %s are allowed", method, d, answerLimit)
		}
	}
}

// probeUser is created and deleted by probe; no writer owns it.
const probeUser = `{"schemas":["` + userSchema + `"],"userName":"probe"}`

// probe sends a read or a write that no writer knows of.
func (s *site) probe(conn *rig.Conn, method string) (rig.Answer, error) {
	if method == "GET" {
		return conn.Do("GET", "/t/chaos/scim/v2/Users?filter=userName%20eq%20%22nobody%22", nil)
	}
	return conn.Do("POST", "/t/chaos/scim/v2/Users", []byte(probeUser))
}

// recovers waits until a write succeeds, removes what it wrote, and returns how long that took.
func (s *site) recovers(w *world, server *rig.Server) time.Duration {
	s.t.Helper()
	conn := rig.NewConn(server.Addr, w.token)
	defer conn.Close()
	begin := time.Now()
	for time.Since(begin) < recoverLimit {
		a, err := s.probe(conn, "POST")
		if err == nil && (a.Status == 201 || a.Status == 409) {
			took := time.Since(begin)
			s.removeProbe(conn)
			return took
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !server.Alive() {
		s.t.Fatal("the server has ended")
	}
	s.t.Fatalf("no write succeeded within %s", recoverLimit)
	return 0
}

// removeProbe deletes the probe wherever an attempt has left it.
func (s *site) removeProbe(conn *rig.Conn) {
	s.t.Helper()
	a, err := conn.Do("GET", "/t/chaos/scim/v2/Users?filter=userName%20eq%20%22probe%22&attributes=userName", nil)
	if err != nil || a.Status != 200 {
		s.t.Fatalf("look for the probe: status %d, %v: %s", a.Status, err, a.Body)
	}
	id := idIn(s.t, a.Body)
	if a, err = conn.Do("DELETE", "/t/chaos/scim/v2/Users/"+id, nil); err != nil || a.Status != 204 {
		s.t.Fatalf("delete the probe: status %d, %v: %s", a.Status, err, a.Body)
	}
}
