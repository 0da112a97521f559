package store

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/source"
)

var _ provision.Finder = (*DB)(nil)

// mirrorChunk is how many keys one statement takes as a list.
const mirrorChunk = 1000

// rows is a query of the elements of a list that is passed as one argument made by list, as column "value".
func (d *dialect) rows(placeholder string) string {
	if d.postgres {
		return "unnest(" + placeholder + "::text[]) as given (value)"
	}
	return "json_each(" + placeholder + ") as given"
}

// Hashes implements provision.Mirror.
func (db *DB) Hashes(ctx context.Context, channel int64, each func(key string, kind source.Kind, hash string)) error {
	return db.query(ctx, "select okey, kind, hash from mirror where channel = $1", []any{channel}, func(scan func(...any) error) error {
		var key, kind, hash string
		err := scan(&key, &kind, &hash)
		each(key, source.Kind(kind), hash)
		return err
	})
}

// Discard implements provision.Mirror.
func (db *DB) Discard(ctx context.Context, f provision.Fence) error {
	return db.fenced(ctx, f, func(s *txState) error { return s.c.do(ctx, discardStmts(f.Channel)...) })
}

func discardStmts(channel int64) []stmt {
	return []stmt{
		{sql: "delete from staged where channel = $1", args: []any{channel}},
		{sql: "delete from staged_member where channel = $1", args: []any{channel}},
	}
}

// Stage implements provision.Mirror.
func (db *DB) Stage(ctx context.Context, f provision.Fence, records []provision.Staged) error {
	var batch []stmt
	for _, r := range records {
		batch = append(batch, stmt{
			sql: "insert into staged (channel, okey, kind, name, hash, attrs) values ($1, $2, $3, $4, $5, $6)" +
				" on conflict (channel, okey) do update set kind = excluded.kind, name = excluded.name, hash = excluded.hash, attrs = excluded.attrs",
			args: []any{f.Channel, clean(r.Record.Key), string(r.Record.Kind), clean(r.Record.Name), r.Hash, attrsText(r.Record.Attrs)},
		})
		if r.Record.Kind != source.Group {
			continue
		}
		names := make([]string, len(r.Record.Members))
		for i, m := range r.Record.Members {
			names[i] = clean(m)
		}
		batch = append(batch,
			stmt{sql: "delete from staged_member where channel = $1 and gkey = $2", args: []any{f.Channel, clean(r.Record.Key)}},
			stmt{sql: "insert into staged_member (channel, gkey, name) select $1, $2, value from " + db.d.rows("$3") +
				" where true on conflict do nothing", args: []any{f.Channel, clean(r.Record.Key), db.d.list(names)}})
	}
	return db.fenced(ctx, f, func(s *txState) error { return s.c.do(ctx, batch...) })
}

func attrsText(attrs map[string][]string) string {
	out := make(map[string][]string, len(attrs))
	for name, values := range attrs {
		kept := make([]string, len(values))
		for i, v := range values {
			kept[i] = clean(v)
		}
		out[clean(name)] = kept
	}
	return jsonText(out)
}

// Position implements provision.Mirror.
func (db *DB) Position(ctx context.Context, channel int64) (provision.Position, error) {
	var p provision.Position
	var text string
	found, err := db.queryOne(ctx, "select generation, position from channel where id = $1", []any{channel}, &p.Generation, &text)
	if err == nil && !found {
		err = provision.ErrNotFound
	}
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(text), &p)
}

const mirrorColumns = "select okey, kind, name, attrs from mirror"

func scanRecord(scan func(...any) error) (r source.Record, err error) {
	var kind, attrs string
	if err := scan(&r.Key, &kind, &r.Name, &attrs); err != nil {
		return r, err
	}
	r.Kind = source.Kind(kind)
	return r, json.Unmarshal([]byte(attrs), &r.Attrs)
}

// Named implements provision.Mirror.
func (db *DB) Named(ctx context.Context, channel int64, names []string) (map[string]source.Record, error) {
	out := map[string]source.Record{}
	for chunk := range chunks(storables(names)) {
		list, err := collect(ctx, db, mirrorColumns+" where channel = $1 and "+db.d.in("name", "$2"), []any{channel, db.d.list(chunk)}, scanRecord)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			out[r.Name] = r
		}
	}
	return out, nil
}

// Record implements provision.Mirror.
func (db *DB) Record(ctx context.Context, channel int64, key string) (source.Record, error) {
	r, err := only(ctx, db, key, mirrorColumns+" where channel = $1 and okey = $2", []any{channel, key}, scanRecord)
	if err != nil || r.Kind != source.Group {
		return r, err
	}
	r.Members, err = collect(ctx, db, "select name from mirror_member where channel = $1 and gkey = $2 order by name", []any{channel, key}, scanText)
	return r, err
}

func scanText(scan func(...any) error) (s string, err error) { return s, scan(&s) }

// MemberKeys implements provision.Mirror.
func (db *DB) MemberKeys(ctx context.Context, channel int64, groups []string) (map[string][]provision.Member, error) {
	return db.ends(ctx, channel, groups, "select mm.gkey, m.okey, m.kind, m.name from mirror_member mm"+
		" join mirror m on m.channel = mm.channel and m.okey = mm.mkey where mm.channel = $1 and "+db.d.in("mm.gkey", "$2")+" order by mm.gkey, m.okey")
}

// GroupsOf implements provision.Mirror.
func (db *DB) GroupsOf(ctx context.Context, channel int64, keys []string) (map[string][]provision.Member, error) {
	return db.ends(ctx, channel, keys, "select mm.mkey, m.okey, m.kind, m.name from mirror_member mm"+
		" join mirror m on m.channel = mm.channel and m.okey = mm.gkey where mm.channel = $1 and "+db.d.in("mm.mkey", "$2")+" order by mm.mkey, m.okey")
}

// ends reads the other ends of memberships, each once, by the end that was asked for.
func (db *DB) ends(ctx context.Context, channel int64, keys []string, sql string) (map[string][]provision.Member, error) {
	out := map[string][]provision.Member{}
	for chunk := range chunks(storables(keys)) {
		err := db.query(ctx, sql, []any{channel, db.d.list(chunk)}, func(scan func(...any) error) error {
			var from, kind string
			var m provision.Member
			if err := scan(&from, &m.Key, &kind, &m.Name); err != nil {
				return err
			}
			m.Kind = source.Kind(kind)
			if have := out[from]; len(have) == 0 || have[len(have)-1].Key != m.Key {
				out[from] = append(have, m)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// chunks are parts of a list that one statement takes.
func chunks(list []string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		for len(list) > 0 {
			n := min(len(list), mirrorChunk)
			if !yield(list[:n]) {
				return
			}
			list = list[n:]
		}
	}
}

// FindRecords implements provision.Finder.
func (db *DB) FindRecords(ctx context.Context, channel int64, text string, limit int) ([]source.Record, error) {
	if !storable(text) || text == "" {
		return nil, nil
	}
	exact, err := collect(ctx, db, mirrorColumns+" where channel = $1 and (okey = $2 or name = $3) order by okey limit $4",
		[]any{channel, text, text, limit}, scanRecord)
	if err != nil || len(exact) > 0 {
		return exact, err
	}
	// Values stand in the column as JSON texts.
	value := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(jsonText(text))
	return collect(ctx, db, mirrorColumns+` where channel = $1 and lower(attrs) like lower($2) escape '\' order by okey limit $3`,
		[]any{channel, "%" + value + "%", limit}, scanRecord)
}
