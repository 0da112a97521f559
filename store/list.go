package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/provost-scim/provost/scim"
)

// List implements directory.Store.
func (t *Tenant) List(ctx context.Context, q scim.Query) (scim.Page, error) {
	var p scim.Page
	l := &lister{t: t, q: q, members: map[string]bool{}}
	if q.Count > 0 {
		if err := l.page(ctx, &p); err != nil {
			return p, err
		}
	}
	if q.Total {
		if err := l.total(ctx, &p); err != nil {
			return p, err
		}
	}
	if err := l.relations(ctx, &p); err != nil {
		return p, err
	}
	return p, nil
}

// lister executes one query.
type lister struct {
	t       *Tenant
	q       scim.Query
	members map[string]bool // ids of users that are members of a group
}

// limit is one more than asked for. SQLite plans a statement anew each time that the limit is given a value,
// unless it is an expression.
func (l *lister) limit(a *args) string { return a.add(l.q.Count+1) + " + 0" }

// columns are what scan reads.
func (l *lister) columns() string {
	return "r.rtype, r.id, r.external, r.created, r.modified, r.version, r.doc, " + memberFlag(l.q.Groups) + " as f"
}

// page reads one resource more than asked for, to know whether another page follows.
func (l *lister) page(ctx context.Context, p *scim.Page) error {
	a, sql, seeks, key := l.pageSQL()
	var keys []scim.Key
	err := l.run(ctx, seeks, stmt{sql: sql, args: a.list, each: func(scan func(...any) error) error {
		r, k, err := l.scan(scan, key)
		p.Resources, keys = append(p.Resources, r), append(keys, k)
		return err
	}})
	if err != nil {
		return err
	}
	if len(p.Resources) > l.q.Count {
		p.Resources = p.Resources[:l.q.Count]
		p.Next = &keys[l.q.Count-1]
	}
	return nil
}

// pageSQL makes the statement for a page; key is nil if the order is that of ids.
func (l *lister) pageSQL() (a *args, sql string, seeks bool, key *sortKey) {
	a = &args{}
	a.add(l.t.id)
	key = l.sortKey()
	if key == nil && l.q.Offset > 0 && len(l.q.Targets) == 1 && l.q.Targets[0].Filter == nil {
		return a, l.skipSQL(a), true, nil
	}
	if sql, args := l.hitsSQL(key); args != nil {
		return args, sql, true, nil
	}
	seeks = key == nil
	for i, target := range l.q.Targets {
		c := l.compiler(target, a)
		cond, seek := c.condition(target.Filter)
		if target.Filter != nil {
			seeks = seek && (seeks || i == 0)
		}
		if i > 0 {
			sql += " union all "
		}
		k := ""
		if key != nil {
			k = ", " + key.expr(c) + " as k"
		}
		sql += "select " + l.columns() + k + " from resource r where r.tenant = $1 and r.rtype = " + c.rt + " and " + cond
		if key == nil && l.q.After != nil {
			sql += " and r.id " + map[bool]string{false: ">", true: "<"}[l.q.Descending] + " " + c.text(l.q.After.ID)
		}
	}
	switch {
	case key != nil:
		sql = "select r.*, " + key.shown(l.t.db.d) + " from (" + sql + ") r" + key.after(l.t.db.d, a, l.q) + " order by " + key.order(l.q.Descending)
	case len(l.q.Targets) > 1:
		sql = "select * from (" + sql + ") r order by " + l.byID()
	default:
		sql += " order by " + l.byID()
	}
	return a, sql + " limit " + l.limit(a) + " offset " + a.add(l.q.Offset), seeks, key
}

func (l *lister) byID() string {
	if l.q.Descending {
		return "r.id desc"
	}
	return "r.id"
}

// skipSQL skips on the index alone and reads the documents of the page only.
func (l *lister) skipSQL(a *args) string {
	rt := a.add(l.q.Targets[0].Type)
	return "select " + l.columns() + " from (select r.id from resource r where r.tenant = $1 and r.rtype = " + rt + " order by " + l.byID() +
		" limit " + l.limit(a) + " offset " + a.add(l.q.Offset) + ") i" + l.documents(rt)
}

// hitsSQL is for a filter that one value of an indexed attribute decides: it reads the ids of the page off the
// index, where they stand in order, and then their documents. Asked for both at once, the planner of PostgreSQL
// may read the tenant in order of ids and ask the index about each, above all while it has no statistics, and
// SQLite makes a table of the ids first. It returns no arguments if the query is another one.
func (l *lister) hitsSQL(key *sortKey) (string, *args) {
	if key != nil || len(l.q.Targets) != 1 || l.q.Targets[0].Filter == nil {
		return "", nil
	}
	a := &args{}
	a.add(l.t.id)
	c := l.compiler(l.q.Targets[0], a)
	cl := c.clause(l.q.Targets[0].Filter)
	if cl.set == nil || cl.rank != rankEq || cl.recheck {
		return "", nil
	}
	if cl.single != nil && l.q.After == nil {
		return "select " + l.columns() + " from resource r where r.tenant = $1 and r.rtype = " + c.rt + " and " + cl.single() +
			" limit " + l.limit(a) + " offset " + a.add(l.q.Offset), a
	}
	ids := "select distinct s.id from (" + cl.set() + ") s"
	if l.q.After != nil {
		ids += " where s.id " + map[bool]string{false: ">", true: "<"}[l.q.Descending] + " " + c.text(l.q.After.ID)
	}
	order := map[bool]string{false: "", true: " desc"}[l.q.Descending]
	ids += " order by s.id" + order + " limit " + l.limit(a) + " offset " + a.add(l.q.Offset)
	return "select " + l.columns() + " from (" + ids + ") i" + l.documents(c.rt), a
}

