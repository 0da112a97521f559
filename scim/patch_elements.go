package scim

import (
	"maps"
	"slices"
	"time"
)

// MaxPatchWork bounds the time that one PATCH takes: the comparisons that all its operations together make with
// the elements of lists, each for 16 bytes of text or a part of them. More are refused with tooLarge.
const MaxPatchWork = 1_000_000

// work counts the comparisons of a list's elements with so many terms.
func (p *patcher) work(list []any, terms int) error {
	for _, e := range list {
		p.worked += terms
		if o, ok := e.(Object); ok {
			for _, v := range o {
				p.worked += terms * textUnits(v)
			}
		} else {
			p.worked += terms * textUnits(e)
		}
		if p.worked > MaxPatchWork {
			return Errorf(TooLarge, "the operations of this PATCH compare more than %d values of lists; send fewer at once", MaxPatchWork)
		}
	}
	return nil
}

func textUnits(v any) int {
	s, _ := v.(string)
	return len(s) / 16
}

// terms is the number of comparisons in a filter.
func terms(f Filter) int {
	switch f := f.(type) {
	case *And:
		return terms(f.Left) + terms(f.Right)
	case *Or:
		return terms(f.Left) + terms(f.Right)
	case *Not:
		return terms(f.Filter)
	}
	return 1
}

// writeElements applies an add or a replace to the elements that a value path selects, or makes one if there is
// none.
func (p *patcher) writeElements(v verb, t target, raw any) error {
	a := t.ref.Attr
	list := slices.Clone(listOf(p.get(t)))
	if err := p.work(list, terms(t.filter)); err != nil {
		return err
	}
	match := func(e any) bool { return matchElement(t.filter, e) }
	found := slices.ContainsFunc(list, match)
	if t.ref.Sub != nil {
		value, err := p.coercer().value(a, t.ref.Sub, raw)
		switch {
		case err != nil:
			return err
		case found:
			return p.setSubs(v, t, list, match, value)
		case value == nil:
			return nil // nothing there to remove it from
		}
		return p.create(v, t, list, Object{t.ref.Sub.Name: value})
	}
	if many, ok := raw.([]any); ok {
		if len(many) > 1 {
			return Errorf(InvalidValue, "%s: a value path takes one value, not a list", a.Name)
		}
		raw = nil
		if len(many) == 1 {
			raw = many[0]
		}
	}
	value, err := p.coerce(elementOf(a), raw)
	switch {
	case err != nil:
		return err
	case found:
		return p.rewrite(v, t, list, match, value, raw)
	case value == nil:
		return nil
	}
	return p.create(v, t, list, value)
}

// rewrite changes the whole elements that match: add merges, replace replaces, and nothing in place of an
// element removes it.
func (p *patcher) rewrite(v verb, t target, list []any, match func(any) bool, value, raw any) error {
	a := t.ref.Attr
	given, _ := value.(Object)
	sent, isObject := raw.(Object)
	var out []any
	primary := -1
	for _, e := range list {
		if !match(e) {
			out = append(out, e)
			continue
		}
		changed := value
		if a.Type == Complex && (value != nil || isObject && v == verbAdd) {
			old := e.(Object)
			next := merged(a, old, given, sent)
			if v == verbReplace {
				next = p.replaced(t, old, given, sent)
			}
			if err := checkImmutable(t.ref.Name(), elementOf(a), old, next); err != nil {
				return err
			}
			changed = next
		}
		if !isPresent(changed) {
			continue
		}
		if o, ok := changed.(Object); ok && len(given) == 0 && p.dropped(a, o) {
			continue
		}
		if isPrimary(changed) && given["primary"] == true && primary < 0 {
			primary = len(out)
		}
		out = append(out, changed)
	}
	demote(out, primary)
	return p.set(v, t, out)
}

// replaced is the new value of an element that a value path replaces. Immutable sub-attributes that the client did
// not repeat stay; so do what the path compares with eq, and primary, unless in strict mode.
func (p *patcher) replaced(t target, old, given, sent Object) Object {
	out := maps.Clone(given)
	for _, sub := range t.ref.Attr.SubAttributes {
		if sub.Mutability == "immutable" && old[sub.Name] != nil && out[sub.Name] == nil {
			out[sub.Name] = old[sub.Name]
		}
	}
	if p.strict {
		return out
	}
	keep := Object{}
	equalityTerms(t.filter, keep)
	if old["primary"] != nil {
		keep["primary"] = old["primary"]
	}
	for name, value := range keep {
		if _, sentIt := lookupKey(sent, name); !sentIt && out[name] == nil {
			out[name] = value
			p.note(ToleratedFilled)
		}
	}
	return out
}

// lookupKey finds a key of an object in any case.
func lookupKey(o Object, name string) (any, bool) {
	if v, ok := o[name]; ok {
		return v, true
	}
	for key, v := range o {
		if equalName(key, name) {
			return v, true
		}
	}
	return nil, false
}

// create appends the element that a value path describes and that is not there.
func (p *patcher) create(v verb, t target, list []any, value any) error {
	a := t.ref.Attr
	if v == verbReplace {
		if err := p.tolerate(ToleratedCreated, NoTarget, "no value of %s matches %s", a.Name, t.filter); err != nil {
			return err
		}
	}
	e := value
	if a.Type == Complex {
		o := Object{}
		equalityTerms(t.filter, o)
		given, _ := value.(Object)
		maps.Copy(o, given)
		e = o
	}
	if !matchElement(t.filter, e) {
		return Errorf(NoTarget, "no value of %s matches %s, and none can be made that does", a.Name, t.filter)
	}
	list = append(list, e)
	if isPrimary(e) {
		demote(list, len(list)-1)
	}
	return p.set(v, t, list)
}

// equalityTerms puts what a filter says by eq, alone or joined by "and", into an element.
func equalityTerms(f Filter, into Object) {
	switch f := f.(type) {
	case *And:
		equalityTerms(f.Left, into)
		equalityTerms(f.Right, into)
	case *Compare:
		if f.Op != Eq {
			return
		}
		value := f.Value
		switch v := value.(type) {
		case time.Time:
			value = v.Format(time.RFC3339Nano)
		case string:
			value = canonicalText(f.Ref.Attr, v)
		}
		into[f.Ref.Attr.Name] = value
	}
}
