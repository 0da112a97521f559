package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/provost-scim/provost/audit"
)

// AppendRequests implements audit.RequestLog.
func (db *DB) AppendRequests(ctx context.Context, tenant int64, entries []audit.Request) error {
	var batch []stmt
	for _, r := range entries {
		r = cleanRequest(r)
		batch = append(batch, stmt{
			sql: "insert into request (tenant, at, id, client, resource, status, entry) values ($1, $2, $3, $4, $5, $6, $7)" +
				" on conflict do nothing",
			args: []any{tenant, r.Time.UnixNano(), r.ID, r.Client, r.Resource, r.Status, jsonText(r)},
		})
	}
	if len(batch) == 0 {
		return nil
	}
	return db.transact(ctx, func(s *txState) error { return s.c.do(ctx, batch...) })
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
