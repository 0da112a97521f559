package console

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/provost-scim/provost/audit"
)

// auditPage shows the change log, newest first.
type auditPage struct {
	frame
	Types []string
	Type  string
	ID    string
	Rows  []eventRow
	Next  string
	First string
}

// auditTypes are the types of things that a change log speaks of.
var auditTypes = []string{"User", "Group", "Client", "Token", "Tenant", "Schema", "Administrator", "ServiceAccount"}

// listTenantEvents shows a tenant's log.
func listTenantEvents(c *call) error { return listEvents(c, c.tenant.ID, c.path("audit")) }

// listWholeEvents shows the log of what belongs to no tenant.
func listWholeEvents(c *call) error { return listEvents(c, 0, "/audit") }

func listEvents(c *call, tenant int64, where string) error {
	page := auditPage{frame: c.frame("Audit", "audit"), Types: auditTypes, Type: c.query("type"), ID: c.query("id")}
	before, _ := strconv.ParseInt(c.query("before"), 10, 64) // anything else begins at the newest
	events, err := c.Changes(tenant).RecentEvents(c.r.Context(), page.Type, page.ID, before, pageSize+1)
	if err != nil {
		return err
	}
	v := url.Values{"type": {page.Type}, "id": {page.ID}}
	if before > 0 {
		page.First = where + "?" + v.Encode()
	}
	if len(events) > pageSize {
		events = events[:pageSize]
		v.Set("before", strconv.FormatInt(events[pageSize-1].Seq, 10))
		page.Next = where + "?" + v.Encode()
	}
	page.Rows = describeEvents(events)
	return c.show(http.StatusOK, "audit", page)
}

// describeDiff takes a change apart, in the order of the attributes' names.
func describeDiff(diff audit.Diff) (out []changeRow) {
	for _, path := range slices.Sorted(maps.Keys(diff)) {
		v := diff[path]
		out = append(out, changeRow{path, plain(v.Before), plain(v.After), len(v.Added), len(v.Removed)})
	}
	return out
}

// plain is a value as short text.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return clip(v, 600)
	case bool, float64:
		return fmt.Sprint(v)
	}
	b, _ := json.Marshal(v) // it came from JSON
	return clip(string(b), 600)
}
