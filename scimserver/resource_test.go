package scimserver_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/provost-scim/provost/access"
)

func TestResourceLifecycle(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		a := p.create("u", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ann@x","externalId":"e1","name":{"givenName":"Ann"}}`)
		a.expect(t, "create", 201, "/userName", "Ann@x", "/externalId", "e1", "/active", "true", "/meta/resourceType", "User", "/meta/version", `"W/\"1\""`)
		if got, want := a.header.Get("Location"), p.base+"/Users/"+p.vars["u"]; got != want || a.text("/meta/location") != want {
			t.Errorf("Location is %q, meta.location %q, want %q", got, a.text("/meta/location"), want)
		}
		if a.header.Get("ETag") != `W/"1"` || a.header.Get("X-Request-Id") == "" || a.header.Get("Content-Type") != "application/scim+json" {
			t.Errorf("headers of the answer: %v", a.header)
		}
		p.must(200, "GET", "/Users/{u}", "", "/id", p.vars["u"], "/name/givenName", "Ann")
		p.must(200, "GET", "/Users/{u}/", "", "/id", p.vars["u"])
		head := p.do("HEAD", "/Users/{u}", "")
		if head.status != 200 || len(head.raw) != 0 || head.header.Get("ETag") != `W/"1"` || head.header.Get("Content-Length") == "" {
			t.Errorf("HEAD: %d %q %v", head.status, head.raw, head.header)
		}
		p.must(200, "PUT", "/Users/{u}", `{"userName":"ann@x","title":"Boss"}`, "/title", "Boss", "/name", absent, "/meta/version", `"W/\"2\""`)
		p.must(200, "PATCH", "/Users/{u}", patchOp(`{"op":"replace","path":"active","value":false}`), "/active", "false")
		p.must(204, "DELETE", "/Users/{u}", "")
		p.must(404, "GET", "/Users/{u}", "", "/status", `"404"`)
		p.must(404, "DELETE", "/Users/{u}", "", "/schemas/0", "urn:ietf:params:scim:api:messages:2.0:Error")
	})
}

func TestGroupPatchAnswers204(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		u := p.user("u")
		p.group("g")
		a := p.must(204, "PATCH", "/Groups/{g}", patchOp(`{"op":"add","path":"members","value":[{"value":"`+u+`"}]}`))
		if len(a.raw) != 0 || a.header.Get("ETag") != `W/"2"` {
			t.Errorf("204 with body %q and ETag %q", a.raw, a.header.Get("ETag"))
		}
		p.must(200, "PATCH", "/Groups/{g}?attributes=displayName", patchOp(`{"op":"replace","path":"displayName","value":"h"}`), "/displayName", "h", "/members", absent)
		p.must(200, "PATCH", "/Groups/{g}?excludedAttributes=displayName", patchOp(`{"op":"replace","path":"displayName","value":"i"}`), "/displayName", absent, "/members/0/value", u)
		p.must(200, "PUT", "/Groups/{g}", `{"displayName":"i"}`, "/members/#", "1")
	})
}

func TestEntityTags(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		p.user("u")
		put := `{"userName":"u","title":"%"}`
		for _, c := range []struct {
			name, method, header, value, body string
			status                            int
		}{
			{"get, same", "GET", "If-None-Match", `W/"1"`, "", 304},
			{"get, strong form", "GET", "If-None-Match", `"1"`, "", 304},
			{"get, one of many", "GET", "If-None-Match", `W/"9", W/"1"`, "", 304},
			{"get, any", "GET", "If-None-Match", `*`, "", 304},
			{"get, other", "GET", "If-None-Match", `W/"7"`, "", 200},
			{"put, other", "PUT", "If-Match", `W/"7"`, put, 412},
			{"put, nonsense", "PUT", "If-Match", `W/"x"`, put, 412},
			{"put, must have changed", "PUT", "If-None-Match", `W/"1"`, put, 412},
			{"put, must not exist", "PUT", "If-None-Match", `*`, put, 412},
			{"patch, other", "PATCH", "If-Match", `W/"7"`, patchOp(`{"op":"add","path":"title","value":"x"}`), 412},
			{"delete, other", "DELETE", "If-Match", `W/"7"`, "", 412},
			{"put, same", "PUT", "If-Match", `W/"1"`, put, 200},
			{"put, changed since", "PUT", "If-None-Match", `W/"1"`, strings.Replace(put, "%", "y", 1), 200},
			{"put, any", "PUT", "If-Match", `*`, put, 200},
			{"delete, same", "DELETE", "If-Match", `W/"4"`, "", 204},
			{"put, any, gone", "PUT", "If-Match", `*`, put, 404},
		} {
			a := p.do(c.method, "/Users/{u}", c.body, c.header, c.value)
			if a.status != c.status {
				t.Errorf("%s: status %d, want %d: %s", c.name, a.status, c.status, a.raw)
			}
			if c.status == 304 && (a.header.Get("ETag") != `W/"1"` || len(a.raw) != 0) {
				t.Errorf("%s: 304 with ETag %q and body %q", c.name, a.header.Get("ETag"), a.raw)
			}
		}
	})
}

