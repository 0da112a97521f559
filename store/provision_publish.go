package store

import (
	"context"
	"fmt"

	"github.com/provost-scim/provost/provision"
)

// The reasons for which an object is looked at again.
const (
	reasonNew      = "new in the source"
	reasonChanged  = "changed in the source"
	reasonGone     = "gone from the source"
	reasonAppeared = "a member appeared in the source"
	reasonLeft     = "a member is gone from the source"
	reasonNamed    = "somebody it refers to appeared in the source"
	reasonParted   = "somebody it refers to is gone from the source"
	reasonNested   = "a group within it changed"
	reasonGroups   = "its groups changed"
)

// Publish implements provision.Mirror. Who is gone is dealt with first: a new object may carry the name of one that
// is gone.
func (db *DB) Publish(ctx context.Context, f provision.Fence, p provision.Publication) error {
	return db.fenced(ctx, f, func(s *txState) error {
		w := publisher{db: db, s: s, ch: f.Channel, now: db.now().UnixMicro(), p: p}
		for chunk := range chunks(storables(p.Gone)) {
			if err := w.gone(ctx, db.d.list(chunk)); err != nil {
				return err
			}
		}
		for _, step := range []func(context.Context) error{w.renamed, w.records, w.members, w.nested, w.everything, w.position} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return s.c.do(ctx, discardStmts(f.Channel)...)
	})
}

// publisher is one Publish at work.
type publisher struct {
	db  *DB
	s   *txState
	ch  int64
	now int64
	p   provision.Publication
}

// dirtyHead begins a statement that marks what the rest of it selects: kind, key.
const dirtyHead = "insert into dirty (channel, kind, okey, reason, since) select distinct cast($1 as bigint), x.kind, x.okey, cast($2 as text), cast($3 as bigint) from ("

// dirtyTail ends it. What is dirty already keeps its first reason and is due at once.
const dirtyTail = ") x where true on conflict (channel, kind, okey) do update set retry = 0"

// mark marks what a query of kind and okey selects; its placeholders begin at $4.
func (w *publisher) mark(reason, query string, args ...any) stmt {
	return stmt{sql: dirtyHead + query + dirtyTail, args: append([]any{w.ch, reason, w.now}, args...)}
}

func (w *publisher) gone(ctx context.Context, keys any) error {
	in := func(col, placeholder string) string { return w.db.d.in(col, placeholder) }
	batch := []stmt{
		w.mark(reasonGone, "select kind, okey from mirror where channel = $4 and "+in("okey", "$5"), w.ch, keys),
		w.mark(reasonParted, "select l.kind, l.okey from reference r join link l on l.channel = r.channel and l.okey = r.okey where r.channel = $4 and "+in("r.rkey", "$5"), w.ch, keys),
		w.mark(reasonLeft, "select 'group' as kind, gkey as okey from mirror_member where channel = $4 and "+in("mkey", "$5"), w.ch, keys),
	}
	if w.p.Membership {
		batch = append(batch, w.mark(reasonGroups, "select m.kind, m.okey from mirror_member mm join mirror m on m.channel = mm.channel and m.okey = mm.mkey"+
			" where mm.channel = $4 and "+in("mm.gkey", "$5"), w.ch, keys))
	}
	batch = append(batch,
		// Their hashes are forgotten, so that the next full read compares these groups member by member.
		stmt{sql: "update mirror set hash = '' where channel = $1 and okey in (select gkey from mirror_member where channel = $2 and " + in("mkey", "$3") + ")",
			args: []any{w.ch, w.ch, keys}},
		stmt{sql: "delete from mirror_member where channel = $1 and " + in("mkey", "$2"), args: []any{w.ch, keys}},
		stmt{sql: "delete from mirror_member where channel = $1 and " + in("gkey", "$2"), args: []any{w.ch, keys}},
		stmt{sql: "delete from mirror where channel = $1 and " + in("okey", "$2"), args: []any{w.ch, keys}})
	return w.s.c.do(ctx, batch...)
}

// renamed gives memberships the new names of members, as directories do without telling: the groups need not come
// in the same read.
func (w *publisher) renamed(ctx context.Context) error {
	type rename struct{ key, from, to string }
	var list []rename
	err := w.s.c.do(ctx, stmt{
		sql: "select s.okey, m.name, s.name from staged s join mirror m on m.channel = s.channel and m.okey = s.okey" +
			" where s.channel = $1 and m.name <> s.name",
		args: []any{w.ch},
		each: func(scan func(...any) error) error {
			var r rename
			err := scan(&r.key, &r.from, &r.to)
			list = append(list, r)
			return err
		}})
	if err != nil {
		return err
	}
	for _, r := range list {
		err := w.s.c.do(ctx,
			// A row of the new name was not resolved, or belongs to somebody who has another name now.
			stmt{sql: "delete from mirror_member where channel = $1 and name = $2 and mkey <> $3 and gkey in" +
				" (select gkey from mirror_member where channel = $4 and name = $5 and mkey = $6)",
				args: []any{w.ch, r.to, r.key, w.ch, r.from, r.key}},
			stmt{sql: "update mirror_member set name = $1 where channel = $2 and name = $3 and mkey = $4",
				args: []any{r.to, w.ch, r.from, r.key}},
			// A directory that does not rewrite its groups still has the old name in them: the next full read compares
			// these groups member by member.
			stmt{sql: "update mirror set hash = '' where channel = $1 and okey in (select gkey from mirror_member where channel = $2 and mkey = $3)",
				args: []any{w.ch, w.ch, r.key}})
		if err != nil {
			return err
		}
	}
	return nil
}

