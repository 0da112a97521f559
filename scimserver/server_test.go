package scimserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/scimserver"
	"github.com/provost-scim/provost/store"
	"github.com/provost-scim/provost/store/pgtest"
)

// clock is a clock that tests can move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// counter is a Metrics that counts.
type counter struct {
	mu      sync.Mutex
	dropped int
	limited map[string]int
	routes  map[string]int
}

func (m *counter) Answered(_, route, _ string, status int, _ time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.routes == nil {
		m.routes = map[string]int{}
	}
	m.routes[route+" "+strconv.Itoa(status)]++
}

func (m *counter) Limited(limit string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.limited == nil {
		m.limited = map[string]int{}
	}
	m.limited[limit]++
}

func (m *counter) LogDropped(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropped += n
}

// lockedBuffer is a log sink.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// site is a server over a real store, reached over real HTTP.
type site struct {
	db      *store.DB
	access  *access.Service
	server  *scimserver.Server
	http    *httptest.Server
	clock   *clock
	metrics *counter
	log     *lockedBuffer

	mu         sync.Mutex
	registries map[int64]*scim.Registry
}

// onBothStores runs a test on SQLite and on PostgreSQL.
func onBothStores(t *testing.T, test func(t *testing.T, s *site)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newSite(t, t.TempDir())) })
	t.Run("postgres", func(t *testing.T) { test(t, newSite(t, pgtest.URL(t))) })
}

