package verify

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// lookup finds a value in decoded JSON by a path:
//
//	userName                       an attribute (names compare without case)
//	name.givenName                 a sub-attribute
//	emails[type=work].value        of the first element whose type is "work"
//	Resources[0].id                of an element by its position
//	urn:…:2.0:User:department      of an extension; urn:…:2.0:User alone is the whole extension
//
// The second result tells whether the path leads anywhere; a null is found.
func lookup(v any, path string) (any, bool) {
	for path != "" {
		switch t := v.(type) {
		case Object:
			key, rest, ok := splitKey(t, path)
			if !ok {
				return nil, false
			}
			v, path = t[key], rest
		case []any:
			if path[0] != '[' {
				return nil, false
			}
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return nil, false
			}
			e, ok := element(t, path[1:end])
			if !ok {
				return nil, false
			}
			v, path = e, path[end+1:]
		default:
			return nil, false
		}
		path = strings.TrimPrefix(path, ".")
	}
	return v, true
}

// splitKey finds the key of o that path begins with and returns what follows it.
func splitKey(o Object, path string) (key, rest string, ok bool) {
	if strings.HasPrefix(strings.ToLower(path), "urn:") {
		for k := range o {
			if len(k) > len(key) && len(path) >= len(k) && strings.EqualFold(path[:len(k)], k) {
				if after := path[len(k):]; after == "" || after[0] == ':' {
					key, rest, ok = k, strings.TrimPrefix(after, ":"), true
				}
			}
		}
		return key, rest, ok
	}
	name := path
	if i := strings.IndexAny(path, ".["); i >= 0 {
		name, rest = path[:i], path[i:]
	}
	if _, ok := o[name]; ok {
		return name, rest, true
	}
	for k := range o {
		if strings.EqualFold(k, name) {
			return k, rest, true
		}
	}
	return "", "", false
}

// element picks one of a list: by position, or by "sub=value".
func element(list []any, selector string) (any, bool) {
	sub, want, filtered := strings.Cut(selector, "=")
	if !filtered {
		i, err := strconv.Atoi(selector)
		if err != nil || i < 0 || i >= len(list) {
			return nil, false
		}
		return list[i], true
	}
	for _, e := range list {
		if v, ok := lookup(e, sub); ok && fmt.Sprint(v) == want {
			return e, true
		}
	}
	return nil, false
}

// same compares decoded JSON with a Go value: numbers by value, lists in order, objects by the keys of want.
func same(got, want any) bool {
	switch w := want.(type) {
	case nil:
		return got == nil
	case int:
		return number(got, strconv.Itoa(w))
	case float64:
		return number(got, strconv.FormatFloat(w, 'g', -1, 64))
	case json.Number:
		return number(got, string(w))
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !same(g[i], w[i]) {
				return false
			}
		}
		return true
	case Object:
		g, ok := got.(Object)
		if !ok {
			return false
		}
		for k, v := range w {
			if e, ok := lookup(g, k); !ok || !same(e, v) {
				return false
			}
		}
		return true
	default:
		return got == want
	}
}

func number(got any, want string) bool {
	n, ok := got.(json.Number)
	if !ok {
		return false
	}
	if a, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		b, err := strconv.ParseInt(want, 10, 64)
		return err == nil && a == b
	}
	a, errA := strconv.ParseFloat(string(n), 64)
	b, errB := strconv.ParseFloat(want, 64)
	return errA == nil && errB == nil && a == b
}

// empty tells whether a value equals an absent one: null, "", an empty list or object.
func empty(v any) bool {
	switch t := v.(type) {
	case nil:
		return true
	case string:
		return t == ""
	case []any:
		return len(t) == 0
	case Object:
		return len(t) == 0
	}
	return false
}

// show prints a value for a report, at most 200 bytes.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return clip(string(b), 200)
}
