package scim

import (
	"strings"
)

// Bind resolves the attributes of a filter against a resource type, checks each operator and brings each value
// into the form that Match and the stores compare. It returns a new tree and leaves f as it is; nil stays nil.
//
// After Bind:
//   - Ref is set in every Compare and ValuePath. A complex attribute that is compared stands for its "value"
//     sub-attribute (emails eq "x"); with pr it stands for itself, and Sub is nil.
//   - Value has the type of the attribute: string, bool, int64 for an integer, float64 for a decimal, time.Time
//     (UTC) for a dateTime. "True" and "false" as strings are booleans, a number in quotes is a number, and
//     a whole number or boolean without quotes is a string where the attribute is one.
//   - nil is gone: "eq null" has become "not (… pr)" and "ne null" has become "… pr".
//   - schemas and meta.resourceType are gone: what they say follows from the type of the resource and from the
//     extensions that have attributes. Comparisons with them become "pr" of those attributes, or a constant:
//     "id pr" is true of every resource.
//   - A path inside a ValuePath names a sub-attribute: Ref.Attr is that sub-attribute and Ref.Sub is nil.
//
// Errors are *Error: invalidFilter for an unknown attribute, an operator that the type does not have
// (RFC 7644 §3.4.2.2: no order of booleans and binaries; beyond that, no parts of numbers and dates), a value of
// another type, meta.location and $ref of members and groups (they depend on the address of the server);
// sensitive for an attribute that is never returned.
func (g *Registry) Bind(typ string, f Filter) (Filter, error) {
	t := g.Type(typ)
	if t == nil {
		return nil, Errorf(InvalidFilter, "unknown resource type %s", Quote(typ))
	}
	if f == nil {
		return nil, nil
	}
	b := binder{g: g, typ: t}
	bound, err := b.filter(f)
	if err != nil {
		return nil, err
	}
	return bound, nil
}

// binder binds one filter. With elem set it is inside the brackets of a value path.
type binder struct {
	g    *Registry
	typ  *ResourceType
	elem *Attribute // the attribute before the brackets
	rel  bool       // elem is one of the relations members and groups
}

func (b binder) filter(f Filter) (Filter, *Error) {
	switch f := f.(type) {
	case *And:
		left, right, err := b.both(f.Left, f.Right)
		return &And{left, right}, err
	case *Or:
		left, right, err := b.both(f.Left, f.Right)
		return &Or{left, right}, err
	case *Not:
		inner, err := b.filter(f.Filter)
		return &Not{inner}, err
	case *ValuePath:
		return b.valuePath(f)
	case *Compare:
		if b.elem != nil {
			return b.inElement(f)
		}
		return b.compare(f)
	}
	return nil, Errorf(InvalidFilter, "empty filter")
}

func (b binder) both(l, r Filter) (left, right Filter, err *Error) {
	if left, err = b.filter(l); err == nil {
		right, err = b.filter(r)
	}
	return left, right, err
}

// resolve finds an attribute that may stand in a filter.
func (b binder) resolve(p AttrPath) (AttrRef, *Error) {
	ref, ok := b.g.Resolve(b.typ.Name, p)
	if !ok {
		return ref, Errorf(InvalidFilter, "%s has no attribute %s", b.typ.Name, Quote(p.String()))
	}
	return ref, b.mayFilter(p, ref.Attr, ref.Sub)
}

// mayFilter refuses attributes whose values must not leak through filters (RFC 7643 §7, "returned").
func (b binder) mayFilter(p AttrPath, attrs ...*Attribute) *Error {
	for _, a := range attrs {
		if a != nil && (a.Returned == "never" || a.Mutability == "writeOnly") {
			return Errorf(Sensitive, "%s is never returned, so it cannot be filtered on", p)
		}
	}
	return nil
}

// isRelation reports whether the attribute is the members of a group or the groups of a user, which are rows
// and not part of Attrs.
func isRelation(t *ResourceType, ref AttrRef) bool {
	return ref.Ext == "" && (t.Schema == UserSchema && ref.Attr.Name == "groups" || t.Schema == GroupSchema && ref.Attr.Name == "members")
}

func (b binder) valuePath(f *ValuePath) (Filter, *Error) {
	ref, err := b.resolve(f.Path)
	if err != nil {
		return nil, err
	}
	if b.elem != nil || ref.Sub != nil || ref.Attr.Type != Complex || !ref.Attr.MultiValued {
		return nil, Errorf(InvalidFilter, "%s has no elements to choose from: brackets need a complex multi-valued attribute", f.Path)
	}
	b.elem, b.rel = ref.Attr, isRelation(b.typ, ref)
	inner, err := b.filter(f.Filter)
	return &ValuePath{Path: f.Path, Filter: inner, Ref: ref}, err
}

// inElement binds a comparison inside brackets. The elements of a simple attribute are their own "value".
func (b binder) inElement(f *Compare) (Filter, *Error) {
	var sub *Attribute
	if f.Path.URN == "" && f.Path.Sub == "" {
		sub = subAttribute(b.elem, f.Path.Name)
		if sub == nil && b.elem.Type != Complex && equalName(f.Path.Name, "value") {
			sub = b.elem
		}
	}
	if sub == nil || b.rel && sub.Name == "$ref" {
		return nil, Errorf(InvalidFilter, "%s has no sub-attribute %s that can be filtered on", b.elem.Name, Quote(f.Path.String()))
	}
	if err := b.mayFilter(f.Path, sub); err != nil {
		return nil, err
	}
	return b.typed(f, AttrRef{Attr: sub}, sub)
}

