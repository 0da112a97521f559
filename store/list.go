package store

import (
	"context"

	"github.com/provost-scim/provost/scim"
)

// List implements directory.Store.
func (t *Tenant) List(ctx context.Context, q scim.Query) (scim.Page, error) {
	var p scim.Page
	for _, target := range q.Targets {
		n, err := t.count(ctx, target.Type)
		if err != nil {
			return p, err
		}
		p.Total += n
	}
	return p, nil
}

// count is the exact number of resources of a type.
func (t *Tenant) count(ctx context.Context, typ string) (n int, err error) {
	err = t.do(ctx, stmt{
		sql:  "select cast(coalesce(sum(n), 0) as bigint) from counter where tenant = $1 and rtype = $2",
		args: []any{t.id, typ},
		each: func(scan func(...any) error) error { return scan(&n) },
	})
	return n, err
}
