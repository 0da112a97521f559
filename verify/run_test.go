package verify_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/verify"
)

// left counts the users and groups of a tenant.
func left(t *testing.T, p *proxy) int {
	t.Helper()
	n := 0
	q := &request{p: p}
	for _, path := range []string{"/Users?count=0", "/Groups?count=0"} {
		total, ok := q.ask("GET", path, nil).json()["totalResults"].(float64)
		if !ok {
			t.Fatalf("GET %s has no totalResults", path)
		}
		n += int(total)
	}
	return n
}

func TestRun_RemovesItsObjectsWhenInterrupted(t *testing.T) {
	s := newSite(t, quick(t))
	for _, after := range []int{20, 57, 111} {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		p := newProxy(t, s, s.newPeer(t, ""), func(q *request, next func(*request) *answer) *answer {
			q.p.mu.Lock()
			n++
			if n == after {
				cancel()
			}
			q.p.mu.Unlock()
			return next(q)
		})
		rep, err := verify.Run(ctx, verify.Options{URL: p.base, Auth: verify.Auth{Token: p.own.token}, Profiles: []string{"entra"}})
		if err != nil {
			t.Fatal(err)
		}
		if !rep.Interrupted || rep.OK() {
			t.Errorf("after %d requests: interrupted %v, good %v", after, rep.Interrupted, rep.OK())
		}
		if got := left(t, p); got != 0 || len(rep.Leftovers) != 0 {
			t.Errorf("after %d requests: %d objects are left, %v listed", after, got, rep.Leftovers)
		}
		cancel()
	}
}

func TestRun_FindsWhatAnAnswerDidNotName(t *testing.T) {
	s := newSite(t, quick(t))
	p := newProxy(t, s, s.newPeer(t, ""), onCreate(func(_ *request, a *answer, _ object) {
		a.body = nil
		a.header.Del("Location")
	})())
	rep := play(t, verify.Options{URL: p.base, Auth: verify.Auth{Token: p.own.token}, Only: []string{"entra/create"}})
	if rep.Failed != 1 || left(t, p) != 0 || len(rep.Leftovers) != 0 {
		t.Errorf("%s; %d objects are left, %v listed", rep.Summary(), left(t, p), rep.Leftovers)
	}
}

func TestRun_ListsWhatItCannotRemove(t *testing.T) {
	s := newSite(t, quick(t))
	p := newProxy(t, s, s.newPeer(t, ""), refuse(405, "", "DELETE is not offered", func(q *request) bool { return q.method == "DELETE" })())
	rep := play(t, verify.Options{URL: p.base, Auth: verify.Auth{Token: p.own.token}, Only: []string{"entra/get-by-id"}})
	if len(rep.Leftovers) != 1 || !strings.HasPrefix(rep.Leftovers[0].Path, "/Users/") || !strings.Contains(rep.Leftovers[0].Why, "405") {
		t.Errorf("leftovers %v, want the one user", rep.Leftovers)
	}
	kept := play(t, verify.Options{URL: p.base, Auth: verify.Auth{Token: p.own.token}, Only: []string{"entra/get-by-id"}, Keep: true})
	if len(kept.Leftovers) != 1 || kept.Leftovers[0].Why != "kept as asked" {
		t.Errorf("with keep: leftovers %v", kept.Leftovers)
	}
}

func TestRun_ReadOnlySendsNoWrite(t *testing.T) {
	s := newSite(t, quick(t))
	var wrote []string
	p := newProxy(t, s, s.newPeer(t, ""), func(q *request, next func(*request) *answer) *answer {
		if q.method != "GET" && !strings.HasSuffix(q.path, "/.search") {
			q.p.mu.Lock()
			wrote = append(wrote, q.method+" "+q.path)
			q.p.mu.Unlock()
		}
		return next(q)
	})
	rep := play(t, verify.Options{URL: p.base, Auth: verify.Auth{Token: p.own.token}, ReadOnly: true})
	if len(wrote) > 0 {
		t.Errorf("a read-only run wrote: %v", wrote)
	}
	if rep.Failed+rep.Warned+rep.Blocked > 0 || rep.Passed < 40 {
		t.Errorf("%s\n%s", rep.Summary(), complaints(rep))
	}
}

