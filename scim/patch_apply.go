package scim

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// MaxPatchOps is the most operations that one PATCH request may have; more are refused with tooLarge.
const MaxPatchOps = 1000

// PatchOptions says how a PATCH is read.
type PatchOptions struct {
	// Strict holds clients to the letter of RFC 7644 §3.5.2. What identity providers send beyond it is then
	// refused, where else it is understood, or ignored, and noted in PatchResult.Tolerances.
	Strict bool
}

// PatchResult is a resource after a PATCH.
type PatchResult struct {
	Attrs      Object
	ExternalID string
	Changed    bool       // Attrs or ExternalID differ from before; Members are not considered
	Members    []MemberOp // what is to be done to the membership, in this order
	Tolerances []string   // names of the tolerances that fired, each once, in order
}

// Names of the tolerances that Patch notes beyond those of Decode and Coerce, whose names it shares where the
// deviation is the same.
const (
	ToleratedOpCase      = "op-case"          // "Replace"
	ToleratedNullAdd     = "add-null"         // add of null, which adds nothing
	ToleratedNullActive  = "null-active"      // "active": null without a path, which leaves the state
	ToleratedDottedURN   = "dotted-urn"       // path "urn:…:User.manager"
	ToleratedReadOnly    = "readonly-ignored" // readOnly attribute in a value without a path (Okta's "id")
	ToleratedSchemasPath = "schemas-path"     // path "schemas", which changes nothing
	ToleratedCreated     = "element-created"  // replace with a value path that matched nothing
	ToleratedFilled      = "element-filled"   // replace of an element without what its value path says
	ToleratedHusk        = "element-dropped"  // an element lost its last value
	ToleratedRemoveValue = "remove-value"     // remove with a list of values
	ToleratedMemberValue = "members-value"    // path "members.value", which means the members themselves
	ToleratedMemberSub   = "member-sub"       // display or type of a member, which cannot be set
)

// Patch applies the operations of a PATCH request (RFC 7644 §3.5.2) in order to a resource whose Attrs are
// decoded. It is pure: r is not modified, and an error means that nothing is to be done. The membership of a
// group is not applied but described (see MemberOp).
//
// Decisions where the RFC leaves room or clients differ from it:
//   - A key without a path follows the rules of the same path, but readOnly and unknown attributes are ignored
//     (Okta sends "id"), and null where it would be dangerous (active, members).
//   - replace of a complex attribute keeps the sub-attributes that are not given (§3.5.2.3). If the "value" of
//     a reference changes, $ref and display names that are not given go, because they spoke of the old one.
//   - add to a list merges a value into an element with the same value and type.
//   - A value path that matches nothing makes an element from its equality terms, for add and for replace
//     (Strict: replace is noTarget), unless that element would not match the path either.
//   - replace of an element by a value path keeps type (or what else the path compares with eq) and primary if
//     the new value does not say otherwise (Strict: it is exactly the new value).
//   - An element that loses its last value goes (Strict: it stays, with type and primary).
//   - Required attributes are checked at the end: an operation may remove what a later one sets.
//
// Errors are *Error of type invalidSyntax, invalidPath, invalidFilter, invalidValue, noTarget, mutability,
// sensitive or tooLarge; the detail names the operation, counted from 1.
func (g *Registry) Patch(r Resource, ops []Op, o PatchOptions) (PatchResult, error) {
	t := g.Type(r.Type)
	switch {
	case t == nil:
		return PatchResult{}, Errorf(InvalidValue, "unknown resource type %s", Quote(r.Type))
	case len(ops) == 0:
		return PatchResult{}, Errorf(InvalidSyntax, "Operations is empty: a PATCH has at least one operation")
	case len(ops) > MaxPatchOps:
		return PatchResult{}, Errorf(TooLarge, "%d operations in one PATCH, the limit is %d", len(ops), MaxPatchOps)
	}
	p := &patcher{g: g, typ: t, strict: o.Strict, attrs: maps.Clone(r.Attrs), externalID: r.ExternalID}
	if p.attrs == nil {
		p.attrs = Object{}
	}
	for i, op := range ops {
		if err := p.apply(op); err != nil {
			return PatchResult{}, inOperation(i, op, err)
		}
	}
	if err := p.required(r.Attrs); err != nil {
		return PatchResult{}, err
	}
	return PatchResult{
		Attrs: p.attrs, ExternalID: p.externalID, Members: joined(p.members), Tolerances: p.tolerances,
		Changed: p.externalID != r.ExternalID || !equalValues(p.attrs, r.Attrs),
	}, nil
}

// equalValues compares two attributes in canonical form.
func equalValues(a, b any) bool {
	return !isPresent(a) && !isPresent(b) || reflect.DeepEqual(a, b)
}

// inOperation adds to an error which operation it is about.
func inOperation(i int, op Op, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	named := *e
	at := strings.ToLower(op.Op)
	if op.Path != "" {
		at += " " + Quote(op.Path)
	}
	named.Detail = fmt.Sprintf("operation %d (%.160s): %s", i+1, at, e.Detail)
	return &named
}

