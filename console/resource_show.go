package console

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// Limits of the page of one resource.
const (
	shownRefs   = 200 // members or groups
	shownEvents = 50
)

// resourcePage shows a user or a group.
type resourcePage struct {
	frame
	Kind       kind
	R          scim.Resource
	Name       string
	Inactive   bool
	Attributes []attributeRow
	Refs       []scim.Ref
	RefCount   int
	History    []eventRow
	Raw        string
}

func showResource(c *call, k kind) error {
	d, r, err := c.find(k, directory.Want{Members: k == groups, Groups: k == users})
	if err != nil {
		return err
	}
	name := text(&r, k.Naming)
	page := resourcePage{frame: c.frame(name, k.Section), Kind: k, R: r, Name: name, Inactive: r.Attrs["active"] == false,
		Attributes: attributeRows("", r.Attrs), Refs: r.Groups}
	if k == groups {
		page.Refs = r.Members
	}
	page.RefCount = len(page.Refs)
	page.Refs = page.Refs[:min(shownRefs, page.RefCount)]
	r.Members, r.Groups = r.Members[:min(shownRefs, len(r.Members))], r.Groups[:min(shownRefs, len(r.Groups))]
	var raw bytes.Buffer
	if err := json.Indent(&raw, d.Registry.Append(nil, &r, nil, c.scimBase(c.r, c.tenant)), "", "  "); err != nil {
		return err
	}
	page.Raw = raw.String()
	events, err := c.Changes(c.tenant.ID).RecentEvents(c.r.Context(), k.Type, r.ID, 0, shownEvents)
	if err != nil {
		return err
	}
	page.History = describeEvents(events)
	return c.show(http.StatusOK, "resource", page)
}

// eventRow is an event with its change taken apart.
type eventRow struct {
	audit.Event
	Changes []changeRow
}

// changeRow is one changed attribute.
type changeRow struct {
	Path, Before, After string
	Added, Removed      int // members
}

func describeEvents(events []audit.Event) []eventRow {
	out := make([]eventRow, 0, len(events))
	for _, e := range events {
		row := eventRow{Event: e}
		var diff audit.Diff
		if len(e.Change) > 0 && json.Unmarshal(e.Change, &diff) == nil {
			row.Changes = describeDiff(diff)
		}
		out = append(out, row)
	}
	return out
}
