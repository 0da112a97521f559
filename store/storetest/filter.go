package storetest

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

// filters checks that the database finds what scim.Match finds, over generated resources and filters.
func filters(t *testing.T, db *store.DB) {
	// A failing filter is printed; it needs no file.
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		t.Fatal(err)
	}
	p := populate(t, db, 60, 8)
	for _, typ := range []string{"User", "Group"} {
		t.Run(typ, func(t *testing.T) {
			for _, text := range fixedFilters(p, typ) {
				p.check(t, typ, text)
			}
			rapid.Check(t, func(t *rapid.T) {
				for range 5 {
					p.check(t, typ, p.filter(typ, 3).Draw(t, "filter"))
				}
			})
		})
	}
}

// reporter is what testing and rapid have in common.
type reporter interface {
	Helper()
	Fatalf(format string, args ...any)
}

// check compares what a filter finds in the store and in memory, and the total. Filters that cannot be bound say nothing.
func (p *population) check(t reporter, typ, text string) {
	t.Helper()
	f, err := scim.ParseFilter(text)
	if err != nil {
		t.Fatalf("generated filter %s: %v", text, err)
	}
	bound, err := p.registry.Bind(typ, f)
	if err != nil {
		return
	}
	want := []string{}
	for _, r := range p.all[typ] {
		if scim.Match(bound, &r) {
			want = append(want, r.ID)
		}
	}
	page, err := p.store.List(p.context(), scim.Query{Targets: []scim.Target{{Type: typ, Filter: bound}}, Client: "c1", Count: 1000, Total: true})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	got := []string{}
	for _, r := range page.Resources {
		got = append(got, r.ID)
	}
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" || page.Total != len(want) {
		t.Fatalf("%s: total %d (-memory +database):\n%s%s", text, page.Total, d, p.explain(typ, want, got))
	}
	counted, err := p.store.List(p.context(), scim.Query{Targets: []scim.Target{{Type: typ, Filter: bound}}, Client: "c1", Total: true})
	if err != nil || counted.Total != len(want) {
		t.Fatalf("%s: counted %d, %v; want %d", text, counted.Total, err, len(want))
	}
}

// explain shows the documents on which the two disagree.
func (p *population) explain(typ string, want, got []string) (out string) {
	for _, r := range p.all[typ] {
		if slices.Contains(want, r.ID) != slices.Contains(got, r.ID) {
			out += fmt.Sprintf("external %q groups %v members %v meta %v\n%s\n", r.ExternalID, r.Groups, r.Members, r.Meta, r.Doc)
		}
	}
	return out
}

// quote writes a literal as a filter has it: a JSON string.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

var textPaths = map[string][]string{
	"User": {"userName", "title", "displayName", "name.familyName", "name.givenName", "emails", "emails.value", "emails.type", "emails.display", "phoneNumbers",
		scim.EnterpriseSchema + ":department", scim.EnterpriseSchema + ":employeeNumber", kitSchema + ":badge", kitSchema + ":tags",
		kitSchema + ":doors.name", kitSchema + ":doors.code", "externalId", "id", "groups", "groups.display", "groups.type", "schemas", "nickName"},
	"Group": {"displayName", "externalId", "id", "members", "members.display", "members.type", "schemas"},
}

var elementPaths = map[string][]string{
	"emails": {"value", "type", "display"}, "phoneNumbers": {"value", "type"}, kitSchema + ":doors": {"name", "code", "type"},
	"groups": {"value", "type", "display"}, "members": {"value", "type", "display"},
}

var textOps = []string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}

var orderOps = []string{"eq", "ne", "gt", "ge", "lt", "le"}

// filter generates a filter on a type, as text.
func (p *population) filter(typ string, depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		kind := rapid.IntRange(0, 9).Draw(t, "kind")
		if depth == 0 {
			kind = min(kind, 5)
		}
		switch kind {
		case 6, 7:
			return "(" + p.filter(typ, depth-1).Draw(t, "l") + ") and (" + p.filter(typ, depth-1).Draw(t, "r") + ")"
		case 8:
			return "(" + p.filter(typ, depth-1).Draw(t, "l") + ") or (" + p.filter(typ, depth-1).Draw(t, "r") + ")"
		case 9:
			return "not (" + p.filter(typ, depth-1).Draw(t, "x") + ")"
		case 5:
			return p.valuePath(t, typ)
		case 4:
			return p.otherComparison(t, typ)
		}
		return p.textComparison(t, typ, rapid.SampledFrom(textPaths[typ]).Draw(t, "path"))
	})
}

func (p *population) textComparison(t *rapid.T, typ, path string) string {
	if rapid.IntRange(0, 9).Draw(t, "pr") == 0 {
		return path + " pr"
	}
	return path + " " + rapid.SampledFrom(textOps).Draw(t, "op") + " " + p.text(t)
}

// text is a literal: a word, a part of one, the id of something, or what must match nothing.
func (p *population) text(t *rapid.T) string {
	s := rapid.SampledFrom(words).Draw(t, "word")
	switch rapid.IntRange(0, 7).Draw(t, "text") {
	case 0:
		all := p.all[rapid.SampledFrom([]string{"User", "Group"}).Draw(t, "type")]
		s = all[rapid.IntRange(0, len(all)-1).Draw(t, "id")].ID
	case 1:
		r := []rune(s)
		s = string(r[:len(r)/2])
	case 2:
		s = rapid.SampledFrom([]string{"work", "WORK", "home", "direct", "indirect", "User", "group", "c1annx", "null",
			scim.UserSchema, kitSchema}).Draw(t, "special")
	}
	return quote(s)
}

