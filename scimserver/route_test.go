package scimserver_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/scimserver"
)

// reviewed is how each route is called in TestEveryRouteRefuses. A new route needs a line here.
var reviewed = map[string]struct{ path, body string }{
	"root":             {"", ""},
	"search":           {"/.search", `{"count":1}`},
	"bulk":             {"/Bulk", `{"Operations":[]}`},
	"me":               {"/Me", ""},
	"config":           {"/ServiceProviderConfig", ""},
	"types":            {"/ResourceTypes", ""},
	"type":             {"/ResourceTypes/User", ""},
	"schemas":          {"/Schemas", ""},
	"schema":           {"/Schemas/" + userURN, ""},
	"resources":        {"/Users", `{"userName":"intruder"}`},
	"resources.search": {"/Users/.search", `{}`},
	"resource":         {"/Users/{u}", `{"userName":"intruder"}`},
	"token":            {"", ""},
}

// TestEveryRouteRefuses walks the route table with everything that is no valid token.
func TestEveryRouteRefuses(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	p.user("u")
	bad := badCredentials(t, s, p)
	for _, r := range scimserver.Routes() {
		line, ok := reviewed[r.Name]
		if !ok || r.Guard == "" {
			t.Errorf("route %s (%s): no line in reviewed, or no guard", r.Name, r.Pattern)
			continue
		}
		if r.Guard == scimserver.Credentials {
			continue // TestOAuth
		}
		for _, method := range append(r.Methods, "OPTIONS", "DELETE") {
			for name, b := range bad {
				body := line.body
				if method == "GET" || method == "HEAD" || method == "DELETE" {
					body = ""
				}
				a := p.send(method, b.base+p.fill(line.path)+b.query, body, b.header...)
				if a.status != b.status {
					t.Errorf("%s %s with %s: status %d, want %d: %s", method, r.Pattern, name, a.status, b.status, a.raw)
				}
				if a.status == 401 && (a.header.Get("Www-Authenticate") == "" || a.header.Get("X-Request-Id") == "") {
					t.Errorf("%s %s with %s: headers %v", method, r.Pattern, name, a.header)
				}
			}
		}
	}
	p.must(200, "GET", "/Users", "", "/totalResults", "1", "/Resources/0/userName", "u")
}

type credential struct {
	base, query string
	header      []string
	status      int
}

