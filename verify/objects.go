package verify

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/provost-scim/provost/scim"
)

const (
	userSchema       = scim.UserSchema
	groupSchema      = scim.GroupSchema
	enterpriseSchema = scim.EnterpriseSchema
	patchMessage     = scim.PatchMessage
	listMessage      = scim.ListMessage
	errorMessage     = scim.ErrorMessage
)

// op builds one operation of a PATCH. An empty path is left out, and so is the value none.
func op(kind, path string, value any) Object {
	o := Object{"op": kind}
	if path != "" {
		o["path"] = path
	}
	if value != none {
		o["value"] = value
	}
	return o
}

// none is the value of an operation that has none; nil is JSON null.
var none any = &struct{ byte }{}

// list builds a JSON array, which is never null.
func list(items ...any) []any {
	if items == nil {
		return []any{}
	}
	return items
}

// ref is an element of members.
func ref(id string) Object { return Object{"value": id} }

// person is a user as most clients write it: names, one work address, active. More attributes are laid over it;
// the value none removes one.
func (s *Session) person(userName string, more Object) Object {
	u := Object{
		"schemas":     list(userSchema),
		"userName":    userName,
		"displayName": "Ann Case",
		"name":        Object{"givenName": "Ann", "familyName": "Case"},
		"emails":      list(Object{"value": userName, "type": "work", "primary": true}),
		"active":      true,
	}
	return over(u, more)
}

func over(o, more Object) Object {
	for k, v := range more {
		if v == none {
			delete(o, k)
		} else {
			o[k] = v
		}
	}
	return o
}

// created is an object that a case made.
type created struct {
	ID, Name string
	Body     Object // as sent
	Path     string // /Users/<id>
	*Exchange
}

// user makes a user that the case needs; if that fails the case is blocked.
func (s *Session) user(hint string, more Object) created {
	body := s.person(s.mail(hint), more)
	return s.make("/Users", body, body["userName"])
}

// users makes n users.
func (s *Session) users(n int) []created {
	list := make([]created, n)
	for i := range list {
		list[i] = s.user("u", nil)
	}
	return list
}

// group makes a group that the case needs; servers without groups end the case as skipped.
func (s *Session) group(hint string, members ...string) created {
	s.needGroups()
	body := Object{"schemas": list(groupSchema), "displayName": s.name(hint)}
	if len(members) > 0 {
		body["members"] = refs(members...)
	}
	return s.make("/Groups", body, body["displayName"])
}

func refs(ids ...string) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = ref(id)
	}
	return out
}

func (s *Session) make(endpoint string, body Object, name any) created {
	x := s.post(endpoint, body)
	id := x.newID()
	if !x.ok() || id == "" {
		s.block(x, "the set-up request POST %s", endpoint)
	}
	n, _ := name.(string)
	return created{ID: id, Name: n, Body: body, Path: pathOf(endpoint, id), Exchange: x}
}

// pathOf is the path of a resource.
func pathOf(endpoint, id string) string { return endpoint + "/" + url.PathEscape(id) }

// newID is the id of the resource that a POST made: from the body, else from the Location header.
func (x *Exchange) newID() string {
	if v, ok := x.value("id"); ok {
		switch t := v.(type) {
		case string:
			return t
		case json.Number:
			return string(t)
		}
	}
	return lastSegment(x.header("Location"))
}

// again reads an object back; anything else than 200 with a resource ends the case.
func (s *Session) again(c created) *Exchange {
	x := s.get(c.Path).status(200)
	if x.object() == nil {
		s.stop(x, "a resource as body", x.describe())
	}
	return x
}

// memberIDs reads the members of a group. Some servers send members only when asked for (the case group-members
// tells), so a second question is asked before the membership counts as empty.
func (s *Session) memberIDs(g created) (*Exchange, []string) {
	x := s.get(g.Path).status(200)
	if _, ok := x.value("members"); !ok {
		if y := s.get(g.Path + s.query("attributes", "members")); y.ok() {
			x = y
		}
	}
	v, _ := x.value("members")
	items, _ := v.([]any)
	var ids []string
	for _, e := range items {
		id, _ := lookup(e, "value")
		t, _ := id.(string)
		ids = append(ids, t)
	}
	slices.Sort(ids)
	return x, ids
}

// members requires that a group has exactly these members.
func (s *Session) members(g created, what string, want ...string) bool {
	x, got := s.memberIDs(g)
	want = slices.Sorted(slices.Values(want))
	if slices.Equal(got, want) {
		return true
	}
	s.fail(x, fmt.Sprintf("%s the group has %s", what, count(len(want), "member")),
		count(len(got), "member")+strangers(got, want))
	return false
}

// integer reads a JSON integer that is not negative; anything else is -1.
func integer(v any) int {
	n, ok := v.(json.Number)
	if !ok {
		return -1
	}
	i, err := strconv.Atoi(string(n))
	if err != nil || i < 0 {
		return -1
	}
	return i
}

// clone copies an object deeply; the copy of nil can be written to.
func clone(o Object) Object {
	c := make(Object, len(o))
	for k, v := range o {
		c[k] = cloneValue(v)
	}
	return c
}

func cloneValue(v any) any {
	switch t := v.(type) {
	case Object:
		return clone(t)
	case []any:
		c := make([]any, len(t))
		for i := range t {
			c[i] = cloneValue(t[i])
		}
		return c
	}
	return v
}
