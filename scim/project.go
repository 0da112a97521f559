package scim

import "strings"

// MaxProjected is the most attributes that attributes and excludedAttributes may name together, and MaxProjectedName
// the most bytes of one of them.
const (
	MaxProjected     = 500
	MaxProjectedName = 512
)

// Projection says which attributes an answer has (RFC 7644 §3.9). A nil *Projection is the default view.
type Projection struct {
	shape *shape
	views []view // parallel to shape.fields
	whole bool   // everything in the document is shown
}

// view says how much of a field is shown.
type view struct {
	show showing
	subs []view // parallel to field.subs, if show is part
}

type showing uint8

const (
	omit showing = iota
	part
	all
)

// selection is a set of attribute names, as a tree parallel to the fields.
type selection struct {
	whole bool
	subs  map[string]*selection // by the field's name
}

func (n *selection) sub(name string) *selection {
	if n == nil || n.subs == nil {
		return nil
	}
	return n.subs[name]
}

func (n *selection) add(name string) *selection {
	if n.subs == nil {
		n.subs = map[string]*selection{}
	}
	if n.subs[name] == nil {
		n.subs[name] = &selection{}
	}
	return n.subs[name]
}

// Projection reads the parameters attributes and excludedAttributes of a request about one resource type. A name
// may be that of an attribute, of a sub-attribute ("name.givenName"), or a schema URN, each in any case; a name
// that the type does not have selects nothing. The characteristic "returned" decides the rest: always is shown
// and cannot be excluded, never is not, request only if it is named itself. If both lists are given, attributes
// selects and excludedAttributes takes away from that. The result is nil if both are empty, an *Error of type
// invalidValue if there are too many names or one is too long.
func (g *Registry) Projection(typ string, attributes, excluded []string) (*Projection, error) {
	s := g.byName[typ]
	if s == nil {
		return nil, Errorf(InvalidValue, "there is no resource type %s", Quote(typ))
	}
	if len(attributes)+len(excluded) > MaxProjected {
		return nil, Errorf(InvalidValue, "attributes and excludedAttributes name more than %d attributes", MaxProjected)
	}
	want, only, err := s.selection(attributes)
	if err != nil {
		return nil, err
	}
	drop, less, err := s.selection(excluded)
	if err != nil {
		return nil, err
	}
	if !only && !less {
		return nil, nil
	}
	return newProjection(s, want, drop, only), nil
}

// selection reads a list of names; any reports whether there is one, known or not.
func (s *shape) selection(names []string) (sel *selection, any bool, err error) {
	sel = &selection{}
	for _, name := range names {
		name = strings.TrimSpace(name)
		if len(name) > MaxProjectedName {
			return nil, false, Errorf(InvalidValue, "the attribute name %s has more than %d bytes", Quote(name), MaxProjectedName)
		}
		if name != "" {
			any = true
			s.selectName(sel, name)
		}
	}
	return sel, any, nil
}

func (s *shape) selectName(sel *selection, name string) {
	if equalName(name, s.typ.Schema) {
		for i := range s.fields {
			if f := &s.fields[i]; f.attr != nil && !f.common && f.name != "externalId" && f.name != "meta" {
				sel.add(f.name).whole = true
			}
		}
		return
	}
	if ext := s.extension(name); ext != nil {
		sel.add(ext.name).whole = true
		return
	}
	d := decoder{shape: s}
	ext, rest, tolerance := d.splitKey(name)
	attr, sub, _ := strings.Cut(rest, ".")
	var f *field
	if ext != nil {
		f = lookup(ext.subs, ext.byKey, attr)
	} else if f = s.find(attr); f == nil && tolerance == ToleratedDottedKey {
		ext, f = s.findInExtensions(attr)
	}
	if f == nil || f.attr == nil {
		return
	}
	if ext != nil {
		sel = sel.add(ext.name)
	}
	if sub == "" {
		sel.add(f.name).whole = true
	} else if a := subAttribute(f.attr, sub); a != nil {
		sel.add(f.name).add(a.Name).whole = true
	}
}

// newProjection applies "returned" to the names selected; only says that nothing else is shown.
func newProjection(s *shape, want, drop *selection, only bool) *Projection {
	p := &Projection{shape: s, whole: true, views: views(s.fields, want, drop, only)}
	for i := range s.fields {
		if !s.fields[i].apart && p.views[i].show != all {
			p.whole = false
		}
	}
	return p
}

func views(fields []field, want, drop *selection, only bool) []view {
	list := make([]view, len(fields))
	for i := range fields {
		list[i] = fieldView(&fields[i], want.sub(fields[i].name), drop.sub(fields[i].name), only)
	}
	return list
}

func fieldView(f *field, want, drop *selection, only bool) view {
	named := want != nil && want.whole
	inner := want != nil && len(want.subs) > 0 // a part of it is named
	var show bool
	switch f.returned() {
	case "never":
		return view{}
	case "always":
		show, drop = true, nil
	case "request":
		show = named || inner
	default:
		show = !only || named || inner
	}
	if f.attr == nil && !show {
		show, inner = true, true // an extension may hold attributes that are always returned
	}
	if !show || drop != nil && drop.whole && f.attr != nil {
		return view{}
	}
	if len(f.subs) == 0 {
		return view{show: all}
	}
	if drop != nil && drop.whole { // an extension
		for i := range f.subs {
			drop.add(f.subs[i].name).whole = true
		}
	}
	v := view{subs: views(f.subs, want, drop, only && inner && !named)}
	whole, none := true, true
	for _, sub := range v.subs {
		whole = whole && sub.show == all
		none = none && sub.show == omit
	}
	switch {
	case none:
		return view{}
	case whole:
		return view{show: all}
	}
	v.show = part
	return v
}

// Includes reports whether the attribute of that name (top level, any case) is in the answer, at least in part.
// The default view includes every attribute.
func (p *Projection) Includes(attr string) bool {
	if p == nil {
		return true
	}
	for i := range p.shape.fields {
		if equalName(p.shape.fields[i].name, attr) {
			return p.views[i].show != omit
		}
	}
	return false
}
