package scim

import (
	"sort"
	"strings"
)

// otherKeys reads the keys that are not spelled as in the schema: another case, paths, unknown ones.
func (d *decoder) otherKeys() error {
	for _, key := range sortedKeys(d.body) {
		f := d.shape.find(key)
		if f != nil && f.name == key {
			continue
		}
		if f != nil {
			if _, twice := d.body[f.name]; twice {
				continue
			}
			if err := d.field(f, d.body[key]); err != nil {
				return err
			}
			continue
		}
		if d.strict {
			return Errorf(InvalidSyntax, "a %s has no attribute %s", d.shape.typ.Name, Quote(key))
		}
		if err := d.pathKey(key, d.body[key]); err != nil {
			return err
		}
	}
	return nil
}

// pathKey reads a key that is a path: "name.givenName", "urn:…:User:department", "urn:…:User:manager.value",
// "urn:…:User.manager", or the bare name of an extension's attribute. What cannot be placed is ignored. A value
// that the body also gives in the proper form wins over the path.
func (d *decoder) pathKey(key string, v any) error {
	ext, rest, tolerance := d.splitKey(key)
	name, sub, _ := strings.Cut(rest, ".")
	var f *field
	switch {
	case ext != nil:
		f = lookup(ext.subs, ext.byKey, name)
	case rest != "":
		if f = d.shape.find(name); f != nil && f.attr == nil {
			f = nil
		}
		if f == nil && tolerance == ToleratedDottedKey {
			ext, f = d.shape.findInExtensions(name)
			tolerance = ToleratedBareKey
		}
	}
	if f == nil || sub != "" && (f.apart || f.attr.MultiValued || f.attr.Type != Complex || subAttribute(f.attr, sub) == nil) {
		if len(key) > 4 && equalName(key[:4], "urn:") {
			d.note(ToleratedSchema)
		} else {
			d.note(ToleratedUnknown)
		}
		return nil
	}
	d.note(tolerance)
	return d.atPath(ext, f, sub, v)
}

// splitKey splits a key into the extension that its URN names (nil for the core), and the rest.
func (d *decoder) splitKey(key string) (ext *field, rest, tolerance string) {
	best := 0
	for i := -1; i < len(d.shape.exts); i++ {
		urn, candidate := d.shape.typ.Schema, (*field)(nil)
		if i >= 0 {
			candidate = d.shape.exts[i]
			urn = candidate.name
		}
		n := len(urn)
		if n > best && len(key) > n+1 && (key[n] == ':' || key[n] == '.') && equalName(key[:n], urn) {
			best, ext = n, candidate
		}
	}
	if best > 0 {
		return ext, key[best+1:], ToleratedURNKey
	}
	if strings.Contains(key, ":") {
		return nil, "", ToleratedSchema
	}
	return nil, key, ToleratedDottedKey
}

// atPath reads a value into an attribute or one of its sub-attributes, unless it has a value already.
func (d *decoder) atPath(ext, f *field, sub string, v any) error {
	where := d.out.Resource.Attrs
	if ext != nil {
		where, _ = where[ext.name].(Object)
		if where == nil {
			where = Object{}
		}
	}
	if sub == "" {
		if ext == nil && (f.apart || f.attr.Mutability == "readOnly") {
			if _, twice := d.body[f.name]; !twice {
				return d.special(f, v)
			}
			return nil
		}
		if where[f.name] == nil {
			if err := d.attribute(f, v, where); err != nil {
				return err
			}
		}
	} else if f.attr.Mutability != "readOnly" {
		o, _ := where[f.name].(Object)
		if o == nil {
			o = Object{}
		}
		if a := subAttribute(f.attr, sub); o[a.Name] == nil {
			if err := d.sub(f.attr, a, v, o); err != nil {
				return err
			}
			if o[a.Name] == nil {
				d.out.Cleared = append(d.out.Cleared, f.path+"."+strings.ToLower(a.Name))
			}
		}
		if len(o) > 0 {
			where[f.name] = o
		}
	}
	if ext != nil && len(where) > 0 {
		d.out.Resource.Attrs[ext.name] = where
	}
	return nil
}

func sortedKeys(o Object) []string {
	keys := make([]string, 0, len(o))
	for key := range o {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
