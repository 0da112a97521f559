package store

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// The types that membership connects.
const (
	userType  = "User"
	groupType = "Group"
)

// How often and with which pauses a transaction is tried again after a serialization failure or deadlock.
const (
	maxAttempts = 12
	firstPause  = 2 * time.Millisecond
	lastPause   = 250 * time.Millisecond
)

// Tenant is the directory of one tenant. Within Tx it runs in that transaction and must not be used by several
// goroutines.
type Tenant struct {
	db *DB
	id int64
	tx *txState
}

// txState is what a transaction collects before it commits.
type txState struct {
	c      txConn
	counts map[countKey]int64 // changes of counters: applied last, so that their rows are locked briefly
	events int64              // events written so far
}

type countKey struct {
	tenant int64
	rtype  string
}

// Directory returns the store of a tenant's directory. It does not ask whether the tenant exists.
func (db *DB) Directory(id int64) *Tenant { return &Tenant{db: db, id: id} }

// Tx implements directory.Store. After an error of a call within fn the transaction can only be given up, unless
// that call was made in a Tx of its own.
func (t *Tenant) Tx(ctx context.Context, fn func(directory.Store) error) error {
	return t.within(ctx, func(t *Tenant) error { return fn(t) })
}

func (t *Tenant) within(ctx context.Context, fn func(*Tenant) error) error {
	if t.tx != nil {
		return t.savepoint(ctx, fn)
	}
	return t.db.transact(ctx, func(s *txState) error { return fn(&Tenant{db: t.db, id: t.id, tx: s}) })
}

// joined runs fn, which is short, in the transaction that there is, or in a new one.
func (t *Tenant) joined(ctx context.Context, fn func(*Tenant) error) error {
	if t.tx != nil {
		return fn(t)
	}
	return t.db.attempts(ctx, true, func(s *txState) error { return fn(&Tenant{db: t.db, id: t.id, tx: s}) })
}

func (t *Tenant) savepoint(ctx context.Context, fn func(*Tenant) error) error {
	s := t.tx
	if err := s.c.do(ctx, stmt{sql: "savepoint nested"}); err != nil {
		return t.db.fault(err)
	}
	counts := make(map[countKey]int64, len(s.counts))
	for k, n := range s.counts {
		counts[k] = n
	}
	if err := fn(t); err != nil {
		s.counts = counts
		// If one of these fails too, the whole transaction is lost and its commit says so. They are no batch:
		// nothing can be prepared before the first has run.
		ctx = context.WithoutCancel(ctx)
		if s.c.do(ctx, stmt{sql: "rollback to savepoint nested"}) == nil {
			_ = s.c.do(ctx, stmt{sql: "release savepoint nested"})
		}
		return err
	}
	return t.db.fault(s.c.do(ctx, stmt{sql: "release savepoint nested"}))
}

// transact runs fn in a transaction, again if the database asks for it.
func (db *DB) transact(ctx context.Context, fn func(*txState) error) error {
	return db.attempts(ctx, false, fn)
}

func (db *DB) attempts(ctx context.Context, short bool, fn func(*txState) error) error {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := db.attempt(ctx, short, fn)
		if err == nil || attempt == maxAttempts || !db.again(err) {
			return db.fault(err)
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause = min(2*pause, lastPause)
	}
}

// again says whether trying once more can help. A missing row that a foreign key wants was deleted between two
// statements.
func (db *DB) again(err error) bool {
	f := db.e.classify(err)
	return f == faultRetry || f == faultForeign
}

func (db *DB) attempt(ctx context.Context, short bool, fn func(*txState) error) error {
	c, err := db.e.begin(ctx, short)
	if err != nil {
		return err
	}
	defer c.rollback()
	s := &txState{c: c}
	if err := fn(s); err != nil {
		return err
	}
	if batch := s.countStmts(db.d); len(batch) > 0 {
		if err := c.do(ctx, batch...); err != nil {
			return err
		}
	}
	return c.commit(ctx)
}

func (s *txState) count(tenant int64, rtype string, n int64) {
	if s.counts == nil {
		s.counts = map[countKey]int64{}
	}
	s.counts[countKey{tenant, rtype}] += n
}

// countStmts are in one order for everybody, so that transactions cannot wait for each other in a circle.
func (s *txState) countStmts(d *dialect) []stmt {
	var batch []stmt
	for k, n := range s.counts {
		if n != 0 {
			batch = append(batch, countStmt(d, k, n))
		}
	}
	slices.SortFunc(batch, func(a, b stmt) int { return compareKeys(a.args, b.args) })
	return batch
}

func compareKeys(a, b []any) int {
	if x, y := a[0].(int64), b[0].(int64); x != y {
		if x < y {
			return -1
		}
		return 1
	}
	if x, y := a[1].(string), b[1].(string); x < y {
		return -1
	} else if x > y {
		return 1
	}
	return 0
}

func countStmt(d *dialect, k countKey, n int64) stmt {
	return stmt{
		sql: "insert into counter (tenant, rtype, slot, n) values ($1, $2, $3, $4)" +
			" on conflict (tenant, rtype, slot) do update set n = counter.n + excluded.n",
		args: []any{k.tenant, k.rtype, rand.IntN(d.slots), n},
	}
}

// do runs statements that read in the transaction, or on any connection.
func (t *Tenant) do(ctx context.Context, batch ...stmt) error {
	if t.tx != nil {
		return t.db.fault(t.tx.c.do(ctx, batch...))
	}
	c, done, err := t.db.e.reader(ctx, false)
	if err != nil {
		return t.db.fault(err)
	}
	defer done()
	return t.db.fault(c.do(ctx, batch...))
}

// Get implements directory.Store.
func (t *Tenant) Get(ctx context.Context, typ, id string, load directory.Load) (directory.Record, error) {
	rec := directory.Record{Resource: scim.Resource{Type: typ, ID: id}}
	if !storable(id) {
		return rec, notFound(typ, scim.Quote(id))
	}
	found := false
	var ext *string
	var created, modified int64
	groups, isMember := load.Groups && typ == userType, false
	q := "select external, created, modified, version, doc, " + memberFlag(groups) + " from resource r where tenant = $1 and rtype = $2 and id = $3"
	if load.Lock && t.tx != nil {
		q += t.db.d.lock()
	}
	batch := []stmt{{sql: q, args: []any{t.id, typ, id}, each: func(scan func(...any) error) error {
		found = true
		return scan(&ext, &created, &modified, &rec.Meta.Version, &rec.Doc, &isMember)
	}}}
	if load.Members && typ == groupType {
		rec.HasMembers = true
		batch = append(batch, t.membersStmt([]string{id}, func(_ string, m scim.Ref) { rec.Members = append(rec.Members, m) }))
	}
	if err := t.do(ctx, batch...); err != nil {
		return rec, err
	}
	if rec.HasGroups = groups; isMember {
		if err := t.do(ctx, t.groupsStmt([]string{id}, func(_ string, g scim.Ref) { rec.Groups = append(rec.Groups, g) })); err != nil {
			return rec, err
		}
	}
	if !found {
		return rec, notFound(typ, id)
	}
	rec.Meta.Created, rec.Meta.LastModified = time.UnixMilli(created).UTC(), time.UnixMilli(modified).UTC()
	return rec, setExternal(&rec, ext, load.Client)
}

// setExternal fills in the externalIds from the column that holds them.
func setExternal(rec *directory.Record, column *string, client string) error {
	if column == nil {
		return nil
	}
	if err := json.Unmarshal([]byte(*column), &rec.External); err != nil {
		return err
	}
	rec.ExternalID = rec.External[client]
	return nil
}
