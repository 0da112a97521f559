package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// who are the columns of the matrix.
var who = []struct {
	name   string
	role   access.Role
	tenant bool // of acme alone
}{{"nobody", "", false}, {"reader", access.ReadOnly, false}, {"admin", access.Administrator, false}, {"owner", access.Owner, false},
	{"acme-reader", access.ReadOnly, true}, {"acme-admin", access.Administrator, true}, {"acme-owner", access.Owner, true}}

// least says for every route whom it lets in, as a list of the names above; nobody means everybody.
var least = map[string]string{
	"GET /signin": "nobody", "POST /signin": "nobody", "GET /link/{link}": "nobody", "POST /link/{link}": "nobody",
	"POST /signout": "any", "GET /{$}": "any", "GET /accounts": "any",
	"POST /tenants": "admin owner", "GET /audit": "reader admin owner",
	"POST /accounts": "owner acme-owner", "POST /accounts/{account}/disable": "owner acme-owner",
	"POST /accounts/{account}/enable": "owner acme-owner", "POST /accounts/{account}/link": "owner acme-owner",
	"GET /t/{tenant}": "any", "GET /t/{tenant}/integration": "any", "GET /t/{tenant}/clients/{client}": "any",
	"POST /t/{tenant}/clients": "changers", "POST /t/{tenant}/clients/{client}/rotate": "changers",
	"POST /t/{tenant}/clients/{client}/revoke": "changers", "POST /t/{tenant}/clients/{client}/tokens/{token}/revoke": "changers",
	"GET /t/{tenant}/users": "any", "GET /t/{tenant}/users/deleted": "any", "GET /t/{tenant}/users/{id}": "any",
	"POST /t/{tenant}/users/{id}/activate": "changers", "POST /t/{tenant}/users/{id}/deactivate": "changers",
	"POST /t/{tenant}/users/{id}/delete": "changers", "POST /t/{tenant}/users/{id}/restore": "changers",
	"GET /t/{tenant}/groups": "any", "GET /t/{tenant}/groups/deleted": "any", "GET /t/{tenant}/groups/{id}": "any",
	"POST /t/{tenant}/groups/{id}/delete": "changers", "POST /t/{tenant}/groups/{id}/restore": "changers",
	"GET /t/{tenant}/traffic": "any", "GET /t/{tenant}/traffic/{request}": "any", "GET /t/{tenant}/audit": "any",
}

// TestRoutes_LetInWhomTheMatrixNames walks the route table: a route without an entry fails, and so does one that lets
// in or refuses somebody else. Administrators of another tenant see nothing of this one.
func TestRoutes_LetInWhomTheMatrixNames(t *testing.T) {
	s := newSite(t)
	browsers := map[string]*browser{"nobody": s.browser(t)}
	for _, w := range who[1:] {
		of := int64(0)
		if w.tenant {
			of = s.acme.ID
		}
		browsers[w.name] = s.as(t, w.name+"@example.com", w.role, of)
	}
	foreign := s.as(t, "globex-owner@example.com", access.Owner, s.globex.ID)
	fill := strings.NewReplacer("{tenant}", "acme", "{$}", "", "{client}", "none", "{token}", "none", "{id}", "none", "{request}", "none", "{account}", "none", "{link}", "none")
	for _, rt := range routes {
		list, ok := least[rt.pattern]
		if !ok {
			t.Errorf("%s is not in the matrix", rt.pattern)
			continue
		}
		list = strings.NewReplacer("any", "reader admin owner acme-reader acme-admin acme-owner", "changers", "admin owner acme-admin acme-owner").Replace(list)
		method, path, _ := strings.Cut(fill.Replace(rt.pattern), " ")
		if rt.pattern == "POST /signout" {
			continue // it would end the session that the walk needs; TestSession_Ends has it
		}
		for _, w := range who {
			got := browsers[w.name].send(method, path, nil)
			in := list == "nobody" || strings.Contains(" "+list+" ", " "+w.name+" ")
			asked := got.status == http.StatusSeeOther && strings.HasPrefix(got.header.Get("Location"), "/signin")
			refused := got.status == http.StatusForbidden || asked
			if in == refused {
				t.Errorf("%s as %s: %d to %q, let in must be %v", rt.pattern, w.name, got.status, got.header.Get("Location"), in)
			}
		}
		if strings.Contains(rt.pattern, "{tenant}") {
			if got := foreign.send(method, path, nil); got.status != http.StatusNotFound {
				t.Errorf("%s as the owner of another tenant: %d", rt.pattern, got.status)
			}
		}
		if method == http.MethodPost {
			r, _ := http.NewRequestWithContext(t.Context(), method, s.http.URL+path, nil)
			r.Header.Set("Origin", "https://evil.example")
			res, err := browsers["owner"].http.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusForbidden {
				t.Errorf("%s from another site: %d", rt.pattern, res.StatusCode)
			}
		}
	}
}

