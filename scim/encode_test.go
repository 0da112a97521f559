package scim

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEncode_OrderAndForm(t *testing.T) {
	r := &Resource{Type: "User", ID: `i"d`, Attrs: Object{
		"title":    "T",
		"userName": "u",
		"active":   false,
		"emails":   []any{Object{"primary": true, "value": "a@b", "type": "work"}, Object{}, Object{"value": "c@d"}},
		"roles":    []any{},
		"name":     Object{"givenName": "G", "familyName": "F"},
		"ims":      []any{Object{}},
		"nickName": nil,
		"unknown":  "x",
		entUser:    Object{"manager": Object{"value": "m"}, "department": "D"},
	}}
	want := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + entUser + `"],"id":"i\"d","userName":"u",` +
		`"name":{"familyName":"F","givenName":"G"},"title":"T","active":false,` +
		`"emails":[{"value":"a@b","type":"work","primary":true},{"value":"c@d"}],` +
		`"` + entUser + `":{"department":"D","manager":{"value":"m"}}}`
	if got := string(Default().Encode(r)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	empty := &Resource{Type: "Group", ID: "g", Attrs: nil}
	if got := string(Default().Encode(empty)); got != `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"g"}` {
		t.Errorf("empty: %s", got)
	}
	if got := Default().Encode(&Resource{Type: "Nothing"}); got != nil {
		t.Errorf("unknown type: %s", got)
	}
}

func TestEncode_NeverHoldsWhatHasAHomeOfItsOwn(t *testing.T) {
	r := &Resource{Type: "Group", ID: "g", Attrs: Object{"displayName": "d", "members": []any{Object{"value": "x"}}, "externalId": "e", "meta": Object{"version": "v"}, "id": "other", "schemas": []any{"s"}}}
	if got := string(Default().Encode(r)); got != `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"g","displayName":"d"}` {
		t.Error(got)
	}
	u := &Resource{Type: "User", ID: "u", Attrs: Object{"password": "canary", "groups": []any{Object{"value": "x"}}}}
	if got := string(Default().Encode(u)); got != `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u"}` {
		t.Error(got)
	}
}

func TestEncode_DecodeDocRoundTrip(t *testing.T) {
	g := probe(t)
	r := &Resource{Type: "Probe", ID: "p", Attrs: Object{
		"serial": "\x01\x1f\"\\/\b\f\n\r\t<>&\u2028\u2029é😀\u007f",
		"count":  int64(math.MinInt64), "weight": 3.0, "on": true, "tags": []any{"a", "b"},
		"box":                         Object{"size": int64(0)},
		"parts":                       []any{Object{"value": "v", "n": int64(-1)}},
		"urn:example:lease:1.0:Probe": Object{"until": "2020-01-01T00:00:00Z", "notes": []any{"n"}},
	}}
	for _, f := range []float64{0, 1, -1, 0.1, 1e-7, 1e21, 1.5e300, 5e-324, math.MaxFloat64, 123456789012345680, math.Copysign(0, -1)} {
		r.Attrs["weight"] = f
		r.Doc = g.Encode(r)
		if !json.Valid(r.Doc) {
			t.Fatalf("%v: no JSON: %s", f, r.Doc)
		}
		back := Resource{Type: "Probe", Doc: r.Doc}
		if err := g.DecodeDoc(&back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.Attrs, back.Attrs); diff != "" {
			t.Errorf("%v: %s", f, diff)
		}
		back.ID = "p"
		if again := g.Encode(&back); !bytes.Equal(again, r.Doc) {
			t.Errorf("%v: got %s, want %s", f, again, r.Doc)
		}
	}
}

func TestAppendString_IsWhatTheStandardLibraryReads(t *testing.T) {
	for _, s := range []string{"", "plain", "\"", "\\", "\x00\x01\x1f", "a\nb\rc\td", "<script>&", "é€😀", "\u2028x\u2029", "\u007f"} {
		var back string
		text := appendString(nil, s)
		if err := json.Unmarshal(text, &back); err != nil || back != s {
			t.Errorf("%q: %s reads as %q, %v", s, text, back, err)
		}
	}
	if got := string(appendString(nil, "\u2028<&>\u2029")); got != `"\u2028<&>\u2029"` {
		t.Errorf("line separators: %s", got)
	}
	if got := string(appendString(nil, "a\xffb\xed\xa0\x80")); got != `"a\ufffdb\ufffd\ufffd\ufffd"` {
		t.Errorf("invalid UTF-8: %s", got)
	}
}

func TestDecodeDoc_RefusesWhatIsNoDocument(t *testing.T) {
	for _, doc := range []string{"", "[]", `{"a"`, "null"} {
		if err := Default().DecodeDoc(&Resource{Type: "User", Doc: []byte(doc)}); err == nil {
			t.Errorf("%q: no error", doc)
		}
	}
}

func TestEncode_AllocatesOnce(t *testing.T) {
	r := sampleUser(t)
	if n := testing.AllocsPerRun(100, func() { Default().Encode(r) }); n > 2 {
		t.Errorf("Encode allocates %v times", n)
	}
}
