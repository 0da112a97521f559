package scim

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	userHead  = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u"`
	entUser   = `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`
	groupHead = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g"`
)

func TestDecode_Tolerances(t *testing.T) {
	for _, c := range []struct {
		name, typ, body string
		want            string // the attributes as JSON, without userName u or displayName g
		notes           string
	}{
		{"plain", "User", userHead + `,"title":"t","active":false}`, `{"title":"t","active":false}`, ""},
		{"names in any case", "User", `{"SCHEMAS":["URN:ietf:params:scim:schemas:core:2.0:USER"],"USERNAME":"u","NAME":{"GIVENNAME":"g"}}`, `{"name":{"givenName":"g"}}`, ""},
		{"nulls and empty lists", "User", userHead + `,"title":null,"emails":[],"roles":null,"name":null,"addresses":[{}]}`, `{}`, ""},
		{"boolean as a string", "User", userHead + `,"active":"False"}`, `{"active":false}`, "boolean-string"},
		{"roles of the validator", "User", userHead + `,"roles":[{"value":"r","primary":"True"}]}`, `{"roles":[{"value":"r","primary":true}]}`, "boolean-string"},
		{"roles as JSON in a string", "User", userHead + `,"roles":[{"value":"{\"id\":1}"}]}`, `{"roles":[{"value":"{\"id\":1}"}]}`, ""},
		{"empty strings", "User", userHead + `,"title":"","name":{"givenName":""},"emails":[{"type":"work","value":""}]}`, `{}`, "empty-element empty-string"},
		{"single object for a list", "User", userHead + `,"emails":{"value":"a@b"}}`, `{"emails":[{"value":"a@b"}]}`, "single-for-list"},
		{"strings for complex", "User", userHead + `,"emails":["a@b",{"value":"c@d","type":"HOME"}]}`, `{"emails":[{"value":"a@b"},{"value":"c@d","type":"home"}]}`, "plain-value"},
		{"type in canonical spelling", "User", userHead + `,"phoneNumbers":[{"value":"55555555555","type":"Mobile"},{"value":"1","type":"Desk"}]}`,
			`{"phoneNumbers":[{"value":"55555555555","type":"mobile"},{"value":"1","type":"Desk"}]}`, ""},
		{"two primary", "User", userHead + `,"emails":[{"value":"a","primary":true},{"value":"a","primary":true},{"value":"b"}]}`,
			`{"emails":[{"value":"a","primary":true},{"value":"a","primary":false},{"value":"b"}]}`, "primary"},
		{"unknown attributes", "User", userHead + `,"foo":1,"bar.baz":2,"name":{"nick":"x","givenName":"g"}}`, `{"name":{"givenName":"g"}}`, "unknown-attribute"},
		{"unknown schemas", "User", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:x:y"],"userName":"u","urn:x:y":{"a":1},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:Usr:department":"d"}`, `{}`, "unknown-schema"},
		{"Microsoft's group schema", "Group", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"displayName":"g","meta":{"resourceType":"Group"}}`, `{}`, "unknown-schema"},
		{"no schemas", "User", `{"userName":"u"}`, `{}`, "schemas-incomplete"},
		{"schemas of the extension alone", "User", `{"schemas":["` + entUser + `"],"userName":"u"}`, `{}`, "schemas-incomplete"},
		{"schemas as a string", "User", `{"schemas":"urn:ietf:params:scim:schemas:core:2.0:User","userName":"u"}`, `{}`, "single-for-list"},
		{"undeclared extension", "User", userHead + `,"` + entUser + `":{"department":"d","foo":1}}`, `{"` + entUser + `":{"department":"d"}}`, "undeclared-extension unknown-attribute"},
		{"extension in another case", "User", userHead + `,"URN:IETF:params:scim:schemas:extension:enterprise:2.0:user":{"DEPARTMENT":"d"}}`, `{"` + entUser + `":{"department":"d"}}`, "undeclared-extension"},
		{"empty extension", "User", userHead + `,"` + entUser + `":{"department":null}}`, `{}`, ""},
		{"URN keys", "User", userHead + `,"` + entUser + `:department":"d","` + entUser + `.costCenter":"c","` + entUser + `:manager.value":"m","urn:ietf:params:scim:schemas:core:2.0:User:title":"t"}`,
			`{"title":"t","` + entUser + `":{"costCenter":"c","department":"d","manager":{"value":"m"}}}`, "undeclared-extension urn-key"},
		{"dotted keys", "User", userHead + `,"name.givenName":"g","NAME.familyname":"f"}`, `{"name":{"givenName":"g","familyName":"f"}}`, "dotted-key"},
		{"the proper form wins over a path", "User", userHead + `,"name.givenName":"x","name":{"givenName":"g"},"department":"x","` + entUser + `":{"department":"d"}}`,
			`{"name":{"givenName":"g"},"` + entUser + `":{"department":"d"}}`, "bare-extension-key dotted-key undeclared-extension"},
		{"manager at the top", "User", userHead + `,"manager":"m"}`, `{"` + entUser + `":{"manager":{"value":"m"}}}`, "bare-extension-key plain-value undeclared-extension"},
		{"manager null at the top", "User", userHead + `,"manager":null,"manager.value":null}`, `{}`, "bare-extension-key"},
		{"password", "User", userHead + `,"password":"secret"}`, `{}`, ""},
		{"members null", "Group", groupHead + `,"members":null}`, `{}`, "null-members"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := parse(t, c.body)
			d, err := Default().Decode(c.typ, body, DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			delete(d.Resource.Attrs, "userName")
			if c.typ == "Group" {
				delete(d.Resource.Attrs, "displayName")
			}
			if diff := cmp.Diff(parse(t, c.want), d.Resource.Attrs); diff != "" {
				t.Error(diff)
			}
			if got := strings.Join(d.Tolerances, " "); got != c.notes {
				t.Errorf("noted %q, want %q", got, c.notes)
			}
			// Strict refuses whatever needs a tolerance, but for values that the standard has a meaning for.
			_, err = Default().Decode(c.typ, body, DecodeOptions{Strict: true})
			legal := c.notes == "" || c.notes == "null-members" || c.notes == "empty-element empty-string"
			if legal != (err == nil) {
				t.Errorf("Strict: %v, but tolerances %q", err, c.notes)
			}
		})
	}
}

