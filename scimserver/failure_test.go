package scimserver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scimserver"
)

// newServer is a second server over the same database, with a directory of its own making.
func (s *site) newServer(t *testing.T, d func(context.Context, access.Tenant) (*directory.Directory, error)) *httptest.Server {
	t.Helper()
	server, err := scimserver.New(scimserver.Config{Access: s.access, Directory: d, Key: make([]byte, 32), Requests: s.db, Now: s.clock.Now, PublicURL: "https://scim.example"})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		front.Close()
		server.Close(context.Background())
	})
	return front
}

// TestFailures: what goes wrong inside is answered without a word about the inside.
func TestFailures(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	for _, c := range []struct {
		name   string
		err    error
		status int
		retry  string
	}{
		{"unknown", errors.New("inside: table x"), 500, ""},
		{"unavailable", fmt.Errorf("load: %w", &directory.Error{Kind: directory.Unavailable, Msg: "inside: no connection"}), 503, "5"},
		{"internal kind", &directory.Error{Kind: directory.Internal, Msg: "inside"}, 500, ""},
		{"deadline", fmt.Errorf("inside: %w", context.DeadlineExceeded), 503, "5"},
		{"exhausted", &directory.Error{Kind: directory.Exhausted, Msg: "the query takes too long"}, 400, ""},
	} {
		front := s.newServer(t, func(context.Context, access.Tenant) (*directory.Directory, error) { return nil, c.err })
		a := p.send("GET", front.URL+"/t/"+p.tenant.Name+"/scim/v2/Users", "").expect(t, c.name, c.status, "/status", fmt.Sprintf(`"%d"`, c.status))
		if strings.Contains(string(a.raw), "inside") || a.header.Get("Retry-After") != c.retry || a.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %s %v", c.name, a.raw, a.header)
		}
	}
	front := s.newServer(t, func(context.Context, access.Tenant) (*directory.Directory, error) { panic("inside") })
	a := p.send("GET", front.URL+"/t/"+p.tenant.Name+"/scim/v2/Users", "").expect(t, "panic", 500, "/status", `"500"`)
	if strings.Contains(string(a.raw), "inside") {
		t.Errorf("panic: %s", a.raw)
	}
	found := false
	for _, e := range p.requests(6) {
		found = found || e.ID == a.header.Get("X-Request-Id") && e.Status == 500 && strings.Contains(e.Error, "panic")
	}
	if !found {
		t.Error("the panic is not in the request log")
	}
}

