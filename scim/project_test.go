package scim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const testBase = "https://provost.example.com/t/acme/scim/v2"

// shown returns what an answer has, without schemas.
func shown(t *testing.T, g *Registry, r *Resource, attributes, excluded string) Object {
	t.Helper()
	split := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, ",")
	}
	p, err := g.Projection(r.Type, split(attributes), split(excluded))
	if err != nil {
		t.Fatal(err)
	}
	text := g.Append([]byte("before"), r, p, testBase)
	if string(text[:6]) != "before" || !json.Valid(text[6:]) {
		t.Fatalf("attributes=%s excludedAttributes=%s: no JSON: %s", attributes, excluded, text)
	}
	o := parse(t, string(text[6:]))
	if o["schemas"] == nil || o["id"] != r.ID {
		t.Errorf("attributes=%s excludedAttributes=%s: without schemas or id: %s", attributes, excluded, text)
	}
	delete(o, "schemas")
	delete(o, "id")
	return o
}

func TestAppend_Whole(t *testing.T) {
	r := &Resource{Type: "User", ID: "u1", ExternalID: `e"1`, Attrs: Object{"userName": "u", "password": "canary"}, HasGroups: true,
		Groups: []Ref{{"g1", "direct", "G 1"}, {"g2", "indirect", ""}},
		Meta:   Meta{Created: time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.FixedZone("x", 3600)), LastModified: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Version: 12}}
	want := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u1","userName":"u","externalId":"e\"1",` +
		`"groups":[{"value":"g1","$ref":"` + testBase + `/Groups/g1","type":"direct","display":"G 1"},{"value":"g2","$ref":"` + testBase + `/Groups/g2","type":"indirect"}],` +
		`"meta":{"resourceType":"User","created":"2026-01-02T02:04:05.006Z","lastModified":"2026-01-02T03:04:05.000Z","location":"` + testBase + `/Users/u1","version":"W/\"12\""}}`
	if got := string(Default().Append(nil, r, nil, testBase)); got != want {
		t.Errorf("from Attrs:\ngot  %s\nwant %s", got, want)
	}
	r.Doc, r.Attrs = Default().Encode(r), nil
	if got := string(Default().Append(nil, r, nil, testBase)); got != want {
		t.Errorf("from Doc:\ngot  %s\nwant %s", got, want)
	}
	r.Groups, r.ExternalID, r.Meta = nil, "", Meta{}
	want = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u1","userName":"u","meta":{"resourceType":"User","location":"` + testBase + `/Users/u1"}}`
	if got := string(Default().Append(nil, r, nil, testBase)); got != want {
		t.Errorf("without relations:\ngot  %s\nwant %s", got, want)
	}
	if got := Default().Append(nil, &Resource{Type: "Nothing"}, nil, testBase); got != nil {
		t.Errorf("unknown type: %s", got)
	}
}

func TestAppend_Members(t *testing.T) {
	r := &Resource{Type: "Group", ID: "g1", Attrs: Object{"displayName": "d"}}
	if got := string(Default().Append(nil, r, nil, testBase)); strings.Contains(got, "members") {
		t.Errorf("members that were not loaded are there: %s", got)
	}
	r.HasMembers = true
	if got := string(Default().Append(nil, r, nil, testBase)); !strings.Contains(got, `"members":[],`) {
		t.Errorf("no empty list of members: %s", got)
	}
	r.Members = []Ref{{"u1", "User", "U"}, {"g2", "Group", ""}, {"x", "Gone", ""}, {"y", "", ""}}
	if got := string(Default().Append(nil, r, nil, testBase)); !strings.Contains(got, `"members":[{"value":"u1","$ref":"`+testBase+`/Users/u1","type":"User","display":"U"},`+
		`{"value":"g2","$ref":"`+testBase+`/Groups/g2","type":"Group"},{"value":"x","type":"Gone"},{"value":"y"}],`) {
		t.Error(got)
	}
	if got := shown(t, Default(), r, "members.value", ""); !cmp.Equal(got, Object{"members": []any{Object{"value": "u1"}, Object{"value": "g2"}, Object{"value": "x"}, Object{"value": "y"}}}) {
		t.Errorf("members.value: %v", got)
	}
	if got := shown(t, Default(), r, "members.display", ""); !cmp.Equal(got, Object{"members": []any{Object{"display": "U"}}}) {
		t.Errorf("members.display: %v", got)
	}
	got := shown(t, Default(), r, "", "members")
	if _, there := got["members"]; there || got["displayName"] != "d" {
		t.Errorf("excluded members: %v", got)
	}
}

