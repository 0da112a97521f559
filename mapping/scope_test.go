package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/provost-scim/provost/source"
)

// operatorCases try each of Entra's operators: value, attribute, whether it holds, why.
var operatorCases = []struct {
	operator, value string
	attr            []string
	want            bool
	why             string
}{
	{"EQUALS", "Sales", []string{"Sales"}, true, "department is Sales"},
	{"equals", "Sales", []string{"sales"}, false, "department is not Sales"},
	{"EQUALS", "Sales", []string{"IT", "Sales"}, true, ""},
	{"EQUALS", "Sales", nil, false, "department has no value"},
	{"NOT EQUALS", "Sales", []string{"IT"}, true, "department is not Sales"},
	{"NOT EQUALS", "Sales", []string{"IT", "Sales"}, false, "department is Sales"},
	{"NOT EQUALS", "Sales", nil, false, "has no value"},
	{"&", "Sales;IT", []string{"IT"}, true, "is part of Sales;IT"},
	{"&", "Sales;IT", []string{"HR"}, false, ""},
	{"!&", "Sales;IT", []string{"HR"}, true, ""},
	{"!&", "Sales;IT", nil, false, ""},
	{"ENDS_WITH", "@x.org", []string{"ann@x.org"}, true, "ends with @x.org"},
	{"ENDS_WITH", "@x.org", []string{"ann@x.org.evil"}, false, ""},
	{"GREATER_THAN", "10", []string{"11"}, true, ""},
	{"GREATER_THAN", "10", []string{"10"}, false, "is not greater than 10"},
	{"GREATER_THAN_OR_EQUALS", "10", []string{"10"}, true, "is at least 10"},
	{"GREATER_THAN_OR_EQUALS", "10", []string{"9"}, false, ""},
	{"INCLUDES", "al", []string{"Sales"}, true, ""},
	{"INCLUDES", "AL", []string{"Sales"}, false, "does not contain AL"},
	{"IS FALSE", "", []string{"FALSE"}, true, ""},
	{"IS FALSE", "", []string{"TRUE"}, false, "is not false"},
	{"IS TRUE", "", []string{"true"}, true, ""},
	{"IS TRUE", "", nil, false, ""},
	{"IS NULL", "", nil, true, "has no value"},
	{"IS NULL", "", []string{""}, true, ""},
	{"IS NULL", "", []string{"x"}, false, "has a value"},
	{"IS NOT NULL", "", []string{"x"}, true, ""},
	{"IS NOT NULL", "", nil, false, ""},
	{"REGEX MATCH", "([1-9][0-9])", []string{"42"}, true, ""},
	{"REGEX MATCH", "([1-9][0-9])", []string{"142"}, false, "does not match ([1-9][0-9])"},
	{"REGEX MATCH", "a|b", []string{"ab"}, false, ""},
	{"NOT REGEX MATCH", ".*@x.org", []string{"ann@y.org"}, true, ""},
	{"NOT REGEX MATCH", ".*@x.org", []string{"ann@x.org"}, false, ""},
	{"NOT REGEX MATCH", ".*@x.org", nil, false, "has no value"},
}

func TestScope_Operators(t *testing.T) {
	tried := map[string]bool{}
	for _, tt := range operatorCases {
		tried[strings.ToUpper(tt.operator)] = true
		m := compiled(t, "people: {rows: [{to: userName, value: x}], scope: {where: {attribute: Department, operator: '"+tt.operator+"', value: '"+tt.value+"'}}}")
		w := apply(t, m, person(attrs{"department": tt.attr}), nil)
		if w.Err != nil || (w.Resource != nil) != tt.want || !strings.Contains(strings.ToLower(w.Reason), strings.ToLower(tt.why)) {
			t.Errorf("%v %s %q: %+v, want %v because %q", tt.attr, tt.operator, tt.value, w, tt.want, tt.why)
		}
		if !tt.want && (!strings.HasPrefix(w.Reason, "out of scope: ") || w.Unassigned) {
			t.Errorf("reason %q, unassigned %v", w.Reason, w.Unassigned)
		}
	}
	for _, op := range Operators {
		if !tried[op] {
			t.Errorf("%s is not tried", op)
		}
	}
}

func TestScope_Conditions(t *testing.T) {
	const where = `{any: [{all: [{attribute: a, operator: EQUALS, value: "1"}, {attribute: b, operator: EQUALS, value: "2"}]},
		{not: {attribute: c, operator: IS NULL}}, {expression: 'd == "4" && Count(values.d) == 1'}]}`
	m := compiled(t, "people: {rows: [{to: userName, value: x}], scope: {where: "+where+"}}")
	for _, tt := range []struct {
		attrs attrs
		in    bool
		why   string
	}{
		{attrs{"a": {"1"}, "b": {"2"}}, true, "a is 1, and b is 2"},
		{attrs{"a": {"1"}}, false, "b has no value, and c has no value, and"},
		{attrs{"c": {"x"}}, true, "c has a value"},
		{attrs{"d": {"4"}}, true, `d == "4" && Count(values.d) == 1 holds`},
		{attrs{"d": {"4", "5"}}, false, "does not hold"},
		{nil, false, "a has no value"},
	} {
		w := apply(t, m, person(tt.attrs), nil)
		if (w.Resource != nil) != tt.in || !strings.Contains(w.Reason, tt.why) {
			t.Errorf("%v: in %v because %q, want %v because %q", tt.attrs, w.Resource != nil, w.Reason, tt.in, tt.why)
		}
	}
}

