package scim

import (
	"fmt"
	"slices"
	"sort"
)

// Definition is what a tenant defines beside the core: schemas, resource types, and extensions of User and
// Group. It comes from a JSON file:
//
//	{
//	  "schemas": [{
//	    "id": "urn:example:badge:1.0:User", "name": "Badge", "description": "…",
//	    "attributes": [
//	      {"name": "badgeId", "caseExact": true, "indexed": true},
//	      {"name": "doors", "type": "complex", "multiValued": true, "subAttributes": [{"name": "value"}]}
//	    ]
//	  }],
//	  "resourceTypes": [{
//	    "name": "Device", "endpoint": "/Devices", "description": "…", "schema": "urn:example:device:1.0:Device",
//	    "schemaExtensions": [{"schema": "urn:example:lease:1.0:Device", "required": false}]
//	  }],
//	  "extend": [{"type": "User", "schema": "urn:example:badge:1.0:User", "required": false}]
//	}
//
// The keys of an attribute are those of RFC 7643 §7 and "indexed", which asks for an entry in the search index.
// Characteristics that are left out have the defaults of RFC 7643 §2.2: type string, mutability readWrite,
// returned default, uniqueness none, everything else false. Unknown keys are errors.
type Definition struct {
	Schemas       []Schema
	ResourceTypes []ResourceType
	Extend        []Extend
}

// Extend adds an extension to User or Group.
type Extend struct {
	Type     string // "User" or "Group"
	Schema   string // URN of a schema of the same definition
	Required bool   // a resource must have the extension
}

// ParseDefinition reads a definition file. It checks the form alone; NewRegistry checks what it says. The error
// is an *Error that names the place, as in "schemas[0].attributes[2].type".
func ParseDefinition(data []byte) (Definition, error) {
	v, err := ParseJSON(data, MaxDepth)
	if err != nil {
		return Definition{}, err
	}
	var d Definition
	r := &definitionReader{}
	r.object(v, "the definition", map[string]func(any, string){
		"schemas": func(v any, at string) {
			r.list(v, at, func(v any, at string) { d.Schemas = append(d.Schemas, r.schema(v, at)) })
		},
		"resourceTypes": func(v any, at string) {
			r.list(v, at, func(v any, at string) { d.ResourceTypes = append(d.ResourceTypes, r.resourceType(v, at)) })
		},
		"extend": func(v any, at string) {
			r.list(v, at, func(v any, at string) { d.Extend = append(d.Extend, r.extend(v, at)) })
		},
	})
	if r.err != nil {
		return Definition{}, r.err
	}
	return d, nil
}

// UnmarshalJSON is ParseDefinition.
func (d *Definition) UnmarshalJSON(data []byte) (err error) {
	*d, err = ParseDefinition(data)
	return err
}

// definitionReader turns decoded JSON into a Definition; it keeps the first error.
type definitionReader struct{ err error }

func (r *definitionReader) failf(at, format string, args ...any) {
	if r.err == nil {
		r.err = Errorf(InvalidValue, "%s: %s", at, fmt.Sprintf(format, args...))
	}
}

// object calls the function of each key that is there, in the order of the names.
func (r *definitionReader) object(v any, at string, keys map[string]func(v any, at string)) {
	o, ok := v.(Object)
	if !ok {
		r.failf(at, "must be an object")
		return
	}
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		read := keys[name]
		if read == nil {
			r.failf(at, "unknown key %s", Quote(name))
			return
		}
		place := name
		if at != "the definition" {
			place = at + "." + name
		}
		read(o[name], place)
	}
}

func (r *definitionReader) list(v any, at string, read func(v any, at string)) {
	list, ok := v.([]any)
	if !ok {
		r.failf(at, "must be a list")
		return
	}
	for i, v := range list {
		read(v, fmt.Sprintf("%s[%d]", at, i))
	}
}

func (r *definitionReader) text(to *string) func(any, string) {
	return func(v any, at string) {
		s, ok := v.(string)
		if !ok {
			r.failf(at, "must be a string")
		}
		*to = s
	}
}

