// Package provision moves people and groups from a source to a target: it keeps a mirror of the source and a ledger of
// what it owns at the target, plans the difference as data with a reason on each line, asks before it removes too
// much, and applies the rest so that a crash loses and duplicates nothing. It knows neither directories nor HTTP:
// sources and targets come in as interfaces, and so does the State that it remembers everything in.
package provision

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// Source is a source as it is kept: its name and its configuration, whose "kind" says what reads it.
type Source struct {
	Name     string
	Spec     json.RawMessage
	Created  time.Time
	Modified time.Time
	Version  int64
}

// Channel is one way from a source to a target.
type Channel struct {
	ID       int64
	Name     string
	Spec     Spec
	Paused   bool
	Created  time.Time
	Modified time.Time
	Version  int64
}

// The limits of a channel's interval, and what it is if nothing is said.
const (
	DefaultInterval = time.Minute
	MinInterval     = time.Second
	MaxInterval     = 24 * time.Hour
)

// Spec is the configuration of a channel as an administrator writes it.
type Spec struct {
	Source   string          `json:"source"`
	Target   json.RawMessage `json:"target"`  // see Connect
	Mapping  json.RawMessage `json:"mapping"` // see package mapping
	Interval Duration        `json:"interval,omitempty"`
	// FullEvery is how often a full read reconciles, although the source can tell its changes. Default a day.
	FullEvery Duration `json:"fullEvery,omitempty"`
	Nested    Nested   `json:"nested,omitempty"`
	Rules     Rules    `json:"rules,omitzero"`
	Guard     Guard    `json:"guard,omitzero"`
	Notify    Notify   `json:"notify,omitzero"`
}

// Nested says what becomes of groups within groups.
type Nested string

// What can become of groups within groups.
const (
	Flatten Nested = "flatten" // a group has the persons of its groups (the default)
	Keep    Nested = "keep"    // a group has its groups as members
	Ignore  Nested = "ignore"  // a group has its own persons only
)

// Rules say what a channel may do at the target. The zero value creates, updates and disables, deletes nothing and
// adopts nothing.
type Rules struct {
	Users  Toggles `json:"users,omitzero"`
	Groups Toggles `json:"groups,omitzero"`
	// Existing is what becomes of an object that is at the target already: "park" (the default: it is not touched
	// and the log says so) or "adopt".
	Existing string `json:"existing,omitempty"`
	// Leave is what becomes of an object that left the scope, by the reason for it.
	Leave Leave `json:"leave,omitzero"`
	// SkipDisabled leaves people out who are disabled in the source and were never provisioned.
	SkipDisabled bool `json:"skipDisabled,omitempty"`
}

// Toggles switch off what a channel does with one kind of object.
type Toggles struct {
	NoCreate      bool `json:"noCreate,omitempty"`
	NoUpdate      bool `json:"noUpdate,omitempty"`
	NoDisable     bool `json:"noDisable,omitempty"`
	NoMemberships bool `json:"noMemberships,omitempty"`
}

// Leave says what becomes of objects that left the scope: "keep", "disable" (the default) or "delete". A delete
// disables first and deletes after Retention.
type Leave struct {
	Unassigned string   `json:"unassigned,omitempty"` // no longer a member of a group that puts people in scope
	Filtered   string   `json:"filtered,omitempty"`   // no longer matched by a rule of the scope
	Deleted    string   `json:"deleted,omitempty"`    // no longer in the source
	Retention  Duration `json:"retention,omitempty"`  // default 30 days
}

// The actions of Leave.
const (
	LeaveKeep    = "keep"
	LeaveDisable = "disable"
	LeaveDelete  = "delete"
)

// DefaultRetention is how long a disabled object is kept before it is deleted, if the channel deletes at all.
const DefaultRetention = 30 * 24 * time.Hour

// Notify says who is told when a channel needs somebody.
type Notify struct {
	Mail    []string `json:"mail,omitempty"`
	Webhook string   `json:"webhook,omitempty"`
	// Failures asks for a mail after a cycle in which objects failed for the first time.
	Failures bool `json:"failures,omitempty"`
}

