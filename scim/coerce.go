package scim

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Names of the tolerances that Decode and Coerce note when they accept what the standard does not.
const (
	ToleratedBooleanString = "boolean-string"       // "True" for true
	ToleratedNumberString  = "number-string"        // "5" for 5
	ToleratedIntegerForm   = "integer-form"         // 5.0 or 5e0 for an integer
	ToleratedEmptyString   = "empty-string"         // "" for an absent value
	ToleratedEmptyElement  = "empty-element"        // {"type":"work","value":""} in a list: dropped
	ToleratedPlainValue    = "plain-value"          // "x" for {"value":"x"}
	ToleratedListForSingle = "list-for-single"      // ["x"] for "x"
	ToleratedSingleForList = "single-for-list"      // "x" for ["x"]
	ToleratedPrimary       = "primary"              // several elements with primary true: the first stays
	ToleratedUnknown       = "unknown-attribute"    // ignored
	ToleratedSchema        = "unknown-schema"       // ignored
	ToleratedNoSchemas     = "schemas-incomplete"   // schemas without the core URN, or none
	ToleratedUndeclared    = "undeclared-extension" // data of an extension that schemas does not list
	ToleratedURNKey        = "urn-key"              // "urn:…:User:department" as a key
	ToleratedDottedKey     = "dotted-key"           // "name.givenName" as a key
	ToleratedBareKey       = "bare-extension-key"   // "department" at the top
	ToleratedNullMembers   = "null-members"         // "members": null, which leaves them as they are
)

// Coerce brings one value of an attribute (one element, if it is multi-valued) into canonical form: the right Go
// type, names of sub-attributes in the schema's spelling, canonical values in theirs. Sub-attributes that are
// readOnly are dropped, nulls and empty complex values are absent. The result is nil if nothing is left. A value
// of the wrong type is an *Error of type invalidValue, an unknown sub-attribute in Strict one of invalidSyntax.
// note is told which tolerance was needed, if any; it may be nil. v is not changed and may share memory with the
// result. Whether required sub-attributes are there is not checked: a PATCH may give the rest.
func (g *Registry) Coerce(a *Attribute, v any, o DecodeOptions, note func(tolerance string)) (any, error) {
	if note == nil {
		note = func(string) {}
	}
	c := coercer{strict: o.Strict, note: note}
	return c.value(nil, a, v)
}

// coercer turns values into canonical ones. Its methods return untyped nil for an absent value.
type coercer struct {
	strict bool
	note   func(string)
}

