package source

import (
	"errors"
	"fmt"
	"strings"
)

// Report is what a Test found, in the order in which it looked.
type Report struct {
	Lines []Line `json:"lines"`
	// Feed is the change feed that reads will use, Reason why.
	Feed   string `json:"feed,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Line is one question to the source and its answer. It never holds a secret.
type Line struct {
	Asked    string `json:"asked"`
	Answered string `json:"answered"`
	OK       bool   `json:"ok"`
}

// Add appends a line that went well.
func (r *Report) Add(asked, answered string) {
	r.Lines = append(r.Lines, Line{Asked: asked, Answered: answered, OK: true})
}

// Fail appends a line that did not, and returns err.
func (r *Report) Fail(asked string, err error) error {
	r.Lines = append(r.Lines, Line{Asked: asked, Answered: err.Error()})
	return err
}

// Fault classes what went wrong with a source.
type Fault string

// The faults. A caller retries Unreachable, Busy and Partial by itself; the others wait for a person.
const (
	Misconfigured Fault = "misconfigured" // the configuration is wrong in itself; Field names where
	Unreachable   Fault = "unreachable"   // no server answered, or the connection was lost
	Untrusted     Fault = "untrusted"     // the server's certificate is not the one expected
	Refused       Fault = "refused"       // the server answered: wrong password, no such base, not permitted
	Busy          Fault = "busy"          // the server asks to come back later
	Partial       Fault = "partial"       // some of the answer is missing: size limit, referral, lost range
	Malformed     Fault = "malformed"     // the data cannot be understood: a broken file, an entry without a key
)

// Error is what every method of a Source returns when the source is at fault. Its text is for administrators and
// holds no secret.
type Error struct {
	Fault Fault
	Field string // the configuration key at fault, if one is: "servers", "people.base"
	Msg   string // what happened
	Next  string // what to do about it
	Err   error  // the cause, if there is one
}

// Error returns the message, the cause and the next step on one line.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Field != "" {
		fmt.Fprintf(&b, "%s: ", e.Field)
	}
	b.WriteString(e.Msg)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Next != "" {
		fmt.Fprintf(&b, "; next: %s", e.Next)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same read may succeed later without anybody's doing.
func (e *Error) Retryable() bool {
	return e.Fault == Unreachable || e.Fault == Busy || e.Fault == Partial
}

// FaultOf returns the fault of err, "" if it has none.
func FaultOf(err error) Fault {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Fault
	}
	return ""
}
