package scimclient

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-scim/provost/scim"
)

func withTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		conn.Close()
	}
}

// TestSend_RepeatsOnlyWhatIsSafe tries every method with every way to fail.
func TestSend_RepeatsOnlyWhatIsSafe(t *testing.T) {
	ops := []scim.Op{{Op: "replace", Path: "title", Value: "x"}}
	calls := map[string]func(context.Context, *Client) error{
		"GET":    func(ctx context.Context, c *Client) error { _, err := c.Get(ctx, "User", "1"); return err },
		"POST":   func(ctx context.Context, c *Client) error { _, err := c.Create(ctx, user("x")); return err },
		"PATCH":  func(ctx context.Context, c *Client) error { return c.Patch(ctx, "User", "1", ops) },
		"DELETE": func(ctx context.Context, c *Client) error { return c.Delete(ctx, "User", "1") },
		"PUT": func(ctx context.Context, c *Client) error {
			u := user("x")
			u.ID = "1"
			return c.Replace(ctx, u)
		},
	}
	faults := []struct {
		name     string
		fail     func(w http.ResponseWriter)
		repeated []string // methods that are sent again
		unknown  bool     // the outcome of the others is not known
	}{
		{"hang up", hangUp, []string{"GET", "PUT", "DELETE"}, true},
		{"500", func(w http.ResponseWriter) { reply(w, 500, `{"detail":"oops"}`) }, []string{"GET", "PUT", "DELETE"}, true},
		{"503 html", func(w http.ResponseWriter) { w.WriteHeader(503) }, []string{"GET", "PUT", "DELETE"}, true},
		{"429", func(w http.ResponseWriter) { reply(w, 429, `{}`) }, []string{"GET", "POST", "PUT", "PATCH", "DELETE"}, false},
		{"400", func(w http.ResponseWriter) { reply(w, 400, `{"scimType":"invalidValue","detail":"no"}`) }, nil, false},
		{"409", func(w http.ResponseWriter) { reply(w, 409, `{"scimType":"uniqueness","detail":"taken"}`) }, nil, false},
		{"half an answer", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(200)
			_, _ = w.Write([]byte(`{"id":"1"`))
		}, []string{"GET", "PUT", "DELETE"}, true},
	}
	for _, fault := range faults {
		for method, call := range calls {
			t.Run(fault.name+" "+method, func(t *testing.T) {
				f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ scim.Object, n int) {
					if n == 1 {
						fault.fail(w)
						return
					}
					reply(w, 200, `{"id":"1"}`)
				})
				c := newClient(t, f.config("entra"))
				c.jitter = func() float64 { return 0.01 }
				err := call(t.Context(), c)
				again := false
				for _, m := range fault.repeated {
					again = again || m == method
				}
				if again {
					if err != nil || f.count() != 2 {
						t.Fatalf("%v after %d requests, want success after 2", err, f.count())
					}
					return
				}
				e := asError(t, err)
				if f.count() != 1 || e.Unknown != (fault.unknown && method != "GET") {
					t.Errorf("%+v after %d requests, want one request and Unknown %v", e, f.count(), fault.unknown)
				}
				if strings.Contains(err.Error(), "s3cret-canary") {
					t.Errorf("the error holds the token: %v", err)
				}
			})
		}
	}
}

func TestSend_GivesUpAfterMaxAttempts(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ scim.Object, _ int) { reply(w, 500, `{}`) })
	var seen []Exchange
	c, err := New(f.config(""), Options{Observe: func(x Exchange) { seen = append(seen, x) }})
	if err != nil {
		t.Fatal(err)
	}
	c.jitter = func() float64 { return 0 }
	_, err = c.Get(t.Context(), "User", "1")
	if e := asError(t, err); e.Status != 500 || !e.Retryable() || f.count() != MaxAttempts {
		t.Errorf("%v after %d requests, want %d", err, f.count(), MaxAttempts)
	}
	if len(seen) != MaxAttempts || seen[3].Attempt != 4 || seen[3].Status != 500 || seen[3].Path != "/Users/1" {
		t.Errorf("observed %+v", seen)
	}
}

