package store

import (
	"context"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
)

// SaveClient implements access.Clients.
func (db *DB) SaveClient(ctx context.Context, c access.Client, e audit.Event) error {
	return db.save(ctx, c.Tenant, &e, stmt{
		sql: "insert into client (tenant, id, name, profile, me, rate, burst, concurrent, created, created_by, revoked)" +
			" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (tenant, id) do update set name = excluded.name," +
			" profile = excluded.profile, me = excluded.me, rate = excluded.rate, burst = excluded.burst," +
			" concurrent = excluded.concurrent, created = excluded.created, created_by = excluded.created_by, revoked = excluded.revoked",
		args: []any{c.Tenant, c.ID, c.Name, string(c.Profile), c.User, c.Rate, c.Burst, c.Concurrent, micros(c.Created), c.CreatedBy, micros(c.Revoked)},
	})
}

const clientColumns = "select tenant, id, name, profile, me, rate, burst, concurrent, created, created_by, revoked from client where tenant = $1"

func scanClient(scan func(...any) error) (c access.Client, err error) {
	var created, revoked int64
	err = scan(&c.Tenant, &c.ID, &c.Name, &c.Profile, &c.User, &c.Rate, &c.Burst, &c.Concurrent, &created, &c.CreatedBy, &revoked)
	c.Created, c.Revoked = fromMicros(created), fromMicros(revoked)
	return c, err
}

// Client implements access.Clients.
func (db *DB) Client(ctx context.Context, tenant int64, id string) (access.Client, error) {
	if !storable(id) {
		return access.Client{}, access.ErrNotFound
	}
	return first(ctx, db, clientColumns+" and id = $2", []any{tenant, id}, scanClient)
}

// ClientList implements access.Clients; the list is by name.
func (db *DB) ClientList(ctx context.Context, tenant int64) ([]access.Client, error) {
	return collect(ctx, db, clientColumns+" order by name", []any{tenant}, scanClient)
}
