package scimserver_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/scimserver"
)

func TestRequestLog(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{Name: "Entra"})
		a := p.create("u", "/Users?x=1", `{"userName":"u","active":"True"}`)
		p.do("GET", `/Users?filter=nothing eq "x"`, "", "User-Agent", "agent/1")
		p.do("GET", "/Users", "", "Authorization", "")
		log := p.requests(3)
		byPath := map[string]audit.Request{}
		for _, e := range log {
			byPath[e.Method+" "+e.Path] = e
		}
		e := byPath["POST /Users?x=1"]
		if e.ID != a.header.Get("X-Request-Id") || e.Client != p.client.ID || e.ClientName != "Entra" || e.Status != 201 || e.Resource != p.vars["u"] ||
			e.Addr != "127.0.0.1" || e.Duration <= 0 || e.Body != `{"userName":"u","active":"True"}` || len(e.Tolerances) == 0 {
			t.Errorf("entry of a create: %+v", e)
		}
		e = byPath["GET /Users?filter=nothing%20eq%20%22x%22"]
		if e.Status != 400 || !strings.Contains(e.Answer, "invalidFilter") || e.Error == "" || e.Agent != "agent/1" {
			t.Errorf("entry of an error: %+v", e)
		}
		e = byPath["GET /Users"]
		if e.Status != 401 || e.Client != "" || !strings.Contains(e.Error, "malformed") {
			t.Errorf("entry of a refusal: %+v", e)
		}
	})
}

// TestCanaries: neither a password nor a token is found anywhere but where it belongs.
func TestCanaries(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		const canary = "Canary-7d1f"
		d, err := scim.ParseDefinition([]byte(`{"schemas":[{"id":"urn:example:vault:1.0:User","name":"Vault","attributes":[{"name":"pin","returned":"never"},
		 {"name":"box","type":"complex","subAttributes":[{"name":"code","returned":"never"},{"name":"label"}]}]}],"extend":[{"type":"User","schema":"urn:example:vault:1.0:User"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		g, err := scim.NewRegistry(d)
		if err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.registries[p.tenant.ID] = g
		s.mu.Unlock()
		const vault = "urn:example:vault:1.0:User"
		p.create("u", "/Users", `{"userName":"u","password":"`+canary+`","`+vault+`":{"pin":"`+canary+`","box":{"code":"`+canary+`","label":"l"}}}`)
		for _, c := range [][3]string{
			{"PUT", "/Users/{u}", `{"userName":"u","PassWord":"` + canary + `"}`},
			{"PUT", "/Users/{u}", `{"userName":"u","pass\u0077ord":"` + canary + `"}`},
			{"PATCH", "/Users/{u}", patchOp(`{"op":"replace","path":"password","value":"` + canary + `"}`)},
			{"PATCH", "/Users/{u}", patchOp(`{"value":"` + canary + `","op":"replace","path":"` + userURN + `:password"}`)},
			{"PATCH", "/Users/{u}", patchOp(`{"op":"replace","value":{"` + userURN + `:password":"` + canary + `","` + vault + `:pin":"` + canary + `"}}`)},
			{"PATCH", "/Users/{u}", patchOp(`{"op":"replace","path":"` + vault + `:box.code","value":"` + canary + `"}`)},
			{"PATCH", "/Users/{u}", patchOp(`{"op":"replace","path":"password","value":{"x":["` + canary + `"]}}`)},
			{"PATCH", "/Users/{u}", patchOp(`{"op":"replace","path":"emails[password eq \"` + canary + `\"].value","value":"x"}`)},
			{"PATCH", "/Users/{u}", patchOp(`{"op":"replace","path":"password[x eq \"` + canary + `","value":"x"}`)},
			{"POST", "/Users", `{"userName":"u","password":"` + canary + `"}`},
			{"POST", "/Users", `{"userName":"v","password":"` + canary + `"`},
			{"POST", "/Users", `{"userName":"v","password":{"a":"` + canary + `"}}`},
			{"POST", "/Bulk", `{"Operations":[{"method":"POST","path":"/Users","data":{"userName":"w","password":"` + canary + `"}}]}`},
			{"POST", "/Users/.search", `{"filter":"password eq \"` + canary + `\""}`},
			{"POST", "/Users/.search", `{"filter":"password eq ` + canary + ` and"}`},
			{"GET", `/Users?filter=password eq "` + canary + `"`, ""},
			{"GET", `/Users?filter=` + vault + `:pin eq "` + canary + `"`, ""},
			{"GET", `/Users?filter=p%61ssword%20eq%20` + canary + `%20oops`, ""},
			{"GET", `/Users?filter=not (password eq "` + canary + `"`, ""},
			{"GET", "/Users?access_token=" + p.token, ""},
			{"GET", "/Users?t=%70vst_" + p.token[5:], ""},
		} {
			a := p.do(c[0], c[1], c[2])
			if a.status >= 500 {
				t.Errorf("%v: %d %s", c, a.status, a.raw)
			}
			if c[0] != "GET" && !strings.Contains(c[1], ".search") && !strings.Contains(c[2], " eq ") && strings.Contains(string(a.raw), canary) {
				t.Errorf("%v: the answer holds the secret: %s", c, a.raw)
			}
		}
		p.must(200, "GET", "/Users/{u}?attributes=password,"+vault+":pin,"+vault+":box", "", "/password", absent, "/"+vault+"/pin", absent)
		log, err := json.Marshal(p.requests(22))
		if err != nil {
			t.Fatal(err)
		}
		events, err := s.db.Directory(p.tenant.ID).Events(t.Context(), "", "", 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		changes := ""
		for _, e := range events {
			changes += string(e.Change)
		}
		for where, text := range map[string]string{"request log": string(log), "server log": s.log.String(), "change log": changes} {
			for _, secret := range []string{canary, p.token, p.token[23:55]} {
				if at := strings.Index(text, secret); at >= 0 {
					t.Errorf("the %s holds %s: …%s…", where, secret, text[max(0, at-200):min(len(text), at+60)])
				}
			}
		}
		if !strings.Contains(string(log), `redacted`) || !strings.Contains(string(log), `\"label\":\"l\"`) {
			t.Error("the request log keeps too little or too much")
		}
	})
}

// TestRequestLogBounds: long bodies and answers are cut, refusals without end are not all kept.
func TestRequestLogBounds(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	p.do("POST", "/Users", `{"userName":"u","title":"`+strings.Repeat("é", scimserver.MaxLoggedBody)+`"}`)
	p.do("POST", "/Users", `{"userName":"v","password":"secret","title":"`+strings.Repeat("é", scimserver.MaxLoggedBody)+`"}`)
	for _, e := range p.requests(2) {
		if len(e.Body) > scimserver.MaxLoggedBody || len(e.Body) < scimserver.MaxLoggedBody-10 || strings.Contains(e.Body, "\ufffd") {
			t.Errorf("logged body has %d bytes", len(e.Body))
		}
	}
	for range 200 {
		p.do("GET", "/Users", "", "Authorization", "")
	}
	p.must(404, "GET", "/Users/none", "")
	time.Sleep(100 * time.Millisecond)
	if n := len(p.requests(3)); n > 100 {
		t.Errorf("%d entries after 200 refusals", n)
	}
}
