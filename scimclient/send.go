package scimclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/provost-scim/provost/scim"
)

// request is one thing to ask the target.
type request struct {
	method string
	path   string     // below the base URL: "/Users/{id}", escaped
	query  url.Values // may be nil
	body   any        // marshalled as JSON; nil for none
}

// answer is a success.
type answer struct {
	status int
	header http.Header
	body   scim.Object // nil if there was none
}

// The pauses before a request is repeated: drawn from zero to a limit that doubles.
const (
	firstPause   = 250 * time.Millisecond
	longestPause = 10 * time.Second
)

// send makes a request. It repeats what was surely not taken, and what is safe to repeat (RFC 9110 §9.2.2: GET, PUT and
// DELETE), within the time that ctx gives. The error is an *Error, or ctx's if ctx was cancelled before anything was
// sent.
func (c *Client) send(ctx context.Context, req request) (*answer, error) {
	var payload []byte
	if req.body != nil {
		var err error
		if payload, err = json.Marshal(req.body); err != nil {
			return nil, fmt.Errorf("write the body of %s %s: %w", req.method, req.path, err)
		}
	}
	renewed := false
	limit := firstPause
	for attempt := 1; ; attempt++ {
		a, err := c.attempt(ctx, req, payload, attempt)
		if err == nil {
			return a, nil
		}
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return nil, err
		}
		if e.Status == http.StatusUnauthorized && !renewed && c.auth.refused() {
			renewed = true
			continue
		}
		if attempt == MaxAttempts || !e.Retryable() || e.Unknown && !repeatable(req.method) {
			return nil, e
		}
		wait := e.RetryAfter // the gate keeps that time too, for everybody
		if wait == 0 {
			wait = time.Duration(c.jitter() * float64(limit))
			limit = min(2*limit, longestPause)
		}
		if sleep(ctx, wait) != nil {
			return nil, e
		}
	}
}

func repeatable(method string) bool { return method != http.MethodPost && method != http.MethodPatch }

// attempt sends once.
func (c *Client) attempt(ctx context.Context, req request, payload []byte, number int) (*answer, error) {
	if err := c.gate.enter(ctx, req.method != http.MethodGet); err != nil {
		if w, ok := errors.AsType[*waitError](err); ok {
			return nil, &Error{Method: req.method, Path: req.path, Status: http.StatusTooManyRequests, Detail: "nothing was sent: " + w.Error(), RetryAfter: w.left}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		// The rate limiter saw that ctx ends before a turn comes.
		return nil, &Error{Method: req.method, Path: req.path, Detail: "nothing was sent: no turn came in time", Err: err}
	}
	timeout := time.Duration(c.config.Timeout)
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	one, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	began := c.now()
	a, status, err := c.exchange(one, req, payload)
	c.gate.leave(bore(err))
	if c.observe != nil {
		x := Exchange{Method: req.method, Path: req.path, Attempt: number, Status: status, Duration: c.now().Sub(began)}
		if len(req.query) > 0 {
			x.Path += "?" + req.query.Encode()
		}
		if err != nil {
			x.Err = err.Error()
		}
		c.observe(x)
	}
	return a, err
}

// bore says what the end of a request tells about the load of the target.
func bore(err error) bearing {
	e, ok := errors.AsType[*Error](err)
	switch {
	case err == nil:
		return well
	case !ok:
		return idle
	case e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable || e.Status == http.StatusGatewayTimeout,
		e.Status == 0 && errors.Is(e.Err, context.DeadlineExceeded):
		return congested
	case e.Status != 0:
		return well
	}
	return idle
}

// exchange sends a request and reads the whole answer; status is 0 if none came.
func (c *Client) exchange(ctx context.Context, req request, payload []byte) (a *answer, status int, err error) {
	var written atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }}
	r, err := c.build(httptrace.WithClientTrace(ctx, trace), req, payload)
	if err != nil {
		return nil, 0, err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		err = unwrapURL(err)
		return nil, 0, &Error{Method: req.method, Path: req.path, Detail: explainTransport(err), Err: err,
			Unknown: written.Load() && req.method != http.MethodGet}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxResponse+1))
	unknown := req.method != http.MethodGet
	if err != nil {
		return nil, resp.StatusCode, &Error{Method: req.method, Path: req.path, Detail: "the answer broke off: " + explainTransport(err), Err: err, Unknown: unknown}
	}
	if len(body) > MaxResponse {
		return nil, resp.StatusCode, &Error{Method: req.method, Path: req.path, Status: http.StatusNotImplemented, Unknown: unknown,
			Detail: fmt.Sprintf("the answer is longer than %d bytes", MaxResponse)}
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		e := c.answerError(req, resp, body)
		if e.RetryAfter > 0 && (e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable) {
			c.gate.pause(e.RetryAfter)
		}
		return nil, resp.StatusCode, e
	}
	a, err = c.read(req, resp, body)
	return a, resp.StatusCode, err
}

// build makes the HTTP request. The error is an *Error for which nothing was sent.
func (c *Client) build(ctx context.Context, req request, payload []byte) (*http.Request, error) {
	u := c.base.JoinPath(strings.TrimPrefix(req.path, "/"))
	query := c.base.Query()
	for k, v := range req.query {
		query[k] = v
	}
	u.RawQuery = query.Encode()
	var body io.Reader
	if payload != nil {
		body = bytes.NewReader(payload)
	}
	r, err := http.NewRequestWithContext(ctx, req.method, u.String(), body)
	if err != nil {
		return nil, &Error{Method: req.method, Path: req.path, Detail: clip(err.Error()), Err: err, Status: http.StatusNotImplemented}
	}
	// A request that net/http would repeat by itself on a broken connection is repeated by send alone.
	r.GetBody = nil
	for k, v := range c.config.Headers {
		r.Header.Set(k, v)
	}
	r.Header.Set("Accept", "application/scim+json, application/json;q=0.9")
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", userAgent)
	}
	if payload != nil {
		r.Header.Set("Content-Type", c.profile.ContentType)
	}
	if err := c.auth.authorize(ctx, r); err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			return nil, e
		}
		return nil, &Error{Method: req.method, Path: req.path, Detail: "no credentials: " + err.Error(), Err: err, denied: true}
	}
	return r, nil
}

// read takes the JSON out of a success. A write may be answered without a body.
func (c *Client) read(req request, resp *http.Response, body []byte) (*answer, error) {
	a := &answer{status: resp.StatusCode, header: resp.Header}
	if len(bytes.TrimSpace(body)) == 0 && req.method != http.MethodGet {
		return a, nil
	}
	v, err := scim.ParseJSON(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), MaxDepth)
	o, ok := v.(scim.Object)
	if err == nil && ok {
		a.body = o
		return a, nil
	}
	e := &Error{Method: req.method, Path: req.path, Status: resp.StatusCode, Unknown: req.method != http.MethodGet, Err: err}
	e.Detail = "this is no SCIM answer" + aboutBody(resp.Header.Get("Content-Type"), body)
	return nil, e
}

// unwrapURL drops the URL that net/http puts before its errors: it is known, and its query is nobody's business.
func unwrapURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