// TestRun_KeepsSecrets lets the server send every secret back and looks for them in all that a run writes.
func TestRun_KeepsSecrets(t *testing.T) {
	s := newSite(t, quick(t))
	const custom = "custom-header-canary-7731"
	p := newProxy(t, s, s.newPeer(t, ""), onAnswer(func(q *request, a *answer) {
		if q.header.Get("X-Api-Key") != custom && q.header.Get("Authorization") == bearer(q) {
			t.Errorf("%s %s came without the custom header", q.method, q.path)
		}
		if o := a.json(); o != nil {
			o["detail"] = q.header.Get("Authorization")
			a.set(o)
			a.header.Set("X-Echo", q.header.Get("Authorization"))
		}
	})())
	var record bytes.Buffer
	rep := play(t, verify.Options{
		URL: p.base, Auth: verify.Auth{Token: p.own.token}, Header: http.Header{"X-Api-Key": {custom}}, Record: &record,
		Only: []string{"entra/no-match", "entra/media-type", "security/token-in-query", "okta-catalogue/put-body"},
	})
	var out bytes.Buffer
	for _, write := range []error{rep.WriteJSON(&out), rep.WriteHTML(&out), rep.WriteJUnit(&out)} {
		if write != nil {
			t.Fatal(write)
		}
	}
	printer := verify.Printer{Out: &out}
	for i := range rep.Results {
		printer.Result(&rep.Results[i])
	}
	for _, secret := range []string{p.own.token, custom} {
		if strings.Contains(out.String(), secret) || strings.Contains(record.String(), secret) {
			t.Errorf("a report or record contains a secret")
		}
	}
	if record.Len() == 0 || !strings.Contains(record.String(), `"answer"`) {
		t.Errorf("nothing was recorded")
	}
}

