package verify

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func parse(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestLookup(t *testing.T) {
	doc := parse(t, `{"userName":"ann","active":true,"n":1,"nothing":null,"name":{"givenName":"Ann"},
		"emails":[{"type":"home","value":"h"},{"type":"work","value":"w","primary":true}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D","manager":{"value":"m"}}}`)
	tests := []struct {
		path string
		want any
		ok   bool
	}{
		{"userName", "ann", true},
		{"USERNAME", "ann", true},
		{"active", true, true},
		{"nothing", nil, true},
		{"missing", nil, false},
		{"name.givenName", "Ann", true},
		{"name.familyName", nil, false},
		{"userName.sub", nil, false},
		{"emails[0].value", "h", true},
		{"emails[9].value", nil, false},
		{"emails[type=work].value", "w", true},
		{"emails[primary=true].type", "work", true},
		{"emails[type=other].value", nil, false},
		{"emails[", nil, false},
		{"emails[0", nil, false},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "D", true},
		{"urn:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:user:manager.value", "m", true},
		{"urn:other:department", nil, false},
	}
	for _, tt := range tests {
		got, ok := lookup(doc, tt.path)
		if got != tt.want || ok != tt.ok {
			t.Errorf("lookup(%q) = %v, %v, want %v, %v", tt.path, got, ok, tt.want, tt.ok)
		}
	}
}

func TestSame(t *testing.T) {
	tests := []struct {
		got  string
		want any
		same bool
	}{
		{`1`, 1, true}, {`1.0`, 1, true}, {`"1"`, 1, false}, {`1e999999999`, 1, false}, {`1.5`, 1.5, true},
		{`"a"`, "a", true}, {`"A"`, "a", false}, {`true`, true, true}, {`"true"`, true, false}, {`null`, nil, true},
		{`[1,2]`, []any{1, 2}, true}, {`[2,1]`, []any{1, 2}, false}, {`[1]`, []any{1, 2}, false},
		{`{"a":1,"b":2}`, Object{"a": 1}, true}, {`{"b":2}`, Object{"a": 1}, false},
	}
	for _, tt := range tests {
		if got := same(parse(t, tt.got), tt.want); got != tt.same {
			t.Errorf("same(%s, %v) = %v", tt.got, tt.want, got)
		}
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"entra/create", "entra/create", true}, {"entra", "entra/create", true}, {"entra", "entra-flag/disable", false},
		{"entra*", "entra-flag/disable", true}, {"rfc/filter-*", "rfc/filter-eq", true}, {"*/create", "okta-catalogue/create", true},
		{"R-29", "R-29", true}, {"R-2?", "R-29", true}, {"[", "x", false},
	}
	for _, tt := range tests {
		if got := Match([]string{tt.pattern}, tt.name); got != tt.want {
			t.Errorf("Match(%q, %q) = %v", tt.pattern, tt.name, got)
		}
	}
}

func TestMismatch(t *testing.T) {
	tests := []struct {
		got, want string
		ok        bool
	}{
		{`{"a":"x","b":1}`, `{"a":"{{any}}"}`, true}, {`{"a":""}`, `{"a":"{{any}}"}`, false}, {`{"b":1}`, `{"a":"{{any}}"}`, false},
		{`{"A":"x"}`, `{"a":"x"}`, true},
		{`{"a":[{"v":"2"},{"v":"1"}]}`, `{"a":[{"v":"1"},{"v":"2"}]}`, true}, {`{"a":[{"v":"1"},{"v":"1"}]}`, `{"a":[{"v":"1"},{"v":"2"}]}`, false},
		{`[1,2]`, `[1]`, false}, {`[1,2]`, `[1,"{{more}}"]`, true}, {`[]`, `"{{list}}"`, true}, {`"x"`, `"{{list}}"`, false},
		{`7`, `"{{number}}"`, true}, {`"7"`, `"{{number}}"`, false}, {`7.5`, `"{{number}}"`, false},
		{`true`, `"{{bool}}"`, true}, {`"true"`, `"{{bool}}"`, false},
		{`"2026-01-02T03:04:05Z"`, `"{{time}}"`, true}, {`"yesterday"`, `"{{time}}"`, false},
		{`"https://h/Users/7"`, `"{{any}}/Users/7"`, true}, {`"/Users/7"`, `"{{any}}/Users/7"`, false}, {`"a-x-b"`, `"a{{any}}b"`, true}, {`"ab"`, `"a{{any}}b"`, false},
		{`"x"`, `{"a":1}`, false}, {`1`, `1`, true}, {`1`, `2`, false},
	}
	for _, tt := range tests {
		if why := mismatch(parse(t, tt.got), parse(t, tt.want), ""); (why == "") != tt.ok {
			t.Errorf("mismatch(%s, %s) = %q", tt.got, tt.want, why)
		}
	}
}

// ruleOfValidator tells whether a key is a test of Microsoft's validator: V1 to V25, P1 to P7.
func ruleOfValidator(key string) bool {
	return len(key) > 1 && len(key) < 4 && (key[0] == 'V' || key[0] == 'P') && strings.Trim(key[1:], "0123456789") == ""
}

// TestCases_AreComplete requires of every case what a report shows of it.
func TestCases_AreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Profiles() {
		if p.About == "" || len(p.Cases) == 0 {
			t.Errorf("profile %s has no description or no cases", p.Name)
		}
		for _, c := range p.Cases {
			if seen[c.Name] {
				t.Errorf("two cases are called %s", c.Name)
			}
			seen[c.Name] = true
			for what, v := range map[string]string{"rule": c.Rule, "title": c.Title, "why": c.Why, "ref": c.Ref, "fix": c.Fix} {
				if v == "" {
					t.Errorf("%s has no %s", c.Name, what)
				}
			}
			for ref := range strings.SplitSeq(c.Ref, ", ") {
				key, _, _ := strings.Cut(ref, " ")
				if sources[key] == "" && !strings.HasPrefix(ref, "RFC ") && !strings.HasPrefix(ref, "R-") && !ruleOfValidator(key) {
					t.Errorf("%s refers to %q, which no list of sources explains", c.Name, ref)
				}
			}
			if c.Run == nil || len(c.Breaks) == 0 {
				t.Errorf("%s does nothing or breaks nobody", c.Name)
			}
		}
	}
}
