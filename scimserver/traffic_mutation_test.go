package scimserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/provost-scim/provost/access"
)

// mutationChecks is how many damaged requests each store gets; PROVOST_MODEL asks for another number.
const mutationChecks = 200

// TestTrafficDamaged plays a piece of the recorded traffic, then a request of it with something wrong in it. Whatever
// that is, the answer is no 5xx, a refusal changes nothing, and what was accepted can be read back in both ways.
func TestTrafficDamaged(t *testing.T) {
	all := readTraffic(t)
	names := sortedKeys(asAny(all))
	setFlag(t, "rapid.checks", strconv.Itoa(sequences(t, mutationChecks)))
	setFlag(t, "rapid.nofailfile", "true")
	onBothStores(t, func(t *testing.T, s *site) {
		rapid.Check(t, func(rt *rapid.T) {
			sc := all[rapid.SampledFrom(names).Draw(rt, "scenario")]
			peer := s.newPeer(t, access.NewClient{Profile: access.Profile(sc.Profile)})
			d := &damaged{T: rt, site: s, p: &trafficPlayer{base: peer.base, token: peer.token, http: modelHTTP, run: runName(), vars: map[string]any{}}}
			d.play(sc)
		})
	})
}

// damaged is one damaged request.
type damaged struct {
	*rapid.T
	site *site
	p    *trafficPlayer
}

