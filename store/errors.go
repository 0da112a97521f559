package store

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/provost-scim/provost/directory"
)

// fault turns an error of the engine that has a meaning outside the store into a directory.Error. Others pass
// through: they are internal.
func (db *DB) fault(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*directory.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	switch db.e.classify(err) {
	case faultUnavailable, faultRetry:
		return &directory.Error{Kind: directory.Unavailable, Msg: "the database cannot answer now; try again later", Err: err}
	case faultTimeout:
		return &directory.Error{Kind: directory.Exhausted,
			Msg: "the request took longer than " + db.timeout.String() + " in the database; ask for less, or filter by an indexed attribute", Err: err}
	case faultText:
		return &directory.Error{Kind: directory.Invalid, Msg: "text contains the character U+0000, which cannot be stored", Err: err}
	}
	return err
}

func notFound(typ, id string) error {
	return &directory.Error{Kind: directory.NotFound, Msg: typ + " " + id + " not found"}
}

// storable says whether the databases can hold s as text. What they cannot hold is nowhere in them, so a
// look-up answers "none" without asking.
func storable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// clean makes text from outside, such as a header, storable.
func clean(s string) string {
	if storable(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
