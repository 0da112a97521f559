package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Object is a decoded JSON object. Numbers are json.Number, so that 1 and "1" stay apart.
type Object = map[string]any

// Exchange is one request and its answer, as recorded. Secrets are struck out.
type Exchange struct {
	N        int       `json:"n"`    // number within the run, from 1
	Case     string    `json:"case"` // name of the case that sent it
	At       time.Time `json:"at"`
	Millis   float64   `json:"ms"`
	Request  Request   `json:"request"`
	Response Response  `json:"answer"`
	Err      string    `json:"error,omitempty"` // no answer: why

	s   *Session
	doc any
	bad error  // why the body is not JSON
	tls uint16 // version of TLS, 0 for none
}

// Request is what was sent. Path is relative to the base URL of the server and holds the query.
type Request struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Header map[string]string `json:"headers,omitempty"`
	Body   json.RawMessage   `json:"body,omitempty"`
	Text   string            `json:"text,omitempty"` // a body that is not JSON
}

// Response is what came back.
type Response struct {
	Status int               `json:"status"`
	Header map[string]string `json:"headers,omitempty"`
	Body   json.RawMessage   `json:"body,omitempty"`
	Text   string            `json:"text,omitempty"` // a body that is not JSON
	size   int
}

func (x *Exchange) String() string {
	return fmt.Sprintf("#%d %s %s → %d", x.N, x.Request.Method, x.Request.Path, x.Response.Status)
}

// setBody keeps the body of the answer and decodes it, leniently: a byte order mark is passed over, and what is
// not JSON stays readable as text.
func (x *Exchange) setBody(b []byte) {
	x.Response.size = len(b)
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(b)) == 0 {
		return
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&x.doc); err != nil {
		x.bad = err
		x.Response.Text = string(b)
		return
	}
	if !json.Valid(b) { // a value with something behind it: read what there is, and keep the bytes as text
		x.bad = errors.New("the body goes on after the JSON value")
		x.Response.Text = string(b)
		return
	}
	x.Response.Body = b
}

// object is the body as an object, nil if it is something else.
func (x *Exchange) object() Object {
	o, _ := x.doc.(Object)
	return o
}

// header returns a header of the answer.
func (x *Exchange) header(name string) string {
	return x.Response.Header[http.CanonicalHeaderKey(name)]
}

// ok tells whether the answer is a 2xx.
func (x *Exchange) ok() bool { return x.Response.Status >= 200 && x.Response.Status < 300 }

// value looks a path up in the body (see lookup).
func (x *Exchange) value(path string) (any, bool) { return lookup(x.doc, path) }

// text is the string at a path, "" if there is none or it is no string.
func (x *Exchange) text(path string) string {
	v, _ := x.value(path)
	t, _ := v.(string)
	return t
}

// status requires one of the statuses; any other ends the case.
func (x *Exchange) status(want ...int) *Exchange {
	if !slices.Contains(want, x.Response.Status) {
		x.s.stop(x, "status "+orList(want), x.describe())
	}
	return x
}

// success requires a 2xx; anything else ends the case.
func (x *Exchange) success() *Exchange {
	if !x.ok() {
		x.s.stop(x, "status 2xx", x.describe())
	}
	return x
}

// describe says in a few words what came.
func (x *Exchange) describe() string {
	if x.Err != "" {
		return "no answer: " + x.Err
	}
	d := fmt.Sprintf("status %d", x.Response.Status)
	if detail := x.text("detail"); detail != "" && !x.ok() {
		if t := x.text("scimType"); t != "" {
			d += " " + t
		}
		return d + ": " + clip(detail, 160)
	}
	switch {
	case x.Response.size == 0:
		d += " with an empty body"
	case x.bad != nil:
		d += fmt.Sprintf(" with a body that is not JSON (%s): %s", orNone(x.header("Content-Type")), clip(strings.TrimSpace(x.Response.Text), 80))
	}
	return d
}

// want requires a value at a path. Strings compare exactly, numbers by value.
func (x *Exchange) want(path string, want any) bool {
	got, ok := x.value(path)
	if ok && same(got, want) {
		return true
	}
	x.s.fail(x, fmt.Sprintf("%s is %s", path, show(want)), showAt(path, got, ok))
	return false
}

// present requires a non-empty value at a path.
func (x *Exchange) present(path string) bool {
	got, ok := x.value(path)
	if ok && !empty(got) {
		return true
	}
	x.s.fail(x, path+" is present and not empty", showAt(path, got, ok))
	return false
}

// absent requires no value at a path; null, "" and empty lists count as absent (RFC 7643 §2.5).
func (x *Exchange) absent(path string) bool {
	got, ok := x.value(path)
	if !ok || empty(got) {
		return true
	}
	x.s.fail(x, path+" is absent", showAt(path, got, ok))
	return false
}

// noKey requires that the body has no such key at all.
func (x *Exchange) noKey(path string) bool {
	got, ok := x.value(path)
	if !ok {
		return true
	}
	x.s.fail(x, "no attribute "+path+" in the answer", showAt(path, got, ok))
	return false
}

func showAt(path string, got any, ok bool) string {
	if !ok {
		return "no " + path
	}
	return path + " is " + show(got)
}

func orList(codes []int) string {
	parts := make([]string, len(codes))
	for i, c := range codes {
		parts[i] = fmt.Sprint(c)
	}
	return strings.Join(parts, " or ")
}

func orNone(s string) string {
	if s == "" {
		return "no Content-Type"
	}
	return s
}

// clip shortens s to n bytes at a rune boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
