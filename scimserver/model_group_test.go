package scimserver_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

var groupNames = []string{"Red", "Green", "Blue", "Ödland", "50%_off"}

func (w *world) groupName() string {
	name := rapid.SampledFrom(groupNames).Draw(w.T, "group name")
	if w.rarely(3, "capitals") {
		return strings.ToUpper(name)
	}
	return name
}

func (w *world) someGroup() *refGroup {
	all := sortedKeys(asAny(w.m.groups))
	if len(all) == 0 {
		return nil
	}
	return w.m.groups[rapid.SampledFrom(all).Draw(w.T, "group")]
}

// some draws ids of resources that are there, users and groups, without duplicates.
func (w *world) some(least int) []string {
	all := append(sortedKeys(asAny(w.m.users)), sortedKeys(asAny(w.m.groups))...)
	if len(all) == 0 {
		return nil
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(all), min(least, len(all)), 4, rapid.ID[string]).Draw(w.T, "members")
}

// memberValues writes members in one of the ways in which clients write them.
func (w *world) memberValues(list []string) []any {
	out := []any{}
	for _, id := range list {
		switch w.pick("member form", "value", "ref", "display", "bare") {
		case "value":
			out = append(out, map[string]any{"value": id})
		case "ref":
			out = append(out, map[string]any{"$ref": nil, "value": id})
		case "display":
			out = append(out, map[string]any{"value": id, "display": "somebody", "name": "stray"})
		case "bare":
			out = append(out, id)
		}
	}
	return out
}

func setOf(list []string) map[string]bool {
	out := map[string]bool{}
	for _, id := range list {
		out[id] = true
	}
	return out
}

func (w *world) createGroup() {
	client := w.client()
	name, members := w.groupName(), w.some(0)
	wire := map[string]any{"schemas": []any{coreGroup}, "displayName": name}
	ext := w.setExternal(wire)
	if len(members) > 0 || w.maybe("empty list") {
		wire["members"] = w.memberValues(members)
	}
	unknown := w.rarely(8, "unknown member")
	if unknown {
		wire["members"] = append(w.memberValues(members), map[string]any{"value": w.ghost()})
	}
	a := w.call(client, "POST", groupPath, wire)
	if unknown && w.m.takenGroup(name, "") {
		w.want(a, http.StatusBadRequest, http.StatusConflict)
		return
	}
	if unknown {
		w.want(a, http.StatusBadRequest)
		return
	}
	if w.m.takenGroup(name, "") {
		w.conflict(a)
		return
	}
	w.want(a, http.StatusCreated)
	got := w.object(a)
	g := &refGroup{id: orEmpty(got["id"]), name: name, members: setOf(members)}
	if g.id == "" || w.m.exists(g.id) || holds(w.m.gone, g.id) {
		w.Fatalf("the id %q is not a new one", g.id)
	}
	g.external[client] = ext
	w.m.groups[g.id] = g
	w.sameGroup(client, g, got, true)
	w.checkGroup(1-client, g.id)
}

// ghost is an id that nobody has, perhaps one that somebody had.
func (w *world) ghost() string {
	if len(w.m.gone) > 0 && w.maybe("deleted") {
		return rapid.SampledFrom(w.m.gone).Draw(w.T, "gone")
	}
	return "0197f4e0-0000-7000-8000-000000000000"
}

// putGroup replaces a group; members that are left out stay.
func (w *world) putGroup() {
	g := w.someGroup()
	if g == nil {
		return
	}
	client := w.client()
	name, members := g.name, maps.Clone(g.members)
	if w.rarely(3, "rename") {
		name = w.groupName()
	}
	wire := map[string]any{"schemas": []any{coreGroup}, "id": g.id, "displayName": name}
	ext := w.setExternal(wire)
	if ext == "" && w.keeps[client] {
		ext = g.external[client]
	}
	if w.maybe("with members") {
		list := w.some(0)
		wire["members"], members = w.memberValues(list), setOf(list)
	}
	header, stale := w.precondition(g.version)
	a := w.call(client, "PUT", groupPath+"/"+g.id, wire, header...)
	w.groupChange(client, g, a, http.StatusOK, name, ext, members, stale)
}

// groupChange judges the answer to a change of a group and takes it over.
func (w *world) groupChange(client int, g *refGroup, a trafficReply, ok int, name, ext string, members map[string]bool, stale bool) {
	taken, circle := w.m.takenGroup(name, g.id), w.m.circle(g.id, members)
	switch {
	case stale:
		w.want(a, http.StatusPreconditionFailed)
	case taken && circle:
		w.want(a, http.StatusConflict, http.StatusBadRequest)
	case taken:
		w.conflict(a)
	case circle:
		w.want(a, http.StatusBadRequest)
	default:
		w.want(a, ok)
		changed := g.name != name || g.external[client] != ext || !maps.Equal(g.members, members)
		before := g.version
		g.name, g.external[client], g.members = name, ext, members
		w.checkGroup(client, g.id)
		w.version("group "+g.id, before, g.version, changed, !changed)
		if a.status == http.StatusOK {
			w.sameGroup(client, g, w.object(a), true)
		}
		w.checkGroup(1-client, g.id)
		for id := range members {
			if w.m.users[id] != nil {
				w.checkUser(client, id)
				break
			}
		}
		return
	}
	before := g.version
	w.checkGroup(client, g.id)
	w.equal("the version after a refusal", g.version, before)
}

