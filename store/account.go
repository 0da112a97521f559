package store

import (
	"context"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
)

// SaveAccount implements access.Accounts. The event stands in the log of the account's tenant, or of tenant 0.
func (db *DB) SaveAccount(ctx context.Context, a access.Account, e audit.Event) error {
	return db.save(ctx, a.Tenant, &e, stmt{
		sql: "insert into account (id, tenant, service, name, role, created, created_by, expires, disabled, hash, last_used)" +
			" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (id) do update set tenant = excluded.tenant," +
			" service = excluded.service, name = excluded.name, role = excluded.role, created = excluded.created," +
			" created_by = excluded.created_by, expires = excluded.expires, disabled = excluded.disabled, hash = excluded.hash," +
			" last_used = excluded.last_used",
		args: []any{a.ID, a.Tenant, flag(a.Service), a.Name, string(a.Role), micros(a.Created), a.CreatedBy, micros(a.Expires),
			flag(a.Disabled), a.Hash, micros(a.LastUsed)},
	})
}

const accountColumns = "select id, tenant, service, name, role, created, created_by, expires, disabled, hash, last_used from account"

func scanAccount(scan func(...any) error) (a access.Account, err error) {
	var service, disabled int
	var created, expires, used int64
	err = scan(&a.ID, &a.Tenant, &service, &a.Name, &a.Role, &created, &a.CreatedBy, &expires, &disabled, &a.Hash, &used)
	a.Service, a.Disabled = service != 0, disabled != 0
	a.Created, a.Expires, a.LastUsed = fromMicros(created), fromMicros(expires), fromMicros(used)
	return a, err
}

// Account implements access.Accounts.
func (db *DB) Account(ctx context.Context, id string) (access.Account, error) {
	if !storable(id) {
		return access.Account{}, access.ErrNotFound
	}
	return first(ctx, db, accountColumns+" where id = $1", []any{id}, scanAccount)
}

// AccountList implements access.Accounts; the list is by kind and name.
func (db *DB) AccountList(ctx context.Context) ([]access.Account, error) {
	return collect(ctx, db, accountColumns+" order by service, name", nil, scanAccount)
}

// DeleteAccount implements access.Accounts.
func (db *DB) DeleteAccount(ctx context.Context, id string, e audit.Event) error {
	err := db.transact(ctx, func(s *txState) error {
		var tenant int64
		found, err := one(ctx, s.c, "delete from account where id = $1 returning tenant", []any{id}, &tenant)
		if err != nil {
			return err
		}
		if !found {
			return access.ErrNotFound
		}
		return s.c.do(ctx, db.eventStmt(s, tenant, db.now().UnixMicro(), e))
	})
	return db.fault(err)
}
