package scimclient

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/provost-scim/provost/scim"
)

// Error is a request that came to nothing, or whose outcome nobody knows. Its text is for administrators; it holds no
// credentials.
type Error struct {
	Method string
	Path   string // below the base URL, without its query
	Status int    // 0 if no answer came
	Type   string // scimType (RFC 7644 §3.12), "" if there was none
	Detail string // what the target said, or what happened
	// RetryAfter is how long the target asked to be left alone; 0 if it did not.
	RetryAfter time.Duration
	// Unknown: the request was sent, and nobody can say whether it was carried out. Look before sending it again.
	Unknown bool
	Err     error // the cause, if there is one

	denied bool // the credentials were refused, whatever the status
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", e.Method, e.Path)
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d %s", e.Status, http.StatusText(e.Status))
		if e.Type != "" {
			fmt.Fprintf(&b, " (%s)", e.Type)
		}
		if e.Detail != "" {
			b.WriteString(": ")
		}
	}
	b.WriteString(e.Detail)
	if e.Unknown {
		b.WriteString("; whether it was carried out is not known")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same request may succeed later without anybody's doing. Of one whose outcome is
// Unknown it says nothing about whether it is safe to send it again.
func (e *Error) Retryable() bool {
	if e.Denied() || errors.As(e.Err, new(*AddressError)) || errors.As(e.Err, new(*ConfigError)) || errors.As(e.Err, new(redirectError)) {
		return false
	}
	return e.Unknown || e.Status == 0 || e.Status == http.StatusTooManyRequests || e.Status == http.StatusRequestTimeout ||
		e.Status >= 500 && e.Status != http.StatusNotImplemented
}

// Denied reports whether the target refused the credentials: nothing else will work with them either.
func (e *Error) Denied() bool {
	return e.denied || e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// Conflict reports whether a unique value is taken (RFC 7644 §3.3).
func (e *Error) Conflict() bool {
	return e.Status == http.StatusConflict || e.Type == string(scim.Uniqueness)
}

// Missing reports whether there is no such resource.
func (e *Error) Missing() bool { return e.Status == http.StatusNotFound || e.Status == http.StatusGone }

// maxDetail is how much of what a target says is kept, in bytes.
const maxDetail = 500

// clip makes foreign text fit for a line of a log.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxDetail {
		return strings.ToValidUTF8(s[:maxDetail], "") + "…"
	}
	return s
}

// answerError makes an Error of an answer that is no success.
func (c *Client) answerError(req request, resp *http.Response, body []byte) *Error {
	e := &Error{Method: req.method, Path: req.path, Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header, c.now())}
	e.Type, e.Detail = readError(body)
	if to := resp.Header.Get("Location"); e.Status >= 300 && e.Status < 400 && to != "" {
		e.Detail = fmt.Sprintf("the target redirected a %s to %s: set the URL to where it leads", req.method, clip(to))
	}
	if e.Detail == "" {
		e.Detail = strings.TrimPrefix(aboutBody(resp.Header.Get("Content-Type"), body), ": ")
	}
	// Whoever answers 5xx may have carried the request out before it stumbled, or stand between us and who did.
	e.Unknown = req.method != http.MethodGet && (e.Status >= 500 && e.Status != http.StatusNotImplemented || e.Status == http.StatusRequestTimeout)
	return e
}

// readError reads an error message of RFC 7644 §3.12, or the shapes that others use.
func readError(body []byte) (typ, detail string) {
	v, err := scim.ParseJSON(body, MaxDepth)
	o, ok := v.(scim.Object)
	if err != nil || !ok {
		return "", ""
	}
	if list, ok := o["Errors"].([]any); ok && len(list) > 0 { // SCIM 1.1 and those who kept it
		if first, ok := list[0].(scim.Object); ok {
			o = first
		}
	}
	typ, _ = o["scimType"].(string)
	for _, name := range []string{"detail", "description", "message", "Message", "error_description", "error"} {
		if s, ok := o[name].(string); ok && s != "" {
			return clip(typ), clip(s)
		}
	}
	return clip(typ), ""
}

var title = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// aboutBody says in words, after a colon, what a body is that should have been SCIM.
func aboutBody(contentType string, body []byte) string {
	text := strings.TrimSpace(string(body[:min(len(body), 4096)]))
	switch {
	case text == "":
		return ": the answer is empty"
	case strings.HasPrefix(contentType, "text/html") || strings.HasPrefix(strings.ToLower(text), "<!doctype html") || strings.HasPrefix(strings.ToLower(text), "<html"):
		about := ": the answer is an HTML page"
		if m := title.FindStringSubmatch(text); m != nil {
			about += fmt.Sprintf(" (%q)", clip(html.UnescapeString(m[1])))
		}
		return about + ", not SCIM: the URL may lead to a sign-in page, a proxy, or a site rather than to its SCIM service"
	case contentType == "":
		return ": the answer has no content type and is no JSON"
	}
	return fmt.Sprintf(": the answer is %s and no JSON that can be read", clip(contentType))
}

// explainTransport says in words why no answer came.
func explainTransport(err error) string {
	if e, ok := errors.AsType[*AddressError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		if e.IsNotFound {
			return fmt.Sprintf("there is no host %s: check the URL", e.Name)
		}
		return fmt.Sprintf("the name %s could not be resolved", e.Name)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return "no answer in time"
	}
	return clip(err.Error())
}

// retryAfter reads Retry-After (RFC 9110 §10.2.3), in seconds or as a date. A date is held against the Date of the
// same answer, so that a clock that differs from ours does not matter.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if n, err := strconv.ParseFloat(v, 64); err == nil {
		if !(n > 0) {
			return 0
		}
		return time.Duration(min(n, MaxRetryAfter.Seconds()) * float64(time.Second))
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), MaxRetryAfter)
}
