package console

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/net/html"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

// site is a console over a real store, reached over real HTTP.
type site struct {
	db      *store.DB
	access  *access.Service
	console *Console
	http    *httptest.Server
	ahead   atomic.Int64
	acme    access.Tenant
	globex  access.Tenant
}

const password = "correct horse battery"

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{}
	now := func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }
	var err error
	if s.db, err = store.Open(t.Context(), t.TempDir(), store.Options{Migrate: true, Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	s.access = &access.Service{Keeper: s.db, Accounts: s.db, Now: now}
	s.console, err = New(Config{Access: s.access, Directory: s.directory, Requests: s.db, Now: now,
		Changes: func(tenant int64) ChangeLog { return s.db.Directory(tenant) }})
	if err != nil {
		t.Fatal(err)
	}
	s.http = httptest.NewServer(s.console)
	t.Cleanup(s.http.Close)
	s.acme, s.globex = s.tenant(t, "acme"), s.tenant(t, "globex")
	return s
}

var tester = audit.Actor{Kind: "cli", Name: "test"}

func (s *site) tenant(t *testing.T, name string) access.Tenant {
	t.Helper()
	made, err := s.access.CreateTenant(t.Context(), tester, name, "")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (s *site) directory(_ context.Context, t access.Tenant) (*directory.Directory, error) {
	return &directory.Directory{Store: s.db.Directory(t.ID), Registry: scim.Default(), Policy: directory.Policy{UniqueGroupNames: true},
		Now: s.console.Now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }}, nil
}

// browser is somebody's browser; it follows no redirect.
type browser struct {
	t    *testing.T
	s    *site
	http *http.Client
}

func (s *site) browser(t *testing.T) *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{t, s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// account makes an administrator with a password.
func (s *site) account(t *testing.T, name string, role access.Role, tenant int64) access.Account {
	t.Helper()
	a, err := s.access.CreateAdministrator(t.Context(), tester, access.NewAccount{Name: name, Role: role, Tenant: tenant})
	if err != nil {
		t.Fatal(err)
	}
	link, err := s.access.CreateLink(t.Context(), tester, a)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = s.access.SetPassword(t.Context(), link, password); err != nil {
		t.Fatal(err)
	}
	return a
}

// as is a browser in which an administrator signed in.
func (s *site) as(t *testing.T, name string, role access.Role, tenant int64) *browser {
	t.Helper()
	s.account(t, name, role, tenant)
	b := s.browser(t)
	b.s.console.attempts = newAttempts(b.s.console.Now)
	if a := b.post("/signin", "name", name, "password", password); a.status != http.StatusSeeOther {
		t.Fatalf("sign-in of %s: %d %s", name, a.status, a.text())
	}
	return b
}

// answer is a page, parsed.
type answer struct {
	status int
	header http.Header
	body   string
	root   *html.Node
}

func (b *browser) get(path string) answer { return b.send(http.MethodGet, path, nil) }

// post sends a form of names and values.
func (b *browser) post(path string, pairs ...string) answer {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.send(http.MethodPost, path, form)
}

func (b *browser) send(method, path string, form url.Values) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.s.http.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.s.http.URL)
	}
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body), root}
}

// all are the elements of that name, with that attribute and value if they are given.
func (a answer) all(name string, attr ...string) (out []*html.Node) {
	for n := range a.root.Descendants() {
		if n.Type != html.ElementNode || n.Data != name {
			continue
		}
		if len(attr) == 0 || attribute(n, attr[0]) == attr[1] {
			out = append(out, n)
		}
	}
	return out
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return out.String()
}

// text is what people read of the page.
func (a answer) text() string {
	for _, n := range a.all("main") {
		return textOf(n)
	}
	return a.body
}

// id is the text of the element with that id, "" if there is none.
func (a answer) id(id string) string {
	for n := range a.root.Descendants() {
		if n.Type == html.ElementNode && attribute(n, "id") == id {
			return textOf(n)
		}
	}
	return ""
}
