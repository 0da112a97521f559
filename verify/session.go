package verify

import (
	"fmt"
	"slices"
	"strings"
)

// Session is one case being played: it sends requests, keeps the exchanges and collects findings. Its methods
// must be called from the goroutine of the case; some end the case.
type Session struct {
	run       *run
	c         *Case
	dialect   Dialect
	exchanges []*Exchange
	findings  []Finding
	blocked   bool
}

// Finding is one thing that is not as it should be.
type Finding struct {
	Level    Severity `json:"level"`
	Expected string   `json:"expected"`
	Got      string   `json:"got"`
	Exchange int      `json:"exchange,omitempty"` // number of the exchange that shows it, 0 if none does
}

// halt ends a case; it never leaves the package.
type halt struct{ skip string }

// fail records a finding of the severity of the case and goes on.
func (s *Session) fail(x *Exchange, expected, got string) { s.find(s.c.Severity, x, expected, got) }

// warn records a finding that is a warning whatever the severity of the case.
func (s *Session) warn(x *Exchange, expected, got string) { s.find(Should, x, expected, got) }

func (s *Session) find(level Severity, x *Exchange, expected, got string) {
	f := Finding{Level: level, Expected: expected, Got: got}
	if x != nil {
		f.Exchange = x.N
	}
	s.findings = append(s.findings, f)
}

// stop records a finding and ends the case.
func (s *Session) stop(x *Exchange, expected, got string) {
	s.fail(x, expected, got)
	panic(halt{})
}

// skip ends the case without a verdict.
func (s *Session) skip(format string, args ...any) {
	panic(halt{skip: fmt.Sprintf(format, args...)})
}

// block ends the case without a verdict because what it needs could not be made; that a case was blocked keeps
// the run from being called good.
func (s *Session) block(x *Exchange, format string, args ...any) {
	s.blocked = true
	s.find(Note, x, fmt.Sprintf(format, args...), x.describe())
	panic(halt{skip: fmt.Sprintf(format, args...) + " failed: " + x.describe()})
}

// check records a finding unless ok.
func (s *Session) check(ok bool, x *Exchange, expected, got string) bool {
	if !ok {
		s.fail(x, expected, got)
	}
	return ok
}

// name makes a name that no other object of this or another run has.
func (s *Session) name(hint string) string {
	return fmt.Sprintf("%s-%s-%dx", s.run.prefix, hint, s.run.serial()) // the x: no name is the start of another
}

// mail makes a run-unique address, which is also a good userName. It has a letter in both cases, so that a
// comparison with regard to case shows.
func (s *Session) mail(hint string) string { return s.name("Ann-"+hint) + "@Verify.Example" }

// guid makes a random GUID from the seed of the run.
func (s *Session) guid() string {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(s.run.random.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// call describes a request to send.
type call struct {
	method    string
	path      string // with query
	body      any    // nil: none; string: sent as it is; anything else: as JSON
	header    map[string]string
	anonymous bool   // send no Authorization header
	token     string // send this one instead of the own; with auth "raw" header
	base      string // another base URL than the one under test
}

func (s *Session) get(path string) *Exchange { return s.send(call{method: "GET", path: path}) }
func (s *Session) delete(path string) *Exchange {
	return s.send(call{method: "DELETE", path: path})
}
func (s *Session) post(path string, body any) *Exchange {
	return s.send(call{method: "POST", path: path, body: body})
}
func (s *Session) put(path string, body any) *Exchange {
	return s.send(call{method: "PUT", path: path, body: body})
}

// patch sends a PatchOp message with the operations.
func (s *Session) patch(path string, ops ...Object) *Exchange {
	list := make([]any, len(ops))
	for i, o := range ops {
		list[i] = o
	}
	return s.send(call{method: "PATCH", path: path, body: Object{"schemas": []any{patchMessage}, "Operations": list}})
}

// apply sends a PATCH that must succeed: 200 with a body or 204 without.
func (s *Session) apply(path string, ops ...Object) *Exchange {
	return s.patch(path, ops...).success()
}

// query builds "?name=value&…" in the spelling of the client; a name that ends in "!" is sent without a value.
func (s *Session) query(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if b.Len() == 0 {
			b.WriteByte('?')
		} else {
			b.WriteByte('&')
		}
		if name, bare := strings.CutSuffix(pairs[i], "!"); bare {
			b.WriteString(name)
			continue
		}
		b.WriteString(pairs[i])
		b.WriteByte('=')
		b.WriteString(s.escape(pairs[i+1]))
	}
	return b.String()
}

// escape percent-encodes all but unreserved characters.
func (s *Session) escape(v string) string {
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		case c == ' ' && s.dialect.PlusBlanks:
			b.WriteByte('+')
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// find lists what matches a filter at an endpoint.
func (s *Session) search(endpoint, filter string, more ...string) *List {
	return s.list(s.get(endpoint + s.query(append([]string{"filter", filter}, more...)...)))
}

// List is a ListResponse.
type List struct {
	*Exchange
	Total     int
	Resources []Object
}

// list requires a ListResponse; anything else ends the case.
func (s *Session) list(x *Exchange) *List {
	x.status(200)
	o := x.object()
	if o == nil {
		s.stop(x, "a ListResponse object", x.describe())
	}
	l := &List{Exchange: x, Total: -1}
	total, ok := lookup(o, "totalResults")
	if !ok {
		s.stop(x, "totalResults in the ListResponse", "no totalResults")
	}
	l.Total = integer(total)
	if l.Total < 0 {
		s.fail(x, "totalResults is a JSON integer", "totalResults is "+show(total))
	}
	res, _ := lookup(o, "Resources")
	items, _ := res.([]any)
	for _, e := range items {
		if r, ok := e.(Object); ok {
			l.Resources = append(l.Resources, r)
		}
	}
	return l
}

// ids returns the ids of the resources of a list, in order.
func (l *List) ids() []string {
	ids := make([]string, 0, len(l.Resources))
	for _, r := range l.Resources {
		id, _ := lookup(r, "id")
		t, _ := id.(string)
		ids = append(ids, t)
	}
	return ids
}

// only requires that the list holds exactly the given ids, in any order.
func (l *List) only(what string, ids ...string) bool {
	got, want := slices.Sorted(slices.Values(l.ids())), slices.Sorted(slices.Values(ids))
	ok := slices.Equal(got, want)
	if !ok {
		l.s.fail(l.Exchange, fmt.Sprintf("%s finds %s", what, count(len(want), "resource")),
			fmt.Sprintf("%s (totalResults %d)%s", count(len(got), "resource"), l.Total, strangers(got, want)))
	} else if l.Total != len(ids) {
		l.s.fail(l.Exchange, fmt.Sprintf("totalResults is %d", len(ids)), fmt.Sprintf("totalResults is %d", l.Total))
		return false
	}
	return ok
}

func strangers(got, want []string) string {
	missing, extra := 0, 0
	for _, id := range want {
		if !slices.Contains(got, id) {
			missing++
		}
	}
	seen := map[string]int{}
	twice := 0
	for _, id := range got {
		if !slices.Contains(want, id) {
			extra++
		} else if seen[id]++; seen[id] == 2 {
			twice++
		}
	}
	text := fmt.Sprintf(": %d missing, %d that must not be there", missing, extra)
	if twice > 0 {
		text += fmt.Sprintf(", %d more than once", twice)
	}
	return text
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
