package scim

import "maps"

// target is what an operation is about: an attribute, a sub-attribute, elements of a list, or a sub-attribute of
// elements.
type target struct {
	ref    AttrRef
	filter Filter // bound to the elements of ref.Attr; nil if the path has no brackets
	loose  bool   // a key beside others and no path: readOnly is ignored instead of refused
}

// target resolves a path. An unknown attribute is invalidPath.
func (p *patcher) target(path Path) (target, error) {
	ref, ok := p.g.Resolve(p.typ.Name, path.Attr)
	if !ok {
		return target{}, Errorf(InvalidPath, "%s has no attribute %s", p.typ.Name, Quote(path.Attr.String()))
	}
	switch {
	case ref.Ext != "" && path.Attr.URN == "":
		if err := p.tolerate(ToleratedBareKey, InvalidPath, "%s belongs to an extension: write %s", path.Attr, ref.Name()); err != nil {
			return target{}, err
		}
	case path.Attr.URN != "" && equalName(path.Attr.Sub, ref.Attr.Name) && !equalName(path.Attr.Name, ref.Attr.Name):
		if err := p.tolerate(ToleratedDottedURN, InvalidPath, "a schema URN ends in a colon: write %s", ref.Name()); err != nil {
			return target{}, err
		}
	}
	t := target{ref: ref}
	if path.Filter == nil {
		return t, nil
	}
	if !ref.Attr.MultiValued {
		return target{}, Errorf(InvalidPath, "%s has one value only: brackets choose from many", ref.Attr.Name)
	}
	if ref.Attr.Type != Complex && ref.Sub != nil {
		return target{}, Errorf(InvalidPath, "%s has no sub-attributes", ref.Attr.Name)
	}
	b := binder{g: p.g, typ: p.typ, elem: ref.Attr, rel: isRelation(p.typ, ref)}
	f, err := b.filter(path.Filter)
	if err != nil {
		return target{}, err
	}
	t.filter = f
	return t, nil
}

// schemaOf returns the URN of the schema that a path names whole.
func (p *patcher) schemaOf(path Path) (string, bool) {
	if path.Filter != nil || path.Attr.URN == "" {
		return "", false
	}
	return p.schemaNamed(path.Attr.String())
}

// schemaNamed returns the URN, in its canonical spelling, of a schema of this resource type.
func (p *patcher) schemaNamed(name string) (string, bool) {
	if equalName(name, p.typ.Schema) {
		return p.typ.Schema, true
	}
	for _, x := range p.typ.Extensions {
		if equalName(name, x.Schema) {
			return x.Schema, true
		}
	}
	return "", false
}

// special handles the attributes that are not part of Attrs, and readOnly ones. It reports whether it did.
func (p *patcher) special(v verb, t target, raw any) (bool, error) {
	a := t.ref.Attr
	switch {
	case t.ref.Ext == "" && a.Name == "schemas":
		if v == verbRemove {
			return true, Errorf(Mutability, "schemas follows from the attributes that are present; remove those")
		}
		return true, p.tolerate(ToleratedSchemasPath, Mutability, "schemas follows from the attributes that are present")
	case isRelation(p.typ, t.ref) && a.Name == "members":
		return true, p.patchMembers(v, t, raw)
	case a.Mutability == "readOnly" || t.ref.Sub != nil && t.ref.Sub.Mutability == "readOnly":
		if t.loose {
			return true, p.tolerate(ToleratedReadOnly, Mutability, "%s is readOnly", t.ref.Name())
		}
		return true, Errorf(Mutability, "%s is readOnly", t.ref.Name())
	case a.Mutability == "writeOnly": // checked and forgotten
		if v != verbRemove {
			_, err := p.coerce(a, raw)
			return true, err
		}
		return true, nil
	case t.ref.Ext == "" && a.Name == "externalId":
		return true, p.patchExternalID(v, a, raw)
	}
	return false, nil
}

func (p *patcher) patchExternalID(v verb, a *Attribute, raw any) error {
	if v == verbRemove {
		p.externalID = ""
		return nil
	}
	if v == verbAdd && raw == nil {
		return p.tolerate(ToleratedNullAdd, InvalidValue, "add needs a value")
	}
	value, err := p.coerce(a, raw)
	if err != nil {
		return err
	}
	p.externalID, _ = value.(string)
	return nil
}

// get returns the value of the target's attribute, nil if it is absent.
func (p *patcher) get(t target) any {
	return topValue(AttrRef{Ext: t.ref.Ext, Attr: t.ref.Attr}, &Resource{Attrs: p.attrs})
}

// set makes value the value of the target's attribute; an empty one removes the attribute. It holds immutable
// attributes to what they are.
func (p *patcher) set(v verb, t target, value any) error {
	old := p.get(t)
	if !isPresent(value) {
		value = nil
		if t.ref.Ext == "" && t.ref.Attr.Name == "active" && p.typ.Schema == UserSchema && old != nil {
			if t.loose {
				return p.tolerate(ToleratedNullActive, InvalidValue, "active is true or false")
			}
			return Errorf(InvalidValue, "active is true or false; replace it by false to deactivate the user")
		}
		if v == verbRemove {
			p.removed = append(p.removed, t)
		}
	}
	if err := checkImmutable(t.ref.Name(), t.ref.Attr, old, value); err != nil {
		return err
	}
	if t.ref.Ext == "" {
		put(p.attrs, t.ref.Attr.Name, value)
		return nil
	}
	ext, _ := p.attrs[t.ref.Ext].(Object)
	ext = maps.Clone(ext)
	if ext == nil {
		ext = Object{}
	}
	put(ext, t.ref.Attr.Name, value)
	if len(ext) == 0 {
		delete(p.attrs, t.ref.Ext)
	} else {
		p.attrs[t.ref.Ext] = ext
	}
	return nil
}

// put sets a key of an object; nil deletes it.
func put(o Object, key string, value any) {
	if value == nil {
		delete(o, key)
	} else {
		o[key] = value
	}
}

// checkImmutable refuses a change of what is immutable and has a value (RFC 7644 §3.5.2). The sub-attributes of a
// list's elements are checked where an element changes.
func checkImmutable(name string, a *Attribute, old, value any) error {
	if a.Mutability == "immutable" && old != nil && (value == nil || !sameValue(a, old, value)) {
		return Errorf(Mutability, "%s is immutable and has a value", name)
	}
	was, isObject := old.(Object)
	if !isObject {
		return nil
	}
	is, _ := value.(Object)
	for _, sub := range a.SubAttributes {
		if sub.Mutability == "immutable" && was[sub.Name] != nil && !sameValue(sub, was[sub.Name], is[sub.Name]) {
			return Errorf(Mutability, "%s.%s is immutable and has a value", name, sub.Name)
		}
	}
	return nil
}
