package scim

import (
	"slices"
	"sort"
)

// DecodeOptions says how a body is read.
type DecodeOptions struct {
	Strict bool // the standard to the letter: what needs a tolerance is refused
}

// Decoded is a resource as a client sent it, in canonical form.
type Decoded struct {
	// Resource has Type, ExternalID ("" if it was absent or null), Attrs, and of a group Members (Value only)
	// and HasMembers. ID is the id in the body, which a caller ignores.
	Resource   Resource
	ActiveSent bool     // the body had a value for "active"
	Cleared    []string // paths, in lower case, of attributes that the body named and left empty (null, [] or "")
	Tolerances []string // names of the tolerances that were needed, sorted
}

// Decode reads a whole resource as POST and PUT send it. Names are case-insensitive. What a client cannot set
// (id, meta, groups, every readOnly attribute) is ignored, a password is checked and forgotten. Without Strict
// the deviations of known clients are accepted and noted (see the Tolerated constants), unknown attributes and
// schemas ignored. The error is an *Error: invalidValue for a value of the wrong type or a required attribute
// that is missing, invalidSyntax for what does not fit the schema otherwise. body is not changed and shares
// memory with the result.
func (g *Registry) Decode(typ string, body Object, o DecodeOptions) (Decoded, error) {
	s := g.byName[typ]
	if s == nil {
		return Decoded{}, Errorf(InvalidValue, "there is no resource type %s", Quote(typ))
	}
	d := decoder{shape: s, body: body}
	d.coercer = coercer{strict: o.Strict, note: d.tolerate}
	d.out.Resource = Resource{Type: typ, Attrs: make(Object, len(body))}
	hits := 0
	for i := range s.fields {
		f := &s.fields[i]
		v, ok := body[f.name]
		if !ok {
			continue
		}
		hits++
		if err := d.field(f, v); err != nil {
			return Decoded{}, err
		}
	}
	if hits < len(body) {
		if err := d.otherKeys(); err != nil {
			return Decoded{}, err
		}
	}
	if err := d.checkSchemas(); err != nil {
		return Decoded{}, err
	}
	if err := s.checkRequired(d.out.Resource.Attrs); err != nil {
		return Decoded{}, err
	}
	sort.Strings(d.out.Tolerances)
	return d.out, nil
}

// decoder is the state of one Decode.
type decoder struct {
	coercer
	shape    *shape
	body     Object
	out      Decoded
	declared []string // schemas as sent
}

func (d *decoder) tolerate(name string) {
	if !slices.Contains(d.out.Tolerances, name) {
		d.out.Tolerances = append(d.out.Tolerances, name)
	}
}

// field reads one key of the top level.
func (d *decoder) field(f *field, v any) error {
	switch {
	case f.attr == nil:
		return d.extension(f, v)
	case f.apart || f.attr.Mutability == "readOnly":
		return d.special(f, v)
	}
	return d.attribute(f, v, d.out.Resource.Attrs)
}

// special reads the keys that do not go into Attrs.
func (d *decoder) special(f *field, v any) error {
	var err error
	switch {
	case f.name == "schemas":
		d.declared, err = d.schemas(v)
	case f.name == "id":
		d.out.Resource.ID, _ = v.(string)
	case f.name == "externalId":
		v, err = d.value(nil, f.attr, v)
		d.out.Resource.ExternalID, _ = v.(string)
	case f.name == "members" && f.apart:
		err = d.members(v)
	case f.attr.Mutability == "writeOnly":
		_, err = d.whole(f.attr, v)
	}
	return err
}

// attribute reads a whole attribute into where.
func (d *decoder) attribute(f *field, v any, where Object) error {
	if f.attr.Mutability == "readOnly" {
		return nil
	}
	value, err := d.whole(f.attr, v)
	if err != nil {
		return err
	}
	if o, ok := v.(Object); ok && f.attr.Type == Complex && !f.attr.MultiValued {
		d.clearedIn(f, o, value)
	} else if value == nil {
		d.out.Cleared = append(d.out.Cleared, f.path)
	}
	if value == nil {
		return nil
	}
	if f.attr.Mutability == "writeOnly" {
		return nil
	}
	if f.name == "active" && f.path == "active" {
		d.out.ActiveSent = true
	}
	where[f.name] = value
	return nil
}

// clearedIn notes the sub-attributes that a single-valued complex attribute names and leaves empty.
func (d *decoder) clearedIn(f *field, sent Object, value any) {
	is, _ := value.(Object)
	if len(is) == len(sent) {
		return
	}
	for _, name := range sortedKeys(sent) {
		if sub := findField(f.subs, name); sub != nil && sub.attr.Mutability != "readOnly" && is[sub.name] == nil {
			d.out.Cleared = append(d.out.Cleared, sub.path)
		}
	}
}

