package directory

import (
	"context"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/scim"
)

// Deleted lists what can be restored, newest first.
func (d *Directory) Deleted(ctx context.Context, typ string, limit int) ([]Tombstone, error) {
	trash, ok := d.Store.(Trash)
	if !ok {
		return nil, &Error{Kind: Invalid, Msg: "this store keeps no deleted resources"}
	}
	return trash.Deleted(ctx, typ, limit)
}

// Restore takes a deleted resource out of the trash: the same id, its attributes and the memberships that still
// make sense. Conflict if its unique value has been taken since.
func (d *Directory) Restore(ctx context.Context, by Caller, typ, id string) (scim.Resource, error) {
	trash, ok := d.Store.(Trash)
	if !ok {
		return scim.Resource{}, &Error{Kind: Invalid, Msg: "this store keeps no deleted resources"}
	}
	rec, err := trash.Undelete(ctx, typ, id, audit.Event{Actor: by.Actor, Action: audit.Restore, Type: typ, ID: id})
	switch KindOf(err) {
	case NotFound:
		return scim.Resource{}, &Error{Kind: NotFound, Msg: typ + " " + scim.Quote(id) + " is not among the deleted: it was never there, was restored, or its retention has passed", Err: err}
	case Conflict:
		return scim.Resource{}, &Error{Kind: Conflict, Attr: attrOf(err), Msg: attrOf(err) + " of the deleted " + typ + " has been given to another since: rename that one first", Err: err}
	}
	return rec.Resource, err
}

func attrOf(err error) string {
	if e, ok := err.(*Error); ok {
		return e.Attr
	}
	return ""
}

// History returns at most limit events of the change log behind sequence number after, oldest first; empty typ
// and id mean everything.
func (d *Directory) History(ctx context.Context, typ, id string, after int64, limit int) ([]audit.Event, error) {
	h, ok := d.Store.(History)
	if !ok {
		return nil, &Error{Kind: Invalid, Msg: "this store keeps no history"}
	}
	return h.Events(ctx, typ, id, after, limit)
}
