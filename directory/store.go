package directory

import (
	"context"
	"time"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/scim"
)

// Store keeps the resources of one tenant; it is bound to that tenant when it is made, so no call can cross
// tenants. Errors are *Error with the kinds NotFound, Conflict, Stale or Unavailable; everything else is an
// internal error.
type Store interface {
	// Tx runs fn in one transaction and commits if fn returns nil. fn may run more than once (a serialization
	// failure or deadlock is tried again), so it must not keep state between runs. A Tx within a Tx is a
	// savepoint. Calls outside a Tx are each a transaction of their own.
	Tx(ctx context.Context, fn func(Store) error) error

	// Get returns one resource with what load asks for; NotFound if there is none of that type and id.
	Get(ctx context.Context, typ, id string, load Load) (Record, error)

	// List executes a query in the database. At no time does it hold more than the page.
	List(ctx context.Context, q scim.Query) (scim.Page, error)

	// Insert adds the record as version w.Record.Meta.Version; Conflict names the attribute if a unique value
	// is taken. The members of a new group are added by AddMembers in the same Tx.
	Insert(ctx context.Context, w Write) error

	// Update replaces the record whose stored version is w.Expect: Stale if it is another one, NotFound if the
	// record is gone. Nothing is written then.
	Update(ctx context.Context, w Write) error

	// Delete moves the record into the trash together with its memberships, and takes it out of every group:
	// those groups get a new version and an event each. Stale and NotFound as in Update.
	Delete(ctx context.Context, typ, id string, expect int64, e audit.Event) error

	// AddMembers adds those of ids that are not members yet and returns them. Ids that no resource of this
	// tenant has are returned as missing and nothing is added. It costs the number of ids, not the size of the
	// group. The caller bumps the version of the group with Update.
	AddMembers(ctx context.Context, group string, ids []string) (added []scim.Ref, missing []string, err error)

	// RemoveMembers removes those of ids that are members and returns them; nil ids remove all members.
	RemoveMembers(ctx context.Context, group string, ids []string) (removed []scim.Ref, err error)

	// GroupsOf returns the groups that hold each of the ids directly (Ref.Type "direct"), by id.
	GroupsOf(ctx context.Context, ids []string) (map[string][]scim.Ref, error)
}

// Load says which parts of a resource Get returns beside its document.
type Load struct {
	Client  string // whose externalId to return; "" for none
	Members bool   // the members of a group, ordered by id
	Groups  bool   // the groups of a user, direct and indirect
	Lock    bool   // within a Tx: nobody else changes this resource until the Tx ends
}

// Record is a resource as it is stored.
type Record struct {
	scim.Resource                   // ExternalID is the asking client's (Load.Client)
	External      map[string]string // externalId by the id of the client that set it
}

// Write is what Insert and Update store: all of it or nothing.
type Write struct {
	Record  Record            // Doc, External, Meta; Attrs, Members and Groups are not read
	Unique  map[string]string // folded values that must be unique among the tenant's resources of this type, by attribute name ("userName"); at most one
	Active  bool              // for a user: its active state; true for everything else
	Display string            // display name, shown where others refer to the resource
	Index   []scim.IndexRow   // the complete search index of the resource
	Was     []scim.IndexRow   // Update: the complete search index of the version Expect; nil if it is not known
	Expect  int64             // Update: the version that must be stored
	Events  []audit.Event     // written with the change; Seq and Time are set by the store
}

// Trash is what a Store offers beside Store for what was deleted.
type Trash interface {
	// Deleted lists what was deleted and not yet purged, newest first.
	Deleted(ctx context.Context, typ string, limit int) ([]Tombstone, error)

	// Undelete puts a resource back under its id with the memberships that still make sense, as a new version.
	// Conflict if its unique value was taken meanwhile, NotFound if it was purged.
	Undelete(ctx context.Context, typ, id string, e audit.Event) (Record, error)
}

// Tombstone is a deleted resource that can still be restored.
type Tombstone struct {
	Type, ID, Display string
	Unique            string // the unique value it had, folded
	Deleted           time.Time
	Purge             time.Time // when it will be gone for good
}

// History is what a Store offers beside Store to read the change log.
type History interface {
	// Events returns at most limit events, oldest first, behind sequence number after. Empty typ and id mean all.
	Events(ctx context.Context, typ, id string, after int64, limit int) ([]audit.Event, error)
}
