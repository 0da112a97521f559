package scim

import (
	"maps"
	"slices"
)

// coerce brings a value into the canonical form of an attribute (one element, if it is multi-valued).
func (p *patcher) coerce(a *Attribute, raw any) (any, error) {
	return p.g.Coerce(a, raw, DecodeOptions{Strict: p.strict}, p.note)
}

// coercer is coerce for whole lists and for sub-attributes.
func (p *patcher) coercer() *coercer { return &coercer{strict: p.strict, note: p.note} }

// write applies an add or a replace to a target in Attrs.
func (p *patcher) write(v verb, t target, raw any) error {
	a := t.ref.Attr
	switch {
	case t.filter != nil:
		return p.writeElements(v, t, raw)
	case a.MultiValued && t.ref.Sub != nil:
		return p.writeSubOfAll(v, t, raw)
	case a.MultiValued && v == verbAdd:
		return p.addToList(t, raw)
	case a.MultiValued:
		list, err := p.coercer().whole(a, raw)
		if err != nil {
			return err
		}
		return p.set(v, t, list)
	case t.ref.Sub != nil:
		return p.writeSub(v, t, raw)
	case a.Type == Complex:
		return p.writeComplex(v, t, raw)
	}
	value, err := p.coerce(a, raw)
	if err != nil {
		return err
	}
	return p.set(v, t, value)
}

// writeComplex merges a value into a single complex attribute (RFC 7644 §3.5.2.3: sub-attributes that are not
// given stay). A sub-attribute that is given as null or "" goes; a value that is empty itself clears the
// attribute.
func (p *patcher) writeComplex(v verb, t target, raw any) error {
	a := t.ref.Attr
	if list, ok := raw.([]any); ok && len(list) == 1 && !p.strict {
		p.note(ToleratedListForSingle)
		raw = list[0]
	}
	value, err := p.coerce(a, raw)
	if err != nil {
		return err
	}
	given, _ := value.(Object)
	sent, isObject := raw.(Object)
	if given == nil && !isObject {
		return p.set(v, t, nil)
	}
	old, _ := p.get(t).(Object)
	return p.set(v, t, merged(a, old, given, sent))
}

// merged returns old with the sub-attributes in given, and without those that sent names and given lacks.
func merged(a *Attribute, old, given, sent Object) Object {
	out := make(Object, len(old)+len(given))
	maps.Copy(out, old)
	for name := range sent {
		if sub := subAttribute(a, name); sub != nil && sub.Mutability != "readOnly" && given[sub.Name] == nil {
			delete(out, sub.Name)
		}
	}
	maps.Copy(out, given)
	forgetStale(a, old, out)
	return out
}

// forgetStale removes what spoke of the old "value" of a reference, such as a manager's $ref and displayName,
// once the value has changed and they have not.
func forgetStale(a *Attribute, old, out Object) {
	if subAttribute(a, "$ref") == nil || old["value"] == nil || old["value"] == out["value"] {
		return
	}
	for _, name := range []string{"$ref", "display", "displayName"} {
		if old[name] != nil && old[name] == out[name] {
			delete(out, name)
		}
	}
}

// writeSub sets one sub-attribute of a single complex attribute; an empty value removes it.
func (p *patcher) writeSub(v verb, t target, raw any) error {
	value, err := p.coercer().value(t.ref.Attr, t.ref.Sub, raw)
	if err != nil {
		return err
	}
	old, _ := p.get(t).(Object)
	return p.set(v, t, withSub(t.ref.Attr, old, t.ref.Sub, value))
}

// withSub returns a copy of a complex value with one sub-attribute changed; nil removes it.
func withSub(a *Attribute, old Object, sub *Attribute, value any) Object {
	out := maps.Clone(old)
	if out == nil {
		out = Object{}
	}
	put(out, sub.Name, value)
	forgetStale(a, old, out)
	return out
}

// writeSubOfAll sets a sub-attribute of every element of a list ("emails.display"). What tells the elements
// apart cannot be set for several at once.
func (p *patcher) writeSubOfAll(v verb, t target, raw any) error {
	a, sub := t.ref.Attr, t.ref.Sub
	value, err := p.coercer().value(a, sub, raw)
	if err != nil {
		return err
	}
	list := slices.Clone(listOf(p.get(t)))
	if len(list) > 1 && (sub.Name == "value" || sub.Name == "type" || sub.Name == "primary") {
		return Errorf(InvalidPath, `%s does not say which of %d values: write %s[type eq "…"].%s`, t.ref.Name(), len(list), a.Name, sub.Name)
	}
	if err := p.work(list, 1); err != nil {
		return err
	}
	if len(list) == 0 && value != nil {
		list = []any{Object{sub.Name: value}}
		return p.set(v, t, list)
	}
	return p.setSubs(v, t, list, func(any) bool { return true }, value)
}

// setSubs sets a sub-attribute of the elements that match, nil to remove it, and stores the list.
func (p *patcher) setSubs(v verb, t target, list []any, match func(any) bool, value any) error {
	a, sub := t.ref.Attr, t.ref.Sub
	var out []any
	primary := -1
	for _, e := range list {
		if !match(e) {
			out = append(out, e)
			continue
		}
		old, _ := e.(Object)
		changed := withSub(a, old, sub, value)
		if err := checkImmutable(t.ref.Name(), elementOf(a), old, changed); err != nil {
			return err
		}
		if value == nil && p.dropped(a, changed) {
			continue
		}
		if sub.Name == "primary" && value == true && primary < 0 {
			primary = len(out)
		}
		out = append(out, changed)
	}
	demote(out, primary)
	return p.set(v, t, out)
}

// dropped reports whether an element from which something was removed goes as a whole: it is empty, or it only
// says what kind of value it was.
func (p *patcher) dropped(a *Attribute, e Object) bool {
	if len(e) == 0 {
		return true
	}
	hasValue := subAttribute(a, "value") != nil
	for name := range e {
		if name != "type" && name != "primary" && !(hasValue && (name == "display" || name == "$ref")) {
			return false
		}
	}
	if p.strict {
		return false
	}
	p.note(ToleratedHusk)
	return true
}

// elementOf is the definition of a single element of a multi-valued attribute. Unlike a whole list, one element
// may be written in parts: a slot with a type alone is kept.
func elementOf(a *Attribute) *Attribute {
	one := *a
	one.MultiValued = false
	one.Mutability = "readWrite"
	return &one
}
