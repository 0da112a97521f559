package scim

import (
	_ "embed"
	"sync"
)

// coreJSON is the schemas of RFC 7643 §8.7 in the format of a definition file.
//
//go:embed core.json
var coreJSON []byte

// common is the attributes that every resource has, whatever its type (RFC 7643 §3 and §3.1). No schema lists
// them.
type common struct{ schemas, id, externalID, meta *Attribute }

var commonAttributes = sync.OnceValue(func() common {
	text := func(name string, exact bool, mutability, returned, uniqueness string) *Attribute {
		return &Attribute{Name: name, Type: String, CaseExact: exact, Mutability: mutability, Returned: returned, Uniqueness: uniqueness}
	}
	date := func(name string) *Attribute {
		return &Attribute{Name: name, Type: DateTime, Mutability: "readOnly", Returned: "default", Uniqueness: "none"}
	}
	schemas := text("schemas", false, "readOnly", "always", "none") // derived from the attributes present
	schemas.MultiValued, schemas.Required = true, true
	return common{
		schemas:    schemas,
		id:         text("id", true, "readOnly", "always", "global"),
		externalID: text("externalId", true, "readWrite", "default", "none"),
		meta: &Attribute{
			Name: "meta", Type: Complex, Mutability: "readOnly", Returned: "default", Uniqueness: "none",
			SubAttributes: []*Attribute{
				text("resourceType", true, "readOnly", "default", "none"),
				date("created"),
				date("lastModified"),
				{Name: "location", Type: Reference, CaseExact: true, Mutability: "readOnly", Returned: "default", Uniqueness: "none", ReferenceTypes: []string{"uri"}},
				text("version", true, "readOnly", "default", "none"),
			},
		},
	}
})
