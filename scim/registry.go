package scim

import (
	"encoding/json"
	"strings"
	"sync"
)

// Registry is the schemas and resource types of one tenant. It is immutable, and so is everything that it
// returns: callers must not write to the Schema, Attribute and ResourceType values.
type Registry struct {
	types   []*ResourceType
	shapes  []*shape // same order as types
	byName  map[string]*shape
	schemas []*Schema          // as published
	byURN   map[string]*Schema // by lower-case URN; also the definitions of the discovery resources
}

var defaultRegistry = sync.OnceValue(func() *Registry { return build(Definition{}) })

// Default returns the registry of a tenant that defines nothing of its own: User with the enterprise
// extension, and Group.
func Default() *Registry { return defaultRegistry() }

// NewRegistry returns Default with a tenant's own schemas and resource types. The error is an *Error of type
// invalidValue that names the place in the definition.
func NewRegistry(d Definition) (*Registry, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	return build(d), nil
}

// build puts a registry together from the core and a definition that was checked.
func build(d Definition) *Registry {
	core := coreDefinition()
	g := &Registry{byName: map[string]*shape{}, byURN: map[string]*Schema{}}
	defined := map[string]*Schema{}
	add := func(s *Schema, resource bool) {
		defined[strings.ToLower(s.ID)] = s
		published := publishedSchema(s)
		g.byURN[strings.ToLower(s.ID)] = published
		if resource {
			g.schemas = append(g.schemas, published)
		}
	}
	for i := range core.Schemas {
		s := &core.Schemas[i]
		add(s, !isDiscovery(s.ID))
	}
	for i := range d.Schemas {
		s := d.Schemas[i]
		add(&s, true)
	}
	addType := func(t ResourceType) {
		for _, x := range d.Extend {
			if x.Type == t.Name {
				t.Extensions = append(t.Extensions[:len(t.Extensions):len(t.Extensions)], Extension{Schema: x.Schema, Required: x.Required})
			}
		}
		if t.ID == "" {
			t.ID = t.Name
		}
		s := newShape(&t, defined)
		g.types = append(g.types, &t)
		g.shapes = append(g.shapes, s)
		g.byName[t.Name] = s
	}
	for _, t := range core.ResourceTypes {
		addType(t)
	}
	for _, t := range d.ResourceTypes {
		addType(t)
	}
	for _, s := range g.shapes {
		s.endpoints = g.byName
	}
	return g
}

// publishedSchema is the schema as /Schemas shows it: without what is never stored (a writeOnly attribute is
// accepted and forgotten) and without emails.display. Microsoft's validator reads the published schema, sends
// every attribute in it and reports those missing that do not come back, whatever "returned" says; it also
// refuses emails.display. Both stay accepted. See also RFC 7643 §7: a provider publishes what it supports.
func publishedSchema(s *Schema) *Schema {
	p := *s
	p.Attributes = nil
	for _, a := range s.Attributes {
		if a.Mutability == "writeOnly" {
			continue
		}
		if s.ID == UserSchema && a.Name == "emails" {
			lean := *a
			lean.SubAttributes = nil
			for _, sub := range a.SubAttributes {
				if sub.Name != "display" {
					lean.SubAttributes = append(lean.SubAttributes, sub)
				}
			}
			a = &lean
		}
		p.Attributes = append(p.Attributes, a)
	}
	return &p
}

// Types returns the resource types, User and Group first. The slice is the caller's.
func (g *Registry) Types() []*ResourceType { return append([]*ResourceType(nil), g.types...) }

// Type returns the resource type of exactly that name, nil if there is none.
func (g *Registry) Type(name string) *ResourceType {
	if s := g.byName[name]; s != nil {
		return s.typ
	}
	return nil
}

// ByEndpoint returns the resource type whose endpoint is the path segment ("Users", in any case), nil if there
// is none.
func (g *Registry) ByEndpoint(segment string) *ResourceType {
	for _, t := range g.types {
		if equalName(t.Endpoint[1:], segment) {
			return t
		}
	}
	return nil
}

// Schemas returns the schemas of the resources as /Schemas publishes them. They hold what Provost stores and
// returns, so the password of a user is not among them. The slice is the caller's.
func (g *Registry) Schemas() []*Schema { return append([]*Schema(nil), g.schemas...) }

// Schema returns the published schema of that URN, in any case; nil if there is none. It knows beside Schemas
// also ServiceProviderConfig, ResourceType and Schema, which describe the discovery endpoints.
func (g *Registry) Schema(urn string) *Schema { return g.byURN[strings.ToLower(urn)] }

func isDiscovery(urn string) bool {
	return urn == SPCSchema || urn == TypeSchema || urn == SchemaSchema
}

// Resolve finds an attribute of a resource type. All names are case-insensitive. Beside the attributes of the
// schemas it knows the common ones (id, externalId, schemas, meta and its parts). A name without a URN that the
// core schema does not have is looked for in the extensions, in their order: clients write "manager" and
// "department" so. A path that names a complex attribute alone has a nil Sub.
func (g *Registry) Resolve(typ string, p AttrPath) (AttrRef, bool) {
	s := g.byName[typ]
	if s == nil || p.Name == "" {
		return AttrRef{}, false
	}
	if p.URN == "" {
		if f := s.find(p.Name); f != nil && f.attr != nil {
			return f.ref("", p.Sub)
		}
		if ext, f := s.findInExtensions(p.Name); f != nil {
			return f.ref(ext.name, p.Sub)
		}
		return AttrRef{}, false
	}
	if equalName(p.URN, s.typ.Schema) {
		if f := s.find(p.Name); f != nil && f.attr != nil {
			return f.ref("", p.Sub)
		}
		return AttrRef{}, false
	}
	if ext := s.extension(p.URN); ext != nil {
		if f := findField(ext.subs, p.Name); f != nil {
			return f.ref(ext.name, p.Sub)
		}
		return AttrRef{}, false
	}
	// "urn:…:User.manager", as Microsoft's own samples write: the last part of the URN came as the name.
	if whole := p.URN + ":" + p.Name; p.Sub != "" && (equalName(whole, s.typ.Schema) || s.extension(whole) != nil) {
		return g.Resolve(typ, AttrPath{URN: whole, Name: p.Sub})
	}
	return AttrRef{}, false
}

// coreDefinition is what every tenant has. It stands in core.json, in the format of a tenant's own definition.
var coreDefinition = sync.OnceValue(func() Definition {
	d, err := ParseDefinition(coreJSON)
	if err != nil {
		panic("scim: core.json: " + err.Error()) // a defect of the build, held by a test
	}
	return d
})

// MarshalJSON writes an attribute as the wire has it. RFC 7643 §7 gives a characteristic a meaning for some types
// only: a boolean, complex, dateTime … has no caseExact, so it is left out there, as in the RFC's own schemas.
func (a *Attribute) MarshalJSON() ([]byte, error) {
	type plain Attribute
	if a.Type == Complex || a.Type == Boolean || a.Type == Integer || a.Type == Decimal || a.Type == DateTime {
		return json.Marshal(struct {
			*plain
			CaseExact *bool `json:"caseExact,omitempty"`
		}{plain: (*plain)(a)})
	}
	return json.Marshal((*plain)(a))
}
