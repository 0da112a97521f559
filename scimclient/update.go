package scimclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/provost-scim/provost/scim"
)

// Update makes the resource r.ID have the attributes of r, in the way the profile says: a PATCH of ops, which are the
// difference from what it was given before, a PUT of r, or a PUT of what the target has with ops applied. Members are
// not touched. Paths of ops are top-level names, "name.sub", "urn:…:name" and "urn:…:name.sub".
func (c *Client) Update(ctx context.Context, r scim.Resource, ops []scim.Op) error {
	switch c.updateMode(ctx, r.Type) {
	case Put:
		if r.Type == "Group" { // a PUT without members would empty it
			return c.merge(ctx, r, ops)
		}
		return c.Replace(ctx, r)
	case Merge:
		return c.merge(ctx, r, ops)
	}
	return c.Patch(ctx, r.Type, r.ID, ops)
}

// updateMode is how resources of a type are changed: what the profile says, or what the target says of itself.
func (c *Client) updateMode(ctx context.Context, typ string) string {
	mode := c.profile.UserUpdate
	if typ == "Group" {
		mode = c.profile.GroupUpdate
	}
	if mode != Auto {
		return mode
	}
	if p, err := c.Provider(ctx); err == nil && p.Known && !p.Patch {
		return Merge
	}
	return Patch
}

// Patch sends operations as they are, in the spelling of the profile. No operation is no request.
func (c *Client) Patch(ctx context.Context, typ, id string, ops []scim.Op) error {
	at, err := c.one(typ, id)
	if err != nil || len(ops) == 0 {
		return err
	}
	_, err = c.send(ctx, request{method: http.MethodPatch, path: at, body: scim.Object{
		"schemas": []any{scim.PatchMessage}, "Operations": c.operations(ops),
	}})
	return err
}

// operations writes operations in the dialect of the profile.
func (c *Client) operations(ops []scim.Op) []any {
	list := make([]any, len(ops))
	for i, op := range ops {
		name := strings.ToLower(op.Op)
		if c.profile.TitleOps && name != "" {
			name = strings.ToUpper(name[:1]) + name[1:]
		}
		o := scim.Object{"op": name}
		if op.Path != "" {
			o["path"] = op.Path
		}
		if op.Value != nil {
			o["value"] = op.Value
			if b, ok := op.Value.(bool); ok && c.profile.BooleanText {
				o["value"] = map[bool]string{true: "True", false: "False"}[b]
			}
		}
		list[i] = o
	}
	return list
}

// merge reads what the target has, applies the operations and writes it back whole (Okta's way). What it does not know
// stays as it is.
func (c *Client) merge(ctx context.Context, r scim.Resource, ops []scim.Op) error {
	at, err := c.one(r.Type, r.ID)
	if err != nil {
		return err
	}
	body, err := c.raw(ctx, at, r.Type)
	if err != nil {
		return err
	}
	for _, op := range ops {
		switch strings.ToLower(op.Op) {
		case "add", "replace":
			err = assign(body, op.Path, op.Value)
		case "remove":
			err = assign(body, op.Path, nil)
		default:
			err = fmt.Errorf("%s is no operation", scim.Quote(op.Op))
		}
		if err != nil {
			return fmt.Errorf("change %s %s: %w", r.Type, r.ID, err)
		}
	}
	return c.put(ctx, at, r.Type, r.ID, body)
}

// raw reads a resource whole, members included, and takes out what a client cannot write.
func (c *Client) raw(ctx context.Context, at, typ string) (scim.Object, error) {
	a, err := c.send(ctx, request{method: http.MethodGet, path: at, query: c.view(typ, true)})
	if err != nil {
		return nil, err
	}
	if a.body == nil {
		return nil, &Error{Method: http.MethodGet, Path: at, Status: a.status, Detail: "the answer is empty"}
	}
	body := maps.Clone(a.body)
	delete(body, "meta")
	if typ != "Group" {
		delete(body, "groups")
	} else if list := refs(body["members"]); len(list) > 0 {
		body["members"] = memberValues(list)
	}
	return body, nil
}

func (c *Client) put(ctx context.Context, at, typ, id string, body scim.Object) error {
	schemas := []any{}
	if t := c.registry.Type(typ); t != nil {
		schemas = append(schemas, t.Schema)
	}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if strings.HasPrefix(name, "urn:") {
			schemas = append(schemas, name)
		}
	}
	body["schemas"], body["id"] = schemas, id
	_, err := c.send(ctx, request{method: http.MethodPut, path: at, body: body})
	return err
}