func TestProjection(t *testing.T) {
	r := sampleUser(t)
	r.ExternalID, r.HasGroups, r.Groups = "e", true, []Ref{{"g", "direct", "G"}}
	for _, c := range []struct{ attributes, excluded, want string }{
		{"id", "", `{}`},
		{"userName", "", `{"userName":"barbara.jensen@example.com"}`},
		{" USERNAME ,,", "", `{"userName":"barbara.jensen@example.com"}`},
		{"userName,nothing,emails.nothing,meta.nothing", "", `{"userName":"barbara.jensen@example.com"}`},
		{"nothing", "", `{}`},
		{"name.givenName,name.FAMILYNAME", "", `{"name":{"givenName":"Barbara","familyName":"Jensen"}}`},
		{"name.givenName", "userName", `{"name":{"givenName":"Barbara"}}`},
		{"name", "name.formatted,name.middleName,name.honorificPrefix,name.honorificSuffix", `{"name":{"givenName":"Barbara","familyName":"Jensen"}}`},
		{"emails.value", "", `{"emails":[{"value":"barbara.jensen@example.com"},{"value":"babs@jensen.example"}]}`},
		{"emails.display,ims", "", `{}`},
		{"phoneNumbers", "phoneNumbers.type", `{"phoneNumbers":[{"value":"555-555-5555"},{"value":"555-555-4444"}]}`},
		{"title", "title", `{}`},
		{"externalId,groups.value,meta.version", "", `{"externalId":"e","groups":[{"value":"g"}],"meta":{"version":"W/\"3\""}}`},
		{"meta.location,meta.resourceType", "", `{"meta":{"resourceType":"User","location":"` + testBase + `/Users/` + r.ID + `"}}`},
		{"department", "", `{"` + entUser + `":{"department":"Tour Operations"}}`},
		{entUser + ":manager.value," + entUser + ".division", "", `{"` + entUser + `":{"division":"Theme Park","manager":{"value":"26118915-6090-4610-87e4-49d8ca9f808d"}}}`},
		{UserSchema + ":title", "", `{"title":"Tour Guide"}`},
		{entUser, entUser + ":employeeNumber," + entUser + ":costCenter,organization,division,manager", `{"` + entUser + `":{"department":"Tour Operations"}}`},
		{"password", "", `{}`},
		{"urn:x:y:title", "", `{}`},
		{UserSchema, "name,nickName,profileUrl,emails,addresses,phoneNumbers,userType,preferredLanguage,locale,timezone,roles,groups",
			`{"userName":"barbara.jensen@example.com","displayName":"Babs Jensen","title":"Tour Guide","active":true}`},
		{"", UserSchema + "," + entUser + ",meta", `{"externalId":"e"}`},
		{"", "id,schemas,externalId,meta,groups,name,nickName,profileUrl,emails,addresses,phoneNumbers.value,userType,preferredLanguage,locale,timezone,active,title,roles," + entUser,
			`{"userName":"barbara.jensen@example.com","displayName":"Babs Jensen","phoneNumbers":[{"type":"work"},{"type":"mobile"}]}`},
	} {
		if diff := cmp.Diff(parse(t, c.want), shown(t, Default(), r, c.attributes, c.excluded)); diff != "" {
			t.Errorf("attributes=%s excludedAttributes=%s: %s", c.attributes, c.excluded, diff)
		}
	}
	whole := parse(t, string(Default().Append(nil, r, nil, testBase)))
	delete(whole, "schemas")
	delete(whole, "id")
	for _, excluded := range []string{"members", "nothing", "id", "password"} {
		if diff := cmp.Diff(whole, shown(t, Default(), r, "", excluded)); diff != "" {
			t.Errorf("excludedAttributes=%s: %s", excluded, diff)
		}
	}
}

// TestProjection_Returned holds the table of RFC 7643 §7 and RFC 7644 §3.9: when each kind of attribute is shown.
func TestProjection_Returned(t *testing.T) {
	g := probe(t)
	r := &Resource{Type: "Probe", ID: "p", Attrs: parse(t, `{"serial":"s","hidden":"canary","asked":"A","fixed":"F","box":{"size":1,"secret":"canary","rare":"R"},
		"urn:example:lease:1.0:Probe":{"until":"2020-01-01T00:00:00Z","owner":"O"}}`)}
	always := `"fixed":"F","urn:example:lease:1.0:Probe":{"owner":"O"}`
	for _, c := range []struct{ attributes, excluded, want string }{
		{"", "meta", `{"serial":"s","fixed":"F","box":{"size":1},"urn:example:lease:1.0:Probe":{"until":"2020-01-01T00:00:00Z","owner":"O"}}`},
		{"serial", "", `{"serial":"s",` + always + `}`},
		{"asked", "", `{"asked":"A",` + always + `}`},
		{"hidden,box.secret", "", `{` + always + `}`},
		{"box", "", `{"box":{"size":1},` + always + `}`},
		{"box.rare", "", `{"box":{"rare":"R"},` + always + `}`},
		{"serial", "fixed,owner,urn:example:lease:1.0:Probe", `{"serial":"s",` + always + `}`},
		{"", "meta,serial,box,fixed,urn:example:lease:1.0:Probe", `{` + always + `}`},
	} {
		if diff := cmp.Diff(parse(t, c.want), shown(t, g, r, c.attributes, c.excluded)); diff != "" {
			t.Errorf("attributes=%s excludedAttributes=%s: %s", c.attributes, c.excluded, diff)
		}
	}
	text := string(g.Append(nil, r, nil, testBase))
	if strings.Contains(text, "canary") || strings.Contains(text, "asked") || strings.Contains(text, "rare") || !strings.Contains(text, `"fixed":"F"`) {
		t.Errorf("default view: %s", text)
	}
}

