package ldap

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// members is the set of the members of a group, by normal DN. A nil set holds everybody.
type members struct {
	names map[string]bool
	sum   string
}

func (m *members) holds(name string) bool { return m == nil || m.names[name] }

// digest tells whether two reads saw the same members; "" without a set.
func (m *members) digest() string {
	if m == nil {
		return ""
	}
	if m.sum == "" {
		m.sum = digest(slices.Sorted(maps.Keys(m.names))...)
	}
	return m.sum
}

// narrow reads who is a member of people.members_of. It is read whole before every read, also before a delta:
// adding a member changes the group but not the person, so no feed of people would tell.
func (r *reading) narrow() error {
	if r.people.Base == "" || r.people.MembersOf == "" {
		return nil
	}
	r.scope = &members{names: map[string]bool{}}
	isGroup := map[string]bool{}
	if r.people.Nested {
		base := r.server.context(NormalDN(r.people.MembersOf))
		if base == "" {
			base = r.people.MembersOf
		}
		q := query{field: "people.members_of", base: base, attrs: []string{"1.1"},
			filter: "(|(objectClass=group)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers))"}
		err := r.pages(q, func(e *ldap.Entry) error { isGroup[NormalDN(e.DN)] = true; return nil })
		if err != nil {
			return err
		}
	}
	seen, todo := map[string]bool{}, []string{NormalDN(r.people.MembersOf)}
	for len(todo) > 0 {
		dn := todo[0]
		todo = todo[1:]
		if seen[dn] {
			continue
		}
		seen[dn] = true
		direct, err := r.direct(dn)
		if err != nil {
			return err
		}
		for _, name := range direct {
			r.scope.names[name] = true
			if isGroup[name] {
				todo = append(todo, name)
			}
		}
	}
	return nil
}

// direct returns the direct members of a group, as normal DNs.
func (r *reading) direct(dn string) ([]string, error) {
	attrs := []string{r.src.config.memberAttr(), "objectGUID"}
	if r.server.product == activeDirectory {
		attrs = append(attrs, versionAttr, "objectSid")
	}
	e, err := r.ses.entry("people.members_of", dn, "(objectClass=*)", attrs...)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, &source.Error{Fault: source.Refused, Field: "people.members_of", Msg: fmt.Sprintf("the group %s may not be read by the bind account", dn),
			Next: "grant it read access"}
	}
	rec, err := r.fill(source.Group, &Search{}, e)
	if err != nil {
		return nil, err
	}
	if id := groupID(e); r.src.config.PrimaryGroup && id != "" {
		more, err := r.primaryMembers(id)
		if err != nil {
			return nil, err
		}
		rec.Members = append(rec.Members, more...)
	}
	return rec.Members, nil
}
