package store

import (
	"context"
	"encoding/json"

	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// Begin implements provision.Ledger.
func (db *DB) Begin(ctx context.Context, f provision.Fence, intents []provision.Intent) error {
	if len(intents) == 0 {
		return nil
	}
	now := db.now().UnixMicro()
	return db.fenced(ctx, f, func(s *txState) error {
		batch := make([]stmt, 0, len(intents))
		for _, in := range intents {
			batch = append(batch, stmt{
				sql: "insert into journal (channel, okey, kind, part, verb, target, doc, looked, fence, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)" +
					" on conflict (channel, okey, part) do update set kind = excluded.kind, verb = excluded.verb, target = excluded.target, doc = excluded.doc," +
					" looked = excluded.looked, fence = excluded.fence, at = excluded.at",
				args: []any{f.Channel, in.Key, string(in.Kind), part(in.Verb), string(in.Verb), in.Target, docText(in.Doc), flag(in.Looked), f.Token, now},
			})
		}
		return s.c.do(ctx, batch...)
	})
}

// part is the part of an object that a verb is about: itself, or its members.
func part(v provision.Verb) string {
	if v == provision.AddMembers || v == provision.RemoveMembers {
		return "members"
	}
	return ""
}

// readDoc reads attributes back in the types that package scim uses: its reader keeps integers apart from decimals.
func readDoc(text string) (scim.Object, error) {
	v, err := scim.ParseJSON([]byte(text), docDepth)
	if err != nil {
		return nil, err
	}
	o, _ := v.(scim.Object)
	return o, nil
}

// docDepth bounds the nesting of stored attributes, which is three by schema.
const docDepth = 16

// Finish implements provision.Ledger.
func (db *DB) Finish(ctx context.Context, f provision.Fence, cycle int64, outcomes []provision.Outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	now := db.now().UnixMicro()
	return db.fenced(ctx, f, func(s *txState) error {
		w := finisher{db: db, ch: f.Channel, now: now, cycle: cycle}
		for i := range outcomes {
			w.outcome(&outcomes[i])
		}
		w.removals(outcomes)
		w.newLinks(outcomes)
		return s.c.do(ctx, w.batch...)
	})
}

// finisher collects the statements of one Finish.
type finisher struct {
	db         *DB
	ch         int64
	now, cycle int64
	batch      []stmt
}

func (w *finisher) add(sql string, args ...any) {
	w.batch = append(w.batch, stmt{sql: sql, args: args})
}

func (w *finisher) outcome(o *provision.Outcome) {
	switch {
	case o.Drop:
		w.dropMembers(o.Key)
		w.add("delete from link where channel = $1 and okey = $2", w.ch, o.Key)
		w.add("delete from reference where channel = $1 and okey = $2", w.ch, o.Key)
	case o.Link != nil:
		w.link(o.Link)
	}
	w.memberships(o)
	if o.Refs != nil {
		w.add("delete from reference where channel = $1 and okey = $2", w.ch, o.Key)
		for path, key := range o.Refs {
			w.add("insert into reference (channel, okey, path, rkey) values ($1, $2, $3, $4)", w.ch, o.Key, path, key)
		}
	}
	if !o.Open {
		w.add("delete from journal where channel = $1 and okey = $2 and part = $3", w.ch, o.Key, part(o.Verb))
	}
	switch {
	case o.Done:
		w.add("delete from dirty where channel = $1 and kind = $2 and okey = $3", w.ch, string(o.Kind), o.Key)
	case o.Retry != nil:
		w.add("update dirty set attempts = $1, retry = $2, problem = $3 where channel = $4 and kind = $5 and okey = $6",
			o.Retry.Attempts, micros(o.Retry.At), clean(o.Retry.Problem), w.ch, string(o.Kind), o.Key)
	}
	w.hold(o)
	if o.Log != nil {
		w.entry(*o.Log)
	}
	for _, e := range o.More {
		w.entry(e)
	}
}

func (w *finisher) link(l *provision.Link) {
	w.add("insert into link (channel, okey, kind, target, state, provenance, doc, since, changed, expires, version)"+
		" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1) on conflict (channel, okey) do update set target = excluded.target, state = excluded.state,"+
		" provenance = excluded.provenance, doc = excluded.doc, changed = excluded.changed, expires = excluded.expires, version = link.version + 1",
		w.ch, l.Key, string(l.Kind), l.Target, string(l.State), l.Provenance, docText(l.Doc), micros(l.Since), w.now, micros(l.Expires))
}

// dropMembers forgets the memberships of and in an object that is gone from the target, which forgets them too.
func (w *finisher) dropMembers(key string) {
	w.add("delete from link_member where channel = $1 and gkey = $2", w.ch, key)
	w.add("delete from link_member where channel = $1 and mkey = $2", w.ch, key)
}

func (w *finisher) memberships(o *provision.Outcome) {
	if o.Clear {
		w.add("delete from link_member where channel = $1 and gkey = $2", w.ch, o.Key)
	}
	for chunk := range chunks(o.Removed) {
		w.add("delete from link_member where channel = $1 and gkey = $2 and "+w.db.d.in("mkey", "$3"), w.ch, o.Key, w.db.d.list(chunk))
	}
	for chunk := range chunks(o.Added) {
		w.add("insert into link_member (channel, gkey, mkey) select $1, $2, value from "+w.db.d.rows("$3")+" where true on conflict do nothing",
			w.ch, o.Key, w.db.d.list(chunk))
	}
}

func (w *finisher) hold(o *provision.Outcome) {
	if o.Unhold {
		w.add("delete from held where channel = $1 and okey = $2", w.ch, o.Key)
	}
	if h := o.Hold; h != nil {
		w.add("insert into held (channel, okey, verb, kind, title, reason, rule, members, state, since, decided, by_whom)"+
			" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (channel, okey, verb) do update set title = excluded.title,"+
			" reason = excluded.reason, rule = excluded.rule, members = excluded.members, state = excluded.state",
			w.ch, h.Key, string(h.Verb), string(h.Kind), clean(h.Title), clean(h.Reason), clean(h.Rule), jsonText(h.Members), string(h.State),
			micros(h.Since), micros(h.Decided), h.By)
	}
}

func (w *finisher) entry(e provision.Entry) {
	e.Title, e.Reason, e.Error = clean(e.Title), clean(e.Reason), clean(e.Error)
	w.add("insert into provisioning_log (channel, seq, at, cycle, okey, target, action, status, entry)"+
		" values ($1, (select coalesce(max(seq), 0) + 1 from provisioning_log where channel = $2), $3, $4, $5, $6, $7, $8, $9)",
		w.ch, w.ch, w.now, w.cycle, e.Key, e.Target, string(e.Action), e.Status, jsonText(e))
}

// removals adds to the count of the guard's rolling day.
func (w *finisher) removals(outcomes []provision.Outcome) {
	objects, memberships := 0, 0
	for _, o := range outcomes {
		objects += o.Objects
		memberships += o.Memberships
	}
	if objects+memberships > 0 {
		w.add("insert into removal (channel, at, objects, memberships) values ($1, $2, $3, $4) on conflict (channel, at) do update set"+
			" objects = removal.objects + excluded.objects, memberships = removal.memberships + excluded.memberships", w.ch, w.now, objects, memberships)
	}
}

// newLinks marks who refers to objects that are new at the target: the groups that hold them, directly or through
// other groups, and those with an attribute that names them.
func (w *finisher) newLinks(outcomes []provision.Outcome) {
	var keys []string
	for _, o := range outcomes {
		if o.NewLink {
			keys = append(keys, o.Key)
		}
	}
	for chunk := range chunks(keys) {
		list := w.db.d.list(chunk)
		w.add("with recursive up (gkey) as (select gkey from mirror_member where channel = $1 and "+w.db.d.in("mkey", "$2")+
			" union select mm.gkey from mirror_member mm join up on mm.mkey = up.gkey where mm.channel = $3)"+
			" insert into dirty (channel, kind, okey, reason, since) select cast($4 as bigint), 'group', gkey, 'a member arrived at the target', cast($5 as bigint) from up"+
			" where true on conflict do nothing", w.ch, list, w.ch, w.ch, w.now)
		w.add("insert into dirty (channel, kind, okey, reason, since) select distinct cast($1 as bigint), l.kind, l.okey, 'somebody it refers to arrived at the target', cast($2 as bigint)"+
			" from reference r join link l on l.channel = r.channel and l.okey = r.okey where r.channel = $3 and "+w.db.d.in("r.rkey", "$4")+
			" on conflict do nothing", w.ch, w.now, w.ch, list)
	}
}

const heldColumns = "select okey, verb, kind, title, reason, rule, members, state, since, decided, by_whom from held"

func scanHeld(scan func(...any) error) (h provision.Held, err error) {
	var verb, kind, members, state string
	var since, decided int64
	if err := scan(&h.Key, &verb, &kind, &h.Title, &h.Reason, &h.Rule, &members, &state, &since, &decided, &h.By); err != nil {
		return h, err
	}
	h.Verb, h.Kind, h.State = provision.Verb(verb), source.Kind(kind), provision.HoldState(state)
	h.Since, h.Decided = fromMicros(since), fromMicros(decided)
	return h, json.Unmarshal([]byte(members), &h.Members)
}