// badCredentials makes one of each kind that must not get in.
func badCredentials(t *testing.T, s *site, p *peer) map[string]credential {
	t.Helper()
	ctx := t.Context()
	other := s.newPeer(t, access.NewClient{})
	off := s.newPeer(t, access.NewClient{})
	if err := s.access.DisableTenant(ctx, cli, off.tenant.Name, true); err != nil {
		t.Fatal(err)
	}
	secret, secretText, err := s.access.CreateToken(ctx, cli, p.client, access.Secret, time.Time{})
	if err != nil || secret.Kind != access.Secret {
		t.Fatal(err)
	}
	revoked, revokedText, err := s.access.CreateToken(ctx, cli, p.client, access.Static, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.access.RevokeToken(ctx, cli, revoked); err != nil {
		t.Fatal(err)
	}
	_, expiredText, err := s.access.CreateToken(ctx, cli, p.client, access.Static, s.clock.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	s.clock.advance(2 * time.Minute)
	gone := s.peerOf(t, p.tenant, access.NewClient{})
	if err := s.access.RevokeClient(ctx, cli, gone.client); err != nil {
		t.Fatal(err)
	}
	_, service, err := s.access.CreateService(ctx, cli, access.NewAccount{Name: "robot", Role: access.Owner})
	if err != nil {
		t.Fatal(err)
	}
	auth := func(v string) []string { return []string{"Authorization", v} }
	flipped := []byte(p.token)
	flipped[30] ^= 1
	at := p.base
	return map[string]credential{
		"no token":               {at, "", auth(""), 401},
		"empty bearer":           {at, "", auth("Bearer "), 401},
		"nonsense":               {at, "", auth("Bearer nonsense"), 401},
		"basic":                  {at, "", auth("Basic " + p.token), 401},
		"other scheme":           {at, "", auth("Token " + p.token), 401},
		"two words":              {at, "", auth("Bearer " + p.token + " x"), 401},
		"cut short":              {at, "", auth("Bearer " + p.token[:len(p.token)-1]), 401},
		"one letter changed":     {at, "", auth("Bearer " + string(flipped)), 401},
		"expired":                {at, "", auth("Bearer " + expiredText), 401},
		"revoked":                {at, "", auth("Bearer " + revokedText), 401},
		"of a revoked client":    {at, "", auth("Bearer " + gone.token), 401},
		"of another tenant":      {at, "", auth("Bearer " + other.token), 401},
		"client secret":          {at, "", auth("Bearer " + secretText), 401},
		"of a service account":   {at, "", auth("Bearer " + service), 401},
		"at a disabled tenant":   {off.base, "", auth("Bearer " + off.token), 401},
		"at an unknown tenant":   {s.http.URL + "/t/nobody/scim/v2", "", auth("Bearer " + p.token), 401},
		"console cookie":         {at, "", []string{"Authorization", "", "Cookie", "session=" + p.token}, 401},
		"in the query":           {at, "?access_token=" + p.token, auth(""), 400},
		"valid and in the query": {at, "?token=" + p.token, auth("Bearer " + p.token), 400},
	}
}

// TestRefusalsLookAlike: who presents a bad token does not learn what is wrong with it.
func TestRefusalsLookAlike(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	first := ""
	for name, b := range badCredentials(t, s, p) {
		if b.status != 401 || name == "no token" || strings.Contains(name, "cookie") {
			continue
		}
		a := p.send("GET", b.base+"/Users", "", b.header...)
		if first == "" {
			first = string(a.raw)
		}
		if string(a.raw) != first {
			t.Errorf("%s: %s, want %s", name, a.raw, first)
		}
	}
}

// TestForeignIdIsMissing: the id of another tenant's resource is answered like one that never was.
func TestForeignIdIsMissing(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p, other := s.newPeer(t, access.NewClient{}), s.newPeer(t, access.NewClient{})
		foreign := other.user("theirs")
		group := other.group("theirs", foreign)
		mine := p.group("mine")
		for _, c := range []struct{ method, path, body string }{
			{"GET", "/Users/%s", ""}, {"DELETE", "/Users/%s", ""},
			{"PUT", "/Users/%s", `{"userName":"x"}`}, {"PATCH", "/Users/%s", patchOp(`{"op":"add","path":"title","value":"x"}`)},
		} {
			a := p.do(c.method, fmt.Sprintf(c.path, foreign), c.body)
			b := p.do(c.method, fmt.Sprintf(c.path, "00000000-0000-7000-8000-000000000000"), c.body)
			if a.status != 404 || strings.ReplaceAll(string(a.raw), foreign, "00000000-0000-7000-8000-000000000000") != string(b.raw) {
				t.Errorf("%s: %d %s, a missing one gives %d %s", c.method, a.status, a.raw, b.status, b.raw)
			}
		}
		p.must(404, "GET", "/Groups/"+group, "")
		p.must(400, "PATCH", "/Groups/"+mine, patchOp(`{"op":"add","path":"members","value":[{"value":"`+foreign+`"}]}`))
		p.must(200, "GET", `/Users?filter=id eq "`+foreign+`"`, "", "/totalResults", "0")
		p.must(200, "POST", "/Bulk", `{"Operations":[{"method":"DELETE","path":"/Users/`+foreign+`"}]}`, "/Operations/0/status", `"404"`)
		other.must(200, "GET", "/Users/"+foreign, "", "/meta/version", `"W/\"1\""`)
	})
}

