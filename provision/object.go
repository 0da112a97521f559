package provision

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// The errors that a State returns beside those of its database.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("the name is taken")
	ErrHeld     = errors.New("another process works on it")       // the lease belongs to somebody else
	ErrFenced   = errors.New("the lease was lost to another one") // a write with a token that is no longer the newest
)

// Fence is a lease as its holder knows it. Every write of a cycle carries it, and the store refuses a Token that is
// not the newest of the channel.
type Fence struct {
	Channel int64
	Token   int64
}

// LinkState says how a linked object stands at the target.
type LinkState string

// The states of a link.
const (
	Linked   LinkState = "linked"   // provisioned
	Disabled LinkState = "disabled" // the channel disabled it, or emptied it if it is a group
)

// The provenances of a link.
const (
	Created = "created" // the channel made the object
	Adopted = "adopted" // the object was there, and the channel was told to take it over
)

// Link is one entry of the ledger: what the channel owns at the target. What has no link is never touched.
type Link struct {
	Key        string
	Kind       source.Kind
	Target     string      // id at the target
	State      LinkState   //
	Provenance string      // Created or Adopted
	Doc        scim.Object // attributes as they were last applied, references resolved
	Since      time.Time
	Changed    time.Time
	Expires    time.Time // when a disabled object is deleted; zero for never
	Version    int64     // grows with every change
}

// Intent is what the journal holds while the outcome of a request is not known.
type Intent struct {
	Key    string
	Kind   source.Kind
	Verb   Verb
	Target string      // id at the target, "" for a create
	Doc    scim.Object // attributes that are wanted
	Looked bool        // a create: the target was asked by match attributes before, and had none
}

// Item is one dirty object with all that deciding about it takes.
type Item struct {
	Key      string
	Kind     source.Kind
	Reason   string
	Attempts int            // failures so far
	Retry    time.Time      // not before; zero for at once
	Problem  string         // the last failure
	Record   *source.Record // nil if the source no longer has it; without Members
	Link     *Link          // nil if the ledger does not hold it
	Intent   *Intent        // what a cycle that was cut off left open; nil for nothing
	Open     *Intent        // the same for its members
	Held     []Held         // what was asked about it
}

// HoldState says what was decided about a held removal.
type HoldState string

// The states of a held removal.
const (
	Waiting  HoldState = "waiting"
	Approved HoldState = "approved"
	Rejected HoldState = "rejected"
)

// Held is a removal that waits for a person, or what the person said about it.
type Held struct {
	Key     string      `json:"key"`
	Kind    source.Kind `json:"kind"`
	Verb    Verb        `json:"verb"`
	Title   string      `json:"title"`             // a name for people
	Reason  string      `json:"reason"`            // why the object is to be removed
	Rule    string      `json:"rule"`              // why the guard held it
	Members []string    `json:"members,omitempty"` // remove-members: their keys
	State   HoldState   `json:"state"`
	Since   time.Time   `json:"since"`
	Decided time.Time   `json:"decided,omitzero"`
	By      string      `json:"by,omitempty"`
}

// Outcome is what became of one item: written in one transaction with the end of its intent.
type Outcome struct {
	Key     string
	Kind    source.Kind
	Verb    Verb  // whose intent ends: AddMembers and RemoveMembers are about the members, all others the object
	Open    bool  // the outcome is not known: the intent stays
	Link    *Link // the link as it is now; nil leaves it
	Drop    bool  // the link and its memberships are gone
	NewLink bool  // the link is new: whoever refers to the object is looked at again
	// Members of a group that were added and removed at the target, by key.
	Added, Removed []string
	Clear          bool              // the group has no members any more
	Refs           map[string]string // attribute path → key it refers to; nil leaves what is known
	Done           bool              // the object is no longer dirty
	Retry          *Retry            // it stays dirty and is tried again
	Hold           *Held             // asked about; replaces what was asked with that verb
	Unhold         bool              // nothing is asked about it any more
	Objects        int               // objects disabled or deleted without having been asked about
	Memberships    int               // memberships removed without having been asked about
	Log            *Entry            // nil for nothing worth a line
	More           []Entry           // further lines
}

// Retry says when a failed object is tried again.
type Retry struct {
	Attempts int
	At       time.Time
	Problem  string
}

// Entry is one line of the provisioning log.
type Entry struct {
	Seq     int64       `json:"seq"`
	Time    time.Time   `json:"time"`
	Cycle   int64       `json:"cycle"`
	Key     string      `json:"key"`
	Kind    source.Kind `json:"kind"`
	Target  string      `json:"target,omitempty"`
	Title   string      `json:"title,omitempty"`
	Action  Verb        `json:"action"`
	Status  string      `json:"status"` // success, failure, skipped, held
	Reason  string      `json:"reason,omitempty"`
	Error   string      `json:"error,omitempty"`
	Changes []Value     `json:"changes,omitempty"`
	Added   []string    `json:"added,omitempty"`
	Removed []string    `json:"removed,omitempty"`
}

// The statuses of an Entry.
const (
	Success = "success"
	Failure = "failure"
	Skipped = "skipped"
	Stayed  = "held"
)

// Position is how far the source was read.
type Position struct {
	Generation int64         `json:"-"`                // grows with every read that was published
	Cursor     source.Cursor `json:"cursor,omitempty"` // JSON by the source's contract
	Source     string        `json:"source,omitempty"` // fingerprint of the source's configuration when it was read
	Mapping    string        `json:"mapping,omitempty"`
	Feed       string        `json:"feed,omitempty"`
	Reason     string        `json:"reason,omitempty"`
	ReadAt     time.Time     `json:"readAt,omitzero"`
	FullAt     time.Time     `json:"fullAt,omitzero"` // the last full read
	Empty      bool          `json:"empty,omitempty"` // the last full read found nobody although there had been somebody
}

// validCursor refuses a cursor that is no JSON: the source breaks its contract.
func validCursor(c source.Cursor) error {
	if len(c) > 0 && !json.Valid(c) {
		return fmt.Errorf("the source returned a cursor that is no JSON")
	}
	return nil
}
