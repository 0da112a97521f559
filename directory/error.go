package directory

import (
	"errors"
	"fmt"
)

// Kind classes what can go wrong with a request to the directory.
type Kind int

// The kinds. Internal is the kind of every error that is not an *Error.
const (
	Internal    Kind = iota
	NotFound         // no such resource in this tenant
	Conflict         // a unique value is taken
	Invalid          // the caller's data breaks a rule
	Stale            // the resource has another version than the one named
	Denied           // the caller may not do this
	Unavailable      // the store cannot answer now: try again later
	Exhausted        // a limit on time or size was reached
)

// Error is an error whose message the caller may read. Err is for the log alone.
type Error struct {
	Kind Kind
	Attr string // the attribute at fault, if one is
	Msg  string
	Err  error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Msg, e.Err)
	}
	return e.Msg
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err, Internal if it has none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
