package console

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
)

func TestSignIn_AnswersAlike(t *testing.T) {
	s := newSite(t)
	s.account(t, "ann@example.com", access.Owner, 0)
	b := s.browser(t)
	wrong := b.post("/signin", "name", "ann@example.com", "password", "wrong horse battery")
	unknown := b.post("/signin", "name", "bob@example.com", "password", password)
	if wrong.status != 401 || unknown.status != 401 || wrong.text() != unknown.text() {
		t.Errorf("wrong password %d %q, unknown name %d %q", wrong.status, wrong.text(), unknown.status, unknown.text())
	}
	if len(wrong.header.Values("Set-Cookie")) != 0 {
		t.Error("a refused sign-in sets a cookie")
	}
	a := b.post("/signin", "name", "Ann@Example.com", "password", password, "next", "/t/acme/integration")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/t/acme/integration" {
		t.Errorf("sign-in: %d to %q", a.status, a.header.Get("Location"))
	}
	cookie := a.header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %q lacks %s", cookie, want)
		}
	}
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "evil", "/\nx"} {
		if got := localPath(next); got != "/" {
			t.Errorf("localPath(%q) = %q", next, got)
		}
	}
}

func TestSignIn_IsLimited(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	last := 0
	for range AddressBurst + 1 {
		last = b.post("/signin", "name", "ann@example.com", "password", "wrong horse battery").status
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("attempt %d is answered with %d", AddressBurst+1, last)
	}
	s.ahead.Add(int64(AddressEvery))
	if got := b.post("/signin", "name", "ann@example.com", "password", "wrong horse battery").status; got != 401 {
		t.Errorf("after a while: %d", got)
	}
}

func TestSession_Ends(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, s *site, b *browser, me access.Account){
		"idle": func(_ *testing.T, s *site, _ *browser, _ access.Account) { s.ahead.Add(int64(SessionIdle)) },
		"absolute": func(t *testing.T, s *site, b *browser, _ access.Account) {
			for range SessionFor / (SessionIdle / 2) {
				if got := b.get("/").status; got != 200 {
					t.Fatalf("the session ended early: %d", got)
				}
				s.ahead.Add(int64(SessionIdle / 2))
			}
		},
		"sign-out": func(_ *testing.T, _ *site, b *browser, _ access.Account) { b.post("/signout") },
		"disabled": func(t *testing.T, s *site, _ *browser, me access.Account) {
			off := me
			off.Disabled = true
			if err := s.access.UpdateAccount(t.Context(), tester, me, off); err != nil {
				t.Fatal(err)
			}
		},
		"new password": func(t *testing.T, s *site, _ *browser, me access.Account) {
			link, err := s.access.CreateLink(t.Context(), tester, me)
			if err == nil {
				_, err = s.access.SetPassword(t.Context(), link, "another good password")
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.account(t, "owner@example.com", access.Owner, 0)
			b := s.as(t, "ann@example.com", access.Administrator, 0)
			if got := b.get("/").status; got != 200 {
				t.Fatalf("signed in: %d", got)
			}
			all, err := s.access.AccountList(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range all {
				if a.Name == "ann@example.com" {
					end(t, s, b, a)
				}
			}
			if a := b.get("/t/acme/integration"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/signin") {
				t.Errorf("afterwards: %d to %q", a.status, a.header.Get("Location"))
			}
		})
	}
}

func TestLink_SetsThePasswordOnce(t *testing.T) {
	s := newSite(t)
	a, link, err := s.access.FirstLink(t.Context(), tester, "owner@localhost")
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser(t)
	if page := b.get(LinkPath(link)); page.status != 200 || !strings.Contains(page.text(), a.Name) {
		t.Errorf("the page of the link: %d %s", page.status, page.text())
	}
	if page := b.post(LinkPath(link), "password", password, "again", "different horse"); page.status != http.StatusUnprocessableEntity {
		t.Errorf("two different passwords: %d", page.status)
	}
	if page := b.post(LinkPath(link), "password", "short", "again", "short"); page.status != http.StatusUnprocessableEntity {
		t.Errorf("a short password: %d", page.status)
	}
	if page := b.post(LinkPath(link), "password", password, "again", password); page.status != http.StatusSeeOther {
		t.Errorf("the password: %d %s", page.status, page.text())
	}
	if page := b.get("/"); page.status != 200 {
		t.Errorf("signed in after it: %d", page.status)
	}
	if page := s.browser(t).get(LinkPath(link)); page.status != 404 {
		t.Errorf("the link again: %d", page.status)
	}
	if page := s.browser(t).get(LinkPath("pvst_link_nonsense")); page.status != 404 {
		t.Errorf("a made-up link: %d", page.status)
	}
}

func TestSession_ForgetsTheLeastUsed(t *testing.T) {
	now := time.Now()
	s := newSessions(func() time.Time { return now })
	first := s.begin(access.Account{ID: "first"})
	for range MaxSessions {
		now = now.Add(time.Microsecond)
		s.begin(access.Account{ID: "other"})
	}
	if len(s.all) != MaxSessions || s.find(first) != nil {
		t.Errorf("%d sessions, the first one %v", len(s.all), s.find(first))
	}
}
