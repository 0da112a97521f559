package scim

// The URNs that the protocol itself names.
const (
	UserSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	SPCSchema        = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	TypeSchema       = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	SchemaSchema     = "urn:ietf:params:scim:schemas:core:2.0:Schema"

	ListMessage   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	SearchMessage = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	PatchMessage  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	BulkRequest   = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	BulkResponse  = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	ErrorMessage  = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// DataType is the type of an attribute (RFC 7643 §2.3).
type DataType string

// The data types.
const (
	String    DataType = "string"
	Boolean   DataType = "boolean"
	Decimal   DataType = "decimal"
	Integer   DataType = "integer"
	DateTime  DataType = "dateTime"
	Binary    DataType = "binary"
	Reference DataType = "reference"
	Complex   DataType = "complex"
)

// Attribute is one attribute definition (RFC 7643 §7). The JSON names are those of the wire and of the
// documented file in which a tenant defines its own schemas.
type Attribute struct {
	Name            string       `json:"name"`
	Type            DataType     `json:"type"`
	MultiValued     bool         `json:"multiValued"`
	Description     string       `json:"description,omitempty"`
	Required        bool         `json:"required"`
	CanonicalValues []string     `json:"canonicalValues,omitempty"`
	CaseExact       bool         `json:"caseExact"`
	Mutability      string       `json:"mutability"` // readOnly, readWrite, immutable, writeOnly
	Returned        string       `json:"returned"`   // always, never, default, request
	Uniqueness      string       `json:"uniqueness"` // none, server, global
	ReferenceTypes  []string     `json:"referenceTypes,omitempty"`
	SubAttributes   []*Attribute `json:"subAttributes,omitempty"`

	// Indexed asks for a row in the search index. A filter on an attribute that is not indexed still runs in
	// the database, as a scan of the tenant. Not sent on the wire.
	Indexed bool `json:"-"`
}

// Schema is a schema definition (RFC 7643 §7).
type Schema struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Description string       `json:"description,omitempty"`
	Attributes  []*Attribute `json:"attributes"`
}

// ResourceType is a resource type definition (RFC 7643 §6).
type ResourceType struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Endpoint    string      `json:"endpoint"` // "/Users"
	Description string      `json:"description,omitempty"`
	Schema      string      `json:"schema"`
	Extensions  []Extension `json:"schemaExtensions,omitempty"`
}

// Extension names a schema extension of a resource type.
type Extension struct {
	Schema   string `json:"schema"`
	Required bool   `json:"required"`
}

// AttrRef is an attribute path resolved against a registry.
//
// Common attributes (id, externalId, schemas, meta and its parts) and the relations (members of Group, groups
// of User) resolve like any other: their definitions are part of every type.
type AttrRef struct {
	Ext  string     // URN of the extension that holds Attr, "" for the core schema and the common attributes
	Attr *Attribute // the top-level attribute
	Sub  *Attribute // the sub-attribute named or implied ("emails eq" means emails.value); nil if Attr is simple
}

// Name is the canonical spelling of the path: "userName", "emails.value", "urn:…:User:manager.value".
func (a AttrRef) Name() string {
	s := a.Attr.Name
	if a.Ext != "" {
		s = a.Ext + ":" + s
	}
	if a.Sub != nil {
		s += "." + a.Sub.Name
	}
	return s
}

// Leaf is the definition that the values compared have: Sub if there is one, else Attr.
func (a AttrRef) Leaf() *Attribute {
	if a.Sub != nil {
		return a.Sub
	}
	return a.Attr
}
