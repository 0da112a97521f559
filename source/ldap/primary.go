package ldap

import (
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// groupID returns the last part of an entry's objectSid, which is what primaryGroupID refers to.
func groupID(e *ldap.Entry) string {
	text, ok := sidText(e.GetEqualFoldRawAttributeValue("objectSid"))
	if !ok {
		return ""
	}
	return text[strings.LastIndexByte(text, '-')+1:]
}

func (r *reading) primaryUsed(id string) {
	if r.primary == nil {
		r.primary = map[string][]string{}
	}
	if _, ok := r.primary[id]; !ok {
		r.primary[id] = nil
	}
}

// notePrimary remembers, in a full read, whose primary group is which, and completes the members of groups, which
// come after people.
func (r *reading) notePrimary(kind source.Kind, rec *source.Record) {
	if !r.src.config.PrimaryGroup {
		return
	}
	if kind == source.Person {
		for _, id := range rec.Attrs["primarygroupid"] {
			r.primaryUsed(id)
			r.primary[id] = append(r.primary[id], rec.Name)
		}
		return
	}
	rec.Members = join(rec.Members, r.primary[recordID(rec)])
}

func recordID(rec *source.Record) string {
	for _, sid := range rec.Attrs["objectsid"] {
		return sid[strings.LastIndexByte(sid, '-')+1:]
	}
	return ""
}

// join appends the names that are not there yet.
func join(names, more []string) []string {
	if len(more) == 0 {
		return names
	}
	have := make(map[string]bool, len(names))
	for _, n := range names {
		have[n] = true
	}
	for _, n := range more {
		if !have[n] {
			names = append(names, n)
		}
	}
	return names
}

// fillPrimary does for one group of a delta what notePrimary does in a full read.
func (r *reading) fillPrimary(kind source.Kind, rec *source.Record) error {
	if !r.src.config.PrimaryGroup {
		return nil
	}
	if kind == source.Person {
		for _, id := range rec.Attrs["primarygroupid"] {
			r.primaryUsed(id)
		}
		return nil
	}
	more, err := r.primaryMembers(recordID(rec))
	rec.Members = join(rec.Members, more)
	return err
}

// primaryMembers reads who has the primary group with the id.
func (r *reading) primaryMembers(id string) ([]string, error) {
	var names []string
	if id == "" || r.people.Base == "" {
		return nil, nil
	}
	q := query{field: "people", base: r.people.Base, oneLevel: r.people.OneLevel, attrs: []string{"1.1"},
		filter: "(&" + r.people.Filter + "(primaryGroupID=" + ldap.EscapeFilter(id) + "))"}
	err := r.pages(q, func(e *ldap.Entry) error { names = append(names, NormalDN(e.DN)); return nil })
	return names, err
}

// primaryChanges hands over, after a delta in which people changed, the groups that are somebody's primary group:
// such a change touches the person only.
func (r *reading) primaryChanges(found change) error {
	if !r.src.config.PrimaryGroup || r.groups.Base == "" || r.counts[source.Person] == 0 && len(found.gone) == 0 && found.present == nil {
		return nil
	}
	q := query{field: "groups", base: r.groups.Base, oneLevel: r.groups.OneLevel, filter: r.groups.Filter, attrs: []string{"objectSid", r.key}}
	var keys []string
	err := r.pages(q, func(e *ldap.Entry) error {
		if _, used := r.primary[groupID(e)]; used {
			key, _ := r.entryKey(e)
			if !r.emitted[key] {
				keys = append(keys, key)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range slices.Compact(keys) {
		raw, ok := guidBytes(k)
		if !ok {
			continue
		}
		q.filter, q.attrs = "(&"+r.groups.Filter+"(objectGUID="+escapeBytes(raw)+"))", r.wanted(&r.groups, source.Group)
		if err := r.pages(q, func(e *ldap.Entry) error { return r.changed(source.Group, &r.groups, e) }); err != nil {
			return err
		}
	}
	return nil
}
