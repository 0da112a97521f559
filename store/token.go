package store

import (
	"context"
	"slices"
	"strings"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
)

// SaveToken implements access.Tokens. What is recorded of the last use is not touched when a token is replaced.
func (db *DB) SaveToken(ctx context.Context, t access.Token, e *audit.Event) error {
	return db.save(ctx, t.Tenant, e, stmt{
		sql: "insert into token (id, tenant, client, kind, hash, hint, created, created_by, expires, revoked, last_used, last_addr, last_agent)" +
			" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (id) do update set tenant = excluded.tenant," +
			" client = excluded.client, kind = excluded.kind, hash = excluded.hash, hint = excluded.hint, created = excluded.created," +
			" created_by = excluded.created_by, expires = excluded.expires, revoked = excluded.revoked",
		args: []any{t.ID, t.Tenant, t.Client, string(t.Kind), t.Hash, t.Hint, micros(t.Created), t.CreatedBy, micros(t.Expires), micros(t.Revoked),
			micros(t.LastUsed), clean(t.LastAddr), clean(t.LastAgent)},
	})
}

const tokenColumns = "select id, tenant, client, kind, hash, hint, created, created_by, expires, revoked, last_used, last_addr, last_agent from token"

func scanToken(scan func(...any) error) (t access.Token, err error) {
	var created, expires, revoked, used int64
	err = scan(&t.ID, &t.Tenant, &t.Client, &t.Kind, &t.Hash, &t.Hint, &created, &t.CreatedBy, &expires, &revoked, &used, &t.LastAddr, &t.LastAgent)
	t.Created, t.Expires, t.Revoked, t.LastUsed = fromMicros(created), fromMicros(expires), fromMicros(revoked), fromMicros(used)
	return t, err
}

// Token implements access.Tokens.
func (db *DB) Token(ctx context.Context, id string) (access.Token, error) {
	if !storable(id) {
		return access.Token{}, access.ErrNotFound
	}
	return first(ctx, db, tokenColumns+" where id = $1", []any{id}, scanToken)
}

// TokenList implements access.Tokens.
func (db *DB) TokenList(ctx context.Context, tenant int64, client string) ([]access.Token, error) {
	return collect(ctx, db, tokenColumns+" where tenant = $1 and client = $2 and kind <> 'issued' order by created desc, id desc",
		[]any{tenant, client}, scanToken)
}

// TouchTokens implements access.Tokens. A token that is unknown by now is passed over.
func (db *DB) TouchTokens(ctx context.Context, used []access.Use) error {
	used = slices.Clone(used)
	// In one order for everybody, so that two nodes cannot wait for each other in a circle.
	slices.SortStableFunc(used, func(a, b access.Use) int { return strings.Compare(a.Token, b.Token) })
	var batch []stmt
	for _, u := range used {
		if storable(u.Token) {
			at := micros(u.At)
			batch = append(batch, stmt{
				sql:  "update token set last_used = $1, last_addr = $2, last_agent = $3 where id = $4 and last_used < $5",
				args: []any{at, clean(u.Addr), clean(u.Agent), u.Token, at},
			})
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return db.transact(ctx, func(s *txState) error { return s.c.do(ctx, batch...) })
}
