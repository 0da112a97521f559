package console

import (
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// activate and deactivate change whether a user is active; id and memberships stay.
func activate(c *call, k kind) error   { return setActive(c, k, true) }
func deactivate(c *call, k kind) error { return setActive(c, k, false) }

func setActive(c *call, k kind, active bool) error {
	d, err := c.directory()
	if err != nil {
		return err
	}
	id := c.r.PathValue("id")
	where := c.path(k.Section, id)
	res, err := d.Patch(c.r.Context(), c.caller(), k.Type, id, []scim.Op{{Op: "replace", Path: "active", Value: active}}, directory.Condition{}, directory.Want{})
	if err != nil {
		return c.refused(where, err)
	}
	notice := map[bool]string{true: "The user is active.", false: "The user is inactive: still readable, and still a member of its groups."}[active]
	if !res.Changed {
		notice = "Nothing to do: it was so already."
	}
	return c.done(where, notice)
}