func (r *definitionReader) flag(to *bool) func(any, string) {
	return func(v any, at string) {
		b, ok := v.(bool)
		if !ok {
			r.failf(at, "must be true or false")
		}
		*to = b
	}
}

func (r *definitionReader) texts(to *[]string) func(any, string) {
	return func(v any, at string) {
		r.list(v, at, func(v any, at string) {
			var s string
			r.text(&s)(v, at)
			*to = append(*to, s)
		})
	}
}

func (r *definitionReader) schema(v any, at string) Schema {
	var s Schema
	r.object(v, at, map[string]func(any, string){
		"id":          r.text(&s.ID),
		"name":        r.text(&s.Name),
		"description": r.text(&s.Description),
		"attributes":  r.attributes(&s.Attributes),
		// A schema as some /Schemas shows it has these too.
		"schemas": func(any, string) {},
		"meta":    func(any, string) {},
	})
	return s
}

func (r *definitionReader) attributes(to *[]*Attribute) func(any, string) {
	return func(v any, at string) {
		r.list(v, at, func(v any, at string) { *to = append(*to, r.attribute(v, at)) })
	}
}

func (r *definitionReader) attribute(v any, at string) *Attribute {
	a := &Attribute{Type: String, Mutability: "readWrite", Returned: "default", Uniqueness: "none"}
	r.object(v, at, map[string]func(any, string){
		"name":            r.text(&a.Name),
		"type":            func(v any, at string) { r.text((*string)(&a.Type))(v, at) },
		"multiValued":     r.flag(&a.MultiValued),
		"description":     r.text(&a.Description),
		"required":        r.flag(&a.Required),
		"canonicalValues": r.texts(&a.CanonicalValues),
		"caseExact":       r.flag(&a.CaseExact),
		"mutability":      r.text(&a.Mutability),
		"returned":        r.text(&a.Returned),
		"uniqueness":      r.text(&a.Uniqueness),
		"referenceTypes":  r.texts(&a.ReferenceTypes),
		"subAttributes":   r.attributes(&a.SubAttributes),
		"indexed":         r.flag(&a.Indexed),
	})
	if a.Type == Reference || a.Type == Binary {
		a.CaseExact = true // RFC 7643 §2.3.6, §2.3.7
	}
	return a
}

func (r *definitionReader) resourceType(v any, at string) ResourceType {
	var t ResourceType
	r.object(v, at, map[string]func(any, string){
		"id":          r.text(&t.ID),
		"name":        r.text(&t.Name),
		"endpoint":    r.text(&t.Endpoint),
		"description": r.text(&t.Description),
		"schema":      r.text(&t.Schema),
		"schemaExtensions": func(v any, at string) {
			r.list(v, at, func(v any, at string) {
				var x Extension
				r.object(v, at, map[string]func(any, string){"schema": r.text(&x.Schema), "required": r.flag(&x.Required)})
				t.Extensions = append(t.Extensions, x)
			})
		},
	})
	return t
}

func (r *definitionReader) extend(v any, at string) Extend {
	var x Extend
	r.object(v, at, map[string]func(any, string){
		"type": r.text(&x.Type), "schema": r.text(&x.Schema), "required": r.flag(&x.Required),
	})
	return x
}