// documents reads the rows of the ids i, in their order.
func (l *lister) documents(rt string) string {
	return l.t.db.d.lookup("resource", "r", "r.tenant = $1 and r.rtype = "+rt+" and r.id = i.id") + " order by i" + l.byID()[1:]
}

func (l *lister) compiler(target scim.Target, a *args) *compiler {
	c := &compiler{d: l.t.db.d, rtype: target.Type, client: l.q.Client, a: a}
	c.rt = c.text(target.Type)
	return c
}

func (l *lister) scan(scan func(...any) error, key *sortKey) (scim.Resource, scim.Key, error) {
	var r scim.Resource
	var ext *string
	var created, modified int64
	var shown any
	var isMember bool
	dest := []any{&r.Type, &r.ID, &ext, &created, &modified, &r.Meta.Version, &r.Doc, &isMember}
	if key != nil {
		var k any
		dest = append(dest, &k, &shown)
	}
	if err := scan(dest...); err != nil {
		return r, scim.Key{}, err
	}
	if isMember {
		l.members[r.ID] = true
	}
	r.Meta.Created, r.Meta.LastModified = time.UnixMilli(created).UTC(), time.UnixMilli(modified).UTC()
	if ext != nil && l.q.Client != "" {
		var all map[string]string
		if err := json.Unmarshal([]byte(*ext), &all); err != nil {
			return r, scim.Key{}, err
		}
		r.ExternalID = all[l.q.Client]
	}
	k := scim.Key{ID: r.ID}
	if key != nil {
		k.Sort, k.Missing = keyText(shown)
	}
	return r, k, nil
}

// run executes a read; one that does not seek gets a connection for scans and a limit on time.
func (l *lister) run(ctx context.Context, seeks bool, s stmt) error {
	if seeks {
		return l.t.do(ctx, s)
	}
	ctx, cancel := context.WithTimeout(ctx, l.t.db.timeout)
	defer cancel()
	if l.t.tx != nil {
		return l.t.do(ctx, s)
	}
	c, done, err := l.t.db.e.reader(ctx, true)
	if err != nil {
		return l.t.db.fault(err)
	}
	defer done()
	return l.t.db.fault(c.do(ctx, s))
}

// total counts what the query matches, without reading more than it must.
func (l *lister) total(ctx context.Context, p *scim.Page) error {
	if n := len(p.Resources); l.q.After == nil && p.Next == nil && l.q.Count > 0 && (n > 0 || l.q.Offset == 0) {
		p.Total = l.q.Offset + n
		return nil
	}
	for _, target := range l.q.Targets {
		n, err := l.count(ctx, target)
		if err != nil {
			return err
		}
		p.Total += n
	}
	return nil
}

func (l *lister) count(ctx context.Context, target scim.Target) (n int, err error) {
	each := func(scan func(...any) error) error { return scan(&n) }
	if target.Filter == nil {
		return n, l.t.do(ctx, stmt{
			sql:  "select cast(coalesce(sum(n), 0) as bigint) from counter where tenant = $1 and rtype = $2",
			args: []any{l.t.id, target.Type}, each: each,
		})
	}
	a := &args{}
	a.add(l.t.id)
	c := l.compiler(target, a)
	cond, seeks := c.condition(target.Filter)
	return n, l.run(ctx, seeks, stmt{sql: "select count(*) from resource r where r.tenant = $1 and r.rtype = " + c.rt + " and " + cond,
		args: a.list, each: each})
}

// relations loads the members of the groups and the groups of the users of a page, each with one query.
func (l *lister) relations(ctx context.Context, p *scim.Page) error {
	at := map[string]*scim.Resource{}
	var users, groups []string
	for i := range p.Resources {
		r := &p.Resources[i]
		switch {
		case r.Type == userType && l.q.Groups:
			r.HasGroups = true
			if !l.members[r.ID] {
				continue
			}
			users = append(users, r.ID)
		case r.Type == groupType && l.q.Members:
			r.HasMembers = true
			groups = append(groups, r.ID)
		default:
			continue
		}
		at[r.ID] = r
	}
	var batch []stmt
	if len(users) > 0 {
		batch = append(batch, l.t.groupsStmt(users, func(id string, g scim.Ref) { at[id].Groups = append(at[id].Groups, g) }))
	}
	if len(groups) > 0 {
		batch = append(batch, l.t.membersStmt(groups, func(id string, m scim.Ref) { at[id].Members = append(at[id].Members, m) }))
	}
	if len(batch) == 0 {
		return nil
	}
	return l.t.do(ctx, batch...)
}