func TestRun_ClientCredentials(t *testing.T) {
	s := newSite(t, quick(t))
	p := s.newPeer(t, "")
	_, secret, err := s.access.CreateToken(t.Context(), audit.Actor{Kind: "cli"}, p.client, access.Secret, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	endpoint := strings.TrimSuffix(p.base, "/scim/v2") + "/oauth/token"
	for _, basic := range []bool{false, true} {
		auth := verify.Auth{TokenURL: endpoint, ClientID: p.client.ID, ClientSecret: secret, BasicAuth: basic}
		rep := play(t, verify.Options{URL: p.base, Auth: auth, Only: []string{"entra/create", "entra/bad-token"}})
		if rep.Passed != 2 {
			t.Errorf("basic %v: %s\n%s", basic, rep.Summary(), complaints(rep))
		}
		auth.ClientSecret = "pvst_sec_wrong"
		_, err := verify.Run(t.Context(), verify.Options{URL: p.base, Auth: auth})
		if err == nil || !strings.Contains(err.Error(), "refused the client") || strings.Contains(err.Error(), "pvst_sec_wrong") {
			t.Errorf("with a wrong secret: %v", err)
		}
	}
}

// TestRun_Target plays at a server that deviates as Netskope's documentation says.
func TestRun_Target(t *testing.T) {
	s := newSite(t, quick(t))
	netskope := func(q *request, next func(*request) *answer) *answer {
		a := next(q)
		if a.status >= 400 {
			a.header.Set("Content-Type", "application/json")
		}
		if q.method == "PATCH" && a.ok() {
			return &answer{status: 204}
		}
		return onResource(func(q *request, o object) {
			if q.users() {
				delete(o, "groups")
			}
			if q.groups() && q.param("attributes") != "members" {
				delete(o, "members")
			}
		})()(q, func(*request) *answer { return a })
	}
	o := verify.Options{Profiles: []string{"entra", "okta-catalogue", "pingfederate-put"}}
	plain := s.against(t, netskope, o)
	o.Target = "netskope"
	known := s.against(t, netskope, o)
	if plain.Failed == 0 {
		t.Errorf("without a target nothing fails: %s", plain.Summary())
	}
	if known.Failed > 0 || known.Warned == 0 {
		t.Errorf("with the target: %s\n%s", known.Summary(), complaints(known))
	}
}

func TestRun_KeepsItsRate(t *testing.T) {
	s := newSite(t, quick(t))
	p := s.newPeer(t, "")
	begun := time.Now()
	rep := play(t, verify.Options{URL: p.base, Auth: verify.Auth{Token: p.token}, Only: []string{"entra/create"}, Rate: 50})
	if took, least := time.Since(begun), time.Duration(rep.Requests-1)*20*time.Millisecond; took < least {
		t.Errorf("%d requests took %v at 50 per second, want at least %v", rep.Requests, took, least)
	}
}

func TestRun_RefusesToBegin(t *testing.T) {
	s := newSite(t, quick(t))
	p := s.newPeer(t, "")
	good := verify.Options{URL: p.base, Auth: verify.Auth{Token: p.token}}
	tests := []struct {
		name   string
		change func(o *verify.Options)
		want   string
	}{
		{"no URL", func(o *verify.Options) { o.URL = "localhost:8080" }, "no SCIM base URL"},
		{"credentials in the URL", func(o *verify.Options) { o.URL = "https://u:p@h/scim" }, "holds credentials"},
		{"wrong token", func(o *verify.Options) { o.Auth.Token = "wrong" }, "refuses the credentials"},
		{"wrong path", func(o *verify.Options) { o.URL = p.base + "/nothing" }, "/Users is not there"},
		{"nobody there", func(o *verify.Options) { o.URL = "http://127.0.0.1:1/scim" }, "does not answer"},
		{"unknown profile", func(o *verify.Options) { o.Profiles = []string{"entraid"} }, `unknown profile "entraid"`},
		{"unknown target", func(o *verify.Options) { o.Target = "acme" }, `unknown target "acme"`},
		{"nothing left", func(o *verify.Options) { o.Only = []string{"no/such"} }, "no case is left"},
		{"too much load", func(o *verify.Options) { o.LoadRate = 10_000 }, "load is bounded"},
		{"no case file", func(o *verify.Options) { o.Files = []string{"no-such-file.json"} }, "no-such-file.json"},
	}
	for _, tt := range tests {
		o := good
		tt.change(&o)
		if _, err := verify.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestRecord_IsACaseFile turns what a run recorded into a case file and plays it.
func TestRecord_IsACaseFile(t *testing.T) {
	s := newSite(t, quick(t))
	p := s.newPeer(t, "")
	var record bytes.Buffer
	play(t, verify.Options{URL: p.base, Auth: verify.Auth{Token: p.token}, Only: []string{"entra/no-match-group", "okta-catalogue/test-credentials"}, Record: &record})
	var steps []string
	for line := range strings.Lines(record.String()) {
		var x struct {
			Request struct{ Method, Path string }
			Answer  struct{ Status int }
		}
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatal(err)
		}
		if x.Request.Method == "GET" && !strings.Contains(x.Request.Path, "displayName") {
			steps = append(steps, line)
		}
	}
	file := filepath.Join(t.TempDir(), "recorded.json")
	text := `{"name":"recorded","client":"Somebody","why":"it was seen","ref":"R-02","steps":[` + strings.Join(steps, ",") + `]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rep := play(t, verify.Options{URL: p.base, Auth: verify.Auth{Token: p.token}, Files: []string{file}})
	if rep.Passed != 1 {
		t.Errorf("what was recorded does not play: %s\n%s", rep.Summary(), complaints(rep))
	}
}

func TestRun_TLS(t *testing.T) {
	s := newSite(t, quick(t))
	p := s.newPeer(t, "")
	for _, least := range []uint16{tls.VersionTLS12, tls.VersionTLS11} {
		server := httptest.NewUnstartedServer(s.http.Config.Handler)
		server.TLS = &tls.Config{MinVersion: least, MaxVersion: least}
		server.StartTLS()
		client := server.Client()
		client.Transport.(*http.Transport).TLSClientConfig.MinVersion = tls.VersionTLS10
		o := verify.Options{URL: server.URL + "/t/" + p.tenant.Name + "/scim/v2", Auth: verify.Auth{Token: p.token}, Client: client, Only: []string{"security/tls"}}
		rep := play(t, o)
		if good := rep.Passed == 1; good != (least == tls.VersionTLS12) {
			t.Errorf("TLS %#04x: %s", least, rep.Summary())
		}
		server.Close()
	}
}
