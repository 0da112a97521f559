package directory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
	"github.com/provost-scim/provost/store/pgtest"
)

// onBothStores runs a test on a directory of its own in SQLite and in PostgreSQL.
func onBothStores(t *testing.T, test func(t *testing.T, d *directory.Directory)) {
	places := map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return t.TempDir() },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(t.Context(), place(t), store.Options{Migrate: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			tenant, err := db.CreateTenant(t.Context(), access.Tenant{Name: "acme", Settings: access.Defaults()}, audit.Event{})
			if err != nil {
				t.Fatal(err)
			}
			test(t, &directory.Directory{
				Store: db.Directory(tenant.ID), Registry: scim.Default(), Policy: directory.Policy{UniqueGroupNames: true},
				Now: time.Now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
			})
		})
	}
}

var okta = directory.Caller{Client: "okta00000001", Actor: audit.Actor{Kind: "client", ID: "okta00000001", Name: "Okta", Request: "r1"}}

func object(t *testing.T, text string) scim.Object {
	t.Helper()
	v, err := scim.ParseJSON([]byte(text), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v.(scim.Object)
}

func create(t *testing.T, d *directory.Directory, typ, text string) scim.Resource {
	t.Helper()
	res, err := d.Create(t.Context(), okta, typ, object(t, text))
	if err != nil {
		t.Fatalf("create %s %s: %v", typ, text, err)
	}
	return res.Resource
}

func patch(t *testing.T, d *directory.Directory, typ, id, ops string) directory.Result {
	t.Helper()
	res, err := tryPatch(t.Context(), d, typ, id, ops)
	if err != nil {
		t.Fatalf("patch %s %s: %v", typ, ops, err)
	}
	return res
}

func tryPatch(ctx context.Context, d *directory.Directory, typ, id, ops string) (directory.Result, error) {
	var list []scim.Op
	if err := json.Unmarshal([]byte(ops), &list); err != nil {
		return directory.Result{}, err
	}
	return d.Patch(ctx, okta, typ, id, list, directory.Condition{}, directory.Want{})
}

func members(t *testing.T, d *directory.Directory, group string) []string {
	t.Helper()
	r, err := d.Get(t.Context(), okta, "Group", group, directory.Want{Members: true})
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, m := range r.Members {
		out = append(out, m.Value)
	}
	return out
}

func history(t *testing.T, d *directory.Directory, id string) []string {
	t.Helper()
	events, err := d.History(t.Context(), "", id, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		out = append(out, e.Action)
	}
	return out
}

func TestUser_DeactivateAndReactivateKeepsIdAndMemberships(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *directory.Directory) {
		ann := create(t, d, "User", `{"userName":"ann@example.com"}`)
		staff := create(t, d, "Group", fmt.Sprintf(`{"displayName":"Staff","members":[{"value":%q}]}`, ann.ID))
		for i, active := range []string{`"False"`, `true`} {
			res := patch(t, d, "User", ann.ID, `[{"op":"Replace","path":"active","value":`+active+`}]`)
			if !res.Changed || res.Resource.Meta.Version != int64(i+2) {
				t.Errorf("active %s: changed %v, version %d", active, res.Changed, res.Resource.Meta.Version)
			}
			if got := members(t, d, staff.ID); !slices.Equal(got, []string{ann.ID}) {
				t.Errorf("members after active %s = %v", active, got)
			}
		}
		if got, want := history(t, d, ann.ID), []string{"create", "deactivate", "activate"}; !slices.Equal(got, want) {
			t.Errorf("history = %v, want %v", got, want)
		}
	})
}