func (p *population) otherComparison(t *rapid.T, typ string) string {
	date := func() string { return quote(rapid.SampledFrom(dates).Draw(t, "date")) }
	op := rapid.SampledFrom(orderOps).Draw(t, "op")
	meta := []string{
		"meta.created " + op + " " + quote(start.Add(time.Duration(rapid.IntRange(-2, 6).Draw(t, "half"))*500*time.Microsecond).Format(time.RFC3339Nano)),
		"meta.lastModified " + op + " " + quote(start.Add(time.Second).Format(time.RFC3339Nano)),
		"meta.version eq " + quote(fmt.Sprintf(`W/"%d"`, rapid.IntRange(1, 12).Draw(t, "version"))),
		"meta.resourceType eq " + quote(typ),
		"id pr", "meta.location pr", "externalId eq null", "externalId pr",
	}
	if typ == "Group" {
		return rapid.SampledFrom(append(meta, "members pr", "members.value pr")).Draw(t, "meta")
	}
	return rapid.SampledFrom(append(meta,
		kitSchema+":count "+op+" "+strconv.Itoa(rapid.IntRange(-2, 3).Draw(t, "n")),
		kitSchema+":ratio "+op+" "+rapid.SampledFrom([]string{"-1.5", "0.1", "0.25", "2", "1e20"}).Draw(t, "f"),
		kitSchema+":since "+op+" "+date(), kitSchema+":doors.opened "+op+" "+date(), kitSchema+":doors.floor "+op+" 1",
		kitSchema+":remote eq true", kitSchema+":remote ne true", kitSchema+":key eq \"AAEC\"", kitSchema+":count pr", kitSchema+":since pr",
		"active eq true", "active eq False", "active ne true", "name pr", "emails pr", "groups pr", "groups.value pr", kitSchema+":tags pr", kitSchema+":doors pr",
	)).Draw(t, "other")
}

func (p *population) valuePath(t *rapid.T, typ string) string {
	paths := []string{"members"}
	if typ == "User" {
		paths = []string{"emails", "phoneNumbers", kitSchema + ":doors", "groups"}
	}
	path := rapid.SampledFrom(paths).Draw(t, "elements")
	leaf := func() string {
		extra := []string{}
		switch path {
		case kitSchema + ":doors":
			extra = []string{"floor eq 1", "floor ne 1", "opened ge " + quote(dates[0]), "primary eq true"}
		case "emails":
			extra = []string{"primary eq true", "primary ne true", "display pr"}
		}
		if len(extra) > 0 && rapid.IntRange(0, 3).Draw(t, "extra") == 0 {
			return rapid.SampledFrom(extra).Draw(t, "extra leaf")
		}
		return p.textComparison(t, typ, rapid.SampledFrom(elementPaths[path]).Draw(t, "sub"))
	}
	inner := leaf()
	for range rapid.IntRange(0, 2).Draw(t, "more") {
		inner = rapid.SampledFrom([]string{inner + " and " + leaf(), inner + " and " + leaf(), "(" + inner + ") or " + leaf(), "not (" + inner + ")"}).Draw(t, "join")
	}
	return path + "[" + inner + "]"
}

// fixedFilters are shapes that a generator meets too rarely.
func fixedFilters(p *population, typ string) []string {
	user, group := p.all["User"][7], p.all["Group"][2]
	uid, gid := quote(user.ID), quote(group.ID)
	if typ == "Group" {
		return []string{
			fmt.Sprintf("members.value eq %s", uid), fmt.Sprintf("members eq %s", gid), fmt.Sprintf("members[value eq %s]", uid),
			fmt.Sprintf("members[value eq %s and type eq \"user\"]", uid), fmt.Sprintf("not (members.value eq %s)", uid),
			fmt.Sprintf("members ne %s", uid), fmt.Sprintf("id eq %s", gid), fmt.Sprintf("id eq %s and displayName pr", gid),
			fmt.Sprintf("id eq %s or members.value eq %s", gid, uid),
		}
	}
	text, _ := user.Attrs["userName"].(string)
	name := quote(text)
	out := []string{
		fmt.Sprintf("userName eq %s", name), fmt.Sprintf("id eq %s", uid), fmt.Sprintf("externalId eq %s", quote(user.ExternalID)),
		fmt.Sprintf("userName eq %s and active eq true", name), fmt.Sprintf("userName eq %s or id eq %s", name, uid),
		fmt.Sprintf("(userName eq %s or title co \"n\") and (active eq false or id sw \"0\")", name),
	}
	for _, date := range dates {
		for _, op := range orderOps {
			out = append(out, kitSchema+":since "+op+" "+quote(date))
		}
		out = append(out, kitSchema+":doors[opened eq "+quote(date)+"]")
	}
	for _, g := range p.all["Group"] {
		id := quote(g.ID)
		out = append(out, fmt.Sprintf("groups.value eq %s", id), fmt.Sprintf("groups[value eq %s and type eq \"indirect\"]", id),
			fmt.Sprintf("groups[value eq %s and type eq \"direct\"]", id), fmt.Sprintf("groups ne %s", id),
			fmt.Sprintf("groups.value eq %s or userName eq %s", id, name))
	}
	return out
}
