package scimserver_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/scimserver"
)

// TestLimits: one more than each limit is refused with a 4xx that names it; the limit itself is not.
func TestLimits(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	p.user("u")
	p.group("g")
	pad := func(head, tail string, size int) string {
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	deep := func(n int) string {
		return `{"userName":"d` + strconv.Itoa(n) + `","x":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	ops := func(n int) string {
		return patchOp(strings.TrimSuffix(strings.Repeat(`{"op":"add","path":"title","value":"x"},`, n), ","))
	}
	bulk := func(n int) string {
		return `{"Operations":[` + strings.TrimSuffix(strings.Repeat(`{"method":"DELETE","path":"/Users/x"},`, n), ",") + `]}`
	}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		names                    string
	}{
		{"user body", "POST", "/Users", pad(`{"userName":"big","x":"`, `"}`, scimserver.MaxBody), 201, ""},
		{"user body", "POST", "/Users", pad(`{"userName":"big2","x":"`, `"}`, scimserver.MaxBody+1), 413, strconv.Itoa(scimserver.MaxBody)},
		{"user put", "PUT", "/Users/{u}", pad(`{"userName":"u","x":"`, `"}`, scimserver.MaxBody+1), 413, strconv.Itoa(scimserver.MaxBody)},
		{"user patch", "PATCH", "/Users/{u}", pad(`{"Operations":[{"op":"add","path":"title","value":"`, `"}]}`, scimserver.MaxBody+1), 413, strconv.Itoa(scimserver.MaxBody)},
		{"group body", "PUT", "/Groups/{g}", pad(`{"displayName":"g","x":"`, `"}`, scimserver.MaxGroupBody+1), 413, strconv.Itoa(scimserver.MaxGroupBody)},
		{"group body above a user's", "PUT", "/Groups/{g}", pad(`{"displayName":"g","x":"`, `"}`, scimserver.MaxBody+1), 200, ""},
		{"bulk body", "POST", "/Bulk", pad(`{"Operations":[],"x":"`, `"}`, scimserver.MaxBulkBody+1), 413, "maxPayloadSize"},
		{"bulk operations", "POST", "/Bulk", bulk(scimserver.MaxBulkOps), 200, ""},
		{"bulk operations", "POST", "/Bulk", bulk(scimserver.MaxBulkOps + 1), 413, "maxOperations"},
		{"user in bulk", "POST", "/Bulk", `{"Operations":[{"method":"POST","path":"/Users","data":` + pad(`{"userName":"b","x":"`, `"}`, scimserver.MaxBody+100) + `}]}`, 200, strconv.Itoa(scimserver.MaxBody)},
		{"search body", "POST", "/Users/.search", pad(`{"x":"`, `"}`, scimserver.MaxSearchBody+1), 413, strconv.Itoa(scimserver.MaxSearchBody)},
		{"patch operations", "PATCH", "/Users/{u}", ops(scimserver.MaxPatchOps), 200, ""},
		{"patch operations", "PATCH", "/Users/{u}", ops(scimserver.MaxPatchOps + 1), 413, strconv.Itoa(scimserver.MaxPatchOps)},
		{"depth", "POST", "/Users", deep(scimserver.MaxDepth), 201, ""},
		{"depth", "POST", "/Users", deep(scimserver.MaxDepth + 1), 400, strconv.Itoa(scimserver.MaxDepth)},
		{"depth without end", "POST", "/Users", strings.Repeat("[", 100_000), 400, strconv.Itoa(scimserver.MaxDepth)},
		{"query", "GET", "/Users?x=" + strings.Repeat("y", scimserver.MaxQuery), "", 413, strconv.Itoa(scimserver.MaxQuery)},
		{"attributes", "GET", "/Users?attributes=" + strings.Repeat("a,", scimserver.MaxAttributes), "", 200, ""},
		{"attributes", "GET", "/Users?attributes=" + strings.Repeat("a,", scimserver.MaxAttributes+1), "", 400, strconv.Itoa(scimserver.MaxAttributes)},
		{"page", "GET", "/Users?count=" + strconv.Itoa(scimserver.MaxPage+1), "", 200, ""},
	} {
		a := p.do(c.method, c.path, c.body)
		if a.status != c.status || !strings.Contains(string(a.raw), c.names) {
			t.Errorf("%s: status %d, want %d naming %q: %.300s", c.name, a.status, c.status, c.names, a.raw)
		}
	}
}

// TestBodyOfUnknownLength: a chunked body is held to the limit too.
func TestBodyOfUnknownLength(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	req, _ := http.NewRequest("POST", p.base+"/Users", io.MultiReader(strings.NewReader(`{"userName":"`), strings.NewReader(strings.Repeat("x", scimserver.MaxBody))))
	req.Header.Set("Authorization", "Bearer "+p.token)
	roundTrip(t, req).expect(t, "chunked", 413, "/status", `"413"`)
}

func TestRateLimit(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{Rate: 0.5, Burst: 3})
	for range 3 {
		p.must(200, "GET", "/Users", "")
	}
	a := p.must(429, "GET", "/Users", "", "/status", `"429"`, "/schemas/0", errorURN)
	wait, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 2 {
		t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
	s.peerOf(t, p.tenant, access.NewClient{}).must(200, "GET", "/Users", "")
	s.clock.advance(time.Duration(wait) * time.Second)
	p.must(200, "GET", "/Users", "")
	if s.metrics.limited["rate"] != 1 {
		t.Errorf("metrics: %v", s.metrics.limited)
	}
	wider := p.client
	wider.Rate, wider.Burst = 1000, 1000
	if err := s.access.UpdateClient(t.Context(), cli, p.client, wider); err != nil {
		t.Fatal(err)
	}
	p.do("GET", "/Users", "") // takes the new limits over
	for range 20 {
		s.clock.advance(10 * time.Millisecond)
		p.must(200, "GET", "/Users", "")
	}
}

// TestConcurrencyLimit holds requests open by not finishing their bodies. A server asks for a body that was announced
// with Expect: 100-continue when its handler reads it: by then the request counts as in work.
func TestConcurrencyLimit(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{Rate: 1000, Burst: 1000, Concurrent: 2})
	patient := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	var wg sync.WaitGroup
	var writers []*io.PipeWriter
	for i := range 2 {
		r, w := io.Pipe()
		writers = append(writers, w)
		wg.Go(func() {
			req, _ := http.NewRequest("POST", p.base+"/Users", r)
			req.Header.Set("Authorization", "Bearer "+p.token)
			req.Header.Set("Expect", "100-continue")
			resp, err := patient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != 201 {
				t.Errorf("held request: status %d, want 201", resp.StatusCode)
			}
		})
		fmt.Fprintf(w, `{"userName":"u%d"`, i) // returns when the server asked for the body
	}
	a := p.do("GET", "/Users", "")
	if a.status != 429 || a.header.Get("Retry-After") != "1" {
		t.Errorf("third request: status %d, Retry-After %q; want 429 and 1", a.status, a.header.Get("Retry-After"))
	}
	for _, w := range writers {
		fmt.Fprint(w, "}")
		w.Close()
	}
	wg.Wait()
	p.must(200, "GET", "/Users", "", "/totalResults", "2")
}
