package scim

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// thingSchema is an extension of User with one attribute of each kind that the core schemas lack.
const thingSchema = "urn:example:thing:1.0:User"

// thingRegistry is the default registry with thingSchema.
func thingRegistry(tb testing.TB) *Registry {
	tb.Helper()
	d, err := ParseDefinition([]byte(`{
		"schemas": [{"id": "` + thingSchema + `", "name": "Thing", "attributes": [
			{"name": "count", "type": "integer"},
			{"name": "ratio", "type": "decimal"},
			{"name": "since", "type": "dateTime"},
			{"name": "badge", "caseExact": true, "mutability": "immutable"},
			{"name": "key", "type": "binary", "caseExact": true},
			{"name": "serial", "mutability": "readOnly"},
			{"name": "hidden", "returned": "never"},
			{"name": "tags", "multiValued": true},
			{"name": "lock", "type": "complex", "subAttributes": [
				{"name": "code", "mutability": "immutable"}, {"name": "note"}, {"name": "level", "required": true}
			]},
			{"name": "doors", "type": "complex", "multiValued": true, "subAttributes": [
				{"name": "name", "required": true}, {"name": "code", "mutability": "immutable"}, {"name": "opened", "type": "dateTime"}, {"name": "floor", "type": "integer"}
			]}
		]}],
		"extend": [{"type": "User", "schema": "` + thingSchema + `"}]
	}`))
	if err != nil {
		tb.Fatal(err)
	}
	g, err := NewRegistry(d)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// ann is the user that the filters of the tests run on.
func ann() Resource {
	return Resource{
		Type: "User", ID: "0192-Ann", ExternalID: "00uAnn",
		Attrs: Object{
			"userName": "Ann@Example.com", "active": true, "title": "Größe ΣΑΣ",
			"name": Object{"familyName": "O'Malley", "givenName": "Ann"},
			"emails": []any{
				Object{"value": "ann@example.com", "type": "work", "primary": true},
				Object{"value": "ann@home.example", "type": "home"},
			},
			"addresses":      []any{Object{"type": "work", "locality": "Bern"}},
			EnterpriseSchema: Object{"employeeNumber": "7", "manager": Object{"value": "m1"}},
			thingSchema: Object{
				"count": int64(5), "ratio": 2.5, "since": "2020-01-01T12:00:00+02:00", "badge": "AbC", "key": "AAEC", "hidden": "x",
				"tags": []any{"Red", "blue"}, "doors": []any{Object{"name": "A", "floor": int64(1)}, Object{"name": "B", "floor": int64(2)}},
			},
		},
		Groups: []Ref{{Value: "g1", Type: "direct", Display: "Staff"}, {Value: "g2", Type: "indirect"}}, HasGroups: true,
		Meta: Meta{Created: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), LastModified: time.Date(2024, 2, 2, 3, 4, 5, 678e6, time.UTC), Version: 10},
	}
}

// staff is a group.
func staff() Resource {
	return Resource{Type: "Group", ID: "g1", Attrs: Object{"displayName": "Staff"}, HasMembers: true,
		Members: []Ref{{Value: "u1", Type: "User", Display: "Ann"}, {Value: "g2", Type: "Group"}}, Meta: Meta{Version: 1}}
}

