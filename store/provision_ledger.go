package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/source"
)

// itemColumns are what a provision.Item is made of, from a row of keys x (okey, kind) with d its dirty row.
const itemColumns = "select %s, coalesce(d.reason, ''), coalesce(d.attempts, 0), coalesce(d.retry, 0), coalesce(d.problem, '')," +
	" m.kind, m.name, m.attrs, l.kind, l.target, l.state, l.provenance, l.doc, l.since, l.changed, l.expires, l.version," +
	" j.verb, j.target, j.doc, j.looked, g.verb, g.target, g.doc from "

const itemJoins = " left join mirror m on m.channel = d.channel and m.okey = d.okey" +
	" left join link l on l.channel = d.channel and l.okey = d.okey" +
	" left join journal j on j.channel = d.channel and j.okey = d.okey and j.part = ''" +
	" left join journal g on g.channel = d.channel and g.okey = d.okey and g.part = 'members'"

// Work implements provision.Ledger.
func (db *DB) Work(ctx context.Context, channel int64, kind source.Kind, after string, limit int, early bool) ([]provision.Item, error) {
	due := ""
	a := args{}
	where := " where d.channel = " + a.add(channel) + " and d.kind = " + a.add(string(kind)) + " and d.okey > " + a.add(after)
	if !early {
		due = " and d.retry <= " + a.add(db.now().UnixMicro())
	}
	sql := sprintItem("d.okey, d.kind") + "dirty d" + itemJoins + where + due + " order by d.okey limit " + a.add(limit)
	items, err := collect(ctx, db, sql, a.list, scanItem)
	if err != nil {
		return nil, err
	}
	return items, db.addHeld(ctx, channel, items)
}

// Item implements provision.Ledger.
func (db *DB) Item(ctx context.Context, channel int64, key string) (provision.Item, error) {
	if !storable(key) {
		return provision.Item{}, provision.ErrNotFound
	}
	sql := sprintItem("k.okey, coalesce(m.kind, l.kind, d.kind, '')") + "(select cast($1 as bigint) as channel, cast($2 as text) as okey) k" +
		" left join dirty d on d.channel = k.channel and d.okey = k.okey left join mirror m on m.channel = k.channel and m.okey = k.okey" +
		" left join link l on l.channel = k.channel and l.okey = k.okey left join journal j on j.channel = k.channel and j.okey = k.okey and j.part = ''" +
		" left join journal g on g.channel = k.channel and g.okey = k.okey and g.part = 'members'"
	items, err := collect(ctx, db, sql, []any{channel, key}, scanItem)
	if err != nil {
		return provision.Item{}, err
	}
	if len(items) == 0 || items[0].Kind == "" {
		return provision.Item{}, provision.ErrNotFound
	}
	err = db.addHeld(ctx, channel, items)
	return items[0], err
}

func sprintItem(key string) string { return "select " + key + itemColumns[len("select %s"):] }

func scanItem(scan func(...any) error) (it provision.Item, err error) {
	var kind string
	var retry int64
	var mkind, mname, mattrs, lkind, ltarget, lstate, lprov, ldoc, jverb, jtarget, jdoc, gverb, gtarget, gdoc *string
	var since, changed, expires, version, looked *int64
	err = scan(&it.Key, &kind, &it.Reason, &it.Attempts, &retry, &it.Problem, &mkind, &mname, &mattrs,
		&lkind, &ltarget, &lstate, &lprov, &ldoc, &since, &changed, &expires, &version, &jverb, &jtarget, &jdoc, &looked,
		&gverb, &gtarget, &gdoc)
	if err != nil {
		return it, err
	}
	it.Kind, it.Retry = source.Kind(kind), fromMicros(retry)
	if mkind != nil {
		it.Record = &source.Record{Key: it.Key, Kind: source.Kind(*mkind), Name: *mname}
		if err := json.Unmarshal([]byte(*mattrs), &it.Record.Attrs); err != nil {
			return it, err
		}
	}
	if lkind != nil {
		it.Link = &provision.Link{Key: it.Key, Kind: source.Kind(*lkind), Target: *ltarget, State: provision.LinkState(*lstate), Provenance: *lprov,
			Since: fromMicros(*since), Changed: fromMicros(*changed), Expires: fromMicros(*expires), Version: *version}
		if it.Link.Doc, err = readDoc(*ldoc); err != nil {
			return it, err
		}
	}
	if jverb != nil {
		it.Intent = &provision.Intent{Key: it.Key, Kind: it.Kind, Verb: provision.Verb(*jverb), Target: *jtarget, Looked: *looked != 0}
		if it.Intent.Doc, err = readDoc(*jdoc); err != nil {
			return it, err
		}
	}
	if gverb != nil {
		it.Open = &provision.Intent{Key: it.Key, Kind: it.Kind, Verb: provision.Verb(*gverb), Target: *gtarget}
		if it.Open.Doc, err = readDoc(*gdoc); err != nil {
			return it, err
		}
	}
	return it, nil
}

