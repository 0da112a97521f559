package scim

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// printMembers prints member operations: "+a,b" add, "-a" remove, "=a,b" set, "?filter" remove where.
func printMembers(ops []MemberOp) string {
	var out []string
	for _, op := range ops {
		sign := map[MemberOpKind]string{AddMembers: "+", RemoveMembers: "-", SetMembers: "=", RemoveMembersWhere: "?"}[op.Kind]
		if op.Where != nil {
			sign += op.Where.String()
		}
		out = append(out, sign+strings.Join(op.Values, ","))
	}
	return strings.Join(out, " ")
}

var memberCases = []struct{ name, ops, want, tolerances string }{
	{"R-56", `[{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"},{"value":"u2","display":"N"},{"value":"u1"}]}]`, "+u1,u2", "op-case"},
	{"R-57", `[{"op":"Remove","path":"members","value":[{"value":"u1"},{"value":"u2"}]}]`, "-u1,u2", "op-case remove-value"},
	{"R-57 none", `[{"op":"remove","path":"members","value":[]}]`, "", "remove-value"},
	{"R-58", `[{"op":"remove","path":"members[value eq \"u1\"]"}]`, "-u1", ""},
	{"R-58 several", `[{"op":"remove","path":"members[value eq \"u1\" or (value eq \"u2\" or value eq \"u1\")]"}]`, "-u1,u2", ""},
	{"R-58 other filter", `[{"op":"remove","path":"members[type eq \"Group\" and not (value eq \"g\")]"}]`, `?type eq "Group" and not (value eq "g")`, ""},
	{"R-58 value ne", `[{"op":"remove","path":"members[value ne \"u1\"]"}]`, `?value ne "u1"`, ""},
	{"R-59", `[{"op":"remove","path":"members"}]`, "=", ""},
	{"R-60", `[{"op":"replace","path":"members","value":[{"value":"u1"}]}]`, "=u1", ""},
	{"R-60 empty", `[{"op":"replace","path":"members","value":[]}]`, "=", ""},
	{"R-60 path-less", `[{"op":"replace","value":{"members":[],"id":"g","displayName":"Staff"}}]`, "=", "readonly-ignored"},
	{"path-less add", `[{"op":"add","value":{"members":[{"value":"u1"}]}}]`, "+u1", ""},
	{"path-less null", `[{"op":"replace","value":{"members":null}}]`, "", "null-members"},
	{"add nothing", `[{"op":"add","path":"members","value":[]}]`, "", ""},
	{"add null", `[{"op":"add","path":"members","value":null}]`, "", "add-null"},
	{"R-63", `[{"op":"remove","path":"members[value eq \"u1\"]"},{"op":"add","path":"members","value":[{"value":"u2","display":"name"}]}]`, "-u1 +u2", ""},
	{"P5", `[{"op":"add","path":"members","value":[{"value":"u"}]},{"op":"remove","path":"members[value eq \"u\"]"}]`, "+u -u", ""},
	{"V24", `[{"op":"replace","path":"members","value":[{"value":"a"},{"value":"b"}]},{"op":"remove","path":"members[value eq \"a\"]"}]`, "=a,b -a", ""},
	{"RFC replace all", `[{"op":"remove","path":"members"},{"op":"add","path":"members","value":[{"display":"B","$ref":"https://x/Users/1","value":"1"}]}]`, "= +1", ""},
	{"Postman bare strings", `[{"op":"add","path":"members","value":"id1"},{"op":"add","path":"members","value":["id2"]}]`, "+id1,id2", "single-for-list plain-value"},
	{"Postman stray keys", `[{"op":"add","path":"members","value":[{"value":"u","id":"x","name":{"a":1},"displayName":"N"}]}]`, "+u", ""},
	{"one by one", `[{"op":"add","path":"members","value":[{"value":"a"}]},{"op":"add","path":"members","value":[{"value":"b"}]},{"op":"add","path":"members","value":[{"value":"a"}]},
		{"op":"remove","path":"members[value eq \"a\"]"},{"op":"remove","path":"members[value eq \"c\"]"},{"op":"add","path":"members","value":[{"value":"c"}]}]`, "+a,b -a,c +c", ""},
	{"one object", `[{"op":"add","path":"members","value":{"Value":"u"}}]`, "+u", "single-for-list"},
	{"authentik", `[{"op":"remove","path":"members","value":[{"value":"u1"}]},{"op":"add","path":"members","value":[{"value":"u2"}]}]`, "-u1 +u2", "remove-value"},
	{"URN path", `[{"op":"add","path":"` + GroupSchema + `:members","value":[{"value":"u"}]}]`, "+u", ""},
	{"members.value", `[{"op":"add","path":"members.value","value":"u1"},{"op":"remove","path":"members.value","value":["u2"]}]`, "+u1 -u2", "members-value single-for-list plain-value remove-value"},
	{"members[].value remove", `[{"op":"remove","path":"members[value eq \"u1\"].value"}]`, "-u1", ""},
	{"members[] with value", `[{"op":"remove","path":"members[value eq \"u1\" or value eq \"u2\"]","value":[{"value":"u2"},{"value":"u3"}]}]`, "-u2", "remove-value"},
	{"add by value path", `[{"op":"add","path":"members[value eq \"u1\"]","value":[{"display":"N"}]}]`, "+u1", ""},
	{"replace by value path", `[{"op":"replace","path":"members[value eq \"u1\"]","value":[{"value":"u2"}]}]`, "-u1 +u2", ""},
	{"replace by value path, same", `[{"op":"replace","path":"members[value eq \"u1\"]","value":[{"value":"u1","display":"N"}]}]`, "+u1", ""},
	{"display of a member", `[{"op":"replace","path":"members[value eq \"u1\"].display","value":"N"}]`, "", "member-sub"},
}

