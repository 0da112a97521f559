package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParseJSON_Values(t *testing.T) {
	for _, c := range []struct {
		text string
		want any
	}{
		{`null`, nil},
		{` true `, true},
		{`false`, false},
		{`0`, int64(0)},
		{`-0`, int64(0)},
		{`-12`, int64(-12)},
		{`9223372036854775807`, int64(math.MaxInt64)},
		{`9223372036854775808`, float64(math.MaxInt64)},
		{`1.0`, 1.0},
		{`1e2`, 100.0},
		{`-1.5E-3`, -0.0015},
		{`""`, ""},
		{`"a\"\\\/\b\f\n\r\tz"`, "a\"\\/\b\f\n\r\tz"},
		{`"\u00e9\u20AC\ud83d\ude00é€😀"`, "é€😀é€😀"},
		{`"\u2028` + "\u2029" + `"`, "\u2028\u2029"},
		{`[]`, []any{}},
		{`[ 1 , "x" , [ ] , { } ]`, []any{int64(1), "x", []any{}, Object{}}},
		{`{"a":{"b":[1,2]},"c":[{"a":1},{"A":2}]}`, Object{"a": Object{"b": []any{int64(1), int64(2)}}, "c": []any{Object{"a": int64(1)}, Object{"A": int64(2)}}}},
		{"\t\r\n{\"a\" : 1}\n", Object{"a": int64(1)}},
	} {
		got, err := ParseJSON([]byte(c.text), 0)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.text, diff)
		}
	}
}

func TestParseJSON_Refusals(t *testing.T) {
	many := `{"Straße":1`
	for i := range 2 * manyNames {
		many += `,"n` + strings.Repeat("x", i) + `":1`
	}
	for _, c := range []struct {
		text   string
		offset int
		detail string
	}{
		{``, 0, "it ends where a value was expected"},
		{`  `, 2, "it ends"},
		{`{"a":1`, 6, "',' or '}'"},
		{`{"a":1,}`, 7, "a name in quotes"},
		{`{"a" 1}`, 5, "':'"},
		{`{a:1}`, 1, "a name in quotes"},
		{`[1,]`, 3, "a value"},
		{`[1 2]`, 3, "',' or ']'"},
		{`[`, 1, "a value"},
		{`truth`, 0, "a value"},
		{`nul`, 0, "a value"},
		{`1 2`, 2, "something follows"},
		{`{} x`, 3, "something follows"},
		{`01`, 0, "starts with 0"},
		{`-`, 1, "a digit"},
		{`1.`, 2, "a digit"},
		{`1e`, 2, "a digit"},
		{`+1`, 0, "a value"},
		{`.5`, 0, "a value"},
		{`1e999`, 0, "out of range"},
		{`"abc`, 4, "not closed"},
		{`"abc\`, 5, "not closed"},
		{`"a\x"`, 2, "escape"},
		{"\"a\nb\"", 2, "control character"},
		{"\"\\n\x01\"", 3, "control character"},
		{`"\u12g4"`, 1, "four hexadecimal"},
		{`"\u12`, 1, "four hexadecimal"},
		{`"\u0000"`, 1, "U+0000"},
		{`"x\ud800"`, 2, "surrogate"},
		{`"\ud800\u0041"`, 1, "surrogate"},
		{`"\ud800\n"`, 1, "surrogate"},
		{`"\udc00"`, 1, "surrogate"},
		{"\"\xff\"", 1, "UTF-8"},
		{"\"é€\xff\"", 6, "UTF-8"},
		{`"a\nb`, 5, "not closed"},
		{"\"a\\nb\x02\"", 5, "control character"},
		{"\"\xed\xa0\x80\"", 1, "UTF-8"},
		{"\xef\xbb\xbf{}", 0, "a value"},
		{`{"a":1,"a":2}`, 7, "twice"},
		{`{"userName":1,"USERNAME":2}`, 14, "twice"},
		{`{"b":{"x":1},"\u0042":2}`, 13, "twice"},
		{`{"É":1,"é":2}`, 8, "twice"},
		{`{"k":1,"` + "\u212a" + `":2}`, 7, "twice"},
		{many + `,"N":1}`, len(many) + 1, "twice"},
		{many + `,"STRAßE":1}`, len(many) + 1, "twice"},
		{`[[[[1]]]]`, 3, "too deep"},
		{`[[{"a":[1]}]]`, 7, "too deep"},
	} {
		_, err := ParseJSON([]byte(c.text), 3)
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%s: got %v, want an *Error", c.text, err)
			continue
		}
		if e.Type != InvalidSyntax || e.Offset != c.offset || !strings.Contains(e.Detail, c.detail) {
			t.Errorf("%s: got %v, want offset %d and %q", c.text, e, c.offset, c.detail)
		}
	}
}

func TestParseJSON_DepthIsTheLimit(t *testing.T) {
	for _, limit := range []int{1, 5, MaxDepth} {
		deep := strings.Repeat("[", limit) + strings.Repeat("]", limit)
		if _, err := ParseJSON([]byte(deep), limit); err != nil {
			t.Errorf("depth %d within limit %d: %v", limit, limit, err)
		}
		if _, err := ParseJSON([]byte("["+deep+"]"), limit); err == nil {
			t.Errorf("depth %d within limit %d: no error", limit+1, limit)
		}
	}
	if _, err := ParseJSON([]byte(strings.Repeat(`{"a":`, 100_000)), 0); err == nil {
		t.Error("a bomb without end: no error")
	}
}

// FuzzParseJSON compares with the standard library: what we accept it accepts with the same values, and what
// it accepts we refuse only for our own reasons.
func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5,"x",null,true]}`, `"\ud83d\ude00\u00e9"`, `{"a":1,"A":2}`, `[-0,1e3,12345678901234567890]`, `{"`, `"\u0000"`, "\"\xff\""} {
		f.Add([]byte(seed))
	}
	f.Add(sample(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseJSON(data, 0)
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		var want any
		valid := json.Valid(data)
		if valid {
			if e := dec.Decode(&want); e != nil {
				t.Fatal(e)
			}
		}
		if err == nil {
			if !valid {
				t.Fatalf("%q: accepted, but it is no JSON", data)
			}
			if !sameJSON(got, want) {
				t.Fatalf("%q: got %#v, want %#v", data, got, want)
			}
			return
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Offset < 0 || e.Offset > len(data) {
			t.Fatalf("%q: error %v has no position within the text", data, err)
		}
		if !valid || !utf8.Valid(data) {
			return
		}
		for _, own := range []string{"twice", "U+0000", "surrogate", "too deep", "out of range"} {
			if strings.Contains(e.Detail, own) {
				return
			}
		}
		t.Fatalf("%q: refused with %v, but it is JSON", data, err)
	})
}

func sameJSON(got, want any) bool {
	switch want := want.(type) {
	case json.Number:
		switch got := got.(type) {
		case int64:
			n, err := want.Int64()
			return err == nil && n == got
		case float64:
			n, err := want.Float64()
			return err == nil && n == got
		}
		return false
	case map[string]any:
		o, ok := got.(Object)
		if !ok || len(o) != len(want) {
			return false
		}
		for name, v := range want {
			if w, ok := o[name]; !ok || !sameJSON(w, v) {
				return false
			}
		}
		return true
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i, v := range want {
			if !sameJSON(list[i], v) {
				return false
			}
		}
		return true
	}
	return got == want
}
