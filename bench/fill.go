package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A tenant of a million users is filled behind Provost's back, from the rows that Provost itself stored for one
// user: the same tables, the same values but for id and number.

// people are users by number of creation.
type people struct {
	ids     []string
	numbers []string
	byName  []int // indexes in the order of their numbers
}

func newPeople(first string, n int) people {
	p := people{ids: make([]string, n), numbers: make([]string, n), byName: make([]int, n)}
	for k := range n {
		p.ids[k] = first
		if k > 0 {
			p.ids[k] = uuid.Must(uuid.NewV7()).String()
		}
		p.numbers[k], p.byName[k] = number(k), k
	}
	slices.SortFunc(p.byName, func(a, b int) int { return strings.Compare(p.numbers[a], p.numbers[b]) })
	return p
}

// rowSource makes the rows of one pattern row for all users but the first.
type rowSource struct {
	table *tableImage
	row   []any
	seq   int  // column of the sequence number, -1 for none
	named bool // in the order of the numbers, for a table that sorts by them
}

// sources lists the pattern rows in the order of the tables' keys, so that trees are filled from left to right.
func (img *image) sources() []rowSource {
	var out []rowSource
	for i := range img.tables {
		t := &img.tables[i]
		for _, row := range t.rows {
			s := rowSource{table: t, row: row, seq: -1}
			switch t.name {
			case "change":
				s.seq = t.column("seq")
			case "attr":
				s.named = strings.Contains(row[t.column("val")].(string), img.number)
			}
			out = append(out, s)
		}
	}
	return out
}

// each calls f with the row of every user but the first.
func (s *rowSource) each(img *image, p people, firstSeq int64, f func(row []any) error) error {
	for i := range p.ids {
		k := i
		if s.named {
			k = p.byName[i]
		}
		if k == 0 {
			continue
		}
		row := img.clone(s.row, p.ids[k], p.numbers[k])
		if s.seq >= 0 {
			row[s.seq] = firstSeq + int64(k)
		}
		if err := f(row); err != nil {
			return err
		}
	}
	return nil
}

// fillBehind creates user 0 through the API and n-1 more in the store. Provost is restarted.
func (t *tenant) fillBehind(ctx context.Context, n int) (people, error) {
	first, err := t.create(0, 0)
	if err != nil {
		return people{}, err
	}
	b, err := t.s.bare(ctx, t.s.where)
	if err != nil {
		return people{}, err
	}
	img, err := takeImage(ctx, b, first, 0)
	b.close()
	if err != nil {
		return people{}, err
	}
	if err := t.s.stop(); err != nil {
		return people{}, err
	}
	p := newPeople(first, n)
	if t.s.store == "postgres" {
		err = fillPostgres(ctx, t.s.where, &img, p)
	} else {
		err = fillSQLite(ctx, t.s.where, &img, p)
	}
	if err != nil {
		return people{}, fmt.Errorf("fill tenant %s: %w", t.name, err)
	}
	if err := t.s.start(ctx); err != nil {
		return people{}, err
	}
	t.connect()
	return p, t.checkFill(p)
}

// checkFill looks at the filled tenant through the API.
func (t *tenant) checkFill(p people) error {
	total, err := t.total()
	if err != nil {
		return err
	}
	if total != len(p.ids) {
		return wrong("%d users after the fill, want %d", total, len(p.ids))
	}
	return sampled(len(p.ids), func(i int) error {
		l, err := t.list(filterPath(fmt.Sprintf(`userName eq "%s"`, userName(i))))
		if err == nil && (len(l.Resources) != 1 || l.Resources[0].ID != p.ids[i]) {
			err = wrong("filled user %d is found as %+v", i, l)
		}
		return err
	})
}

const counterSQL = "insert into counter (tenant, rtype, slot, n) values ($1, 'User', 0, $2) on conflict (tenant, rtype, slot) do update set n = counter.n + $2"

// key is the tenant's key in the image.
func (img *image) key() any {
	r := img.table("resource")
	return r.rows[0][r.column("tenant")]
}

func fillPostgres(ctx context.Context, url string, img *image, p people) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for _, s := range img.sources() {
		if err := copyRows(ctx, c, &s, img, p); err != nil {
			return err
		}
	}
	if _, err := c.Exec(ctx, counterSQL, img.key(), len(p.ids)-1); err != nil {
		return err
	}
	_, err = c.Exec(ctx, "vacuum (analyze)")
	return err
}

// copyRows sends the rows of one source with COPY. Sequence numbers start at 1: those that Provost gives on
// PostgreSQL are far above.
func copyRows(ctx context.Context, c *pgx.Conn, s *rowSource, img *image, p people) error {
	rows, done := make(chan []any, 1024), make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(rows)
		done <- s.each(img, p, 0, func(row []any) error {
			select {
			case rows <- row:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	_, err := c.CopyFrom(ctx, pgx.Identifier{s.table.name}, s.table.columns, pgx.CopyFromFunc(func() ([]any, error) { return <-rows, nil }))
	cancel()
	if producer := <-done; err == nil {
		err = producer
	}
	return err
}

// rowsAtOnce is how many rows one SQLite insert takes.
const rowsAtOnce = 20

func fillSQLite(ctx context.Context, dir string, img *image, p people) error {
	// Nobody else has the file open: no journal and no syncs while it is filled.
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "provost.db")+
		"?_pragma=locking_mode(EXCLUSIVE)&_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-2000000)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var last int64
	if err := db.QueryRowContext(ctx, "select max(seq) from change where tenant = $1", img.key()).Scan(&last); err != nil {
		return err
	}
	for _, s := range img.sources() {
		if err := insertRows(ctx, db, &s, img, p, last); err != nil {
			return err
		}
	}
	if _, err := db.ExecContext(ctx, counterSQL, img.key(), len(p.ids)-1); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "pragma journal_mode = WAL")
	return err
}

func insertRows(ctx context.Context, db *sql.DB, s *rowSource, img *image, p people, last int64) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // of no effect after the commit
	many, err := tx.PrepareContext(ctx, s.table.insertSQL(rowsAtOnce))
	if err != nil {
		return err
	}
	args := make([]any, 0, rowsAtOnce*len(s.table.columns))
	err = s.each(img, p, last, func(row []any) error {
		args = append(args, row...)
		if len(args) < cap(args) {
			return nil
		}
		_, err := many.ExecContext(ctx, args...)
		args = args[:0]
		return err
	})
	if err == nil && len(args) > 0 {
		_, err = tx.ExecContext(ctx, s.table.insertSQL(len(args)/len(s.table.columns)), args...)
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}