func (b binder) compare(f *Compare) (Filter, *Error) {
	ref, err := b.resolve(f.Path)
	if err != nil {
		return nil, err
	}
	switch ref.Name() {
	case "meta":
		if f.Op == Pr {
			return b.constant(true), nil
		}
	case "meta.location":
		return nil, Errorf(InvalidFilter, "meta.location cannot be filtered on: use id")
	case "meta.version":
		if f.Op != Eq && f.Op != Ne && f.Op != Pr {
			return nil, Errorf(InvalidFilter, "meta.version has no order: use eq or ne")
		}
	case "meta.resourceType":
		return b.known(f, ref, func(c *Compare) Filter { return b.constant(matchValue(c, b.typ.Name)) })
	case "schemas":
		return b.known(f, ref, b.schemas)
	}
	if isRelation(b.typ, ref) && ref.Sub != nil && ref.Sub.Name == "$ref" {
		return nil, Errorf(InvalidFilter, "%s cannot be filtered on: use %s.value", ref.Name(), ref.Attr.Name)
	}
	if ref.Sub == nil && ref.Attr.Type == Complex && f.Op != Pr && f.Value != nil {
		if ref.Sub = subAttribute(ref.Attr, "value"); ref.Sub == nil {
			return nil, Errorf(InvalidFilter, "%s is complex: compare one of its sub-attributes, such as %s.%s",
				f.Path, f.Path, ref.Attr.SubAttributes[0].Name)
		}
		if err := b.mayFilter(f.Path, ref.Sub); err != nil {
			return nil, err
		}
	}
	return b.typed(f, ref, ref.Leaf())
}

// typed returns the comparison with its value in the type of the leaf.
func (b binder) typed(f *Compare, ref AttrRef, leaf *Attribute) (Filter, *Error) {
	c := &Compare{Path: f.Path, Op: f.Op, Ref: ref}
	if f.Op == Pr {
		return c, nil
	}
	if f.Value == nil {
		if f.Op != Eq && f.Op != Ne {
			return nil, Errorf(InvalidFilter, "%s %s null: null can only be compared with eq and ne", f.Path, f.Op)
		}
		c.Op = Pr
		if f.Op == Eq {
			return &Not{c}, nil
		}
		return c, nil
	}
	if !hasOperator(leaf.Type, f.Op) {
		return nil, Errorf(InvalidFilter, "%s is a %s, which has no operator %s", f.Path, leaf.Type, f.Op)
	}
	v, want := filterValue(leaf.Type, f.Value)
	if want != "" {
		return nil, Errorf(InvalidFilter, "%s is a %s: expected %s, found %s", f.Path, leaf.Type, want, Quote(strings.Trim(literal(f.Value), `"`)))
	}
	c.Value = v
	return c, nil
}

// known replaces a comparison whose outcome follows from the type of the resource: positive answers it for the
// positive form of the comparison, to which this brings it. null is compared as pr: both attributes are always
// there.
func (b binder) known(f *Compare, ref AttrRef, positive func(*Compare) Filter) (Filter, *Error) {
	if f.Op == Pr {
		return b.constant(true), nil
	}
	if f.Value == nil && (f.Op == Eq || f.Op == Ne) {
		return b.constant(f.Op == Ne), nil
	}
	bound, err := b.typed(f, ref, ref.Leaf())
	if err != nil {
		return nil, err
	}
	c := bound.(*Compare)
	if c.Op != Ne {
		return positive(c), nil
	}
	c.Op = Eq
	return &Not{positive(c)}, nil
}

// constant is a filter that matches every resource, or none.
func (b binder) constant(v bool) Filter {
	p := AttrPath{Name: "id"}
	ref, _ := b.g.Resolve(b.typ.Name, p)
	var f Filter = &Compare{Path: p, Op: Pr, Ref: ref}
	if !v {
		f = &Not{f}
	}
	return f
}

// schemas answers a comparison with the URNs of a resource: the core schema is always among them, an extension
// exactly if one of its attributes is present.
func (b binder) schemas(c *Compare) Filter {
	if matchValue(c, b.typ.Schema) {
		return b.constant(true)
	}
	var any []Filter
	for _, x := range b.typ.Extensions {
		if !matchValue(c, x.Schema) {
			continue
		}
		for _, a := range b.g.Schema(x.Schema).Attributes {
			p := AttrPath{URN: x.Schema, Name: a.Name}
			if ref, ok := b.g.Resolve(b.typ.Name, p); ok {
				any = append(any, &Compare{Path: p, Op: Pr, Ref: ref})
			}
		}
	}
	if len(any) == 0 {
		return b.constant(false)
	}
	return balanced(any)
}

// balanced joins filters by "or" in a tree of little depth.
func balanced(list []Filter) Filter {
	if len(list) == 1 {
		return list[0]
	}
	half := len(list) / 2
	return &Or{balanced(list[:half]), balanced(list[half:])}
}