func TestDecode_WhatTheClientCannotSet(t *testing.T) {
	body := parse(t, userHead+`,"id":"mine","meta":{"version":"x","created":5},"groups":[{"value":"g"}],"externalId":"E1","password":"canary",
		"`+entUser+`":{"manager":{"value":"m","displayName":"Boss"}}}`)
	for _, strict := range []bool{false, true} {
		if strict {
			body["schemas"] = []any{UserSchema, EnterpriseSchema}
		}
		d, err := Default().Decode("User", body, DecodeOptions{Strict: strict})
		if err != nil {
			t.Fatal(err)
		}
		want := Decoded{Resource: Resource{Type: "User", ID: "mine", ExternalID: "E1",
			Attrs: Object{"userName": "u", entUser: Object{"manager": Object{"value": "m"}}}}}
		if !strict {
			want.Tolerances = []string{"undeclared-extension"}
		}
		if diff := cmp.Diff(want, d); diff != "" {
			t.Errorf("strict %v: %s", strict, diff)
		}
	}
}

func TestDecode_ActiveSent(t *testing.T) {
	for body, want := range map[string]bool{`}`: false, `,"active":null}`: false, `,"active":""}`: false, `,"active":false}`: true, `,"ACTIVE":"true"}`: true,
		`,"urn:ietf:params:scim:schemas:core:2.0:User:active":false}`: true} {
		d, err := Default().Decode("User", parse(t, userHead+body), DecodeOptions{})
		if err != nil || d.ActiveSent != want {
			t.Errorf("%s: ActiveSent %v, %v", body, d.ActiveSent, err)
		}
	}
}

func TestDecode_Members(t *testing.T) {
	ids := func(ids ...string) []Ref {
		refs := make([]Ref, 0, len(ids))
		for _, id := range ids {
			refs = append(refs, Ref{Value: id})
		}
		return refs
	}
	for _, c := range []struct {
		members string
		want    []Ref
		has     bool
	}{
		{``, nil, false},
		{`,"members":null`, nil, false},
		{`,"members":[]`, ids(), true},
		{`,"members":[{"value":"a","$ref":null,"display":"A","type":"User"},{"VALUE":"b","id":"x"},{"value":"a"}]`, ids("a", "b"), true},
		{`,"members":["a","b"]`, ids("a", "b"), true},
		{`,"MEMBERS":{"value":"a"}`, ids("a"), true},
		{`,"urn:ietf:params:scim:schemas:core:2.0:Group:members":[{"value":"a"}]`, ids("a"), true},
	} {
		d, err := Default().Decode("Group", parse(t, groupHead+c.members+`}`), DecodeOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.members, err)
			continue
		}
		if diff := cmp.Diff(c.want, d.Resource.Members); diff != "" || d.Resource.HasMembers != c.has {
			t.Errorf("%s: HasMembers %v %s", c.members, d.Resource.HasMembers, diff)
		}
		if _, in := d.Resource.Attrs["members"]; in {
			t.Errorf("%s: members are among the attributes", c.members)
		}
	}
	d, err := Default().Decode("Group", parse(t, groupHead+`,"members":null}`), DecodeOptions{Strict: true})
	if err != nil || !d.Resource.HasMembers || len(d.Resource.Members) != 0 {
		t.Errorf("Strict: null members give %+v, %v, want an empty group", d.Resource, err)
	}
}

