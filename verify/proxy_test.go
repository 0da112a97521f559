package verify_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
)

type object = map[string]any

// request is a request on its way through the proxy. Path is below the SCIM base, still escaped.
type request struct {
	method, path string
	query        string // raw
	header       http.Header
	body         []byte
	p            *proxy
}

// answer is what comes back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// middleware is a bug: it may change the request, the answer, or answer by itself.
type middleware func(q *request, next func(*request) *answer) *answer

// proxy stands in front of one tenant and has at most one bug.
type proxy struct {
	t      testing.TB
	site   *site
	own    peer
	second string
	base   string
	mu     sync.Mutex // for the state of bugs
}

func newProxy(t testing.TB, s *site, own peer, m middleware) *proxy {
	p := &proxy{t: t, site: s, own: own}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		q := &request{method: r.Method, path: strings.TrimPrefix(r.URL.EscapedPath(), "/scim"), query: r.URL.RawQuery, header: r.Header.Clone(), body: body, p: p}
		var a *answer
		if m == nil {
			a = p.forward(q)
		} else {
			a = m(q, p.forward)
		}
		for k, v := range a.header {
			if k != "Content-Length" {
				w.Header()[k] = v
			}
		}
		w.WriteHeader(a.status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(a.body)
		}
	}))
	t.Cleanup(server.Close)
	p.base = server.URL + "/scim"
	return p
}

// forward sends a request to the healthy server. Locations in the answer are those of the proxy.
func (p *proxy) forward(q *request) *answer {
	address := p.own.base + q.path
	if q.query != "" {
		address += "?" + q.query
	}
	u, err := url.Parse(address)
	if err != nil {
		return refusal(400, "", "the path cannot be read")
	}
	r := &http.Request{Method: q.method, URL: u, Header: q.header.Clone(), Host: u.Host, Body: io.NopCloser(bytes.NewReader(q.body)), ContentLength: int64(len(q.body))}
	r.Header.Del("Accept-Encoding")
	if len(q.body) == 0 {
		r.Body = http.NoBody
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return refusal(502, "", err.Error())
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return refusal(502, "", err.Error())
	}
	body = bytes.ReplaceAll(body, []byte(p.own.base+"/"), []byte(p.base+"/"))
	if l := res.Header.Get("Location"); l != "" {
		res.Header.Set("Location", strings.ReplaceAll(l, p.own.base+"/", p.base+"/"))
	}
	return &answer{res.StatusCode, res.Header, body}
}

// ask sends a request of a bug's own to the healthy server.
func (q *request) ask(method, path string, body any) *answer {
	h := http.Header{"Authorization": {"Bearer " + q.p.own.token}, "Content-Type": {"application/scim+json"}}
	var b []byte
	if body != nil {
		b, _ = json.Marshal(body)
	}
	path, query, _ := strings.Cut(path, "?")
	return q.p.forward(&request{method: method, path: path, query: query, header: h, body: b, p: q.p})
}

func refusal(status int, scimType, detail string) *answer {
	o := object{"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:Error"}, "status": strconv.Itoa(status), "detail": detail}
	if scimType != "" {
		o["scimType"] = scimType
	}
	a := &answer{status: status, header: http.Header{"Content-Type": {"application/scim+json"}}}
	a.set(o)
	return a
}

// json decodes a body; nil if it is no object.
func decode(b []byte) object {
	var o object
	if json.Unmarshal(b, &o) != nil {
		return nil
	}
	return o
}

func (a *answer) json() object  { return decode(a.body) }
func (q *request) json() object { return decode(q.body) }

func (a *answer) set(v any)  { a.body, _ = json.Marshal(v) }
func (q *request) set(v any) { q.body, _ = json.Marshal(v) }
func (a *answer) ok() bool   { return a.status/100 == 2 }

func (q *request) users() bool  { return strings.HasPrefix(q.path, "/Users") }
func (q *request) groups() bool { return strings.HasPrefix(q.path, "/Groups") }

