package scim

import (
	"slices"
	"sort"
)

// complex is value for a complex attribute.
func (c *coercer) complex(a *Attribute, v any) (any, error) {
	o, ok := v.(Object)
	if !ok {
		return c.plain(a, v)
	}
	out := make(Object, len(o))
	hits := 0
	for _, sub := range a.SubAttributes {
		v, ok := o[sub.Name]
		if !ok {
			continue
		}
		hits++
		if err := c.sub(a, sub, v, out); err != nil {
			return nil, err
		}
	}
	if hits < len(o) {
		if err := c.otherSpellings(a, o, out); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	if a.MultiValued && !c.strict && hollow(a, out) {
		c.note(ToleratedEmptyElement)
		return nil, nil
	}
	return out, nil
}

// hollow reports whether an element has nothing but a type and primary although its attribute has a value: some
// clients send a slot for each type, filled or not.
func hollow(a *Attribute, o Object) bool {
	for name := range o {
		if name != "type" && name != "primary" {
			return false
		}
	}
	return subAttribute(a, "value") != nil
}

// plain is complex for a value that is no object: a string means {"value": string} where there is such a
// sub-attribute.
func (c *coercer) plain(a *Attribute, v any) (any, error) {
	value := subAttribute(a, "value")
	s, ok := v.(string)
	if !ok || c.strict || value == nil && s != "" {
		return nil, c.wrong(nil, a, v)
	}
	if s == "" {
		c.note(ToleratedEmptyString)
		return nil, nil
	}
	c.note(ToleratedPlainValue)
	out := make(Object, 1)
	if err := c.sub(a, value, v, out); err != nil || len(out) == 0 {
		return nil, err
	}
	return out, nil
}

// sub puts one sub-attribute into out.
func (c *coercer) sub(a, sub *Attribute, v any, out Object) error {
	if sub.Mutability == "readOnly" {
		return nil
	}
	value, err := c.value(a, sub, v)
	if err != nil {
		return err
	}
	if value != nil && sub.Mutability != "writeOnly" {
		out[sub.Name] = value
	}
	return nil
}

// otherSpellings reads the names in o that are not spelled as in the schema.
func (c *coercer) otherSpellings(a *Attribute, o, out Object) error {
	var names []string
	for name := range o {
		if !slices.ContainsFunc(a.SubAttributes, func(sub *Attribute) bool { return sub.Name == name }) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		sub := subAttribute(a, name)
		if sub == nil {
			if c.strict {
				return Errorf(InvalidSyntax, "%s has no sub-attribute %s", a.Name, Quote(name))
			}
			c.note(ToleratedUnknown)
			continue
		}
		if _, twice := o[sub.Name]; twice {
			continue
		}
		if err := c.sub(a, sub, o[name], out); err != nil {
			return err
		}
	}
	return nil
}
