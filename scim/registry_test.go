package scim

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRegistry_CoreIsComplete(t *testing.T) {
	g := Default()
	var names []string
	for _, s := range g.Schemas() {
		names = append(names, s.ID)
	}
	if got := strings.Join(names, " "); got != UserSchema+" "+EnterpriseSchema+" "+GroupSchema {
		t.Errorf("schemas %s", got)
	}
	for urn, attrs := range map[string]string{
		UserSchema:       "userName name displayName nickName profileUrl title userType preferredLanguage locale timezone active emails phoneNumbers ims photos addresses groups entitlements roles x509Certificates",
		GroupSchema:      "displayName members",
		EnterpriseSchema: "employeeNumber costCenter organization division department manager",
		SPCSchema:        "documentationUri patch bulk filter changePassword sort etag pagination authenticationSchemes",
		TypeSchema:       "id name description endpoint schema schemaExtensions",
		SchemaSchema:     "id name description attributes",
	} {
		s := g.Schema(strings.ToUpper(urn))
		if s == nil {
			t.Errorf("no schema %s", urn)
			continue
		}
		var names []string
		for _, a := range s.Attributes {
			names = append(names, a.Name)
			if a.Description == "" {
				t.Errorf("%s.%s has no description", s.Name, a.Name)
			}
		}
		if got := strings.Join(names, " "); got != attrs {
			t.Errorf("%s has %s", urn, got)
		}
	}
	if g.Schema("urn:nothing") != nil {
		t.Error("an unknown URN has a schema")
	}
}

