package verify_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/provost-scim/provost/verify"
)

// A server that dies in the middle of a run is said once; the cases that were not tried accuse nobody.
func TestRun_ServerStopsAnswering(t *testing.T) {
	var answered atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if answered.Add(1) > 40 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/scim+json")
		_, _ = w.Write([]byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`))
	}))
	defer server.Close()
	rep, err := verify.Run(t.Context(), verify.Options{URL: server.URL, Auth: verify.Auth{Token: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(rep.Stopped, "stopped answering") || rep.OK() {
		t.Errorf("stopped = %q, OK %v", rep.Stopped, rep.OK())
	}
	if _, all, _ := strings.Cut(rep.Summary(), "cases were not tried"); strings.Contains(all, "x") || len(rep.Results) > 60 {
		t.Errorf("%d results after the server was gone: %s", len(rep.Results), rep.Summary())
	}
}
