package scim

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// object reads a JSON object.
func object(tb testing.TB, s string) Object {
	tb.Helper()
	v, err := ParseJSON([]byte(s), 0)
	if err != nil {
		tb.Fatalf("%s: %v", s, err)
	}
	o, ok := v.(Object)
	if !ok {
		tb.Fatalf("%s is no object", s)
	}
	return o
}

// operations reads a JSON list of operations.
func operations(tb testing.TB, s string) []Op {
	tb.Helper()
	v, err := ParseJSON([]byte(s), 0)
	if err != nil {
		tb.Fatalf("%s: %v", s, err)
	}
	var ops []Op
	for _, e := range v.([]any) {
		o := e.(Object)
		op := Op{Value: o["value"]}
		op.Op, _ = o["op"].(string)
		op.Path, _ = o["path"].(string)
		ops = append(ops, op)
	}
	return ops
}

// asJSON prints a value with sorted keys.
func asJSON(tb testing.TB, v any) string {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// base is the user that the operations of the tests change.
const base = `{
	"userName": "ann", "active": true, "title": "Engineer", "name": {"givenName": "Ann", "familyName": "Lee"},
	"emails": [{"value": "ann@work", "type": "work", "primary": true}, {"value": "ann@home", "type": "home"}],
	"phoneNumbers": [{"value": "55555555555", "type": "mobile"}],
	"` + EnterpriseSchema + `": {"employeeNumber": "1", "manager": {"value": "m1", "$ref": "https://x/Users/m1", "displayName": "Max"}}
}`

const (
	mgr  = EnterpriseSchema + ":manager"
	ent  = EnterpriseSchema
	work = `emails[type eq \"work\"]`
)

// patchCase is one PATCH of the user base. want is a JSON object merged over base at the top level (null removes
// a key).
type patchCase struct {
	name, ops, want string
	tolerances      string
}

var patchCases = []patchCase{
	// RFC 7644 §3.5.2.1: add.
	{"add simple", `[{"op":"add","path":"nickName","value":"B"}]`, `{"nickName":"B"}`, ""},
	{"add existing", `[{"op":"add","path":"title","value":"Boss"}]`, `{"title":"Boss"}`, ""},
	{"add same", `[{"op":"add","path":"title","value":"Engineer"}]`, `{}`, ""},
	{"add without path", `[{"op":"add","value":{"emails":[{"value":"b@x","type":"other"}],"nickname":"Babs"}}]`,
		`{"nickName":"Babs","emails":[{"value":"ann@work","type":"work","primary":true},{"value":"ann@home","type":"home"},{"value":"b@x","type":"other"}]}`, ""},
	{"add sub-attribute", `[{"op":"add","path":"name.middleName","value":"Q"}]`, `{"name":{"givenName":"Ann","familyName":"Lee","middleName":"Q"}}`, ""},
	{"add complex merges", `[{"op":"add","path":"name","value":{"givenName":"Anna"}}]`, `{"name":{"givenName":"Anna","familyName":"Lee"}}`, ""},
	{"add to list repeats", `[{"op":"add","path":"emails","value":[{"value":"ANN@work","type":"WORK","primary":true}]}]`,
		`{"emails":[{"value":"ANN@work","type":"work","primary":true},{"value":"ann@home","type":"home"}]}`, ""},
	{"add identical element", `[{"op":"add","path":"emails","value":[{"value":"ann@home","type":"home"}]}]`, `{}`, ""},
	{"add element without type", `[{"op":"add","path":"emails","value":[{"value":"ann@home","display":"H"}]}]`,
		`{"emails":[{"value":"ann@work","type":"work","primary":true},{"value":"ann@home","type":"home","display":"H"}]}`, ""},
	{"add same value other type", `[{"op":"add","path":"emails","value":[{"value":"ann@home","type":"other"}]}]`,
		`{"emails":[{"value":"ann@work","type":"work","primary":true},{"value":"ann@home","type":"home"},{"value":"ann@home","type":"other"}]}`, ""},
	{"add element of its own", `[{"op":"add","path":"emails","value":{"value":"c@x"}}]`,
		`{"emails":[{"value":"ann@work","type":"work","primary":true},{"value":"ann@home","type":"home"},{"value":"c@x"}]}`, "single-for-list"},
	{"add bare string", `[{"op":"add","path":"emails","value":"c@x"}]`,
		`{"emails":[{"value":"ann@work","type":"work","primary":true},{"value":"ann@home","type":"home"},{"value":"c@x"}]}`, "single-for-list plain-value"},
	{"add address twice", `[{"op":"add","path":"addresses","value":[{"locality":"Bern"}]},{"op":"add","path":"addresses","value":[{"locality":"Bern"},{"locality":"Basel"}]}]`,
		`{"addresses":[{"locality":"Bern"},{"locality":"Basel"}]}`, ""},
	{"primary demotes", `[{"op":"add","path":"emails","value":[{"value":"c@x","primary":true}]}]`,
		`{"emails":[{"value":"ann@work","type":"work","primary":false},{"value":"ann@home","type":"home"},{"value":"c@x","primary":true}]}`, ""},
	{"primary by path demotes", `[{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}]`,
		`{"emails":[{"value":"ann@work","type":"work","primary":false},{"value":"ann@home","type":"home","primary":true}]}`, ""},
	{"add null", `[{"op":"add","path":"title","value":null}]`, `{}`, "add-null"},
	{"add to value path", `[{"op":"add","path":"` + work + `","value":{"display":"W"}}]`,
		`{"emails":[{"value":"ann@work","type":"work","primary":true,"display":"W"},{"value":"ann@home","type":"home"}]}`, ""},

	// §3.5.2.2: remove.
	{"remove simple", `[{"op":"remove","path":"title"}]`, `{"title":null}`, ""},
	{"remove absent", `[{"op":"remove","path":"nickName"},{"op":"remove","path":"photos"},{"op":"remove","path":"photos.value"},{"op":"remove","path":"name.middleName"},{"op":"remove","path":"emails[type eq \"x\"]"}]`, `{}`, ""},
	{"remove sub-attribute", `[{"op":"remove","path":"name.givenName"}]`, `{"name":{"familyName":"Lee"}}`, ""},
	{"remove last sub-attribute", `[{"op":"remove","path":"name.givenName"},{"op":"remove","path":"name.familyName"}]`, `{"name":null}`, ""},
	{"remove complex", `[{"op":"remove","path":"name"}]`, `{"name":null}`, ""},
	{"remove list", `[{"op":"remove","path":"emails"}]`, `{"emails":null}`, ""},
	{"remove element", `[{"op":"remove","path":"` + work + `"}]`, `{"emails":[{"value":"ann@home","type":"home"}]}`, ""},
	{"remove by filter", `[{"op":"remove","path":"emails[type eq \"work\" and value ew \"WORK\"]"}]`, `{"emails":[{"value":"ann@home","type":"home"}]}`, ""},
	{"remove last element", `[{"op":"remove","path":"phoneNumbers[type pr]"}]`, `{"phoneNumbers":null}`, ""},
	{"remove element's value", `[{"op":"remove","path":"` + work + `.value"}]`, `{"emails":[{"value":"ann@home","type":"home"}]}`, "element-dropped"},
	{"remove element's primary", `[{"op":"remove","path":"` + work + `.primary"}]`, `{"emails":[{"value":"ann@work","type":"work"},{"value":"ann@home","type":"home"}]}`, ""},
	{"remove sub of all", `[{"op":"remove","path":"emails.type"}]`, `{"emails":[{"value":"ann@work","primary":true},{"value":"ann@home"}]}`, ""},
	{"remove listed values", `[{"op":"Remove","path":"emails","value":[{"value":"ANN@work"}]}]`, `{"emails":[{"value":"ann@home","type":"home"}]}`, "op-case remove-value"},
	{"remove listed value of a type", `[{"op":"remove","path":"emails","value":[{"value":"ann@work","type":"home"},{"type":"home"}]}]`, `{"emails":[{"value":"ann@work","type":"work","primary":true}]}`, "remove-value"},
	{"remove none listed", `[{"op":"remove","path":"emails","value":[]}]`, `{}`, "remove-value"},
	{"remove listed bare", `[{"op":"remove","path":"emails","value":"ann@home"}]`, `{"emails":[{"value":"ann@work","type":"work","primary":true}]}`, "remove-value plain-value"},
	{"remove single with value", `[{"op":"remove","path":"title","value":"x"}]`, `{"title":null}`, ""},
	{"remove extension", `[{"op":"remove","path":"` + ent + `"}]`, `{"` + ent + `":null}`, ""},
	{"remove extension attribute", `[{"op":"remove","path":"` + ent + `:employeeNumber"},{"op":"remove","path":"` + mgr + `"}]`, `{"` + ent + `":null}`, ""},

	// §3.5.2.3: replace.
	{"replace simple", `[{"op":"replace","path":"userName","value":"anna"}]`, `{"userName":"anna"}`, ""},
	{"replace without path", `[{"op":"replace","value":{"userName":"anna","emails":[{"value":"n@x"}],"name":{"givenName":"A"}}}]`,
		`{"userName":"anna","emails":[{"value":"n@x"}],"name":{"givenName":"A","familyName":"Lee"}}`, ""},
	{"replace list", `[{"op":"replace","path":"emails","value":[{"value":"n@x","type":"work"}]}]`, `{"emails":[{"value":"n@x","type":"work"}]}`, ""},
	{"replace list by nothing", `[{"op":"replace","path":"emails","value":[]}]`, `{"emails":null}`, ""},
	{"replace null", `[{"op":"replace","value":{"title":null,"name":{"givenName":null}}}]`, `{"title":null,"name":{"familyName":"Lee"}}`, ""},
	{"replace empty string", `[{"op":"replace","path":"title","value":""}]`, `{"title":null}`, "empty-string"},
	{"replace absent", `[{"op":"replace","path":"nickName","value":"B"}]`, `{"nickName":"B"}`, ""},
	{"replace complex", `[{"op":"replace","path":"name","value":{"familyName":"Ng"}}]`, `{"name":{"givenName":"Ann","familyName":"Ng"}}`, ""},
	{"replace element", `[{"op":"replace","path":"` + work + `","value":{"value":"n@x"}}]`,
		`{"emails":[{"value":"n@x","type":"work","primary":true},{"value":"ann@home","type":"home"}]}`, "element-filled"},
	{"replace whole element", `[{"op":"replace","path":"emails[type eq \"home\"]","value":{"type":"home","value":"n@x","primary":true}}]`,
		`{"emails":[{"value":"ann@work","type":"work","primary":false},{"value":"n@x","type":"home","primary":true}]}`, ""},
	{"replace element by list", `[{"op":"replace","path":"` + work + `","value":[{"type":"work","primary":true,"value":"n@x"}]}]`,
		`{"emails":[{"value":"n@x","type":"work","primary":true},{"value":"ann@home","type":"home"}]}`, ""},
	{"replace element by null", `[{"op":"replace","path":"` + work + `","value":null}]`, `{"emails":[{"value":"ann@home","type":"home"}]}`, ""},
	{"replace sub of all matches", `[{"op":"replace","path":"emails[value pr].display","value":"D"}]`,
		`{"emails":[{"value":"ann@work","type":"work","primary":true,"display":"D"},{"value":"ann@home","type":"home","display":"D"}]}`, ""},
	{"replace sub of all", `[{"op":"replace","path":"emails.display","value":"D"}]`,
		`{"emails":[{"value":"ann@work","type":"work","primary":true,"display":"D"},{"value":"ann@home","type":"home","display":"D"}]}`, ""},
	{"replace value of the only one", `[{"op":"replace","path":"phoneNumbers.value","value":"1"}]`, `{"phoneNumbers":[{"value":"1","type":"mobile"}]}`, ""},
	{"add value of none", `[{"op":"add","path":"photos.value","value":"http://x"}]`, `{"photos":[{"value":"http://x"}]}`, ""},
	{"add empty value of none", `[{"op":"add","path":"photos.value","value":""}]`, `{}`, "empty-string"},

	// Entra.
	{"R-29 False", `[{"op":"Replace","path":"active","value":"False"}]`, `{"active":false}`, "op-case boolean-string"},
	{"R-29 false", `[{"op":"replace","path":"active","value":false}]`, `{"active":false}`, ""},
	{"R-29 path-less", `[{"op":"replace","value":{"active":false}}]`, `{"active":false}`, ""},
	{"R-30 True", `[{"op":"Replace","path":"active","value":"False"},{"op":"Replace","path":"active","value":"True"}]`, `{}`, "op-case boolean-string"},
	{"R-31", `[{"op":"ADD","path":"nickName","value":"n"},{"op":"REMOVE","path":"title"}]`, `{"nickName":"n","title":null}`, "op-case"},
	{"R-32", `[{"op":"Replace","path":"displayName","value":"D"},{"op":"Replace","path":"` + work + `.value","value":"w@x"},{"op":"Replace","path":"name.givenName","value":"G"},
		{"op":"Replace","path":"externalId","value":"e2"},{"op":"Replace","path":"` + ent + `:employeeNumber","value":"E"},{"op":"Replace","path":"title","value":"T"}]`,
		`{"displayName":"D","title":"T","name":{"givenName":"G","familyName":"Lee"},"emails":[{"value":"w@x","type":"work","primary":true},{"value":"ann@home","type":"home"}],
		"` + ent + `":{"employeeNumber":"E","manager":{"value":"m1","$ref":"https://x/Users/m1","displayName":"Max"}}}`, "op-case"},
	{"R-33", `[{"op":"replace","value":{"displayName":"D","name.givenName":"G","name.familyName":"F","` + ent + `:employeeNumber":"E"}}]`,
		`{"displayName":"D","name":{"givenName":"G","familyName":"F"},"` + ent + `":{"employeeNumber":"E","manager":{"value":"m1","$ref":"https://x/Users/m1","displayName":"Max"}}}`, "dotted-key urn-key"},
	{"nested extension key", `[{"op":"replace","value":{"` + strings.ToUpper(ent) + `":{"Department":"D","employeeNumber":null,"manager.value":"m1","bogus":1}}}]`,
		`{"` + ent + `":{"department":"D","manager":{"value":"m1","$ref":"https://x/Users/m1","displayName":"Max"}}}`, "unknown-attribute dotted-key"},
	{"core schema key", `[{"op":"add","value":{"` + UserSchema + `":{"title":"T"},"` + UserSchema + `:nickName":"N"}}]`, `{"title":"T","nickName":"N"}`, "urn-key"},
	{"value path as key", `[{"op":"replace","value":{"` + work + `.value":"w@x"}}]`,
		`{"emails":[{"value":"w@x","type":"work","primary":true},{"value":"ann@home","type":"home"}]}`, "dotted-key"},
	{"R-34 add", `[{"op":"Add","path":"addresses[type eq \"work\"].country","value":"CH"},{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"Bern"}]`,
		`{"addresses":[{"type":"work","country":"CH","locality":"Bern"}]}`, "op-case"},
	{"R-34 replace", `[{"op":"Replace","path":"phoneNumbers[type eq \"work\"].value","value":"7"}]`,
		`{"phoneNumbers":[{"value":"55555555555","type":"mobile"},{"value":"7","type":"work"}]}`, "op-case element-created"},
	{"R-34 replace object", `[{"op":"replace","path":"ims[type eq \"XMPP\"]","value":{"value":"a"}}]`, `{"ims":[{"value":"a","type":"xmpp"}]}`, "element-created"},
	{"R-34 nothing to create", `[{"op":"replace","path":"ims[type eq \"xmpp\"].value","value":""}]`, `{}`, "empty-string"},
	{"R-36", `[{"op":"Add","path":"roles[primary eq \"True\"].display","value":"D"},{"op":"Add","path":"roles[primary eq \"True\"].value","value":"V"},{"op":"Add","path":"roles[primary eq \"True\"].type","value":"T"}]`,
		`{"roles":[{"primary":true,"display":"D","value":"V","type":"T"}]}`, "op-case"},
	{"roles in a string", `[{"op":"Add","path":"roles","value":[{"value":"{\"id\":1}"}]}]`, `{"roles":[{"value":"{\"id\":1}"}]}`, "op-case"},
	{"R-37 string", `[{"op":"Add","path":"` + mgr + `","value":"271"}]`, `{"` + ent + `":{"employeeNumber":"1","manager":{"value":"271"}}}`, "op-case plain-value"},
	{"R-37 object", `[{"op":"add","path":"` + mgr + `","value":{"value":"271"}}]`, `{"` + ent + `":{"employeeNumber":"1","manager":{"value":"271"}}}`, ""},
	{"R-37 array", `[{"op":"add","path":"manager","value":[{"$ref":"https://x/Users/2","value":"2"}]}]`,
		`{"` + ent + `":{"employeeNumber":"1","manager":{"value":"2","$ref":"https://x/Users/2"}}}`, "bare-extension-key list-for-single"},
	{"R-37 same", `[{"op":"add","path":"` + mgr + `","value":{"value":"m1"}}]`, `{}`, ""},
	{"R-37 empty string", `[{"op":"replace","path":"` + mgr + `","value":""}]`, `{"` + ent + `":{"employeeNumber":"1"}}`, "empty-string"},
	{"R-37 empty value", `[{"op":"replace","path":"` + mgr + `","value":{"value":""}}]`, `{"` + ent + `":{"employeeNumber":"1"}}`, "empty-string"},
	{"R-37 remove", `[{"op":"remove","path":"` + mgr + `"}]`, `{"` + ent + `":{"employeeNumber":"1"}}`, ""},
	{"R-37 dotted URN", `[{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager","value":"2"}]`,
		`{"` + ent + `":{"employeeNumber":"1","manager":{"value":"2"}}}`, "op-case dotted-urn plain-value"},
	{"R-37 manager.value", `[{"op":"replace","path":"` + mgr + `.value","value":"2"}]`, `{"` + ent + `":{"employeeNumber":"1","manager":{"value":"2"}}}`, ""},
	{"R-37 remove manager.value", `[{"op":"remove","path":"` + mgr + `.value"}]`, `{"` + ent + `":{"employeeNumber":"1"}}`, ""},
	{"R-39 P2", `[{"op":"remove","path":"userName"},{"op":"add","path":"userName","value":"a"},{"op":"replace","path":"userName","value":"b"}]`, `{"userName":"b"}`, ""},
	{"P1", `[{"op":"remove","path":"title"},{"op":"add","path":"externalId","value":"e2"},{"op":"replace","path":"displayName","value":"D"}]`, `{"title":null,"displayName":"D"}`, ""},
	{"extension object by path", `[{"op":"add","path":"` + ent + `","value":{"department":"D"}}]`,
		`{"` + ent + `":{"department":"D","employeeNumber":"1","manager":{"value":"m1","$ref":"https://x/Users/m1","displayName":"Max"}}}`, ""},

	// What is not stored, or not a client's.
	{"R-44", `[{"op":"replace","value":{"password":"s3cret"}},{"op":"replace","path":"password","value":"x"},{"op":"remove","path":"password"}]`, `{}`, ""},
	{"R-61", `[{"op":"replace","value":{"id":"x","meta":{"version":"9"},"groups":[],"schemas":["urn:x"],"title":"T"}}]`, `{"title":"T"}`, "readonly-ignored"},
	{"manager display name", `[{"op":"replace","value":{"` + ent + `":{"manager":{"displayName":"Other"}}}}]`, `{}`, ""},
	{"unknown keys", `[{"op":"replace","value":{"bogus":1,"name.bogus":2,"urn:x:y":{"a":1},"urn:x:1.0":{},"x y":1,"members":[],"title":"T"}}]`, `{"title":"T"}`, "unknown-attribute"},
	{"schemas path", `[{"op":"add","path":"schemas","value":["urn:x"]}]`, `{}`, "schemas-path"},
	{"null active", `[{"op":"replace","value":{"active":null}}]`, `{}`, "null-active"},
	{"value path with the core URN", `[{"op":"replace","path":"` + UserSchema + `:` + work + `.value","value":"w@x"}]`,
		`{"emails":[{"value":"w@x","type":"work","primary":true},{"value":"ann@home","type":"home"}]}`, ""},
	{"names in any case", `[{"op":"replace","path":"NAME.GivenName","value":"A"},{"op":"replace","path":"EMAILS[TYPE eq \"work\"].VALUE","value":"w@x"}]`,
		`{"name":{"givenName":"A","familyName":"Lee"},"emails":[{"value":"w@x","type":"work","primary":true},{"value":"ann@home","type":"home"}]}`, ""},
}

// patched merges want over the attributes of base.
func patched(tb testing.TB, want string) Object {
	tb.Helper()
	attrs := object(tb, base)
	for key, v := range object(tb, want) {
		put(attrs, key, v)
	}
	return attrs
}

func TestPatch(t *testing.T) {
	for _, tt := range patchCases {
		t.Run(tt.name, func(t *testing.T) {
			r := Resource{Type: "User", ID: "u", ExternalID: "e1", Attrs: object(t, base)}
			got, err := Default().Patch(r, operations(t, tt.ops), PatchOptions{})
			if err != nil {
				t.Fatalf("Patch(%s): %v", tt.ops, err)
			}
			want := patched(t, tt.want)
			if !reflect.DeepEqual(got.Attrs, want) {
				t.Errorf("Patch(%s)\n got %s\nwant %s", tt.ops, asJSON(t, got.Attrs), asJSON(t, want))
			}
			if tol := strings.Join(got.Tolerances, " "); tol != tt.tolerances {
				t.Errorf("Patch(%s): tolerances %q, want %q", tt.ops, tol, tt.tolerances)
			}
			changed := !reflect.DeepEqual(want, object(t, base)) || got.ExternalID != "e1"
			if got.Changed != changed || got.Members != nil {
				t.Errorf("Patch(%s): Changed %v, want %v; Members %v, want none", tt.ops, got.Changed, changed, got.Members)
			}
			if !reflect.DeepEqual(r.Attrs, object(t, base)) {
				t.Errorf("Patch(%s) changed its argument to %s", tt.ops, asJSON(t, r.Attrs))
			}
		})
	}
}

func TestPatch_ExternalID(t *testing.T) {
	for _, tt := range []struct{ ops, want string }{
		{`[{"op":"replace","path":"externalId","value":"e2"}]`, "e2"},
		{`[{"op":"replace","value":{"externalid":"e2"}}]`, "e2"},
		{`[{"op":"remove","path":"externalId"}]`, ""},
		{`[{"op":"replace","path":"externalId","value":""}]`, ""},
		{`[{"op":"replace","path":"externalId","value":null}]`, ""},
		{`[{"op":"add","path":"externalId","value":null}]`, "e1"},
		{`[{"op":"add","path":"` + UserSchema + `:externalId","value":"E1"}]`, "E1"},
	} {
		r := Resource{Type: "User", ExternalID: "e1", Attrs: object(t, base)}
		got, err := Default().Patch(r, operations(t, tt.ops), PatchOptions{})
		if err != nil || got.ExternalID != tt.want || got.Changed != (tt.want != "e1") {
			t.Errorf("Patch(%s) = externalId %q, changed %v, %v, want %q", tt.ops, got.ExternalID, got.Changed, err, tt.want)
		}
	}
}

var patchErrors = []struct {
	ops    string
	kind   ErrorType
	detail string
}{
	{`[]`, InvalidSyntax, `at least one operation`},
	{`[{"op":"move","path":"title"}]`, InvalidSyntax, `operation 1 (move "title"): op is "move"; expected "add", "remove" or "replace"`},
	{`[{"path":"title"}]`, InvalidSyntax, `op is ""`},
	{`[{"op":"add","path":"title","value":"x"},{"op":"remove"}]`, NoTarget, `operation 2 (remove): a remove needs a path`},
	{`[{"op":"remove","path":" "}]`, NoTarget, `a remove needs a path`},
	{`[{"op":"add","value":"x"}]`, InvalidValue, `must be an object`},
	{`[{"op":"add","value":[{"title":"x"}]}]`, InvalidValue, `must be an object`},
	{`[{"op":"replace"}]`, InvalidValue, `must be an object`},
	{`[{"op":"add","path":"` + ent + `","value":"x"}]`, InvalidValue, `must be an object`},
	{`[{"op":"replace","value":{"` + ent + `":"x"}}]`, InvalidValue, `must be an object`},
	{`[{"op":"add","path":"bogus","value":"x"}]`, InvalidPath, `User has no attribute "bogus"`},
	{`[{"op":"remove","path":"urn:x:title"}]`, InvalidPath, `no attribute "urn:x:title"`},
	{`[{"op":"remove","path":"urn:x:1.0"}]`, InvalidPath, `no attribute "urn:x:1.0"`},
	{`[{"op":"replace","path":"name.bogus","value":"x"}]`, InvalidPath, `"name.bogus"`},
	{`[{"op":"replace","path":"emails[type eq","value":"x"}]`, InvalidPath, `expected a value after "eq"`},
	{`[{"op":"replace","path":"emails[0].value","value":"x"}]`, InvalidPath, `attribute path`},
	{`[{"op":"replace","path":"emails[bogus eq 1].value","value":"x"}]`, InvalidFilter, `no sub-attribute "bogus"`},
	{`[{"op":"replace","path":"emails[primary gt true].value","value":"x"}]`, InvalidFilter, `no operator gt`},
	{`[{"op":"replace","path":"name[givenName pr].familyName","value":"x"}]`, InvalidPath, `one value only`},
	{`[{"op":"replace","path":"emails.value","value":"x"}]`, InvalidPath, `does not say which of 2 values`},
	{`[{"op":"replace","path":"emails[type eq \"x\" or type eq \"y\"].value","value":"x"}]`, NoTarget, `none can be made`},
	{`[{"op":"add","path":"emails[value eq \"old\"].value","value":"new"}]`, NoTarget, `none can be made`},
	{`[{"op":"replace","path":"` + work + `","value":[{"value":"a"},{"value":"b"}]}]`, InvalidValue, `one value, not a list`},
	{`[{"op":"replace","path":"active","value":"maybe"}]`, InvalidValue, `active must be true or false`},
	{`[{"op":"replace","path":"name","value":"x"}]`, InvalidValue, `name must be an object`},
	{`[{"op":"replace","path":"title","value":{"a":1}}]`, InvalidValue, `title must be a string`},
	{`[{"op":"replace","path":"externalId","value":5}]`, InvalidValue, `externalId must be a string`},
	{`[{"op":"replace","path":"password","value":["s3cret",5]}]`, InvalidValue, `password must be a string`},
	{`[{"op":"remove","path":"userName"}]`, Mutability, `userName is required`},
	{`[{"op":"replace","path":"userName","value":""}]`, InvalidValue, `userName is required`},
	{`[{"op":"replace","value":{"userName":null}}]`, InvalidValue, `userName is required`},
	{`[{"op":"remove","path":"active"}]`, InvalidValue, `replace it by false`},
	{`[{"op":"replace","path":"active","value":null}]`, InvalidValue, `replace it by false`},
	{`[{"op":"remove","path":"schemas"}]`, Mutability, `schemas follows`},
	{`[{"op":"remove","path":"` + UserSchema + `"}]`, Mutability, `cannot be removed together`},
	{`[{"op":"replace","path":"id","value":"x"}]`, Mutability, `id is readOnly`},
	{`[{"op":"remove","path":"id"}]`, Mutability, `id is readOnly`},
	{`[{"op":"replace","path":"meta.version","value":"x"}]`, Mutability, `meta.version is readOnly`},
	{`[{"op":"add","path":"groups","value":[{"value":"g"}]}]`, Mutability, `groups is readOnly`},
	{`[{"op":"remove","path":"groups[value eq \"g\"]"}]`, Mutability, `groups is readOnly`},
	{`[{"op":"replace","path":"` + mgr + `.displayName","value":"x"}]`, Mutability, `manager.displayName is readOnly`},
	{`[{"op":"add","path":"title","value":"T"},{"op":"add","path":"nickName","value":5}]`, InvalidValue, `operation 2 (add "nickName"): nickName must be a string`},
}

func TestPatch_Errors(t *testing.T) {
	for _, tt := range patchErrors {
		r := Resource{Type: "User", ID: "u", Attrs: object(t, base)}
		got, err := Default().Patch(r, operations(t, tt.ops), PatchOptions{})
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Type != tt.kind || !strings.Contains(e.Detail, tt.detail) || strings.Contains(e.Detail, "s3cret") {
			t.Errorf("Patch(%s) = %v, want %s with %q", tt.ops, err, tt.kind, tt.detail)
		}
		if !reflect.DeepEqual(got, PatchResult{}) || !reflect.DeepEqual(r.Attrs, object(t, base)) {
			t.Errorf("Patch(%s) failed but changed something", tt.ops)
		}
	}
}