func TestPatch_NothingToDoKeepsTheVersion(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *directory.Directory) {
		ann := create(t, d, "User", `{"userName":"ann","title":"Dr"}`)
		staff := create(t, d, "Group", fmt.Sprintf(`{"displayName":"Staff","members":[{"value":%q}]}`, ann.ID))
		for _, c := range []struct{ typ, id, ops string }{
			{"User", ann.ID, `[{"op":"replace","path":"title","value":"Dr"}]`},
			{"Group", staff.ID, fmt.Sprintf(`[{"op":"add","path":"members","value":[{"value":%q}]}]`, ann.ID)},
			{"Group", staff.ID, `[{"op":"remove","path":"members","value":[{"value":"11111111-1111-1111-1111-111111111111"}]}]`},
			{"Group", staff.ID, fmt.Sprintf(`[{"op":"remove","path":"members"},{"op":"add","path":"members","value":[{"value":%q}]}]`, ann.ID)},
		} {
			res := patch(t, d, c.typ, c.id, c.ops)
			if res.Changed || res.Resource.Meta.Version != 1 {
				t.Errorf("%s: changed %v, version %d; want unchanged version 1", c.ops, res.Changed, res.Resource.Meta.Version)
			}
		}
		if got := history(t, d, staff.ID); len(got) != 1 {
			t.Errorf("history of the group = %v, want its creation alone", got)
		}
	})
}

func TestCreate_TakenUserName(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *directory.Directory) {
		ann := create(t, d, "User", `{"userName":"ann","title":"old"}`)
		staff := create(t, d, "Group", fmt.Sprintf(`{"displayName":"Staff","members":[{"value":%q}]}`, ann.ID))
		again := object(t, `{"userName":"ANN","title":"new"}`)

		if _, err := d.Create(t.Context(), okta, "User", again); directory.KindOf(err) != directory.Conflict {
			t.Fatalf("second create: %v, want Conflict", err)
		}
		patch(t, d, "User", ann.ID, `[{"op":"replace","value":{"active":false}}]`)
		if _, err := d.Create(t.Context(), okta, "User", again); directory.KindOf(err) != directory.Conflict {
			t.Fatalf("create over an inactive user by default: %v, want Conflict", err)
		}
		d.Policy.Reactivate = true
		res, err := d.Create(t.Context(), okta, "User", again)
		if err != nil || res.Created || res.Resource.ID != ann.ID || res.Resource.Attrs["title"] != "new" || res.Resource.Attrs["active"] != true {
			t.Fatalf("re-hire = %+v, %v; want %s active with the new title", res, err, ann.ID)
		}
		if got := members(t, d, staff.ID); !slices.Equal(got, []string{ann.ID}) {
			t.Errorf("members after the re-hire = %v", got)
		}
	})
}

func TestDelete_LeavesNoMemberAndRestoreBringsItBack(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *directory.Directory) {
		ann := create(t, d, "User", `{"userName":"ann","externalId":"00u1"}`)
		staff := create(t, d, "Group", fmt.Sprintf(`{"displayName":"Staff","members":[{"value":%q}]}`, ann.ID))
		if err := d.Delete(t.Context(), okta, "User", ann.ID, directory.Condition{}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Get(t.Context(), okta, "User", ann.ID, directory.Want{}); directory.KindOf(err) != directory.NotFound {
			t.Errorf("get after delete: %v, want NotFound", err)
		}
		if got := members(t, d, staff.ID); len(got) != 0 {
			t.Errorf("members after delete = %v", got)
		}
		if got, want := history(t, d, staff.ID), []string{"create", "members.remove"}; !slices.Equal(got, want) {
			t.Errorf("history of the group = %v, want %v", got, want)
		}
		gone, err := d.Deleted(t.Context(), "User", 10)
		if err != nil || len(gone) != 1 || gone[0].ID != ann.ID {
			t.Fatalf("deleted = %+v, %v", gone, err)
		}
		back, err := d.Restore(t.Context(), okta, "User", ann.ID)
		if err != nil || back.ID != ann.ID {
			t.Fatalf("restore = %+v, %v", back, err)
		}
		got, err := d.Get(t.Context(), okta, "User", ann.ID, directory.Want{Groups: true})
		if err != nil || got.ExternalID != "00u1" || len(got.Groups) != 1 || got.Meta.Version <= ann.Meta.Version {
			t.Errorf("after restore: %+v, %v", got, err)
		}
		if err := d.Delete(t.Context(), okta, "User", ann.ID, directory.Condition{}); err != nil {
			t.Fatal(err)
		}
		create(t, d, "User", `{"userName":"Ann"}`)
		if _, err := d.Restore(t.Context(), okta, "User", ann.ID); directory.KindOf(err) != directory.Conflict {
			t.Errorf("restore over a taken userName: %v, want Conflict", err)
		}
	})
}

