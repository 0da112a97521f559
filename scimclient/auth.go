package scimclient

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// authorizer puts credentials on requests.
type authorizer interface {
	authorize(ctx context.Context, req *http.Request) error
	// refused is called when the target answered 401; it reports whether other credentials can be had at once.
	refused() bool
}

func newAuthorizer(a Auth, c *Client) (authorizer, error) {
	switch a.Type {
	case "bearer":
		return &headerAuth{header: "Authorization", prefix: "Bearer ", secret: secret{"auth.token", a.Token, a.TokenFile, a.TokenEnv}}, nil
	case "header":
		return &headerAuth{header: a.Header, prefix: a.Prefix, secret: secret{"auth.token", a.Token, a.TokenFile, a.TokenEnv}}, nil
	case "basic":
		return &basicAuth{user: a.User, secret: secret{"auth.password", a.Password, a.PasswordFile, a.PasswordEnv}}, nil
	case "oauth2":
		return &oauth{auth: a, client: c, secret: secret{"auth.password", a.Password, a.PasswordFile, a.PasswordEnv}}, nil
	}
	return noAuth{}, nil
}

// secret is where a secret is kept. It is read anew for every use, so a rotated file takes effect at once.
type secret struct{ field, value, file, env string }

func (s secret) read() (string, error) {
	v := s.value
	switch {
	case v != "":
	case s.file != "":
		text, err := os.ReadFile(s.file)
		if err != nil {
			return "", &ConfigError{s.field + "File", err.Error()}
		}
		v = strings.TrimSpace(string(text))
	default:
		v = os.Getenv(s.env)
	}
	if v == "" {
		return "", &ConfigError{s.field, "the secret is empty"}
	}
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", &ConfigError{s.field, "the secret holds characters that cannot be sent"}
	}
	return v, nil
}

type noAuth struct{}

func (noAuth) authorize(context.Context, *http.Request) error { return nil }
func (noAuth) refused() bool                                  { return false }

type headerAuth struct {
	header, prefix string
	secret         secret
}

func (a *headerAuth) authorize(_ context.Context, req *http.Request) error {
	v, err := a.secret.read()
	if err == nil {
		req.Header.Set(a.header, a.prefix+v)
	}
	return err
}

func (a *headerAuth) refused() bool { return false }

type basicAuth struct {
	user   string
	secret secret
}

func (a *basicAuth) authorize(_ context.Context, req *http.Request) error {
	v, err := a.secret.read()
	if err == nil {
		req.SetBasicAuth(a.user, v)
	}
	return err
}

func (a *basicAuth) refused() bool { return false }

// oauth holds a token of the client credentials grant (RFC 6749 §4.4) and gets a new one before it expires.
type oauth struct {
	auth   Auth
	client *Client
	secret secret

	mu      sync.Mutex
	token   string
	expires time.Time
	fresh   bool // the token has not been refused since it was issued
}

const (
	tokenMargin  = 60 * time.Second // a token is renewed so long before it expires
	defaultToken = 5 * time.Minute  // lifetime of a token whose issuer does not say (RFC 6749 §5.1)
	maxTokenBody = 64 << 10
)

func (a *oauth) authorize(ctx context.Context, req *http.Request) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token == "" || !a.client.now().Before(a.expires) {
		if err := a.issue(ctx); err != nil {
			return err
		}
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	return nil
}

// refused drops the token; the second refusal in a row is final.
func (a *oauth) refused() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	again := a.token != "" && a.fresh
	a.token, a.fresh = "", false
	return again
}

func (a *oauth) issue(ctx context.Context) error {
	password, err := a.secret.read()
	if err != nil {
		return err
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if a.auth.Scope != "" {
		form.Set("scope", a.auth.Scope)
	}
	if a.auth.InBody {
		form.Set("client_id", a.auth.User)
		form.Set("client_secret", password)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.auth.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return &ConfigError{"auth.tokenUrl", err.Error()}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if !a.auth.InBody {
		req.SetBasicAuth(url.QueryEscape(a.auth.User), url.QueryEscape(password)) // RFC 6749 §2.3.1
	}
	resp, err := a.client.http.Do(req)
	if err != nil {
		return &Error{Method: "POST", Path: "the token endpoint", Detail: explainTransport(err), Err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenBody))
	if err != nil {
		return &Error{Method: "POST", Path: "the token endpoint", Detail: explainTransport(err), Err: err}
	}
	return a.keep(resp, body)
}

// keep takes the token out of an answer (RFC 6749 §5).
func (a *oauth) keep(resp *http.Response, body []byte) error {
	var answer struct {
		Token     string  `json:"access_token"`
		Expires   float64 `json:"expires_in"`
		ErrorCode string  `json:"error"`
		Detail    string  `json:"error_description"`
	}
	err := json.Unmarshal(body, &answer)
	if resp.StatusCode != http.StatusOK || err != nil || answer.Token == "" {
		detail := strings.TrimSpace(answer.ErrorCode + " " + answer.Detail)
		if detail == "" {
			detail = "the answer has no access_token" + aboutBody(resp.Header.Get("Content-Type"), body)
		}
		e := &Error{Method: "POST", Path: "the token endpoint", Status: resp.StatusCode, Detail: clip(detail)}
		e.RetryAfter = retryAfter(resp.Header, a.client.now())
		e.denied = resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusUnauthorized
		return e
	}
	life := defaultToken
	if answer.Expires > 0 {
		life = time.Duration(min(answer.Expires, 86400) * float64(time.Second))
	}
	if strings.ContainsFunc(answer.Token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return fmt.Errorf("the token endpoint issued a token that cannot be sent")
	}
	a.token, a.expires, a.fresh = answer.Token, a.client.now().Add(max(life-tokenMargin, life/2)), true
	return nil
}
