package console

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"github.com/provost-scim/provost/access"
)

// The ends of a session.
const (
	SessionFor  = 12 * time.Hour // from the sign-in
	SessionIdle = time.Hour      // from the last request
	MaxSessions = 10_000         // on this node; beyond it the least used ones end
)

// session is one signed-in browser. It lives in the memory of this node alone.
type session struct {
	account string
	mark    string // of the password with which it began
	began   time.Time
	used    time.Time
	notice  string // shown on the next page
	problem bool   // notice says what went wrong
	secrets map[string]string
}

// sessions holds sessions by the SHA-256 of their cookie.
type sessions struct {
	mu  sync.Mutex
	now func() time.Time
	all map[[32]byte]*session
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, all: map[[32]byte]*session{}}
}

// begin makes a session and returns the text of its cookie.
func (s *sessions) begin(a access.Account) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	text := base64.RawURLEncoding.EncodeToString(b[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy()
	now := s.now()
	s.all[sha256.Sum256([]byte(text))] = &session{account: a.ID, mark: a.PasswordMark(), began: now, used: now, secrets: map[string]string{}}
	return text
}

// tidy forgets what ended and makes room for one more.
func (s *sessions) tidy() {
	var oldest [32]byte
	var since time.Time
	for key, v := range s.all {
		if s.over(v) {
			delete(s.all, key)
			continue
		}
		if since.IsZero() || v.used.Before(since) {
			oldest, since = key, v.used
		}
	}
	if len(s.all) >= MaxSessions {
		delete(s.all, oldest)
	}
}

func (s *sessions) over(v *session) bool {
	now := s.now()
	return now.Sub(v.began) >= SessionFor || now.Sub(v.used) >= SessionIdle
}

// find returns a live session and counts the use.
func (s *sessions) find(text string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := sha256.Sum256([]byte(text))
	v := s.all[key]
	if v == nil {
		return nil
	}
	if s.over(v) {
		delete(s.all, key)
		return nil
	}
	v.used = s.now()
	return v
}

func (s *sessions) end(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, sha256.Sum256([]byte(text)))
}

// note keeps a sentence for the next page.
func (s *sessions) note(v *session, text string, problem bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.notice, v.problem = text, problem
}

// take returns the sentence and forgets it.
func (s *sessions) take(v *session) (text string, problem bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, problem = v.notice, v.problem
	v.notice, v.problem = "", false
	return text, problem
}

// keep holds a secret until the page that shows it is asked for.
func (s *sessions) keep(v *session, name, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.secrets[name] = secret
}

// reveal returns a secret and forgets it: no secret is shown twice.
func (s *sessions) reveal(v *session, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret := v.secrets[name]
	delete(v.secrets, name)
	return secret
}

// cookieName has the prefix that binds a cookie to this host over TLS, where there is TLS.
func (c *call) cookieName() string {
	if c.secure(c.r) {
		return "__Host-provost"
	}
	return "provost-session"
}

// setCookie gives the browser its session; an empty text takes it away.
func (c *call) setCookie(text string) {
	cookie := &http.Cookie{Name: c.cookieName(), Value: text, Path: "/", HttpOnly: true, Secure: c.secure(c.r), SameSite: http.SameSiteStrictMode}
	if text == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(c.w, cookie)
}
