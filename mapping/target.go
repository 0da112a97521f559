package mapping

import (
	"fmt"
	"strings"

	"github.com/provost-scim/provost/scim"
)

// target is an attribute of the target that a row fills.
type target struct {
	ref   scim.AttrRef
	sub   *scim.Attribute // the sub-attribute that is filled; nil for a simple attribute or whole elements
	list  bool            // the attribute is multi-valued
	where []selector      // of an element: what marks it
}

// selector is one "name eq value" of emails[type eq "work" and primary eq true].
type selector struct {
	name  string
	value any
}

// target parses and resolves a target path.
func (c *compiler) target(at, text string) (*target, error) {
	path, err := scim.ParsePath(text)
	if err != nil {
		return nil, &Error{at, "no attribute path: " + err.Error()}
	}
	g := c.mapping.registry
	ref, ok := g.Resolve(c.part.typ, path.Attr)
	if !ok {
		return nil, &Error{at, fmt.Sprintf("%s has no attribute %s", c.part.typ, scim.Quote(text))}
	}
	t := &target{ref: ref, sub: ref.Sub, list: ref.Attr.MultiValued}
	if err := writable(ref); err != "" {
		return nil, &Error{at, err}
	}
	if path.Attr.Sub == "" && ref.Attr.Type == scim.Complex {
		t.sub = nil // Resolve may mean emails.value where emails was written
	}
	if path.Filter != nil {
		if !t.list || ref.Attr.Type != scim.Complex {
			return nil, &Error{at, ref.Attr.Name + " has no elements to choose from"}
		}
		if path.Attr.Sub == "" {
			return nil, &Error{at, "say which part of the element is filled: " + text + ".value"}
		}
		if t.where, err = c.selectors(ref.Attr, path.Filter); err != nil {
			return nil, &Error{at, err.Error()}
		}
	}
	if t.sub == nil && ref.Attr.Type == scim.Complex {
		t.sub = subAttribute(ref.Attr, "value") // manager means manager.value, emails its values
		if t.sub == nil {
			return nil, &Error{at, fmt.Sprintf("%s has parts: name one, such as %s.%s", ref.Attr.Name, ref.Attr.Name, ref.Attr.SubAttributes[0].Name)}
		}
	}
	if t.sub != nil && t.sub.Mutability == "readOnly" {
		return nil, &Error{at, t.sub.Name + " is set by the target alone"}
	}
	return t, nil
}

// writable says why a mapping cannot fill an attribute, "" if it can.
func writable(ref scim.AttrRef) string {
	switch {
	case ref.Ext == "" && (ref.Attr.Name == "id" || ref.Attr.Name == "meta" || ref.Attr.Name == "schemas"), ref.Attr.Mutability == "readOnly":
		return ref.Attr.Name + " is set by the target alone"
	case ref.Ext == "" && ref.Attr.Name == "members":
		return "members are provisioned by the channel itself, no row is needed"
	case ref.Ext == "" && ref.Attr.Name == "password":
		return "passwords are not provisioned"
	}
	return ""
}

// selectors takes apart a filter of equalities.
func (c *compiler) selectors(a *scim.Attribute, f scim.Filter) ([]selector, error) {
	switch f := f.(type) {
	case *scim.And:
		left, err := c.selectors(a, f.Left)
		if err != nil {
			return nil, err
		}
		right, err := c.selectors(a, f.Right)
		return append(left, right...), err
	case *scim.Compare:
		sub := subAttribute(a, f.Path.Name)
		if f.Op != scim.Eq || sub == nil || f.Path.Sub != "" || f.Path.URN != "" {
			break
		}
		v, err := c.mapping.registry.Coerce(sub, f.Value, scim.DecodeOptions{}, nil)
		if err != nil || v == nil {
			return nil, fmt.Errorf("%s cannot be %v", sub.Name, f.Value)
		}
		return []selector{{sub.Name, v}}, nil
	}
	return nil, fmt.Errorf("an element is chosen by equalities joined by and, such as type eq \"work\", not by %s", f)
}

func subAttribute(a *scim.Attribute, name string) *scim.Attribute {
	for _, s := range a.SubAttributes {
		if strings.EqualFold(s.Name, name) {
			return s
		}
	}
	return nil
}

// leaf is the definition of the values that are filled in.
func (t *target) leaf() *scim.Attribute {
	if t.sub != nil {
		return t.sub
	}
	return t.ref.Attr
}

// wholeList says that the row gives all elements of a list.
func (t *target) wholeList() bool { return t.list && t.where == nil }

// reference says that the value is another resource: a complex attribute with a $ref to users or groups.
func (t *target) reference() bool {
	if t.list || t.sub == nil || t.sub.Name != "value" {
		return false
	}
	ref := subAttribute(t.ref.Attr, "$ref")
	if ref == nil || ref.Type != scim.Reference {
		return false
	}
	for _, typ := range ref.ReferenceTypes {
		if typ == "User" || typ == "Group" {
			return true
		}
	}
	return false
}

// path is the attribute as the engine compares it: the list as a whole, a sub-attribute by itself.
func (t *target) path() string {
	s := t.ref.Attr.Name
	if t.ref.Ext != "" {
		s = t.ref.Ext + ":" + s
	}
	if t.sub != nil && !t.list {
		s += "." + t.sub.Name
	}
	return s
}

// name is the target in full, in the schema's spelling.
func (t *target) name() string {
	s := t.path()
	for i, sel := range t.where {
		s += map[bool]string{true: "[", false: " and "}[i == 0] + sel.name + " eq " + literal(sel.value)
	}
	if len(t.where) > 0 {
		s += "]"
	}
	if t.list && t.sub != nil && len(t.where) > 0 {
		s += "." + t.sub.Name
	}
	return s
}

func literal(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}
