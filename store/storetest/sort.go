package storetest

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

// sorting checks every order against one made in memory, in one page, in pages by offset and in pages by key.
func sorting(t *testing.T, db *store.DB) {
	p := populate(t, db, 60, 8)
	for typ, paths := range map[string][]string{
		"User": {"", "id", "userName", "title", "name.givenName", "emails", "emails.type", "phoneNumbers.value", "active", "externalId",
			"meta.created", "meta.lastModified", "meta.version", "meta.resourceType", scim.EnterpriseSchema + ":department", kitSchema + ":count",
			kitSchema + ":ratio", kitSchema + ":since", kitSchema + ":remote", kitSchema + ":badge", kitSchema + ":tags", kitSchema + ":doors.floor",
			kitSchema + ":doors.opened", "nickName"},
		"Group": {"", "displayName", "externalId", "members", "members.display", "meta.lastModified"},
	} {
		for _, path := range paths {
			for _, descending := range []bool{false, true} {
				p.checkSort(t, typ, path, descending)
			}
		}
	}
	p.checkRoot(t)
}

func (p *population) checkSort(t *testing.T, typ, path string, descending bool) {
	t.Helper()
	q := scim.Query{Targets: []scim.Target{{Type: typ}}, Client: "c1", Count: 1000, Descending: descending, Total: true}
	if path != "" {
		var ref scim.AttrRef
		parsed, err := scim.ParseFilter(path + " pr")
		if err != nil {
			t.Fatal(err)
		}
		ref, ok := p.registry.Resolve(typ, parsed.(*scim.Compare).Path)
		if !ok {
			t.Fatalf("%s has no %s", typ, path)
		}
		q.Sort = &ref
	}
	want := p.sorted(typ, q.Sort, descending)
	for name, walk := range map[string]func(*testing.T, scim.Query) []string{"whole": p.whole, "offset": p.byOffset, "key": p.byKey} {
		if d := gocmp.Diff(want, walk(t, q)); d != "" {
			t.Errorf("%s sorted by %q, descending %v, %s (-memory +database):\n%s", typ, path, descending, name, d)
		}
	}
}

func ids(list []scim.Resource) []string {
	out := []string{}
	for _, r := range list {
		out = append(out, r.ID)
	}
	return out
}

func (p *population) list(t *testing.T, q scim.Query) scim.Page {
	t.Helper()
	page, err := p.store.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Resources) > q.Count {
		t.Fatalf("page of %d, asked for %d", len(page.Resources), q.Count)
	}
	return page
}

func (p *population) whole(t *testing.T, q scim.Query) []string {
	page := p.list(t, q)
	if page.Total != len(page.Resources) || page.Next != nil {
		t.Errorf("whole list: total %d of %d, next %v", page.Total, len(page.Resources), page.Next)
	}
	return ids(page.Resources)
}

func (p *population) byOffset(t *testing.T, q scim.Query) []string {
	out := []string{}
	q.Count = 7
	for {
		page := p.list(t, q)
		if len(page.Resources) == 0 {
			return out
		}
		if want := len(p.all[q.Targets[0].Type]); page.Total != want {
			t.Errorf("page at %d: total %d, want %d", q.Offset, page.Total, want)
		}
		out = append(out, ids(page.Resources)...)
		q.Offset += len(page.Resources)
	}
}

func (p *population) byKey(t *testing.T, q scim.Query) []string {
	out := []string{}
	q.Count = 7
	for {
		page := p.list(t, q)
		out = append(out, ids(page.Resources)...)
		if page.Next == nil {
			return out
		}
		q.After = page.Next
	}
}

