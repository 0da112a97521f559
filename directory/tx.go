package directory

import "context"

// Tx runs fn with a Directory whose every call is part of one transaction, committed if fn returns nil. A Tx
// within a Tx is a savepoint. fn may run more than once.
func (d *Directory) Tx(ctx context.Context, fn func(*Directory) error) error {
	return d.Store.Tx(ctx, func(s Store) error {
		in := *d
		in.Store, in.within = s, true
		return fn(&in)
	})
}
