package scimserver_test

import (
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	userSchema    = "urn:ietf:params:scim:schemas:core:2.0:User"
	coreGroup     = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterprise    = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	listSchema    = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	patchSchema   = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	searchSchema  = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	bulkRequest   = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	bulkResponse  = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	externalIDKey = "externalId" // where the attributes under work carry the externalId of the acting client
)

// refModel is the reference: what a directory holds, in the simplest form. Nothing here is shared with the server.
type refModel struct {
	users  map[string]*refUser
	groups map[string]*refGroup
	gone   []string // ids that were deleted

	oneName bool // group names are unique
	rehire  bool // a create with the name of an inactive user reactivates that user
}

// refUser is a user: its attributes as JSON, without what has a place of its own.
type refUser struct {
	id       string
	doc      map[string]any
	external [2]string // externalId of each client
	version  string    // as last read
	created  time.Time // as first read
}

type refGroup struct {
	id       string
	name     string
	external [2]string
	members  map[string]bool
	version  string
}

func newRefModel() *refModel {
	return &refModel{users: map[string]*refUser{}, groups: map[string]*refGroup{}}
}

func refFold(s string) string { return strings.ToLower(s) }

func (u *refUser) name() string { return orEmpty(u.doc["userName"]) }

// takenUser tells whether a live user other than id has the name (RFC 7643 §4.1.1: case-insensitive, unique).
func (m *refModel) takenUser(name, id string) bool {
	for _, u := range m.users {
		if u.id != id && refFold(u.name()) == refFold(name) {
			return true
		}
	}
	return false
}

// inactive is the inactive user that has the name, nil if there is none.
func (m *refModel) inactive(name string) *refUser {
	for _, u := range m.users {
		if refFold(u.name()) == refFold(name) && u.doc["active"] == false {
			return u
		}
	}
	return nil
}

// put is what a user's attributes are after a PUT of doc that was written as wire (RFC 7644 §3.5.1): doc, or for a
// client that clears nothing by omission what was there with doc over it, where null, "" and [] still clear.
func put(old, doc, wire map[string]any, keep bool) map[string]any {
	if !keep {
		return doc
	}
	out := copyObject(old)
	for k, v := range doc {
		if sub, ok := v.(map[string]any); ok {
			for name, part := range sub {
				objectAt(out, k)[name] = copyOf(part)
			}
		} else {
			out[k] = copyOf(v)
		}
	}
	for k, v := range wire {
		if _, object := v.(map[string]any); !object && isEmpty(v) {
			delete(out, k)
		}
	}
	return out
}

func (m *refModel) takenGroup(name, id string) bool {
	if !m.oneName {
		return false
	}
	for _, g := range m.groups {
		if g.id != id && refFold(g.name) == refFold(name) {
			return true
		}
	}
	return false
}

func (m *refModel) exists(id string) bool { return m.users[id] != nil || m.groups[id] != nil }

// deleteUser and deleteGroup also take what goes out of every group.
func (m *refModel) deleteUser(id string) {
	delete(m.users, id)
	m.forget(id)
}

func (m *refModel) deleteGroup(id string) {
	delete(m.groups, id)
	m.forget(id)
}

func (m *refModel) forget(id string) {
	m.gone = append(m.gone, id)
	for _, g := range m.groups {
		delete(g.members, id)
	}
}

// membersOf is the members of a group with their types, by id.
func (m *refModel) membersOf(g *refGroup) map[string]string {
	out := map[string]string{}
	for id := range g.members {
		out[id] = "User"
		if m.groups[id] != nil {
			out[id] = "Group"
		}
	}
	return out
}

// groupsOf is the groups that hold an id directly or through other groups (RFC 7643 §4.1.2 "groups").
func (m *refModel) groupsOf(id string) map[string]string {
	out := map[string]string{}
	todo := []string{id}
	for len(todo) > 0 {
		next := todo[0]
		todo = todo[1:]
		for _, g := range m.groups {
			if !g.members[next] {
				continue
			}
			kind := "indirect"
			if g.members[id] {
				kind = "direct"
			}
			if out[g.id] == "" {
				todo = append(todo, g.id)
			}
			out[g.id] = kind
		}
	}
	return out
}

// circle tells whether a group would hold itself, directly or not, if it had these members.
func (m *refModel) circle(id string, members map[string]bool) bool {
	seen := map[string]bool{}
	todo := slices.Collect(maps.Keys(members))
	for len(todo) > 0 {
		next := todo[0]
		todo = todo[1:]
		if next == id {
			return true
		}
		if g := m.groups[next]; g != nil && !seen[next] {
			seen[next] = true
			todo = append(todo, slices.Collect(maps.Keys(g.members))...)
		}
	}
	return false
}

// normal is the form in which attributes are compared: what equals an absent value is left out (RFC 7643 §2.5), so
// is primary false (§2.4), and lists have no order.
func normal(doc map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range doc {
		switch t := v.(type) {
		case map[string]any:
			if sub := normal(t); len(sub) > 0 {
				out[k] = sub
			}
		case []any:
			var list []any
			for _, e := range t {
				o, ok := e.(map[string]any)
				if !ok {
					list = append(list, e)
				} else if o = normal(o); len(o) > 0 {
					list = append(list, o)
				}
			}
			if len(list) > 0 {
				out[k] = sortedList(list)
			}
		default:
			if !isEmpty(v) && !(k == "primary" && v == false) {
				out[k] = v
			}
		}
	}
	return out
}

// shownAttributes is what an answer shows of a user beside the parts that are compared on their own.
func shownAttributes(got map[string]any) map[string]any {
	rest := maps.Clone(got)
	for _, k := range []string{"schemas", "id", "externalId", "meta", "groups"} {
		delete(rest, k)
	}
	rest = normal(rest)
	if manager := objectOf(objectOf(rest[enterprise])["manager"]); manager != nil {
		delete(manager, "$ref") // may be kept as sent or made by the server
	}
	return rest
}

// relations is the members of a group or the groups of a user in an answer: types by id.
func relations(v any) map[string]string {
	out := map[string]string{}
	list, _ := v.([]any)
	for _, e := range list {
		o, _ := e.(map[string]any)
		id := orEmpty(o["value"])
		if _, twice := out[id]; twice {
			id += " twice"
		}
		out[id] = orEmpty(o["type"])
	}
	return out
}

func sortedList(v any) []any {
	list, _ := v.([]any)
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(showJSON(a), showJSON(b)) })
	return list
}

// copyOf is a deep copy of JSON.
func copyOf(v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			out[k] = copyOf(e)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = copyOf(e)
		}
		return out
	}
	return v
}

func copyObject(o map[string]any) map[string]any { return copyOf(o).(map[string]any) }