func TestProjection_Limits(t *testing.T) {
	names := func(n int) []string { return strings.Split(strings.Repeat("x,", n-1)+"x", ",") }
	if _, err := Default().Projection("User", names(MaxProjected-1), names(1)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := Default().Projection("User", names(MaxProjected), names(1)); err == nil || !strings.Contains(err.Error(), "more than 500") {
		t.Errorf("beyond the limit: %v", err)
	}
	if _, err := Default().Projection("User", nil, []string{strings.Repeat("x", MaxProjectedName)}); err != nil {
		t.Errorf("a name at the limit: %v", err)
	}
	for _, lists := range [][2][]string{{{strings.Repeat("x", MaxProjectedName+1)}, nil}, {nil, {strings.Repeat("x", MaxProjectedName+1)}}} {
		if _, err := Default().Projection("User", lists[0], lists[1]); err == nil || !strings.Contains(err.Error(), "more than 512 bytes") {
			t.Errorf("a name beyond the limit: %v", err)
		}
	}
	if p, err := Default().Projection("User", []string{"", " "}, nil); p != nil || err != nil {
		t.Errorf("no names: %v, %v, want the default view", p, err)
	}
	if _, err := Default().Projection("Nothing", nil, nil); err == nil {
		t.Error("unknown type: no error")
	}
}

func TestProjection_Includes(t *testing.T) {
	var none *Projection
	if !none.Includes("members") {
		t.Error("the default view has no members")
	}
	for _, c := range []struct {
		attributes, excluded []string
		attr                 string
		want                 bool
	}{
		{nil, []string{"members"}, "members", false},
		{nil, []string{"MEMBERS"}, "Members", false},
		{nil, []string{"members.display"}, "members", true},
		{nil, []string{"displayName"}, "members", true},
		{[]string{"displayName"}, nil, "members", false},
		{[]string{"members.value"}, nil, "members", true},
		{[]string{"displayName"}, nil, "id", true},
		{nil, []string{"x"}, "x", false},
	} {
		p, err := Default().Projection("Group", c.attributes, c.excluded)
		if err != nil || p.Includes(c.attr) != c.want {
			t.Errorf("%v %v includes %s: %v, %v", c.attributes, c.excluded, c.attr, p.Includes(c.attr), err)
		}
	}
}

// TestAppend_PartOfAnyDocument compares the projection that works on bytes with one that works on values.
func TestAppend_PartOfAnyDocument(t *testing.T) {
	g := probe(t)
	tricky := []string{``, `\`, `"`, `\"`, `}{][,:`, "a\\\"}\n", `{"box":1}`, "é\u2028"}
	for i, s := range tricky {
		r := &Resource{Type: "Probe", ID: s, Attrs: Object{"serial": s, "colour": s, "weight": -1.5e-9, "on": false, "tags": []any{s, s},
			"box": Object{"size": int64(i), "note": s}, "parts": []any{Object{"value": s, "n": int64(1)}, Object{"type": s}}}}
		for _, names := range []string{"serial", "colour,tags", "box.note,parts.n", "parts.value,on", "weight,box.size", "parts.type"} {
			want := Object{"fixed": nil}
			delete(want, "fixed")
			for name := range strings.SplitSeq(names, ",") {
				top, sub, nested := strings.Cut(name, ".")
				v := r.Attrs[top]
				if nested {
					v = only(v, sub)
				}
				want[top] = v
			}
			got := shown(t, g, r, names, "")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q attributes=%s: %s", s, names, diff)
			}
		}
	}
}

// only keeps one sub-attribute of a complex value.
func only(v any, sub string) any {
	switch v := v.(type) {
	case Object:
		return Object{sub: v[sub]}
	case []any:
		var list []any
		for _, e := range v {
			if w, ok := e.(Object)[sub]; ok {
				list = append(list, Object{sub: w})
			}
		}
		return list
	}
	panic(fmt.Sprintf("no complex value: %v", v))
}

func TestAppend_ProjectionOfAnotherType(t *testing.T) {
	p, err := Default().Projection("Group", []string{"displayName"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := sampleUser(t)
	if got, want := string(Default().Append(nil, r, p, testBase)), string(Default().Append(nil, r, nil, testBase)); got != want {
		t.Errorf("got %s, want the default view", got)
	}
	p, err = probe(t).Projection("User", []string{"title"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := parse(t, string(Default().Append(nil, r, p, testBase))); len(got) != 3 || got["title"] != "Tour Guide" {
		t.Errorf("a projection of another registry: %v", got)
	}
}

func TestAppend_FastPathDoesNotAllocate(t *testing.T) {
	r := sampleUser(t)
	dst := make([]byte, 0, 8192)
	if n := testing.AllocsPerRun(100, func() { Default().Append(dst[:0], r, nil, testBase) }); n != 0 {
		t.Errorf("Append allocates %v times", n)
	}
}