func TestMe(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	for _, m := range []string{"GET", "PUT", "PATCH", "DELETE", "POST"} {
		body := ""
		if m != "GET" && m != "DELETE" {
			body = "{}"
		}
		p.must(501, m, "/Me", body)
	}
	id := p.user("u")
	me := s.peerOf(t, p.tenant, access.NewClient{User: id})
	a := me.must(200, "GET", "/Me", "", "/id", id)
	if a.header.Get("Location") != me.base+"/Users/"+id {
		t.Errorf("Location of /Me is %q", a.header.Get("Location"))
	}
	me.must(200, "PUT", "/Me", `{"userName":"u","title":"x"}`, "/title", "x")
	me.must(200, "PATCH", "/Me", patchOp(`{"op":"remove","path":"title"}`), "/title", absent)
	me.must(501, "POST", "/Me", `{"userName":"v"}`)
	me.must(204, "DELETE", "/Me", "")
	me.must(404, "GET", "/Me", "")
}

func TestMediaTypes(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	for accept, want := range map[string]string{
		"":                                  "application/scim+json",
		"*/*":                               "application/scim+json",
		"application/json":                  "application/json",
		"application/json;q=0.9, text/html": "application/json",
		"application/json, */*":             "application/scim+json",
		"application/json, application/scim+json;q=0": "application/json",
		"application/scim+json, application/json":     "application/scim+json",
		"text/html": "application/scim+json",
	} {
		for _, path := range []string{"/Users", "/Users/none", "/Schemas"} {
			if got := p.do("GET", path, "", "Accept", accept).header.Get("Content-Type"); got != want {
				t.Errorf("Accept %q at %s: Content-Type %q, want %q", accept, path, got, want)
			}
		}
	}
	for i, c := range []struct {
		header, value string
		status        int
	}{
		{"Content-Type", "application/json", 201},
		{"Content-Type", "application/scim+json", 201},
		{"Content-Type", "application/scim+json; charset=utf-8", 201},
		{"Content-Type", `application/json; charset="UTF-8"`, 201},
		{"Content-Type", "", 201},
		{"Content-Type", "application/json; charset=utf-16", 415},
		{"Content-Type", "text/plain", 415},
		{"Content-Type", "application/x-www-form-urlencoded", 415},
		{"Content-Encoding", "gzip", 415},
		{"Content-Encoding", "identity", 201},
	} {
		body := `{"userName":"m` + string(rune('a'+i)) + `"}`
		p.do("POST", "/Users", body, c.header, c.value).expect(t, c.header+" "+c.value, c.status)
	}
}

func TestMethodsNotAllowed(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	p.group("g")
	for _, c := range []struct{ method, path, allow string }{
		{"PUT", "/Users", "GET, HEAD, POST"},
		{"DELETE", "/Groups", "GET, HEAD, POST"},
		{"POST", "/Groups/{g}", "GET, HEAD, PUT, PATCH, DELETE"},
		{"POST", "/Schemas", "GET, HEAD"},
		{"DELETE", "/ServiceProviderConfig", "GET, HEAD"},
		{"GET", "/Bulk", "POST"},
		{"GET", "/.search", "POST"},
		{"GET", "/Users/.search", "POST"},
		{"TRACE", "/Users", "GET, HEAD, POST"},
		{"OPTIONS", "/Users", "GET, HEAD, POST"},
	} {
		a := p.do(c.method, c.path, "", "X-HTTP-Method-Override", "GET").expect(t, c.method+" "+c.path, 405, "/status", `"405"`)
		if a.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: Allow is %q, want %q", c.method, c.path, a.header.Get("Allow"), c.allow)
		}
	}
	for _, path := range []string{"/Nothing", "/Nothing/1", "/Users/1/2", "//Users", "/Users//1", "/%55sers", "/Users/%31", "/.hidden"} {
		p.do("GET", path, "").expect(t, path, http.StatusNotFound, "/status", `"404"`)
	}
}
