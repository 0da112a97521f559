package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// graph is a source as it was last read: keys by name, and groups by member key.
type graph struct {
	keys   map[string]string
	direct map[string][]GroupRef
	nested map[string][]GroupRef
	err    error
}

func (g graph) Named(_ context.Context, names []string) (map[string]string, error) {
	out := map[string]string{}
	for _, n := range names {
		if k, ok := g.keys[n]; ok {
			out[n] = k
		}
	}
	return out, g.err
}

func (g graph) Groups(_ context.Context, key string, nested bool) ([]GroupRef, error) {
	if nested {
		return append(slices.Clone(g.direct[key]), g.nested[key]...), g.err
	}
	return g.direct[key], g.err
}

func compiled(t *testing.T, text string) *Mapping {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Compile(d, scim.Default(), options)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func person(a attrs) source.Record {
	lower := attrs{}
	for k, v := range a {
		lower[strings.ToLower(k)] = v
	}
	return source.Record{Kind: source.Person, Key: "k1", Name: "cn=ann,dc=example", Attrs: lower}
}

func apply(t *testing.T, m *Mapping, rec source.Record, look Lookup) Wanted {
	t.Helper()
	w, err := m.Apply(t.Context(), rec, look)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestProfile_ActiveDirectory(t *testing.T) {
	m := compiled(t, "profile: activedirectory")
	ann := person(attrs{
		"objectGUID": {"k1"}, "userPrincipalName": {"ann@example.com"}, "sAMAccountName": {"ann"}, "userAccountControl": {"514"}, "cn": {"Ann Lee"},
		"givenName": {"Ann"}, "sn": {"Lee"}, "mail": {"ann.lee@example.com"}, "telephoneNumber": {"+1 555 0100"}, "mobile": {"+1 555 0101"},
		"department": {"Sales"}, "company": {"Example"}, "l": {"Paris"}, "c": {"FR"}, "manager": {"CN=Boss,DC=example"}, "employeeNumber": {"7"},
	})
	w := apply(t, m, ann, graph{keys: map[string]string{"cn=boss,dc=example": "k2"}})
	if w.Err != nil || w.Resource == nil {
		t.Fatalf("Apply = %+v", w)
	}
	want := scim.Resource{Type: "User", ExternalID: "k1", Attrs: scim.Object{
		"userName": "ann@example.com", "active": false, "displayName": "Ann Lee",
		"name":   scim.Object{"givenName": "Ann", "familyName": "Lee", "formatted": "Ann Lee"},
		"emails": []any{scim.Object{"type": "work", "value": "ann.lee@example.com", "primary": true}},
		"phoneNumbers": []any{scim.Object{"type": "work", "value": "+1 555 0100"},
			scim.Object{"type": "mobile", "value": "+1 555 0101"}},
		"addresses":           []any{scim.Object{"type": "work", "locality": "Paris", "country": "FR"}},
		scim.EnterpriseSchema: scim.Object{"department": "Sales", "organization": "Example", "employeeNumber": "7"},
	}}
	if d := cmp.Diff(want, *w.Resource); d != "" {
		t.Error(d)
	}
	refs := []Reference{{Path: scim.EnterpriseSchema + ":manager.value", Name: "cn=boss,dc=example", Key: "k2"}}
	if d := cmp.Diff(refs, w.Refs); d != "" {
		t.Error(d)
	}
	if got := m.Matches(source.Person); !slices.Equal(got, []string{"userName", `emails[type eq "work"].value`}) {
		t.Errorf("Matches = %v", got)
	}
	if got := apply(t, m, source.Record{Kind: source.Group, Key: "g1", Name: "cn=sales", Attrs: attrs{"cn": {"Sales"}}}, nil); got.Resource == nil ||
		got.Resource.Type != "Group" || got.Resource.ExternalID != "g1" || got.Resource.Attrs["displayName"] != "Sales" {
		t.Errorf("group: %+v", got)
	}
	// An account whose flags cannot be read is neither enabled nor disabled.
	delete(ann.Attrs, "useraccountcontrol")
	if w := apply(t, m, ann, nil); w.Err == nil || w.Resource != nil {
		t.Errorf("without userAccountControl: %+v, want an error", w)
	}
}

func TestProfiles_CompileAndMapWhatTheyAreFor(t *testing.T) {
	for name, rec := range map[string]source.Record{
		"activedirectory": person(attrs{"sAMAccountName": {"ann"}, "userAccountControl": {"512"}}),
		"openldap":        person(attrs{"uid": {"ann"}, "cn": {"Ann"}, "sn": {"Lee"}}),
		"csv":             person(attrs{"username": {"ann"}, "firstName": {"Ann"}, "active": {"no"}}),
	} {
		m := compiled(t, "profile: "+name)
		w := apply(t, m, rec, nil)
		if name == "csv" {
			if w.Err == nil || !strings.Contains(w.Err.Error(), `"no" is neither true nor false`) {
				t.Errorf("csv with active no: %+v", w)
			}
			rec.Attrs["active"] = []string{"FALSE"}
			w = apply(t, m, rec, nil)
		}
		if w.Err != nil || w.Resource.Attrs["userName"] != "ann" || w.Resource.Attrs["active"] != (name != "csv") {
			t.Errorf("%s: %+v", name, w)
		}
	}
	if names := Profiles(); !slices.Equal(names, []string{"activedirectory", "openldap", "csv"}) {
		t.Errorf("Profiles = %v", names)
	}
}

// row cases: one row beside userName, and what it makes.
var rowCases = []struct {
	row   string
	attrs attrs
	want  string // JSON of the attributes without userName; "error: …"
}{
	{`{to: title, from: title}`, attrs{"title": {"Boss"}}, `{"title":"Boss"}`},
	{`{to: TITLE, from: Title}`, attrs{"title": {"Boss"}}, `{"title":"Boss"}`},
	{`{to: title, from: [a, b]}`, attrs{"a": {""}, "b": {"x", "y"}}, `{"title":"x"}`},
	{`{to: title, from: a}`, nil, `{}`},
	{`{to: title, from: a, default: none}`, nil, `{"title":"none"}`},
	{`{to: title, from: $name}`, nil, `{"title":"cn=ann,dc=example"}`},
	{`{to: title, value: Boss}`, nil, `{"title":"Boss"}`},
	{`{to: title, value: 7}`, nil, `{"title":"7"}`},
	{`{to: active, value: "True"}`, nil, `{"active":true}`},
	{`{to: active, from: a}`, attrs{"a": {"FALSE"}}, `{"active":false}`},
	{`{to: active, from: a}`, attrs{"a": {"perhaps"}}, `error: active`},
	{`{to: title, template: "{sn}, {givenName}"}`, attrs{"sn": {"Lee"}, "givenname": {"Ann"}}, `{"title":"Lee, Ann"}`},
	{`{to: title, template: "{sn}, {givenName}"}`, attrs{"sn": {"Lee"}}, `{}`},
	{`{to: title, template: "{sn} {givenName?}"}`, attrs{"sn": {"Lee"}}, `{"title":"Lee"}`},
	{`{to: title, template: "{{{sn}}}"}`, attrs{"sn": {"Lee"}}, `{"title":"{Lee}"}`},
	{`{to: name.givenName, from: a}`, attrs{"a": {"Ann"}}, `{"name":{"givenName":"Ann"}}`},
	{`{to: 'emails[type eq "work"].value', from: mail, primary: true}`, attrs{"mail": {"a@x"}}, `{"emails":[{"primary":true,"type":"work","value":"a@x"}]}`},
	{`{to: 'emails[type eq "work"].value', from: mail}`, nil, `{}`},
	{`{to: 'emails[type eq "work" and primary eq true].value', from: mail}`, attrs{"mail": {"a@x"}}, `{"emails":[{"primary":true,"type":"work","value":"a@x"}]}`},
	{`{to: emails, from: proxy, type: other, primary: true}`, attrs{"proxy": {"a@x", "b@x", "A@X"}},
		`{"emails":[{"primary":true,"type":"other","value":"a@x"},{"type":"other","value":"b@x"}]}`},
	{`{to: roles, expression: AppRoleAssignmentsComplex(values.roles)}`, attrs{"roles": {"Admin"}}, `{"roles":[{"display":"Admin","primary":false,"value":"Admin"}]}`},
	{`{to: department, from: d}`, attrs{"d": {"Sales"}}, `{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"}}`},
	{`{to: title, expression: 'ToUpper(a) + "!"'}`, attrs{"a": {"x"}}, `{"title":"X!"}`},
	{`{to: title, expression: 'cn(manager)'}`, attrs{"manager": {`CN=Lee\, Ann,OU=Staff,DC=x`}}, `{"title":"Lee, Ann"}`},
	{`{to: title, expression: 'rdn(manager)'}`, attrs{"manager": {`UID=ann,OU=Staff`}}, `{"title":"ann"}`},
	{`{to: title, expression: 'parentDN(manager)'}`, attrs{"manager": {`CN=Ann,OU=Staff,DC=x`}}, `{"title":"ou=Staff,dc=x"}`},
	{`{to: title, expression: 'dnValues(manager, "ou")[0]'}`, attrs{"manager": {`CN=Ann,OU=Staff,OU=All,DC=x`}}, `{"title":"Staff"}`},
	{`{to: title, expression: 'dnValues(manager, "ou")[0]'}`, attrs{"manager": {`nonsense`}}, `error: is no distinguished name`},
	{`{to: active, expression: 'hasFlag(uac, 512) && !hasFlag(uac, 2)'}`, attrs{"uac": {"512"}}, `{"active":true}`},
	{`{to: title, expression: 'regexExtract(a, "([0-9]+)")'}`, attrs{"a": {"room 12b"}}, `{"title":"12"}`},
	{`{to: title, expression: 'regexReplace(a, "([a-z]+) ([0-9]+)", "$2$1")'}`, attrs{"a": {"room 12"}}, `{"title":"12room"}`},
	{`{to: title, expression: 'localPart(a) + "|" + domainPart(a)'}`, attrs{"a": {"ann@x.org"}}, `{"title":"ann|x.org"}`},
	{`{to: title, expression: 'attr["extension-1"]'}`, attrs{"extension-1": {"x"}}, `{"title":"x"}`},
	{`{to: title, expression: 'size(values.absent) == 0 ? "none" : "some"'}`, nil, `{"title":"none"}`},
	{`{to: title, expression: 'values.a.filter(x, x.startsWith("SMTP:")).map(x, x.substring(5))[0]'}`, attrs{"a": {"smtp:b", "SMTP:a"}}, `{"title":"a"}`},
	{`{to: title, expression: 'a + b'}`, attrs{"a": {"x"}}, `error: no such overload`},
	{`{to: title, expression: 'record_key'}`, nil, `{"title":"k1"}`},
	{`{to: title, expression: 'Now()'}`, nil, `{"title":"8/25/2021 5:41:18 PM"}`},
	{`{to: active, entra: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'}`, attrs{"IsSoftDeleted": {"False"}}, `{"active":true}`},
}

func TestRows(t *testing.T) {
	for _, tt := range rowCases {
		t.Run(tt.row, func(t *testing.T) {
			m := compiled(t, "people: {rows: [{to: userName, value: ann}, "+tt.row+"]}")
			w := apply(t, m, person(tt.attrs), nil)
			if want, failing := strings.CutPrefix(tt.want, "error: "); failing {
				if w.Err == nil || !strings.Contains(w.Err.Error(), want) || w.Resource != nil || !strings.Contains(w.Err.Error(), "people.rows[1]") {
					t.Errorf("%+v, want an error with %q", w, want)
				}
				return
			}
			if w.Err != nil {
				t.Fatal(w.Err)
			}
			delete(w.Resource.Attrs, "userName")
			if got, err := json.Marshal(w.Resource.Attrs); err != nil || string(got) != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestRows_RequiredAttributeWithoutAValue(t *testing.T) {
	m := compiled(t, "people: {rows: [{to: userName, from: uid}]}")
	w := apply(t, m, person(nil), nil)
	if w.Err == nil || w.Resource != nil || !strings.Contains(w.Err.Error(), "userName is required") {
		t.Errorf("%+v, want an error", w)
	}
}

func TestRows_WhatTheyTellTheEngine(t *testing.T) {
	m := compiled(t, `
people:
  match: [title]
  rows:
    - {to: userName, expression: 'SelectUniqueValue(uid, uid + "2", uid + "3")', apply: create}
    - {to: title, from: title, empty: keep}
    - {to: nickName, expression: IgnoreFlowIfNullOrEmpty(nick)}
    - {to: 'emails[type eq "work"].value', from: mail, apply: create}
    - {to: department, entra: 'Redact([Dept])'}
`)
	for name, got := range map[string][]string{
		"CreateOnly userName emails": m.CreateOnly(source.Person),
		"Keep title nickName":        m.Keep(source.Person),
		"Redacted urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": m.Redacted(source.Person),
		"Attributes dept mail nick title uid":                                            m.Attributes(source.Person),
	} {
		if want := strings.Fields(name)[1:]; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", strings.Fields(name)[0], got, want)
		}
	}
	w := apply(t, m, person(attrs{"uid": {"ann"}}), nil)
	if w.Err != nil || w.Resource.Attrs["userName"] != "ann" || !cmp.Equal(w.Alternatives, map[string][]any{"userName": {"ann2", "ann3"}}) {
		t.Errorf("%+v", w)
	}
	other := compiled(t, "people: {rows: [{to: userName, from: uid}]}")
	if m.Fingerprint() == other.Fingerprint() || m.Fingerprint() == "" {
		t.Error("two mappings have one fingerprint")
	}
	if w := apply(t, other, source.Record{Kind: source.Group}, nil); w.Resource != nil || w.Err != nil || !strings.HasPrefix(w.Reason, "out of scope") {
		t.Errorf("a group where only people are mapped: %+v", w)
	}
}

func TestReferences_WithoutAnObject(t *testing.T) {
	m := compiled(t, "people: {rows: [{to: userName, value: x}, {to: manager, from: manager}]}")
	w := apply(t, m, person(attrs{"manager": {"CN=Nobody"}}), graph{})
	if len(w.Refs) != 1 || w.Refs[0].Key != "" || w.Refs[0].Name != "cn=nobody" || w.Resource.Attrs[scim.EnterpriseSchema] != nil {
		t.Errorf("%+v, %v", w.Refs, w.Resource.Attrs)
	}
	if _, err := m.Apply(t.Context(), person(attrs{"manager": {"x"}}), graph{err: errors.New("the database is away")}); err == nil {
		t.Error("an error of the lookup is lost")
	}
}

// faults are definitions that do not compile, and what the error says.
var faults = []struct{ definition, want string }{
	{`{}`, "it provisions nothing"},
	{`profile: ad`, `profile: "ad" is none of activedirectory, openldap, csv`},
	{`people: {}`, "no row fills userName"},
	{`people: {rows: [{to: nope, value: x}]}`, `people.rows[0] (nope): User has no attribute "nope"`},
	{`people: {rows: [{to: "emails[", value: x}]}`, "no attribute path"},
	{`people: {rows: [{to: id, value: x}]}`, "set by the target alone"},
	{`people: {rows: [{to: password, value: x}]}`, "passwords are not provisioned"},
	{`groups: {rows: [{to: members, value: x}]}`, "members are provisioned by the channel"},
	{`people: {rows: [{to: name, value: x}]}`, "name has parts"},
	{`people: {rows: [{to: 'emails[type co "work"].value', value: x}]}`, "equalities"},
	{`people: {rows: [{to: 'emails[type eq "work"]', value: x}]}`, "which part of the element"},
	{`people: {rows: [{to: userName, value: x, from: y}]}`, "exactly one of"},
	{`people: {rows: [{to: userName}]}`, "here are 0"},
	{`people: {rows: [{to: userName, from: "$id"}]}`, "$key and $name"},
	{`people: {rows: [{to: userName, value: x}, {to: username, value: y}]}`, "another row fills"},
	{`people: {rows: [{to: userName, value: x, apply: once}]}`, `apply: "once"`},
	{`people: {rows: [{to: userName, value: x, empty: no}]}`, `empty:`},
	{`people: {rows: [{to: userName, value: x, primary: true}]}`, "no primary element"},
	{`people: {rows: [{to: userName, value: x, type: work}]}`, "type:"},
	{`people: {rows: [{to: active, value: perhaps}]}`, "value:"},
	{`people: {rows: [{to: active, from: a, default: perhaps}]}`, "default:"},
	{`people: {rows: [{to: manager, value: x}]}`, "it cannot be constant"},
	{`people: {rows: [{to: title, value: [a, b]}]}`, "2 values for one attribute"},
	{`people: {rows: [{to: userName, template: "{a"}]}`, "is not closed"},
	{`people: {rows: [{to: userName, template: "a}"}]}`, "without its {"},
	{`people: {rows: [{to: userName, template: "{}"}]}`, "no attribute name"},
	{`people: {rows: [{to: userName, expression: "ToLower("}]}`, "expression: Syntax error"},
	{`people: {rows: [{to: userName, expression: "NoSuch(a)"}]}`, "undeclared reference to 'NoSuch'"},
	{`people: {rows: [{to: userName, expression: "Left(a)"}]}`, "no matching overload for 'Left'"},
	{`people: {rows: [{to: userName, expression: "1 + 1"}]}`, "the result is int, and userName is string: CStr makes text"},
	{`people: {rows: [{to: userName, expression: "IsNull(a)"}]}`, "the result is bool"},
	{`people: {rows: [{to: userName, expression: "values.a"}]}`, "the result is a list"},
	{`people: {rows: [{to: userName, expression: "Guid()"}]}`, "apply: create"},
	{`people: {rows: [{to: userName, expression: "ToLower(SelectUniqueValue(a, b))", apply: create}]}`, "outermost"},
	{`people: {rows: [{to: userName, expression: "SelectUniqueValue(a, b)", apply: create}]}`, "no match attribute can be"},
	{`people: {rows: [{to: userName, entra: "ToLower([a]"}]}`, "entra: a ) is missing"},
	{`people: {rows: [{to: userName, value: x}], match: [title]}`, "no row fills title"},
	{`people: {rows: [{to: userName, value: x}, {to: name.givenName, from: a}], match: [name]}`, "name has parts"},
	{`people: {rows: [{to: userName, value: x}, {to: 'emails[type eq "work"].value', from: a, apply: create}, {to: 'emails[type eq "home"].value', from: b}]}`, "must agree"},
	{`people: {rows: [{to: userName, value: x}, {to: 'emails[type eq "work"].value', from: a, primary: true}, {to: 'emails[type eq "home"].value', from: b, primary: true}]}`, "one element of a list is primary"},
	{`{profile: csv, people: {rows: [{to: nickName, off: true}]}}`, "the profile has no row"},
	{`{profile: csv, people: {scope: {where: {}}}}`, "a condition is one of"},
	{`{profile: csv, people: {scope: {where: {all: []}}}}`, "there are no conditions in it"},
	{`{profile: csv, people: {scope: {where: {any: [{attribute: a, operator: LIKE, value: x}]}}}}`, `people.scope.where.any[0]: operator: "LIKE" is none of &`},
	{`{profile: csv, people: {scope: {where: {attribute: a, operator: EQUALS}}}}`, "needs a value"},
	{`{profile: csv, people: {scope: {where: {attribute: a, operator: IS NULL, value: x}}}}`, "takes no value"},
	{`{profile: csv, people: {scope: {where: {attribute: a, operator: GREATER_THAN, value: x}}}}`, "compares whole numbers"},
	{`{profile: csv, people: {scope: {where: {attribute: a, operator: REGEX MATCH, value: "("}}}}`, "no regular expression"},
	{`{profile: csv, people: {scope: {where: {expression: "ToLower(a)"}}}}`, "a condition is true or false"},
	{`{profile: csv, people: {scope: {groups: [{nested: true}]}}}`, "group: the name"},
}

func TestCompile_EachFaultSaysWhere(t *testing.T) {
	for _, tt := range faults {
		d, err := Parse([]byte(tt.definition))
		if err == nil {
			_, err = Compile(d, scim.Default(), options)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error = %v, want one with %q", tt.definition, err, tt.want)
		}
		if e, ok := errors.AsType[*Error](err); !ok || e.Where == "" {
			t.Errorf("%s: %T says not where", tt.definition, err)
		}
	}
	for _, text := range []string{"people: {rowz: []}", "people: [", "people: {rows: [{to: a, from: 7}]}", `{"x": 1}`} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("Parse(%s) is taken", text)
		}
	}
}

func TestProfile_OwnRowsReplaceThoseOfTheProfile(t *testing.T) {
	m := compiled(t, `
profile: openldap
people:
  match: [userName]
  rows:
    - {to: username, from: mail}
    - {to: displayName, off: true}
    - {to: nickName, from: uid}
groups: {off: true}
`)
	w := apply(t, m, person(attrs{"uid": {"ann"}, "cn": {"Ann"}, "mail": {"a@x"}}), nil)
	if a := w.Resource.Attrs; a["userName"] != "a@x" || a["displayName"] != nil || a["nickName"] != "ann" || a["active"] != true {
		t.Errorf("attributes %v", a)
	}
	if m.Matches(source.Group) != nil || len(m.Matches(source.Person)) != 1 {
		t.Errorf("Matches = %v, %v", m.Matches(source.Group), m.Matches(source.Person))
	}
	if base, _ := Profile("openldap"); base.People.Rows[0].From[0] != "uid" {
		t.Error("the profile itself was changed")
	}
}
