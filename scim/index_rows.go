package scim

import "strings"

// Index returns the rows of the search index that a resource has: one for each value of an attribute that is
// indexed, in the order of the schema. Attrs must be there. It fails with invalidValue if a value is longer than
// MaxIndexed. externalId is not among the rows: it belongs to a client, which a Resource does not know.
func (g *Registry) Index(r *Resource) ([]IndexRow, error) {
	s := g.byName[r.Type]
	if s == nil {
		return nil, Errorf(InvalidValue, "there is no resource type %s", Quote(r.Type))
	}
	rows := make([]IndexRow, 0, 8)
	var err error
	for i := range s.fields {
		f := &s.fields[i]
		if f.apart || !f.indexed {
			continue
		}
		v, ok := r.Attrs[f.name]
		if !ok {
			continue
		}
		if f.attr != nil {
			rows, err = f.appendRows(rows, v)
		} else if o, isObject := v.(Object); isObject {
			for j := range f.subs {
				if sub := &f.subs[j]; sub.indexed && err == nil && o[sub.name] != nil {
					rows, err = sub.appendRows(rows, o[sub.name])
				}
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// appendRows appends the rows of one attribute.
func (f *field) appendRows(rows []IndexRow, v any) ([]IndexRow, error) {
	list, ok := v.([]any)
	if !ok {
		return f.appendElement(rows, v, 0)
	}
	var err error
	for i, e := range list {
		if rows, err = f.appendElement(rows, e, i); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (f *field) appendElement(rows []IndexRow, v any, elem int) ([]IndexRow, error) {
	o, ok := v.(Object)
	if !ok {
		return f.appendRow(rows, v, elem, "")
	}
	kind, _ := o["type"].(string)
	var err error
	for i := range f.subs {
		if sub := &f.subs[i]; sub.attr.Indexed && o[sub.name] != nil {
			if rows, err = sub.appendRow(rows, o[sub.name], elem, Fold(kind)); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

func (f *field) appendRow(rows []IndexRow, v any, elem int, kind string) ([]IndexRow, error) {
	s, ok := v.(string)
	if !ok {
		return rows, nil
	}
	if !f.attr.CaseExact {
		s = Fold(s)
	}
	if len(s) > MaxIndexed {
		return nil, Errorf(InvalidValue, "%s has %d bytes, more than %d", f.label(), len(s), MaxIndexed)
	}
	return append(rows, IndexRow{Path: f.path, Value: s, Elem: elem, Type: kind}), nil
}

// label is the path for an error message, without the URN of an extension.
func (f *field) label() string { return f.path[strings.LastIndexByte(f.path, ':')+1:] }
