package main

import (
	"context"
	"encoding/json"

	"github.com/provost-scim/provost/mapping"
	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
	"github.com/provost-scim/provost/source/ldap"
)

// mapper is a mapping as the engine sees it.
type mapper struct{ *mapping.Mapping }

// newMapper compiles the mapping of a channel whose source is of a kind.
func newMapper(text json.RawMessage, kind string) (*mapper, error) {
	d, err := mapping.Parse(text)
	if err != nil {
		return nil, err
	}
	var o mapping.Options
	if kind == "ldap" {
		o.Normal = ldap.NormalDN
	}
	m, err := mapping.Compile(d, scim.Default(), o)
	if err != nil {
		return nil, err
	}
	return &mapper{m}, nil
}

func (m *mapper) Apply(ctx context.Context, rec source.Record, look provision.Look) (provision.Wanted, error) {
	w, err := m.Mapping.Apply(ctx, rec, lookup{look})
	if err != nil {
		return provision.Wanted{}, err
	}
	out := provision.Wanted{Resource: w.Resource, Reason: w.Reason, Unassigned: w.Unassigned, Err: w.Err, Refs: map[string]string{},
		CreateOnly: m.CreateOnly(rec.Kind), Keep: m.Keep(rec.Kind), Redacted: m.Redacted(rec.Kind)}
	for _, r := range w.Refs {
		out.Refs[r.Path] = r.Key
		if r.Key == "" {
			out.Refs[r.Path] = provision.Unresolved(r.Name)
		}
	}
	return out, nil
}

// lookup answers a mapping's questions from the mirror.
type lookup struct{ provision.Look }

func (l lookup) Named(ctx context.Context, names []string) (map[string]string, error) {
	found, err := l.Look.Named(ctx, names)
	out := make(map[string]string, len(found))
	for name, r := range found {
		out[name] = r.Key
	}
	return out, err
}

func (l lookup) Groups(ctx context.Context, key string, nested bool) ([]mapping.GroupRef, error) {
	list, err := l.Look.Groups(ctx, key, nested)
	out := make([]mapping.GroupRef, len(list))
	for i, g := range list {
		out[i] = mapping.GroupRef{Key: g.Key, Name: g.Name}
	}
	return out, err
}
