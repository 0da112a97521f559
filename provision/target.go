package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provost-scim/provost/scim"
)

// Target is where people and groups are sent. It is safe for concurrent use. Its errors are *TargetError; any other
// counts as Unknown.
type Target interface {
	// Find returns the objects of a type whose attribute equals the value, at least two of them if there are more. A
	// target that ignores filters may return others: the caller looks at what it gets.
	Find(ctx context.Context, typ, attr, value string) ([]scim.Resource, error)
	// Get returns one object.
	Get(ctx context.Context, typ, id string) (scim.Resource, error)
	// Create makes an object and returns it with its id.
	Create(ctx context.Context, r scim.Resource) (scim.Resource, error)
	// Update makes the object have the attributes of r, without touching members; ops is the difference from what it was
	// given before.
	Update(ctx context.Context, r scim.Resource, ops []scim.Op) error
	// Members adds and removes members of a group by their ids at the target: at most Limits.Members in all.
	Members(ctx context.Context, group string, add, remove []string) error
	// Delete removes an object.
	Delete(ctx context.Context, typ, id string) error
	// Limits says what the target takes.
	Limits() Limits
}

// Limits are what a target takes.
type Limits struct {
	Members  int // changes of membership in one request
	Parallel int // requests at the same time
}

// Trouble classes what went wrong at a target.
type Trouble int

// The classes.
const (
	Invalid  Trouble = iota // this request was refused and will be again
	Conflict                // a unique value is taken
	Missing                 // there is no such object
	Denied                  // the credentials are not accepted: nothing else will work either
	Down                    // the target did not take the request: it can be sent again
	Unknown                 // the request was sent and nobody knows whether it was carried out
	Withheld                // the request was not sent: the lease is not safe any more, or the channel was paused
)

// TargetError is a failed request.
type TargetError struct {
	Trouble Trouble
	Msg     string        // for the log: what was asked and what was answered, without secrets
	After   time.Duration // the target asked to be left alone so long; 0 if it did not
	Err     error
}

func (e *TargetError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Msg, e.Err)
	}
	return e.Msg
}

func (e *TargetError) Unwrap() error { return e.Err }

// troubleOf returns the class of err.
func troubleOf(err error) Trouble {
	if e, ok := errors.AsType[*TargetError](err); ok {
		return e.Trouble
	}
	return Unknown
}
