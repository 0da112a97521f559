package scim

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// probe is a registry with a resource type that has an attribute of every kind.
const probeDefinition = `{
  "schemas": [{"id": "urn:example:probe:1.0:Probe", "name": "Probe", "attributes": [
    {"name": "serial", "required": true, "uniqueness": "server", "caseExact": true, "indexed": true},
    {"name": "colour", "canonicalValues": ["Red", "Blue"]},
    {"name": "exact", "caseExact": true, "canonicalValues": ["Red"]},
    {"name": "count", "type": "integer"},
    {"name": "weight", "type": "decimal"},
    {"name": "on", "type": "boolean"},
    {"name": "since", "type": "dateTime"},
    {"name": "blob", "type": "binary"},
    {"name": "link", "type": "reference", "referenceTypes": ["external"]},
    {"name": "born", "mutability": "immutable"},
    {"name": "state", "mutability": "readOnly"},
    {"name": "hidden", "returned": "never"},
    {"name": "asked", "returned": "request"},
    {"name": "fixed", "returned": "always"},
    {"name": "tags", "multiValued": true, "indexed": true},
    {"name": "box", "type": "complex", "subAttributes": [
      {"name": "size", "type": "integer", "required": true},
      {"name": "note"},
      {"name": "seal", "mutability": "immutable"},
      {"name": "made", "mutability": "readOnly"},
      {"name": "secret", "returned": "never"},
      {"name": "rare", "returned": "request"}]},
    {"name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
      {"name": "value", "indexed": true}, {"name": "type", "canonicalValues": ["new", "used"]},
      {"name": "primary", "type": "boolean"}, {"name": "n", "type": "integer"}]}
  ]}, {"id": "urn:example:lease:1.0:Probe", "name": "Lease", "attributes": [
    {"name": "until", "type": "dateTime", "required": true},
    {"name": "owner", "returned": "always", "indexed": true},
    {"name": "notes", "multiValued": true}
  ]}],
  "resourceTypes": [{"name": "Probe", "endpoint": "/Probes", "schema": "urn:example:probe:1.0:Probe",
    "schemaExtensions": [{"schema": "urn:example:lease:1.0:Probe", "required": false}]}]
}`