// records moves the staged records into the mirror.
func (w *publisher) records(ctx context.Context) error {
	return w.s.c.do(ctx,
		w.mark(reasonNew, "select s.kind, s.okey from staged s where s.channel = $4 and not exists"+
			" (select 1 from mirror m where m.channel = s.channel and m.okey = s.okey)", w.ch),
		w.mark(reasonChanged, "select kind, okey from staged where channel = $4", w.ch),
		w.mark(reasonNamed, "select l.kind, l.okey from reference r join link l on l.channel = r.channel and l.okey = r.okey"+
			" where r.channel = $4 and r.rkey in (select '?' || name from staged where channel = $5)", w.ch, w.ch),
		stmt{sql: "insert into mirror (channel, okey, kind, name, hash, attrs) select channel, okey, kind, name, hash, attrs from staged" +
			" where channel = $1 on conflict (channel, okey) do update set kind = excluded.kind, name = excluded.name, hash = excluded.hash, attrs = excluded.attrs",
			args: []any{w.ch}},
		// Groups that named somebody before he was there.
		w.mark(reasonAppeared, "select 'group' as kind, gkey as okey from mirror_member where channel = $4 and mkey = '' and name in"+
			" (select name from staged where channel = $5)", w.ch, w.ch),
		stmt{sql: "update mirror_member set mkey = coalesce((select min(m.okey) from mirror m where m.channel = mirror_member.channel and m.name = mirror_member.name), '')" +
			" where channel = $1 and mkey = '' and name in (select name from staged where channel = $2)", args: []any{w.ch, w.ch}})
}

// members moves the staged memberships of staged groups into the mirror.
func (w *publisher) members(ctx context.Context) error {
	const goes = " from mirror_member mm join staged g on g.channel = mm.channel and g.okey = mm.gkey and g.kind = 'group'" +
		" where mm.channel = $%d and not exists (select 1 from staged_member sm where sm.channel = mm.channel and sm.gkey = mm.gkey and sm.name = mm.name)"
	const comes = " from staged_member sm where sm.channel = $%d and not exists" +
		" (select 1 from mirror_member mm where mm.channel = sm.channel and mm.gkey = sm.gkey and mm.name = sm.name)"
	var batch []stmt
	if w.p.Membership {
		batch = append(batch,
			w.mark(reasonGroups, "select m.kind, m.okey from mirror m where m.channel = $4 and m.okey in (select mm.mkey"+numbered(goes, 5)+")", w.ch, w.ch),
			w.mark(reasonGroups, "select m.kind, m.okey from mirror m where m.channel = $4 and m.name in (select sm.name"+numbered(comes, 5)+")", w.ch, w.ch))
	}
	batch = append(batch,
		stmt{sql: "delete from mirror_member where channel = $1 and (gkey, name) in (select mm.gkey, mm.name" + numbered(goes, 2) + ")", args: []any{w.ch, w.ch}},
		stmt{sql: "insert into mirror_member (channel, gkey, name, mkey) select sm.channel, sm.gkey, sm.name, coalesce((select min(m.okey) from mirror m" +
			" where m.channel = sm.channel and m.name = sm.name), '')" + numbered(comes, 1) + " on conflict do nothing", args: []any{w.ch}})
	return w.s.c.do(ctx, batch...)
}

// numbered fills in the number of the placeholder of a part of a statement.
func numbered(part string, n int) string { return fmt.Sprintf(part, n) }

// nested looks at those too whose members or whose groups changed somewhere within.
func (w *publisher) nested(ctx context.Context) error {
	var batch []stmt
	if w.p.Nested {
		batch = append(batch, w.mark(reasonNested, "select 'group' as kind, gkey as okey from up",
			w.ch, w.ch))
		batch[0].sql = "with recursive up (gkey) as (select mm.gkey from mirror_member mm join dirty d on d.channel = mm.channel and d.okey = mm.mkey and d.kind = 'group'" +
			" where mm.channel = $4 union select mm.gkey from mirror_member mm join up on mm.mkey = up.gkey where mm.channel = $5) " + batch[0].sql
	}
	if w.p.Membership {
		batch = append(batch, w.mark(reasonGroups, "select m.kind, m.okey from mirror m join down on down.mkey = m.okey where m.channel = $6 and m.kind = 'person'",
			w.ch, w.ch, w.ch))
		last := &batch[len(batch)-1]
		last.sql = "with recursive down (mkey) as (select d.okey from dirty d where d.channel = $4 and d.kind = 'group'" +
			" union select mm.mkey from mirror_member mm join down on mm.gkey = down.mkey where mm.channel = $5) " + last.sql
	}
	if batch == nil {
		return nil
	}
	return w.s.c.do(ctx, batch...)
}

// everything marks all that the mirror or the ledger holds, if the publication asks for it.
func (w *publisher) everything(ctx context.Context) error {
	if w.p.All == "" {
		return nil
	}
	return w.s.c.do(ctx,
		w.mark(w.p.All, "select kind, okey from mirror where channel = $4", w.ch),
		w.mark(w.p.All, "select kind, okey from link where channel = $4", w.ch))
}

func (w *publisher) position(ctx context.Context) error {
	return w.s.c.do(ctx, stmt{sql: "update channel set generation = generation + $1, position = $2 where id = $3",
		args: []any{flag(w.p.Moved), jsonText(w.p.Position), w.ch}})
}
