package scim

import "slices"

// remove applies a remove to a target in Attrs. Removing what is not there is no error (RFC 7644 §3.5.2.2 says so
// of members, and clients repeat themselves).
func (p *patcher) remove(t target, raw any) error {
	a := t.ref.Attr
	if !a.MultiValued {
		if t.ref.Sub == nil {
			return p.set(verbRemove, t, nil)
		}
		old, ok := p.get(t).(Object)
		if !ok || old[t.ref.Sub.Name] == nil {
			return nil
		}
		if t.ref.Sub.Required {
			return Errorf(Mutability, "%s is required and cannot be removed", t.ref.Name())
		}
		return p.set(verbRemove, t, withSub(a, old, t.ref.Sub, nil))
	}
	list := slices.Clone(listOf(p.get(t)))
	if len(list) == 0 {
		return nil
	}
	match, err := p.selection(t, raw, list)
	if err != nil {
		return err
	}
	if t.ref.Sub == nil {
		return p.set(verbRemove, t, slices.DeleteFunc(list, match))
	}
	if t.ref.Sub.Required && slices.ContainsFunc(list, match) {
		return Errorf(Mutability, "%s is required and cannot be removed", t.ref.Name())
	}
	return p.setSubs(verbRemove, t, list, match, nil)
}

// selection returns which elements a remove means: those that the value path selects and, where the operation
// has a value (which the RFC does not know, but Entra sends), only those listed in it. An empty list means none.
func (p *patcher) selection(t target, raw any, list []any) (func(any) bool, error) {
	if err := p.work(list, terms(t.filter)); err != nil {
		return nil, err
	}
	listed := func(any) bool { return true }
	if raw != nil {
		if err := p.tolerate(ToleratedRemoveValue, InvalidValue, "a remove has no value: name what goes in the path"); err != nil {
			return nil, err
		}
		if t.ref.Sub == nil {
			wanted, err := p.listed(t.ref.Attr, raw)
			if err != nil {
				return nil, err
			}
			if err := p.work(list, 1+len(wanted.others)); err != nil {
				return nil, err
			}
			listed = wanted.has
		}
	}
	return func(e any) bool {
		return (t.filter == nil || matchElement(t.filter, e)) && listed(e)
	}, nil
}

// removals are the values listed in a remove.
type removals struct {
	attr   *Attribute
	keys   map[[2]string]bool
	others []Object // those without a value: an element goes that has all they say
}

func (p *patcher) listed(a *Attribute, raw any) (removals, error) {
	r := removals{attr: a, keys: map[[2]string]bool{}}
	one := elementOf(a)
	for _, v := range listOf(raw) {
		e, err := p.coerce(one, v)
		if err != nil {
			return r, err
		}
		if e == nil {
			continue
		}
		if o, ok := e.(Object); ok && o["value"] == nil {
			r.others = append(r.others, o)
			continue
		}
		value, typ := elementKey(a, e)
		if typ == "" {
			typ = anyType
		}
		r.keys[[2]string{value, typ}] = true
	}
	return r, nil
}

// has reports whether an element is listed: by its value, and its type if the list gives one.
func (r removals) has(e any) bool {
	value, typ := elementKey(r.attr, e)
	if r.keys[[2]string{value, typ}] || r.keys[[2]string{value, anyType}] {
		return true
	}
	o, _ := e.(Object)
	return slices.ContainsFunc(r.others, func(want Object) bool {
		for name, v := range want {
			if o[name] == nil || !sameValue(subAttribute(r.attr, name), o[name], v) {
				return false
			}
		}
		return true
	})
}
