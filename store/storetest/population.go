package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

// kitSchema is an extension of User with one attribute of each kind that the core schemas lack, and two that are
// indexed.
const kitSchema = "urn:example:kit:1.0:User"

func kitRegistry(tb testing.TB) *scim.Registry {
	tb.Helper()
	d, err := scim.ParseDefinition([]byte(`{
		"schemas": [{"id": "` + kitSchema + `", "name": "Kit", "attributes": [
			{"name": "count", "type": "integer"},
			{"name": "ratio", "type": "decimal"},
			{"name": "since", "type": "dateTime"},
			{"name": "remote", "type": "boolean"},
			{"name": "badge", "caseExact": true, "indexed": true},
			{"name": "key", "type": "binary", "caseExact": true},
			{"name": "tags", "multiValued": true},
			{"name": "doors", "type": "complex", "multiValued": true, "subAttributes": [
				{"name": "name", "indexed": true}, {"name": "code", "indexed": true, "caseExact": true}, {"name": "type"},
				{"name": "opened", "type": "dateTime"}, {"name": "floor", "type": "integer"}, {"name": "primary", "type": "boolean"}
			]}
		]}],
		"extend": [{"type": "User", "schema": "` + kitSchema + `"}]
	}`))
	if err != nil {
		tb.Fatal(err)
	}
	g, err := scim.NewRegistry(d)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// population is a tenant full of resources that are also in memory.
type population struct {
	registry *scim.Registry
	store    *store.Tenant
	all      map[string][]scim.Resource // by type, by id, as client c1 sees them
}

// The words of which values are made: few, so that comparisons hit, and some that are hard to compare.
var words = []string{"ann", "Ann", "ANNE", "bo", "Bö", "BÖ", "Größe", "ΣΑΣ", "σας", "σασ", "İz", "iz", "ız", "a_b", "a%b", "", " ", "é", "e\u0301",
	"\U0001F600", "zz", "O'Malley", `say "hi"`, `back\slash`, "ﬀ", "ẞ", "straße", "ǅ"}

var dates = []string{"2020-01-01T12:00:00Z", "2020-01-01T14:00:00+02:00", "2020-01-01T12:00:00.000000001Z", "2020-01-01T12:00:00.5Z",
	"2020-01-01T12:00:00", "1969-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00Z", "9999-12-31T24:00:00Z", "2024-02-29T24:00:00-11:30"}

// populate makes users and groups with random values and memberships; the same ones every time.
func populate(t *testing.T, db *store.DB, users, groups int) *population {
	t.Helper()
	p := &population{registry: kitRegistry(t), store: newTenant(t, db), all: map[string][]scim.Resource{}}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range users {
		p.add(t, scim.Resource{Type: "User", Attrs: randomUser(r, i)}, randomExternal(r), r)
	}
	for i := range groups {
		p.add(t, scim.Resource{Type: "Group", Attrs: scim.Object{"displayName": fmt.Sprintf("%s %d", pick(r, words), i)}}, randomExternal(r), r)
	}
	p.connect(t, r)
	return p
}

func (p *population) add(t *testing.T, res scim.Resource, external map[string]string, r *rand.Rand) {
	t.Helper()
	res.ID = newID()
	res.ExternalID = external["c1"]
	at := start.Add(time.Duration(r.IntN(5)) * time.Millisecond)
	res.Meta = scim.Meta{Created: at, LastModified: at.Add(time.Duration(r.IntN(3)) * time.Second), Version: 1 + r.Int64N(12)}
	res.Doc = p.registry.Encode(&res)
	index, err := p.registry.Index(&res)
	if err != nil {
		t.Fatal(err)
	}
	w := directory.Write{Record: directory.Record{Resource: res, External: external}, Active: true, Index: index}
	w.Display, _ = res.Attrs["displayName"].(string)
	for client, value := range external {
		w.Index = append(w.Index, scim.IndexRow{Path: "externalid", Value: client + "\x1f" + value})
	}
	if res.Type == "User" {
		w.Active = res.Attrs["active"] == true
		name, _ := res.Attrs["userName"].(string)
		w.Unique = map[string]string{"userName": scim.Fold(name)}
	}
	insert(t, p.store, w)
	p.all[res.Type] = append(p.all[res.Type], res)
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// some adds a value in two of three cases.
func some(r *rand.Rand, o scim.Object, name string, value func() any) {
	if r.IntN(3) > 0 {
		if v := value(); v != nil {
			o[name] = v
		}
	}
}

func randomExternal(r *rand.Rand) map[string]string {
	out := map[string]string{}
	for _, c := range []string{"c1", "c2"} {
		if r.IntN(2) == 0 {
			out[c] = c + pick(r, words) + "x"
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func randomUser(r *rand.Rand, i int) scim.Object {
	word := func() any { return pick(r, words) }
	u := scim.Object{"userName": fmt.Sprintf("%s-%d", pick(r, words), i), "active": r.IntN(3) > 0}
	some(r, u, "title", word)
	some(r, u, "displayName", word)
	some(r, u, "name", func() any { return object(r, "familyName", "givenName") })
	some(r, u, "emails", func() any { return elements(r, func() any { return object(r, "value", "type", "display", "primary") }) })
	some(r, u, "phoneNumbers", func() any { return elements(r, func() any { return object(r, "value", "type") }) })
	some(r, u, scim.EnterpriseSchema, func() any { return object(r, "department", "employeeNumber") })
	some(r, u, kitSchema, func() any {
		k := scim.Object{}
		some(r, k, "count", func() any { return int64(r.IntN(5)) - 2 })
		some(r, k, "ratio", func() any { return pick(r, []float64{-1.5, 0.1, 0.25, 2.5, 1e20}) })
		some(r, k, "since", func() any { return pick(r, dates) })
		some(r, k, "remote", func() any { return r.IntN(2) == 0 })
		some(r, k, "badge", word)
		some(r, k, "key", func() any { return pick(r, []string{"AAEC", "AAEc", "AA=="}) })
		some(r, k, "tags", func() any {
			var tags []any
			for range r.IntN(3) {
				tags = append(tags, word())
			}
			return list(tags)
		})
		some(r, k, "doors", func() any { return elements(r, func() any { return door(r) }) })
		if len(k) == 0 {
			return nil
		}
		return k
	})
	return u
}

func door(r *rand.Rand) any {
	o, _ := object(r, "name", "code", "type", "primary").(scim.Object)
	if o == nil {
		o = scim.Object{}
	}
	some(r, o, "opened", func() any { return pick(r, dates) })
	some(r, o, "floor", func() any { return int64(r.IntN(3)) })
	if len(o) == 0 {
		return nil
	}
	return o
}

func object(r *rand.Rand, names ...string) any {
	o := scim.Object{}
	for _, name := range names {
		some(r, o, name, func() any {
			switch name {
			case "primary":
				return r.IntN(2) == 0
			case "type":
				return pick(r, []string{"work", "Work", "home", "other"})
			}
			return pick(r, words)
		})
	}
	if len(o) == 0 {
		return nil
	}
	return o
}

func elements(r *rand.Rand, one func() any) any {
	var out []any
	for range r.IntN(4) {
		if o := one(); o != nil {
			out = append(out, o)
		}
	}
	return list(out)
}

// list is nil if it is empty: empty lists are never stored.
func list(l []any) any {
	if len(l) == 0 {
		return nil
	}
	return l
}

// connect fills the groups: with users, and each with some that come before it.
func (p *population) connect(t *testing.T, r *rand.Rand) {
	groups, users := p.all["Group"], p.all["User"]
	for i := range groups {
		var ids []string
		for _, u := range users {
			if r.IntN(6) == 0 {
				ids = append(ids, u.ID)
			}
		}
		for _, g := range groups[:i] {
			if r.IntN(3) == 0 {
				ids = append(ids, g.ID)
			}
		}
		if len(ids) > 0 {
			add(t, p.store, groups[i].ID, ids...)
		}
	}
	for i := range groups {
		rec, err := p.store.Get(t.Context(), "Group", groups[i].ID, directory.Load{Members: true})
		if err != nil {
			t.Fatal(err)
		}
		groups[i].Members, groups[i].HasMembers = rec.Members, true
	}
	for i := range users {
		users[i].Groups, users[i].HasGroups = p.groupsOf(users[i].ID), true
	}
}

// groupsOf finds the groups of a user in memory: the independent answer.
func (p *population) groupsOf(user string) []scim.Ref {
	way := map[string]string{}
	for _, g := range p.all["Group"] {
		if slices.Contains(values(g.Members), user) {
			way[g.ID] = "direct"
		}
	}
	for grown := true; grown; {
		grown = false
		for _, g := range p.all["Group"] {
			for _, m := range g.Members {
				if way[m.Value] != "" && way[g.ID] == "" {
					way[g.ID], grown = "indirect", true
				}
			}
		}
	}
	var out []scim.Ref
	for _, g := range p.all["Group"] {
		if way[g.ID] != "" {
			display, _ := g.Attrs["displayName"].(string)
			out = append(out, scim.Ref{Value: g.ID, Type: way[g.ID], Display: display})
		}
	}
	return out
}

func (p *population) context() context.Context { return context.Background() }
