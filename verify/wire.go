package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// send sends a request and records the exchange. A request that writes is refused in read-only runs and, once it
// has left, is not interrupted when the run is: what it made must become known.
func (s *Session) send(c call) *Exchange {
	if s.run.o.ReadOnly && writes(c) {
		s.skip("needs to write (%s %s); this run is read-only", c.method, clip(c.path, 60))
	}
	if s.run.ctx.Err() != nil {
		s.skip("interrupted")
	}
	if s.run.gone() {
		s.skip("the server stopped answering")
	}
	var x *Exchange
	for try := 0; ; try++ {
		x = s.once(c)
		wait, again := s.run.throttled(x, try)
		if !again {
			break
		}
		select {
		case <-time.After(wait):
		case <-s.run.ctx.Done():
			s.skip("interrupted")
		}
	}
	s.run.track(c, x)
	return x
}

// writes tells whether a request may change the server. A search by POST does not.
func writes(c call) bool {
	switch c.method {
	case "GET", "HEAD", "OPTIONS":
		return false
	case "POST":
		return !strings.HasSuffix(c.path, "/.search")
	}
	return true
}

// once sends a request one time.
func (s *Session) once(c call) *Exchange {
	return s.together([]call{c})[0]
}

// parallel sends requests at the same moment and tracks what they make. None is repeated.
func (s *Session) parallel(calls []call) []*Exchange {
	for _, c := range calls {
		if s.run.o.ReadOnly && writes(c) {
			s.skip("needs to write (%s %s); this run is read-only", c.method, clip(c.path, 60))
		}
	}
	done := s.together(calls)
	for i, x := range done {
		s.run.track(calls[i], x)
	}
	return done
}

// together sends requests at the same moment and records them in their order.
func (s *Session) together(calls []call) []*Exchange {
	r := s.run
	r.wait()
	done := make([]*Exchange, len(calls))
	var wg sync.WaitGroup
	for i, c := range calls {
		r.sent++
		x := &Exchange{N: r.sent, Case: s.c.Name, At: r.now().UTC(), s: s}
		done[i] = x
		ctx := r.ctx
		if writes(c) {
			ctx = context.WithoutCancel(ctx)
		}
		ctx, cancel := context.WithTimeout(ctx, r.o.Timeout)
		req, err := s.request(ctx, c, x)
		if err != nil {
			x.Err = r.auth.strike(err.Error())
			cancel()
			continue
		}
		wg.Go(func() {
			defer cancel()
			begun := time.Now()
			x.exchange(r, req)
			x.Millis = milliseconds(time.Since(begun))
		})
	}
	wg.Wait()
	for _, x := range done {
		s.exchanges = append(s.exchanges, x)
		r.record(x)
		if x.Err == "" {
			r.silent = nil
		} else {
			r.silent = append(r.silent, x)
		}
	}
	return done
}

// maxSilent is how many requests in a row may stay without an answer before the run ends: a server that is gone
// is one finding, not hundreds.
const maxSilent = 5

// gone tells whether the server stopped answering.
func (r *run) gone() bool { return len(r.silent) >= maxSilent }

// record writes an exchange to the record of the run, if one is kept.
func (r *run) record(x *Exchange) {
	if r.o.Record == nil {
		return
	}
	line, err := json.Marshal(x)
	if err == nil {
		_, err = r.o.Record.Write(append(line, '\n'))
	}
	if err != nil {
		x.Err = "the exchange could not be recorded: " + err.Error()
	}
}

