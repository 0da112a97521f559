package scim

import "fmt"

// ErrorType is a scimType keyword of RFC 7644 §3.12 or RFC 9865 §2.2, or "" where the standard has none.
type ErrorType string

// The scimType keywords.
const (
	InvalidFilter ErrorType = "invalidFilter"
	TooMany       ErrorType = "tooMany"
	Uniqueness    ErrorType = "uniqueness"
	Mutability    ErrorType = "mutability"
	InvalidSyntax ErrorType = "invalidSyntax"
	InvalidPath   ErrorType = "invalidPath"
	NoTarget      ErrorType = "noTarget"
	InvalidValue  ErrorType = "invalidValue"
	InvalidVers   ErrorType = "invalidVers"
	Sensitive     ErrorType = "sensitive"
	InvalidCursor ErrorType = "invalidCursor"
	ExpiredCursor ErrorType = "expiredCursor"
	InvalidCount  ErrorType = "invalidCount"
	TooLarge      ErrorType = "tooLarge" // no keyword of the RFC: the wire answer is 413 without scimType
)

// Error is what is wrong with something a client sent. Detail is written for the person who reads the
// client's log: it names the attribute, limit or position, quotes at most 100 characters of input with control
// characters escaped, and never contains a secret.
type Error struct {
	Type   ErrorType
	Detail string
	Offset int // byte position in the filter, path or body; -1 if there is none
}

func (e *Error) Error() string {
	if e.Offset >= 0 {
		return fmt.Sprintf("%s: %s (at offset %d)", e.Type, e.Detail, e.Offset)
	}
	return fmt.Sprintf("%s: %s", e.Type, e.Detail)
}

// Errorf makes an Error without a position.
func Errorf(t ErrorType, format string, args ...any) *Error {
	return &Error{Type: t, Detail: fmt.Sprintf(format, args...), Offset: -1}
}

// Quote returns s for use in a Detail: quoted, control characters escaped, cut to 100 characters.
func Quote(s string) string {
	const most = 100
	runes := []rune(s)
	if len(runes) > most {
		return fmt.Sprintf("%q…", string(runes[:most]))
	}
	return fmt.Sprintf("%q", s)
}
