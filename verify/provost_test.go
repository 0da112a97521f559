package verify_test

import (
	"testing"
	"time"

	"github.com/provost-scim/provost/store/pgtest"
	"github.com/provost-scim/provost/verify"
)

// fullRun is the longest that everything but the load may take against a local server.
const fullRun = 60 * time.Second

// TestProvost plays every profile at Provost, on both stores: all green.
func TestProvost(t *testing.T) {
	for name, where := range map[string]func(testing.TB) string{"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": pgtest.URL} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, where(t))
			own, other := s.newPeer(t, ""), s.newPeer(t, "")
			begun := time.Now()
			rep := play(t, verify.Options{URL: own.base, Auth: verify.Auth{Token: own.token}, SecondToken: other.token, SecondURL: other.base})
			took := time.Since(begun)
			t.Logf("%s (%v)", rep.Summary(), took.Round(time.Millisecond))
			if rep.Failed+rep.Warned+rep.Blocked > 0 {
				t.Errorf("Provost is accused:\n%s", complaints(rep))
			}
			for _, r := range rep.Results {
				if r.Outcome == verify.Skipped {
					t.Logf("skipped %s: %s", r.Name, r.Reason)
				}
			}
			if len(rep.Leftovers) > 0 {
				t.Errorf("left on the server: %v", rep.Leftovers)
			}
			if took > fullRun {
				t.Errorf("a run of everything took %v, more than %v", took, fullRun)
			}
		})
	}
}
