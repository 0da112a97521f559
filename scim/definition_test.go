package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDefinition_Form(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                     "the definition: must be an object",
		`{"schema":[]}`:          `the definition: unknown key "schema"`,
		`{"schemas":{}}`:         "schemas: must be a list",
		`{"schemas":[5]}`:        "schemas[0]: must be an object",
		`{"schemas":[{"id":5}]}`: "schemas[0].id: must be a string",
		`{"schemas":[{"attributes":[{"name":"a"},{"name":"b","requird":true}]}]}`:  `schemas[0].attributes[1]: unknown key "requird"`,
		`{"schemas":[{"attributes":[{"required":"yes"}]}]}`:                        "schemas[0].attributes[0].required: must be true or false",
		`{"schemas":[{"attributes":[{"canonicalValues":[1]}]}]}`:                   "schemas[0].attributes[0].canonicalValues[0]: must be a string",
		`{"schemas":[{"attributes":[{"subAttributes":[{"type":null}]}]}]}`:         "schemas[0].attributes[0].subAttributes[0].type: must be a string",
		`{"resourceTypes":[{"schemaExtensions":[{"schema":"x","require":true}]}]}`: `resourceTypes[0].schemaExtensions[0]: unknown key "require"`,
		`{"extend":[{"type":"User","required":1}]}`:                                "extend[0].required: must be true or false",
		`{"schemas":[],"schemas":[]}`:                                              "twice",
	} {
		_, err := ParseDefinition([]byte(text))
		if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Detail, want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	var d Definition
	if err := json.Unmarshal([]byte(probeDefinition), &d); err != nil || len(d.Schemas) != 2 || !d.Schemas[0].Attributes[0].Indexed {
		t.Errorf("UnmarshalJSON: %+v, %v", d, err)
	}
}

// definition makes a definition of one custom type with the given attributes, and more keys.
func definition(attributes, more string) string {
	return `{"schemas":[{"id":"urn:example:thing:1.0:Thing","attributes":[` + attributes + `]}],
		"resourceTypes":[{"name":"Thing","endpoint":"/Things","schema":"urn:example:thing:1.0:Thing"}]` + more + `}`
}

func list(n int, format string) string {
	var items []string
	for i := range n {
		items = append(items, fmt.Sprintf(format, i))
	}
	return strings.Join(items, ",")
}

