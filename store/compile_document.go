package store

import (
	"strings"

	"github.com/provost-scim/provost/scim"
)

// inDocument compares an attribute that is not indexed, inside the JSON document.
func (c *compiler) inDocument(f *scim.Compare) string {
	ref := f.Ref
	path := []string{ref.Attr.Name}
	if ref.Ext != "" {
		path = []string{ref.Ext, ref.Attr.Name}
	}
	if ref.Attr.MultiValued {
		return c.any(c.elements("r.doc", path), "e", func(e value) string {
			if ref.Sub == nil {
				return c.test(f, ref.Attr, e)
			}
			return c.inObject(f, ref.Sub, e)
		})
	}
	if ref.Sub == nil {
		return c.test(f, ref.Attr, c.at("r.doc", path))
	}
	path = append(path, ref.Sub.Name)
	if ref.Sub.MultiValued {
		return c.any(c.elements("r.doc", path), "e", func(e value) string { return c.test(f, ref.Sub, e) })
	}
	return c.test(f, ref.Sub, c.at("r.doc", path))
}

// inObject compares a sub-attribute of a complex value.
func (c *compiler) inObject(f *scim.Compare, sub *scim.Attribute, e value) string {
	doc := e.text
	if c.d.postgres {
		doc = e.json
	}
	if sub.MultiValued {
		return c.any(c.elements(doc, []string{sub.Name}), "s", func(s value) string { return c.test(f, sub, s) })
	}
	return c.test(f, sub, c.at(doc, []string{sub.Name}))
}

// valuePathInDocument matches if one element of a multi-valued attribute matches the whole inner filter.
func (c *compiler) valuePathInDocument(f *scim.ValuePath) string {
	path := []string{f.Ref.Attr.Name}
	if f.Ref.Ext != "" {
		path = []string{f.Ref.Ext, f.Ref.Attr.Name}
	}
	return c.any(c.elements("r.doc", path), "e", func(e value) string {
		return c.element(f.Filter, func(leaf *scim.Compare) string { return c.inObject(leaf, leaf.Ref.Attr, e) })
	})
}

// element is the filter inside brackets; leaf makes the condition of one comparison.
func (c *compiler) element(f scim.Filter, leaf func(*scim.Compare) string) string {
	switch f := f.(type) {
	case *scim.And:
		return "(" + c.element(f.Left, leaf) + " and " + c.element(f.Right, leaf) + ")"
	case *scim.Or:
		return "(" + c.element(f.Left, leaf) + " or " + c.element(f.Right, leaf) + ")"
	case *scim.Not:
		return "not " + c.element(f.Filter, leaf)
	case *scim.Compare:
		if f.Op == scim.Ne {
			eq := *f
			eq.Op = scim.Eq
			return "not " + leaf(&eq)
		}
		return leaf(f)
	}
	return "true"
}

// any is a condition that one row of from matches.
func (c *compiler) any(from, alias string, cond func(value) string) string {
	v := value{text: alias + ".value"}
	if c.d.postgres {
		v = value{text: "(" + alias + ".value #>> '{}')", json: alias + ".value"}
	}
	return "exists (select 1 from " + from + " " + alias + c.columns() + " where " + cond(v) + ")"
}

func (c *compiler) columns() string {
	if c.d.postgres {
		return " (value)"
	}
	return ""
}

// at is the value at a path of a JSON value: text in SQLite; in PostgreSQL text for the column doc, else jsonb.
func (c *compiler) at(doc string, path []string) value {
	if c.d.postgres {
		p := c.a.add(path) + "::text[]"
		return value{text: "(" + jsonb(doc) + " #>> " + p + ")", json: "(" + jsonb(doc) + " #> " + p + ")"}
	}
	return value{text: "json_extract(" + doc + ", " + c.a.add(sqlitePath(path)) + ")"}
}

// elements is a table of the elements of the list at a path, in its column value.
func (c *compiler) elements(doc string, path []string) string {
	if c.d.postgres {
		list := jsonb(doc) + " #> " + c.a.add(path) + "::text[]"
		return "jsonb_array_elements(case when jsonb_typeof(" + list + ") = 'array' then " + list + " else '[]'::jsonb end)"
	}
	return "json_each(" + doc + ", " + c.a.add(sqlitePath(path)) + ")"
}

func jsonb(doc string) string {
	if doc == "r.doc" {
		return "r.doc::jsonb"
	}
	return doc
}

// sqlitePath quotes each name: the names of attributes and URNs have no quotes.
func sqlitePath(path []string) string {
	return `$."` + strings.Join(path, `"."`) + `"`
}
