package scimserver_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// bulk sends one bulk request (RFC 7644 §3.7) whose operations touch different resources: new users, a new group
// that refers to them before or after they are made, a change and a deletion of what was there.
func (w *world) bulk() {
	client := w.client()
	b := &bulkPlan{w: w, client: client, named: map[string]string{}}
	order := []func(){b.newUser, b.newUser, b.newGroup, b.changeGroup, b.changeUser, b.removeGroup}
	for i, add := range order {
		if w.maybe("operation " + strconv.Itoa(i)) {
			add()
		}
	}
	if len(b.ops) == 0 {
		return
	}
	if w.maybe("reversed") {
		for i, j := 0, len(b.ops)-1; i < j; i, j = i+1, j-1 {
			b.ops[i], b.ops[j] = b.ops[j], b.ops[i]
		}
	}
	wire := []any{}
	for _, op := range b.ops {
		wire = append(wire, op.wire)
	}
	a := w.call(client, "POST", "/Bulk", map[string]any{"schemas": []any{bulkRequest}, "Operations": wire})
	w.want(a, http.StatusOK)
	w.equal("schemas", w.object(a)["schemas"], []any{bulkResponse})
	results, _ := w.object(a)["Operations"].([]any)
	if len(results) != len(b.ops) {
		w.Fatalf("%d results for %d operations", len(results), len(b.ops))
	}
	for i, op := range b.ops { // first the ids that were given, then what they mean
		op.got = objectOf(results[i])
		status := orEmpty(op.got["status"])
		if status != op.status {
			w.Fatalf("operation %d: want status %s, got %s", i+1, op.status, showJSON(op.got))
		}
		w.equal("method", op.got["method"], op.wire["method"])
		if op.bulkID != "" {
			w.equal("bulkId", op.got["bulkId"], op.bulkID)
		}
		if status == "201" {
			location := orEmpty(op.got["location"])
			b.named[op.bulkID] = location[strings.LastIndex(location, "/")+1:]
		}
	}
	for _, op := range b.ops {
		if op.done != nil {
			op.done()
		}
	}
	w.checkAll()
}

// bulkPlan is a bulk request while it is made.
type bulkPlan struct {
	w       *world
	client  int
	ops     []*bulkStep
	named   map[string]string // ids by bulkId
	users   []string          // bulkIds of the users that will be there
	names   []string          // userNames in this request
	changed string            // the group that changeGroup is about
}

// bulkStep is one operation: what is sent, what must come back, and what it does to the model.
type bulkStep struct {
	wire   map[string]any
	bulkID string
	status string
	done   func()
	got    map[string]any
}

func (b *bulkPlan) newUser() {
	w := b.w
	name := w.userName()
	for _, other := range b.names {
		if refFold(other) == refFold(name) {
			return // which of the two wins is a matter of order
		}
	}
	b.names = append(b.names, name)
	id := fmt.Sprintf("u%d", len(b.names))
	wire, doc := w.attributes(name)
	ext := w.setExternal(wire)
	op := &bulkStep{wire: map[string]any{"method": "POST", "path": userPath, "bulkId": id, "data": wire}, bulkID: id, status: "201"}
	if w.m.rehire && w.m.inactive(name) != nil {
		return // tried on its own
	}
	if w.m.takenUser(name, "") {
		op.status = "409"
	} else {
		b.users = append(b.users, id)
		op.done = func() {
			u := &refUser{id: b.named[id], doc: doc}
			u.external[b.client] = ext
			w.m.users[u.id] = u
		}
	}
	b.ops = append(b.ops, op)
}

func (b *bulkPlan) newGroup() {
	w := b.w
	name := w.groupName()
	list := []any{}
	for _, id := range b.users {
		list = append(list, map[string]any{"value": "bulkId:" + id})
	}
	old := ""
	if u := w.someUser(); u != nil {
		old = u.id
		list = append(list, map[string]any{"value": old})
	}
	members := append([]string{}, b.users...)
	op := &bulkStep{wire: map[string]any{"method": "POST", "path": groupPath, "bulkId": "g", "data": map[string]any{"schemas": []any{coreGroup}, "displayName": name, "members": list}}, bulkID: "g", status: "201"}
	if w.m.takenGroup(name, "") {
		op.status = "409"
	} else {
		op.done = func() {
			g := &refGroup{id: b.named["g"], name: name, members: map[string]bool{}}
			for _, id := range members {
				g.members[b.named[id]] = true
			}
			if old != "" {
				g.members[old] = true
			}
			w.m.groups[g.id] = g
		}
	}
	b.ops = append(b.ops, op)
}

// changeGroup adds the new users to a group that was there.
func (b *bulkPlan) changeGroup() {
	w := b.w
	g := w.someGroup()
	if g == nil || len(b.users) == 0 {
		return
	}
	id := b.users[0]
	b.changed = g.id
	b.ops = append(b.ops, &bulkStep{
		wire: map[string]any{"method": "PATCH", "path": groupPath + "/" + g.id, "data": patchBody([]any{
			map[string]any{"op": "add", "path": "members", "value": []any{map[string]any{"value": "bulkId:" + id}}},
		})},
		status: "204",
		done:   func() { g.members[b.named[id]] = true },
	})
}

// changeUser patches a user that was there, without its name; sometimes in a way that must be refused.
func (b *bulkPlan) changeUser() {
	w := b.w
	u := w.someUser()
	if u == nil {
		return
	}
	key, v := w.pick("attribute", simpleKeys...), w.word()
	ops := []any{map[string]any{"op": w.assign(), "path": key, "value": v}}
	op := &bulkStep{status: "200", done: func() { u.doc[key] = v }}
	if w.rarely(4, "refused") {
		ops = append(ops, map[string]any{"op": "add", "path": "noSuchAttribute", "value": "x"})
		op.status, op.done = "400", nil
	}
	op.wire = map[string]any{"method": "PATCH", "path": userPath + "/" + u.id, "data": patchBody(ops)}
	b.ops = append(b.ops, op)
}

// removeGroup deletes a group that nothing else of the request is about.
func (b *bulkPlan) removeGroup() {
	w := b.w
	id := w.ghost()
	op := &bulkStep{status: "404"}
	if g := w.someGroup(); g != nil {
		if g.id == b.changed {
			return
		}
		for _, other := range b.ops {
			if other.wire["path"] == groupPath {
				return // its name may be the one that this frees
			}
		}
		id = g.id
		op.status, op.done = "204", func() { w.m.deleteGroup(id) }
	}
	op.wire = map[string]any{"method": "DELETE", "path": groupPath + "/" + id}
	b.ops = append(b.ops, op)
}
