package scim

import (
	"math"
	"strconv"
	"sync"
	"unicode/utf8"
)

// encodeBuffers holds the buffers in which documents grow, so that each costs one allocation of its own size.
var encodeBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// maxPooled is the size in bytes up to which a buffer is kept.
const maxPooled = 64 << 10

// Encode returns the canonical document of a resource, made from its ID and Attrs:
// {"schemas":[…],"id":"…", the attributes in the order of the schema}. Equal resources have equal documents.
// What the schema does not have is left out. The result is nil if the type is unknown.
func (g *Registry) Encode(r *Resource) []byte {
	s := g.byName[r.Type]
	if s == nil {
		return nil
	}
	pooled := encodeBuffers.Get().(*[]byte)
	buf := s.appendDoc((*pooled)[:0], r)
	doc := append(make([]byte, 0, len(buf)), buf...)
	if cap(buf) <= maxPooled {
		*pooled = buf
		encodeBuffers.Put(pooled)
	}
	return doc
}

func (s *shape) appendDoc(dst []byte, r *Resource) []byte {
	dst = append(dst, `{"schemas":["`...)
	dst = append(dst, s.typ.Schema...)
	for _, ext := range s.exts {
		if o, _ := r.Attrs[ext.name].(Object); len(o) > 0 {
			dst = append(dst, `","`...)
			dst = append(dst, ext.name...)
		}
	}
	dst = append(dst, `"],"id":`...)
	dst = appendString(dst, r.ID)
	for i := range s.fields {
		f := &s.fields[i]
		if f.apart || f.common {
			continue
		}
		if v, ok := r.Attrs[f.name]; ok {
			dst = appendField(dst, f, v)
		}
	}
	return append(dst, '}')
}

// appendField appends `,"name":value`; nothing if the value is absent.
func appendField(dst []byte, f *field, v any) []byte {
	start := len(dst)
	dst = append(dst, ',')
	dst = append(dst, f.key...)
	end := len(dst)
	if dst = appendValue(dst, f, v); len(dst) == end {
		return dst[:start]
	}
	return dst
}

// appendValue appends a canonical value; nothing for nil, an empty list or an empty object, which equal an
// absent value.
func appendValue(dst []byte, f *field, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendString(dst, v)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return appendFloat(dst, v)
	case Object:
		return appendObject(dst, f, v)
	case []any:
		return appendList(dst, f, v)
	}
	return dst
}

func appendObject(dst []byte, f *field, o Object) []byte {
	if len(o) == 0 {
		return dst
	}
	start := len(dst)
	for i := range f.subs {
		sub := &f.subs[i]
		if v, ok := o[sub.name]; ok {
			dst = appendField(dst, sub, v)
		}
	}
	if len(dst) == start {
		return dst
	}
	dst[start] = '{' // over the first comma
	return append(dst, '}')
}

func appendList(dst []byte, f *field, list []any) []byte {
	start := len(dst)
	for _, v := range list {
		end := len(dst)
		dst = append(dst, ',')
		if dst = appendValue(dst, f, v); len(dst) == end+1 {
			dst = dst[:end]
		}
	}
	if len(dst) == start {
		return dst
	}
	dst[start] = '['
	return append(dst, ']')
}

// appendFloat appends a decimal so that it is read as one again: with a fraction or an exponent. A number that
// JSON has no form for is 0.0; ParseJSON never makes one.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "0.0"...)
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if f == math.Trunc(f) {
		dst = append(dst, ".0"...)
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// plainByte says which ASCII characters stand in a JSON string as they are.
var plainByte = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString appends s as a JSON string. Beside what JSON asks for, U+2028 and U+2029 are escaped, since
// JavaScript once read them as line ends; invalid UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plainByte[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 || r == '\u2028' || r == '\u2029' {
				dst = append(dst, s[start:i]...)
				dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
				start = i + n
			}
			i += n
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// DecodeDoc fills Attrs from Doc, which Encode made. It trusts it: nothing is checked against the schema.
func (g *Registry) DecodeDoc(r *Resource) error {
	v, err := ParseJSON(r.Doc, MaxDepth)
	if err != nil {
		return err
	}
	o, ok := v.(Object)
	if !ok {
		return Errorf(InvalidSyntax, "the document of %s %s is no object", r.Type, r.ID)
	}
	delete(o, "schemas")
	delete(o, "id")
	r.Attrs = o
	return nil
}