// assign sets what a path names; nil removes it.
func assign(o scim.Object, path string, value any) error {
	if path == "" || strings.ContainsAny(path, "[]") {
		return fmt.Errorf("a target that takes PUT only cannot be told to change %s", scim.Quote(path))
	}
	first, rest := path, ""
	if strings.HasPrefix(strings.ToLower(path), "urn:") {
		if _, whole := value.(scim.Object); !whole || !endsInSchema(path) {
			i := strings.LastIndexByte(path, ':')
			first, rest = path[:i], path[i+1:]
		}
	} else {
		first, rest, _ = strings.Cut(path, ".")
	}
	for name := range o { // names are case-insensitive (RFC 7643 §2.1)
		if strings.EqualFold(name, first) {
			first = name
		}
	}
	if rest == "" {
		if value == nil {
			delete(o, first)
		} else {
			o[first] = value
		}
		return nil
	}
	inner, _ := o[first].(scim.Object)
	inner = maps.Clone(inner)
	if inner == nil {
		inner = scim.Object{}
	}
	if err := assign(inner, rest, value); err != nil {
		return err
	}
	if len(inner) == 0 {
		delete(o, first)
	} else {
		o[first] = inner
	}
	return nil
}

// endsInSchema tells the URN of a schema from that of one of its attributes: the last part of the first is in upper
// case.
func endsInSchema(urn string) bool {
	last := urn[strings.LastIndexByte(urn, ':')+1:]
	return last != "" && last[0] >= 'A' && last[0] <= 'Z'
}

// TooManyError says that a call named more memberships than the target takes at once.
type TooManyError struct{ Limit, Got int }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("%d changes of membership in one request, the target takes %d", e.Got, e.Limit)
}

// Members adds and removes members of a group by their ids, at most Limits.Members in all. A member that is there
// already, or gone already, is no error for a target that keeps to RFC 7644 §3.5.2.
func (c *Client) Members(ctx context.Context, group string, add, remove []string) error {
	n := len(add) + len(remove)
	if n > c.profile.Members {
		return &TooManyError{c.profile.Members, n}
	}
	if n == 0 {
		return nil
	}
	if c.updateMode(ctx, "Group") != Patch {
		return c.putMembers(ctx, group, add, remove)
	}
	var ops []scim.Op
	if len(add) > 0 {
		ops = append(ops, scim.Op{Op: "add", Path: "members", Value: idValues(add)})
	}
	if len(remove) > 0 {
		ops = append(ops, c.removal(remove)...)
	}
	return c.Patch(ctx, "Group", group, ops)
}

// removal takes members out of a group, in the dialect of the profile. A target that expects a filter and gets a list
// of values would remove everybody, so there is no guessing.
func (c *Client) removal(ids []string) []scim.Op {
	if c.profile.Remove == RemoveValues {
		return []scim.Op{{Op: "remove", Path: "members", Value: idValues(ids)}}
	}
	ops := make([]scim.Op, len(ids))
	for i, id := range ids {
		ops[i] = scim.Op{Op: "remove", Path: "members[value eq " + quote(id) + "]"}
	}
	return ops
}

// putMembers reads the group with its members and writes it back whole.
func (c *Client) putMembers(ctx context.Context, group string, add, remove []string) error {
	at, err := c.one("Group", group)
	if err != nil {
		return err
	}
	body, err := c.raw(ctx, at, "Group")
	if err != nil {
		return err
	}
	gone := map[string]bool{}
	for _, id := range remove {
		gone[id] = true
	}
	var keep []scim.Ref
	there := map[string]bool{}
	for _, m := range append(refs(body["members"]), asRefs(add)...) {
		if !there[m.Value] && !gone[m.Value] {
			there[m.Value] = true
			keep = append(keep, m)
		}
	}
	body["members"] = memberValues(keep)
	return c.put(ctx, at, "Group", group, body)
}

func asRefs(ids []string) []scim.Ref {
	list := make([]scim.Ref, len(ids))
	for i, id := range ids {
		list[i].Value = id
	}
	return list
}

func idValues(ids []string) []any { return memberValues(asRefs(ids)) }

// quote writes a string as JSON, which is what a filter has (RFC 7644 §3.4.2.2).
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // a string is always encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// IsMissing reports whether err says that there is no such resource.
func IsMissing(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Missing()
}
