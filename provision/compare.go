package provision

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/provost-scim/provost/scim"
)

// compare returns the PATCH operations (RFC 7644 §3.5.2) that make have into want, and what differs. Sub-attributes
// of a complex attribute are compared one by one, because a replace of the whole leaves those it does not name. The
// order of the elements of a list means nothing.
func compare(have, want scim.Object) (ops []scim.Op, values []Value) {
	for _, name := range union(have, want) {
		old, now := have[name], want[name]
		if same(old, now) {
			continue
		}
		if _, isList := now.([]any); !isList {
			o, oldObject := old.(scim.Object)
			n, nowObject := now.(scim.Object)
			if oldObject && nowObject || strings.HasPrefix(name, "urn:") {
				separator := "."
				if strings.HasPrefix(name, "urn:") {
					separator = ":"
				}
				for _, sub := range union(o, n) {
					if !same(o[sub], n[sub]) {
						ops, values = differs(ops, values, name+separator+sub, o[sub], n[sub])
					}
				}
				continue
			}
		}
		ops, values = differs(ops, values, name, old, now)
	}
	return ops, values
}

func differs(ops []scim.Op, values []Value, path string, old, now any) ([]scim.Op, []Value) {
	op := scim.Op{Op: "replace", Path: path, Value: now}
	switch {
	case now == nil:
		op = scim.Op{Op: "remove", Path: path}
	case old == nil:
		op.Op = "add"
	}
	return append(ops, op), append(values, Value{Path: path, Old: old, New: now})
}

func union(a, b scim.Object) []string {
	all := map[string]bool{}
	for name := range a {
		all[name] = true
	}
	for name := range b {
		all[name] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// same compares two values; lists as sets.
func same(a, b any) bool {
	x, isList := a.([]any)
	y, bothLists := b.([]any)
	if !isList || !bothLists {
		if o, ok := a.(scim.Object); ok {
			p, ok := b.(scim.Object)
			return ok && len(o) == len(p) && sameObject(o, p)
		}
		return reflect.DeepEqual(a, b)
	}
	if len(x) != len(y) {
		return false
	}
	left, right := texts(x), texts(y)
	return slices.Equal(left, right)
}

func sameObject(o, p scim.Object) bool {
	for name, v := range o {
		w, there := p[name]
		if !there || !same(v, w) {
			return false
		}
	}
	return true
}

func texts(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		b, err := json.Marshal(v)
		if err != nil {
			continue // never: attributes are JSON
		}
		out[i] = string(b)
	}
	slices.Sort(out)
	return out
}

// document is what the ledger remembers of a resource: its attributes, and externalId as if it were one.
func document(r *scim.Resource) scim.Object {
	doc := make(scim.Object, len(r.Attrs)+1)
	maps.Copy(doc, r.Attrs)
	if r.ExternalID != "" {
		doc["externalId"] = r.ExternalID
	}
	return doc
}

// resource makes a resource of a document.
func resource(typ string, doc scim.Object) scim.Resource {
	r := scim.Resource{Type: typ, Attrs: make(scim.Object, len(doc))}
	for name, v := range doc {
		if name == "externalId" {
			r.ExternalID, _ = v.(string)
			continue
		}
		r.Attrs[name] = v
	}
	return r
}

// set returns a copy of doc with the value at path, which is a top-level name, "name.sub", "urn:…:name" or
// "urn:…:name.sub"; nil removes it.
func set(doc scim.Object, path string, value any) scim.Object {
	out := maps.Clone(doc)
	if out == nil {
		out = scim.Object{}
	}
	first, rest := splitPath(path)
	if rest == "" {
		if value == nil {
			delete(out, first)
		} else {
			out[first] = value
		}
		return out
	}
	inner, _ := out[first].(scim.Object)
	changed := set(inner, rest, value)
	if len(changed) == 0 {
		delete(out, first)
	} else {
		out[first] = changed
	}
	return out
}

// get is the value at a path of set.
func get(doc scim.Object, path string) any {
	first, rest := splitPath(path)
	if rest == "" {
		return doc[first]
	}
	inner, _ := doc[first].(scim.Object)
	return get(inner, rest)
}

// splitPath takes the first step off a path. The name of an attribute holds no colon, so the URN ends at the last.
func splitPath(path string) (first, rest string) {
	if strings.HasPrefix(path, "urn:") {
		i := strings.LastIndexByte(path, ':')
		// A path that is a URN alone, such as urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.
		if last := path[i+1:]; last != "" && last[0] >= 'A' && last[0] <= 'Z' {
			return path, ""
		}
		return path[:i], path[i+1:]
	}
	first, rest, _ = strings.Cut(path, ".")
	return first, rest
}
