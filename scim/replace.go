package scim

import "slices"

// Replace returns the attributes that a resource has after a PUT (RFC 7644 §3.5.1). old has Attrs, sent comes
// from Decode. The rules, attribute by attribute:
//
//   - readOnly: as stored.
//   - immutable: what is stored stays; another value is refused with mutability, none is no attempt to change it.
//   - readWrite: as sent; what the body does not have is cleared.
//   - active: as stored if the body has no value for it, so that nobody is enabled or disabled by omission.
//
// With keepOmitted nothing is cleared by omission, sub-attributes of a single-valued attribute included; null,
// [] and "" still clear. A multi-valued attribute that is sent replaces all its values in either case. externalId
// and members are not attributes here: they are in sent. old and sent are not changed but share memory with the
// result.
func (g *Registry) Replace(old Resource, sent Decoded, keepOmitted bool) (Object, error) {
	s := g.byName[old.Type]
	if s == nil {
		return nil, Errorf(InvalidValue, "there is no resource type %s", Quote(old.Type))
	}
	m := merge{cleared: sent.Cleared, keep: keepOmitted}
	out := make(Object, len(sent.Resource.Attrs))
	if err := m.fields(s.fields, old.Attrs, sent.Resource.Attrs, out); err != nil {
		return nil, err
	}
	if active, ok := old.Attrs["active"]; ok && !sent.ActiveSent && s.find("active") != nil {
		out["active"] = active
	}
	if err := s.checkRequired(out); err != nil {
		return nil, err
	}
	return out, nil
}

// merge is the state of one Replace.
type merge struct {
	cleared []string
	keep    bool
}

func (m *merge) fields(fields []field, old, sent, out Object) error {
	for i := range fields {
		f := &fields[i]
		if f.apart || f.common {
			continue
		}
		was, hadValue := old[f.name]
		is, hasValue := sent[f.name]
		if !hadValue && !hasValue {
			continue
		}
		v, err := m.field(f, was, is)
		if err != nil {
			return err
		}
		if v != nil {
			out[f.name] = v
		}
	}
	return nil
}

// field returns the value that one attribute or extension has afterwards, nil for none.
func (m *merge) field(f *field, was, is any) (any, error) {
	if f.attr != nil {
		switch {
		case f.attr.Mutability == "readOnly":
			return was, nil
		case f.attr.Mutability == "immutable" && was != nil:
			if is != nil && !sameValue(f.attr, was, is) {
				return nil, Errorf(Mutability, "%s is immutable: it has a value, which cannot change", f.label())
			}
			return was, nil
		}
	}
	keep := m.keep && !slices.Contains(m.cleared, f.path)
	if f.attr != nil && (f.attr.MultiValued || f.attr.Type != Complex) {
		if is == nil && keep {
			return was, nil
		}
		return is, nil
	}
	wasObject, _ := was.(Object)
	isObject, _ := is.(Object)
	if len(wasObject) == 0 {
		return is, nil
	}
	inner := merge{cleared: m.cleared, keep: keep}
	out := make(Object, len(isObject))
	if err := inner.fields(f.subs, wasObject, isObject, out); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// sameValue compares two canonical values of an attribute, strings without case unless it is caseExact.
func sameValue(a *Attribute, x, y any) bool {
	switch x := x.(type) {
	case string:
		y, ok := y.(string)
		return ok && (x == y || !a.CaseExact && Fold(x) == Fold(y))
	case []any:
		y, ok := y.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !sameValue(a, x[i], y[i]) {
				return false
			}
		}
		return true
	case Object:
		y, ok := y.(Object)
		if !ok || len(x) != len(y) {
			return false
		}
		for name, v := range x {
			sub := subAttribute(a, name)
			if w, ok := y[name]; !ok || sub == nil || !sameValue(sub, v, w) {
				return false
			}
		}
		return true
	}
	return x == y
}