// TestRegistry_Characteristics holds the characteristics of RFC 7643 §4 and §8.7 that are not the defaults of §2.2.
func TestRegistry_Characteristics(t *testing.T) {
	for path, want := range map[string]string{
		"User id":                     "string exact readOnly always global",
		"User externalId":             "string exact readWrite default none",
		"User schemas":                "string readOnly always none multi required",
		"User meta.created":           "dateTime readOnly default none",
		"User meta.location":          "reference exact readOnly default none",
		"User meta.version":           "string exact readOnly default none",
		"User userName":               "string readWrite default server required",
		"User password":               "string exact writeOnly never none",
		"User active":                 "boolean readWrite default none",
		"User profileUrl":             "reference exact readWrite default none",
		"User emails":                 "complex readWrite default none multi",
		"User emails.value":           "string readWrite default none",
		"User emails.primary":         "boolean readWrite default none",
		"User emails.display":         "string readWrite default none",
		"User photos.value":           "reference exact readWrite default none",
		"User x509Certificates.value": "binary exact readWrite default none",
		"User groups":                 "complex readOnly default none multi",
		"User groups.value":           "string exact readOnly default none",
		"User groups.$ref":            "reference exact readOnly default none",
		"User manager.value":          "string readWrite default none",
		"User manager.displayName":    "string readOnly default none",
		"Group displayName":           "string readWrite default none required",
		"Group members":               "complex readWrite default none multi",
		"Group members.value":         "string exact immutable default none required",
	} {
		typ, name, _ := strings.Cut(path, " ")
		attr, sub, _ := strings.Cut(name, ".")
		ref, ok := Default().Resolve(typ, AttrPath{Name: attr, Sub: sub})
		if !ok {
			t.Errorf("%s does not resolve", path)
			continue
		}
		a := ref.Leaf()
		got := string(a.Type)
		if a.CaseExact {
			got += " exact"
		}
		got += " " + a.Mutability + " " + a.Returned + " " + a.Uniqueness
		if a.MultiValued {
			got += " multi"
		}
		if a.Required {
			got += " required"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestRegistry_PublishedJSON holds what a client reads under /Schemas: no nulls, no internal keys, enumerations in
// their spelling, nothing that is never stored.
func TestRegistry_PublishedJSON(t *testing.T) {
	data, err := json.Marshal(probe(t).Schemas())
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, banned := range []string{"null", "indexed", "Indexed", "password", "writeOnly"} {
		if strings.Contains(text, banned) {
			t.Errorf("the published schemas contain %q", banned)
		}
	}
	var schemas []struct {
		ID         string
		Attributes []map[string]any
	}
	if err := json.Unmarshal(data, &schemas); err != nil {
		t.Fatal(err)
	}
	allowed := map[string]string{
		"type":       " string boolean decimal integer dateTime binary reference complex ",
		"mutability": " readOnly readWrite immutable ",
		"returned":   " always never default request ",
		"uniqueness": " none server global ",
	}
	for _, s := range schemas {
		for _, a := range s.Attributes {
			for key, values := range allowed {
				if v, _ := a[key].(string); !strings.Contains(values, " "+v+" ") {
					t.Errorf("%s %v: %s is %v", s.ID, a["name"], key, a[key])
				}
			}
			for _, key := range []string{"name", "multiValued", "required"} {
				if _, ok := a[key]; !ok {
					t.Errorf("%s %v has no %s", s.ID, a["name"], key)
				}
			}
			if _, has := a["caseExact"]; has != (a["type"] == "string" || a["type"] == "reference" || a["type"] == "binary") {
				t.Errorf("%s %v: a %s, caseExact there: %v", s.ID, a["name"], a["type"], has)
			}
			if subs, _ := a["subAttributes"].([]any); a["name"] == "emails" && len(subs) != 3 {
				t.Errorf("emails publishes %v", subs)
			}
		}
	}
}

func TestRegistry_Resolve(t *testing.T) {
	g := probe(t)
	for _, c := range []struct {
		typ  string
		path AttrPath
		want string // name of the reference; "" if it is unknown
	}{
		{"User", AttrPath{Name: "USERNAME"}, "userName"},
		{"User", AttrPath{Name: "emails"}, "emails"},
		{"User", AttrPath{Name: "Emails", Sub: "Value"}, "emails.value"},
		{"User", AttrPath{Name: "groups", Sub: "$REF"}, "groups.$ref"},
		{"User", AttrPath{Name: "meta", Sub: "lastmodified"}, "meta.lastModified"},
		{"User", AttrPath{Name: "schemas"}, "schemas"},
		{"User", AttrPath{URN: strings.ToUpper(UserSchema), Name: "name", Sub: "givenname"}, "name.givenName"},
		{"User", AttrPath{URN: UserSchema, Name: "id"}, "id"},
		{"User", AttrPath{URN: strings.ToLower(EnterpriseSchema), Name: "MANAGER", Sub: "value"}, EnterpriseSchema + ":manager.value"},
		{"User", AttrPath{Name: "manager"}, EnterpriseSchema + ":manager"},
		{"User", AttrPath{Name: "department"}, EnterpriseSchema + ":department"},
		{"User", AttrPath{URN: "urn:ietf:params:scim:schemas:extension:enterprise:2.0", Name: "User", Sub: "manager"}, EnterpriseSchema + ":manager"},
		{"User", AttrPath{URN: "urn:ietf:params:scim:schemas:core:2.0", Name: "User", Sub: "title"}, "title"},
		{"Group", AttrPath{Name: "members", Sub: "display"}, "members.display"},
		{"Probe", AttrPath{Name: "until"}, "urn:example:lease:1.0:Probe:until"},
		{"Probe", AttrPath{Name: "externalID"}, "externalId"},
		{"User", AttrPath{Name: "members"}, ""},
		{"Group", AttrPath{Name: "groups"}, ""},
		{"Group", AttrPath{Name: "department"}, ""},
		{"User", AttrPath{Name: "userName", Sub: "x"}, ""},
		{"User", AttrPath{Name: "emails", Sub: "x"}, ""},
		{"User", AttrPath{Name: ""}, ""},
		{"User", AttrPath{Name: EnterpriseSchema}, ""},
		{"User", AttrPath{Name: "userName\x00"}, ""},
		{"User", AttrPath{Name: strings.Repeat("x", 10_000)}, ""},
		{"User", AttrPath{URN: GroupSchema, Name: "displayName"}, ""},
		{"User", AttrPath{URN: EnterpriseSchema, Name: "userName"}, ""},
		{"user", AttrPath{Name: "userName"}, ""},
	} {
		ref, ok := g.Resolve(c.typ, c.path)
		got := ""
		if ok {
			got = ref.Name()
		}
		if got != c.want {
			t.Errorf("%s %+v: got %q, want %q", c.typ, c.path, got, c.want)
		}
	}
	path := AttrPath{Name: "EMAILS", Sub: "VALUE"}
	if n := testing.AllocsPerRun(100, func() { g.Resolve("User", path) }); n != 0 {
		t.Errorf("Resolve allocates %v times", n)
	}
}

func TestRegistry_Types(t *testing.T) {
	g := probe(t)
	for segment, want := range map[string]string{"Users": "User", "USERS": "User", "groups": "Group", "Probes": "Probe", "Probe": "", "/Users": "", "": ""} {
		typ := g.ByEndpoint(segment)
		if want == "" && typ != nil || want != "" && (typ == nil || typ.Name != want || g.Type(want) != typ) {
			t.Errorf("%q: got %+v, want %q", segment, typ, want)
		}
	}
	if g.Type("user") != nil || len(g.Types()) != 3 || len(Default().Types()) != 2 || Default().Type("Probe") != nil {
		t.Error("types are mixed up")
	}
	g.Types()[0] = nil
	g.Schemas()[0] = nil
	if g.Types()[0] == nil || g.Schemas()[0] == nil {
		t.Error("the lists are not the caller's own")
	}
}
