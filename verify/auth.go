package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// struck stands in records and reports where a secret was.
const struck = "(secret)"

// credentials hands out the token of a run and keeps secrets out of everything that is recorded.
type credentials struct {
	Auth
	client  *http.Client
	now     func() time.Time
	issued  string
	expires time.Time // zero: no end known
}

// authorize sets the Authorization header: of the given token, else of the run's own.
func (r *run) authorize(ctx context.Context, req *http.Request, token string) error {
	if token == "" {
		var err error
		if token, err = r.auth.token(ctx); err != nil {
			return err
		}
	}
	if token == "" {
		return nil
	}
	switch scheme := r.auth.Scheme; scheme {
	case "":
		req.Header.Set("Authorization", "Bearer "+token)
	case "none":
		req.Header.Set("Authorization", token)
	default:
		req.Header.Set("Authorization", scheme+" "+token)
	}
	return nil
}

// token returns the fixed token, or one of the OAuth 2 token endpoint that is good for a minute more.
func (c *credentials) token(ctx context.Context) (string, error) {
	if c.TokenURL == "" {
		return c.Token, nil
	}
	if c.issued != "" && (c.expires.IsZero() || c.now().Add(time.Minute).Before(c.expires)) {
		return c.issued, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if c.Scope != "" {
		form.Set("scope", c.Scope)
	}
	if !c.BasicAuth {
		form.Set("client_id", c.ClientID)
		form.Set("client_secret", c.ClientSecret)
	}
	req, err := http.NewRequestWithContext(ctx, "POST", c.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if c.BasicAuth {
		req.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret))
	}
	res, err := c.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask the token endpoint: %s", c.strike(err.Error()))
	}
	defer res.Body.Close()
	return c.read(res)
}

// read takes the token out of the answer of the token endpoint (RFC 6749 §5).
func (c *credentials) read(res *http.Response) (string, error) {
	var t struct {
		AccessToken string      `json:"access_token"`
		TokenType   string      `json:"token_type"`
		ExpiresIn   json.Number `json:"expires_in"`
		Error       string      `json:"error"`
		Description string      `json:"error_description"`
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("read the answer of the token endpoint: %w", err)
	}
	if err := json.Unmarshal(body, &t); err != nil && res.StatusCode == http.StatusOK {
		return "", fmt.Errorf("the token endpoint answered something else than JSON: %w", err)
	}
	if res.StatusCode != http.StatusOK || t.AccessToken == "" {
		return "", fmt.Errorf("the token endpoint refused the client: status %d %s", res.StatusCode, c.strike(clip(strings.TrimSpace(t.Error+" "+t.Description), 200)))
	}
	if t.TokenType != "" && !strings.EqualFold(t.TokenType, "bearer") {
		return "", errors.New("the token endpoint issued a token of type " + clip(t.TokenType, 40) + "; only bearer tokens are supported")
	}
	c.issued, c.expires = t.AccessToken, time.Time{}
	if n, err := t.ExpiresIn.Int64(); err == nil && n > 0 {
		c.expires = c.now().Add(time.Duration(n) * time.Second)
	}
	return c.issued, nil
}

// strike replaces the secrets of the run in a text.
func (c *credentials) strike(s string) string {
	for _, secret := range []string{c.Token, c.issued, c.ClientSecret} {
		if len(secret) >= 6 {
			s = strings.ReplaceAll(s, secret, struck)
		}
	}
	return s
}
