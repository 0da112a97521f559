package scim

import (
	"fmt"
	"maps"
	"slices"
)

// addToList appends values to a list. A value that is there already, with the same type or where one of the two
// has no type, is not added again; what the new one says beyond it is merged into it.
func (p *patcher) addToList(t target, raw any) error {
	a := t.ref.Attr
	value, err := p.coercer().whole(a, raw)
	if err != nil {
		return err
	}
	added, _ := value.([]any)
	list := slices.Clone(listOf(p.get(t)))
	if err := p.work(list, 2); err != nil { // an index of them is more than a comparison
		return err
	}
	if err := p.work(added, 2); err != nil {
		return err
	}
	known := indexElements(a, list)
	primary := -1
	for _, e := range added {
		at, ok := known.find(a, list, e)
		if !ok {
			at = len(list)
			list = append(list, e)
			known.add(a, at, e)
		} else if old, isObject := list[at].(Object); isObject {
			list[at] = merged(a, old, e.(Object), nil)
			if err := checkImmutable(t.ref.Name(), elementOf(a), old, list[at]); err != nil {
				return err
			}
			known.add(a, at, list[at])
		}
		if isPrimary(e) {
			primary = at
		}
	}
	demote(list, primary)
	return p.set(verbAdd, t, list)
}

func isPrimary(e any) bool {
	o, ok := e.(Object)
	return ok && o["primary"] == true
}

// demote makes the element at keep the only primary one of a list (RFC 7644 §3.5.2); keep < 0 changes nothing.
func demote(list []any, keep int) {
	if keep < 0 {
		return
	}
	for i, e := range list {
		if i != keep && isPrimary(e) {
			o := maps.Clone(e.(Object))
			o["primary"] = false
			list[i] = o
		}
	}
}

// elementIndex finds the elements of a list by value and type.
type elementIndex map[[2]string]int

func indexElements(a *Attribute, list []any) elementIndex {
	known := make(elementIndex, 2*len(list))
	for i, e := range list {
		known.add(a, i, e)
	}
	return known
}

// anyType stands for every type of a value in the index.
const anyType = "\x00"

func (x elementIndex) add(a *Attribute, at int, e any) {
	value, typ := elementKey(a, e)
	for _, key := range [][2]string{{value, typ}, {value, anyType}} {
		if _, taken := x[key]; !taken {
			x[key] = at
		}
	}
}

// find returns the position of the element that e repeats.
func (x elementIndex) find(a *Attribute, list []any, e any) (int, bool) {
	value, typ := elementKey(a, e)
	at, ok := x[[2]string{value, typ}]
	if !ok && typ == "" {
		at, ok = x[[2]string{value, anyType}]
	} else if !ok {
		at, ok = x[[2]string{value, ""}]
	}
	if ok && value[0] == '?' && !equalValues(list[at], e) {
		return 0, false
	}
	return at, ok
}

// elementKey returns what identifies an element: its value, folded unless caseExact, and its type. An element
// without a value is known by all that it holds; its key begins with "?".
func elementKey(a *Attribute, e any) (value, typ string) {
	o, ok := e.(Object)
	if !ok {
		return "=" + foldFor(a, fmt.Sprint(e)), ""
	}
	v := o["value"]
	if v == nil {
		return "?" + fmt.Sprint(o), ""
	}
	if s, ok := o["type"].(string); ok {
		typ = foldFor(subAttribute(a, "type"), s)
	}
	return "=" + foldFor(subAttribute(a, "value"), fmt.Sprint(v)), typ
}

func foldFor(a *Attribute, s string) string {
	if a == nil || a.CaseExact {
		return s
	}
	return Fold(s)
}
