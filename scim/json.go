package scim

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is the nesting of arrays and objects that ParseJSON allows unless told otherwise. The deepest
// message of the protocol, a bulk request that carries a PATCH of a complex extension attribute, needs 9.
const MaxDepth = 32

// ParseJSON reads one JSON text (RFC 8259) whole: Object, []any, string, bool, nil, int64 for a number without
// fraction and exponent that fits, float64 for every other.
//
// It is stricter than the standard asks, so that no two readers of the same bytes can disagree: names that are
// twice in one object (also when they differ only by case), invalid UTF-8, halves of surrogate pairs, U+0000
// (which PostgreSQL cannot hold in a text), numbers beyond float64, nesting deeper than maxDepth (MaxDepth if it
// is 0 or less) and anything behind the value are refused. The error is an *Error of type invalidSyntax with the
// byte offset. Strings may share memory with one private copy of data.
func ParseJSON(data []byte, maxDepth int) (any, error) {
	if maxDepth <= 0 {
		maxDepth = MaxDepth
	}
	if !utf8.Valid(data) {
		return nil, &Error{Type: InvalidSyntax, Detail: "the body is not valid UTF-8", Offset: invalidUTF8(data)}
	}
	r := jsonReader{text: string(data), depth: maxDepth, most: maxDepth, fail: -1}
	r.names, r.vals = make([]string, 0, 32), make([]any, 0, 32)
	v, ok := r.document()
	if !ok {
		return nil, &Error{Type: InvalidSyntax, Detail: r.why, Offset: r.fail}
	}
	return v, nil
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// jsonReader is the state of one ParseJSON. Names and values of the open containers stand on two stacks, so
// that every map and slice is made once, in its final size.
type jsonReader struct {
	text    string
	pos     int
	depth   int // containers that may still be opened
	most    int // containers that may be open at once
	names   []string
	vals    []any
	foreign bool // some name is not ASCII
	fail    int  // offset of the first error, -1
	why     string
}

func (r *jsonReader) errorf(at int, format string, args ...any) (any, bool) {
	if r.fail < 0 {
		r.fail, r.why = at, "invalid JSON: "+fmt.Sprintf(format, args...)
	}
	return nil, false
}

// unexpected reports what stands at the current position instead of what was wanted.
func (r *jsonReader) unexpected(wanted string) (any, bool) {
	if r.pos >= len(r.text) {
		return r.errorf(r.pos, "it ends where %s was expected", wanted)
	}
	c, _ := utf8.DecodeRuneInString(r.text[r.pos:])
	return r.errorf(r.pos, "%s where %s was expected", Quote(string(c)), wanted)
}

func (r *jsonReader) document() (any, bool) {
	r.blanks()
	v, ok := r.value()
	if !ok {
		return nil, false
	}
	r.blanks()
	if r.pos != len(r.text) {
		return r.errorf(r.pos, "something follows the value")
	}
	return v, true
}

func (r *jsonReader) blanks() {
	for r.pos < len(r.text) {
		switch r.text[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

func (r *jsonReader) value() (any, bool) {
	if r.pos >= len(r.text) {
		return r.unexpected("a value")
	}
	switch c := r.text[r.pos]; {
	case c == '"':
		s, ok := r.str()
		return s, ok
	case c == '{':
		return r.object()
	case c == '[':
		return r.array()
	case c == '-' || '0' <= c && c <= '9':
		return r.number()
	case c == 't':
		return r.literal("true", true)
	case c == 'f':
		return r.literal("false", false)
	case c == 'n':
		return r.literal("null", nil)
	default:
		return r.unexpected("a value")
	}
}

func (r *jsonReader) literal(word string, v any) (any, bool) {
	if len(r.text)-r.pos < len(word) || r.text[r.pos:r.pos+len(word)] != word {
		return r.unexpected("a value")
	}
	r.pos += len(word)
	return v, true
}

func (r *jsonReader) open() bool {
	if r.depth == 0 {
		r.errorf(r.pos, "it is nested too deep, the limit is %d levels", r.most)
		return false
	}
	r.depth--
	r.pos++
	r.blanks()
	return true
}

func (r *jsonReader) object() (any, bool) {
	if !r.open() {
		return nil, false
	}
	base, valBase := len(r.names), len(r.vals)
	if r.pos < len(r.text) && r.text[r.pos] == '}' {
		r.pos++
		r.depth++
		return Object{}, true
	}
	var seen map[string]struct{} // folded names, once there are many
	for {
		if ok := r.member(base, &seen); !ok {
			return nil, false
		}
		r.blanks()
		if r.pos < len(r.text) && r.text[r.pos] == ',' {
			r.pos++
			r.blanks()
			continue
		}
		if r.pos < len(r.text) && r.text[r.pos] == '}' {
			r.pos++
			break
		}
		return r.unexpected("',' or '}'")
	}
	o := make(Object, len(r.names)-base)
	for i, name := range r.names[base:] {
		o[name] = r.vals[valBase+i]
	}
	clear(r.vals[valBase:])
	r.names, r.vals = r.names[:base], r.vals[:valBase]
	r.depth++
	return o, true
}

// member reads one name and value of an object and leaves them on the stacks.
func (r *jsonReader) member(base int, seen *map[string]struct{}) bool {
	at := r.pos
	if at >= len(r.text) || r.text[at] != '"' {
		r.unexpected("a name in quotes")
		return false
	}
	name, ok := r.str()
	if !ok {
		return false
	}
	if r.twice(name, base, seen) {
		r.errorf(at, "the name %s is there twice", Quote(name))
		return false
	}
	r.blanks()
	if r.pos >= len(r.text) || r.text[r.pos] != ':' {
		r.unexpected("':'")
		return false
	}
	r.pos++
	r.blanks()
	r.names = append(r.names, name)
	v, ok := r.value()
	if !ok {
		return false
	}
	r.vals = append(r.vals, v)
	return true
}

// manyNames is the number of names in an object from which duplicates are looked up instead of compared.
const manyNames = 32

// twice reports whether the open object, whose names start at base, has the name already.
func (r *jsonReader) twice(name string, base int, seen *map[string]struct{}) bool {
	open := r.names[base:]
	if *seen == nil && len(open) < manyNames {
		r.foreign = r.foreign || !isASCII(name)
		for _, other := range open {
			if equalName(name, other) || r.foreign && Fold(name) == Fold(other) {
				return true
			}
		}
		return false
	}
	if *seen == nil {
		*seen = make(map[string]struct{}, 2*manyNames)
		for _, other := range open {
			(*seen)[Fold(other)] = struct{}{}
		}
	}
	folded := Fold(name)
	if _, dup := (*seen)[folded]; dup {
		return true
	}
	(*seen)[folded] = struct{}{}
	return false
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (r *jsonReader) array() (any, bool) {
	if !r.open() {
		return nil, false
	}
	base := len(r.vals)
	if r.pos < len(r.text) && r.text[r.pos] == ']' {
		r.pos++
		r.depth++
		return []any{}, true
	}
	for {
		v, ok := r.value()
		if !ok {
			return nil, false
		}
		r.vals = append(r.vals, v)
		r.blanks()
		if r.pos < len(r.text) && r.text[r.pos] == ',' {
			r.pos++
			r.blanks()
			continue
		}
		if r.pos < len(r.text) && r.text[r.pos] == ']' {
			r.pos++
			break
		}
		return r.unexpected("',' or ']'")
	}
	list := make([]any, len(r.vals)-base)
	copy(list, r.vals[base:])
	clear(r.vals[base:])
	r.vals = r.vals[:base]
	r.depth++
	return list, true
}

// number reads a number: RFC 8259 §6.
func (r *jsonReader) number() (any, bool) {
	start, integral := r.pos, true
	if r.text[r.pos] == '-' {
		r.pos++
	}
	lead := r.pos
	if n := r.digits(); n == 0 {
		return r.unexpected("a digit")
	} else if n > 1 && r.text[lead] == '0' {
		return r.errorf(start, "a number starts with 0")
	}
	if r.pos < len(r.text) && r.text[r.pos] == '.' {
		integral = false
		r.pos++
		if r.digits() == 0 {
			return r.unexpected("a digit")
		}
	}
	if r.pos < len(r.text) && (r.text[r.pos] == 'e' || r.text[r.pos] == 'E') {
		integral = false
		r.pos++
		if r.pos < len(r.text) && (r.text[r.pos] == '+' || r.text[r.pos] == '-') {
			r.pos++
		}
		if r.digits() == 0 {
			return r.unexpected("a digit")
		}
	}
	literal := r.text[start:r.pos]
	if integral {
		if n, err := strconv.ParseInt(literal, 10, 64); err == nil {
			return n, true
		}
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil || math.IsInf(f, 0) {
		return r.errorf(start, "the number %s is out of range", Quote(literal))
	}
	return f, true
}

func (r *jsonReader) digits() int {
	start := r.pos
	for r.pos < len(r.text) && '0' <= r.text[r.pos] && r.text[r.pos] <= '9' {
		r.pos++
	}
	return r.pos - start
}