var matchCases = []struct {
	filter string
	want   bool
}{
	// Strings fold unless caseExact.
	{`userName eq "ann@EXAMPLE.com"`, true}, {`USERNAME sw "ANN"`, true}, {`userName ew ".COM"`, true},
	{`userName co "@"`, true}, {`userName co ""`, true}, {`nickName co ""`, false}, {`userName eq "ann"`, false},
	{`title eq "GRÖSSE"`, false}, {`title co "σας"`, true}, {`title co "ΣΑσ"`, true},
	{`externalId eq "00uAnn"`, true}, {`externalId eq "00uann"`, false}, {`id eq "0192-Ann"`, true}, {`id eq "0192-ann"`, false},
	{`name.familyName co "o'm"`, true}, {`name.middleName pr`, false}, {`name pr`, true},

	// Order of bytes of the folded string.
	{`userName gt "ANN"`, true}, {`userName gt "ann@example.com"`, false}, {`userName ge "ann@example.com"`, true},
	{`userName lt "b"`, true}, {`userName le "Ann@example.com"`, true}, {`nickName lt "zzz"`, false}, {`userName lt "Z"`, true},

	// ne is not eq; null is absence.
	{`userName ne "x"`, true}, {`userName ne "ANN@example.com"`, false}, {`nickName ne "x"`, true},
	{`nickName eq null`, true}, {`nickName ne null`, false}, {`userName eq null`, false}, {`userName ne null`, true},
	{`emails ne "x"`, true}, {`emails ne "ann@home.example"`, false}, {`photos ne "x"`, true}, {`emails.type ne "work"`, false},

	// Many values.
	{`emails eq "ann@HOME.example"`, true}, {`emails.value co "@home"`, true}, {`emails.type eq "other"`, false},
	{`emails pr`, true}, {`photos pr`, false}, {`emails.display pr`, false}, {`emails eq null`, false}, {`photos eq null`, true},
	{`addresses pr`, true}, {`addresses.locality eq "bern"`, true},
	{`tags eq "RED"`, true}, {`tags eq "green"`, false}, {`tags ne "blue"`, false}, {`tags pr`, true}, {`tags sw "b"`, true},

	// Value paths look at one element.
	{`emails[type eq "work" and value co "home"]`, false}, {`emails[type eq "home" and value co "home"]`, true},
	{`emails.type eq "work" and emails.value co "home"`, true},
	{`emails[type eq "Work"].value eq "ANN@example.com"`, true}, {`emails[type eq "home"].value eq "ann@example.com"`, false},
	{`emails[type eq "home"].value ne "ann@example.com"`, true}, {`emails[type eq "other"].value ne "x"`, true},
	{`emails[type eq "other"].value eq null`, true}, {`emails[type eq "work"].value eq null`, false},
	{`emails[primary eq true]`, true}, {`emails[primary eq "True" and type eq "home"]`, false}, {`emails[primary ne true]`, true},
	{`emails[not (type eq "work")]`, true}, {`emails[display pr]`, false}, {`emails[display eq null]`, true},
	{`photos[type ne "x"]`, false}, {`doors[floor gt 1 and name eq "b"]`, true}, {`doors[floor gt 1 and name eq "a"]`, false},

	// Types.
	{`active eq true`, true}, {`active eq "True"`, true}, {`active eq False`, false}, {`active ne false`, true}, {`active pr`, true},
	{`count eq 5`, true}, {`count eq "5"`, true}, {`count eq 5.0`, true}, {`count gt 4`, true}, {`count lt 5`, false}, {`count ne 4`, true},
	{`ratio eq 2.5`, true}, {`ratio gt 2`, true}, {`ratio le 2.4`, false}, {`key eq "AAEC"`, true}, {`key ne "aaec"`, true},
	{`badge eq "AbC"`, true}, {`badge eq "abc"`, false}, {`badge lt "a"`, true},
	{`since eq "2020-01-01T10:00:00Z"`, true}, {`since eq "2020-01-01T12:00:00.000+02:00"`, true}, {`since gt "2020-01-01T11:00:00Z"`, false},
	{`since ge 2020-01-01`, true}, {`since lt "2020-01-01T10:00:00.001"`, true},
	{`employeeNumber eq 7`, true}, {`userName eq true`, false},

	// Paths.
	{`urn:ietf:params:scim:schemas:core:2.0:user:UserName pr`, true}, {EnterpriseSchema + `:employeeNumber eq "7"`, true},
	{EnterpriseSchema + `:manager eq "m1"`, true}, {`manager eq "m1"`, true}, {`manager.value ne "m1"`, false},
	{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager eq "m1"`, true}, {`manager pr`, true},
	{`id eq "0192-Ann" and manager eq "m1"`, true}, {`manager eq "m2" and id eq "0192-Ann"`, false},

	// schemas and meta.
	{`schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`, true}, {`schemas eq "` + EnterpriseSchema + `"`, true},
	{`schemas ne "` + EnterpriseSchema + `"`, false}, {`schemas eq "urn:x"`, false}, {`schemas ne "urn:x"`, true}, {`schemas pr`, true},
	{`schemas co "ENTERPRISE"`, true}, {`schemas eq null`, false}, {`schemas ne null`, true}, {`schemas sw "urn:example:other"`, false},
	{`meta.resourceType eq "User"`, true}, {`meta.resourceType ne "User"`, false}, {`meta.resourceType eq "Group"`, false},
	{`meta.resourceType ne "Group"`, true}, {`meta.resourceType pr`, true}, {`meta pr`, true}, {`meta eq null`, false},
	{`meta.created eq "2024-01-02T03:04:05Z"`, true}, {`meta.lastModified gt "2024-02-02T03:04:05.677Z"`, true},
	{`meta.lastModified le "2024-02-02T03:04:05.677Z"`, false}, {`meta.created lt 2024-01-03`, true},
	{`meta.version eq "W/\"10\""`, true}, {`meta.version ne "W/\"1\""`, true}, {`meta.version pr`, true},

	// Relations.
	{`groups eq "g1"`, true}, {`groups.value eq "g2"`, true}, {`groups[value eq "g2" and type eq "direct"]`, false},
	{`groups.display eq "STAFF"`, true}, {`groups eq "g9"`, false}, {`groups pr`, true}, {`groups ne "g1"`, false},

	// Logic.
	{`not (userName pr)`, false}, {`userName pr and nickName pr`, false}, {`userName pr or nickName pr`, true},
	{`nickName pr and userName pr or active eq true`, true}, {`nickName pr and (userName pr or active eq true)`, false},
}

// mustBind parses and binds a filter.
func mustBind(tb testing.TB, g *Registry, typ, s string) Filter {
	tb.Helper()
	f, err := ParseFilter(s)
	if err != nil {
		tb.Fatalf("ParseFilter(%q): %v", s, err)
	}
	bound, err := g.Bind(typ, f)
	if err != nil {
		tb.Fatalf("Bind(%q): %v", s, err)
	}
	return bound
}

func TestMatch(t *testing.T) {
	g, r := thingRegistry(t), ann()
	for _, tt := range matchCases {
		if got := Match(mustBind(t, g, "User", tt.filter), &r); got != tt.want {
			t.Errorf("Match(%s) = %v, want %v", tt.filter, got, tt.want)
		}
	}
}

func TestMatch_Group(t *testing.T) {
	g, r := Default(), staff()
	empty := Resource{Type: "Group", ID: "g2", Attrs: Object{"displayName": "none"}, HasMembers: true}
	for _, tt := range []struct {
		filter        string
		staff, nobody bool
	}{
		{`members eq "u1"`, true, false}, {`members.value eq "U1"`, false, false}, {`members pr`, true, false}, {`members ne "u1"`, false, true},
		{`members[type eq "group"]`, true, false}, {`members[type eq "Group" and value eq "u1"]`, false, false}, {`members.display eq "ann"`, true, false},
		{`id eq "g1" and members eq "u1"`, true, false}, {`displayName eq "STAFF"`, true, false},
	} {
		f := mustBind(t, g, "Group", tt.filter)
		if got := Match(f, &r); got != tt.staff {
			t.Errorf("Match(%s, staff) = %v, want %v", tt.filter, got, tt.staff)
		}
		if got := Match(f, &empty); got != tt.nobody {
			t.Errorf("Match(%s, empty) = %v, want %v", tt.filter, got, tt.nobody)
		}
	}
	if !Match(nil, &r) {
		t.Error("Match(nil) = false, want true")
	}
}

// TestMatch_NegationIsExact holds the rule that ne is not eq and that not negates, on every case.
func TestMatch_NegationIsExact(t *testing.T) {
	g, r := thingRegistry(t), ann()
	for _, tt := range matchCases {
		if got := Match(mustBind(t, g, "User", "not ("+tt.filter+")"), &r); got == tt.want {
			t.Errorf("Match(not (%s)) = %v, want %v", tt.filter, got, !tt.want)
		}
		if eq := strings.Replace(tt.filter, " ne ", " eq ", 1); eq != tt.filter && !strings.Contains(tt.filter, "[") {
			if got := Match(mustBind(t, g, "User", eq), &r); got == tt.want {
				t.Errorf("Match(%s) = Match(%s) = %v", eq, tt.filter, got)
			}
		}
	}
}

func TestBind_Errors(t *testing.T) {
	g := thingRegistry(t)
	for _, tt := range []struct {
		filter string
		kind   ErrorType
		detail string
	}{
		{`nope eq "x"`, InvalidFilter, `User has no attribute "nope"`},
		{`members pr`, InvalidFilter, `no attribute "members"`},
		{`name.nope pr`, InvalidFilter, `no attribute "name.nope"`},
		{`userName.value pr`, InvalidFilter, `no attribute`},
		{`urn:x:userName pr`, InvalidFilter, `no attribute "urn:x:userName"`},
		{`emails[nope eq 1]`, InvalidFilter, `emails has no sub-attribute "nope"`},
		{`emails[emails.type eq 1]`, InvalidFilter, `emails has no sub-attribute`},
		{`userName pr and (nope pr or title pr)`, InvalidFilter, `"nope"`},
		{`name eq "x"`, InvalidFilter, `name is complex: compare one of its sub-attributes, such as name.formatted`},
		{`name[givenName eq "x"]`, InvalidFilter, `brackets need a complex multi-valued attribute`},
		{`userName[value eq "x"]`, InvalidFilter, `brackets need`},
		{`tags[value eq "x"]`, InvalidFilter, `brackets need`},
		{`active gt true`, InvalidFilter, `active is a boolean, which has no operator gt`},
		{`active co "t"`, InvalidFilter, `no operator co`},
		{`key le "A"`, InvalidFilter, `no operator le`},
		{`x509Certificates gt "A"`, InvalidFilter, `no operator gt`},
		{`count sw 1`, InvalidFilter, `no operator sw`},
		{`since co "2020"`, InvalidFilter, `no operator co`},
		{`active eq "yes"`, InvalidFilter, `expected true or false, found "yes"`},
		{`active eq 1`, InvalidFilter, `expected true or false, found "1"`},
		{`count eq "many"`, InvalidFilter, `expected a whole number`},
		{`count eq 1.5`, InvalidFilter, `expected a whole number`},
		{`ratio eq true`, InvalidFilter, `expected a number`},
		{`since gt "soon"`, InvalidFilter, `expected a date and time`},
		{`since gt 5`, InvalidFilter, `expected a date and time`},
		{`userName eq 1.5`, InvalidFilter, `expected a string in quotes`},
		{`userName gt null`, InvalidFilter, `null can only be compared with eq and ne`},
		{`meta.location eq "x"`, InvalidFilter, `meta.location cannot be filtered on`},
		{`meta.version gt "x"`, InvalidFilter, `no order`},
		{`meta eq "x"`, InvalidFilter, `meta is complex`},
		{`groups.$ref eq "x"`, InvalidFilter, `cannot be filtered on: use groups.value`},
		{`groups[$ref eq "x"]`, InvalidFilter, `no sub-attribute "$ref"`},
		{`password eq "secret"`, Sensitive, `password is never returned`},
		{`password pr`, Sensitive, `never returned`},
		{`hidden pr`, Sensitive, `never returned`},
	} {
		f, err := ParseFilter(tt.filter)
		if err != nil {
			t.Fatalf("ParseFilter(%q): %v", tt.filter, err)
		}
		_, err = g.Bind("User", f)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Type != tt.kind || !strings.Contains(e.Detail, tt.detail) || strings.Contains(e.Detail, "secret") {
			t.Errorf("Bind(%q) = %v, want %s with %q", tt.filter, err, tt.kind, tt.detail)
		}
	}
	if _, err := g.Bind("Nope", nil); err == nil {
		t.Error("Bind to an unknown type: no error")
	}
	if f, err := g.Bind("User", nil); f != nil || err != nil {
		t.Errorf("Bind(nil) = %v, %v, want nil, nil", f, err)
	}
}

// TestBind_LeavesTheFilter checks that the tree that was parsed can be bound to several types.
func TestBind_LeavesTheFilter(t *testing.T) {
	const s = `displayName eq "x" and not (externalId eq null) or id ne "y"`
	f, _ := ParseFilter(s)
	again, _ := ParseFilter(s)
	for _, typ := range []string{"User", "Group"} {
		bound, err := Default().Bind(typ, f)
		if err != nil {
			t.Fatal(err)
		}
		if ref := bound.(*Or).Right.(*Compare).Ref; ref.Name() != "id" {
			t.Errorf("Ref of id = %v", ref)
		}
	}
	if !reflect.DeepEqual(f, again) {
		t.Errorf("Bind changed the filter to %s", f)
	}
}

func TestMatchMember(t *testing.T) {
	g := Default()
	f := mustBind(t, g, "Group", `members[type eq "User" and display sw "a"]`).(*ValuePath).Filter
	if !MatchMember(f, Ref{Value: "u1", Type: "User", Display: "Ann"}) || MatchMember(f, Ref{Value: "u2", Type: "User"}) {
		t.Errorf("MatchMember(%s) is wrong", f)
	}
}
