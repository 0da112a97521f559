package access

import "errors"

// Errors of a Keeper and of the rules.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("the name is taken")
)
