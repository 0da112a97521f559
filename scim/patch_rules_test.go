package scim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestPatch_Strict has what only strict mode refuses.
func TestPatch_Strict(t *testing.T) {
	for _, tt := range []struct {
		ops  string
		kind ErrorType // "" if strict mode accepts it too
	}{
		{`[{"op":"Replace","path":"title","value":"x"}]`, InvalidSyntax},
		{`[{"op":"replace","path":"active","value":"False"}]`, InvalidValue},
		{`[{"op":"replace","path":"userName","value":""}]`, InvalidValue},
		{`[{"op":"replace","path":"ims[type eq \"xmpp\"].value","value":"x"}]`, NoTarget},
		{`[{"op":"replace","path":"ims[type eq \"xmpp\"]","value":{"value":"x"}}]`, NoTarget},
		{`[{"op":"add","path":"ims[type eq \"xmpp\"].value","value":"x"}]`, ""},
		{`[{"op":"replace","value":{"bogus":1}}]`, InvalidPath},
		{`[{"op":"replace","value":{"id":"x"}}]`, Mutability},
		{`[{"op":"add","path":"manager","value":{"value":"x"}}]`, InvalidPath},
		{`[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager","value":{"value":"x"}}]`, InvalidPath},
		{`[{"op":"add","path":"` + mgr + `","value":"x"}]`, InvalidValue},
		{`[{"op":"remove","path":"emails","value":[{"value":"ann@work"}]}]`, InvalidValue},
		{`[{"op":"add","path":"title","value":null}]`, InvalidValue},
		{`[{"op":"replace","value":{"active":null}}]`, InvalidValue},
		{`[{"op":"add","path":"schemas","value":["urn:x"]}]`, Mutability},
		{`[{"op":"remove","path":"` + work + `.value"}]`, ""},
		{`[{"op":"replace","path":"` + work + `","value":{"value":"x"}}]`, ""},
		{`[{"op":"replace","value":{"title":"T","name":{"givenName":"G"}}}]`, ""},
	} {
		r := Resource{Type: "User", ID: "u", Attrs: object(t, base)}
		got, err := Default().Patch(r, operations(t, tt.ops), PatchOptions{Strict: true})
		e, _ := errors.AsType[*Error](err)
		switch {
		case tt.kind == "" && (err != nil || len(got.Tolerances) > 0):
			t.Errorf("strict Patch(%s) = %v, tolerances %v, want neither", tt.ops, err, got.Tolerances)
		case tt.kind != "" && (e == nil || e.Type != tt.kind):
			t.Errorf("strict Patch(%s) = %v, want %s", tt.ops, err, tt.kind)
		}
	}
}

func TestPatch_StrictElement(t *testing.T) {
	r := Resource{Type: "User", ID: "u", Attrs: object(t, base)}
	got, err := Default().Patch(r, operations(t, `[{"op":"replace","path":"`+work+`","value":{"value":"x"}},{"op":"remove","path":"emails[type eq \"home\"].value"}]`), PatchOptions{Strict: true})
	if want := `[{"value":"x"},{"type":"home"}]`; err != nil || asJSON(t, got.Attrs["emails"]) != want {
		t.Errorf("emails = %s, %v, want %s", asJSON(t, got.Attrs["emails"]), err, want)
	}
}

func TestPatch_OwnSchema(t *testing.T) {
	g := thingRegistry(t)
	const before = `{"userName":"ann","` + thingSchema + `":{"badge":"AbC","serial":"9","tags":["Red","blue"],"count":5,"since":"2020-01-01T00:00:00Z",
		"lock":{"code":"1","note":"n","level":"l"},"doors":[{"name":"A","code":"x","floor":1},{"name":"B","opened":"2020-01-01T12:00:00Z"}]}}`
	for _, tt := range []struct {
		op, path, value string
		want            string // the attribute afterwards
		kind            ErrorType
	}{
		{"replace", "badge", `"AbC"`, `"AbC"`, ""},
		{"replace", "badge", `"other"`, ``, Mutability},
		{"remove", "badge", `null`, ``, Mutability},
		{"replace", "serial", `"1"`, ``, Mutability},
		{"remove", thingSchema, `null`, ``, Mutability},
		{"add", "tags", `["RED","green"]`, `["Red","blue","green"]`, ""},
		{"replace", "tags", `"one"`, `["one"]`, ""},
		{"remove", `tags[value eq "red"]`, `null`, `["blue"]`, ""},
		{"remove", "tags", `["BLUE"]`, `["Red"]`, ""},
		{"replace", `tags[value eq "red"]`, `"green"`, `["green","blue"]`, ""},
		{"replace", `tags[value eq "none"]`, `"green"`, ``, NoTarget},
		{"add", `tags[value eq "x"]`, `"x"`, `["Red","blue","x"]`, ""},
		{"replace", `tags[value pr].value`, `"x"`, ``, InvalidPath},
		{"replace", "count", `"6"`, `6`, ""},
		{"replace", "count", `6.5`, ``, InvalidValue},
		{"replace", "since", `"soon"`, ``, InvalidValue},
		{"replace", "lock.code", `"2"`, ``, Mutability},
		{"replace", "lock", `{"note":"m"}`, `{"code":"1","level":"l","note":"m"}`, ""},
		{"remove", "lock.level", `null`, ``, Mutability},
		{"replace", "lock.level", `""`, ``, InvalidValue},
		{"remove", "lock", `null`, ``, Mutability},
		{"replace", `doors[name eq "a"].code`, `"y"`, ``, Mutability},
		{"replace", `doors[name eq "b"].code`, `"y"`, `[{"code":"x","floor":1,"name":"A"},{"code":"y","name":"B","opened":"2020-01-01T12:00:00Z"}]`, ""},
		{"replace", `doors[name eq "a"]`, `{"floor":3}`, `[{"code":"x","floor":3,"name":"a"},{"name":"B","opened":"2020-01-01T12:00:00Z"}]`, ""},
		{"add", "doors", `[{"floor":3}]`, ``, InvalidValue},
		{"remove", `doors[floor eq 1].name`, `null`, ``, Mutability},
		{"remove", `doors[opened lt "2020-01-01T13:00:00+00:30"]`, `null`, `[{"code":"x","floor":1,"name":"A"}]`, ""},
		{"add", `doors[name eq "C" and opened eq "2021-01-01T00:00:00Z" and floor eq 7].code`, `"c"`,
			`[{"code":"x","floor":1,"name":"A"},{"name":"B","opened":"2020-01-01T12:00:00Z"},{"code":"c","floor":7,"name":"C","opened":"2021-01-01T00:00:00Z"}]`, ""},
	} {
		path := tt.path
		if path != thingSchema {
			path = thingSchema + ":" + path
		}
		ops := fmt.Sprintf(`[{"op":%q,"path":%q,"value":%s}]`, tt.op, path, tt.value)
		r := Resource{Type: "User", ID: "u", Attrs: object(t, before)}
		got, err := g.Patch(r, operations(t, ops), PatchOptions{})
		e, _ := errors.AsType[*Error](err)
		if tt.kind != "" {
			if e == nil || e.Type != tt.kind {
				t.Errorf("Patch(%s) = %v, want %s", ops, err, tt.kind)
			}
			continue
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(path, thingSchema+":"), "[")
		if err != nil {
			t.Errorf("Patch(%s): %v", ops, err)
		} else if now := asJSON(t, got.Attrs[thingSchema].(Object)[name]); now != tt.want {
			t.Errorf("Patch(%s): %s = %s, want %s", ops, name, now, tt.want)
		}
	}
}

