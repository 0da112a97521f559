package scimclient

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/provost-scim/provost/scim"
)

// endpoint is where the resources of a type are: "/Users".
func (c *Client) endpoint(typ string) (string, error) {
	t := c.registry.Type(typ)
	if t == nil {
		return "", fmt.Errorf("there is no resource type %s", scim.Quote(typ))
	}
	return t.Endpoint, nil
}

// one is the path of one resource. An id may be anything; it stays one segment.
func (c *Client) one(typ, id string) (string, error) {
	at, err := c.endpoint(typ)
	if err != nil {
		return "", err
	}
	if id == "" || id == "." || id == ".." {
		return "", fmt.Errorf("%s is no id of a %s", scim.Quote(id), typ)
	}
	return at + "/" + url.PathEscape(id), nil
}

// encode makes the body of a POST or PUT. Members are in it if the resource has them.
func (c *Client) encode(r *scim.Resource) scim.Object {
	body := make(scim.Object, len(r.Attrs)+4)
	schemas := []any{}
	if t := c.registry.Type(r.Type); t != nil {
		schemas = append(schemas, t.Schema)
	}
	for name, v := range r.Attrs {
		body[name] = v
		if strings.HasPrefix(name, "urn:") {
			schemas = append(schemas, name)
		}
	}
	slices.SortStableFunc(schemas[1:], func(a, b any) int { return cmp.Compare(a.(string), b.(string)) })
	body["schemas"] = schemas
	if r.ID != "" {
		body["id"] = r.ID
	}
	if r.ExternalID != "" {
		body["externalId"] = r.ExternalID
	}
	if r.HasMembers {
		body["members"] = memberValues(r.Members)
	}
	return body
}

func memberValues(refs []scim.Ref) []any {
	list := make([]any, len(refs))
	for i, m := range refs {
		list[i] = scim.Object{"value": m.Value}
	}
	return list
}

// decode makes a resource of an answer. It takes what the target sends as it is: only the spelling of the top-level
// names is brought to the schema's.
func (c *Client) decode(typ string, o scim.Object) scim.Resource {
	r := scim.Resource{Type: typ, Attrs: make(scim.Object, len(o))}
	for name, v := range o {
		name = c.spelling(typ, name)
		switch name {
		case "schemas":
		case "id":
			r.ID = text(v)
		case "externalId":
			r.ExternalID = text(v)
		case "meta":
			r.Meta = meta(v)
		case "members":
			r.Members, r.HasMembers = refs(v), true
		case "groups":
			r.Groups, r.HasGroups = refs(v), true
		default:
			if v != nil {
				r.Attrs[name] = v
			}
		}
	}
	return r
}

func (c *Client) spelling(typ, name string) string {
	if strings.HasPrefix(strings.ToLower(name), "urn:") {
		if s := c.registry.Schema(name); s != nil {
			return s.ID
		}
		return name
	}
	if ref, ok := c.registry.Resolve(typ, scim.AttrPath{Name: name}); ok && ref.Ext == "" {
		return ref.Attr.Name
	}
	return name
}

// text reads a string; ids of some servers are numbers.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return fmt.Sprint(v)
	}
	return ""
}

func meta(v any) (m scim.Meta) {
	o, ok := v.(scim.Object)
	if !ok {
		return m
	}
	for name, to := range map[string]*time.Time{"created": &m.Created, "lastModified": &m.LastModified} {
		if s, ok := o[name].(string); ok {
			if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
				*to = at.UTC()
			}
		}
	}
	return m
}

func refs(v any) []scim.Ref {
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	out := make([]scim.Ref, 0, len(list))
	for _, e := range list {
		if o, ok := e.(scim.Object); ok {
			r := scim.Ref{Value: text(o["value"]), Type: text(o["type"]), Display: text(o["display"])}
			if r.Value != "" {
				out = append(out, r)
			}
		}
	}
	return out
}

// madeID is the id of a resource that was created: from the body, else the last part of Location (RFC 7644 §3.3).
func madeID(a *answer) string {
	if id := text(a.body["id"]); id != "" {
		return id
	}
	at, err := url.Parse(a.header.Get("Location"))
	if err != nil || at.Path == "" || strings.HasSuffix(at.Path, "/") {
		return ""
	}
	return path.Base(at.Path)
}