// addHeld fills in what was asked about the items.
func (db *DB) addHeld(ctx context.Context, channel int64, items []provision.Item) error {
	keys := make([]string, len(items))
	at := map[string]int{}
	for i, it := range items {
		keys[i] = it.Key
		at[it.Key] = i
	}
	for chunk := range chunks(keys) {
		list, err := collect(ctx, db, heldColumns+" where channel = $1 and "+db.d.in("okey", "$2"), []any{channel, db.d.list(chunk)}, scanHeld)
		if err != nil {
			return err
		}
		for _, h := range list {
			it := &items[at[h.Key]]
			it.Held = append(it.Held, h)
		}
	}
	return nil
}

// Links implements provision.Ledger.
func (db *DB) Links(ctx context.Context, channel int64, keys []string) (map[string]provision.Link, error) {
	out := map[string]provision.Link{}
	for chunk := range chunks(storables(keys)) {
		err := db.query(ctx, "select okey, kind, target, state, provenance, since, changed, expires, version from link where channel = $1 and "+db.d.in("okey", "$2"),
			[]any{channel, db.d.list(chunk)}, func(scan func(...any) error) error {
				var l provision.Link
				var kind, state string
				var since, changed, expires int64
				err := scan(&l.Key, &kind, &l.Target, &state, &l.Provenance, &since, &changed, &expires, &l.Version)
				l.Kind, l.State = source.Kind(kind), provision.LinkState(state)
				l.Since, l.Changed, l.Expires = fromMicros(since), fromMicros(changed), fromMicros(expires)
				out[l.Key] = l
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// LinkMembers implements provision.Ledger; the list is by key.
func (db *DB) LinkMembers(ctx context.Context, channel int64, group string) ([]string, error) {
	return collect(ctx, db, "select mkey from link_member where channel = $1 and gkey = $2 order by mkey", []any{channel, group}, scanText)
}

// Owner implements provision.Ledger.
func (db *DB) Owner(ctx context.Context, channel int64, kind source.Kind, target string) (key string, err error) {
	if !storable(target) {
		return "", nil
	}
	_, err = db.queryOne(ctx, "select okey from link where channel = $1 and kind = $2 and target = $3", []any{channel, string(kind), target}, &key)
	return key, err
}

// Totals implements provision.Ledger.
func (db *DB) Totals(ctx context.Context, channel int64) (provision.Totals, error) {
	var t provision.Totals
	day := db.now().Add(-24 * time.Hour).UnixMicro()
	_, err := db.queryOne(ctx, "select (select count(*) from link where channel = $1 and state = 'linked'),"+
		" (select count(*) from link_member where channel = $1),"+
		" (select count(*) from link where channel = $1 and state <> 'linked'),"+
		" (select count(*) from mirror where channel = $1 and kind = 'person'),"+
		" (select count(*) from mirror where channel = $1 and kind = 'group'),"+
		" (select count(*) from dirty where channel = $1),"+
		" (select count(*) from dirty where channel = $1 and attempts > 0),"+
		" (select cast(coalesce(sum(objects), 0) as bigint) from removal where channel = $1 and at > $2),"+
		" (select cast(coalesce(sum(memberships), 0) as bigint) from removal where channel = $1 and at > $2)",
		[]any{channel, day}, &t.Objects, &t.Memberships, &t.Disabled, &t.People, &t.Groups, &t.Dirty, &t.Escrow, &t.DayObjects, &t.DayMembers)
	return t, err
}

// Expire implements provision.Ledger.
func (db *DB) Expire(ctx context.Context, f provision.Fence) error {
	now := db.now().UnixMicro()
	return db.fenced(ctx, f, func(s *txState) error {
		return s.c.do(ctx, stmt{sql: "insert into dirty (channel, kind, okey, reason, since) select channel, kind, okey, 'its retention has ended', expires from link" +
			" where channel = $1 and expires > 0 and expires <= $2 on conflict do nothing", args: []any{f.Channel, now}})
	})
}

// Touch implements provision.Ledger.
func (db *DB) Touch(ctx context.Context, channel int64, keys []string, reason string) error {
	return db.transact(ctx, func(s *txState) error {
		w := publisher{db: db, s: s, ch: channel, now: db.now().UnixMicro(), p: provision.Publication{All: reason}}
		if keys == nil {
			return w.everything(ctx)
		}
		for chunk := range chunks(storables(keys)) {
			list := db.d.list(chunk)
			err := s.c.do(ctx, w.mark(reason, "select kind, okey from mirror where channel = $4 and "+db.d.in("okey", "$5"), channel, list),
				w.mark(reason, "select kind, okey from link where channel = $4 and "+db.d.in("okey", "$5"), channel, list))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// docText keeps attributes as JSON text; they hold no character that JSON cannot escape.
func docText(o map[string]any) string {
	if o == nil {
		return "{}"
	}
	return jsonText(o)
}