// extension reads the object that stands under the URN of an extension.
func (d *decoder) extension(ext *field, v any) error {
	if v == nil {
		d.out.Cleared = append(d.out.Cleared, ext.path)
		return nil
	}
	o, ok := v.(Object)
	if !ok {
		return Errorf(InvalidValue, "%s must be an object", ext.name)
	}
	where := make(Object, len(o))
	hits := 0
	for i := range ext.subs {
		f := &ext.subs[i]
		v, ok := o[f.name]
		if !ok {
			continue
		}
		hits++
		if err := d.attribute(f, v, where); err != nil {
			return err
		}
	}
	if hits < len(o) {
		for _, name := range sortedKeys(o) {
			f := lookup(ext.subs, ext.byKey, name)
			switch {
			case f == nil && d.strict:
				return Errorf(InvalidSyntax, "%s has no attribute %s", ext.name, Quote(name))
			case f == nil:
				d.note(ToleratedUnknown)
			case f.name != name && where[f.name] == nil:
				if err := d.attribute(f, o[name], where); err != nil {
					return err
				}
			}
		}
	}
	if len(where) > 0 {
		d.out.Resource.Attrs[ext.name] = where
	}
	return nil
}

// schemas reads the list of schema URNs.
func (d *decoder) schemas(v any) ([]string, error) {
	var list []any
	switch v := v.(type) {
	case nil:
	case []any:
		list = v
	case string:
		if d.strict {
			return nil, Errorf(InvalidSyntax, "schemas must be a list of strings")
		}
		d.note(ToleratedSingleForList)
		list = []any{v}
	default:
		return nil, Errorf(InvalidSyntax, "schemas must be a list of strings")
	}
	urns := make([]string, 0, len(list))
	for _, v := range list {
		urn, ok := v.(string)
		if !ok {
			return nil, Errorf(InvalidSyntax, "schemas must be a list of strings")
		}
		urns = append(urns, urn)
	}
	return urns, nil
}

// checkSchemas compares the schemas that were declared with what the body has (RFC 7643 §3).
func (d *decoder) checkSchemas() error {
	core := false
	for i, urn := range d.declared {
		switch {
		case equalName(urn, d.shape.typ.Schema):
			core = true
		case d.shape.extension(urn) != nil:
		case d.strict:
			return Errorf(InvalidSyntax, "schemas: %s is no schema of a %s", Quote(urn), d.shape.typ.Name)
		default:
			d.note(ToleratedSchema)
		}
		if d.strict && slices.Contains(d.declared[:i], urn) {
			return Errorf(InvalidSyntax, "schemas: %s is there twice", Quote(urn))
		}
	}
	if !core {
		if d.strict {
			return Errorf(InvalidSyntax, "schemas must contain %s", d.shape.typ.Schema)
		}
		d.note(ToleratedNoSchemas)
	}
	for _, ext := range d.shape.exts {
		if d.out.Resource.Attrs[ext.name] == nil || slices.ContainsFunc(d.declared, func(urn string) bool { return equalName(urn, ext.name) }) {
			continue
		}
		if d.strict {
			return Errorf(InvalidSyntax, "schemas must contain %s: the body has its attributes", ext.name)
		}
		d.note(ToleratedUndeclared)
	}
	return nil
}

// members reads the members of a group. They are rows of their own and never part of Attrs.
func (d *decoder) members(v any) error {
	var list []any
	switch v := v.(type) {
	case nil:
		// RFC 7643 §2.5 reads null as "no members". Connectors are known to send it by mistake, and emptying a
		// group takes access away, so without Strict it says nothing about the members; [] empties the group.
		if !d.strict {
			d.note(ToleratedNullMembers)
			return nil
		}
	case []any:
		list = v
	default:
		if d.strict {
			return Errorf(InvalidValue, "members must be a list")
		}
		d.note(ToleratedSingleForList)
		list = []any{v}
	}
	ids := make([]Ref, 0, len(list))
	seen := make(map[string]struct{}, len(list))
	for i, v := range list {
		id, err := d.member(i, v)
		if err != nil {
			return err
		}
		if _, twice := seen[id]; !twice {
			seen[id] = struct{}{}
			ids = append(ids, Ref{Value: id})
		}
	}
	d.out.Resource.Members, d.out.Resource.HasMembers = ids, true
	return nil
}

// member returns the id in one element of members.
func (d *decoder) member(i int, v any) (string, error) {
	if o, ok := v.(Object); ok {
		id, ok := o["value"]
		for _, name := range sortedKeys(o) {
			if !ok && equalName(name, "value") {
				id, ok = o[name], true
			}
		}
		v = id
	} else if _, ok := v.(string); ok {
		if d.strict {
			return "", Errorf(InvalidValue, "members[%d] must be an object", i)
		}
		d.note(ToleratedPlainValue)
	}
	id, _ := v.(string)
	if id == "" {
		return "", Errorf(InvalidValue, "members[%d].value is required and must be a string", i)
	}
	return id, nil
}
