package scim

import (
	"strings"
)

// field is one name that can stand in a resource: a common attribute, an attribute of the core schema, an
// extension (attr is nil, name is the URN, subs are its attributes), or a sub-attribute of one of those.
type field struct {
	name    string
	key     string     // `"name":`, as it stands in the document
	path    string     // canonical path in lower case, as in the index
	attr    *Attribute // nil for an extension
	common  bool       // schemas or id, which a document starts with
	indexed bool       // it, or something in it, is in the search index
	apart   bool       // not in the document: it has a home of its own in Resource, or is never stored
	needs   bool       // some sub-attribute is required
	subs    []field
	byKey   map[string]int // subs by name and by lower-case name; only made for many
}

// returned is the characteristic of the field; an extension itself is returned by default.
func (f *field) returned() string {
	if f.attr == nil {
		return "default"
	}
	return f.attr.Returned
}

func (f *field) ref(ext, sub string) (AttrRef, bool) {
	ref := AttrRef{Ext: ext, Attr: f.attr}
	if sub == "" {
		return ref, true
	}
	ref.Sub = subAttribute(f.attr, sub)
	return ref, ref.Sub != nil
}

// subAttribute finds a sub-attribute by name in any case. Complex attributes have few, so it compares.
func subAttribute(a *Attribute, name string) *Attribute {
	for _, sub := range a.SubAttributes {
		if sub.Name == name {
			return sub
		}
	}
	for _, sub := range a.SubAttributes {
		if equalName(sub.Name, name) {
			return sub
		}
	}
	return nil
}

// shape is a resource type made ready for the hot paths.
type shape struct {
	typ       *ResourceType
	fields    []field // in the order of the answer: schemas, id, core attributes, extensions, externalId, relations, meta
	byKey     map[string]int
	exts      []*field
	tail      int         // the first field that stands behind the document
	plain     *Projection // what a request without attributes and excludedAttributes gets
	endpoints map[string]*shape
}

// newShape puts the fields of a resource type together.
func newShape(t *ResourceType, schemas map[string]*Schema) *shape {
	s := &shape{typ: t}
	common := commonAttributes()
	for _, a := range []*Attribute{common.schemas, common.id} {
		f := newField("", a)
		f.common = true
		s.fields = append(s.fields, f)
	}
	var relations []field
	for _, a := range schemas[strings.ToLower(t.Schema)].Attributes {
		f := newField("", a)
		if t.Schema == UserSchema && a.Name == "groups" || t.Schema == GroupSchema && a.Name == "members" {
			f.apart = true
			relations = append(relations, f)
			continue
		}
		f.apart = a.Mutability == "writeOnly"
		s.fields = append(s.fields, f)
	}
	first := len(s.fields)
	for _, x := range t.Extensions {
		schema := schemas[strings.ToLower(x.Schema)]
		f := field{name: schema.ID, key: `"` + schema.ID + `":`, path: strings.ToLower(schema.ID)}
		for _, a := range schema.Attributes {
			f.subs = append(f.subs, newField(f.path+":", a))
			f.indexed = f.indexed || f.subs[len(f.subs)-1].indexed
		}
		f.byKey = indexFields(f.subs)
		s.fields = append(s.fields, f)
	}
	s.tail = len(s.fields)
	externalID := newField("", common.externalID)
	externalID.apart = true
	meta := newField("", common.meta)
	meta.apart = true
	s.fields = append(s.fields, externalID)
	s.fields = append(s.fields, relations...)
	s.fields = append(s.fields, meta)
	for i := first; i < s.tail; i++ {
		s.exts = append(s.exts, &s.fields[i])
	}
	s.byKey = indexFields(s.fields)
	s.plain = newProjection(s, &selection{}, &selection{}, false)
	return s
}

func newField(prefix string, a *Attribute) field {
	f := field{name: a.Name, key: `"` + a.Name + `":`, path: prefix + strings.ToLower(a.Name), attr: a, indexed: a.Indexed}
	for _, sub := range a.SubAttributes {
		f.subs = append(f.subs, newField(f.path+".", sub))
		f.needs = f.needs || sub.Required
		f.indexed = f.indexed || sub.Indexed
	}
	return f
}

func indexFields(fields []field) map[string]int {
	m := make(map[string]int, 2*len(fields))
	for i := range fields {
		m[fields[i].name] = i
		m[strings.ToLower(fields[i].name)] = i
	}
	return m
}

// maxName is the longest attribute name or URN that is looked up; no definition has a longer one.
const maxName = 256

// lookup finds a field by name in any case without allocating.
func lookup(fields []field, byKey map[string]int, name string) *field {
	if i, ok := byKey[name]; ok {
		return &fields[i]
	}
	var buf [maxName]byte
	lower, ok := lowerName(buf[:], name)
	if !ok {
		return nil
	}
	if i, ok := byKey[string(lower)]; ok {
		return &fields[i]
	}
	return nil
}

// find returns the top-level field of that name, nil if there is none.
func (s *shape) find(name string) *field { return lookup(s.fields, s.byKey, name) }

// extension returns the extension of that URN, nil if the type has none.
func (s *shape) extension(urn string) *field {
	if f := s.find(urn); f != nil && f.attr == nil {
		return f
	}
	return nil
}

// findInExtensions returns the first extension that has an attribute of that name.
func (s *shape) findInExtensions(name string) (ext, f *field) {
	for _, ext := range s.exts {
		if f := lookup(ext.subs, ext.byKey, name); f != nil {
			return ext, f
		}
	}
	return nil, nil
}

// findField finds a field in a short list by name in any case.
func findField(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	for i := range fields {
		if equalName(fields[i].name, name) {
			return &fields[i]
		}
	}
	return nil
}