func TestCreate_IDFromLocation(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ scim.Object, n int) {
		if n == 1 {
			w.Header().Set("Location", "https://elsewhere.example/scim/v2/Users/abc%20d")
		}
		w.WriteHeader(201)
	})
	c := newClient(t, f.config(""))
	if made, err := c.Create(t.Context(), user("x")); err != nil || made.ID != "abc d" {
		t.Errorf("Create = %q, %v, want the id of Location", made.ID, err)
	}
	_, err := c.Create(t.Context(), user("x"))
	if e := asError(t, err); !e.Unknown {
		t.Errorf("a create without an id = %v, want an unknown outcome", err)
	}
}

func TestAnswers_ThatAreNoSCIM(t *testing.T) {
	tests := []struct {
		name, contentType, body string
		want                    string
	}{
		{"sign-in page", "text/html; charset=utf-8", "<!DOCTYPE html><html><head><title>Sign in &amp; go</title></head></html>", `an HTML page ("Sign in & go")`},
		{"page without a type", "", "<html><title>x</title></html>", "an HTML page"},
		{"other JSON", "application/json", `{"hello":"world"}`, "no SCIM list"},
		{"a list", "application/json", `[]`, "no SCIM answer"},
		{"text", "text/plain", "hello", "text/plain"},
		{"nothing", "application/scim+json", "", "empty"},
		{"broken", "application/scim+json", `{"totalResults":`, "no JSON that can be read"},
		{"deep", "application/scim+json", strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), "no JSON that can be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ scim.Object, _ int) {
				w.Header().Set("Content-Type", tt.contentType)
				_, _ = w.Write([]byte(tt.body))
			})
			c := newClient(t, f.config("entra"))
			_, err := c.Find(t.Context(), "User", "userName", "x")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
			if f.count() != 1 {
				t.Errorf("%d requests for an answer that will not get better", f.count())
			}
			r, err := c.Test(t.Context())
			if err == nil || len(r.Lines) != 1 || r.Lines[0].Verdict != Bad || r.Lines[0].Next == "" {
				t.Errorf("Test = %+v, %v", r, err)
			}
		})
	}
}

func TestAnswers_AreLimited(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ scim.Object, _ int) {
		chunk := []byte(`{"x":"` + strings.Repeat("a", 1<<20))
		for range 40 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	_, err := newClient(t, f.config("")).Get(t.Context(), "User", "1")
	if err == nil || !strings.Contains(err.Error(), "longer than 33554432 bytes") || f.count() != 1 {
		t.Errorf("%v after %d requests", err, f.count())
	}
}

func TestRedirects_StayOnTheHost(t *testing.T) {
	var stolen []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stolen = append(stolen, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, _ scim.Object, _ int) {
		switch {
		case r.URL.Path == "/scim/v2/Users" && r.Method == "GET":
			http.Redirect(w, r, "/moved/Users?"+r.URL.RawQuery, http.StatusFound)
		case r.URL.Path == "/moved/Users":
			reply(w, 200, noMatch)
		case r.Method == "POST":
			http.Redirect(w, r, "/moved/Users", http.StatusTemporaryRedirect)
		default:
			http.Redirect(w, r, other.URL, http.StatusFound)
		}
	})
	c := newClient(t, f.config("entra"))
	if _, err := c.Find(t.Context(), "User", "userName", "x"); err != nil {
		t.Errorf("a redirect on the same host: %v", err)
	}
	if _, err := c.Find(t.Context(), "Group", "displayName", "x"); err == nil || !strings.Contains(err.Error(), "another place") {
		t.Errorf("a redirect to another host: %v", err)
	}
	if _, err := c.Create(t.Context(), user("x")); err == nil || !strings.Contains(err.Error(), "redirected a POST") {
		t.Errorf("a redirected POST: %v", err)
	}
	if len(stolen) > 0 {
		t.Errorf("the other host was asked, with %q", stolen)
	}
}

// issuer issues tokens of the client credentials grant, t1, t2, …
func issuer(t *testing.T, wantBody bool) (*httptest.Server, *int) {
	t.Helper()
	var mu sync.Mutex
	n := new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		user, password, _ := r.BasicAuth()
		if wantBody {
			user, password = r.FormValue("client_id"), r.FormValue("client_secret")
		}
		if r.FormValue("grant_type") != "client_credentials" || user != "app" || password != "pass-canary" || r.FormValue("scope") != "scim" {
			reply(w, 401, `{"error":"invalid_client","error_description":"who are you"}`)
			return
		}
		*n++
		reply(w, 200, `{"access_token":"t`+string(rune('0'+*n))+`","token_type":"Bearer","expires_in":3600}`)
	}))
	t.Cleanup(s.Close)
	return s, n
}

