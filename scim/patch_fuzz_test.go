package scim

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

// thingBase is a user with attributes of the core, the enterprise extension and thingSchema.
const thingBase = `{"userName":"ann","active":true,"title":"T","name":{"givenName":"Ann"},
	"emails":[{"value":"a@x","type":"work","primary":true},{"value":"b@x","type":"home"}],
	"` + EnterpriseSchema + `":{"employeeNumber":"1","manager":{"value":"m","displayName":"Max"}},
	"` + thingSchema + `":{"badge":"b","serial":"9","tags":["x","y"],"count":1,"lock":{"code":"c","level":"l"},"doors":[{"name":"A","code":"1"}]}}`

// FuzzPatch checks that Patch never panics, leaves its argument alone, keeps what is readOnly or immutable, and
// makes nothing that the schema does not know.
func FuzzPatch(f *testing.F) {
	for _, tt := range patchCases {
		f.Add(tt.ops)
	}
	for _, tt := range patchErrors {
		f.Add(tt.ops)
	}
	for _, tt := range memberCases {
		f.Add(tt.ops)
	}
	f.Add(`[{"op":"add","path":"` + thingSchema + `:doors[name eq \"B\"].code","value":"2"},{"op":"replace","value":{"` + thingSchema + `":{"tags":"z","lock":{"note":"n"},"count":"5"}}}]`)
	g := thingRegistry(f)
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseJSON([]byte(s), 0)
		list, ok := v.([]any)
		if err != nil || !ok {
			return
		}
		var ops []Op
		for _, e := range list {
			o, _ := e.(Object)
			op := Op{Value: o["value"]}
			op.Op, _ = o["op"].(string)
			op.Path, _ = o["path"].(string)
			ops = append(ops, op)
		}
		for _, strict := range []bool{false, true} {
			for _, r := range []Resource{{Type: "User", ID: "u", Attrs: object(t, thingBase)}, {Type: "Group", ID: "g", Attrs: Object{"displayName": "S"}}} {
				checkPatch(t, g, r, ops, PatchOptions{Strict: strict})
			}
		}
	})
}

func checkPatch(t *testing.T, g *Registry, r Resource, ops []Op, o PatchOptions) {
	before := Object{"displayName": "S"}
	if r.Type == "User" {
		before = object(t, thingBase)
	}
	got, err := g.Patch(r, ops, o)
	if !reflect.DeepEqual(r.Attrs, before) {
		t.Fatalf("Patch(%v) changed its argument to %v", ops, r.Attrs)
	}
	if err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Type == "" || e.Detail == "" || !reflect.DeepEqual(got, PatchResult{}) {
			t.Fatalf("Patch(%v) = %v, %#v", ops, got, err)
		}
		return
	}
	if got.Changed != (got.ExternalID != "" || !reflect.DeepEqual(got.Attrs, before)) {
		t.Fatalf("Patch(%v): Changed %v, %v", ops, got.Changed, got.Attrs)
	}
	if !o.Strict && len(got.Members) > 0 && r.Type != "Group" {
		t.Fatalf("Patch(%v) of a user has members %v", ops, got.Members)
	}
	checkObject(t, g, r.Type, "", got.Attrs)
	checkSequence(t, g, r, ops, o, got)
	if r.Type != "User" {
		return
	}
	thing, _ := got.Attrs[thingSchema].(Object)
	lock, _ := thing["lock"].(Object)
	if thing["serial"] != "9" || thing["badge"] != "b" || lock != nil && lock["code"] != "c" {
		t.Fatalf("Patch(%v) changed a readOnly or immutable attribute: %v", ops, thing)
	}
	if got.Attrs["userName"] == nil {
		t.Fatalf("Patch(%v) removed the userName", ops)
	}
}

// checkSequence fails if the operations give something else one by one (RFC 7644 §3.5.2: the result of each is the
// target of the next).
func checkSequence(t *testing.T, g *Registry, r Resource, ops []Op, o PatchOptions, whole PatchResult) {
	var members []MemberOp
	for i := range ops {
		step, err := g.Patch(r, ops[i:i+1], o)
		if err != nil {
			return // a required attribute that a later operation sets again
		}
		r.Attrs, r.ExternalID = step.Attrs, step.ExternalID
		members = append(members, step.Members...)
	}
	if !reflect.DeepEqual(r.Attrs, whole.Attrs) || r.ExternalID != whole.ExternalID || !reflect.DeepEqual(joined(members), whole.Members) {
		t.Fatalf("Patch(%v) = %v, one by one %v", ops, whole, r)
	}
}

// checkObject fails if an attribute is not in the schema, not spelled as there, empty, or of another type.
func checkObject(t *testing.T, g *Registry, typ, urn string, o Object) {
	t.Helper()
	for name, v := range o {
		if x := g.Schema(name); urn == "" && x != nil && x.ID == name {
			checkObject(t, g, typ, name, v.(Object))
			continue
		}
		ref, ok := g.Resolve(typ, AttrPath{URN: urn, Name: name})
		if !ok || ref.Attr.Name != name || ref.Ext != urn || isRelation(g.Type(typ), ref) || ref.Attr.Mutability == "writeOnly" {
			t.Fatalf("%s is no stored attribute", name)
		}
		if list, many := v.([]any); many != ref.Attr.MultiValued || many && len(list) == 0 {
			t.Fatalf("%s = %v", name, v)
		}
		primaries := 0
		for _, e := range listOf(v) {
			checkOne(t, ref.Attr, e)
			if isPrimary(e) {
				primaries++
			}
		}
		if primaries > 1 {
			t.Fatalf("%s has %d primary values: %v", name, primaries, v)
		}
	}
}

func checkOne(t *testing.T, a *Attribute, v any) {
	t.Helper()
	ok := false
	switch a.Type {
	case Complex:
		o, _ := v.(Object)
		ok = len(o) > 0
		for name, sub := range o {
			def := subAttribute(a, name)
			if def == nil || def.Name != name {
				t.Fatalf("%s.%s is no sub-attribute", a.Name, name)
			}
			checkOne(t, def, sub)
		}
	case Boolean:
		_, ok = v.(bool)
	case Integer:
		_, ok = v.(int64)
	case Decimal:
		_, ok = v.(float64)
	default:
		_, ok = v.(string)
	}
	if !ok {
		t.Fatalf("%s = %s, which is no %s", a.Name, fmt.Sprintf("%#v", v), a.Type)
	}
}

// FuzzBind checks that a filter that was bound can be matched without a panic and that its negation matches the
// opposite.
func FuzzBind(f *testing.F) {
	for _, tt := range matchCases {
		f.Add(tt.filter)
	}
	for _, tt := range filterCases {
		f.Add(tt.in)
	}
	g, user, group := thingRegistry(f), ann(), staff()
	f.Fuzz(func(t *testing.T, s string) {
		filter, err := ParseFilter(s)
		if err != nil {
			return
		}
		for _, r := range []*Resource{&user, &group} {
			bound, err := g.Bind(r.Type, filter)
			if err != nil {
				if e, ok := errors.AsType[*Error](err); !ok || e.Type != InvalidFilter && e.Type != Sensitive {
					t.Fatalf("Bind(%q): %v", s, err)
				}
				continue
			}
			if _, perr := parseAgain(bound.String()); perr != nil {
				t.Fatalf("Bind(%q) prints %s: %v", s, bound, perr)
			}
			negated, err := g.Bind(r.Type, &Not{filter})
			if err != nil || Match(bound, r) == Match(negated, r) {
				t.Fatalf("Match(%s) = Match(%s), %v", bound, negated, err)
			}
		}
	})
}
