package scim

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// filterCases are inputs of ParseFilter with what String prints for them.
var filterCases = []struct{ in, want string }{
	// RFC 7644 §3.4.2.2, figure 2.
	{`userName eq "bjensen"`, `userName eq "bjensen"`},
	{`name.familyName co "O'Malley"`, `name.familyName co "O'Malley"`},
	{`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`, `urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`},
	{`title pr`, `title pr`},
	{`meta.lastModified gt "2011-05-13T04:42:34Z"`, `meta.lastModified gt "2011-05-13T04:42:34Z"`},
	{`title pr or userType eq "Intern"`, `title pr or userType eq "Intern"`},
	{`schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`, `schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`},
	{`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`, `userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`},
	{`userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`, `userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`},
	{`userType eq "Employee" and (emails.type eq "work")`, `userType eq "Employee" and emails.type eq "work"`},
	{`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`, `emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`},

	// Precedence and grouping.
	{`a pr or b pr and c pr`, `a pr or b pr and c pr`},
	{`(a pr or b pr) and c pr`, `(a pr or b pr) and c pr`},
	{`a pr and b pr or c pr`, `a pr and b pr or c pr`},
	{`a pr and (b pr and c pr)`, `a pr and (b pr and c pr)`},
	{`a pr or (b pr or c pr)`, `a pr or (b pr or c pr)`},
	{`((a pr))`, `a pr`},
	{`not (a pr) and b pr`, `not (a pr) and b pr`},
	{`not (not (a pr))`, `not (not (a pr))`},
	{`emails[not (type eq "work")]`, `emails[not (type eq "work")]`},
	{`emails[(type eq "work" or type eq "home") and primary eq true]`, `emails[(type eq "work" or type eq "home") and primary eq true]`},

	// Case, blanks.
	{`DisplayName EQ "x"`, `DisplayName eq "x"`},
	{`a pr AND b pr Or NOT(c pr)`, `a pr and b pr or not (c pr)`},
	{"\t a \n eq\r \"x\" ", `a eq "x"`},
	{`not(a pr)and(b pr)`, `not (a pr) and b pr`},
	{`a eq"x"and b pr`, `a eq "x" and b pr`},
	{`emails [ type eq "work" ]`, `emails[type eq "work"]`},

	// Values.
	{`a eq true`, `a eq true`},
	{`a ne null`, `a ne null`},
	{`a gt 12`, `a gt 12`},
	{`a gt -0`, `a gt 0`},
	{`a lt -1.50`, `a lt -1.5`},
	{`a le 1e3`, `a le 1000.0`},
	{`a ge 9223372036854775807`, `a ge 9223372036854775807`},
	{`a ge 9223372036854775808`, `a ge 9.223372036854776e+18`},
	{`a eq ""`, `a eq ""`},
	{`a eq "\"\\\/\b\f\n\r\té"`, `a eq "\"\\/\u0008\u000c\u000a\u000d\u0009é"`},
	{`a eq "\u00e9\uD83D\ude00"`, `a eq "é😀"`},
	{`a eq ")]["`, `a eq ")]["`},

	// Literals without quotes.
	{`externalId eq jyoung`, `externalId eq "jyoung"`},
	{`(externalId eq jyoung)`, `externalId eq "jyoung"`},
	{`active eq True`, `active eq "True"`},
	{`a eq 0123`, `a eq "0123"`},
	{`a eq 1.`, `a eq "1."`},
	{`a eq 1e`, `a eq "1e"`},
	{`a eq 1e+`, `a eq "1e+"`},
	{`a gt 2011-05-13T04:42:34Z`, `a gt "2011-05-13T04:42:34Z"`},
	{`userName eq ann@example.com and a pr`, `userName eq "ann@example.com" and a pr`},

	// A comparison behind a value path.
	{`emails[type eq "work"].value eq "x"`, `emails[type eq "work" and value eq "x"]`},
	{`emails[type eq "a" or type eq "b"].value sw "x" and c pr`, `emails[(type eq "a" or type eq "b") and value sw "x"] and c pr`},
	{`emails[type eq "work"].value pr`, `emails[type eq "work" and value pr]`},
	{`emails[type eq "work"].value ne "x"`, `not (emails[type eq "work" and value eq "x"])`},
	{`emails[type eq "work"].value eq null`, `not (emails[type eq "work" and value pr])`},
	{`emails[type eq "work"].value ne null`, `emails[type eq "work" and value pr]`},

	// Paths.
	{`members.$ref eq "x"`, `members.$ref eq "x"`},
	{`urn:a:b-c:2.0:User:manager.value eq "1"`, `urn:a:b-c:2.0:User:manager.value eq "1"`},
	{`urn:a:2.0:User.manager.value eq "1"`, `urn:a:2.0:User:manager.value eq "1"`},
	{`urn:a:2.0:User.manager eq "1"`, `urn:a:2.0:User.manager eq "1"`},
	{`urn:a:2.0:User:things[a eq 1]`, `urn:a:2.0:User:things[a eq 1]`},
}