func TestNewRegistry_Attributes(t *testing.T) {
	for attributes, want := range map[string]string{
		`{"name":"a"}`:     "",
		`{"name":"x-1_Y"}`: "",
		`{"name":"a","type":"complex","subAttributes":[{"name":"$ref","type":"reference"},{"name":"primary","type":"boolean"}]}`: "",
		`{"name":"a","uniqueness":"server"}`:    "",
		``:                                      "attributes: a schema needs attributes",
		list(MaxAttributes, `{"name":"a%d"}`):   "",
		list(MaxAttributes+1, `{"name":"a%d"}`): "there are 201, more than 200",
		`{"name":""}`:                           "attributes[0].name: \"\" is no attribute name",
		`{"name":"1a"}`:                         "is no attribute name",
		`{"name":"a.b"}`:                        "is no attribute name",
		`{"name":"é"}`:                          "is no attribute name",
		`{"name":"$ref"}`:                       "is no attribute name",
		`{"name":"` + strings.Repeat("a", MaxNameLength) + `"}`:   "",
		`{"name":"` + strings.Repeat("a", MaxNameLength+1) + `"}`: "is no attribute name",
		`{"name":"a"},{"name":"A"}`:                               "attributes[1].name: A is there twice",
		`{"name":"ID"}`:                                           "ID is reserved",
		`{"name":"externalid"}`:                                   "is reserved",
		`{"name":"meta"}`:                                         "is reserved",
		`{"name":"members"}`:                                      "is reserved",
		`{"name":"password"}`:                                     "is reserved",
		`{"name":"a","type":"text"}`:                              `attributes[0].type: "text" is no data type`,
		`{"name":"a","mutability":"writeOnly"}`:                   "writeOnly is not supported",
		`{"name":"a","mutability":"readonly"}`:                    `"readonly" is neither`,
		`{"name":"a","returned":"often"}`:                         `"often" is neither`,
		`{"name":"a","uniqueness":"tenant"}`:                      `"tenant" is neither`,
		`{"name":"a","required":true,"mutability":"readOnly"}`:    "no client can set",
		`{"name":"a","type":"integer","indexed":true}`:            "a cannot be indexed",
		`{"name":"a","type":"complex"}`:                           "a is complex and needs sub-attributes",
		`{"name":"a","subAttributes":[{"name":"b"}]}`:             "a is not complex",
		`{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex","subAttributes":[{"name":"c"}]}]}`: "subAttributes[0].type: b cannot be complex",
		`{"name":"a","type":"complex","subAttributes":[{"name":"b","multiValued":true}]}`:                              "b cannot be multi-valued within a",
		`{"name":"a","type":"complex","subAttributes":[{"name":"primary"}]}`:                                           "primary must be boolean",
		`{"name":"a","type":"complex","subAttributes":[{"name":"$ref"}]}`:                                              "$ref must be a reference",
		`{"name":"a","type":"complex","subAttributes":[{"name":"b"},{"name":"B"}]}`:                                    "B is there twice",
		`{"name":"a","type":"complex","subAttributes":[{"name":"b","uniqueness":"server"}]}`:                           "sub-attribute b cannot be unique",
		`{"name":"a","type":"complex","subAttributes":[` + list(MaxSubAttributes, `{"name":"a%d"}`) + `]}`:             "",
		`{"name":"a","type":"complex","subAttributes":[` + list(MaxSubAttributes+1, `{"name":"a%d"}`) + `]}`:           "there are 51, more than 50",
		`{"name":"a","uniqueness":"server","multiValued":true}`:                                                        "a cannot be unique",
		`{"name":"a","uniqueness":"server","type":"integer"}`:                                                          "a cannot be unique",
		`{"name":"a","uniqueness":"server"},{"name":"b","uniqueness":"global"}`:                                        "b cannot be unique beside a",
		`{"name":"a","type":"integer","canonicalValues":["1"]}`:                                                        "a is no string",
		`{"name":"a","referenceTypes":["User"]}`:                                                                       "a is no reference",
		`{"name":"a","canonicalValues":["x","X"]}`:                                                                     `"X" is empty or there twice`,
		`{"name":"a","caseExact":true,"canonicalValues":["x","X"]}`:                                                    "",
		`{"name":"a","canonicalValues":[""]}`:                                                                          "is empty or there twice",
		`{"name":"a","canonicalValues":[` + list(MaxCanonical, `"v%d"`) + `]}`:                                         "",
		`{"name":"a","canonicalValues":[` + list(MaxCanonical+1, `"v%d"`) + `]}`:                                       "more than 100 canonical values",
	} {
		checkDefinition(t, definition(attributes, ""), want)
	}
}