func (d *damaged) play(sc trafficScenario) {
	var steps []int // those with a body count four times: there is more to damage in them
	for i, st := range sc.Steps {
		steps = append(steps, i)
		if st.Request.Body != nil {
			steps = append(steps, i, i, i)
		}
	}
	n := rapid.SampledFrom(steps).Draw(d.T, "step")
	for _, st := range sc.Steps[:n] {
		a, err := d.p.send(context.Background(), sc, st.Request)
		if err != nil {
			d.Fatalf("%s: %v", st.Request.Path, err)
		}
		d.p.judge(st, a)
	}
	before := d.state()
	req, ok := d.damage(sc, sc.Steps[n].Request)
	if !ok {
		return
	}
	a, err := exchange(d.p.http, req)
	if err != nil {
		d.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	d.Logf("→ %d %s", a.status, clip(a.raw))
	switch {
	case a.header.Get("X-Request-Id") == "" && strings.HasPrefix(string(a.raw), "400 Bad Request"):
		d.Logf("net/http refused the request line") // it never reached Provost
	case a.bad != nil:
		d.Fatal("the answer is not JSON")
	case a.status >= 500 && a.status != http.StatusNotImplemented:
		d.Logf("the log ends with: %s", lastLines(d.site.log.String()))
		d.Fatal("a 5xx")
	case a.status >= 400:
		if diff := differences("", a.doc, map[string]any{"schemas": []any{errorSchema}, "status": strconv.Itoa(a.status), "detail": "{{any}}"}); diff != nil && req.Method != http.MethodHead {
			d.Fatalf("error body: %v", diff)
		}
		if after := d.state(); after != before {
			d.Logf("before %s\nafter  %s", before, after)
			d.Fatal("a refusal changed something")
		}
	default:
		d.state()
	}
}

// state reads everything, by list and one by one, which must agree.
func (d *damaged) state() string {
	var out strings.Builder
	for _, path := range []string{userPath, groupPath} {
		a := d.get(path + "?count=1000")
		list, _ := findPath(a.doc, "Resources")
		resources, ok := list.([]any)
		if !ok {
			d.Fatalf("the list is no list: %s", clip(a.raw))
		}
		for _, r := range resources {
			one := d.get(path + "/" + orEmpty(objectOf(r)["id"]))
			if showJSON(one.doc) != showJSON(r) {
				d.Logf("list %s\nget  %s", showJSON(r), showJSON(one.doc))
				d.Fatal("list and get disagree")
			}
			fmt.Fprintln(&out, showJSON(r))
		}
	}
	return out.String()
}

func (d *damaged) get(path string) trafficReply {
	a, err := d.p.send(context.Background(), trafficScenario{}, trafficRequest{Method: "GET", Path: path})
	if err != nil || a.status != 200 || a.bad != nil {
		d.Fatalf("GET %s: %v, status %d, %s", path, err, a.status, clip(a.raw))
	}
	return a
}

// damage makes the request with one or two things wrong; false if it cannot be sent at all.
func (d *damaged) damage(sc trafficScenario, r trafficRequest) (*http.Request, bool) {
	body, err := d.p.payload(r)
	if err != nil {
		return nil, false // it needs what an earlier step did not leave
	}
	method, path := r.Method, d.p.fill(r.Path)
	header := http.Header{"Authorization": {"Bearer " + d.p.token}}
	if body != nil {
		header.Set("Content-Type", "application/scim+json")
	}
	for range rapid.IntRange(1, 2).Draw(d.T, "damages") {
		switch rapid.SampledFrom([]string{"value", "value", "value", "text", "query", "query", "path", "method", "header"}).Draw(d.T, "damage") {
		case "value":
			body = d.damageValue(body)
		case "text":
			body = d.damageText(body)
		case "query":
			path = d.damageQuery(path)
		case "path":
			path = string(d.damageText([]byte(path)))
		case "method":
			method = rapid.SampledFrom([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"}).Draw(d.T, "method")
		case "header":
			h := rapid.SampledFrom([][2]string{
				{"Content-Type", "text/plain"}, {"Content-Type", "application/json; charset=latin-1"}, {"Content-Type", ";;"}, {"Accept", "text/html"}, {"Accept", "*/*;q=0"},
				{"If-Match", `W/"x"`}, {"If-Match", `"1", W/"99999999999999999999"`}, {"If-None-Match", "*"}, {"Content-Encoding", "gzip"},
				{"X-HTTP-Method-Override", "DELETE"}, {"Range", "bytes=0-1"}, {"Prefer", "return=minimal"},
			}).Draw(d.T, "header")
			header.Set(h[0], h[1])
		}
	}
	req, err := http.NewRequest(method, d.p.base+path, bytes.NewReader(body))
	if err != nil || !strings.HasPrefix(req.URL.Host, "127.0.0.1:") {
		return nil, false
	}
	if len(body) == 0 {
		req.Body, req.ContentLength = nil, 0
	}
	req.Header = header
	d.Logf("%s: %s %s %v %s", sc.Name, method, path, header["If-Match"], clip(body))
	return req, true
}

// oddValues are put in the place of a value of a body.
func oddValues() []any {
	return []any{
		nil, true, false, 0, -1, 1.5, 1e300, json.Number("99999999999999999999"), "", " ", "x", "False", "\x00", "a\x00b", "\u2028", "\ufffd", "İıςΣß",
		"'; drop table resource; --", `"`, "%_\\", strings.Repeat("x", 3000), strings.Repeat("é", 70000), []any{}, map[string]any{}, []any{nil}, []any{[]any{}},
		[]any{"x", "x"}, map[string]any{"value": nil}, map[string]any{"value": "x", "VALUE": "y"}, map[string]any{"": ""}, nested(200), "bulkId:x",
		"2026-01-01T00:00:00Z", "remove", "members", "urn:ietf:params:scim:schemas:core:2.0:User", map[string]any{"$ref": 1, "value": "x"},
	}
}

func nested(depth int) any {
	v := any("deep")
	for range depth {
		v = []any{v}
	}
	return v
}

// damageValue replaces, removes, renames or doubles one value somewhere in a JSON body.
func (d *damaged) damageValue(body []byte) []byte {
	doc, err := decodeExactly(body)
	if err != nil {
		return body
	}
	places := 0
	walkJSON(doc, func(any) (any, bool) { places++; return nil, false })
	at := rapid.IntRange(0, places-1).Draw(d.T, "place")
	odd := rapid.SampledFrom(oddValues()).Draw(d.T, "odd value")
	n := -1
	doc = walkJSON(doc, func(v any) (any, bool) {
		n++
		if n != at {
			return nil, false
		}
		switch t := v.(type) {
		case map[string]any:
			if len(t) > 0 && rapid.Bool().Draw(d.T, "in the object") {
				key := rapid.SampledFrom(sortedKeys(t)).Draw(d.T, "key")
				out := copyObject(t)
				delete(out, key)
				switch rapid.SampledFrom([]string{"remove", "rename", "swap", "beside"}).Draw(d.T, "how") {
				case "rename":
					out[strings.ToUpper(key)] = t[key]
				case "swap":
					out[key+"."+"value"] = t[key]
				case "beside":
					out[key], out[strings.ToUpper(key)+"x"] = t[key], odd
				}
				return out, true
			}
		case []any:
			if len(t) > 0 && rapid.Bool().Draw(d.T, "in the list") {
				return append(slices.Clone(t), t[0], odd), true
			}
		}
		return odd, true
	})
	data, err := json.Marshal(doc)
	if err != nil {
		return body
	}
	return data
}

// walkJSON visits every value and puts in its place what change returns with true.
func walkJSON(v any, change func(any) (any, bool)) any {
	if to, ok := change(v); ok {
		return to
	}
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for _, k := range sortedKeys(t) {
			out[k] = walkJSON(t[k], change)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = walkJSON(t[i], change)
		}
		return out
	}
	return v
}

// damageText cuts, doubles or overwrites a piece of a text.
func (d *damaged) damageText(b []byte) []byte {
	if len(b) == 0 {
		return []byte(rapid.SampledFrom([]string{"x", "{}", "[]", "null", "\x00", "\xff", `"`, "{"}).Draw(d.T, "text"))
	}
	from := rapid.IntRange(0, len(b)-1).Draw(d.T, "from")
	to := from + rapid.IntRange(1, min(4, len(b)-from)).Draw(d.T, "length")
	odd := rapid.SampledFrom([]string{"", "", `"`, "\\", "\xff", "\x00", `\ud800`, "}", "]", ",", "[", "(", ")", "%", "%00", "%ff", "%zz", "+", " ", "/", "//", "..", "?", "#", "é", string(b[from:to]) + string(b[from:to])}).Draw(d.T, "odd text")
	return slices.Concat(b[:from], []byte(odd), b[to:])
}

// damageQuery adds a parameter, or damages the filter.
func (d *damaged) damageQuery(path string) string {
	mark := "?"
	if strings.Contains(path, "?") {
		mark = "&"
		if rapid.Bool().Draw(d.T, "in place") {
			before, query, _ := strings.Cut(path, "?")
			return before + "?" + string(d.damageText([]byte(query)))
		}
	}
	return path + mark + rapid.SampledFrom([]string{
		"count=-1", "count=x", "count=99999999999999999999", "startIndex=0", "startIndex=-7", "startIndex=9223372036854775807", "startIndex=x", "cursor=", "cursor=xyz", "cursor=&startIndex=2",
		"filter=", "filter=%22", "filter=((((((", "filter=" + strings.Repeat("not(", 100), "filter=userName%20eq%20%22%00%22", "filter=" + strings.Repeat("a", 5000), "filter=userName%20eq%20%22%ff%22",
		"filter=emails%5B", "filter=meta.created%20gt%20%22yesterday%22", "filter=active%20eq%20%22perhaps%22", "filter=userName%20pr&filter=title%20pr", "filter=userName%20co%20%22%25%22",
		"sortBy=nosuch", "sortBy=password", "sortBy=emails", "sortBy=meta.lastModified&sortOrder=descending", "sortOrder=up", "attributes=nosuch", "attributes=", "attributes=id&excludedAttributes=id",
		"excludedAttributes=id,schemas,meta", "attributes=emails.value,name.familyName", "attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName", "access_token=x", "%zz", "=", "&&&", "%00=%00",
	}).Draw(d.T, "parameter")
}