// TestPatch_RequiredBefore checks that a resource that lacked a required attribute can still be patched.
func TestPatch_RequiredBefore(t *testing.T) {
	r := Resource{Type: "User", ID: "u", Attrs: Object{"title": "T"}}
	if _, err := Default().Patch(r, []Op{{Op: "replace", Path: "title", Value: "U"}}, PatchOptions{}); err != nil {
		t.Errorf("Patch of a user without userName: %v", err)
	}
}

func TestPatch_Limits(t *testing.T) {
	ops := make([]Op, MaxPatchOps+1)
	for i := range ops {
		ops[i] = Op{Op: "add", Path: "title", Value: "x"}
	}
	r := Resource{Type: "User", Attrs: object(t, base)}
	if _, err := Default().Patch(r, ops[1:], PatchOptions{}); err != nil {
		t.Errorf("%d operations: %v", MaxPatchOps, err)
	}
	if e, _ := errors.AsType[*Error](second(Default().Patch(r, ops, PatchOptions{}))); e == nil || e.Type != TooLarge || !strings.Contains(e.Detail, "1000") {
		t.Errorf("%d operations: %v, want tooLarge", len(ops), e)
	}
}

// TestPatch_Work checks that the time of a PATCH is bounded: many operations on many values, filters of many terms,
// long values, and long lists of values to remove.
func TestPatch_Work(t *testing.T) {
	const values = 500
	plain, long := make([]any, values), make([]any, values)
	for i := range plain {
		plain[i] = Object{"value": fmt.Sprint("a", i), "type": "work"}
		long[i] = Object{"value": fmt.Sprint("a", i), "display": strings.Repeat("Ä", 500)}
	}
	removals := make([]any, 5*values)
	for i := range removals {
		removals[i] = Object{"display": fmt.Sprint(i)}
	}
	filter := `emails[value eq "none"` + strings.Repeat(` or value eq "b"`, 59) + `]`
	one := func(op Op, times int) []Op { return slices.Repeat([]Op{op}, times) }
	for _, tt := range []struct {
		name string
		list []any
		ops  []Op
		ok   bool
	}{
		{"many operations", plain, one(Op{Op: "remove", Path: `emails[value eq "none"]`}, 1000), true},
		{"many operations, many terms", plain, one(Op{Op: "remove", Path: filter}, 1000), false},
		{"some operations, many terms", plain, one(Op{Op: "remove", Path: filter}, 10), true},
		{"many operations, long values", long, one(Op{Op: "remove", Path: `emails[display eq "none"]`}, 1000), false},
		{"values to remove", plain, one(Op{Op: "remove", Path: "emails", Value: removals}, 1), false},
		{"adds", plain, one(Op{Op: "add", Path: "emails", Value: plain}, 1000), false},
	} {
		r := Resource{Type: "User", Attrs: Object{"userName": "u", "emails": tt.list}}
		_, err := Default().Patch(r, tt.ops, PatchOptions{})
		e, _ := errors.AsType[*Error](err)
		if tt.ok && err != nil || !tt.ok && (e == nil || e.Type != TooLarge || !strings.Contains(e.Detail, fmt.Sprint(MaxPatchWork))) {
			t.Errorf("%s: %v, want success %v", tt.name, err, tt.ok)
		}
	}
}

func second[T any](_ T, err error) error { return err }
