package directory

import (
	"reflect"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/scim"
)

// Redacted stands in the change log in place of a value that is never returned.
const Redacted = "[redacted]"

// diff lists what differs between two states of a resource, attribute by attribute; nil means it did not or
// does not exist.
func (d *Directory) diff(typ string, old, new *scim.Resource) audit.Diff {
	out := audit.Diff{}
	var a, b scim.Object
	var extA, extB string
	if old != nil {
		a, extA = old.Attrs, old.ExternalID
	}
	if new != nil {
		b, extB = new.Attrs, new.ExternalID
	}
	if extA != extB {
		out["externalId"] = values(extA, extB)
	}
	d.diffObject(typ, "", a, b, out)
	return out
}

func (d *Directory) diffObject(typ, urn string, a, b scim.Object, out audit.Diff) {
	visit := func(name string) {
		path := name
		if urn != "" {
			path = urn + ":" + name
		}
		if _, done := out[path]; done || reflect.DeepEqual(a[name], b[name]) {
			return
		}
		if urn == "" && d.Registry.Schema(name) != nil {
			x, _ := a[name].(scim.Object)
			y, _ := b[name].(scim.Object)
			d.diffObject(typ, name, x, y, out)
			return
		}
		out[path] = d.redact(typ, scim.AttrPath{URN: urn, Name: name}, values(a[name], b[name]))
	}
	for name := range a {
		visit(name)
	}
	for name := range b {
		visit(name)
	}
}

// redact hides the values of attributes that are never returned.
func (d *Directory) redact(typ string, p scim.AttrPath, v audit.Values) audit.Values {
	ref, ok := d.Registry.Resolve(typ, p)
	if !ok || !secret(ref.Attr) {
		return v
	}
	if v.Before != nil {
		v.Before = Redacted
	}
	if v.After != nil {
		v.After = Redacted
	}
	return v
}

// secret reports whether an attribute or a part of it is never returned.
func secret(a *scim.Attribute) bool {
	if a.Returned == "never" {
		return true
	}
	for _, sub := range a.SubAttributes {
		if secret(sub) {
			return true
		}
	}
	return false
}

func values(before, after any) audit.Values {
	if before == "" {
		before = nil
	}
	if after == "" {
		after = nil
	}
	return audit.Values{Before: before, After: after}
}