func probe(t testing.TB) *Registry {
	t.Helper()
	d, err := ParseDefinition([]byte(probeDefinition))
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewRegistry(d)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestCoerce(t *testing.T) {
	g := probe(t)
	for _, c := range []struct {
		attr string
		v    any
		want any
		note string // the tolerances needed, with commas; Strict refuses where there is one
	}{
		{"colour", "green", "green", ""},
		{"colour", "RED", "Red", ""},
		{"exact", "RED", "RED", ""},
		{"colour", " Red ", " Red ", ""},
		{"colour", nil, nil, ""},
		{"colour", []any{}, nil, ""},
		{"colour", []any{"blue"}, "Blue", "list-for-single"},
		{"colour", []any{nil}, nil, "list-for-single"},
		{"count", int64(5), int64(5), ""},
		{"count", 5.0, int64(5), "integer-form"},
		{"count", "5", int64(5), "number-string"},
		{"count", "", nil, "empty-string"},
		{"weight", 1.5, 1.5, ""},
		{"weight", int64(2), 2.0, ""},
		{"weight", "-2.5e1", -25.0, "number-string"},
		{"on", true, true, ""},
		{"on", "True", true, "boolean-string"},
		{"on", "FALSE", false, "boolean-string"},
		{"since", "2008-01-23T04:56:22+02:00", "2008-01-23T04:56:22+02:00", ""},
		{"blob", "AAE", "AAE", ""},
		{"link", "anything at all", "anything at all", ""},
		{"tags", "x", "x", ""},
		{"box", Object{"SIZE": int64(3), "note": "n"}, Object{"size": int64(3), "note": "n"}, ""},
		{"box", Object{"made": "x", "note": nil}, nil, ""},
		{"box", Object{"note": "n", "what": int64(1)}, Object{"note": "n"}, "unknown-attribute"},
		{"box", []any{Object{"note": "n"}}, Object{"note": "n"}, "list-for-single"},
		{"box", Object{"size": "3", "note": []any{"n"}}, Object{"size": int64(3), "note": "n"}, "number-string,list-for-single"},
		{"box", "", nil, "empty-string"},
		{"parts", Object{"value": "v", "type": "NEW", "primary": true}, Object{"value": "v", "type": "new", "primary": true}, ""},
		{"parts", "v", Object{"value": "v"}, "plain-value"},
		{"parts", Object{"type": "new", "value": nil}, nil, "empty-element"},
		{"parts", Object{"type": "new", "n": int64(0)}, Object{"type": "new", "n": int64(0)}, ""},
	} {
		ref, ok := g.Resolve("Probe", AttrPath{Name: c.attr})
		if !ok {
			t.Fatalf("no attribute %s", c.attr)
		}
		var notes []string
		got, err := g.Coerce(ref.Attr, c.v, DecodeOptions{}, func(s string) { notes = append(notes, s) })
		if err != nil {
			t.Errorf("%s %v: %v", c.attr, c.v, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %v: %s", c.attr, c.v, diff)
		}
		if s := strings.Join(notes, ","); s != c.note {
			t.Errorf("%s %v: noted %q, want %q", c.attr, c.v, s, c.note)
		}
		strict, err := g.Coerce(ref.Attr, c.v, DecodeOptions{Strict: true}, func(s string) { t.Errorf("%s %v: Strict noted %s", c.attr, c.v, s) })
		switch {
		case c.note == "" && (err != nil || !cmp.Equal(strict, c.want)):
			t.Errorf("%s %v: Strict gives %v, %v", c.attr, c.v, strict, err)
		case strings.Trim(c.note, "abcdefghijklmnopqrstuvwxyz-") == "" && c.note != "" && c.note != "empty-string" && c.note != "empty-element" && err == nil:
			t.Errorf("%s %v: Strict accepts what needs %s", c.attr, c.v, c.note)
		}
	}
}

func TestCoerce_EmptyStringsInStrict(t *testing.T) {
	g := probe(t)
	for attr, want := range map[string]string{"colour": "", "link": "", "count": "count must be an integer", "on": "on must be true or false", "since": "since must be a dateTime", "box": "box must be an object"} {
		ref, _ := g.Resolve("Probe", AttrPath{Name: attr})
		got, err := g.Coerce(ref.Attr, "", DecodeOptions{Strict: true}, nil)
		if want == "" && (err != nil || got != "") {
			t.Errorf("%s: got %v, %v, want the empty string as it is", attr, got, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, %v, want %q", attr, got, err, want)
		}
	}
}

func TestCoerce_Refusals(t *testing.T) {
	g := probe(t)
	for _, c := range []struct {
		attr, want string
		v          any
	}{
		{"colour", "colour must be a string, not 5", int64(5)},
		{"colour", "colour must be a string, not true", true},
		{"colour", "colour must be a string, not an object", Object{"a": "b"}},
		{"colour", "colour must be a string, not a list", []any{"a", "b"}},
		{"colour", "colour must be a string, not a list", []any{[]any{"a"}}},
		{"count", "count must be an integer of at most 64 bits, not 1.5", 1.5},
		{"count", "not 1e+19", 1e19},
		{"count", `not "five"`, "five"},
		{"count", `not "99999999999999999999"`, "99999999999999999999"},
		{"count", "not true", true},
		{"weight", `not "0x1p4"`, "0x1p4"},
		{"weight", `not "Inf"`, "Inf"},
		{"weight", `not "1e999"`, "1e999"},
		{"on", `not "yes"`, "yes"},
		{"on", "not 1", int64(1)},
		{"since", `not "yesterday"`, "yesterday"},
		{"since", "not 5", int64(5)},
		{"blob", `blob must be base64, not "?"`, "?"},
		{"link", "link must be a URI as a string, not 7", int64(7)},
		{"hidden", "hidden must be a string, not another value", int64(1234)},
		{"box", `box must be an object, not "x"`, "x"},
		{"box", "box must be an object, not 5", int64(5)},
		{"box", `box.size must be an integer of at most 64 bits, not "big"`, Object{"size": "big"}},
		{"parts", "parts must be an object, not a list", []any{Object{"value": "x"}}},
		{"parts", "parts.primary must be true or false", Object{"value": "x", "primary": "maybe"}},
	} {
		ref, _ := g.Resolve("Probe", AttrPath{Name: c.attr})
		got, err := g.Coerce(ref.Attr, c.v, DecodeOptions{}, nil)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Type != InvalidValue || !strings.Contains(e.Detail, c.want) {
			t.Errorf("%s %v: got %v, %v, want invalidValue with %q", c.attr, c.v, got, err, c.want)
		}
	}
}

func TestCoerce_LeavesItsInputAlone(t *testing.T) {
	g := Default()
	in := Object{"VALUE": "a@b", "type": "WORK", "primary": "true", "x": nil}
	ref, _ := g.Resolve("User", AttrPath{Name: "emails"})
	if _, err := g.Coerce(ref.Attr, in, DecodeOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Object{"VALUE": "a@b", "type": "WORK", "primary": "true", "x": nil}, in); diff != "" {
		t.Error(diff)
	}
}
