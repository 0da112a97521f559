package scim

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReplace_User(t *testing.T) {
	const old = `{"userName":"u","active":false,"title":"t","name":{"givenName":"g","familyName":"f"},"emails":[{"value":"a"},{"value":"b"}],
		"` + entUser + `":{"department":"d","manager":{"value":"m"}}}`
	for _, c := range []struct {
		name, sent string
		want, kept string // the attributes after a PUT, and after one that keeps what was omitted
	}{
		{"only the name", `}`, `{"userName":"u","active":false}`, old},
		{"active", `,"active":true}`, `{"userName":"u","active":true}`, strings.Replace(old, "false", "true", 1)},
		{"null", `,"title":null,"active":null}`, `{"userName":"u","active":false}`, strings.Replace(old, `"title":"t",`, "", 1)},
		{"empty string", `,"title":""}`, `{"userName":"u","active":false}`, strings.Replace(old, `"title":"t",`, "", 1)},
		{"part of a complex", `,"name":{"givenName":"x"}}`, `{"userName":"u","active":false,"name":{"givenName":"x"}}`, strings.Replace(old, `"givenName":"g"`, `"givenName":"x"`, 1)},
		{"a list", `,"emails":[{"value":"c"}]}`, `{"userName":"u","active":false,"emails":[{"value":"c"}]}`, strings.Replace(old, `{"value":"a"},{"value":"b"}`, `{"value":"c"}`, 1)},
		{"an empty list", `,"emails":[]}`, `{"userName":"u","active":false}`, strings.Replace(old, `"emails":[{"value":"a"},{"value":"b"}],`, "", 1)},
		{"part of the extension", `,"` + entUser + `":{"department":"x"}}`, `{"userName":"u","active":false,"` + entUser + `":{"department":"x"}}`, strings.Replace(old, `"d"`, `"x"`, 1)},
		{"null in the extension", `,"` + entUser + `":{"manager":null}}`, `{"userName":"u","active":false}`, strings.Replace(old, `,"manager":{"value":"m"}`, "", 1)},
		{"null in a complex", `,"name":{"givenName":null}}`, `{"userName":"u","active":false}`, strings.Replace(old, `"givenName":"g",`, "", 1)},
		{"null by a dotted key", `,"name.givenName":null}`, `{"userName":"u","active":false}`, strings.Replace(old, `"givenName":"g",`, "", 1)},
		{"null complex", `,"name":null}`, `{"userName":"u","active":false}`, strings.Replace(old, `"name":{"givenName":"g","familyName":"f"},`, "", 1)},
		{"null extension", `,"` + entUser + `":null}`, `{"userName":"u","active":false}`, old[:strings.Index(old, ",\n")] + "}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for keep, want := range map[bool]string{false: c.want, true: c.kept} {
				before := parse(t, old)
				sent, err := Default().Decode("User", parse(t, userHead+c.sent), DecodeOptions{})
				if err != nil {
					t.Fatal(err)
				}
				got, err := Default().Replace(Resource{Type: "User", Attrs: before}, sent, keep)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(parse(t, want), got); diff != "" {
					t.Errorf("keepOmitted %v: %s", keep, diff)
				}
				if diff := cmp.Diff(parse(t, old), before); diff != "" {
					t.Errorf("the old resource was changed: %s", diff)
				}
			}
		})
	}
}

func TestReplace_OfItsOwnAnswerChangesNothing(t *testing.T) {
	r := sampleUser(t)
	r.Groups, r.HasGroups = []Ref{{Value: "g", Type: "direct", Display: "G"}}, true
	r.ExternalID = "e"
	for _, strict := range []bool{false, true} {
		body := parse(t, string(Default().Append(nil, r, nil, "https://x/scim/v2")))
		sent, err := Default().Decode("User", body, DecodeOptions{Strict: strict})
		if err != nil {
			t.Fatal(err)
		}
		attrs, err := Default().Replace(*r, sent, false)
		if err != nil {
			t.Fatal(err)
		}
		again := *r
		again.Attrs = attrs
		if got := string(Default().Encode(&again)); got != string(r.Doc) || sent.Resource.ExternalID != "e" {
			t.Errorf("got  %s\nwant %s", got, r.Doc)
		}
	}
}

