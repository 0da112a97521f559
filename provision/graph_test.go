package provision_test

import (
	"slices"

	"github.com/provost-scim/provost/source"
)

// flat is who is in a group, directly and through groups, by the names of people.
func (r *rig) flat(key string, byName map[string]string) []string {
	seen := map[string]bool{}
	out := []string{}
	groups := map[string]source.Record{}
	for _, rec := range r.dir.records {
		if rec.Kind == source.Group {
			groups[rec.Name] = rec
		}
	}
	var walk func(rec source.Record)
	walk = func(rec source.Record) {
		if seen[rec.Name] {
			return
		}
		seen[rec.Name] = true
		for _, m := range rec.Members {
			if g, ok := groups[m]; ok {
				walk(g)
			} else if uid, ok := byName[m]; ok && !slices.Contains(out, uid) {
				out = append(out, uid)
			}
		}
	}
	walk(r.dir.records[key])
	slices.Sort(out)
	return out
}
