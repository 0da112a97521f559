package store

import (
	"context"

	"github.com/provost-scim/provost/audit"
)

// SaveSchemas stores a tenant's own schemas and resource types, as JSON, as a new version with its event. All
// versions are kept.
func (db *DB) SaveSchemas(ctx context.Context, tenant int64, definition []byte, e audit.Event) (version int, err error) {
	err = db.transact(ctx, func(s *txState) error {
		now := db.now().UnixMicro()
		_, err := one(ctx, s.c, "insert into schema_version (tenant, version, at, definition)"+
			" values ($1, (select coalesce(max(version), 0) + 1 from schema_version where tenant = $2), $3, $4) returning version",
			[]any{tenant, tenant, now, string(definition)}, &version)
		if err != nil {
			return err
		}
		e.Version = int64(version)
		return s.c.do(ctx, db.eventStmt(s, tenant, now, e))
	})
	return version, db.taken(err)
}

// Schemas returns the newest definition that was saved for a tenant; nil and 0 if there is none.
func (db *DB) Schemas(ctx context.Context, tenant int64) (definition []byte, version int, err error) {
	_, err = db.queryOne(ctx, "select definition, version from schema_version where tenant = $1 order by version desc limit 1",
		[]any{tenant}, &definition, &version)
	return definition, version, err
}