func TestParseFilter(t *testing.T) {
	for _, tt := range filterCases {
		t.Run(tt.in, func(t *testing.T) {
			f, err := ParseFilter(tt.in)
			if err != nil {
				t.Fatalf("ParseFilter(%q): %v", tt.in, err)
			}
			if got := f.String(); got != tt.want {
				t.Errorf("ParseFilter(%q) = %s, want %s", tt.in, got, tt.want)
			}
		})
	}
}

// nested returns s with n opening and closing strings around it.
func nested(open, s, closing string, n int) string {
	return strings.Repeat(open, n) + s + strings.Repeat(closing, n)
}

var filterErrors = []struct {
	in     string
	at     int
	detail string // part of the detail
}{
	{``, 0, `expected an attribute path, "not" or "(", found the end`},
	{`   `, 3, `found the end`},
	{`jyoung`, 6, `expected an operator (eq ne co sw ew gt ge lt le pr) after jyoung, found the end`},
	{`"jyoung"`, 0, `expected an attribute path`},
	{`a regex "x"`, 2, `unknown operator "regex"`},
	{`a "x"`, 2, `expected an operator`},
	{`a eq`, 4, `expected a value after "eq", found the end`},
	{`a eq and b pr`, 5, `expected a value after "eq", found "and"`},
	{`a eq (b)`, 5, `expected a value after "eq", found "("`},
	{`a eq 'x'`, 5, `double quotes`},
	{`a eq "x`, 5, `without closing quote`},
	{`a eq "\x"`, 6, `unknown escape`},
	{`a eq "\u0000"`, 6, `U+0000`},
	{`a eq "\u12"`, 6, `four hexadecimal digits`},
	{`a eq "\u12!x"`, 6, `four hexadecimal digits`},
	{`a eq "\ud800"`, 6, `surrogate`},
	{`a eq "\ude00"`, 6, `surrogate`},
	{`a eq "\ud800\u0041"`, 6, `surrogate`},
	{`a eq "\`, 6, `unfinished`},
	{"a eq \"\x01\"", 6, `control character`},
	{"a eq \"\xff\"", 6, `UTF-8`},
	{"a eq \xff", 5, `UTF-8`},
	{"a\x00 pr", 1, `control character`},
	{`a eq 1e999`, 5, `out of range`},
	{`a pr b pr`, 5, `expected "and", "or" or the end, found "b"`},
	{`a pr and`, 8, `found the end`},
	{`a pr or or b pr`, 8, `found "or"`},
	{`(a pr`, 5, `")" for the "(" at offset 0`},
	{`a pr)`, 4, `")" without its opening counterpart`},
	{`a pr]`, 4, `"]" without its opening counterpart`},
	{`(a pr]`, 5, `")" for the "("`},
	{`emails[type eq "work"`, 21, `"]" for the "[" at offset 6`},
	{`emails[type eq "work")`, 21, `"]" for the "["`},
	{`emails[]`, 7, `expected an attribute path`},
	{`emails[ims[type pr]]`, 10, `"[" within brackets`},
	{`emails.value[type pr]`, 12, `not to a sub-attribute`},
	{`emails[type pr].value`, 21, `expected an operator`},
	{`emails[type pr].val!ue eq 1`, 15, `name of a sub-attribute`},
	{`emails[type pr] .value eq 1`, 16, `expected "and", "or" or the end`},
	{`not a pr`, 4, `expected "(" after "not"`},
	{`not`, 3, `expected "(" after "not"`},
	{`a.b.c pr`, 0, `sub-attributes`},
	{`1a pr`, 0, `expected a name`},
	{`a. pr`, 0, `expected a name`},
	{`.a pr`, 0, `expected a name`},
	{`é pr`, 0, `expected a name`},
	{`:a pr`, 0, `not a schema URN`},
	{`urn:é:a pr`, 0, `not a schema URN`},
	{nested("(", "a pr", ")", MaxFilterDepth+1), MaxFilterDepth, `more than 32 parentheses`},
	{nested("not (", "a pr", ")", MaxFilterDepth+1), 5*MaxFilterDepth + 4, `more than 32 parentheses`},
	{strings.Repeat("(", MaxFilterLength), MaxFilterDepth, `more than 32 parentheses`},
	{strings.Repeat("a pr and ", MaxFilterNodes/2) + "a pr", 9*(MaxFilterNodes/2) - 0, `more than 256 terms`},
	{`a eq "` + strings.Repeat("x", MaxFilterLength) + `"`, MaxFilterLength, `the limit is 4096`},
}

func TestParseFilter_Errors(t *testing.T) {
	for _, tt := range filterErrors {
		t.Run(tt.in[:min(len(tt.in), 40)], func(t *testing.T) {
			f, err := ParseFilter(tt.in)
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("ParseFilter(%q) = %v, %v, want an *Error", tt.in, f, err)
			}
			if e.Type != InvalidFilter || e.Offset != tt.at || !strings.Contains(e.Detail, tt.detail) {
				t.Errorf("ParseFilter(%q): %v, want invalidFilter at %d with %q", tt.in, e, tt.at, tt.detail)
			}
		})
	}
}

func TestParseFilter_AtTheLimits(t *testing.T) {
	long := `a eq "` + strings.Repeat("x", MaxFilterLength-7) + `"`
	for _, in := range []string{
		nested("(", "a pr", ")", MaxFilterDepth),
		strings.Repeat("a pr and ", MaxFilterNodes/2-1) + "a pr",
		long,
	} {
		if _, err := ParseFilter(in); err != nil {
			t.Errorf("ParseFilter(%.40q… of %d bytes): %v", in, len(in), err)
		}
	}
}

func TestParsePath(t *testing.T) {
	tests := []struct {
		in   string
		want Path
	}{
		{`members`, Path{Attr: AttrPath{Name: "members"}}},
		{` name.familyName `, Path{Attr: AttrPath{Name: "name", Sub: "familyName"}}},
		{`addresses[type eq "work"]`, Path{Attr: AttrPath{Name: "addresses"}, Filter: &Compare{Path: AttrPath{Name: "type"}, Op: Eq, Value: "work"}}},
		{`members[value eq"2819"].displayName`, Path{Attr: AttrPath{Name: "members", Sub: "displayName"}, Filter: &Compare{Path: AttrPath{Name: "value"}, Op: Eq, Value: "2819"}}},
		{`roles[primary eq "True"].value`, Path{Attr: AttrPath{Name: "roles", Sub: "value"}, Filter: &Compare{Path: AttrPath{Name: "primary"}, Op: Eq, Value: "True"}}},
		{EnterpriseSchema + `:manager.value`, Path{Attr: AttrPath{URN: EnterpriseSchema, Name: "manager", Sub: "value"}}},
		{EnterpriseSchema, Path{Attr: AttrPath{URN: strings.TrimSuffix(EnterpriseSchema, ":User"), Name: "User"}}},
		{`urn:scim:schemas:extension:enterprise:1.0`, Path{Attr: AttrPath{URN: "urn:scim:schemas:extension:enterprise:1.0"}}},
	}
	for _, tt := range tests {
		got, err := ParsePath(tt.in)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParsePath(%q) = %#v, %v, want %#v", tt.in, got, err, tt.want)
			continue
		}
		if again, err := ParsePath(got.String()); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("ParsePath(%q) = %#v, %v, want %#v", got, again, err, got)
		}
	}
}

var pathErrors = []struct {
	in string
	at int
}{
	{``, 0}, {`"a"`, 0}, {`(a)`, 0}, {`/userName`, 0}, {`a b`, 2}, {`a[`, 2}, {`a[b eq 1`, 8}, {`a[b eq 1]c`, 9},
	{`a[b eq 1].`, 9}, {`a[b eq 1].c.d`, 9}, {`a.b.c`, 0}, {`a.b[c pr]`, 3}, {`a[b eq]`, 6}, {`a pr`, 2},
	{`urn:x:1.0[a pr]`, 9}, {`emails[0].value`, 7},
	{strings.Repeat("a", MaxFilterLength+1), MaxFilterLength},
}

func TestParsePath_Errors(t *testing.T) {
	for _, tt := range pathErrors {
		p, err := ParsePath(tt.in)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Type != InvalidPath || e.Offset != tt.at {
			t.Errorf("ParsePath(%.40q) = %v, %v, want invalidPath at %d", tt.in, p, err, tt.at)
		}
	}
}

// parseAgain parses what String printed: quotes and parentheses that the input did not have may take it over
// the limits, so these are lifted.
func parseAgain(s string) (Filter, *Error) {
	p := &parser{lexer: lexer{s: s, kind: InvalidFilter}, maxDepth: 3 * MaxFilterDepth, maxNodes: 3 * MaxFilterNodes}
	return p.filter()
}

// FuzzParseFilter checks that the parser never panics and that what it accepts is printed and parsed to the
// same tree.
func FuzzParseFilter(f *testing.F) {
	for _, tt := range filterCases {
		f.Add(tt.in)
	}
	for _, tt := range filterErrors {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseFilter(s)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Offset < 0 || e.Offset > len(s) || e.Detail == "" {
				t.Fatalf("ParseFilter(%q): bad error %#v", s, err)
			}
			return
		}
		again, perr := parseAgain(got.String())
		if perr != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("ParseFilter(%q) prints %s, which parses to %v, %v", s, got, again, perr)
		}
	})
}

// FuzzParsePath is FuzzParseFilter for PATCH paths.
func FuzzParsePath(f *testing.F) {
	for _, s := range []string{`a`, `a.b`, `a[b eq "c"]`, `a[b eq "c"].d`, EnterpriseSchema, EnterpriseSchema + ":manager", `urn:x:1.0`} {
		f.Add(s)
	}
	for _, tt := range pathErrors {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParsePath(s)
		if err != nil {
			return
		}
		p := &parser{lexer: lexer{s: got.String(), kind: InvalidPath}, maxDepth: 3 * MaxFilterDepth, maxNodes: 3 * MaxFilterNodes}
		again, perr := p.path()
		if perr != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("ParsePath(%q) prints %s, which parses to %v, %v", s, got, again, perr)
		}
	})
}
