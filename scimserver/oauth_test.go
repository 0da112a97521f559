package scimserver_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
)

// tokenRequest posts a form to the token endpoint of a tenant.
func (s *site) tokenRequest(t *testing.T, tenant string, form url.Values, id, secret string) answer {
	t.Helper()
	req, err := http.NewRequest("POST", s.http.URL+"/t/"+tenant+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if id != "" {
		req.SetBasicAuth(id, secret)
	}
	return roundTrip(t, req)
}

// TestOAuth: client credentials (RFC 6749 §4.4), in the header and in the form.
func TestOAuth(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{OAuth: true})
		secret := p.token
		grant := url.Values{"grant_type": {"client_credentials"}, "scope": {"scim"}}
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {p.client.ID}, "client_secret": {secret}}
		for name, a := range map[string]answer{
			"header": s.tokenRequest(t, p.tenant.Name, grant, p.client.ID, secret),
			"form":   s.tokenRequest(t, p.tenant.Name, form, "", ""),
		} {
			a.expect(t, name, 200, "/token_type", "Bearer")
			if n, _ := a.at("/expires_in"); n.(float64) < 3590 || n.(float64) > 3600 || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: expires_in %v, headers %v", name, n, a.header)
			}
			p.token = a.text("/access_token")
			p.must(200, "GET", "/Users", "")
		}
		other := s.newPeer(t, access.NewClient{OAuth: true})
		for name, c := range map[string]struct {
			tenant, id, secret, grant string
			status                    int
			code                      string
		}{
			"wrong secret":      {p.tenant.Name, p.client.ID, secret[:len(secret)-1] + "x", "client_credentials", 401, "invalid_client"},
			"another client":    {p.tenant.Name, other.client.ID, secret, "client_credentials", 401, "invalid_client"},
			"another tenant":    {other.tenant.Name, p.client.ID, secret, "client_credentials", 401, "invalid_client"},
			"foreign pair":      {p.tenant.Name, other.client.ID, other.token, "client_credentials", 401, "invalid_client"},
			"bearer for secret": {p.tenant.Name, p.client.ID, p.token, "client_credentials", 401, "invalid_client"},
			"no secret":         {p.tenant.Name, "", "", "client_credentials", 401, "invalid_client"},
			"other grant":       {p.tenant.Name, p.client.ID, secret, "password", 400, "unsupported_grant_type"},
			"unknown tenant":    {"nobody", p.client.ID, secret, "client_credentials", 401, "invalid_client"},
		} {
			a := s.tokenRequest(t, c.tenant, url.Values{"grant_type": {c.grant}}, c.id, c.secret)
			a.expect(t, name, c.status, "/error", c.code, "/access_token", absent)
			if c.status == 401 && a.header.Get("Www-Authenticate") == "" {
				t.Errorf("%s: no WWW-Authenticate", name)
			}
		}
		double := url.Values{"grant_type": {"client_credentials"}, "client_secret": {secret}}
		s.tokenRequest(t, p.tenant.Name, double, p.client.ID, secret).expect(t, "secret twice", 400, "/error", "invalid_request")
		s.tokenRequest(t, p.tenant.Name, url.Values{"grant_type": {"client_credentials", "x"}}, p.client.ID, secret).expect(t, "grant twice", 400, "/error", "invalid_request")
		s.tokenRequest(t, p.tenant.Name, url.Values{"x": {strings.Repeat("y", 9000)}}, p.client.ID, secret).expect(t, "long form", 413)
		p.send("POST", s.http.URL+"/t/"+p.tenant.Name+"/oauth/token", "{}").expect(t, "JSON", 400, "/error", "invalid_request")
		p.send("GET", s.http.URL+"/t/"+p.tenant.Name+"/oauth/token", "").expect(t, "GET", 405)

		// What was issued ends with its secret, and after an hour.
		list, err := s.access.TokenList(t.Context(), p.client)
		if err != nil || len(list) != 1 {
			t.Fatalf("%d credentials listed, %v", len(list), err)
		}
		issued := s.tokenRequest(t, other.tenant.Name, grant, other.client.ID, other.token).text("/access_token")
		if err := s.access.RevokeToken(t.Context(), cli, list[0]); err != nil {
			t.Fatal(err)
		}
		p.must(401, "GET", "/Users", "")
		other.token = issued
		other.must(200, "GET", "/Users", "")
		s.clock.advance(time.Hour)
		other.must(401, "GET", "/Users", "")
	})
}
