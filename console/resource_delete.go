package console

import (
	"net/http"

	"github.com/provost-scim/provost/directory"
)

// deletedPage lists what can be restored.
type deletedPage struct {
	frame
	Kind kind
	Rows []directory.Tombstone
	Most int
}

const deletedSize = 200

func listDeleted(c *call, k kind) error {
	d, err := c.directory()
	if err != nil {
		return err
	}
	page := deletedPage{frame: c.frame("Deleted "+k.Section, k.Section), Kind: k, Most: deletedSize}
	if page.Rows, err = d.Deleted(c.r.Context(), k.Type, deletedSize); err != nil {
		return err
	}
	return c.show(http.StatusOK, "deleted", page)
}

// restoreResource puts a deleted one back.
func restoreResource(c *call, k kind) error {
	d, err := c.directory()
	if err != nil {
		return err
	}
	id := c.r.PathValue("id")
	if _, err := d.Restore(c.r.Context(), c.caller(), k.Type, id); err != nil {
		return c.refused(c.path(k.Section, "deleted"), err)
	}
	return c.done(c.path(k.Section, id), "The "+k.Noun+" is back under its id, with the memberships that still make sense.")
}

// deleteResource moves one into the trash.
func deleteResource(c *call, k kind) error {
	d, err := c.directory()
	if err != nil {
		return err
	}
	id := c.r.PathValue("id")
	err = d.Delete(c.r.Context(), c.caller(), k.Type, id, directory.Condition{})
	if err != nil {
		return c.refused(c.path(k.Section, id), err)
	}
	return c.done(c.path(k.Section, "deleted"), "The "+k.Noun+" is deleted. It can be restored from this list.")
}
