package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// The bare driver does what the stack below Provost can do: the same rows in the same schema, written durably
// and read, with no rules, no JSON and no HTTP. It works on a copy of the measured store.

// stmt is one statement; $1 placeholders work in both engines.
type stmt struct {
	sql  string
	args []any
}

// bare is a driver.
type bare interface {
	// write runs statements in one durable transaction.
	write(ctx context.Context, worker int, s []stmt) error
	// docs runs a select of docColumns and returns how many rows came.
	docs(ctx context.Context, worker int, s stmt, each func(d *doc)) (int, error)
	// all returns whole rows with their column names.
	all(ctx context.Context, s stmt) (columns []string, rows [][]any, err error)
	close()
}

// docColumns are what an answer needs of a resource row.
const docColumns = "r.id, r.doc, r.version, r.created, r.modified, r.external"

// doc is a row of docColumns.
type doc struct {
	id                         string
	doc                        []byte
	version, created, modified int64
	external                   *string
}

// image is what the store wrote for one resource: a pattern for the rows of others.
type image struct {
	id     string // of the resource
	number string // its ten digits
	tables []tableImage
}

type tableImage struct {
	name    string
	columns []string
	rows    [][]any
}

// takeImage reads the stored rows of user k with this id.
func takeImage(ctx context.Context, b bare, id string, k int) (image, error) {
	img := image{id: id, number: number(k)}
	for _, t := range []struct{ name, where string }{
		{"resource", "id = $1"},
		{"attr", "id = $1 order by path, val, elem"},
		{"change", "rid = $1 order by seq"},
	} {
		columns, rows, err := b.all(ctx, stmt{"select * from " + t.name + " where " + t.where, []any{id}})
		if err != nil {
			return image{}, err
		}
		if len(rows) == 0 {
			return image{}, wrong("no row in table %s for a resource that the API created", t.name)
		}
		img.tables = append(img.tables, tableImage{t.name, columns, rows})
	}
	return img, nil
}

// table returns the image of one table.
func (img *image) table(name string) *tableImage {
	for i := range img.tables {
		if img.tables[i].name == name {
			return &img.tables[i]
		}
	}
	return &tableImage{name: name}
}

// column returns the index of a column, which must exist.
func (t *tableImage) column(name string) int {
	for i, c := range t.columns {
		if c == name {
			return i
		}
	}
	panic("no column " + name + " in table " + t.name)
}

// clone returns one row for the user with this id and number.
func (img *image) clone(row []any, id, number string) []any {
	out := make([]any, len(row))
	for i, v := range row {
		if s, ok := v.(string); ok && len(s) >= len(img.number) {
			s = strings.ReplaceAll(s, img.number, number)
			v = strings.ReplaceAll(s, img.id, id)
		}
		out[i] = v
	}
	return out
}

// insertSQL is an insert of n rows.
func (t *tableImage) insertSQL(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "insert into %s (%s) values ", t.name, strings.Join(t.columns, ", "))
	p := 0
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for j := range t.columns {
			if j > 0 {
				b.WriteByte(',')
			}
			p++
			fmt.Fprintf(&b, "$%d", p)
		}
		b.WriteByte(')')
	}
	return b.String()
}

// nextSeq numbers the change rows of the bare driver, far below those of the store.
var nextSeq atomic.Int64

const firstSeq = -1 << 60

// bareCreate inserts what Provost inserts for a new user: resource, index, change log, counter.
func bareCreate(ctx context.Context, b bare, worker int, img *image, k int) error {
	id, n := uuid.Must(uuid.NewV7()).String(), number(k)
	var batch []stmt
	for i := range img.tables {
		t := &img.tables[i]
		var args []any
		for _, row := range t.rows {
			args = append(args, img.clone(row, id, n)...)
		}
		if t.name == "change" {
			args[t.column("seq")] = firstSeq + nextSeq.Add(1)
		}
		batch = append(batch, stmt{t.insertSQL(len(t.rows)), args})
	}
	batch = append(batch, stmt{"update counter set n = n + 1 where tenant = $1 and rtype = 'User' and slot = $2",
		[]any{img.table("resource").rows[0][img.table("resource").column("tenant")], worker}})
	return b.write(ctx, worker, batch)
}

// delta is what an update of one resource changed in the store: a pattern for the same update of others.
type delta struct {
	img           image // after the update
	gone, arrived [][]any
}

// takeDelta compares the rows of a user before and after an update.
func takeDelta(before, after image) delta {
	d := delta{img: after}
	d.gone = missingFrom(before.table("attr").rows, after.table("attr").rows)
	d.arrived = missingFrom(after.table("attr").rows, before.table("attr").rows)
	changes := d.img.table("change")
	changes.rows = changes.rows[len(before.table("change").rows):]
	return d
}

// missingFrom returns the rows that others has not.
func missingFrom(rows, others [][]any) [][]any {
	have := map[string]bool{}
	for _, r := range others {
		have[fmt.Sprint(r...)] = true
	}
	var out [][]any
	for _, r := range rows {
		if !have[fmt.Sprint(r...)] {
			out = append(out, r)
		}
	}
	return out
}

// bareUpdate reads a user and writes it back under the next version with the index and change rows that Provost
// writes for such an update.
func bareUpdate(ctx context.Context, b bare, worker int, tenant int64, d *delta, id string, k int) error {
	var old doc
	n, err := b.docs(ctx, worker, stmt{"select " + docColumns + " from resource r where r.tenant = $1 and r.rtype = 'User' and r.id = $2",
		[]any{tenant, id}}, func(row *doc) { old = *row })
	if err != nil {
		return err
	}
	if n != 1 {
		return wrong("the bare driver found %d rows for user %s", n, id)
	}
	num := number(k)
	batch := []stmt{{"update resource set doc = $1, modified = $2, version = version + 1 where tenant = $3 and rtype = 'User' and id = $4 and version = $5",
		[]any{string(old.doc), time.Now().UnixMilli(), tenant, id, old.version}}}
	attr := d.img.table("attr")
	for _, row := range d.gone {
		r := d.img.clone(row, id, num)
		batch = append(batch, stmt{"delete from attr where tenant = $1 and rtype = 'User' and path = $2 and val = $3 and id = $4 and elem = $5",
			[]any{tenant, r[attr.column("path")], r[attr.column("val")], id, r[attr.column("elem")]}})
	}
	for _, row := range d.arrived {
		batch = append(batch, stmt{attr.insertSQL(1), d.img.clone(row, id, num)})
	}
	change := d.img.table("change")
	for _, row := range change.rows {
		r := d.img.clone(row, id, num)
		r[change.column("seq")] = firstSeq + nextSeq.Add(1)
		batch = append(batch, stmt{change.insertSQL(1), r})
	}
	return b.write(ctx, worker, batch)
}
