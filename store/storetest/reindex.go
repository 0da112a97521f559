package storetest

import (
	"testing"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

// reindex checks that an update leaves the search index of its version and nothing else, whether it says what
// the index was or lets the store look.
func reindex(t *testing.T, db *store.DB) {
	s := newTenant(t, db)
	for _, told := range []bool{false, true} {
		w := user(map[bool]string{false: "looked", true: "told"}[told])
		name := w.Index[0]
		w.Index = []scim.IndexRow{name, {Path: "emails.value", Value: "stays", Type: "work"}, {Path: "emails.value", Value: "goes", Elem: 1, Type: "home"},
			{Path: "emails.value", Value: "turns", Elem: 2, Type: "home"}}
		insert(t, s, w)
		was := w.Index
		w = change(w)
		w.Index = []scim.IndexRow{name, {Path: "emails.value", Value: "stays", Type: "work"}, {Path: "emails.value", Value: "comes", Elem: 1, Type: "home"},
			{Path: "emails.value", Value: "turns", Elem: 2, Type: "work"}}
		if told {
			w.Was = was
		}
		if err := s.Update(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		for filter, want := range map[string]int{
			`emails.value eq "stays"`: 1, `emails.value eq "goes"`: 0, `emails.value eq "comes"`: 1,
			`emails[type eq "work" and value eq "turns"]`: 1, `emails[type eq "home" and value eq "turns"]`: 0,
		} {
			filter += ` and id eq "` + w.Record.ID + `"`
			f, err := scim.ParseFilter(filter)
			if err != nil {
				t.Fatal(err)
			}
			if f, err = scim.Default().Bind("User", f); err != nil {
				t.Fatal(err)
			}
			p, err := s.List(t.Context(), scim.Query{Targets: []scim.Target{{Type: "User", Filter: f}}, Count: 10, Total: true})
			if err != nil || p.Total != want {
				t.Errorf("told %v: %s finds %d, %v, want %d", told, filter, p.Total, err, want)
			}
		}
	}
}
