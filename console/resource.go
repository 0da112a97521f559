package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// kind is what differs between the pages of users and of groups.
type kind struct {
	Type    string // of the resource
	Section string // of the address and the menu
	Title   string
	Noun    string
	Naming  string // the attribute that names one
}

var (
	users  = kind{"User", "users", "Users", "user", "userName"}
	groups = kind{"Group", "groups", "Groups", "group", "displayName"}
)

// of makes the handlers of a kind.
func (k kind) of(handle func(*call, kind) error) func(*call) error {
	return func(c *call) error { return handle(c, k) }
}

// find returns the resource in the path with its attributes and, if want says so, its relations.
func (c *call) find(k kind, want directory.Want) (*directory.Directory, scim.Resource, error) {
	d, err := c.directory()
	if err != nil {
		return nil, scim.Resource{}, err
	}
	r, err := d.Get(c.r.Context(), c.caller(), k.Type, c.r.PathValue("id"), want)
	if err == nil {
		err = d.Registry.DecodeDoc(&r)
	}
	return d, r, err
}

// text is a simple attribute as text, "" if it is absent.
func text(r *scim.Resource, name string) string {
	switch v := r.Attrs[name].(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// personName is the best name for people.
func personName(r *scim.Resource) string {
	if s := text(r, "displayName"); s != "" {
		return s
	}
	name, _ := r.Attrs["name"].(scim.Object)
	if s, _ := name["formatted"].(string); s != "" {
		return s
	}
	given, _ := name["givenName"].(string)
	family, _ := name["familyName"].(string)
	return strings.TrimSpace(given + " " + family)
}

// email is the primary e-mail address, or the first.
func email(r *scim.Resource) (found string) {
	list, _ := r.Attrs["emails"].([]any)
	for _, v := range list {
		o, _ := v.(scim.Object)
		value, _ := o["value"].(string)
		if primary, _ := o["primary"].(bool); primary {
			return value
		}
		if found == "" {
			found = value
		}
	}
	return found
}

// attributeRow is one value of a resource with its path.
type attributeRow struct{ Path, Value string }

// attributeRows flattens attributes, in the order of their names.
func attributeRows(prefix string, value any) (out []attributeRow) {
	switch v := value.(type) {
	case scim.Object:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			path := name
			if prefix != "" {
				path = prefix + "." + name
			}
			if strings.HasPrefix(prefix, "urn:") {
				path = prefix + ":" + name
			}
			out = append(out, attributeRows(path, v[name])...)
		}
	case []any:
		for i, e := range v {
			out = append(out, attributeRows(prefix+"["+strconv.Itoa(i+1)+"]", e)...)
		}
	default:
		out = append(out, attributeRow{prefix, fmt.Sprint(v)})
	}
	return out
}
