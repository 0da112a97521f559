package scim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// String prints the path as it is written in filters and PATCH operations.
func (p AttrPath) String() string {
	s := p.Name
	if p.URN != "" {
		s = p.URN
		if p.Name != "" {
			s += ":" + p.Name
		}
	}
	if p.Sub != "" {
		s += "." + p.Sub
	}
	return s
}

// String prints the filter; an "or" under an "and" is put in parentheses, and so is a right side that holds the
// operator of its parent, because the operators group to the left.
func (f *And) String() string {
	left, right := f.Left.String(), f.Right.String()
	if _, ok := f.Left.(*Or); ok {
		left = "(" + left + ")"
	}
	switch f.Right.(type) {
	case *And, *Or:
		right = "(" + right + ")"
	}
	return left + " and " + right
}

func (f *Or) String() string {
	right := f.Right.String()
	if _, ok := f.Right.(*Or); ok {
		right = "(" + right + ")"
	}
	return f.Left.String() + " or " + right
}

func (f *Not) String() string { return "not (" + f.Filter.String() + ")" }

func (f *Compare) String() string {
	if f.Op == Pr {
		return f.Path.String() + " pr"
	}
	return f.Path.String() + " " + string(f.Op) + " " + literal(f.Value)
}

func (f *ValuePath) String() string { return f.Path.String() + "[" + f.Filter.String() + "]" }

// literal prints a comparison value. A float64 always shows that it is one, so that it does not come back as an
// int64.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return quoteJSON(v)
	case time.Time:
		return quoteJSON(v.Format(time.RFC3339Nano))
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	default: // bool, int64
		return fmt.Sprint(v)
	}
}

// quoteJSON prints a JSON string with no more escapes than JSON asks for.
func quoteJSON(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