// id is the last part of a path with one.
func (q *request) id() string {
	parts := strings.Split(strings.Trim(q.path, "/"), "/")
	if len(parts) == 2 {
		return parts[1]
	}
	return ""
}

// param reads a query parameter; setParam changes one, dropParam removes some.
func (q *request) param(name string) string {
	v, _ := url.ParseQuery(q.query)
	return v.Get(name)
}

func (q *request) has(name string) bool {
	v, _ := url.ParseQuery(q.query)
	return v.Has(name)
}

func (q *request) setParam(name, value string) {
	v, _ := url.ParseQuery(q.query)
	v.Set(name, value)
	q.query = v.Encode()
}

func (q *request) dropParam(names ...string) {
	v, _ := url.ParseQuery(q.query)
	for _, n := range names {
		v.Del(n)
	}
	q.query = v.Encode()
}

// The shapes of bugs.

// onAnswer changes the answer.
func onAnswer(change func(q *request, a *answer)) func() middleware {
	return func() middleware {
		return func(q *request, next func(*request) *answer) *answer {
			a := next(q)
			change(q, a)
			return a
		}
	}
}

// onRequest changes the request before it is answered.
func onRequest(change func(q *request)) func() middleware {
	return func() middleware {
		return func(q *request, next func(*request) *answer) *answer {
			change(q)
			return next(q)
		}
	}
}

// refuse answers by itself when a request has a property.
func refuse(status int, scimType, detail string, when func(q *request) bool) func() middleware {
	return func() middleware {
		return func(q *request, next func(*request) *answer) *answer {
			if when(q) {
				return refusal(status, scimType, detail)
			}
			return next(q)
		}
	}
}

// onList changes every ListResponse of resources.
func onList(change func(q *request, l object, items []any)) func() middleware {
	return onAnswer(func(q *request, a *answer) {
		l := a.json()
		if _, ok := l["totalResults"]; !ok || !a.ok() || !q.users() && !q.groups() {
			return
		}
		items, _ := l["Resources"].([]any)
		change(q, l, items)
		a.set(l)
	})
}

// onResource changes every user and group that is answered, alone or in a list.
func onResource(change func(q *request, o object)) func() middleware {
	return onAnswer(func(q *request, a *answer) {
		o := a.json()
		if o == nil || !a.ok() || !q.users() && !q.groups() {
			return
		}
		if items, ok := o["Resources"].([]any); ok {
			for _, e := range items {
				change(q, e.(object))
			}
		} else if o["id"] != nil {
			change(q, o)
		}
		a.set(o)
	})
}

// metaOf is the meta of a resource; of one that has none it is an object that goes nowhere.
func metaOf(o object) object {
	if m, ok := o["meta"].(object); ok {
		return m
	}
	return object{}
}

// onOps changes the operations of PATCH requests; nil from change drops an operation.
func onOps(change func(q *request, o object) object) func() middleware {
	return func() middleware {
		return func(q *request, next func(*request) *answer) *answer {
			return patchOps(q, next, change)
		}
	}
}

func patchOps(q *request, next func(*request) *answer, change func(q *request, o object) object) *answer {
	ops, _ := q.json()["Operations"].([]any)
	if q.method != "PATCH" || len(ops) == 0 {
		return next(q)
	}
	var kept []any
	for _, e := range ops {
		o, ok := e.(object)
		if !ok {
			return next(q)
		}
		if o = change(q, o); o != nil {
			kept = append(kept, o)
		}
	}
	if len(kept) == 0 { // nothing is left to do: say that it was done
		if q.groups() {
			return &answer{status: 204, header: http.Header{}}
		}
		return q.ask("GET", q.path, nil)
	}
	body := q.json()
	body["Operations"] = kept
	q.set(body)
	return next(q)
}

// opKind and opPath read an operation.
func opKind(o object) string { k, _ := o["op"].(string); return strings.ToLower(k) }
func opPath(o object) string { p, _ := o["path"].(string); return p }