func TestOAuth_TokenIsKeptAndRenewed(t *testing.T) {
	for _, inBody := range []bool{false, true} {
		tokens, issued := issuer(t, inBody)
		revoked := map[string]bool{}
		f := newFake(t, func(w http.ResponseWriter, r *http.Request, _ scim.Object, _ int) {
			if a := r.Header.Get("Authorization"); !strings.HasPrefix(a, "Bearer t") || revoked[a] {
				reply(w, 401, `{"detail":"expired"}`)
				return
			}
			reply(w, 200, noMatch)
		})
		config := f.config("entra")
		config.Auth = Auth{Type: "oauth2", User: "app", Password: "pass-canary", TokenURL: tokens.URL, Scope: "scim", InBody: inBody}
		clock := time.Now()
		c, err := New(config, Options{Now: func() time.Time { return clock }})
		if err != nil {
			t.Fatal(err)
		}
		find := func(want int) {
			t.Helper()
			if _, err := c.Find(t.Context(), "User", "userName", "x"); err != nil || *issued != want {
				t.Errorf("Find: %v with %d tokens issued, want %d", err, *issued, want)
			}
		}
		find(1)
		find(1)
		clock = clock.Add(59*time.Minute + time.Second)
		find(2)
		revoked["Bearer t2"] = true
		find(3)
		for _, tok := range []string{"Bearer t3", "Bearer t4", "Bearer t5"} {
			revoked[tok] = true
		}
		_, err = c.Find(t.Context(), "User", "userName", "x")
		if e := asError(t, err); !e.Denied() || *issued != 4 {
			t.Errorf("a second refusal: %v with %d tokens issued, want denied after one new token", err, *issued)
		}
		config.Auth.Password = "wrong"
		_, err = newClient(t, config).Find(t.Context(), "User", "userName", "x")
		if e := asError(t, err); !e.Denied() || e.Retryable() || !strings.Contains(err.Error(), "invalid_client who are you") {
			t.Errorf("a wrong client secret: %v", err)
		}
	}
}

func TestAuth_SecretsByReference(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, _ scim.Object, _ int) {
		user, password, _ := r.BasicAuth()
		reply(w, 200, `{"id":"1","displayName":"`+r.Header.Get("Authorization")+"|"+r.Header.Get("X-Api-Key")+"|"+user+password+`"}`)
	})
	t.Setenv("PROVOST_TEST_TOKEN", "env-token")
	for _, tt := range []struct {
		auth Auth
		want string
	}{
		{Auth{Type: "bearer", TokenFile: file}, "Bearer one||"},
		{Auth{Type: "bearer", TokenEnv: "PROVOST_TEST_TOKEN"}, "Bearer env-token||"},
		{Auth{Type: "header", Header: "X-Api-Key", Prefix: "SSWS ", TokenFile: file}, "|SSWS one|"},
		{Auth{Type: "basic", User: "u", PasswordFile: file}, "Basic dTpvbmU=||uone"},
		{Auth{Type: "none"}, "||"},
	} {
		if err := os.WriteFile(file, []byte("one\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		config := f.config("entra")
		config.Auth = tt.auth
		c := newClient(t, config)
		got, err := c.Get(t.Context(), "User", "1")
		if err != nil || got.Attrs["displayName"] != tt.want {
			t.Errorf("%+v: %v, %v, want %s", tt.auth, got.Attrs["displayName"], err, tt.want)
		}
		if err := os.WriteFile(file, []byte("two"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err = c.Get(t.Context(), "User", "1"); tt.auth.TokenFile != "" && (err != nil || !strings.Contains(got.Attrs["displayName"].(string), "two")) {
			t.Errorf("after the file changed: %v, %v", got.Attrs, err)
		}
	}
	config := f.config("")
	config.Auth = Auth{Type: "bearer", TokenFile: file + "-missing"}
	_, err := newClient(t, config).Get(t.Context(), "User", "1")
	if e := asError(t, err); !e.Denied() || e.Unknown || !errors.As(err, new(*ConfigError)) {
		t.Errorf("a token file that is missing: %v", err)
	}
}
