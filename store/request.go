package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/provost-scim/provost/audit"
)

// AppendRequests implements audit.RequestLog.
func (db *DB) AppendRequests(ctx context.Context, tenant int64, entries []audit.Request) error {
	if len(entries) == 0 {
		return nil
	}
	rows := make([]requestRow, len(entries))
	for i, r := range entries {
		r = cleanRequest(r)
		rows[i] = requestRow{r.Time.UnixNano(), r.ID, r.Client, r.Resource, int32(r.Status), jsonText(r)}
	}
	return db.transact(ctx, func(s *txState) error { return s.c.do(ctx, db.requestStmts(tenant, rows)...) })
}

// requestRow is a row of the request log.
type requestRow struct {
	at                   int64
	id, client, resource string
	status               int32
	entry                string
}

// logRows is how many rows of the request log one INSERT of SQLite takes.
const logRows = 16

const requestColumns = "insert into request (tenant, at, id, client, resource, status, entry) "

func (db *DB) requestStmts(tenant int64, rows []requestRow) (batch []stmt) {
	if db.d.postgres {
		n := len(rows)
		at, status, texts := make([]int64, n), make([]int32, n), [4][]string{}
		for i, r := range rows {
			at[i], status[i] = r.at, r.status
			for j, text := range []string{r.id, r.client, r.resource, r.entry} {
				texts[j] = append(texts[j], text)
			}
		}
		return []stmt{{
			sql: requestColumns + "select $1::bigint, x.* from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[]) x" +
				" on conflict do nothing",
			args: []any{tenant, at, texts[0], texts[1], texts[2], status, texts[3]},
		}}
	}
	for part := range slices.Chunk(rows, logRows) {
		a := args{}
		var b strings.Builder
		b.WriteString(requestColumns + "values ")
		for i, r := range part {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString("(" + a.add(tenant) + "," + a.add(r.at) + "," + a.add(r.id) + "," + a.add(r.client) + "," + a.add(r.resource) + "," +
				a.add(r.status) + "," + a.add(r.entry) + ")")
		}
		b.WriteString(" on conflict do nothing")
		batch = append(batch, stmt{sql: b.String(), args: a.list})
	}
	return batch
}

// cleanRequest makes every text of an entry storable: most of them come from outside.
func cleanRequest(r audit.Request) audit.Request {
	for _, s := range []*string{&r.ID, &r.Client, &r.ClientName, &r.Method, &r.Path, &r.Resource, &r.Addr, &r.Agent, &r.Error, &r.Body, &r.Answer} {
		*s = clean(*s)
	}
	return r
}

// Requests implements audit.RequestLog.
func (db *DB) Requests(ctx context.Context, tenant int64, f audit.RequestFilter, before time.Time, limit int) ([]audit.Request, error) {
	end := int64(math.MaxInt64)
	if !before.IsZero() {
		end = before.UnixNano()
	}
	a := args{}
	where := "tenant = " + a.add(tenant) + " and at < " + a.add(end)
	for _, c := range []struct{ column, value string }{{"client", f.Client}, {"resource", f.Resource}, {"id", f.ID}} {
		if c.value == "" {
			continue
		}
		if !storable(c.value) {
			return nil, nil
		}
		where += " and " + c.column + " = " + a.add(c.value)
	}
	if f.Resource != "" {
		where += " and resource <> ''" // so that the partial index serves
	}
	switch {
	case f.Status >= 1 && f.Status <= 9:
		where += " and status >= " + a.add(f.Status*100) + " and status < " + a.add((f.Status+1)*100)
	case f.Status != 0:
		where += " and status = " + a.add(f.Status)
	}
	if f.Tolerance != "" {
		if !storable(f.Tolerance) {
			return nil, nil
		}
		where += " and " + db.d.contains("entry", "Tolerances", a.add(f.Tolerance))
	}
	ctx, cancel := context.WithTimeout(ctx, db.timeout)
	defer cancel()
	return collect(ctx, db, "select entry from request where "+where+" order by at desc, id desc limit "+a.add(limit), a.list, scanRequest)
}

func scanRequest(scan func(...any) error) (r audit.Request, err error) {
	var text string
	if err := scan(&text); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("request log: %w", err)
	}
	return r, nil
}
