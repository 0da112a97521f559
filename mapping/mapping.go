// Package mapping decides what a person or group of a source is to be at a target: whether it is in scope, and which
// attributes it has there. A mapping is data (rows, conditions, expressions), checked as a whole when it is compiled
// and then a pure function of the record. It knows neither what was provisioned before nor any target.
//
// A fault while a record is mapped is an error of that record, Wanted.Err, and never "out of scope": who is out of
// scope is deprovisioned.
package mapping

import (
	"context"
	"io"
	"time"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// Wanted is what a mapping makes of a record.
type Wanted struct {
	Kind source.Kind
	Key  string
	// Resource is what the object is to be at the target; nil if it is out of scope or Err is set. References are not
	// in it: see Refs.
	Resource *scim.Resource
	// Reason says in words why the record is in or out of scope.
	Reason string
	// Unassigned: it is out of scope because it is in none of the groups that the scope names.
	Unassigned bool
	// Err is why the record cannot be mapped: the object is to be left as it is.
	Err error
	// Refs are attributes that refer to another object of the source.
	Refs []Reference
	// Alternatives are, by target path, further values to try if the target says that the first is taken
	// (SelectUniqueValue).
	Alternatives map[string][]any
}

// Reference is an attribute that names another object of the source: a manager, an assistant.
type Reference struct {
	Path string // "urn:…:User:manager.value"
	Name string // how the source names the other object
	Key  string // its key; "" if the source has no such object (yet)
}

// Lookup answers questions about the source as it was last read. An error of it is returned by Apply as it is.
type Lookup interface {
	// Named returns the keys of the records with these Names, by Name. Names that no record has are left out.
	Named(ctx context.Context, names []string) (map[string]string, error)
	// Groups returns the groups that hold the record with this key: directly, or through other groups too.
	Groups(ctx context.Context, key string, nested bool) ([]GroupRef, error)
}

// GroupRef is a group of the source.
type GroupRef struct{ Key, Name string }

// Options are what a mapping takes from its surroundings.
type Options struct {
	// Normal brings a name that a person wrote, or that an attribute holds, into the form of source.Record.Name. nil
	// leaves names as they are.
	Normal func(name string) string
	Now    func() time.Time // nil: time.Now
	Random io.Reader        // nil: crypto/rand
}

// Mapping is a compiled Definition. It is safe for concurrent use.
type Mapping struct {
	registry    *scim.Registry
	options     Options
	parts       map[source.Kind]*part
	fingerprint string
}

// part is what a mapping does with one kind of record.
type part struct {
	kind    source.Kind
	typ     string // resource type at the target
	off     bool
	rows    []*row
	match   []string
	scope   *scope
	use     map[string]bool // source attributes, lower case
	require []*scim.Attribute
}

// Apply maps a record. The error is one of look: nothing is known about the record then. All faults of the mapping
// itself are in Wanted.Err.
func (m *Mapping) Apply(ctx context.Context, rec source.Record, look Lookup) (Wanted, error) {
	w := Wanted{Kind: rec.Kind, Key: rec.Key}
	p := m.parts[rec.Kind]
	if p == nil || p.off {
		w.Reason = "out of scope: the mapping does not provision a " + string(rec.Kind)
		return w, nil
	}
	e := m.evaluation(rec)
	d, err := p.scope.decide(ctx, e, look)
	if err != nil {
		return w, err
	}
	if d.err != nil {
		w.Err, w.Reason = d.err, "the scope cannot be decided"
		return w, nil
	}
	w.Reason, w.Unassigned = d.reason, d.unassigned
	if !d.in {
		return w, nil
	}
	b := builder{mapping: m, part: p, wanted: &w, attrs: scim.Object{}}
	if err := b.build(e); err != nil {
		w.Err, w.Refs, w.Alternatives = err, nil, nil
		return w, nil
	}
	return w, b.resolve(ctx, look)
}

// Matches returns the attributes by which an object of the kind is looked for at the target, in order.
func (m *Mapping) Matches(k source.Kind) []string {
	if p := m.parts[k]; p != nil && !p.off {
		return append([]string(nil), p.match...)
	}
	return nil
}

// Membership says whether people are in scope by their groups.
func (m *Mapping) Membership() bool {
	p := m.parts[source.Person]
	return p != nil && !p.off && len(p.scope.groups) > 0
}

// Fingerprint changes when the mapping or the scope does.
func (m *Mapping) Fingerprint() string { return m.fingerprint }

// CreateOnly returns the paths of the attributes that only a create sets: "title", "name.givenName", "emails",
// "urn:…:User:department".
func (m *Mapping) CreateOnly(k source.Kind) []string {
	return m.paths(k, func(r *row) bool { return r.create })
}

// Keep returns the paths of the attributes that stay as they are at the target while the source has no value.
func (m *Mapping) Keep(k source.Kind) []string {
	return m.paths(k, func(r *row) bool { return r.keep })
}

// Redacted returns the paths of the attributes whose values are not to stand in any log.
func (m *Mapping) Redacted(k source.Kind) []string {
	return m.paths(k, func(r *row) bool { return r.redact })
}

func (m *Mapping) paths(k source.Kind, pick func(*row) bool) []string {
	var list []string
	seen := map[string]bool{}
	if p := m.parts[k]; p != nil && !p.off {
		for _, r := range p.rows {
			if path := r.target.path(); pick(r) && !seen[path] {
				seen[path] = true
				list = append(list, path)
			}
		}
	}
	return list
}
