package access

import (
	"errors"
	"fmt"
)

// Errors of a Keeper and of the rules.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("the name is taken")
)

// InvalidError says which field of a request to a Service breaks which rule. Its text is for the person who
// made the request; it never quotes a secret.
type InvalidError struct {
	Field  string
	Reason string
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// Refusal is why a credential was not accepted. Whoever presented it must not learn the reason: all refusals
// look alike outside, the reason is for the log.
type Refusal struct{ Reason string }

func (e *Refusal) Error() string { return "refused: " + e.Reason }

func refuse(reason string) error { return &Refusal{Reason: reason} }