func checkDefinition(t *testing.T, text, want string) {
	t.Helper()
	d, err := ParseDefinition([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	_, err = NewRegistry(d)
	if want == "" {
		if err != nil {
			t.Errorf("%.300s: %v", text, err)
		}
		return
	}
	if e, ok := errors.AsType[*Error](err); !ok || e.Type != InvalidValue || !strings.Contains(e.Detail, want) {
		t.Errorf("%.300s: got %v, want %q", text, err, want)
	}
}

func TestNewRegistry_SchemasAndTypes(t *testing.T) {
	schema := func(urn string) string { return `{"id":"` + urn + `","attributes":[{"name":"a"}]}` }
	one := `{"schemas":[` + schema("urn:x:a") + `],`
	for text, want := range map[string]string{
		`{}`: "",
		one + `"extend":[{"type":"User","schema":"urn:x:a"},{"type":"Group","schema":"URN:X:A","required":true}]}`: "",
		one + `"resourceTypes":[{"id":"A","name":"A","endpoint":"/As","schema":"urn:x:a"}]}`:                       "",
		one + `"extend":[]}`: `no resource type uses "urn:x:a"`,
		one + `"extend":[{"type":"User","schema":"urn:x:b"}]}`:                                                                       `schema "urn:x:b" is not in this definition`,
		one + `"extend":[{"type":"user","schema":"urn:x:a"}]}`:                                                                       `"user" cannot be extended`,
		one + `"extend":[{"type":"User","schema":"urn:x:a"},{"type":"User","schema":"urn:x:A"}]}`:                                    "is there twice",
		one + `"resourceTypes":[{"name":"A","endpoint":"/As","schema":"` + UserSchema + `"}]}`:                                       "is not in this definition",
		one + `"resourceTypes":[{"name":"A","endpoint":"/As","schema":"urn:x:a"}],"extend":[{"type":"User","schema":"urn:x:a"}]}`:    `"urn:x:a" is in use already`,
		one + `"resourceTypes":[{"name":"A","endpoint":"/As","schema":"urn:x:a"},{"name":"B","endpoint":"/Bs","schema":"urn:x:a"}]}`: `"urn:x:a" is in use already`,
		one + `"resourceTypes":[{"name":"user","endpoint":"/As","schema":"urn:x:a"}]}`:                                               `there is a resource type "user" already`,
		one + `"resourceTypes":[{"name":"A A","endpoint":"/As","schema":"urn:x:a"}]}`:                                                "is no name",
		one + `"resourceTypes":[{"id":"B","name":"A","endpoint":"/As","schema":"urn:x:a"}]}`:                                         "must be the name or left out",
		one + `"resourceTypes":[{"name":"A","endpoint":"As","schema":"urn:x:a"}]}`:                                                   `"As" is no endpoint`,
		one + `"resourceTypes":[{"name":"A","endpoint":"/a/b","schema":"urn:x:a"}]}`:                                                 `"/a/b" is no endpoint`,
		one + `"resourceTypes":[{"name":"A","endpoint":"/","schema":"urn:x:a"}]}`:                                                    `"/" is no endpoint`,
		one + `"resourceTypes":[{"name":"A","endpoint":"/users","schema":"urn:x:a"}]}`:                                               `"/users" is taken`,
		one + `"resourceTypes":[{"name":"A","endpoint":"/bulk","schema":"urn:x:a"}]}`:                                                `"/bulk" is taken`,
		`{"schemas":[` + schema("urn:x:a") + `,` + schema("urn:X:a") + `]}`:                                                          `"urn:X:a" is defined twice`,
		`{"schemas":[` + schema("urn:x") + `]}`:                                                                                      `"urn:x" is no schema URN`,
		`{"schemas":[` + schema("http://x/y") + `]}`:                                                                                 "is no schema URN",
		`{"schemas":[` + schema("urn:x::y") + `]}`:                                                                                   "is no schema URN",
		`{"schemas":[` + schema("urn:x:y z") + `]}`:                                                                                  "is no schema URN",
		`{"schemas":[` + schema("urn:x:"+strings.Repeat("y", MaxURNLength)) + `]}`:                                                   "is no schema URN",
		`{"schemas":[` + schema(strings.ToUpper(UserSchema)) + `]}`:                                                                  "belongs to the standard",
		`{"schemas":[` + schema(EnterpriseSchema) + `]}`:                                                                             "belongs to the standard",
		`{"schemas":[` + schema(PatchMessage) + `]}`:                                                                                 "belongs to the standard",
		`{"schemas":[` + schema("urn:ietf:params:scim:schemas:extension:Acme:2.0:User") + `],"extend":[{"type":"User","schema":"urn:ietf:params:scim:schemas:extension:Acme:2.0:User"}]}`:                     "",
		`{"schemas":[` + strings.ReplaceAll(list(MaxDefinedSchemas+1, `{"id":"urn:x:%d","attributes":[{"name":"a"}]}`), "\n", "") + `]}`:                                                                      "schemas: there are 51, more than 50",
		`{"resourceTypes":[` + list(MaxDefinedTypes+1, `{"name":"A%d"}`) + `]}`:                                                                                                                               "resourceTypes: there are 21, more than 20",
		`{"schemas":[{"id":"urn:x:a","attributes":[{"name":"a","uniqueness":"server"}]}],"extend":[{"type":"User","schema":"urn:x:a"}]}`:                                                                      "a cannot be unique",
		`{"schemas":[` + schema("urn:x:a") + `,` + schema("urn:x:b") + `],"resourceTypes":[{"name":"A","endpoint":"/As","schema":"urn:x:a","schemaExtensions":[{"schema":"urn:x:b"},{"schema":"urn:x:B"}]}]}`: "is there twice",
	} {
		checkDefinition(t, text, want)
	}
}

func TestNewRegistry_RequiredExtension(t *testing.T) {
	d, err := ParseDefinition([]byte(`{"schemas":[{"id":"urn:x:a","attributes":[{"name":"a"}]}],"extend":[{"type":"User","schema":"urn:x:a","required":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewRegistry(d)
	if err != nil {
		t.Fatal(err)
	}
	if x := g.Type("User").Extensions; len(x) != 2 || x[1] != (Extension{"urn:x:a", true}) || len(Default().Type("User").Extensions) != 1 {
		t.Errorf("extensions %v, of Default %v", x, Default().Type("User").Extensions)
	}
	if _, err := g.Decode("User", parse(t, userHead+`}`), DecodeOptions{}); err == nil || !strings.Contains(err.Error(), "extension urn:x:a is required") {
		t.Errorf("without the extension: %v", err)
	}
	if _, err := g.Decode("User", parse(t, userHead+`,"urn:x:a":{"a":"1"}}`), DecodeOptions{}); err != nil {
		t.Errorf("with the extension: %v", err)
	}
}

func TestCompatible(t *testing.T) {
	base := definition(`{"name":"a","canonicalValues":["x"]},{"name":"c","type":"complex","subAttributes":[{"name":"s"}]}`, ``)
	for _, c := range []struct{ name, from, to, want string }{
		{"nothing", "", "", ""},
		{"a description", `{"name":"a",`, `{"name":"a","description":"d",`, ""},
		{"a new attribute", `{"name":"c",`, `{"name":"new","indexed":true},{"name":"c",`, ""},
		{"a new sub-attribute", `{"name":"s"}`, `{"name":"s"},{"name":"new"}`, ""},
		{"a new canonical value", `["x"]`, `["x","y"]`, ""},
		{"a new extension", `{"name":"Thing",`, `{"name":"Thing","schemaExtensions":[{"schema":"urn:x:e"}],`, ""},
		{"a required extension", `{"name":"Thing",`, `{"name":"Thing","schemaExtensions":[{"schema":"urn:x:e","required":true}],`, `extension "urn:x:e" of Thing cannot become required`},
		{"a new extension of User", `"resourceTypes"`, `"extend":[{"type":"User","schema":"urn:x:e"}],"resourceTypes"`, ""},
		{"a required extension of User", `"resourceTypes"`, `"extend":[{"type":"User","schema":"urn:x:e","required":true}],"resourceTypes"`, `extension "urn:x:e" of User cannot become required`},
		{"a schema gone", `urn:example:thing:1.0:Thing`, `urn:example:thing:1.1:Thing`, `schema "urn:example:thing:1.0:Thing" is gone`},
		{"a type gone", `"name":"Thing"`, `"name":"Other"`, `resource type "Thing" is gone`},
		{"an endpoint moved", `"/Things"`, `"/Stuff"`, "its endpoint and its schema cannot change"},
		{"an attribute gone", `"name":"a"`, `"name":"b"`, "attribute urn:example:thing:1.0:Thing:a is gone"},
		{"a sub-attribute gone", `"name":"s"`, `"name":"t"`, "Thing:c.s is gone"},
		{"a type changed", `{"name":"s"}`, `{"name":"s","type":"integer"}`, "its type cannot change from string to integer"},
		{"more values", `{"name":"s"}`, `{"name":"s","multiValued":true}`, "multiValued cannot change"},
		{"case", `{"name":"s"}`, `{"name":"s","caseExact":true}`, "caseExact cannot change"},
		{"mutability", `{"name":"s"}`, `{"name":"s","mutability":"immutable"}`, "its mutability cannot change"},
		{"returned", `{"name":"s"}`, `{"name":"s","returned":"never"}`, "returned cannot change"},
		{"uniqueness", `{"name":"a",`, `{"name":"a","uniqueness":"server",`, "its uniqueness cannot change"},
		{"required", `{"name":"a",`, `{"name":"a","required":true,`, "Thing:a cannot become required"},
		{"required and new", `{"name":"c",`, `{"name":"new","required":true},{"name":"c",`, "Thing:new is new and cannot be required"},
		{"indexed", `{"name":"a",`, `{"name":"a","indexed":true,`, "Thing:a cannot become indexed"},
		{"a canonical value gone", `["x"]`, `["y"]`, `canonical value "x" is gone`},
	} {
		next := strings.Replace(base, c.from, c.to, 1)
		if c.from != "" && next == base {
			t.Fatalf("%s: %q is not in the definition", c.name, c.from)
		}
		old, err := ParseDefinition([]byte(base))
		if err != nil {
			t.Fatal(err)
		}
		d, err := ParseDefinition([]byte(next))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		err = Compatible(old, d)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	with, err := ParseDefinition([]byte(`{"extend":[{"type":"Group","schema":"urn:x:e"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := Compatible(with, Definition{}); err == nil || !strings.Contains(err.Error(), `extension "urn:x:e" of Group is gone`) {
		t.Errorf("an extension of Group gone: %v", err)
	}
}

// TestDefinition_Guide holds that the example of docs/schemas.md works and does what the guide says.
func TestDefinition_Guide(t *testing.T) {
	guide, err := os.ReadFile("../docs/schemas.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(guide), "```json\n")
	example, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("docs/schemas.md has no ```json block")
	}
	d, err := ParseDefinition([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewRegistry(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := Compatible(d, d); err != nil {
		t.Errorf("a definition is not compatible with itself: %v", err)
	}
	const badge = "urn:acme:params:scim:schemas:extension:badge:2.0:User"
	u, err := g.Decode("User", parse(t, userHead+`,"`+badge+`":{"number":"B1","doors":["Front"]}}`), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := g.Index(&u.Resource)
	want := []IndexRow{{"username", "u", 0, ""}, {strings.ToLower(badge) + ":number", "B1", 0, ""}, {strings.ToLower(badge) + ":doors.value", "front", 0, ""}}
	if diff := cmp.Diff(want, rows); diff != "" || err != nil {
		t.Errorf("index: %v %s", err, diff)
	}
	if typ := g.ByEndpoint("devices"); typ == nil || typ.Name != "Device" {
		t.Errorf("no endpoint /Devices: %v", typ)
	}
	if got := len(g.Schemas()); got != 5 {
		t.Errorf("%d schemas are published, want 5", got)
	}
}

// TestDefinition_PastedFromASchemasEndpoint holds that a schema in the form of RFC 7643 §8.7 can be used as it is.
func TestDefinition_PastedFromASchemasEndpoint(t *testing.T) {
	published, err := json.Marshal(probe(t).Schema("urn:example:lease:1.0:Probe"))
	if err != nil {
		t.Fatal(err)
	}
	text := `{"schemas":[` + strings.Replace(string(published), "{", `{"schemas":["`+SchemaSchema+`"],"meta":{"resourceType":"Schema"},`, 1) + `],
		"extend":[{"type":"Group","schema":"urn:example:lease:1.0:Probe"}]}`
	checkDefinition(t, text, "")
}
