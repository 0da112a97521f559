// Package source says what a place is from which people and groups are read: LDAP and Active Directory
// (source/ldap), files (source/csv), another tenant (source/tenant). It holds the shapes they share and no reader
// itself. It knows nothing of mappings, channels, targets or stores.
//
// The one rule every source keeps: absence is believed only after a sealed read. A read that was cut, limited,
// referred elsewhere or refused in any part ends in an error and no Seal, and whoever called it must forget what
// it handed over.
package source

import "context"

// Kind is what a record describes.
type Kind string

// The kinds.
const (
	Person Kind = "person"
	Group  Kind = "group"
)

// Record is one person or group as the source has it now.
type Record struct {
	Kind Kind
	// Key is the identity that survives a rename and a move: objectGUID or entryUUID as text, the key column of a
	// file, the id of a SCIM resource. It is unique across both kinds of one source.
	Key string
	// Name is what members and references are written in: a normalised DN for LDAP, the Key for other sources.
	Name string
	// Attrs holds the values by lower-case attribute name. They are text as the source sent it; objectGUID and the
	// like are text GUIDs, other binary values are base64.
	Attrs map[string][]string
	// Members holds the Names of a group's direct members, every range of them. They may name objects that the
	// source does not emit.
	Members []string
}

// Cursor marks how far a source was read: small, opaque JSON, made by a Seal and given to the next Read. A nil
// Cursor is the beginning.
type Cursor []byte

// Seal vouches for a read: every page and range arrived, the end was seen, one server answered all of it, and there
// was no error, referral or size limit on the way.
type Seal struct {
	// Full says that everything that exists was handed over: what was not is gone.
	Full bool
	// Gone holds, after a delta (Full is false), the Keys that were deleted or no longer match the base and filter.
	// It may hold Keys that were never handed over.
	Gone []string
	// Present, if it is not nil, holds after a delta the Keys of everything that exists and was not handed over by
	// this read: a Key that is neither here nor handed over is gone too. Feeds that cannot see deletions one by one
	// (timestamps, a present phase of RFC 4533 §3.3.1) use it.
	Present []string
	// Next is where the next Read goes on.
	Next Cursor
	// Feed is how the changes were found: "full", "dirsync", "usn", "syncrepl", "timestamp".
	Feed string
	// Reason says in words why this feed, and why a full read if a delta was asked for.
	Reason string
}

// Source is a place from which people and groups are read.
type Source interface {
	// Test connects and tells what it asked and what was answered. The error is the first finding that would make
	// a Read fail; the Report is filled as far as it came, also then.
	Test(ctx context.Context) (Report, error)
	// Read hands over records until the end, one at a time, and returns a Seal only if the read is complete. It
	// reads what changed since the cursor; nil, and a cursor that cannot be honoured, make it a full read, and the
	// Seal says so. People come before groups where the feed has an order. A Key may come more than once when it
	// changes during the read: the last record counts. An error of each ends the read and is returned as it is.
	Read(ctx context.Context, since Cursor, each func(Record) error) (Seal, error)
}

// Counter is a Source that can count without handing over.
type Counter interface {
	// Count returns how many records of the kind a full Read would hand over.
	Count(ctx context.Context, kind Kind) (int, error)
}

// Browser is a Source that can show a few records.
type Browser interface {
	// Browse hands over records of the kind, at most limit of them, in the source's own order. filter is in the
	// source's own language and narrows what is shown; it may be empty.
	Browse(ctx context.Context, kind Kind, filter string, limit int, each func(Record) error) error
}
