package store

import (
	"context"
	"strings"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// Insert implements directory.Store. Outside a Tx it is one round trip.
func (t *Tenant) Insert(ctx context.Context, w directory.Write) error {
	var s txState
	if t.tx != nil {
		s = txState{events: t.tx.events}
	}
	batch := []stmt{t.insertStmt(row(w))}
	batch = t.attrStmts(batch, w.Record.Type, w.Record.ID, w.Index)
	batch = t.eventStmts(batch, &s, w.Events)
	if t.tx == nil {
		batch = append(batch, countStmt(t.db.d, countKey{t.id, w.Record.Type}, 1))
		return t.conflict(t.db.e.once(ctx, batch...), w.Unique)
	}
	t.tx.events = s.events
	t.tx.count(t.id, w.Record.Type, 1)
	return t.conflict(t.tx.c.do(ctx, batch...), w.Unique)
}

// conflict names the attribute whose value is taken.
func (t *Tenant) conflict(err error, unique map[string]string) error {
	switch {
	case err == nil:
		return nil
	case t.db.e.classify(err) == faultUnique:
		e := &directory.Error{Kind: directory.Conflict, Msg: "the value is taken", Err: err}
		for name, value := range unique {
			e.Attr, e.Msg = name, name+" "+scim.Quote(value)+" is taken"
		}
		return e
	case t.db.e.classify(err) == faultPrimary:
		return &directory.Error{Kind: directory.Conflict, Attr: "id", Msg: "the id is taken", Err: err}
	}
	return t.db.fault(err)
}

// resourceRow is a row of the table resource; trash keeps the same columns.
type resourceRow struct {
	typ, id           string
	uniq              *string
	display           string
	active            bool
	external          *string
	created, modified int64
	version           int64
	doc               []byte
}

func row(w directory.Write) resourceRow {
	r := resourceRow{typ: w.Record.Type, id: w.Record.ID, display: w.Display, active: w.Active,
		created: w.Record.Meta.Created.UnixMilli(), modified: w.Record.Meta.LastModified.UnixMilli(),
		version: w.Record.Meta.Version, doc: w.Record.Doc}
	for _, value := range w.Unique {
		r.uniq = &value
	}
	if len(w.Record.External) > 0 {
		ext := jsonText(w.Record.External)
		r.external = &ext
	}
	return r
}

func (t *Tenant) insertStmt(r resourceRow) stmt {
	return stmt{
		sql: "insert into resource (tenant, rtype, id, uniq, display, active, external, created, modified, version, doc)" +
			" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
		args: []any{t.id, r.typ, r.id, r.uniq, r.display, flag(r.active), r.external, r.created, r.modified, r.version, string(r.doc)},
	}
}

// Update implements directory.Store. Outside a Tx it is one round trip, unless it fails.
func (t *Tenant) Update(ctx context.Context, w directory.Write) error {
	if t.tx == nil && t.db.d.postgres {
		return t.updateOnce(ctx, w)
	}
	return t.joined(ctx, func(t *Tenant) error { return t.update(ctx, w) })
}

func (t *Tenant) update(ctx context.Context, w directory.Write) error {
	var n int64
	up := t.updateStmt(w)
	up.n = &n
	if err := t.tx.c.do(ctx, up); err != nil {
		return t.conflict(err, w.Unique)
	}
	if n == 0 {
		return t.missed(ctx, w.Record.Type, w.Record.ID)
	}
	batch, err := t.reindexStmts(ctx, w)
	if err != nil {
		return err
	}
	if batch = t.eventStmts(batch, t.tx, w.Events); len(batch) == 0 {
		return nil
	}
	return t.db.fault(t.tx.c.do(ctx, batch...))
}

// updateOnce is for PostgreSQL: the guard makes the whole batch fail if the version is another one.
func (t *Tenant) updateOnce(ctx context.Context, w directory.Write) error {
	up := t.updateStmt(w)
	up.sql = t.db.d.guard(up.sql)
	batch, err := t.reindexStmts(ctx, w)
	if err != nil {
		return err
	}
	batch = t.eventStmts(append([]stmt{up}, batch...), &txState{}, w.Events)
	for range maxAttempts {
		if err = t.db.e.once(ctx, batch...); err == nil || !t.db.again(err) {
			break
		}
	}
	if err != nil && t.db.e.classify(err) == faultGuard {
		return t.missed(ctx, w.Record.Type, w.Record.ID)
	}
	return t.conflict(err, w.Unique)
}

func (t *Tenant) updateStmt(w directory.Write) stmt {
	r := row(w)
	return stmt{
		sql: "update resource set uniq = $1, display = $2, active = $3, external = $4, modified = $5, version = $6, doc = $7" +
			" where tenant = $8 and rtype = $9 and id = $10 and version = $11",
		args: []any{r.uniq, r.display, flag(r.active), r.external, r.modified, r.version, string(r.doc), t.id, r.typ, r.id, w.Expect},
	}
}

// missed says why an update found no row.
func (t *Tenant) missed(ctx context.Context, typ, id string) error {
	exists := false
	err := t.do(ctx, stmt{sql: "select version from resource where tenant = $1 and rtype = $2 and id = $3", args: []any{t.id, typ, id},
		each: func(scan func(...any) error) error { exists = true; var v int64; return scan(&v) }})
	if err != nil {
		return err
	}
	if !exists {
		return notFound(typ, id)
	}
	return stale(typ, id)
}

func stale(typ, id string) error {
	return &directory.Error{Kind: directory.Stale, Msg: typ + " " + id + " has another version"}
}

// eventStmts adds the entries of the change log.
func (t *Tenant) eventStmts(batch []stmt, s *txState, events []audit.Event) []stmt {
	now := t.db.now().UnixMicro()
	for _, e := range events {
		batch = append(batch, t.db.eventStmt(s, t.id, now, e))
	}
	return batch
}

func (db *DB) eventStmt(s *txState, tenant, now int64, e audit.Event) stmt {
	ordinal := s.events
	if !db.d.postgres {
		ordinal = 0 // each statement sees the rows of the ones before it
	}
	s.events++
	var diff *string
	if len(e.Change) > 0 {
		text := string(e.Change)
		diff = &text
	}
	return stmt{
		sql: "insert into change (tenant, seq, at, actor_kind, actor_id, actor_name, request, action, rtype, rid, name, version, diff)" +
			" values ($1, " + db.d.seq("$1", "$2") + ", $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
		args: []any{tenant, ordinal, now, e.Actor.Kind, e.Actor.ID, clean(e.Actor.Name), clean(e.Actor.Request), e.Action, e.Type, e.ID,
			clean(e.Name), e.Version, diff},
	}
}

// attrRows is how many rows of the search index one INSERT of SQLite takes: each number of rows is a statement
// of its own that stays prepared.
const attrRows = 16

// attrStmts adds rows to the search index.
func (t *Tenant) attrStmts(batch []stmt, typ, id string, index []scim.IndexRow) []stmt {
	if len(index) == 0 {
		return batch
	}
	if t.db.d.postgres {
		p, v, e, y := columns(index)
		return append(batch, stmt{
			sql: "insert into attr (tenant, rtype, path, val, id, elem, typ) select $1::bigint, $2::text, x.p, x.v, $3::text, x.e, x.y" +
				" from unnest($4::text[], $5::text[], $6::int[], $7::text[]) as x (p, v, e, y) on conflict do nothing",
			args: []any{t.id, typ, id, p, v, e, y},
		})
	}
	for len(index) > 0 {
		n := min(len(index), attrRows)
		a := args{list: make([]any, 0, 7*n)}
		var b strings.Builder
		b.WriteString("insert into attr (tenant, rtype, path, val, id, elem, typ) values ")
		for i, x := range index[:n] {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString("(" + a.add(t.id) + "," + a.add(typ) + "," + a.add(x.Path) + "," + a.add(x.Value) + "," +
				a.add(id) + "," + a.add(x.Elem) + "," + a.add(x.Type) + ")")
		}
		b.WriteString(" on conflict do nothing")
		batch = append(batch, stmt{sql: b.String(), args: a.list})
		index = index[n:]
	}
	return batch
}

func columns(index []scim.IndexRow) (p, v []string, e []int32, y []string) {
	p, v, e, y = make([]string, len(index)), make([]string, len(index)), make([]int32, len(index)), make([]string, len(index))
	for i, x := range index {
		p[i], v[i], e[i], y[i] = x.Path, x.Value, int32(x.Elem), x.Type
	}
	return p, v, e, y
}

// reindexStmts makes the search index what w says and touches only the rows that differ: most changes of a
// resource change nothing that is indexed.
func (t *Tenant) reindexStmts(ctx context.Context, w directory.Write) ([]stmt, error) {
	typ, id := w.Record.Type, w.Record.ID
	if t.db.d.postgres && w.Was == nil {
		p, v, e, y := columns(w.Index)
		return t.attrStmts([]stmt{{
			sql: "delete from attr where tenant = $1 and id = $2 and rtype = $3 and not exists (select 1" +
				" from unnest($4::text[], $5::text[], $6::int[], $7::text[]) as x (p, v, e, y)" +
				" where x.p = path and x.v = val and x.e = elem and x.y = typ)",
			args: []any{t.id, id, typ, p, v, e, y},
		}}, typ, id, w.Index), nil
	}
	stored := map[scim.IndexRow]bool{}
	for _, x := range w.Was {
		stored[x] = true
	}
	if w.Was == nil {
		err := t.tx.c.do(ctx, t.indexStmt(typ, id, func(x scim.IndexRow) { stored[x] = true }))
		if err != nil {
			return nil, t.db.fault(err)
		}
	}
	var fresh []scim.IndexRow
	for _, x := range w.Index {
		if !stored[x] {
			fresh = append(fresh, x)
		}
		delete(stored, x)
	}
	var batch []stmt
	for x := range stored {
		batch = append(batch, stmt{
			sql:  "delete from attr where tenant = $1 and rtype = $2 and path = $3 and val = $4 and id = $5 and elem = $6",
			args: []any{t.id, typ, x.Path, x.Value, id, x.Elem},
		})
	}
	return t.attrStmts(batch, typ, id, fresh), nil
}

// indexStmt reads the search index of one resource.
func (t *Tenant) indexStmt(typ, id string, to func(scim.IndexRow)) stmt {
	return stmt{sql: "select path, val, elem, typ from attr where " + t.db.d.ofResource("attr", "$1", "$3", "$2"), args: []any{t.id, id, typ},
		each: func(scan func(...any) error) error {
			var x scim.IndexRow
			if err := scan(&x.Path, &x.Value, &x.Elem, &x.Type); err != nil {
				return err
			}
			to(x)
			return nil
		}}
}
