package scimserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// decodeExactly reads JSON with its numbers as written.
func decodeExactly(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("data after the end of the document")
	}
	return v, nil
}

// differences says where got is not what want asks for, in the rules of testdata/traffic/README.md.
func differences(at string, got, want any) []string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: want an object, got %s", at, showJSON(got))}
		}
		var out []string
		for _, k := range sortedKeys(w) {
			below := strings.TrimPrefix(at+"."+k, ".")
			v, ok := g[k]
			if !ok {
				out = append(out, fmt.Sprintf("%s: want %s, got nothing", below, showJSON(w[k])))
				continue
			}
			out = append(out, differences(below, v, w[k])...)
		}
		return out
	case []any:
		return listDifferences(at, got, w)
	case string:
		return textDifferences(at, got, w)
	case json.Number:
		if g, ok := got.(json.Number); ok && equalNumbers(string(g), string(w)) {
			return nil
		}
	default:
		if got == want {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: want %s, got %s", at, showJSON(want), showJSON(got))}
}

func equalNumbers(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}

// listDifferences pairs the elements of two lists, in any order. {{more}} in want allows further elements.
func listDifferences(at string, got any, want []any) []string {
	g, ok := got.([]any)
	if !ok {
		return []string{fmt.Sprintf("%s: want a list, got %s", at, showJSON(got))}
	}
	open := slices.Contains(want, any("{{more}}"))
	want = slices.DeleteFunc(slices.Clone(want), func(v any) bool { return v == "{{more}}" })
	if len(g) < len(want) || !open && len(g) != len(want) {
		return []string{fmt.Sprintf("%s: want %d elements %s, got %d: %s", at, len(want), showJSON(want), len(g), showJSON(got))}
	}
	taken := make([]int, len(g)) // taken[j] is 1 + the index in want that has got[j]
	for i := range want {
		if !pair(g, want, i, taken, make([]bool, len(g))) {
			if len(g) == len(want) && len(g) == 1 {
				return differences(at+"[0]", g[0], want[0])
			}
			return []string{fmt.Sprintf("%s: no element for %s in %s", at, showJSON(want[i]), showJSON(got))}
		}
	}
	return nil
}

// pair finds an element of got for want[i], moving earlier pairs if it must.
func pair(got, want []any, i int, taken []int, tried []bool) bool {
	for j := range got {
		if tried[j] || len(differences("", got[j], want[i])) > 0 {
			continue
		}
		tried[j] = true
		if taken[j] == 0 || pair(got, want, taken[j]-1, taken, tried) {
			taken[j] = i + 1
			return true
		}
	}
	return false
}

func textDifferences(at string, got any, want string) []string {
	ok := false
	switch want {
	case "{{any}}":
		ok = !isEmpty(got)
	case "{{number}}":
		n, is := got.(json.Number)
		_, err := strconv.ParseInt(string(n), 10, 64)
		ok = is && err == nil
	case "{{bool}}":
		_, ok = got.(bool)
	case "{{list}}":
		_, ok = got.([]any)
	case "{{time}}":
		s, _ := got.(string)
		_, err := time.Parse(time.RFC3339Nano, s)
		ok = err == nil
	default:
		s, is := got.(string)
		ok = is && fits(s, want)
	}
	if ok {
		return nil
	}
	return []string{fmt.Sprintf("%s: want %s, got %s", at, showJSON(want), showJSON(got))}
}

// fits tells whether s is want, where {{any}} within want stands for any text that is not empty.
func fits(s, want string) bool {
	before, after, found := strings.Cut(want, "{{any}}")
	if !found {
		return s == want
	}
	rest, ok := strings.CutPrefix(s, before)
	for i := 1; ok && i <= len(rest); i++ {
		if fits(rest[i:], after) {
			return true
		}
	}
	return false
}

// isEmpty tells whether a value equals an absent one (RFC 7643 §2.5).
func isEmpty(v any) bool {
	switch t := v.(type) {
	case nil:
		return true
	case string:
		return t == ""
	case []any:
		return len(t) == 0
	case map[string]any:
		return len(t) == 0
	}
	return false
}

// findPath follows a path into decoded JSON: "name.givenName", "Resources[0].id", "urn:…:User:department", "" for all.
func findPath(v any, path string) (any, bool) {
	for path != "" {
		switch t := v.(type) {
		case map[string]any:
			key := keyAt(t, path)
			next, ok := t[key]
			if key == "" || !ok {
				return nil, false
			}
			v, path = next, strings.TrimLeft(path[len(key):], ".:")
		case []any:
			text, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
			i, err := strconv.Atoi(text)
			if !ok || err != nil || i < 0 || i >= len(t) {
				return nil, false
			}
			v, path = t[i], strings.TrimPrefix(rest, ".")
		default:
			return nil, false
		}
	}
	return v, true
}

// keyAt is the part of path that is the next key: a URN as long as a key of o has it, else up to a dot or bracket.
func keyAt(o map[string]any, path string) string {
	if strings.HasPrefix(path, "urn:") {
		longest := ""
		for k := range o {
			if len(k) > len(longest) && (path == k || strings.HasPrefix(path, k+":")) {
				longest = k
			}
		}
		return longest
	}
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return path
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func showJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

func TestDifferences(t *testing.T) {
	const (
		same  = true
		wrong = false
	)
	for _, row := range []struct {
		got, want string
		ok        bool
	}{
		{`{"a":1,"b":2}`, `{"a":1}`, same},
		{`{"a":1}`, `{"a":1,"b":2}`, wrong},
		{`{"a":1}`, `{"a":"1"}`, wrong},
		{`{"a":1}`, `{"a":1.0}`, same},
		{`{"a":"x"}`, `{"a":"X"}`, wrong},
		{`{"a":false}`, `{"a":"False"}`, wrong},
		{`{"a":[2,1]}`, `{"a":[1,2]}`, same},
		{`{"a":[1,1]}`, `{"a":[1,2]}`, wrong},
		{`{"a":[1,2,3]}`, `{"a":[1,2]}`, wrong},
		{`{"a":[1,2,3]}`, `{"a":[3,"{{more}}"]}`, same},
		{`{"a":[1,2]}`, `{"a":[3,"{{more}}"]}`, wrong},
		{`[{"a":1},{"a":1,"b":1}]`, `[{"a":1,"b":1},{"a":1}]`, same},
		{`[{"a":1,"b":1},{"a":1}]`, `[{"a":1},{"a":1,"b":1}]`, same},
		{`""`, `"{{any}}"`, wrong},
		{`"x"`, `"{{any}}"`, same},
		{`[]`, `"{{list}}"`, same},
		{`null`, `"{{list}}"`, wrong},
		{`"7"`, `"{{number}}"`, wrong},
		{`7`, `"{{number}}"`, same},
		{`7.5`, `"{{number}}"`, wrong},
		{`"2026-01-02T03:04:05.678Z"`, `"{{time}}"`, same},
		{`"yesterday"`, `"{{time}}"`, wrong},
		{`"W/\"12\""`, `"W/\"{{any}}\""`, same},
		{`"W/\"\""`, `"W/\"{{any}}\""`, wrong},
		{`true`, `"{{bool}}"`, same},
		{`"true"`, `"{{bool}}"`, wrong},
	} {
		got, err := decodeExactly([]byte(row.got))
		if err != nil {
			t.Fatal(err)
		}
		want, err := decodeExactly([]byte(row.want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := differences("", got, want); (len(diff) == 0) != row.ok {
			t.Errorf("%s against %s: %v", row.got, row.want, diff)
		}
	}
}