func TestPatch_Members(t *testing.T) {
	for _, tt := range memberCases {
		t.Run(tt.name, func(t *testing.T) {
			r := Resource{Type: "Group", ID: "g", Attrs: Object{"displayName": "Staff"}}
			got, err := Default().Patch(r, operations(t, tt.ops), PatchOptions{})
			if err != nil {
				t.Fatalf("Patch(%s): %v", tt.ops, err)
			}
			if s := printMembers(got.Members); s != tt.want {
				t.Errorf("Patch(%s): members %q, want %q", tt.ops, s, tt.want)
			}
			if s := strings.Join(got.Tolerances, " "); s != tt.tolerances {
				t.Errorf("Patch(%s): tolerances %q, want %q", tt.ops, s, tt.tolerances)
			}
			if got.Changed || !reflect.DeepEqual(got.Attrs, r.Attrs) {
				t.Errorf("Patch(%s) changed the attributes to %v", tt.ops, got.Attrs)
			}
		})
	}
}

func TestPatch_MembersWhereIsBound(t *testing.T) {
	r := Resource{Type: "Group", ID: "g", Attrs: Object{"displayName": "Staff"}}
	got, err := Default().Patch(r, operations(t, `[{"op":"remove","path":"members[type eq \"group\"]"}]`), PatchOptions{})
	if err != nil || len(got.Members) != 1 {
		t.Fatalf("Patch = %v, %v", got, err)
	}
	where := got.Members[0].Where
	if !MatchMember(where, Ref{Value: "g2", Type: "Group"}) || MatchMember(where, Ref{Value: "u1", Type: "User"}) {
		t.Errorf("Where %s matches the wrong members", where)
	}
}

func TestPatch_GroupRename(t *testing.T) {
	for _, ops := range []string{
		`[{"op":"replace","value":{"id":"g","displayName":"New"}}]`,
		`[{"op":"Replace","path":"displayName","value":"New"}]`,
	} {
		r := Resource{Type: "Group", ID: "g", Attrs: Object{"displayName": "Staff"}}
		got, err := Default().Patch(r, operations(t, ops), PatchOptions{})
		if err != nil || got.Attrs["displayName"] != "New" || !got.Changed || got.Members != nil {
			t.Errorf("Patch(%s) = %+v, %v", ops, got, err)
		}
	}
}

