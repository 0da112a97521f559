package scim

import "time"

// Object is the decoded form of a complex value. Keys carry the spelling of the schema; the attributes of an
// extension stand under the extension's URN. Values are string, bool, int64 (integer), float64 (decimal),
// Object and []any of these. A dateTime, reference or binary value is a string. Nulls and empty lists are
// never stored (RFC 7643 §2.5: they equal an absent attribute).
type Object = map[string]any

// Resource is one SCIM resource as one client sees it.
//
// Attrs holds what the schema of its type describes, without the parts that have a home of their own: schemas
// (derived), id, externalId, meta, the members of a group and the groups of a user. A password is never here:
// Provost accepts and forgets it.
type Resource struct {
	Type       string // name of the resource type: "User", "Group" or a custom one
	ID         string // made by the server, stable, case-exact
	ExternalID string // as the asking client set it; "" if it set none
	Attrs      Object // decoded attributes; nil if only Doc was loaded (see Decoded)
	Doc        []byte // canonical JSON of Attrs with "schemas" first and "id" second; nil if only Attrs was built
	Members    []Ref  // members of a group; meaningful only if HasMembers
	HasMembers bool
	Groups     []Ref // groups of a user, direct and indirect; meaningful only if HasGroups
	HasGroups  bool
	Meta       Meta
}

// Meta is the part of the "meta" attribute (RFC 7643 §3.1) that is stored. The location is made by whoever
// knows the base URL.
type Meta struct {
	Created      time.Time // UTC, millisecond resolution
	LastModified time.Time // UTC, millisecond resolution
	Version      int64     // 1 for a new resource, grows with every change; on the wire W/"n"
}

// Ref is one element of a group's "members" or of a user's "groups".
type Ref struct {
	Value   string // id of the resource referred to
	Type    string // of a member: the name of its resource type; of a group: "direct" or "indirect"
	Display string // display name of the resource referred to, may be ""
}