func TestMembers_UnknownAndCircular(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *directory.Directory) {
		ann := create(t, d, "User", `{"userName":"ann"}`)
		a := create(t, d, "Group", `{"displayName":"A"}`)
		b := create(t, d, "Group", fmt.Sprintf(`{"displayName":"B","members":[{"value":%q}]}`, a.ID))
		c := create(t, d, "Group", fmt.Sprintf(`{"displayName":"C","members":[{"value":%q}]}`, b.ID))
		patch(t, d, "Group", a.ID, fmt.Sprintf(`[{"op":"add","path":"members","value":[{"value":%q}]}]`, ann.ID))
		for name, value := range map[string]string{"itself": a.ID, "its group": b.ID, "a group above": c.ID, "nobody": "11111111-1111-1111-1111-111111111111"} {
			_, err := tryPatch(t.Context(), d, "Group", a.ID, fmt.Sprintf(`[{"op":"add","path":"members","value":[{"value":%q}]}]`, value))
			if directory.KindOf(err) != directory.Invalid {
				t.Errorf("add %s: %v, want Invalid", name, err)
			}
		}
		if got := members(t, d, a.ID); !slices.Equal(got, []string{ann.ID}) {
			t.Errorf("members of A = %v, want ann alone", got)
		}
		r, err := d.Get(t.Context(), okta, "User", ann.ID, directory.Want{Groups: true})
		if err != nil {
			t.Fatal(err)
		}
		how := map[string]string{}
		for _, g := range r.Groups {
			how[g.Display] = g.Type
		}
		if len(how) != 3 || how["A"] != "direct" || how["B"] != "indirect" || how["C"] != "indirect" {
			t.Errorf("groups of ann = %v, want A direct, B and C indirect", how)
		}
	})
}

func TestMembers_CircleByTwoAtOnce(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *directory.Directory) {
		for round := range 8 {
			a := create(t, d, "Group", fmt.Sprintf(`{"displayName":"A%d"}`, round))
			b := create(t, d, "Group", fmt.Sprintf(`{"displayName":"B%d"}`, round))
			var wg sync.WaitGroup
			errs := make([]error, 2)
			for i, pair := range [][2]string{{a.ID, b.ID}, {b.ID, a.ID}} {
				wg.Go(func() {
					_, errs[i] = tryPatch(t.Context(), d, "Group", pair[0], fmt.Sprintf(`[{"op":"add","path":"members","value":[{"value":%q}]}]`, pair[1]))
				})
			}
			wg.Wait()
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("round %d: %v and %v: exactly one must be refused", round, errs[0], errs[1])
			}
		}
	})
}

func TestExternalID_BelongsToItsClient(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *directory.Directory) {
		ann := create(t, d, "User", `{"userName":"ann","externalId":"00u1"}`)
		entra := directory.Caller{Client: "entra0000001"}
		seen, err := d.Get(t.Context(), entra, "User", ann.ID, directory.Want{})
		if err != nil || seen.ExternalID != "" {
			t.Fatalf("another client sees externalId %q, %v", seen.ExternalID, err)
		}
		if _, err := d.Patch(t.Context(), entra, "User", ann.ID, []scim.Op{{Op: "add", Path: "externalId", Value: "guid"}}, directory.Condition{}, directory.Want{}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			by   directory.Caller
			text string
			want int
		}{{okta, `externalId eq "00u1"`, 1}, {okta, `externalId eq "guid"`, 0}, {entra, `externalId eq "guid"`, 1}, {entra, `externalId eq "GUID"`, 0}} {
			f, err := scim.ParseFilter(c.text)
			if err == nil {
				f, err = d.Registry.Bind("User", f)
			}
			if err != nil {
				t.Fatal(err)
			}
			page, err := d.List(t.Context(), c.by, scim.Query{Targets: []scim.Target{{Type: "User", Filter: f}}, Count: 10, Total: true})
			if err != nil || page.Total != c.want || len(page.Resources) != c.want {
				t.Errorf("%s by %s: total %d, %d resources, %v; want %d", c.text, c.by.Client, page.Total, len(page.Resources), err, c.want)
			}
		}
	})
}