func TestPatch_MemberErrors(t *testing.T) {
	for _, tt := range []struct {
		ops    string
		kind   ErrorType
		detail string
	}{
		{`[{"op":"replace","path":"members"}]`, InvalidValue, `send [] to empty the group`},
		{`[{"op":"add","path":"members","value":[{"display":"x"}]}]`, InvalidValue, `members[0].value is required`},
		{`[{"op":"add","path":"members","value":[{"value":"u"},{"value":""}]}]`, InvalidValue, `members[1].value`},
		{`[{"op":"add","path":"members","value":[5]}]`, InvalidValue, `members[0].value`},
		{`[{"op":"add","path":"members","value":[{"value":5}]}]`, InvalidValue, `members[0].value`},
		{`[{"op":"replace","path":"members","value":[null]}]`, InvalidValue, `members[0].value`},
		{`[{"op":"replace","path":"members.value","value":"u"}]`, Mutability, `members.value cannot be changed`},
		{`[{"op":"remove","path":"members.value"}]`, Mutability, `members.value cannot be changed`},
		{`[{"op":"replace","path":"members.type","value":"User"}]`, Mutability, `members.type cannot be changed`},
		{`[{"op":"remove","path":"members[bogus eq 1]"}]`, InvalidFilter, `no sub-attribute "bogus"`},
		{`[{"op":"remove","path":"members[$ref eq \"x\"]"}]`, InvalidFilter, `$ref`},
		{`[{"op":"add","path":"members[type eq \"User\"]","value":[{"value":"u"}]}]`, InvalidPath, `members[value eq`},
		{`[{"op":"remove","path":"members[type eq \"User\"]","value":[{"value":"u"}]}]`, InvalidValue, `has no value`},
		{`[{"op":"remove","path":"displayName"}]`, Mutability, `displayName is required`},
	} {
		r := Resource{Type: "Group", ID: "g", Attrs: Object{"displayName": "Staff"}}
		got, err := Default().Patch(r, operations(t, tt.ops), PatchOptions{})
		e, _ := errors.AsType[*Error](err)
		if e == nil || e.Type != tt.kind || !strings.Contains(e.Detail, tt.detail) {
			t.Errorf("Patch(%s) = %+v, %v, want %s with %q", tt.ops, got, err, tt.kind, tt.detail)
		}
	}
}

func TestPatch_MembersStrict(t *testing.T) {
	for _, tt := range []struct{ ops, want string }{
		{`[{"op":"remove","path":"members[value eq \"u\"]"},{"op":"add","path":"members","value":[{"value":"u"}]}]`, "-u +u"},
		{`[{"op":"remove","path":"members","value":[{"value":"u"}]}]`, ""},
		{`[{"op":"add","path":"members","value":["u"]}]`, ""},
		{`[{"op":"add","path":"members","value":{"value":"u"}}]`, ""},
		{`[{"op":"replace","path":"members[value eq \"u\"].display","value":"x"}]`, ""},
		{`[{"op":"replace","value":{"members":null}}]`, ""},
	} {
		r := Resource{Type: "Group", ID: "g", Attrs: Object{"displayName": "Staff"}}
		got, err := Default().Patch(r, operations(t, tt.ops), PatchOptions{Strict: true})
		if (err == nil) != (tt.want != "") || printMembers(got.Members) != tt.want {
			t.Errorf("strict Patch(%s) = %s, %v, want %q", tt.ops, printMembers(got.Members), err, tt.want)
		}
	}
}

// TestPatch_ManyMembers is R-66: a large group in one operation.
func TestPatch_ManyMembers(t *testing.T) {
	var list []any
	for i := range 20_000 {
		list = append(list, Object{"value": fmt.Sprint("u", i%10_000)})
	}
	r := Resource{Type: "Group", ID: "g", Attrs: Object{"displayName": "Staff"}}
	got, err := Default().Patch(r, []Op{{Op: "add", Path: "members", Value: list}}, PatchOptions{})
	if err != nil || len(got.Members) != 1 || len(got.Members[0].Values) != 10_000 {
		t.Errorf("Patch: %d operations, %v", len(got.Members), err)
	}
}