// Compatible reports whether next may take the place of old while resources exist: it may add schemas,
// resource types, extensions and attributes that are not required, and change descriptions, nothing else. What
// was stored under old stays valid and the search index stays complete. The error is an *Error that names what
// was changed.
func Compatible(old, next Definition) error {
	for _, was := range old.Schemas {
		i := slices.IndexFunc(next.Schemas, func(s Schema) bool { return s.ID == was.ID })
		if i < 0 {
			return Errorf(InvalidValue, "schema %s is gone: a definition may only grow", Quote(was.ID))
		}
		if err := compatibleAttributes(was.ID+":", was.Attributes, next.Schemas[i].Attributes); err != nil {
			return err
		}
	}
	for _, was := range old.ResourceTypes {
		i := slices.IndexFunc(next.ResourceTypes, func(t ResourceType) bool { return t.Name == was.Name })
		if i < 0 {
			return Errorf(InvalidValue, "resource type %s is gone: a definition may only grow", Quote(was.Name))
		}
		is := next.ResourceTypes[i]
		if is.Endpoint != was.Endpoint || is.Schema != was.Schema {
			return Errorf(InvalidValue, "resource type %s: its endpoint and its schema cannot change", Quote(was.Name))
		}
		if err := compatibleExtensions(was.Name, was.Extensions, is.Extensions); err != nil {
			return err
		}
	}
	for _, name := range []string{"User", "Group"} {
		if err := compatibleExtensions(name, extensionsOf(old, name), extensionsOf(next, name)); err != nil {
			return err
		}
	}
	return nil
}

func extensionsOf(d Definition, typ string) (list []Extension) {
	for _, x := range d.Extend {
		if x.Type == typ {
			list = append(list, Extension{Schema: x.Schema, Required: x.Required})
		}
	}
	return list
}

func compatibleExtensions(typ string, old, next []Extension) error {
	for _, was := range old {
		if !slices.ContainsFunc(next, func(x Extension) bool { return x.Schema == was.Schema }) {
			return Errorf(InvalidValue, "extension %s of %s is gone: a definition may only grow", Quote(was.Schema), typ)
		}
	}
	for _, is := range next {
		i := slices.IndexFunc(old, func(x Extension) bool { return x.Schema == is.Schema })
		if is.Required && (i < 0 || !old[i].Required) {
			return Errorf(InvalidValue, "extension %s of %s cannot become required: there may be resources without it", Quote(is.Schema), typ)
		}
	}
	return nil
}

func compatibleAttributes(prefix string, old, next []*Attribute) error {
	for _, was := range old {
		i := slices.IndexFunc(next, func(a *Attribute) bool { return a.Name == was.Name })
		if i < 0 {
			return Errorf(InvalidValue, "attribute %s is gone: a definition may only grow", prefix+was.Name)
		}
		is, name := next[i], prefix+was.Name
		switch {
		case is.Type != was.Type:
			return Errorf(InvalidValue, "attribute %s: its type cannot change from %s to %s", name, was.Type, is.Type)
		case is.MultiValued != was.MultiValued:
			return Errorf(InvalidValue, "attribute %s: multiValued cannot change", name)
		case is.CaseExact != was.CaseExact:
			return Errorf(InvalidValue, "attribute %s: caseExact cannot change", name)
		case is.Mutability != was.Mutability:
			return Errorf(InvalidValue, "attribute %s: its mutability cannot change", name)
		case is.Returned != was.Returned:
			return Errorf(InvalidValue, "attribute %s: returned cannot change", name)
		case is.Uniqueness != was.Uniqueness:
			return Errorf(InvalidValue, "attribute %s: its uniqueness cannot change", name)
		case is.Required && !was.Required:
			return Errorf(InvalidValue, "attribute %s cannot become required: there may be resources without it", name)
		case is.Indexed && !was.Indexed:
			return Errorf(InvalidValue, "attribute %s cannot become indexed: its stored values are not in the index", name)
		}
		for _, value := range was.CanonicalValues {
			if !slices.Contains(is.CanonicalValues, value) {
				return Errorf(InvalidValue, "attribute %s: canonical value %s is gone", name, Quote(value))
			}
		}
		if err := compatibleAttributes(name+".", was.SubAttributes, is.SubAttributes); err != nil {
			return err
		}
	}
	for _, is := range next {
		if is.Required && !slices.ContainsFunc(old, func(a *Attribute) bool { return a.Name == is.Name }) {
			return Errorf(InvalidValue, "attribute %s is new and cannot be required: there may be resources without it", prefix+is.Name)
		}
	}
	return nil
}
