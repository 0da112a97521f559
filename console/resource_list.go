package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// pageSize is how many rows a list shows.
const pageSize = 50

// resourceRow is one user or group of a list.
type resourceRow struct {
	ID, Unique, Name, Mail string
	Inactive               bool
	Modified               time.Time
}

// resourcesPage lists users or groups.
type resourcesPage struct {
	frame
	Kind    kind
	Search  string
	Filter  string
	Failure string // what is wrong with the filter
	Rows    []resourceRow
	Total   int
	Counted bool // Total is known: on the first page
	Next    string
	First   string // "" on the first page
}

// listResources shows a page of those that the search and the filter match, in the order of creation.
func listResources(c *call, k kind) error {
	d, err := c.directory()
	if err != nil {
		return err
	}
	page := resourcesPage{frame: c.frame(k.Title, k.Section), Kind: k, Search: c.query("q"), Filter: c.query("filter")}
	filter, err := asked(d, k, page.Search, page.Filter)
	q := scim.Query{Targets: []scim.Target{{Type: k.Type, Filter: filter}}, Count: pageSize, Total: true}
	if after := c.query("after"); after != "" {
		q.After, q.Total = &scim.Key{ID: after}, false
		page.First = page.link("")
	}
	var found scim.Page
	if err == nil {
		found, err = d.List(c.r.Context(), c.caller(), q)
	}
	if text, ok := explained(err); ok {
		page.Failure = strings.TrimPrefix(text, "Not done. ")
		return c.show(http.StatusUnprocessableEntity, "resources", page)
	}
	if err != nil {
		return err
	}
	page.Total, page.Counted = found.Total, q.Total
	for i := range found.Resources {
		r := &found.Resources[i]
		if err := d.Registry.DecodeDoc(r); err != nil {
			return err
		}
		row := resourceRow{ID: r.ID, Unique: text(r, k.Naming), Modified: r.Meta.LastModified, Inactive: r.Attrs["active"] == false}
		if k == users {
			row.Name, row.Mail = personName(r), email(r)
		}
		page.Rows = append(page.Rows, row)
	}
	if found.Next != nil {
		page.Next = page.link(found.Next.ID)
	}
	return c.show(http.StatusOK, "resources", page)
}

// link is the address of this list behind an id.
func (p resourcesPage) link(after string) string {
	v := url.Values{}
	for name, value := range map[string]string{"q": p.Search, "filter": p.Filter, "after": after} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return p.Root + "/" + p.Kind.Section + "?" + v.Encode()
}

// asked is the bound filter of a search for the beginning of a name together with a SCIM filter.
func asked(d *directory.Directory, k kind, search, filter string) (scim.Filter, error) {
	var parts []string
	if search != "" {
		parts = append(parts, "(userName sw "+quote(search)+" or displayName sw "+quote(search)+")")
		if k != users {
			parts[0] = "displayName sw " + quote(search)
		}
	}
	if filter != "" {
		if _, err := scim.ParseFilter(filter); err != nil { // alone, so that its errors speak of what was typed
			return nil, err
		}
		parts = append(parts, "("+filter+")")
	}
	if len(parts) == 0 {
		return nil, nil
	}
	f, err := scim.ParseFilter(strings.Join(parts, " and "))
	if err != nil {
		return nil, err
	}
	return d.Registry.Bind(k.Type, f)
}

// quote makes a string literal of a filter (RFC 7644 §3.4.2.2: as in JSON).
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(strings.ToValidUTF8(text, "")) + `"`
}