func TestReplace_Mutability(t *testing.T) {
	g := probe(t)
	old := Resource{Type: "Probe", Attrs: parse(t, `{"serial":"s","born":"Then","state":"S","box":{"size":1,"seal":"x","made":"M"}}`)}
	for _, c := range []struct {
		sent, want, err string
	}{
		{`{"serial":"s"}`, `{"serial":"s","born":"Then","state":"S","box":{"seal":"x","made":"M","size":1}}`, "box.size is required"},
		{`{"serial":"s","box":{"size":2}}`, `{"serial":"s","born":"Then","state":"S","box":{"size":2,"seal":"x","made":"M"}}`, ""},
		{`{"serial":"s","born":"THEN","state":"other","box":{"size":2,"seal":"X","made":"other"}}`, `{"serial":"s","born":"Then","state":"S","box":{"size":2,"seal":"x","made":"M"}}`, ""},
		{`{"serial":"s","born":"now","box":{"size":2}}`, ``, "mutability: born is immutable"},
		{`{"serial":"s","box":{"size":2,"seal":"y"}}`, ``, "mutability: box.seal is immutable"},
	} {
		for _, keep := range []bool{false, true} {
			sent, err := g.Decode("Probe", parse(t, c.sent), DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := g.Replace(old, sent, keep)
			if c.err != "" && (!keep || !strings.Contains(c.err, "required")) {
				if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s: got %v, %v, want %q", c.sent, got, err, c.err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", c.sent, err)
				continue
			}
			if diff := cmp.Diff(parse(t, c.want), got); diff != "" {
				t.Errorf("%s: %s", c.sent, diff)
			}
		}
	}
	sent, err := g.Decode("Probe", parse(t, `{"serial":"s","born":"now","box":{"size":2,"seal":"y"}}`), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.Replace(Resource{Type: "Probe", Attrs: Object{"serial": "s"}}, sent, false)
	if diff := cmp.Diff(parse(t, `{"serial":"s","born":"now","box":{"size":2,"seal":"y"}}`), got); diff != "" || err != nil {
		t.Errorf("immutable attributes without a value: %v %s", err, diff)
	}
	if _, err := g.Replace(Resource{Type: "Nothing"}, sent, false); err == nil {
		t.Error("unknown type: no error")
	}
}

func TestSameValue(t *testing.T) {
	g := probe(t)
	attr := func(name string) *Attribute {
		ref, _ := g.Resolve("Probe", AttrPath{Name: name})
		return ref.Attr
	}
	for _, c := range []struct {
		attr string
		x, y any
		want bool
	}{
		{"colour", "a", "A", true},
		{"serial", "a", "A", false},
		{"colour", "a", int64(1), false},
		{"count", int64(1), int64(1), true},
		{"count", int64(1), int64(2), false},
		{"tags", []any{"a", "b"}, []any{"A", "b"}, true},
		{"tags", []any{"a", "b"}, []any{"b", "a"}, false},
		{"tags", []any{"a"}, []any{"a", "b"}, false},
		{"tags", []any{"a"}, "a", false},
		{"box", Object{"note": "n"}, Object{"note": "N"}, true},
		{"box", Object{"note": "n"}, Object{"size": int64(1)}, false},
		{"box", Object{"note": "n"}, Object{"note": "n", "size": int64(1)}, false},
		{"box", Object{"note": "n"}, "n", false},
	} {
		if got := sameValue(attr(c.attr), c.x, c.y); got != c.want {
			t.Errorf("%s %v %v: %v", c.attr, c.x, c.y, got)
		}
	}
}
