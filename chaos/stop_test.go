//go:build chaos

package chaos

import (
	"testing"
	"time"
)

// stopLimit is how long an orderly stop may take.
const stopLimit = 10 * time.Second

// TestStop sends SIGTERM under load, ten times: the server answers what it has begun, exits with 0, and all that
// it acknowledged is stored. A request without an answer was not done.
func TestStop(t *testing.T) {
	each(t, func(t *testing.T, store string) {
		const rounds = 10
		s := newSite(t, store, tempDir(t))
		server := s.start()
		w := s.world(seed(t))
		var slowest time.Duration
		for range rounds {
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				time.Sleep(400 * time.Millisecond)
				begin := time.Now()
				if err := server.Stop(stopLimit); err != nil {
					t.Error(err)
				}
				slowest = max(slowest, time.Since(begin))
			}()
			w.run(t, server.Addr, stopped)
			<-stopped
			server = s.start()
			if done, _ := s.check(w, server); done > 0 {
				t.Errorf("%d requests were done, but their answers were cut off", done)
			}
			if t.Failed() {
				t.FailNow()
			}
		}
		t.Logf("%d stops: %d writes acknowledged, all found; slowest stop %s", rounds, w.acked.Load(), slowest.Round(time.Millisecond))
	})
}