// checkRoot searches several types at once.
func (p *population) checkRoot(t *testing.T) {
	q := scim.Query{Targets: []scim.Target{{Type: "User"}, {Type: "Group"}}, Count: 1000, Total: true}
	want := append(ids(p.all["User"]), ids(p.all["Group"])...)
	slices.Sort(want)
	for name, walk := range map[string]func(*testing.T, scim.Query) []string{"whole": p.whole, "key": p.byKey} {
		if d := gocmp.Diff(want, walk(t, q)); d != "" {
			t.Errorf("all types, %s (-memory +database):\n%s", name, d)
		}
	}
	bound, err := scim.ParseFilter(`externalId sw "c1"`)
	if err != nil {
		t.Fatal(err)
	}
	q.Client = "c1"
	n := 0
	for i, typ := range []string{"User", "Group"} {
		f, err := p.registry.Bind(typ, bound)
		if err != nil {
			t.Fatal(err)
		}
		q.Targets[i].Filter = f
		for _, r := range p.all[typ] {
			if scim.Match(f, &r) {
				n++
			}
		}
	}
	q.Count = 3
	if page := p.list(t, q); page.Total != n || len(page.Resources) != 3 {
		t.Errorf("filter over all types: %d of %d, want 3 of %d", len(page.Resources), page.Total, n)
	}
	p.checkRelations(t)
}

// checkRelations lists users with their groups and groups with their members: list equals get.
func (p *population) checkRelations(t *testing.T) {
	for typ, all := range p.all {
		page := p.list(t, scim.Query{Targets: []scim.Target{{Type: typ}}, Client: "c1", Count: 1000, Members: true, Groups: true})
		for i, r := range page.Resources {
			want := all[i]
			want.Attrs = nil
			if d := gocmp.Diff(want, r); d != "" {
				t.Errorf("listed %s (-want +got):\n%s", typ, d)
			}
		}
	}
}

// sorted is the order made in memory: the independent answer.
func (p *population) sorted(typ string, ref *scim.AttrRef, descending bool) []string {
	all := slices.Clone(p.all[typ])
	slices.SortStableFunc(all, func(a, b scim.Resource) int {
		byID := strings.Compare(a.ID, b.ID)
		if ref == nil || ref.Attr.Name == "id" {
			if descending {
				return -byID
			}
			return byID
		}
		x, y := sortValue(*ref, a), sortValue(*ref, b)
		c := compareValues(x, y)
		if descending {
			c = -c
		}
		return cmp.Or(c, byID)
	})
	return ids(all)
}

// sortValue is the value of the primary element, else of the first; nil if it is missing.
func sortValue(ref scim.AttrRef, r scim.Resource) any {
	if ref.Sub == nil && ref.Attr.Type == scim.Complex {
		for _, sub := range ref.Attr.SubAttributes {
			if sub.Name == "value" {
				ref.Sub = sub
			}
		}
	}
	attrs := r.Attrs
	if ref.Ext != "" {
		attrs, _ = attrs[ref.Ext].(scim.Object)
	}
	v := attrs[ref.Attr.Name]
	switch ref.Name() {
	case "externalId":
		v = r.ExternalID
		if v == "" {
			v = nil
		}
	case "meta.created":
		return r.Meta.Created
	case "meta.lastModified":
		return r.Meta.LastModified
	case "meta.version":
		return r.Meta.Version
	case "meta.resourceType":
		return r.Type
	case "members.value", "members.display":
		if len(r.Members) == 0 {
			return nil
		}
		o := scim.Object{"value": r.Members[0].Value}
		if d := r.Members[0].Display; d != "" {
			o["display"] = d
		}
		v = o
	}
	if l, ok := v.([]any); ok {
		v = l[0]
		for _, e := range l {
			if o, ok := e.(scim.Object); ok && o["primary"] == true {
				v = e
				break
			}
		}
	}
	if o, ok := v.(scim.Object); ok {
		v = o[ref.Sub.Name]
	}
	return comparable(ref.Leaf(), v)
}

func comparable(a *scim.Attribute, v any) any {
	s, ok := v.(string)
	switch {
	case !ok:
		return v
	case a.Type == scim.DateTime:
		at, _ := scim.ParseDateTime(s)
		return at
	case !a.CaseExact:
		return scim.Fold(s)
	}
	return s
}

// compareValues orders values of one type; a missing one is the greatest.
func compareValues(x, y any) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil:
		return 1
	case y == nil:
		return -1
	}
	switch x := x.(type) {
	case string:
		return strings.Compare(x, y.(string))
	case int64:
		return cmp.Compare(x, y.(int64))
	case float64:
		return cmp.Compare(x, y.(float64))
	case time.Time:
		return x.Compare(y.(time.Time))
	case bool:
		return cmp.Compare(number(x), number(y.(bool)))
	}
	panic("no order")
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