func TestIfMatch(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *directory.Directory) {
		ann := create(t, d, "User", `{"userName":"ann"}`)
		old := directory.Condition{Match: []int64{1}}
		set := func(title string) error {
			_, err := d.Patch(t.Context(), okta, "User", ann.ID, []scim.Op{{Op: "replace", Path: "title", Value: title}}, old, directory.Want{})
			return err
		}
		if err := set("a"); err != nil {
			t.Fatal(err)
		}
		if err := set("b"); directory.KindOf(err) != directory.Stale {
			t.Errorf("patch of an old version: %v, want Stale", err)
		}
		if err := d.Delete(t.Context(), okta, "User", ann.ID, old); directory.KindOf(err) != directory.Stale {
			t.Errorf("delete of an old version: %v, want Stale", err)
		}
	})
}

// Sixty-four clients change one group and its members at once: the outcome is that of some order of them all,
// and as they touch different members, of every order.
func TestGroup_ParallelPatchesEqualSerial(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *directory.Directory) {
		const streams, rounds = 64, 4
		group := create(t, d, "Group", `{"displayName":"All"}`)
		users := make([]string, streams)
		for i := range users {
			users[i] = create(t, d, "User", fmt.Sprintf(`{"userName":"u%d"}`, i)).ID
		}
		var wg sync.WaitGroup
		for i := range streams {
			wg.Go(func() {
				for round := range rounds {
					op := "add"
					if round%2 == 1 && i%2 == 1 {
						op = "remove"
					}
					if _, err := tryPatch(t.Context(), d, "Group", group.ID, fmt.Sprintf(`[{"op":%q,"path":"members","value":[{"value":%q}]}]`, op, users[i])); err != nil {
						t.Errorf("stream %d round %d: %v", i, round, err)
					}
				}
			})
		}
		wg.Wait()
		var want []string
		for i, id := range users {
			if i%2 == 0 {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		if got := members(t, d, group.ID); !slices.Equal(got, want) {
			t.Errorf("%d members, want %d", len(got), len(want))
		}
		events := history(t, d, group.ID)
		r, err := d.Get(t.Context(), okta, "Group", group.ID, directory.Want{})
		if err != nil || int(r.Meta.Version) != len(events) {
			t.Errorf("version %d and %d events (%v): each change has one", r.Meta.Version, len(events), err)
		}
	})
}

func TestCustomType_UniqueAttribute(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *directory.Directory) {
		def, err := scim.ParseDefinition([]byte(`{
			"schemas": [{"id": "urn:acme:core:2.0:Device", "name": "Device", "attributes": [
				{"name": "serialNumber", "required": true, "caseExact": true, "uniqueness": "server", "indexed": true}]}],
			"resourceTypes": [{"name": "Device", "endpoint": "/Devices", "schema": "urn:acme:core:2.0:Device"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if d.Registry, err = scim.NewRegistry(def); err != nil {
			t.Fatal(err)
		}
		create(t, d, "Device", `{"serialNumber":"A1"}`)
		create(t, d, "Device", `{"serialNumber":"a1"}`) // caseExact: another one
		_, err = d.Create(t.Context(), okta, "Device", object(t, `{"serialNumber":"A1"}`))
		if directory.KindOf(err) != directory.Conflict {
			t.Errorf("a second device with the same serial number: %v, want Conflict", err)
		}
	})
}
