package provision

import (
	"strings"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// Verb says what a change does at the target.
type Verb string

// The verbs.
const (
	Create        Verb = "create"
	Update        Verb = "update"
	Disable       Verb = "disable" // a group: empty it
	Enable        Verb = "enable"
	Delete        Verb = "delete"
	AddMembers    Verb = "add-members"
	RemoveMembers Verb = "remove-members"
	Adopt         Verb = "adopt"
	Park          Verb = "park"
	Nothing       Verb = "nothing"
)

// Wanted is what a mapping makes of a record.
type Wanted struct {
	Resource *scim.Resource // nil: out of scope
	Reason   string         // why it is in or out of scope
	// Unassigned: it is out of scope because it is in none of the groups that put people in scope.
	Unassigned bool
	Err        error // the mapping failed: the object is left as it is
	// Refs are the attributes that refer to another object of the source, by path: "manager.value" of an extension is
	// written as its URN, a colon and the path.
	Refs map[string]string // path → key
	// CreateOnly and Keep are top-level paths: attributes that only a create sets, and attributes that stay when the
	// source has none.
	CreateOnly, Keep []string
	// Redacted are paths of attributes whose values stand in no plan and no log.
	Redacted []string
}

// Unresolved is what stands in Wanted.Refs for somebody who is not in the source, or not yet: when a record of that name
// appears, whoever refers to it is looked at again.
func Unresolved(name string) string { return "?" + name }

// Change is one line of a plan.
type Change struct {
	Verb   Verb        `json:"verb"`
	Kind   source.Kind `json:"kind"`
	Key    string      `json:"key"`
	Target string      `json:"target,omitempty"`
	Title  string      `json:"title,omitempty"` // a name for people
	Reason string      `json:"reason"`
	Values []Value     `json:"values,omitempty"`
	Add    []string    `json:"add,omitempty"` // members by key
	Remove []string    `json:"remove,omitempty"`
	Held   string      `json:"held,omitempty"` // why it waits for a person, "" if it does not
	Error  string      `json:"error,omitempty"`

	doc     scim.Object // attributes that are wanted
	hidden  []string    // see Wanted.Redacted
	ops     []scim.Op
	removal bool // takes something away, so the guard counts it
	state   LinkState
	own     int // removed memberships that the guard counts
}

// Value is one attribute that differs.
type Value struct {
	Path string `json:"path"`
	Old  any    `json:"old,omitempty"`
	New  any    `json:"new,omitempty"`
}

// Redacted stands in a plan or log in place of a value that the mapping redacts.
const Redacted = "[redacted]"

// show sets the values that people see.
func (ch *Change) show(values []Value) {
	ch.Values = values
	for i := range values {
		for _, path := range ch.hidden {
			if !within(values[i].Path, path) && !within(path, values[i].Path) {
				continue
			}
			if values[i].Old != nil {
				values[i].Old = Redacted
			}
			if values[i].New != nil {
				values[i].New = Redacted
			}
		}
	}
}

// within says whether path is outer or a part of it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == ':')
}

// Counts counts the lines of a plan by verb, and those that are held under "held".
type Counts map[Verb]int

// held is the name under which Counts has the lines that wait.
const heldCount Verb = "held"

func (c Counts) add(ch *Change) {
	if ch.Verb == Nothing {
		return
	}
	if ch.Held != "" {
		c[heldCount]++
		return
	}
	switch ch.Verb {
	case AddMembers, RemoveMembers:
		c[AddMembers] += len(ch.Add)
		c[RemoveMembers] += len(ch.Remove)
	default:
		c[ch.Verb]++
	}
}
