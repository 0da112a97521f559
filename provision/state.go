package provision

import (
	"context"
	"time"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/source"
)

// Configs keeps sources and channels. Its errors are ErrNotFound, ErrExists and those of the database.
type Configs interface {
	Sources(ctx context.Context) ([]Source, error)
	Source(ctx context.Context, name string) (Source, error)
	// SaveSource adds a source (Version 0) or replaces the one of that name.
	SaveSource(ctx context.Context, s Source, e audit.Event) error
	// DeleteSource fails with ErrExists while a channel reads it.
	DeleteSource(ctx context.Context, name string, e audit.Event) error
	Channels(ctx context.Context) ([]Channel, error)
	Channel(ctx context.Context, name string) (Channel, error)
	// SaveChannel adds a channel (ID 0) or replaces its configuration and whether it is paused.
	SaveChannel(ctx context.Context, c Channel, e audit.Event) (Channel, error)
	// DeleteChannel forgets a channel with all that it remembers. What it provisioned stays at the target.
	DeleteChannel(ctx context.Context, id int64, e audit.Event) error
}

// Leases makes sure that one process at a time works on a channel. Times are those of the database where it has a
// clock of its own, so that the clocks of nodes need not agree.
type Leases interface {
	// Acquire takes the lease for ttl, ErrHeld if it is somebody else's and not expired.
	Acquire(ctx context.Context, channel int64, holder string, ttl time.Duration) (Fence, error)
	// Renew prolongs it, ErrFenced if it was taken over.
	Renew(ctx context.Context, f Fence, ttl time.Duration) error
	// Release ends it, if it is still held.
	Release(ctx context.Context, f Fence) error
}

// Staged is a record as a read that is not sealed yet handed it over.
type Staged struct {
	Record source.Record
	Hash   string
}

// Publication says what a sealed read means.
type Publication struct {
	Gone       []string // keys that no longer exist
	Position   Position // Generation is counted by the store
	Moved      bool     // what the mirror says or means is another than before: a new generation
	All        string   // "" or why everything is to be looked at again
	Nested     bool     // members of members count: whoever holds a changed group is looked at too
	Membership bool     // whether persons are in scope depends on their groups
}

// Mirror keeps the source as it was last read whole. Calls with a Fence fail with ErrFenced after a take-over.
type Mirror interface {
	// Hashes hands over key and hash of every record.
	Hashes(ctx context.Context, channel int64, each func(key string, kind source.Kind, hash string)) error
	// Discard forgets what was staged.
	Discard(ctx context.Context, f Fence) error
	// Stage keeps records until Publish. A key that was staged before is replaced.
	Stage(ctx context.Context, f Fence, records []Staged) error
	// Publish makes what was staged the mirror, marks what appeared, changed or went as dirty and moves the
	// position, all in one transaction.
	Publish(ctx context.Context, f Fence, p Publication) error
	// Position returns how far the source was read.
	Position(ctx context.Context, channel int64) (Position, error)
	// Named returns the records with these names (without Members), by name.
	Named(ctx context.Context, channel int64, names []string) (map[string]source.Record, error)
	// Record returns one record with its Members, by key; ErrNotFound if there is none.
	Record(ctx context.Context, channel int64, key string) (source.Record, error)
	// MemberKeys returns the keys of the direct members of groups, as far as they are known, by group key.
	MemberKeys(ctx context.Context, channel int64, groups []string) (map[string][]Member, error)
	// GroupsOf returns the groups that hold the keys directly, by key.
	GroupsOf(ctx context.Context, channel int64, keys []string) (map[string][]Member, error)
}

// Member is one end of a membership in the mirror.
type Member struct {
	Key  string
	Kind source.Kind
	Name string
}

// Totals are the sums that the guard and the progress need.
type Totals struct {
	Objects     int // linked and not disabled
	Memberships int // of linked groups
	Disabled    int
	People      int // in the mirror
	Groups      int // in the mirror
	Dirty       int // due or not
	Escrow      int // dirty and failed before
	DayObjects  int // removed without having been asked about, in the last 24 hours
	DayMembers  int
}

// Ledger keeps links, memberships, the journal, what is dirty and what is held. Calls with a Fence fail with
// ErrFenced after a take-over.
type Ledger interface {
	// Work returns dirty objects of a kind behind a key, by key, with all that is known about them. Objects that
	// are to be tried later are left out unless early is set.
	Work(ctx context.Context, channel int64, kind source.Kind, after string, limit int, early bool) ([]Item, error)
	// Item returns one object, dirty or not.
	Item(ctx context.Context, channel int64, key string) (Item, error)
	// Links returns the links of keys that have one, without Doc.
	Links(ctx context.Context, channel int64, keys []string) (map[string]Link, error)
	// LinkMembers returns the keys of the members that a group was given at the target.
	LinkMembers(ctx context.Context, channel int64, group string) ([]string, error)
	// Totals adds up.
	Totals(ctx context.Context, channel int64) (Totals, error)
	// Begin writes intents into the journal.
	Begin(ctx context.Context, f Fence, intents []Intent) error
	// Finish writes outcomes and ends their intents, all in one transaction.
	Finish(ctx context.Context, f Fence, cycle int64, outcomes []Outcome) error
	// Expire marks the disabled objects as dirty whose time has come.
	Expire(ctx context.Context, f Fence) error
	// Owner returns the key of the object that is linked to an id at the target, "" if there is none.
	Owner(ctx context.Context, channel int64, kind source.Kind, target string) (string, error)
}

// Records keeps what was done, and what is asked of people.
type Records interface {
	// Status returns how the channel stands.
	Status(ctx context.Context, channel int64) (Status, error)
	// SaveStatus replaces it.
	SaveStatus(ctx context.Context, f Fence, s Status) error
	// Held lists what is asked, by key.
	Held(ctx context.Context, channel int64) ([]Held, error)
	// Decide sets the state of what is asked about the keys (nil for all that waits) and marks them as dirty. It
	// returns how many there were.
	Decide(ctx context.Context, channel int64, keys []string, state HoldState, e audit.Event) (int, error)
	// Entries lists the provisioning log, newest first, before sequence number before (0 for the end).
	Entries(ctx context.Context, channel int64, q EntryQuery, before int64, limit int) ([]Entry, error)
	// Touch marks keys as dirty; nil means everything in the mirror or the ledger.
	Touch(ctx context.Context, channel int64, keys []string, reason string) error
	// Reset forgets: the position of the source, everything that failed, or the ledger.
	Reset(ctx context.Context, channel int64, what ResetWhat, e audit.Event) error
}

// EntryQuery narrows the provisioning log; empty fields mean all.
type EntryQuery struct {
	Key    string
	Status string
	Action string
}

// ResetWhat says what a reset forgets.
type ResetWhat string

// The parts that can be reset.
const (
	ResetPosition ResetWhat = "position" // the next read is a full one
	ResetFailures ResetWhat = "failures" // everything that failed is due at once, quarantine ends
	ResetLinks    ResetWhat = "links"    // the ledger: what was provisioned is no longer owned
)

// State is all that the engine remembers.
type State interface {
	Configs
	Leases
	Mirror
	Ledger
	Records
}
