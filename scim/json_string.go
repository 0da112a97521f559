package scim

import (
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string. Without escapes it is a part of the text itself.
func (r *jsonReader) str() (string, bool) {
	start := r.pos + 1
	for i := start; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			r.pos = i + 1
			return r.text[start:i], true
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			r.errorf(i, "a control character stands unescaped in a string")
			return "", false
		}
	}
	r.errorf(len(r.text), "a string is not closed")
	return "", false
}

// escaped reads the rest of a string that starts at start and has its first escape at i.
func (r *jsonReader) escaped(start, i int) (string, bool) {
	buf := append(make([]byte, 0, i-start+32), r.text[start:i]...)
	for i < len(r.text) {
		switch c := r.text[i]; {
		case c == '"':
			r.pos = i + 1
			return string(buf), true
		case c < ' ':
			r.errorf(i, "a control character stands unescaped in a string")
			return "", false
		case c != '\\':
			buf = append(buf, c)
			i++
		default:
			char, n := r.escape(i)
			if n == 0 {
				return "", false
			}
			buf = utf8.AppendRune(buf, char)
			i += n
		}
	}
	r.errorf(len(r.text), "a string is not closed")
	return "", false
}

// escape reads the escape sequence at i and returns its length, 0 on error.
func (r *jsonReader) escape(i int) (char rune, length int) {
	if i+1 >= len(r.text) {
		r.errorf(len(r.text), "a string is not closed")
		return 0, 0
	}
	switch c := r.text[i+1]; c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return r.unicode(i)
	}
	r.errorf(i, "a string has an escape that JSON does not know")
	return 0, 0
}

func (r *jsonReader) unicode(i int) (rune, int) {
	first, ok := r.hex(i + 2)
	if !ok {
		r.errorf(i, "\\u needs four hexadecimal digits")
		return 0, 0
	}
	if first == 0 {
		r.errorf(i, "the character U+0000 is not accepted")
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	if i+7 < len(r.text) && r.text[i+6] == '\\' && r.text[i+7] == 'u' {
		if second, ok := r.hex(i + 8); ok {
			if char := utf16.DecodeRune(first, second); char != utf8.RuneError {
				return char, 12
			}
		}
	}
	r.errorf(i, "half of a surrogate pair")
	return 0, 0
}

func (r *jsonReader) hex(i int) (rune, bool) {
	if i+4 > len(r.text) {
		return 0, false
	}
	var v rune
	for _, c := range []byte(r.text[i : i+4]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | rune(c)
	}
	return v, true
}
