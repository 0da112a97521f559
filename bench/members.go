package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

const (
	bigGroup    = 100_000
	smallGroup  = 10
	membersAdds = 100  // members added per slice, so that the small group stays small
	memberBatch = 1000 // members per PATCH while a group is filled
)

// groups are the groups of a place.
type groups struct {
	big, small group
	spare      []string // users that are in neither
}

// group is a group with the number of its members.
type group struct {
	id   string
	size int
}

// members compares one member's way in and out of a big group and a small one, and reading them without members.
func (g *growth) members(ctx context.Context) error {
	ids := g.big.people.ids
	size := min(bigGroup, len(ids)/2)
	g.big.groups.spare = ids[size:]
	var err error
	if g.big.groups.big, err = g.big.group("Everybody", ids[:size]); err != nil {
		return err
	}
	if g.big.groups.small, err = g.big.group("Somebody", ids[:smallGroup]); err != nil {
		return err
	}
	bigOne, smallOne := &g.big.groups.big, &g.big.groups.small
	for _, c := range []struct {
		name string
		op   func(*group) op
	}{{"add", addOp}, {"remove", removeOp}, {"get without members", leanOp}} {
		name := fmt.Sprintf("members %d against %d: %s", size, smallGroup, c.name)
		if err := compare(ctx, g.o, g.store, name, side{c.op(bigOne), &g.big}, side{c.op(smallOne), &g.big}, mustGrow); err != nil {
			return err
		}
	}
	return nil
}

// group makes a group with these members, a thousand per PATCH.
func (p *place) group(name string, members []string) (group, error) {
	body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"%s"}`, name)
	a, err := p.t.call(0, http.StatusCreated, "POST", "/Groups", []byte(body))
	if err != nil {
		return group{}, err
	}
	id, err := idOf(a.Body)
	if err != nil {
		return group{}, err
	}
	for i := 0; i < len(members); i += memberBatch {
		if err := p.patchMembers(0, id, "add", members[i:min(i+memberBatch, len(members))]); err != nil {
			return group{}, err
		}
	}
	g := group{id: id, size: len(members)}
	return g, p.countMembers(&g)
}

// patchMembers adds or removes members as Entra does.
func (p *place) patchMembers(w int, group, verb string, ids []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"%s","path":"members","value":[`, verb)
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"value":"%s"}`, id)
	}
	b.WriteString("]}]}")
	_, err := p.t.call(w, http.StatusNoContent, "PATCH", "/Groups/"+group, []byte(b.String()))
	return err
}

// countMembers checks the size of a group as a GET shows it.
func (p *place) countMembers(g *group) error {
	a, err := p.t.call(0, http.StatusOK, "GET", "/Groups/"+g.id+"?attributes=members.value", nil)
	if err != nil {
		return err
	}
	if n := bytes.Count(a.Body, []byte(`"value"`)); n != g.size {
		return wrong("group %s has %d members, want %d", g.id, n, g.size)
	}
	return nil
}

// moving is a set of members that one slice adds or removes.
type moving struct {
	mu   sync.Mutex
	next int
	ids  []string
}

// take returns the next id.
func (m *moving) take() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next++
	return m.ids[(m.next-1)%len(m.ids)]
}

// addOp adds one member per request; after the slice the group is counted and they are taken out.
func addOp(g *group) op {
	m := &moving{}
	return op{name: "add", most: membersAdds, before: func(p *place) error {
		m.next, m.ids = 0, p.groups.spare[:membersAdds]
		return nil
	}, do: func(p *place, w, _ int) error {
		return p.patchMembers(w, g.id, "add", []string{m.take()})
	}, after: func(p *place, s sample) error {
		if err := p.countMembers(&group{g.id, g.size + m.next}); err != nil {
			return err
		}
		return p.patchMembers(0, g.id, "remove", m.ids[:m.next])
	}}
}

// removeOp removes one member per request, of those that it put in before the slice.
func removeOp(g *group) op {
	m := &moving{}
	return op{name: "remove", most: membersAdds, before: func(p *place) error {
		m.next, m.ids = 0, p.groups.spare[:membersAdds]
		return p.patchMembers(0, g.id, "add", m.ids)
	}, do: func(p *place, w, _ int) error {
		return p.patchMembers(w, g.id, "remove", []string{m.take()})
	}, after: func(p *place, s sample) error {
		if err := p.countMembers(&group{g.id, g.size + len(m.ids) - m.next}); err != nil {
			return err
		}
		if m.next == len(m.ids) {
			return nil
		}
		return p.patchMembers(0, g.id, "remove", m.ids[m.next:])
	}}
}

// leanOp reads a group without its members.
func leanOp(g *group) op {
	return op{name: "get without members", do: func(p *place, w, _ int) error {
		a, err := p.t.call(w, http.StatusOK, "GET", "/Groups/"+g.id+"?excludedAttributes=members", nil)
		if err != nil {
			return err
		}
		if bytes.Contains(a.Body, []byte(`"members"`)) {
			return wrong("members in an answer that excludes them")
		}
		return contains(&a, `"displayName"`)
	}}
}
