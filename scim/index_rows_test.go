package scim

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIndex(t *testing.T) {
	r := &Resource{Type: "User", Attrs: Object{
		"userName": "BJensen@Example.COM", "displayName": "Σίσυφος", "title": "not indexed", "active": true,
		"name":   Object{"familyName": "Jensen", "givenName": "not indexed"},
		"emails": []any{Object{"value": "A@b", "type": "Work"}, Object{"type": "home"}, Object{"value": "c@d"}},
		entUser:  Object{"employeeNumber": "E1", "department": "not indexed", "manager": Object{"value": "M"}},
	}}
	want := []IndexRow{
		{"username", "bjensen@example.com", 0, ""},
		{"name.familyname", "jensen", 0, ""},
		{"displayname", "σίσυφοσ", 0, ""},
		{"emails.value", "a@b", 0, "work"},
		{"emails.value", "c@d", 2, ""},
		{strings.ToLower(entUser) + ":employeenumber", "e1", 0, ""},
		{strings.ToLower(entUser) + ":manager.value", "m", 0, ""},
	}
	got, err := Default().Index(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, row := range got {
		path := row.Path
		if _, attr, in := strings.Cut(path, entUser); in {
			path = attr
		}
		if path != strings.ToLower(path) {
			t.Errorf("path %s is not in lower case", row.Path)
		}
	}
}

func TestIndex_PathsAreThoseOfResolve(t *testing.T) {
	g := probe(t)
	for _, s := range g.shapes {
		for i := range s.fields {
			checkPaths(t, g, s, &s.fields[i], "")
		}
	}
}

func checkPaths(t *testing.T, g *Registry, s *shape, f *field, urn string) {
	if f.attr == nil {
		for i := range f.subs {
			checkPaths(t, g, s, &f.subs[i], f.name)
		}
		return
	}
	ref, ok := g.Resolve(s.typ.Name, AttrPath{URN: urn, Name: f.name})
	if !ok || strings.ToLower(ref.Name()) != f.path {
		t.Errorf("%s %s: path %s, Resolve says %v", s.typ.Name, f.name, f.path, ref)
	}
	for _, sub := range f.subs {
		ref, ok := g.Resolve(s.typ.Name, AttrPath{URN: urn, Name: f.name, Sub: sub.name})
		if !ok || strings.ToLower(ref.Name()) != sub.path {
			t.Errorf("%s %s.%s: path %s, Resolve says %v", s.typ.Name, f.name, sub.name, sub.path, ref)
		}
	}
}

func TestIndex_CustomType(t *testing.T) {
	r := &Resource{Type: "Probe", Attrs: Object{"serial": "Exact", "tags": []any{"X", "Y"}, "parts": []any{Object{"value": "V", "type": "new"}},
		"urn:example:lease:1.0:Probe": Object{"owner": "O"}}}
	want := []IndexRow{{"serial", "Exact", 0, ""}, {"tags", "x", 0, ""}, {"tags", "y", 1, ""}, {"parts.value", "v", 0, "new"}, {"urn:example:lease:1.0:probe:owner", "o", 0, ""}}
	got, err := probe(t).Index(r)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestIndex_LimitIsMaxIndexed(t *testing.T) {
	r := &Resource{Type: "User", Attrs: Object{"emails": []any{Object{"value": strings.Repeat("x", MaxIndexed)}}}}
	if rows, err := Default().Index(r); err != nil || len(rows) != 1 {
		t.Errorf("at the limit: %d rows, %v", len(rows), err)
	}
	r.Attrs["emails"] = []any{Object{"value": strings.Repeat("x", MaxIndexed+1)}}
	if _, err := Default().Index(r); err == nil || !strings.Contains(err.Error(), "invalidValue: emails.value has 2049 bytes, more than 2048") {
		t.Errorf("beyond the limit: %v", err)
	}
	r.Attrs = Object{entUser: Object{"employeeNumber": strings.Repeat("x", MaxIndexed+1)}}
	if _, err := Default().Index(r); err == nil || !strings.Contains(err.Error(), "employeenumber has 2049 bytes") {
		t.Errorf("in an extension: %v", err)
	}
	r.Attrs = Object{"title": strings.Repeat("x", MaxIndexed+1)}
	if _, err := Default().Index(r); err != nil {
		t.Errorf("not indexed: %v", err)
	}
	if _, err := Default().Index(&Resource{Type: "Nothing"}); err == nil {
		t.Error("unknown type: no error")
	}
}