// TestOddPaths sends spellings that another reader of the path might take for /Users. None may be answered
// with anything but a refusal, with a token or without.
func TestOddPaths(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	base := "/t/" + p.tenant.Name + "/scim/v2"
	host := strings.TrimPrefix(s.http.URL, "http://")
	for _, path := range []string{
		base + "/%55sers", base + "/Users%2F", base + "/%2FUsers", base + "//Users", base + "/./Users", base + "/../v2/Users", base + "/Users/.",
		base + "/Users/..", base + "/Users;a=b", base + "/Users%3Bx", base + "/Users%00", base + "/Users%20", base + "/Users%2e", base + "/Users\\",
		base + "/Users%5C", base + "/Users//", base + "/x/../Users", base + "/Users/%2e%2e/Groups", base + "%2FUsers",
		"//t/" + p.tenant.Name + "/scim/v2/Users", "/t//" + p.tenant.Name + "/scim/v2/Users", "/t/%74/scim/v2/Users", "/T/" + p.tenant.Name + "/scim/v2/Users",
		"/t/" + p.tenant.Name + "/scim/v2x/Users", "/t/" + p.tenant.Name + "/SCIM/v2/Users", "/t/" + p.tenant.Name + "/scim%2Fv2/Users", "/t/" + p.tenant.Name + "%2Fscim/v2/Users",
		"/t/" + strings.ToUpper(p.tenant.Name) + "/scim/v2/Users", "/t/" + p.tenant.Name + "./scim/v2/Users", "/t/../t/" + p.tenant.Name + "/scim/v2/Users",
		"/scim/v2/Users", "/Users", "/", "*", "/t/" + p.tenant.Name, "/t/", "/t/" + p.tenant.Name + "/scim", "/t/" + p.tenant.Name + "/scim/v1/Users",
		"/t/" + p.tenant.Name + "/api/v2/scim/Users", "/t/" + p.tenant.Name + "/oauth/token/x", "/t/" + p.tenant.Name + "/oauth%2Ftoken",
	} {
		for _, token := range []string{"", "Authorization: Bearer " + p.token + "\r\n"} {
			got := rawStatus(t, host, path, token)
			if got != 400 && got != 401 && got != 404 && got != 405 {
				t.Errorf("%q with header %t: status %d", path, token != "", got)
			}
		}
	}
	for _, path := range []string{base + "/Users", base + "/Users/", "http://" + host + base + "/Users", base + "/users"} {
		if got := rawStatus(t, host, path, "Authorization: Bearer "+p.token+"\r\n"); got != 200 {
			t.Errorf("%q: status %d, want 200", path, got)
		}
		if got := rawStatus(t, host, path, ""); got != 401 {
			t.Errorf("%q without token: status %d, want 401", path, got)
		}
	}
}

// rawStatus sends a request line as it is.
func rawStatus(t *testing.T, host, target, header string) int {
	t.Helper()
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n", target, host, header)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%q: %v", target, err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestHostPerTenant: the addresses of the guides, where the host names the tenant.
func TestHostPerTenant(t *testing.T) {
	s := newSite(t, t.TempDir())
	p, other := s.newPeer(t, access.NewClient{}), s.newPeer(t, access.NewClient{})
	for _, prefix := range []string{"/scim/v2", "/api/v2/scim", "/SCIM/V2"} {
		for _, host := range []string{p.tenant.Name + ".scim.test", strings.ToUpper(p.tenant.Name) + ".SCIM.TEST:8443"} {
			a := p.send("GET", s.http.URL+prefix+"/Users/", "", "Host", host).expect(t, host+prefix, 200)
			a = p.send("POST", s.http.URL+prefix+"/Users", `{"userName":"`+a.header.Get("X-Request-Id")+`"}`, "Host", host).expect(t, host+prefix, 201)
			if want := "http://" + host + prefix + "/Users/" + a.text("/id"); a.header.Get("Location") != want {
				t.Errorf("Location is %q, want %q", a.header.Get("Location"), want)
			}
		}
		p.send("GET", s.http.URL+prefix+"/Users", "", "Host", other.tenant.Name+".scim.test").expect(t, "another tenant's host", 401)
		p.send("GET", s.http.URL+prefix+"/Users", "", "Host", p.tenant.Name+".other.test").expect(t, "another domain", 404)
		p.send("GET", s.http.URL+prefix+"/Users", "", "Host", "x."+p.tenant.Name+".scim.test").expect(t, "a deeper host", 404)
		p.send("GET", s.http.URL+prefix+"/Users", "", "Host", "scim.test").expect(t, "the domain itself", 404)
	}
	p.must(200, "GET", "", "")
	p.must(200, "GET", "/", "")
}

// TestRawToken: Okta's "HTTP header" mode sends the token without a scheme.
func TestRawToken(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	p.do("GET", "/Users", "", "Authorization", p.token).expect(t, "token without scheme", 200)
	p.do("GET", "/Users", "", "Authorization", "bearer "+p.token).expect(t, "scheme in lower case", 200)
	if log := p.requests(2); len(log[0].Tolerances)+len(log[1].Tolerances) != 1 {
		t.Errorf("tolerances in the log: %v, %v", log[0].Tolerances, log[1].Tolerances)
	}
}