// whole brings all values of an attribute into canonical form: a list for a multi-valued one, with at most one
// primary element.
func (c *coercer) whole(a *Attribute, v any) (any, error) {
	if !a.MultiValued {
		return c.value(nil, a, v)
	}
	var list []any
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		list = v
	default:
		if c.strict {
			return nil, Errorf(InvalidValue, "%s must be a list", a.Name)
		}
		c.note(ToleratedSingleForList)
		list = []any{v}
	}
	out := make([]any, 0, len(list))
	for _, v := range list {
		e, err := c.value(nil, a, v)
		if err != nil {
			return nil, err
		}
		if e != nil {
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	if err := c.onePrimary(a, out); err != nil {
		return nil, err
	}
	return out, nil
}

// onePrimary leaves primary true on the first element that has it (RFC 7643 §2.4).
func (c *coercer) onePrimary(a *Attribute, list []any) error {
	if a.Type != Complex {
		return nil
	}
	found := false
	for _, e := range list {
		o, _ := e.(Object)
		if yes, _ := o["primary"].(bool); !yes {
			continue
		}
		if found {
			if c.strict {
				return Errorf(InvalidValue, "%s has more than one element with primary true", a.Name)
			}
			c.note(ToleratedPrimary)
			o["primary"] = false
		}
		found = true
	}
	return nil
}

// value brings one value of a into canonical form; parent is the attribute whose sub-attribute a is, or nil.
func (c *coercer) value(parent, a *Attribute, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	if list, ok := v.([]any); ok && (!a.MultiValued || parent != nil) {
		if len(list) > 1 || c.strict && len(list) > 0 {
			return nil, c.wrong(parent, a, v)
		}
		if len(list) == 0 {
			return nil, nil
		}
		c.note(ToleratedListForSingle)
		v = list[0]
		if _, nested := v.([]any); nested {
			return nil, c.wrong(parent, a, v)
		}
		if v == nil {
			return nil, nil
		}
	}
	if a.Type == Complex {
		return c.complex(a, v)
	}
	if s, ok := v.(string); ok {
		return c.text(parent, a, s)
	}
	switch a.Type {
	case Boolean:
		if _, ok := v.(bool); ok {
			return v, nil
		}
	case Integer:
		return c.integer(parent, a, v)
	case Decimal:
		switch n := v.(type) {
		case float64:
			return v, nil
		case int64:
			return float64(n), nil
		}
	}
	return nil, c.wrong(parent, a, v)
}

// text is value for a string.
func (c *coercer) text(parent, a *Attribute, s string) (any, error) {
	if s == "" && !c.strict {
		c.note(ToleratedEmptyString)
		return nil, nil
	}
	switch a.Type {
	case String:
		return canonicalText(a, s), nil
	case Reference:
		return s, nil
	case DateTime:
		if _, ok := ParseDateTime(s); ok {
			return s, nil
		}
	case Binary:
		if validBase64(s) {
			return s, nil
		}
	case Boolean:
		if !c.strict && (equalName(s, "true") || equalName(s, "false")) {
			c.note(ToleratedBooleanString)
			return len(s) == 4, nil
		}
	case Integer:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && !c.strict {
			c.note(ToleratedNumberString)
			return n, nil
		}
	case Decimal:
		if strings.Trim(s, "0123456789+-.eE") == "" && !c.strict {
			if f, err := strconv.ParseFloat(s, 64); err == nil {
				c.note(ToleratedNumberString)
				return f, nil
			}
		}
	}
	return nil, c.wrong(parent, a, s)
}

// canonicalText returns s in the spelling of the canonical value that it equals but for case.
func canonicalText(a *Attribute, s string) string {
	if a.CaseExact {
		return s
	}
	for _, canonical := range a.CanonicalValues {
		if s == canonical {
			return s
		}
	}
	for _, canonical := range a.CanonicalValues {
		if strings.EqualFold(s, canonical) {
			return canonical
		}
	}
	return s
}

func (c *coercer) integer(parent, a *Attribute, v any) (any, error) {
	switch n := v.(type) {
	case int64:
		return v, nil
	case float64: // RFC 7643 §2.3.4 allows neither fraction nor exponent
		if !c.strict && n == math.Trunc(n) && math.Abs(n) <= 1<<53 {
			c.note(ToleratedIntegerForm)
			return int64(n), nil
		}
	}
	return nil, c.wrong(parent, a, v)
}

// complex is value for a complex attribute.
func (c *coercer) complex(a *Attribute, v any) (any, error) {
	o, ok := v.(Object)
	if !ok {
		return c.plain(a, v)
	}
	out := make(Object, len(o))
	hits := 0
	for _, sub := range a.SubAttributes {
		v, ok := o[sub.Name]
		if !ok {
			continue
		}
		hits++
		if err := c.sub(a, sub, v, out); err != nil {
			return nil, err
		}
	}
	if hits < len(o) {
		if err := c.otherSpellings(a, o, out); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	if a.MultiValued && !c.strict && hollow(a, out) {
		c.note(ToleratedEmptyElement)
		return nil, nil
	}
	return out, nil
}

// hollow reports whether an element has nothing but a type and primary although its attribute has a value: some
// clients send a slot for each type, filled or not.
func hollow(a *Attribute, o Object) bool {
	for name := range o {
		if name != "type" && name != "primary" {
			return false
		}
	}
	return subAttribute(a, "value") != nil
}

// plain is complex for a value that is no object: a string means {"value": string} where there is such a
// sub-attribute.
func (c *coercer) plain(a *Attribute, v any) (any, error) {
	value := subAttribute(a, "value")
	s, ok := v.(string)
	if !ok || c.strict || value == nil && s != "" {
		return nil, c.wrong(nil, a, v)
	}
	if s == "" {
		c.note(ToleratedEmptyString)
		return nil, nil
	}
	c.note(ToleratedPlainValue)
	out := make(Object, 1)
	if err := c.sub(a, value, v, out); err != nil || len(out) == 0 {
		return nil, err
	}
	return out, nil
}

// sub puts one sub-attribute into out.
func (c *coercer) sub(a, sub *Attribute, v any, out Object) error {
	if sub.Mutability == "readOnly" {
		return nil
	}
	value, err := c.value(a, sub, v)
	if err != nil {
		return err
	}
	if value != nil && sub.Mutability != "writeOnly" {
		out[sub.Name] = value
	}
	return nil
}

// otherSpellings reads the names in o that are not spelled as in the schema.
func (c *coercer) otherSpellings(a *Attribute, o, out Object) error {
	var names []string
	for name := range o {
		if !slices.ContainsFunc(a.SubAttributes, func(sub *Attribute) bool { return sub.Name == name }) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		sub := subAttribute(a, name)
		if sub == nil {
			if c.strict {
				return Errorf(InvalidSyntax, "%s has no sub-attribute %s", a.Name, Quote(name))
			}
			c.note(ToleratedUnknown)
			continue
		}
		if _, twice := o[sub.Name]; twice {
			continue
		}
		if err := c.sub(a, sub, o[name], out); err != nil {
			return err
		}
	}
	return nil
}

// wrong is the error for a value of the wrong type. A value of a writeOnly or never returned attribute is not
// quoted.
func (c *coercer) wrong(parent, a *Attribute, v any) error {
	name := a.Name
	if parent != nil {
		name = parent.Name + "." + a.Name
	}
	got := "a value of another type"
	switch v := v.(type) {
	case string:
		got = Quote(v)
		if a.Mutability == "writeOnly" || a.Returned == "never" {
			got = "another string"
		}
	case bool, int64, float64:
		got = fmt.Sprint(v)
		if a.Mutability == "writeOnly" || a.Returned == "never" {
			got = "another value"
		}
	case []any:
		got = "a list"
	case Object:
		got = "an object"
	}
	return Errorf(InvalidValue, "%s must be %s, not %s", name, wanted(a.Type), got)
}

func wanted(t DataType) string {
	switch t {
	case Boolean:
		return "true or false"
	case Integer:
		return "an integer of at most 64 bits"
	case Decimal:
		return "a number"
	case DateTime:
		return "a dateTime such as 2008-01-23T04:56:22Z"
	case Binary:
		return "base64"
	case Complex:
		return "an object"
	case Reference:
		return "a URI as a string"
	}
	return "a string"
}
