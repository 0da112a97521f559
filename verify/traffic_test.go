package verify_test

import (
	"os"
	"testing"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/verify"
)

// TestTraffic plays the recorded traffic of the clients as case files, each with the profile of its client.
func TestTraffic(t *testing.T) {
	const root = "../testdata/traffic"
	folders, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, quick(t))
	scenarios, exchanges := 0, 0
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		t.Run(f.Name(), func(t *testing.T) {
			profile := access.Generic
			switch f.Name() {
			case "entra", "entra-flag", "entra-validator":
				profile = access.Entra
			case "okta", "okta-catalogue", "okta-custom", "okta-spec":
				profile = access.Okta
			case "pingfederate", "pingfederate-put", "pingfederate-patch":
				profile = access.PingFederate
			}
			p := s.newPeer(t, profile)
			rep := play(t, verify.Options{URL: p.base, Auth: verify.Auth{Token: p.token}, Files: []string{root + "/" + f.Name()}})
			if !rep.OK() || rep.Warned > 0 {
				t.Errorf("%s\n%s", rep.Summary(), complaints(rep))
			}
			scenarios += len(rep.Results)
			exchanges += rep.Requests
		})
	}
	t.Logf("%d scenarios, %d exchanges", scenarios, exchanges)
	if exchanges < 100 {
		t.Errorf("played %d recorded exchanges, want at least 100", exchanges)
	}
}
