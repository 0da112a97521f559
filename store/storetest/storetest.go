// Package storetest is the one conformance suite of every store: what it checks, each engine must do in the
// same way.
package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

// Run runs the whole suite. open opens an empty, migrated store whose clock is Clock and closes it when the test ends.
func Run(t *testing.T, open func(t *testing.T) *store.DB) {
	for _, s := range []struct {
		name string
		run  func(*testing.T, *store.DB)
	}{
		{"CRUD", crud},
		{"Tx", tx},
		{"Reindex", reindex},
		{"Members", members},
		{"Trash", trash},
		{"History", history},
		{"Keeper", keeper},
		{"Accounts", accounts},
		{"Requests", requests},
		{"Settings", settings},
		{"Filters", filters},
		{"Channels", channels},
		{"Leases", leases},
		{"Mirror", mirror},
		{"Sorting", sorting},
		{"OneGroup", oneGroup},
		{"CompareAndSwap", compareAndSwap},
		{"AddAndDelete", addAndDelete},
		{"Walk", walk},
		{"FollowLog", followLog},
	} {
		t.Run(s.name, func(t *testing.T) { s.run(t, open(t)) })
	}
}

// Clock is the time that stores under test see: it stands still unless a test moves it.
var Clock clock

type clock struct{ offset atomic.Int64 }

var start = time.Date(2026, 3, 14, 9, 26, 53, 589000000, time.UTC)

// Now is the present time of the test.
func (c *clock) Now() time.Time { return start.Add(time.Duration(c.offset.Load())) }

// Advance moves the clock.
func (c *clock) Advance(d time.Duration) { c.offset.Add(int64(d)) }

var tenantNumber atomic.Int64

// newTenant makes a tenant and returns its directory.
func newTenant(t *testing.T, db *store.DB) *store.Tenant {
	t.Helper()
	return db.Directory(addTenant(t, db).ID)
}

func addTenant(t *testing.T, db *store.DB) access.Tenant {
	t.Helper()
	name := fmt.Sprintf("tenant-%d", tenantNumber.Add(1))
	tenant, err := db.CreateTenant(t.Context(), access.Tenant{Name: name, Display: name, Created: Clock.Now(), Settings: access.Defaults()},
		audit.Event{Action: audit.Create, Type: "Tenant", Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// user is a write that makes a small user.
func user(name string) directory.Write {
	id := newID()
	return directory.Write{
		Record: directory.Record{Resource: scim.Resource{
			Type: "User", ID: id,
			Doc:  fmt.Appendf(nil, `{"schemas":[%q],"id":%q,"userName":%q,"active":true}`, scim.UserSchema, id, name),
			Meta: scim.Meta{Created: Clock.Now(), LastModified: Clock.Now(), Version: 1},
		}},
		Unique:  map[string]string{"userName": scim.Fold(name)},
		Active:  true,
		Display: name,
		Index:   []scim.IndexRow{{Path: "username", Value: scim.Fold(name)}},
		Events:  []audit.Event{{Action: audit.Create, Type: "User", ID: id, Name: name, Version: 1}},
	}
}

// group is a write that makes an empty group.
func group(name string) directory.Write {
	w := user(name)
	w.Record.Type = "Group"
	w.Record.Doc = fmt.Appendf(nil, `{"schemas":[%q],"id":%q,"displayName":%q}`, scim.GroupSchema, w.Record.ID, name)
	w.Unique = map[string]string{"displayName": scim.Fold(name)}
	w.Index = []scim.IndexRow{{Path: "displayname", Value: scim.Fold(name)}}
	w.Events[0].Type = "Group"
	return w
}

// insert adds a resource and returns its id.
func insert(t *testing.T, s directory.Store, w directory.Write) string {
	t.Helper()
	if err := s.Insert(t.Context(), w); err != nil {
		t.Fatalf("insert %s: %v", w.Display, err)
	}
	return w.Record.ID
}

// change makes of w the write of its next version.
func change(w directory.Write) directory.Write {
	w.Expect = w.Record.Meta.Version
	w.Record.Meta.Version++
	w.Record.Meta.LastModified = Clock.Now()
	w.Events = []audit.Event{{Action: audit.Update, Type: w.Record.Type, ID: w.Record.ID, Name: w.Display, Version: w.Record.Meta.Version}}
	return w
}

// total asks for the number of resources of a type.
func total(t *testing.T, s directory.Store, typ string) int {
	t.Helper()
	page, err := s.List(context.Background(), scim.Query{Targets: []scim.Target{{Type: typ}}, Total: true})
	if err != nil {
		t.Fatal(err)
	}
	return page.Total
}

func wantKind(t *testing.T, err error, kind directory.Kind) {
	t.Helper()
	if err == nil || directory.KindOf(err) != kind {
		t.Fatalf("error: got %v (kind %d), want kind %d", err, directory.KindOf(err), kind)
	}
}

func values(refs []scim.Ref) []string {
	out := []string{}
	for _, r := range refs {
		out = append(out, r.Value)
	}
	return out
}
