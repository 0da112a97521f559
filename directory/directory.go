// Package directory holds the rules of a tenant's directory: users, groups, membership, activation. It checks
// what a client asks for against the schemas and the tenant's policies and has a Store write it together with
// its entry in the change log. It knows no HTTP and no SQL.
package directory

import (
	"time"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/scim"
)

// Directory is the directory of one tenant.
type Directory struct {
	Store    Store
	Registry *scim.Registry
	Policy   Policy
	Now      func() time.Time
	NewID    func() string // a new id; ids sort in the order in which they are made (UUIDv7)

	within bool // Store is a transaction, see Tx
}

// Policy is what a tenant decides about its directory.
type Policy struct {
	UniqueGroupNames bool // refuse a second group of the same displayName
	Reactivate       bool // a create whose userName an inactive user holds reactivates that user
}

// Caller is who asks, and in which dialect.
type Caller struct {
	Actor       audit.Actor
	Client      string // id of the SCIM client: its externalIds are read and written; "" for none
	Strict      bool   // RFC to the letter: see scim.PatchOptions
	KeepOmitted bool   // a PUT clears nothing by omission (PingFederate)
}

// Condition is the precondition of a write (RFC 7644 §3.14, RFC 9110 §13.1). The zero value is none.
type Condition struct {
	Match []int64 // If-Match: the stored version must be one of these
}

// Result is the outcome of a write.
type Result struct {
	Resource   scim.Resource // after the write, with groups of a user; the members of a group only where they were asked for
	Created    bool          // false if a create reactivated an inactive user
	Changed    bool          // false if everything was so already: the version is the old one
	Tolerances []string      // tolerances that fired, by name
}

// Want says which relations an answer needs; each costs a query.
type Want struct {
	Members bool // the members of a group
	Groups  bool // the groups of a user
}