// TestOddBytes: bytes that are no text reach neither the database nor the log, and yield no 5xx.
func TestOddBytes(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		p.user("u")
		paths := []string{
			`/Users?filter=userName eq "a%00b"`, `/Users?filter=userName eq "%ff%fe"`, `/Users?filter=title co "%c3%28"`, `/Users?filter=%00`,
			`/Users?filter=externalId eq "%ff"`, `/Users?filter=id eq "%00"`, `/Users?filter=emails[type eq "%ff" and value eq "%00"]`,
			`/Users?filter=schemas eq "%ff"`, `/Users?filter=meta.version eq "%00"`, `/Users?filter=groups eq "%ff"`, `/Groups?filter=members eq "%00"`,
			`/Users?sortBy=%00`, `/Users?sortBy=%ff`, `/Users?attributes=%00,%ff`, `/Users?excludedAttributes=%ff`, `/Users?cursor=%00`, `/Users?count=%ff`,
			`/Users?%ff=%ff&%00`, `/Users/{u}?attributes=%ff`, "/Users?filter=\xff\xfe", "/Users?x=\xff",
		}
		for i, path := range paths {
			if a := p.do("GET", path, "", "User-Agent", "agent \xff\xfe", "If-None-Match", "\xff"); a.status >= 500 {
				t.Errorf("%d %q: %d %s", i, path, a.status, a.raw)
			}
		}
		p.do("POST", "/Users", "{\"userName\":\"\xff\"}").expect(t, "invalid UTF-8", 400, "/scimType", "invalidSyntax")
		p.do("POST", "/Users", `{"userName":"a\u0000b"}`).expect(t, "U+0000", 400)
		p.do("PATCH", "/Users/{u}", patchOp(`{"op":"add","path":"title","value":"\ud800"}`)).expect(t, "half a pair", 400)
		for _, e := range p.requests(len(paths) + 4) {
			if e.Method == "GET" && e.Agent != "agent " {
				t.Errorf("agent %q", e.Agent)
			}
		}
		if err := s.access.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestNew(t *testing.T) {
	s := newSite(t, t.TempDir())
	good := scimserver.Config{Access: s.access, Directory: s.directory, Key: make([]byte, 32)}
	if _, err := scimserver.New(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*scimserver.Config){
		"no access":      func(c *scimserver.Config) { c.Access = nil },
		"no directory":   func(c *scimserver.Config) { c.Directory = nil },
		"short key":      func(c *scimserver.Config) { c.Key = c.Key[:16] },
		"URL with path":  func(c *scimserver.Config) { c.PublicURL = "https://x/y" },
		"URL of nothing": func(c *scimserver.Config) { c.PublicURL = "scim.example.com" },
		"other scheme":   func(c *scimserver.Config) { c.PublicURL = "ftp://x" },
	} {
		c := good
		change(&c)
		if _, err := scimserver.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestPublicURL(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	front := s.newServer(t, s.directory)
	a := p.send("POST", front.URL+"/t/"+p.tenant.Name+"/scim/v2/Users", `{"userName":"u"}`, "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http").expect(t, "create", 201)
	if want := "https://scim.example/t/" + p.tenant.Name + "/scim/v2/Users/" + a.text("/id"); a.header.Get("Location") != want || a.text("/meta/location") != want {
		t.Errorf("Location %q, meta.location %q, want %q", a.header.Get("Location"), a.text("/meta/location"), want)
	}
}

// TestBigGroup: sending a group of 20,000 members needs at no time more than four times its size in memory, and
// so for any size: nothing is kept per member but its row and its bytes.
func TestBigGroup(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	const n, each = 20_000, 1000
	var list strings.Builder
	for from := 0; from < n; from += each {
		ops := make([]string, each)
		for i := range ops {
			ops[i] = fmt.Sprintf(`{"method":"POST","path":"/Users","data":{"userName":"user%06d","displayName":"User Number %06d"}}`, from+i, from+i)
		}
		a := p.must(200, "POST", "/Bulk", bulkOf("", ops...))
		for i := range ops {
			fmt.Fprintf(&list, `{"value":%q},`, a.idOf(i))
		}
	}
	p.create("g", "/Groups", `{"displayName":"g","members":[`+strings.TrimSuffix(list.String(), ",")+`]}`)
	req, _ := http.NewRequest("GET", p.base+"/Groups/"+p.vars["g"], nil)
	req.Header.Set("Authorization", "Bearer "+p.token)
	w := &discard{header: http.Header{}}
	peak := peakHeap(func() { s.server.Handler().ServeHTTP(w, req) })
	if w.n < n*100 || peak > 4*w.n {
		t.Errorf("a body of %d bytes took %d bytes of memory", w.n, peak)
	}
	p.must(200, "GET", "/Groups/{g}", "", "/members/#", fmt.Sprint(n))
	if a := p.must(200, "GET", "/Groups/{g}?excludedAttributes=members", ""); len(a.raw) > 1000 {
		t.Errorf("without members: %d bytes", len(a.raw))
	}
}

// peakHeap is the most that the heap grew while fn ran, garbage not yet collected included.
func peakHeap(fn func()) int {
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtime.GC()
	metrics.Read(heap)
	before, peak := heap[0].Value.Uint64(), uint64(0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	for {
		select {
		case <-done:
			return int(peak)
		case <-time.After(time.Millisecond):
			metrics.Read(heap)
			if now := heap[0].Value.Uint64(); now > before {
				peak = max(peak, now-before)
			}
		}
	}
}

// discard is a ResponseWriter that counts.
type discard struct {
	header http.Header
	status int
	n      int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { d.n += len(p); return len(p), nil }

// BenchmarkGet is the cost of a get by id in this process, without the network.
func BenchmarkGet(b *testing.B) {
	s := newSite(b, b.TempDir())
	p := s.newPeer(b, access.NewClient{})
	p.create("u", "/Users", entraUser)
	req, _ := http.NewRequest("GET", p.base+"/Users/"+p.vars["u"], nil)
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.RemoteAddr = "127.0.0.1:1234"
	h := s.server.Handler()
	b.ReportAllocs()
	for b.Loop() {
		w := &discard{header: http.Header{}}
		h.ServeHTTP(w, req)
		if w.status != 200 {
			b.Fatal(w.status)
		}
	}
}

// BenchmarkLookup is the cost of a lookup by userName.
func BenchmarkLookup(b *testing.B) {
	s := newSite(b, b.TempDir())
	p := s.newPeer(b, access.NewClient{})
	p.create("u", "/Users", entraUser)
	req, _ := http.NewRequest("GET", p.base+encode(`/Users?filter=userName eq "u@x.test"`), nil)
	req.Header.Set("Authorization", "Bearer "+p.token)
	h := s.server.Handler()
	b.ReportAllocs()
	for b.Loop() {
		w := &discard{header: http.Header{}}
		h.ServeHTTP(w, req)
		if w.status != 200 {
			b.Fatal(w.status)
		}
	}
}
