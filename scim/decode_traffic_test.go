package scim

import (
	"slices"
	"strings"
	"testing"
)

// TestTraffic_Bodies decodes every whole resource that the clients send: what they expect to be accepted is, and
// the document has the attributes that they expect to read back.
func TestTraffic_Bodies(t *testing.T) {
	seen, compared := 0, 0
	for _, x := range exchanges(t) {
		typ := x.resourceType()
		if x.method != "POST" && x.method != "PUT" || typ == nil || x.body == nil || x.built || strings.Contains(x.path, ".search") {
			continue
		}
		seen++
		d, err := Default().Decode(typ.Name, x.body, DecodeOptions{})
		if x.accepted() && err != nil {
			t.Errorf("%s: %s: %v", x.where, asJSON(t, x.body), err)
			continue
		}
		if len(x.status) == 1 && x.status[0] == int64(400) && err == nil {
			t.Errorf("%s: %s is accepted, want a refusal", x.where, asJSON(t, x.body))
		}
		if !x.accepted() || err != nil {
			continue
		}
		r := d.Resource
		got := parse(t, string(Default().Append(nil, &r, nil, "https://provost.example.com/scim/v2")))
		for name, want := range x.answer {
			value, sent := x.body[name]
			part, _ := value.(Object)
			if whole, ok := want.(Object); ok && len(part) < len(whole) {
				continue // the rest was there before
			}
			if !sent || slices.Contains([]string{"id", "meta", "schemas", "groups", "members"}, name) {
				continue // comes from the server, not from this body
			}
			compared++
			if !holds(want, got[name]) {
				t.Errorf("%s: %s is %s, want %s", x.where, name, asJSON(t, got[name]), asJSON(t, want))
			}
		}
	}
	if seen < 50 || compared < 100 {
		t.Errorf("only %d bodies with %d attributes in the traffic", seen, compared)
	}
}

// holds compares as testdata/traffic/README.md says, with every placeholder of its own matching anything.
func holds(want, got any) bool {
	switch want := want.(type) {
	case string:
		return strings.HasPrefix(want, "{{") && strings.HasSuffix(want, "}}") && got != nil || want == got
	case Object:
		o, ok := got.(Object)
		for name, v := range want {
			ok = ok && holds(v, o[name])
		}
		return ok
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) && !slices.Contains(want, any("{{more}}")) {
			return false
		}
		for _, v := range want {
			if v != "{{more}}" && !slices.ContainsFunc(list, func(e any) bool { return holds(v, e) }) {
				return false
			}
		}
		return true
	}
	return want == got
}