func TestDecode_Refusals(t *testing.T) {
	for _, c := range []struct {
		typ, body, detail string
		kind              ErrorType
		strict            bool
	}{
		{"User", `{}`, "userName is required", InvalidValue, false},
		{"User", `{"userName":null}`, "userName is required", InvalidValue, false},
		{"User", `{"userName":""}`, "userName is required", InvalidValue, false},
		{"User", userHead + `,"userName":5}`, "twice", InvalidSyntax, false},
		{"User", `{"userName":5}`, "userName must be a string, not 5", InvalidValue, false},
		{"User", userHead + `,"emails":[{"value":"x"},7]}`, "emails must be an object, not 7", InvalidValue, false},
		{"User", userHead + `,"active":"maybe"}`, "active must be true or false", InvalidValue, false},
		{"User", userHead + `,"name":"Babs"}`, "name must be an object", InvalidValue, false},
		{"User", userHead + `,"password":{"a":1}}`, "password must be a string, not an object", InvalidValue, false},
		{"User", userHead + `,"externalId":5}`, "externalId must be a string", InvalidValue, false},
		{"User", userHead + `,"x509Certificates":[{"value":"no base64!"}]}`, "x509Certificates.value must be base64", InvalidValue, false},
		{"User", userHead + `,"` + entUser + `":"x"}`, entUser + " must be an object", InvalidValue, false},
		{"User", userHead + `,"` + entUser + `:manager":5}`, "manager must be an object, not 5", InvalidValue, false},
		{"User", `{"schemas":5,"userName":"u"}`, "schemas must be a list of strings", InvalidSyntax, false},
		{"User", `{"schemas":[5],"userName":"u"}`, "schemas must be a list of strings", InvalidSyntax, false},
		{"Group", groupHead + `,"members":[{"display":"x"}]}`, "members[0].value is required", InvalidValue, false},
		{"Group", groupHead + `,"members":["a",""]}`, "members[1].value is required", InvalidValue, false},
		{"Group", groupHead + `,"members":[null]}`, "members[0].value is required", InvalidValue, false},
		{"Group", groupHead + `,"members":[{"value":{"value":"a"}}]}`, "members[0].value is required", InvalidValue, false},
		{"Group", groupHead + `,"members":5}`, "members[0].value is required", InvalidValue, false},
		{"Group", `{"members":[]}`, "displayName is required", InvalidValue, false},
		{"Nothing", `{}`, `no resource type "Nothing"`, InvalidValue, false},
		{"User", `{"userName":"u"}`, "schemas must contain " + UserSchema, InvalidSyntax, true},
		{"User", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":""}`, "userName is required", InvalidValue, true},
		{"User", `{"schemas":"urn:ietf:params:scim:schemas:core:2.0:User","userName":"u"}`, "schemas must be a list", InvalidSyntax, true},
		{"Group", groupHead + `,"members":{"value":"a"}}`, "members must be a list", InvalidValue, true},
		{"User", `{"USERNAME":5}`, "userName must be a string", InvalidValue, false},
		{"User", userHead + `,"name.givenName":5}`, "name.givenName must be a string", InvalidValue, false},
		{"User", userHead + `,"NAME":{"GIVENNAME":5}}`, "name.givenName must be a string", InvalidValue, false},
		{"User", userHead + `,"` + entUser + `":{"DEPARTMENT":5}}`, "department must be a string", InvalidValue, false},
		{"User", userHead + `,"foo":1}`, `a User has no attribute "foo"`, InvalidSyntax, true},
		{"User", userHead + `,"name":{"foo":1}}`, `name has no sub-attribute "foo"`, InvalidSyntax, true},
		{"User", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:x"],"userName":"u"}`, `"urn:x" is no schema of a User`, InvalidSyntax, true},
		{"User", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u"}`, "is there twice", InvalidSyntax, true},
		{"User", userHead + `,"` + entUser + `":{"department":"d"}}`, "schemas must contain " + entUser, InvalidSyntax, true},
		{"User", userHead + `,"` + entUser + `":{"foo":"d"}}`, `has no attribute "foo"`, InvalidSyntax, true},
		{"User", userHead + `,"emails":{"value":"x"}}`, "emails must be a list", InvalidValue, true},
		{"User", userHead + `,"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, "emails has more than one element with primary true", InvalidValue, true},
		{"Group", groupHead + `,"members":["a"]}`, "members[0] must be an object", InvalidValue, true},
	} {
		v, err := ParseJSON([]byte(c.body), 0)
		if err == nil {
			_, err = Default().Decode(c.typ, v.(Object), DecodeOptions{Strict: c.strict})
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Type != c.kind || !strings.Contains(e.Detail, c.detail) {
			t.Errorf("%s: got %v, want %s with %q", c.body, err, c.kind, c.detail)
		}
	}
}

func TestDecode_CustomType(t *testing.T) {
	g := probe(t)
	for body, want := range map[string]string{
		`{"serial":"s"}`: "",
		`{"serial":"s","state":"x","box":{"size":1}}`:                            "",
		`{"serial":"s","box":{"note":"n"}}`:                                      "box.size is required",
		`{"serial":"s","urn:example:lease:1.0:Probe":{"owner":"o"}}`:             "urn:example:lease:1.0:Probe:until is required",
		`{"serial":"s","urn:example:lease:1.0:Probe:owner":"o"}`:                 "urn:example:lease:1.0:Probe:until is required",
		`{"serial":"s","until":"2020-01-01T00:00:00Z","notes":"n"}`:              "",
		`{"serial":"s","count":9223372036854775808}`:                             "count must be an integer",
		`{"serial":"s","tags":[["x"]]}`:                                          "tags must be a string, not a list",
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"count":"x"}`: "count must be",
	} {
		_, err := g.Decode("Probe", parse(t, body), DecodeOptions{})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}

func TestDecode_ErrorsAreTheSameEachTime(t *testing.T) {
	body := parse(t, `{"userName":1,"title":2,"active":"x","emails":3,"name":"n","zzz":{},"NICKNAME":5,"displayNAME":6}`)
	_, first := Default().Decode("User", body, DecodeOptions{})
	for range 50 {
		if _, err := Default().Decode("User", body, DecodeOptions{}); err.Error() != first.Error() {
			t.Fatalf("got %v after %v", err, first)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{userHead + `}`, userHead + `,"name.givenName":"g","` + entUser + `:manager":"x","roles":"a","emails":{"primary":"true"}}`,
		groupHead + `,"members":["a",{"value":"b"}]}`, `{"serial":"s","until":"2020-01-01T00:00:00Z","weight":1e300,"parts":["a"]}`} {
		f.Add([]byte(seed), "User", false)
		f.Add([]byte(seed), "Group", true)
		f.Add([]byte(seed), "Probe", false)
	}
	f.Add(sample(f), "User", true)
	g := probe(f)
	f.Fuzz(func(t *testing.T, data []byte, typ string, strict bool) {
		v, err := ParseJSON(data, 0)
		body, ok := v.(Object)
		if err != nil || !ok {
			return
		}
		d, err := g.Decode(typ, body, DecodeOptions{Strict: strict})
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("%s: error %v is no *Error", data, err)
			}
			return
		}
		if strict && len(d.Tolerances) > 0 {
			t.Fatalf("%s: Strict tolerated %v", data, d.Tolerances)
		}
		// What was accepted is canonical: its document reads back as the same attributes and needs no tolerance.
		r := d.Resource
		r.ID = "id"
		r.Doc = g.Encode(&r)
		back := Resource{Type: typ, Doc: r.Doc}
		if err := g.DecodeDoc(&back); err != nil {
			t.Fatalf("%s: document %s: %v", data, r.Doc, err)
		}
		if diff := cmp.Diff(r.Attrs, back.Attrs); diff != "" {
			t.Fatalf("%s: document %s: %s", data, r.Doc, diff)
		}
		doc, err := ParseJSON(r.Doc, 0)
		if err != nil {
			t.Fatal(err)
		}
		again, err := g.Decode(typ, doc.(Object), DecodeOptions{Strict: true})
		if err != nil || !cmp.Equal(again.Resource.Attrs, r.Attrs) {
			t.Fatalf("%s: document %s decodes to %v, %v", data, r.Doc, again.Resource.Attrs, err)
		}
		if _, err := g.Index(&r); err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatal(err)
			}
		}
		if _, err := g.Replace(r, d, true); err != nil {
			t.Fatalf("%s: a PUT of the same resource: %v", data, err)
		}
	})
}
