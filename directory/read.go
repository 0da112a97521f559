package directory

import (
	"context"

	"github.com/provost-scim/provost/scim"
)

// Get returns one resource (RFC 7644 §3.4.1); NotFound if this tenant has none of that type and id.
func (d *Directory) Get(ctx context.Context, by Caller, typ, id string, want Want) (scim.Resource, error) {
	rec, err := d.Store.Get(ctx, typ, id, Load{Client: by.Client, Members: want.Members, Groups: want.Groups})
	if err != nil {
		return scim.Resource{}, explain(err, typ, id)
	}
	return rec.Resource, nil
}

// List executes a query whose filters are bound (RFC 7644 §3.4.2).
func (d *Directory) List(ctx context.Context, by Caller, q scim.Query) (scim.Page, error) {
	q.Client = by.Client
	return d.Store.List(ctx, q)
}

// explain gives a NotFound of the store the message that a client reads.
func explain(err error, typ, id string) error {
	if KindOf(err) == NotFound {
		return &Error{Kind: NotFound, Msg: typ + " " + scim.Quote(id) + " does not exist", Err: err}
	}
	return err
}