func newSite(t testing.TB, where string) *site {
	t.Helper()
	s := &site{clock: &clock{}, metrics: &counter{}, log: &lockedBuffer{}, registries: map[int64]*scim.Registry{}}
	logger := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctx := context.Background()
	var err error
	if s.db, err = store.Open(ctx, where, store.Options{Now: s.clock.Now, Migrate: true, Log: logger}); err != nil {
		t.Fatal(err)
	}
	s.access = &access.Service{Keeper: s.db, Accounts: s.db, Now: s.clock.Now, Log: logger}
	key, err := s.db.Key(ctx, "cursor")
	if err != nil {
		t.Fatal(err)
	}
	s.server, err = scimserver.New(scimserver.Config{
		Access: s.access, Directory: s.directory, Key: key, Requests: s.db, Log: logger,
		Domain: "scim.test", Now: s.clock.Now, Metrics: s.metrics, LogFlush: 5 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.http = httptest.NewServer(s.server.Handler())
	t.Cleanup(func() {
		s.http.Close()
		if err := s.server.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := s.access.Close(ctx); err != nil {
			t.Error(err)
		}
		s.db.Close()
	})
	return s
}

func (s *site) directory(_ context.Context, t access.Tenant) (*directory.Directory, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.registries[t.ID]
	if g == nil {
		g = scim.Default()
	}
	return &directory.Directory{
		Store: s.db.Directory(t.ID), Registry: g, Now: s.clock.Now,
		Policy: directory.Policy{UniqueGroupNames: t.Settings.UniqueGroupNames, Reactivate: t.Settings.Rehire == access.RehireReactivate},
		NewID:  func() string { return uuid.Must(uuid.NewV7()).String() },
	}, nil
}

var cli = audit.Actor{Kind: "cli"}

var tenants atomic.Int64

// peer is a SCIM client of a tenant of its own.
type peer struct {
	t      testing.TB
	site   *site
	tenant access.Tenant
	client access.Client
	token  string
	base   string
	vars   map[string]string
}

// newPeer makes a tenant with one client.
func (s *site) newPeer(t testing.TB, n access.NewClient) *peer {
	t.Helper()
	tenant, err := s.access.CreateTenant(t.Context(), cli, "t"+strconv.FormatInt(tenants.Add(1), 10), "")
	if err != nil {
		t.Fatal(err)
	}
	return s.peerOf(t, tenant, n)
}

// peerOf makes one more client of a tenant.
func (s *site) peerOf(t testing.TB, tenant access.Tenant, n access.NewClient) *peer {
	t.Helper()
	if n.Name == "" {
		n.Name = "client " + uuid.NewString()
	}
	if n.Rate == 0 {
		n.Rate, n.Concurrent = -1, -1
	}
	client, token, err := s.access.CreateClient(t.Context(), cli, tenant.ID, n)
	if err != nil {
		t.Fatal(err)
	}
	return &peer{
		t: t, site: s, tenant: tenant, client: client, token: token,
		base: s.http.URL + "/t/" + tenant.Name + "/scim/v2", vars: map[string]string{},
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	raw    []byte
	json   any
}

// do sends a request. In path and body {name} is replaced by what keep stored; in the query blanks and quotes
// are encoded. Headers are pairs of name and value; an Authorization header replaces the peer's own.
func (p *peer) do(method, path, body string, header ...string) answer {
	p.t.Helper()
	return p.send(method, p.base+encode(p.fill(path)), p.fill(body), header...)
}

func (p *peer) send(method, address, body string, header ...string) answer {
	p.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		switch {
		case header[i+1] == "":
			req.Header.Del(header[i])
		case strings.EqualFold(header[i], "Host"):
			req.Host = header[i+1]
		default:
			req.Header[http.CanonicalHeaderKey(header[i])] = []string{header[i+1]}
		}
	}
	return roundTrip(p.t, req)
}

func roundTrip(t testing.TB, req *http.Request) answer {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if a.raw, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	if len(a.raw) > 0 {
		if err := json.Unmarshal(a.raw, &a.json); err != nil {
			t.Fatalf("%s %s: answer is not JSON: %v\n%s", req.Method, req.URL, err, a.raw)
		}
	}
	return a
}

func (p *peer) fill(text string) string {
	for name, value := range p.vars {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

func (p *peer) fillAll(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = p.fill(text)
	}
	return out
}

// encode percent-encodes what cannot stand in a query as it is.
func encode(path string) string {
	before, query, ok := strings.Cut(path, "?")
	if !ok {
		return path
	}
	return before + "?" + strings.NewReplacer(" ", "%20", `"`, "%22", "[", "%5B", "]", "%5D").Replace(query)
}

// at returns the value under a JSON pointer, and whether there is one.
func (a answer) at(pointer string) (any, bool) {
	v := a.json
	for _, part := range strings.Split(pointer, "/")[1:] {
		switch x := v.(type) {
		case map[string]any:
			next, ok := x[part]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			if part == "#" {
				return float64(len(x)), true
			}
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

func (a answer) text(pointer string) string {
	v, _ := a.at(pointer)
	s, _ := v.(string)
	return s
}

// absent is the expectation that there is no value.
const absent = "(absent)"

// expect checks status and values. Expectations are pairs of JSON pointer and JSON text; "(absent)", or a text
// that is no JSON and is taken for a string.
func (a answer) expect(t testing.TB, what string, status int, pairs ...string) answer {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: status %d, want %d\n%s", what, a.status, status, a.raw)
		return a
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		got, ok := a.at(pairs[i])
		if pairs[i+1] == absent {
			if ok {
				t.Errorf("%s: %s is %v, want it absent", what, pairs[i], got)
			}
			continue
		}
		if !ok {
			t.Errorf("%s: %s is absent, want %s\n%s", what, pairs[i], pairs[i+1], a.raw)
			continue
		}
		var want any
		if json.Unmarshal([]byte(pairs[i+1]), &want) != nil {
			want = pairs[i+1]
		}
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		if !bytes.Equal(g, w) {
			t.Errorf("%s: %s is %s, want %s", what, pairs[i], g, w)
		}
	}
	return a
}

// must is do with a check of the status.
func (p *peer) must(status int, method, path, body string, pairs ...string) answer {
	p.t.Helper()
	return p.do(method, path, body).expect(p.t, method+" "+p.fill(path), status, pairs...)
}

// create posts a resource and remembers its id under name.
func (p *peer) create(name, path, body string) answer {
	p.t.Helper()
	a := p.must(201, "POST", path, body)
	p.vars[name] = a.text("/id")
	return a
}

// user makes a user with that userName and remembers its id under the same name.
func (p *peer) user(name string) string {
	p.t.Helper()
	p.create(name, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`"}`)
	return p.vars[name]
}

// group makes a group and remembers its id under its displayName.
func (p *peer) group(name string, members ...string) string {
	p.t.Helper()
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = `{"value":"` + m + `"}`
	}
	p.create(name, "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"`+name+`","members":[`+strings.Join(list, ",")+`]}`)
	return p.vars[name]
}

// patchOp wraps operations in a PatchOp message.
func patchOp(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + ops + `]}`
}

// requests returns the tenant's request log, newest first, once it holds at least n entries.
func (p *peer) requests(n int) []audit.Request {
	p.t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		list, err := p.site.db.Requests(p.t.Context(), p.tenant.ID, audit.RequestFilter{}, time.Time{}, 1000)
		if err != nil {
			p.t.Fatal(err)
		}
		if len(list) >= n {
			return list
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the request log has %d entries, want %d", len(list), n)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