// request builds the HTTP request and notes it, without secrets, in the exchange.
func (s *Session) request(ctx context.Context, c call, x *Exchange) (*http.Request, error) {
	body, text, err := encodeBody(c.body)
	if err != nil {
		return nil, err
	}
	base := c.base
	if base == "" {
		base = s.run.base
	}
	req, err := http.NewRequestWithContext(ctx, c.method, base+c.path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if c.body == nil {
		req.Body, req.ContentLength = nil, 0
	}
	set := maps.Clone(s.dialect.Header)
	if set == nil {
		set = map[string]string{}
	}
	set["Accept"] = s.dialect.Accept
	if set["User-Agent"] == "" {
		set["User-Agent"] = "provost-verify"
	}
	if c.body != nil {
		set["Content-Type"] = s.dialect.ContentType
	}
	for k, v := range c.header {
		set[http.CanonicalHeaderKey(k)] = v
	}
	for k, v := range set {
		if v != "" {
			req.Header.Set(k, v)
		}
	}
	x.Request = Request{Method: c.method, Path: s.run.auth.strike(c.path), Header: map[string]string{}, Text: text}
	for k := range req.Header {
		x.Request.Header[k] = req.Header.Get(k)
	}
	if text == "" && body != nil {
		x.Request.Body = json.RawMessage(body)
	}
	if _, custom := c.header["Authorization"]; !custom && !c.anonymous {
		if err := s.run.authorize(ctx, req, c.token); err != nil {
			return nil, err
		}
		x.Request.Header["Authorization"] = struck
	}
	if !c.anonymous {
		for k, v := range s.run.o.Header {
			req.Header[http.CanonicalHeaderKey(k)] = slices.Clone(v)
			x.Request.Header[http.CanonicalHeaderKey(k)] = struck
		}
	}
	return req, nil
}

// encodeBody returns the bytes of a body, and the text to record if they are not JSON.
func encodeBody(v any) (body []byte, text string, err error) {
	switch t := v.(type) {
	case nil:
		return nil, "", nil
	case string:
		if json.Valid([]byte(t)) {
			return []byte(t), "", nil
		}
		return []byte(t), t, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, "", fmt.Errorf("encode the request: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), "", nil
}

// exchange sends the request and reads the answer.
func (x *Exchange) exchange(r *run, req *http.Request) {
	res, err := r.client.Do(req)
	if err != nil {
		x.Err = r.auth.strike(err.Error())
		return
	}
	defer res.Body.Close()
	x.Response.Status = res.StatusCode
	if res.TLS != nil {
		x.tls = res.TLS.Version
	}
	x.Response.Header = map[string]string{}
	for k, v := range res.Header {
		x.Response.Header[k] = r.auth.strike(strings.Join(v, ", "))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	switch {
	case err != nil:
		x.Err = "the answer broke off: " + r.auth.strike(err.Error())
	case len(body) > MaxAnswer:
		x.Err = fmt.Sprintf("the answer is larger than %d MiB", MaxAnswer>>20)
		body = nil
	}
	x.setBody([]byte(r.auth.strike(string(body))))
}

// wait holds a request back so that the run keeps its rate.
func (r *run) wait() {
	if r.o.Rate <= 0 {
		return
	}
	if d := time.Until(r.pace); d > 0 {
		select {
		case <-time.After(d):
		case <-r.ctx.Done():
		}
	}
	r.pace = time.Now().Add(time.Duration(float64(time.Second) / r.o.Rate))
}

// throttled says whether and how long to wait before the request is sent again.
func (r *run) throttled(x *Exchange, try int) (time.Duration, bool) {
	if x.Response.Status != http.StatusTooManyRequests {
		return 0, false
	}
	r.slow = append(r.slow, x)
	if try >= 5 {
		return 0, false
	}
	wait := time.Duration(1<<try) * time.Second
	if n := retryAfter(x.header("Retry-After")); n >= 0 {
		wait = time.Duration(n) * time.Second
	}
	if wait > MaxThrottle {
		return 0, false
	}
	return wait, true
}

// retryAfter reads whole seconds; anything else is -1, as Okta reads it.
func retryAfter(v string) int {
	v = strings.TrimSpace(v)
	if v == "" || len(v) > 9 {
		return -1
	}
	n := 0
	for _, c := range []byte(v) {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}
