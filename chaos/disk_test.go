//go:build chaos

package chaos

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/provost-scim/provost/bench/rig"
)

// idIn reads the id of the only resource of a list.
func idIn(t *testing.T, body []byte) string {
	t.Helper()
	var page struct{ Resources []struct{ ID string } }
	if err := json.Unmarshal(body, &page); err != nil || len(page.Resources) != 1 {
		t.Fatalf("want one resource: %v: %s", err, body)
	}
	return page.Resources[0].ID
}

// TestDiskFull fills the disk under load: writes are answered 503 with Retry-After and, once there is room again,
// go on in the same process with all that was acknowledged. On SQLite reads work throughout. PostgreSQL may take
// itself down when it cannot write its log; then reads are answered 503 as well.
func TestDiskFull(t *testing.T) {
	each(t, func(t *testing.T, store string) {
		size := map[string]string{"sqlite": "32m", "postgres": "192m"}[store]
		disk := mount(t, size)
		s := newSite(t, store, disk, "min_wal_size = 8MB", "max_wal_size = 16MB", "shared_buffers = 8MB")
		server := s.start()
		w := s.world(seed(t))
		w.run(t, server.Addr, after(500*time.Millisecond))
		s.check(w, server)

		ballast := filepath.Join(disk, "ballast")
		s.fillDisk(w, server, ballast)
		full := w.open()
		s.refuses(w, server, "POST")
		s.readsOnFull(w, server, store)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if s.cluster != nil && !s.cluster.Running(t.Context()) {
			t.Log("PostgreSQL took itself down; it is started again, as its administrator would do")
			if err := s.cluster.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		took := s.recovers(w, server)
		s.check(w, server)
		before := w.acked.Load()
		w.run(t, server.Addr, after(500*time.Millisecond))
		s.check(w, server)
		if w.acked.Load() == before {
			t.Error("no write was acknowledged after there was room again")
		}
		t.Logf("%d of %d writers met the full disk; recovered %s after there was room; %d writes acknowledged, all found",
			full, writers, took.Round(time.Millisecond), w.acked.Load())
	})
}

// fillDisk writes ballast until nothing fits any more and every writer has met the full disk, or fails.
func (s *site) fillDisk(w *world, server *rig.Server, ballast string) {
	s.t.Helper()
	f, err := os.Create(ballast)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	deadline := time.Now().Add(60 * time.Second)
	for w.open() < writers {
		if time.Now().After(deadline) {
			s.t.Fatal("the disk is full, but writes went on for a minute")
		}
		block := make([]byte, 4096)
		for err = nil; err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			s.t.Fatal(err)
		}
		w.run(s.t, server.Addr, after(200*time.Millisecond))
	}
}

// readsOnFull checks that reads work while the disk is full, where the store lets them.
func (s *site) readsOnFull(w *world, server *rig.Server, store string) {
	s.t.Helper()
	conn := rig.NewConn(server.Addr, w.token)
	defer conn.Close()
	a, err := s.probe(conn, "GET")
	if err != nil {
		s.t.Fatal(err)
	}
	if a.Status == 200 || store == "postgres" && a.Status == 503 {
		s.t.Logf("a read on the full disk: status %d", a.Status)
		return
	}
	s.t.Errorf("a read on the full disk: status %d: %s", a.Status, a.Body)
}
