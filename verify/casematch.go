package verify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// check compares an answer with what a case file asks for.
func (a *fileAnswer) check(s *Session, x *Exchange, step string, vars map[string]any) {
	for name, want := range a.Headers {
		want = s.fillText(want, vars, nil)
		got := x.header(name)
		ok := wild(got, want) || strings.EqualFold(name, "Content-Type") && isMedia(got, strings.TrimSuffix(want, "{{any}}"))
		s.check(ok, x, step+": header "+name+" "+show(want), "header "+name+" "+show(got))
	}
	if a.Body != nil && x.Response.Status != 204 {
		if why := mismatch(x.doc, s.fill(a.Body, vars), ""); why != "" {
			s.stop(x, step+": "+why, describeBody(x))
		}
	}
	if x.doc != nil {
		for _, path := range a.Absent {
			if v, ok := x.value(path); ok && !empty(v) {
				s.fail(x, step+": "+path+" is absent", showAt(path, v, ok))
			}
		}
		for _, path := range a.NoKeys {
			if hasKey(x.doc, path) {
				s.fail(x, step+": no attribute "+path, "there is one")
			}
		}
		for path, want := range a.Count {
			v, _ := x.value(path)
			items, _ := v.([]any)
			s.check(len(items) == want, x, fmt.Sprintf("%s: %d elements in %s", step, want, path), show(len(items)))
		}
	}
	if a.Within > 0 {
		s.check(x.Millis <= a.Within, x, fmt.Sprintf("%s: an answer within %g ms", step, a.Within), fmt.Sprintf("%.0f ms", x.Millis))
	}
}

// hasKey tells whether a path leads to a key; in double quotes the path is one key of the top level.
func hasKey(doc any, path string) bool {
	if key, ok := strings.CutPrefix(path, `"`); ok {
		o, _ := doc.(Object)
		_, there := o[strings.TrimSuffix(key, `"`)]
		return there
	}
	_, there := lookup(doc, path)
	return there
}

func describeBody(x *Exchange) string {
	if x.doc == nil {
		return x.describe()
	}
	return "status " + fmt.Sprint(x.Response.Status) + " with " + clip(show(x.doc), 200)
}

// mismatch says what of want is not in got, "" if everything is.
func mismatch(got, want any, at string) string {
	switch w := want.(type) {
	case Object:
		o, ok := got.(Object)
		if !ok {
			return fmt.Sprintf("%s is an object", nameOf(at))
		}
		for k, e := range w {
			v, ok := member(o, k)
			if !ok {
				return fmt.Sprintf("%s has %s", nameOf(at), k)
			}
			if why := mismatch(v, e, join(at, k)); why != "" {
				return why
			}
		}
		return ""
	case []any:
		return mismatchList(got, w, at)
	case string:
		if mismatchText(got, w) {
			return fmt.Sprintf("%s is %s", nameOf(at), show(w))
		}
		return ""
	}
	if !same(got, want) {
		return fmt.Sprintf("%s is %s", nameOf(at), show(want))
	}
	return ""
}

// member finds a key of an object without regard to case; keys of case files are whole, never paths.
func member(o Object, key string) (any, bool) {
	if v, ok := o[key]; ok {
		return v, true
	}
	for k, v := range o {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return nil, false
}

func nameOf(at string) string {
	if at == "" {
		return "the body"
	}
	return at
}

func join(at, key string) string {
	switch {
	case at == "":
		return key
	case strings.HasPrefix(at, "urn:"):
		return at + ":" + key
	}
	return at + "." + key
}

// mismatchList wants as many elements, in any order, unless the last pattern allows more.
func mismatchList(got any, want []any, at string) string {
	items, ok := got.([]any)
	if !ok {
		return fmt.Sprintf("%s is a list", nameOf(at))
	}
	more := slices.Contains(want, any("{{more}}"))
	want = slices.DeleteFunc(slices.Clone(want), func(e any) bool { return e == any("{{more}}") })
	if len(items) < len(want) || len(items) > len(want) && !more {
		return fmt.Sprintf("%s has %d elements", nameOf(at), len(want))
	}
	if !assign(items, want, make([]bool, len(items)), at) {
		return fmt.Sprintf("%s holds %s", nameOf(at), show(want))
	}
	return ""
}

// assign finds a different element for every pattern.
func assign(items, want []any, taken []bool, at string) bool {
	if len(want) == 0 {
		return true
	}
	for i, e := range items {
		if taken[i] || mismatch(e, want[0], at) != "" {
			continue
		}
		taken[i] = true
		if assign(items, want[1:], taken, at) {
			return true
		}
		taken[i] = false
	}
	return false
}

func mismatchText(got any, want string) bool {
	switch want {
	case "{{any}}":
		return empty(got)
	case "{{number}}":
		n, ok := got.(json.Number)
		return !ok || strings.ContainsAny(string(n), ".eE")
	case "{{bool}}":
		_, ok := got.(bool)
		return !ok
	case "{{list}}":
		_, ok := got.([]any)
		return !ok
	case "{{time}}":
		t, ok := got.(string)
		_, err := time.Parse(time.RFC3339, t)
		return !ok || err != nil
	}
	t, ok := got.(string)
	return !ok || !wild(t, want)
}

// wild compares a text with one that may contain {{any}}, which stands for one or more characters.
func wild(got, want string) bool {
	parts := strings.Split(want, "{{any}}")
	if !strings.HasPrefix(got, parts[0]) {
		return false
	}
	got = got[len(parts[0]):]
	for i, p := range parts[1:] {
		if got == "" {
			return false
		}
		if i == len(parts)-2 {
			return len(got) > len(p) && strings.HasSuffix(got, p)
		}
		at := strings.Index(got[1:], p)
		if at < 0 {
			return false
		}
		got = got[1+at+len(p):]
	}
	return got == ""
}