func TestScope_GroupsAndNames(t *testing.T) {
	m := compiled(t, `
people:
  rows: [{to: userName, value: x}]
  scope:
    include: [k-in, "CN=In,DC=Example"]
    exclude: [k-out]
    groups: [{group: "CN=Sales,DC=Example"}, {group: "CN=All,DC=Example", nested: true}, {group: g-key}]
    where: {attribute: kind, operator: NOT EQUALS, value: robot}
`)
	if !m.Membership() {
		t.Error("Membership = false")
	}
	look := graph{
		direct: map[string][]GroupRef{"k-sales": {{"g1", "cn=sales,dc=example"}}, "k-key": {{"g-key", "cn=x"}}, "k-out": {{"g1", "cn=sales,dc=example"}},
			"k-other": {{"g9", "cn=other"}}, "k-robot": {{"g1", "cn=sales,dc=example"}}},
		nested: map[string][]GroupRef{"k-deep": {{"g2", "cn=all,dc=example"}}, "k-deepsales": {{"g1", "cn=sales,dc=example"}}},
	}
	for _, tt := range []struct {
		key, name  string
		in         bool
		unassigned bool
		why        string
	}{
		{"k-sales", "", true, false, "it is a member of CN=Sales,DC=Example, and kind is not robot"},
		{"k-key", "", true, false, "member of g-key"},
		{"k-deep", "", true, false, "member of CN=All,DC=Example"},
		{"k-deepsales", "", false, true, "not a member of CN=Sales,DC=Example or CN=All"},
		{"k-other", "", false, true, "not a member"},
		{"k-robot", "", false, false, "kind is robot"},
		{"k-in", "", true, false, "includes it by name"},
		{"k-x", "cn=in,dc=example", true, false, "includes it by name"},
		{"k-out", "", false, false, "excludes it by name"},
	} {
		kind := "human"
		if tt.key == "k-robot" {
			kind = "robot"
		}
		rec := source.Record{Kind: source.Person, Key: tt.key, Name: tt.name, Attrs: attrs{"kind": {kind}}}
		w := apply(t, m, rec, look)
		if (w.Resource != nil) != tt.in || w.Unassigned != tt.unassigned || !strings.Contains(w.Reason, tt.why) {
			t.Errorf("%s: in %v, unassigned %v because %q", tt.key, w.Resource != nil, w.Unassigned, w.Reason)
		}
	}
	if _, err := m.Apply(t.Context(), source.Record{Kind: source.Person, Key: "k"}, graph{err: errors.New("away")}); err == nil {
		t.Error("an error of the lookup is lost")
	}
	if _, err := m.Apply(t.Context(), source.Record{Kind: source.Person, Key: "k"}, nil); err == nil {
		t.Error("nobody to ask about groups is no error")
	}
	only := compiled(t, "people: {rows: [{to: userName, value: x}], scope: {include: [k1]}}")
	if w := apply(t, only, source.Record{Kind: source.Person, Key: "k2"}, nil); w.Resource != nil {
		t.Error("a list of names lets others in")
	}
}

// TestErrors_AreNeverOutOfScope is the trap that would deprovision people: a fault while somebody is mapped.
func TestErrors_AreNeverOutOfScope(t *testing.T) {
	for _, text := range []string{
		`people: {rows: [{to: userName, value: x}], scope: {where: {expression: 'hasFlag(uac, 2)'}}}`,
		`people: {rows: [{to: userName, value: x}], scope: {where: {not: {expression: 'hasFlag(uac, 2)'}}}}`,
		`people: {rows: [{to: userName, value: x}], scope: {where: {any: [{expression: 'Item(values.uac, 1) + none == "x"'}, {attribute: a, operator: IS NULL}]}}}`,
		`people: {rows: [{to: userName, value: x}], scope: {where: {attribute: uac, operator: GREATER_THAN, value: "3"}}}`,
		`people: {rows: [{to: userName, value: x}], scope: {where: {expression: 'dyn(uac)'}}}`,
		`people: {rows: [{to: userName, value: x}], scope: {where: {expression: 'values.uac.map(a, values.uac.map(b, values.uac.map(c, values.uac.map(d, a+b+c+d)))).size() > 0'}}}`,
		`people: {rows: [{to: userName, value: x}, {to: active, expression: 'accountEnabled(uac)'}]}`,
		`people: {rows: [{to: userName, value: x}, {to: title, expression: 'CStr(values.uac[99999])'}]}`,
		`people: {rows: [{to: userName, from: none}]}`,
	} {
		m := compiled(t, text)
		many := make([]string, 200)
		for i := range many {
			many[i] = "broken"
		}
		w := apply(t, m, person(attrs{"uac": many}), graph{})
		if w.Err == nil || w.Resource != nil || strings.Contains(w.Reason, "out of scope") {
			t.Errorf("%s:\n%+v, want an error", text, w)
		}
	}
}
