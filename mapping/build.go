package mapping

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// builder makes the resource of one record.
type builder struct {
	mapping  *Mapping
	part     *part
	wanted   *Wanted
	attrs    scim.Object
	external string
	elements []*element // of lists, in the order of the rows
}

// element is one element of a list that is made of several rows.
type element struct {
	holder scim.Object
	attr   *scim.Attribute
	where  []selector
	value  scim.Object
}

func (b *builder) build(e *evaluation) error {
	for _, r := range b.part.rows {
		v, err := r.value(e)
		if err == nil && r.alternatives {
			v = b.alternatives(r, v)
		}
		if err == nil && r.target.reference() {
			b.reference(r, v)
			continue
		}
		if err == nil {
			v, err = b.mapping.coerceAll(r.target, v)
		}
		if err == nil && v == nil && r.fallback != "" {
			v, err = b.mapping.coerceAll(r.target, r.fallback)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", r.at, err)
		}
		if v != nil {
			b.place(r, v)
		}
	}
	b.finish()
	for _, a := range b.part.require {
		if b.attrs[a.Name] == nil {
			return fmt.Errorf("%s is required by the target and has no value", a.Name)
		}
	}
	b.wanted.Resource = &scim.Resource{Type: b.part.typ, ExternalID: b.external, Attrs: b.attrs}
	return nil
}

// alternatives takes the first of several candidates and keeps the others.
func (b *builder) alternatives(r *row, v any) any {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return v
	}
	if len(list) > 1 {
		if b.wanted.Alternatives == nil {
			b.wanted.Alternatives = map[string][]any{}
		}
		b.wanted.Alternatives[r.target.path()] = list[1:]
	}
	return list[0]
}

func (b *builder) reference(r *row, v any) {
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	if name := strings.TrimSpace(asText(v)); name != "" {
		b.wanted.Refs = append(b.wanted.Refs, Reference{Path: r.target.path(), Name: b.mapping.options.Normal(name)})
	}
}

// resolve finds the objects that references name.
func (b *builder) resolve(ctx context.Context, look Lookup) error {
	if len(b.wanted.Refs) == 0 || look == nil {
		return nil
	}
	names := make([]string, len(b.wanted.Refs))
	for i, r := range b.wanted.Refs {
		names[i] = r.Name
	}
	keys, err := look.Named(ctx, names)
	if err != nil {
		return err
	}
	for i := range b.wanted.Refs {
		b.wanted.Refs[i].Key = keys[names[i]]
	}
	return nil
}

// place puts a canonical value where its row wants it.
func (b *builder) place(r *row, v any) {
	t := r.target
	if t.ref.Ext == "" && t.ref.Attr.Name == "externalId" {
		b.external, _ = v.(string)
		return
	}
	holder := b.attrs
	if t.ref.Ext != "" {
		holder = inner(holder, t.ref.Ext)
	}
	switch {
	case !t.list && t.sub == nil:
		holder[t.ref.Attr.Name] = v
	case !t.list:
		inner(holder, t.ref.Attr.Name)[t.sub.Name] = v
	case t.wholeList():
		b.whole(r, holder, v)
	default:
		el := b.element(holder, t)
		el.value[t.sub.Name] = v
		if r.primary {
			el.value["primary"] = true
		}
	}
}

func inner(o scim.Object, name string) scim.Object {
	in, ok := o[name].(scim.Object)
	if !ok {
		in = scim.Object{}
		o[name] = in
	}
	return in
}

// whole adds all elements of a list: those that other rows fill stay.
func (b *builder) whole(r *row, holder scim.Object, v any) {
	t := r.target
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if t.ref.Attr.Type != scim.Complex {
		holder[t.ref.Attr.Name] = unique(list)
		return
	}
	for i, one := range unique(list) {
		o, ok := one.(scim.Object)
		if !ok {
			o = scim.Object{t.sub.Name: one}
		}
		if r.typ != "" && o["type"] == nil {
			o["type"] = r.typ
		}
		if r.primary && i == 0 {
			o["primary"] = true
		}
		b.elements = append(b.elements, &element{holder: holder, attr: t.ref.Attr, value: o})
	}
}

func unique(list []any) []any {
	var out []any
	for _, v := range list {
		if _, object := v.(scim.Object); object || !slices.Contains(simple(out), v) {
			out = append(out, v)
		}
	}
	return out
}

// simple leaves out the objects of a list, which cannot be compared.
func simple(list []any) []any {
	return slices.DeleteFunc(slices.Clone(list), func(v any) bool { _, object := v.(scim.Object); return object })
}

// element finds or makes the element that a target's selectors mark.
func (b *builder) element(holder scim.Object, t *target) *element {
	for _, el := range b.elements {
		if el.attr == t.ref.Attr && slices.Equal(el.where, t.where) {
			return el
		}
	}
	el := &element{holder: holder, attr: t.ref.Attr, where: t.where, value: scim.Object{}}
	for _, s := range t.where {
		el.value[s.name] = s.value
	}
	b.elements = append(b.elements, el)
	return el
}

// finish puts the elements into their lists. At most one is primary, the first; two with one value are one.
func (b *builder) finish() {
	primary := map[*scim.Attribute]bool{}
	seen := map[*scim.Attribute][]string{}
	for _, el := range b.elements {
		if el.value["primary"] == true {
			if primary[el.attr] {
				delete(el.value, "primary")
			}
			primary[el.attr] = true
		}
		if v, ok := el.value["value"].(string); ok {
			id := scim.Fold(v) + "\x00" + asText(el.value["type"])
			if slices.Contains(seen[el.attr], id) {
				continue
			}
			seen[el.attr] = append(seen[el.attr], id)
		}
		list, _ := el.holder[el.attr.Name].([]any)
		el.holder[el.attr.Name] = append(list, el.value)
	}
	for name, v := range b.attrs { // extensions of which nothing came
		if o, ok := v.(scim.Object); ok && len(o) == 0 {
			delete(b.attrs, name)
		}
	}
}

// evaluation is one record while it is mapped.
type evaluation struct {
	mapping *Mapping
	record  source.Record
}

func (m *Mapping) evaluation(rec source.Record) *evaluation {
	return &evaluation{mapping: m, record: rec}
}

// values are those of a source attribute that are not empty; name is in lower case.
func (e *evaluation) values(name string) []string {
	switch name {
	case "$key":
		return []string{e.record.Key}
	case "$name":
		return []string{e.record.Name}
	}
	list := e.record.Attrs[name]
	for _, v := range list {
		if v == "" {
			return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
		}
	}
	return list
}

func (e *evaluation) first(name string) string {
	if v := e.values(name); len(v) > 0 {
		return v[0]
	}
	return ""
}