// Duration is a time.Duration that is written as text: "60s", "12h", "30d".
type Duration time.Duration

var days = regexp.MustCompile(`^(\d{1,5})d$`)

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	in := string(text)
	if m := days.FindStringSubmatch(in); m != nil {
		in = m[1] + "h"
		hours, err := time.ParseDuration(in)
		*d = Duration(24 * hours)
		return err
	}
	v, err := time.ParseDuration(in)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is no duration such as 60s, 12h or 30d", string(text))
	}
	*d = Duration(v)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) {
	v := time.Duration(d)
	if v > 0 && v%(24*time.Hour) == 0 {
		return fmt.Appendf(nil, "%dd", v/(24*time.Hour)), nil
	}
	return []byte(v.String()), nil
}

var channelName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// CheckName says whether a channel or source may have the name.
func CheckName(name string) error {
	if !channelName.MatchString(name) {
		return fmt.Errorf("name %q: lower-case letters, digits and hyphens are allowed, 63 at most, and a letter or digit first", name)
	}
	return nil
}

// Check says what is wrong with a configuration, naming the field; nil if nothing is.
func (s *Spec) Check() error {
	if s.Source == "" {
		return fmt.Errorf("source: the name of a source is missing")
	}
	if len(s.Target) == 0 {
		return fmt.Errorf("target: missing")
	}
	if len(s.Mapping) == 0 {
		return fmt.Errorf("mapping: missing")
	}
	if d := time.Duration(s.Interval); d != 0 && (d < MinInterval || d > MaxInterval) {
		return fmt.Errorf("interval: %s is not between %s and %s", d, MinInterval, MaxInterval)
	}
	switch s.Nested {
	case "", Flatten, Keep, Ignore:
	default:
		return fmt.Errorf("nested: %q is none of flatten, keep, ignore", s.Nested)
	}
	switch s.Rules.Existing {
	case "", "park", "adopt":
	default:
		return fmt.Errorf("rules.existing: %q is none of park, adopt", s.Rules.Existing)
	}
	l := s.Rules.Leave
	for _, f := range []struct{ name, value string }{{"unassigned", l.Unassigned}, {"filtered", l.Filtered}, {"deleted", l.Deleted}} {
		switch f.value {
		case "", LeaveKeep, LeaveDisable, LeaveDelete:
		default:
			return fmt.Errorf("rules.leave.%s: %q is none of keep, disable, delete", f.name, f.value)
		}
	}
	return s.Guard.check()
}

// Every is the channel's interval.
func (s *Spec) Every() time.Duration {
	if s.Interval == 0 {
		return DefaultInterval
	}
	return time.Duration(s.Interval)
}

// Status is how a channel stands between two cycles.
type Status struct {
	Cycle      int64       `json:"cycle"` // number of the last cycle
	Started    time.Time   `json:"started,omitzero"`
	Ended      time.Time   `json:"ended,omitzero"`
	Result     string      `json:"result,omitempty"` // "done", "done with failures", "stopped", "failed"
	Problem    string      `json:"problem,omitempty"`
	Counts     Counts      `json:"counts,omitempty"`
	Reviewed   string      `json:"reviewed,omitempty"` // fingerprint of the configuration under which the last cycle ended
	HeldTold   bool        `json:"heldTold,omitempty"` // people were told that removals wait
	Quarantine *Quarantine `json:"quarantine,omitempty"`
}

// Quarantine is why a channel waits longer than its interval.
type Quarantine struct {
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason"` // "source", "target", "credentials", "failures"
	Problem  string    `json:"problem"`
	Attempts int       `json:"attempts"`
	Next     time.Time `json:"next"`
	Told     string    `json:"told,omitempty"` // the reason that people were told
}

// nested is Nested with its default.
func (s *Spec) nested() Nested {
	if s.Nested == "" {
		return Flatten
	}
	return s.Nested
}