// TestPages_EscapeHostileNames puts names made to break pages into a directory and looks at every page.
func TestPages_EscapeHostileNames(t *testing.T) {
	s := newSite(t)
	b := s.as(t, "owner@example.com", access.Owner, 0)
	const rtl = "\u202eevil\u2066"
	for i, name := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='x`, "a" + rtl, strings.Repeat("W", 500), `{{.Me}}`, `javascript:alert(1)`} {
		d, _ := s.directory(t.Context(), s.acme)
		made, err := d.Create(t.Context(), directory.Caller{Actor: tester}, "User", scim.Object{"userName": name, "displayName": name})
		if err != nil {
			t.Fatal(err)
		}
		group, err := d.Create(t.Context(), directory.Caller{Actor: tester}, "Group", scim.Object{"displayName": name, "members": []any{scim.Object{"value": made.Resource.ID}}})
		if err != nil {
			t.Fatal(err)
		}
		client := clip(name, access.MaxName)
		if i == 3 {
			client = "a" // access refuses what cannot be printed
		}
		c, _, err := s.access.CreateClient(t.Context(), tester, s.acme.ID, access.NewClient{Name: client})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/users", "/users/" + made.Resource.ID, "/groups", "/groups/" + group.Resource.ID, "/audit", "/integration", "/clients/" + c.ID, "/traffic"} {
			a := b.get("/t/acme" + path)
			if a.status != 200 {
				t.Errorf("%s with %.30q: %d", path, name, a.status)
			}
			if n := len(a.all("script")); n != 1 {
				t.Errorf("%s with %.30q: %d scripts", path, name, n)
			}
			for _, img := range a.all("img") {
				if attribute(img, "onerror") != "" || !strings.HasPrefix(attribute(img, "src"), "/static/") {
					t.Errorf("%s with %.30q: an image from the data", path, name)
				}
			}
			if strings.ContainsAny(a.body, "\u202e\u2066") {
				t.Errorf("%s with %.30q: a bidirectional control reaches the page", path, name)
			}
		}
		if got := b.get("/t/acme/users/" + made.Resource.ID).text(); !strings.Contains(got, visible(name)) {
			t.Errorf("the page of %.30q does not show the name", name)
		}
	}
}

func TestResource_DeactivateDeleteRestore(t *testing.T) {
	s := newSite(t)
	b := s.as(t, "admin@example.com", access.Administrator, 0)
	d, _ := s.directory(t.Context(), s.acme)
	made, err := d.Create(t.Context(), directory.Caller{Actor: tester}, "User", scim.Object{"userName": "ada"})
	if err != nil {
		t.Fatal(err)
	}
	page := "/t/acme/users/" + made.Resource.ID
	for _, step := range []struct{ action, want string }{{"deactivate", "inactive"}, {"activate", "active"}} {
		b.post(page + "/" + step.action)
		if a := b.get(page); len(a.all("span", "class", "state "+step.want)) != 1 {
			t.Errorf("after %s: %s", step.action, a.text())
		}
	}
	b.post(page + "/delete")
	if a := b.get(page); a.status != 404 {
		t.Errorf("after delete: %d", a.status)
	}
	if a := b.get("/t/acme/users/deleted"); !strings.Contains(a.text(), "ada") {
		t.Errorf("the list of the deleted: %s", a.text())
	}
	b.post(page + "/restore")
	if a := b.get(page); a.status != 200 || !strings.Contains(a.text(), "admin@example.com") {
		t.Errorf("after restore: %d %s", a.status, a.text())
	}
	events, err := s.db.Directory(s.acme.ID).RecentEvents(t.Context(), "User", made.Resource.ID, 0, 4)
	if err != nil || len(events) != 4 {
		t.Fatal(len(events), err)
	}
	for i, want := range []string{"restore", "delete", "activate", "deactivate"} {
		if events[i].Action != want || events[i].Actor.Kind != "admin" || events[i].Actor.Name != "admin@example.com" || events[i].Actor.Request == "" {
			t.Errorf("event %d is %+v, want %s by the administrator", i, events[i], want)
		}
	}
}

func TestClient_TokenIsShownOnce(t *testing.T) {
	s := newSite(t)
	b := s.as(t, "admin@example.com", access.Administrator, 0)
	where := b.post("/t/acme/clients", "name", "Entra", "profile", "entra", "kind", "static", "days", "90").header.Get("Location")
	token := b.get(where).id("secret")
	if _, _, ok := access.ParseToken(token); !ok {
		t.Fatalf("the page at %s shows %q", where, token)
	}
	if again := b.get(where); again.id("secret") != "" || strings.Contains(again.body, token) {
		t.Error("the token is shown twice")
	}
	if _, err := s.access.Authenticate(t.Context(), "acme", token); err != nil {
		t.Errorf("the token does not work: %v", err)
	}
	b.post(where+"/rotate", "overlap", "0s", "days", "0", "kind", "static")
	fresh := b.get(where).id("secret")
	if _, err := s.access.Authenticate(t.Context(), "acme", fresh); err != nil {
		t.Errorf("the new token does not work: %v", err)
	}
	if _, err := s.access.Authenticate(t.Context(), "acme", token); err == nil {
		t.Error("the old token works after a rotation without overlap")
	}
	b.post(where + "/revoke")
	if _, err := s.access.Authenticate(t.Context(), "acme", fresh); err == nil {
		t.Error("the token works after the client was revoked")
	}
}

func TestUsers_PagesFollowEachOther(t *testing.T) {
	s := newSite(t)
	b := s.as(t, "reader@example.com", access.ReadOnly, 0)
	d, _ := s.directory(t.Context(), s.acme)
	for i := range pageSize + 3 {
		if _, err := d.Create(t.Context(), directory.Caller{Actor: tester}, "User", scim.Object{"userName": "user" + strings.Repeat("x", i)}); err != nil {
			t.Fatal(err)
		}
	}
	first := b.get("/t/acme/users?q=user&filter=active+eq+true")
	next := ""
	for _, a := range first.all("a") {
		if textOf(a) == "Next page" {
			next = attribute(a, "href")
		}
	}
	second := b.get(next)
	if n, m := len(first.all("tr")), len(second.all("tr")); n != pageSize+1 || m != 4 {
		t.Errorf("pages of %d and %d rows behind %q", n-1, m-1, next)
	}
	if a := b.get("/t/acme/users?q=%22%5C"); a.status != 200 {
		t.Errorf("a search for a quote and a backslash: %d %s", a.status, a.text())
	}
	if a := b.get("/t/acme/users?filter=nonsense"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a filter that is none: %d", a.status)
	}
}
