package scim

import (
	"fmt"
	"math"
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
		return c.text(parent, a, v, s)
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

// text is value for a string; v is s as it came, so that it need not be put into an interface again.
func (c *coercer) text(parent, a *Attribute, v any, s string) (any, error) {
	if s == "" && !c.strict {
		c.note(ToleratedEmptyString)
		return nil, nil
	}
	switch a.Type {
	case String:
		if canonical := canonicalText(a, s); canonical != s {
			return canonical, nil
		}
		return v, nil
	case Reference:
		return v, nil
	case DateTime:
		if _, ok := ParseDateTime(s); ok {
			return v, nil
		}
	case Binary:
		if validBase64(s) {
			return v, nil
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
