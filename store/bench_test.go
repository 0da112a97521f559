package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
	"github.com/provost-scim/provost/store/pgtest"
)

// benchUsers is how many users a tenant has before reads and updates are measured.
const benchUsers = 5000

// benchClients is how many goroutines per core call at the same time.
const benchClients = 4

// BenchmarkStore measures the calls that requests are made of, durable, with the change log.
func BenchmarkStore(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(b *testing.B) string
	}{
		{"SQLite", func(b *testing.B) string { return b.TempDir() }},
		{"Postgres", func(b *testing.B) string { return pgtest.URL(b) }},
	} {
		b.Run(engine.name, func(b *testing.B) {
			db, err := store.Open(b.Context(), engine.open(b), store.Options{Migrate: true})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			benchmarkCalls(b, db.Directory(1))
		})
	}
}

func benchmarkCalls(b *testing.B, s *store.Tenant) {
	g := scim.Default()
	var n atomic.Int64
	users := make([]directory.Write, benchUsers)
	err := s.Tx(b.Context(), func(tx directory.Store) error {
		for i := range users {
			users[i] = benchUser(g, n.Add(1))
			if err := tx.Insert(b.Context(), users[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	f, err := scim.ParseFilter(`userName eq "user3000@example.com"`)
	if err != nil {
		b.Fatal(err)
	}
	byName, _ := g.Bind("User", f)
	f, _ = scim.ParseFilter(`emails[type eq "work" and value eq "user3000@example.com"]`)
	byMail, _ := g.Bind("User", f)
	lookup := func(f scim.Filter, count int) error {
		page, err := s.List(b.Context(), scim.Query{Targets: []scim.Target{{Type: "User", Filter: f}}, Count: count, Total: true})
		if err == nil && len(page.Resources) != min(count, page.Total) {
			err = fmt.Errorf("found %d of %d", len(page.Resources), page.Total)
		}
		return err
	}
	versions := make([]atomic.Int64, benchUsers)
	for _, c := range []struct {
		name string
		call func(i int64) error
	}{
		{"Insert", func(int64) error { return s.Insert(b.Context(), benchUser(g, n.Add(1))) }},
		{"Get", func(i int64) error {
			_, err := s.Get(b.Context(), "User", users[i%benchUsers].Record.ID, directory.Load{Groups: true})
			return err
		}},
		{"UserName", func(int64) error { return lookup(byName, 100) }},
		{"WorkEmail", func(int64) error { return lookup(byMail, 100) }},
		{"Page100", func(int64) error { return lookup(nil, 100) }},
		{"Update", func(i int64) error {
			w := users[i%benchUsers]
			w.Expect = 1 + versions[i%benchUsers].Load()
			w.Record.Meta.Version = w.Expect + 1
			err := s.Update(b.Context(), w)
			if err == nil {
				versions[i%benchUsers].Add(1)
			}
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var i atomic.Int64
			b.SetParallelism(benchClients)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := c.call(i.Add(1)); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

func benchUser(g *scim.Registry, n int64) directory.Write {
	mail := fmt.Sprintf("user%d@example.com", n)
	now := time.Now().UTC().Truncate(time.Millisecond)
	r := scim.Resource{Type: "User", ID: uuid.Must(uuid.NewV7()).String(), Meta: scim.Meta{Created: now, LastModified: now, Version: 1}}
	r.Attrs = scim.Object{"userName": mail, "active": true, "displayName": fmt.Sprintf("User %d", n), "title": "Engineer",
		"name":   scim.Object{"givenName": "User", "familyName": fmt.Sprintf("Number %d", n)},
		"emails": []any{scim.Object{"value": mail, "type": "work", "primary": true}},
		"addresses": []any{scim.Object{"type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "region": "CA",
			"postalCode": "91608", "country": "US"}},
		scim.EnterpriseSchema: scim.Object{"employeeNumber": fmt.Sprint(n), "department": "Research", "costCenter": "4130"},
	}
	r.Doc = g.Encode(&r)
	index, err := g.Index(&r)
	if err != nil {
		panic(err)
	}
	external := fmt.Sprintf("00u%d", n)
	return directory.Write{Record: directory.Record{Resource: r, External: map[string]string{"c1": external}}, Active: true, Display: mail,
		Unique: map[string]string{"userName": mail}, Index: append(index, scim.IndexRow{Path: "externalid", Value: "c1\x1f" + external}),
		Events: []audit.Event{{Actor: audit.Actor{Kind: "client", ID: "c1", Name: "Entra", Request: "r"}, Action: audit.Create, Type: "User", ID: r.ID,
			Name: mail, Version: 1, Change: []byte(`{"userName":{"after":"` + mail + `"}}`)}}}
}
