package scim

import (
	"cmp"
	"strings"
	"time"
)

// Match reports whether a bound filter matches a resource whose Attrs are decoded; nil matches every resource.
//
// This is what filters mean; the SQL of a store must find exactly the same resources.
//
//   - There are two truth values. A comparison with an absent attribute is false, except Ne.
//   - Ne is the negation of Eq, for attributes with many values and inside brackets too: emails ne "x" matches if
//     no e-mail is x, and also if there is none.
//   - Any other comparison of a multi-valued attribute matches if one value does.
//   - Pr matches an attribute that has a value. A complex attribute has one if any sub-attribute does. "id pr" is
//     true always.
//   - Strings, references and binaries compare as bytes, after Fold on both sides unless the attribute is
//     caseExact: equal, contained, at the start, at the end, or in the order of bytes.
//   - A dateTime compares as an instant, whatever its zone and precision; numbers compare as numbers.
//   - A ValuePath matches if one single element matches all of its filter.
//   - members and groups are the Members and Groups of the resource, whatever HasMembers and HasGroups say; a
//     user's groups include the indirect ones.
//   - externalId is the one of the asking client. meta.version is the text W/"n".
func Match(f Filter, r *Resource) bool {
	switch f := f.(type) {
	case nil:
		return true
	case *And:
		return Match(f.Left, r) && Match(f.Right, r)
	case *Or:
		return Match(f.Left, r) || Match(f.Right, r)
	case *Not:
		return !Match(f.Filter, r)
	case *ValuePath:
		for _, e := range valuesOf(f.Ref, r) {
			if matchElement(f.Filter, e) {
				return true
			}
		}
		return false
	case *Compare:
		if f.Op == Pr && f.Ref.Ext == "" && f.Ref.Attr.Name == "id" {
			return true
		}
		return matchAny(f, valuesOf(f.Ref, r))
	}
	return false
}

// MatchMember reports whether a filter that is bound to the sub-attributes of members, as MemberOp.Where is,
// matches a member.
func MatchMember(f Filter, m Ref) bool { return matchElement(f, refObject(m)) }

// matchElement is Match for one element of a multi-valued attribute.
func matchElement(f Filter, e any) bool {
	switch f := f.(type) {
	case nil:
		return true
	case *And:
		return matchElement(f.Left, e) && matchElement(f.Right, e)
	case *Or:
		return matchElement(f.Left, e) || matchElement(f.Right, e)
	case *Not:
		return !matchElement(f.Filter, e)
	case *Compare:
		if o, ok := e.(Object); ok {
			e = o[f.Ref.Attr.Name]
		}
		return matchAny(f, listOf(e))
	}
	return false
}

// valuesOf returns the values that a reference has in a resource.
func valuesOf(ref AttrRef, r *Resource) []any {
	values := listOf(topValue(ref, r))
	if ref.Sub == nil {
		return values
	}
	var subs []any
	for _, v := range values {
		if o, ok := v.(Object); ok {
			subs = append(subs, listOf(o[ref.Sub.Name])...)
		}
	}
	return subs
}

// topValue returns the value of the top-level attribute of a reference, nil if it is absent.
func topValue(ref AttrRef, r *Resource) any {
	if ref.Ext != "" {
		ext, _ := r.Attrs[ref.Ext].(Object)
		return ext[ref.Attr.Name]
	}
	switch ref.Attr.Name {
	case "id":
		return text(r.ID)
	case "externalId":
		return text(r.ExternalID)
	case "meta":
		return Object{"created": r.Meta.Created, "lastModified": r.Meta.LastModified, "version": versionTag(r.Meta.Version)}
	case "members":
		if len(r.Members) > 0 { // else it may be an attribute that a tenant defined for another type
			return refList(r.Members)
		}
	case "groups":
		if len(r.Groups) > 0 {
			return refList(r.Groups)
		}
	}
	return r.Attrs[ref.Attr.Name]
}

// text is s, or nil for "".
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func refList(refs []Ref) any {
	list := make([]any, len(refs))
	for i, m := range refs {
		list[i] = refObject(m)
	}
	return list
}

func refObject(m Ref) Object {
	o := Object{"value": m.Value}
	if m.Type != "" {
		o["type"] = m.Type
	}
	if m.Display != "" {
		o["display"] = m.Display
	}
	return o
}

// listOf returns the values of an attribute as a list: of one if it is not multi-valued, of none if it is absent.
func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// matchAny applies a comparison to all values of an attribute.
func matchAny(c *Compare, values []any) bool {
	if c.Op == Ne {
		eq := *c
		eq.Op = Eq
		return !matchAny(&eq, values)
	}
	for _, v := range values {
		if matchValue(c, v) {
			return true
		}
	}
	return false
}

// matchValue applies a comparison other than Ne to one value.
func matchValue(c *Compare, v any) bool {
	if c.Op == Pr {
		return isPresent(v)
	}
	switch want := c.Value.(type) {
	case string:
		have, ok := v.(string)
		if !ok {
			return false
		}
		if !c.Ref.Leaf().CaseExact {
			have, want = Fold(have), Fold(want)
		}
		return matchString(c.Op, have, want)
	case bool:
		return c.Op == Eq && v == want
	case time.Time:
		have, ok := v.(time.Time)
		if s, isText := v.(string); isText {
			have, ok = ParseDateTime(s)
		}
		return ok && matchOrder(c.Op, have.Compare(want))
	case int64:
		switch have := v.(type) {
		case int64:
			return matchOrder(c.Op, cmp.Compare(have, want))
		case float64:
			return matchOrder(c.Op, cmp.Compare(have, float64(want)))
		}
	case float64:
		switch have := v.(type) {
		case int64:
			return matchOrder(c.Op, cmp.Compare(float64(have), want))
		case float64:
			return matchOrder(c.Op, cmp.Compare(have, want))
		}
	}
	return false
}

// isPresent reports whether a value counts as one: null, empty lists and complex values without sub-attributes
// equal an absent attribute (RFC 7643 §2.5).
func isPresent(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case Object:
		for _, sub := range v {
			if isPresent(sub) {
				return true
			}
		}
		return false
	case []any:
		return len(v) > 0
	}
	return true
}

func matchString(op Operator, have, want string) bool {
	switch op {
	case Co:
		return strings.Contains(have, want)
	case Sw:
		return strings.HasPrefix(have, want)
	case Ew:
		return strings.HasSuffix(have, want)
	}
	return matchOrder(op, strings.Compare(have, want))
}

// matchOrder turns the sign of a comparison into its outcome.
func matchOrder(op Operator, sign int) bool {
	switch op {
	case Eq:
		return sign == 0
	case Gt:
		return sign > 0
	case Ge:
		return sign >= 0
	case Lt:
		return sign < 0
	case Le:
		return sign <= 0
	}
	return false
}
