package scimserver

import (
	"github.com/provost-scim/provost/scim"
)

// listRoot answers a query of everything (RFC 7644 §3.4.2.1).
func listRoot(c *call) error { return c.list(c.dir.Registry.Types(), c.query) }

// searchRoot answers POST /.search (RFC 7644 §3.4.3).
func searchRoot(c *call) error { return c.search(c.dir.Registry.Types()) }

// searchType answers POST /{type}/.search.
func searchType(c *call) error {
	t, err := c.resourceType()
	if err != nil {
		return err
	}
	return c.search([]*scim.ResourceType{t})
}

func (c *call) search(types []*scim.ResourceType) error {
	body, err := c.readObject(MaxSearchBody, "bytes of a SearchRequest")
	if err != nil {
		return err
	}
	if c.caller.Strict && !names(field(body, "schemas"), scim.SearchMessage) {
		return scim.Errorf(scim.InvalidSyntax, "schemas of a search must name %s", scim.SearchMessage)
	}
	p, err := parseSearch(body)
	if err != nil {
		return err
	}
	return c.list(types, p)
}

// nothing is a filter that no resource matches.
func nothing() scim.Filter {
	return &scim.Compare{Path: scim.AttrPath{Name: "id"}, Op: scim.Eq, Value: ""}
}

// narrow prepares a filter on several types for one of them: an attribute that this type does not have but
// another has is an attribute without value (RFC 7644 §3.4.2.1). One that no type has is left as it is and
// refused when the filter is bound.
func (c *call) narrow(types []*scim.ResourceType, t *scim.ResourceType, f scim.Filter) scim.Filter {
	switch f := f.(type) {
	case *scim.And:
		return &scim.And{Left: c.narrow(types, t, f.Left), Right: c.narrow(types, t, f.Right)}
	case *scim.Or:
		return &scim.Or{Left: c.narrow(types, t, f.Left), Right: c.narrow(types, t, f.Right)}
	case *scim.Not:
		return &scim.Not{Filter: c.narrow(types, t, f.Filter)}
	case *scim.ValuePath:
		if c.foreign(types, t, f.Path) {
			return nothing()
		}
	case *scim.Compare:
		if !c.foreign(types, t, f.Path) {
			return f
		}
		null := f.Value == nil && f.Op != scim.Pr
		if f.Op == scim.Eq && null || f.Op == scim.Ne && !null {
			return &scim.Not{Filter: nothing()}
		}
		return nothing()
	}
	return f
}

// foreign says whether an attribute belongs to another of the types, not to t.
func (c *call) foreign(types []*scim.ResourceType, t *scim.ResourceType, p scim.AttrPath) bool {
	if _, ok := c.dir.Registry.Resolve(t.Name, p); ok {
		return false
	}
	for _, o := range types {
		if _, ok := c.dir.Registry.Resolve(o.Name, p); ok {
			return true
		}
	}
	return false
}