// patcher is the state of one Patch. Values in attrs are shared with the resource before: they are replaced,
// never written to.
type patcher struct {
	g          *Registry
	typ        *ResourceType
	strict     bool
	attrs      Object
	externalID string
	members    []MemberOp
	tolerances []string
	removed    []target // attributes that a remove took away
	worked     int      // comparisons made, see MaxPatchWork
}

func (p *patcher) note(tolerance string) {
	if !slices.Contains(p.tolerances, tolerance) {
		p.tolerances = append(p.tolerances, tolerance)
	}
}

// tolerate notes a tolerance, or in strict mode returns the error that stands for it.
func (p *patcher) tolerate(tolerance string, t ErrorType, format string, args ...any) error {
	if p.strict {
		return Errorf(t, format, args...)
	}
	p.note(tolerance)
	return nil
}

// verb is the kind of an operation.
type verb string

const (
	verbAdd     verb = "add"
	verbRemove  verb = "remove"
	verbReplace verb = "replace"
)

func (p *patcher) apply(op Op) error {
	v := verb(strings.ToLower(op.Op))
	if v != verbAdd && v != verbRemove && v != verbReplace {
		return Errorf(InvalidSyntax, `op is %s; expected "add", "remove" or "replace"`, Quote(op.Op))
	}
	if string(v) != op.Op {
		if err := p.tolerate(ToleratedOpCase, InvalidSyntax, `op is %s; write it %q`, Quote(op.Op), v); err != nil {
			return err
		}
	}
	if strings.TrimSpace(op.Path) == "" {
		if v == verbRemove {
			return Errorf(NoTarget, "a remove needs a path")
		}
		return p.applyObject(v, AttrPath{}, op.Value)
	}
	path, err := ParsePath(op.Path)
	if err != nil {
		return err
	}
	if urn, ok := p.schemaOf(path); ok {
		return p.applySchema(v, urn, op.Value)
	}
	t, err := p.target(path)
	if err != nil {
		return err
	}
	return p.applyTarget(v, t, op.Value)
}

// applyTarget applies one operation to one attribute.
func (p *patcher) applyTarget(v verb, t target, raw any) error {
	if handled, err := p.special(v, t, raw); handled {
		return err
	}
	if v == verbRemove {
		return p.remove(t, raw)
	}
	if raw == nil && v == verbAdd {
		return p.tolerate(ToleratedNullAdd, InvalidValue, "add needs a value")
	}
	return p.write(v, t, raw)
}

// applyObject applies an operation without a path, or one on a whole schema: value holds attributes by name.
// within is the schema that unqualified names belong to.
func (p *patcher) applyObject(v verb, within AttrPath, value any) error {
	o, ok := value.(Object)
	if !ok {
		return Errorf(InvalidValue, "value must be an object with attributes where the path names none")
	}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if err := p.applyKey(v, within, key, o[key]); err != nil {
			return err
		}
	}
	return nil
}

// applyKey applies one key of a value without a path.
func (p *patcher) applyKey(v verb, within AttrPath, key string, raw any) error {
	if within.URN == "" {
		if equalName(key, "schemas") {
			return nil // derived from the attributes
		}
		if urn, ok := p.schemaNamed(key); ok {
			if raw == nil {
				return nil
			}
			return p.applyObject(v, AttrPath{URN: urn}, raw)
		}
	} else {
		key = within.URN + ":" + key
	}
	path, err := ParsePath(key)
	var t target
	if err == nil {
		t, err = p.target(path)
	}
	if err != nil {
		return p.tolerate(ToleratedUnknown, InvalidPath, "%s has no attribute %s", p.typ.Name, Quote(key))
	}
	t.loose = true
	if within.URN == "" && path.Attr.URN != "" {
		p.note(ToleratedURNKey)
	} else if path.Attr.Sub != "" {
		p.note(ToleratedDottedKey)
	}
	return p.applyTarget(v, t, raw)
}

// applySchema applies an operation whose path is the URN of a schema.
func (p *patcher) applySchema(v verb, urn string, raw any) error {
	if v != verbRemove && raw != nil {
		return p.applyObject(v, AttrPath{URN: urn}, raw)
	}
	if v == verbAdd {
		return p.tolerate(ToleratedNullAdd, InvalidValue, "add needs a value")
	}
	if urn == p.typ.Schema {
		return Errorf(Mutability, "the attributes of %s cannot be removed together", urn)
	}
	held, _ := p.attrs[urn].(Object)
	for _, name := range slices.Sorted(maps.Keys(held)) {
		t, err := p.target(Path{Attr: AttrPath{URN: urn, Name: name}})
		if err != nil {
			return err
		}
		if err := p.applyTarget(verbRemove, t, nil); err != nil {
			return err
		}
	}
	return nil
}

// required checks that what the schema requires is still there. What the resource lacked before (its schema may
// have changed since) is not asked for.
func (p *patcher) required(before Object) error {
	for _, t := range p.removed {
		if t.ref.Attr.Required && p.get(t) == nil {
			return Errorf(Mutability, "%s is required and cannot be removed", t.ref.Name())
		}
	}
	shape := p.g.byName[p.typ.Name]
	err := shape.checkRequired(p.attrs)
	if err == nil {
		return nil
	}
	if old := shape.checkRequired(before); old != nil && old.Error() == err.Error() {
		return nil
	}
	return err
}