// refGroupEdit is one operation on a group.
type refGroupEdit struct {
	wire map[string]any
	do   func(n *newGroup)
}

// newGroup is a group while its operations are applied in order.
type newGroup struct {
	name, ext string
	members   map[string]bool
}

func (w *world) groupEdit(g *refGroup) refGroupEdit {
	list := w.some(1)
	inside := slices.Sorted(maps.Keys(g.members))
	if len(inside) > 0 && w.maybe("inside") {
		list = []string{rapid.SampledFrom(inside).Draw(w.T, "inside")}
	}
	one := w.ghost()
	if len(list) > 0 {
		one = list[0]
	}
	add := func(n *newGroup) {
		for _, id := range list {
			n.members[id] = true
		}
	}
	set := func(n *newGroup) { n.members = setOf(list) }
	switch w.pick("group edit", "rename", "rename bare", "external", "add", "add", "add bare", "remove", "remove", "remove where", "replace", "replace bare", "clear", "clear empty") {
	case "rename":
		v := w.groupName()
		return refGroupEdit{map[string]any{"op": w.assign(), "path": "displayName", "value": v}, func(n *newGroup) { n.name = v }}
	case "rename bare": // Okta sends the id along
		v := w.groupName()
		return refGroupEdit{map[string]any{"op": w.assign(), "value": map[string]any{"id": g.id, "displayName": v}}, func(n *newGroup) { n.name = v }}
	case "external":
		v := w.pick("externalId", "x1", "x2")
		return refGroupEdit{map[string]any{"op": w.assign(), "value": map[string]any{externalIDKey: v}}, func(n *newGroup) { n.ext = v }}
	case "add":
		return refGroupEdit{map[string]any{"op": w.verb("add"), "path": "members", "value": w.memberValues(list)}, add}
	case "add bare":
		return refGroupEdit{map[string]any{"op": w.verb("add"), "value": map[string]any{"members": w.memberValues(list)}}, add}
	case "remove": // Entra: the values say which; read to the letter it would be all
		if len(list) == 0 {
			list = []string{one}
		}
		return refGroupEdit{map[string]any{"op": w.verb("remove"), "path": "members", "value": w.memberValues(list)}, func(n *newGroup) {
			for _, id := range list {
				delete(n.members, id)
			}
		}}
	case "remove where":
		return refGroupEdit{map[string]any{"op": w.verb("remove"), "path": fmt.Sprintf("members[value eq %q]", one)}, func(n *newGroup) { delete(n.members, one) }}
	case "replace":
		return refGroupEdit{map[string]any{"op": w.verb("replace"), "path": "members", "value": w.memberValues(list)}, set}
	case "replace bare":
		return refGroupEdit{map[string]any{"op": w.verb("replace"), "value": map[string]any{"members": w.memberValues(list)}}, set}
	case "clear":
		return refGroupEdit{map[string]any{"op": w.verb("remove"), "path": "members"}, func(n *newGroup) { n.members = map[string]bool{} }}
	}
	return refGroupEdit{map[string]any{"op": w.verb("replace"), "path": "members", "value": []any{}}, func(n *newGroup) { n.members = map[string]bool{} }}
}

func (w *world) patchGroup() {
	g := w.someGroup()
	if g == nil {
		return
	}
	client := w.client()
	n := &newGroup{name: g.name, ext: g.external[client], members: maps.Clone(g.members)}
	var wire []any
	circle := false // on the way: a later operation may undo it, and then both answers are right
	for range rapid.IntRange(1, 3).Draw(w.T, "operations") {
		e := w.groupEdit(g)
		e.do(n)
		wire = append(wire, e.wire)
		circle = circle || w.m.circle(g.id, n.members)
	}
	header, stale := w.precondition(g.version)
	path, ok := groupPath+"/"+g.id, http.StatusNoContent
	if w.rarely(5, "with answer") {
		path, ok = path+"?attributes=displayName,members,externalId,meta", http.StatusOK
	}
	a := w.call(client, "PATCH", path, patchBody(wire), header...)
	if circle && !w.m.circle(g.id, n.members) && a.status == http.StatusBadRequest {
		w.checkGroup(client, g.id)
		return
	}
	w.groupChange(client, g, a, ok, n.name, n.ext, n.members, stale)
}

// badGroupPatch sends an operation that must be refused behind one that is good.
func (w *world) badGroupPatch(client int, g *refGroup) {
	bad := rapid.SampledFrom([]map[string]any{
		{"op": "add", "path": "members", "value": []any{map[string]any{"value": w.ghost()}}},
		{"op": "add", "path": "members", "value": []any{map[string]any{"value": g.id}}},
		{"op": "remove", "path": "displayName"},
		{"op": "replace", "path": "members[value eq", "value": "x"},
		{"op": "add", "path": "noSuchAttribute", "value": "x"},
		{"op": "replace", "path": "members", "value": []any{map[string]any{"display": "no value"}}},
	}).Draw(w.T, "bad")
	good := w.groupEdit(g)
	n := &newGroup{name: g.name, members: maps.Clone(g.members)}
	good.do(n)
	a := w.call(client, "PATCH", groupPath+"/"+g.id, patchBody([]any{good.wire, bad}))
	if w.m.takenGroup(n.name, g.id) {
		w.want(a, http.StatusBadRequest, http.StatusConflict)
	} else {
		w.want(a, http.StatusBadRequest)
	}
	before := g.version
	w.checkGroup(client, g.id)
	w.equal("the version after a refusal", g.version, before)
}
