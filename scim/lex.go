package scim

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// kind says what a token is.
type kind int

const (
	tokEnd kind = iota
	tokWord
	tokString
	tokOpen       // (
	tokClose      // )
	tokOpenBrack  // [
	tokCloseBrack // ]
)

// token is one token of a filter or path. text is the word as written, or the value of a quoted string.
type token struct {
	kind kind
	text string
	pos  int // byte offset of its first character
	end  int // byte offset behind its last character
}

// describe names the token in an error message.
func (t token) describe() string {
	switch t.kind {
	case tokEnd:
		return "the end"
	case tokWord, tokString:
		return Quote(t.text)
	case tokOpen:
		return `"("`
	case tokClose:
		return `")"`
	case tokOpenBrack:
		return `"["`
	default:
		return `"]"`
	}
}

// lexer cuts a filter or a path into tokens. A word is everything up to a blank, a bracket or a quote: which
// words are attribute paths, operators or literals is for the parser to say.
type lexer struct {
	s    string
	pos  int
	kind ErrorType // of the errors: InvalidFilter or InvalidPath
}

// failf makes an error at a byte offset of the input.
func (l *lexer) failf(pos int, format string, args ...any) *Error {
	return &Error{Type: l.kind, Detail: fmt.Sprintf(format, args...), Offset: pos}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// next returns the next token; behind the last one it returns tokEnd for ever.
func (l *lexer) next() (token, *Error) {
	for l.pos < len(l.s) && isBlank(l.s[l.pos]) {
		l.pos++
	}
	start := l.pos
	if start == len(l.s) {
		return token{kind: tokEnd, pos: start, end: start}, nil
	}
	single := func(k kind) (token, *Error) {
		l.pos++
		return token{kind: k, pos: start, end: l.pos}, nil
	}
	switch l.s[start] {
	case '(':
		return single(tokOpen)
	case ')':
		return single(tokClose)
	case '[':
		return single(tokOpenBrack)
	case ']':
		return single(tokCloseBrack)
	case '"':
		return l.quoted()
	}
	return l.word()
}

// word reads a word, which starts at l.pos.
func (l *lexer) word() (token, *Error) {
	start := l.pos
	for l.pos < len(l.s) {
		c := l.s[l.pos]
		if isBlank(c) || strings.IndexByte(`()[]"`, c) >= 0 {
			break
		}
		if c < 0x20 || c == 0x7f {
			return token{}, l.failf(l.pos, "control character %q", c)
		}
		r, size := utf8.DecodeRuneInString(l.s[l.pos:])
		if r == utf8.RuneError && size == 1 {
			return token{}, l.failf(l.pos, "not valid UTF-8")
		}
		l.pos += size
	}
	return token{kind: tokWord, text: l.s[start:l.pos], pos: start, end: l.pos}, nil
}

// quoted reads a JSON string (RFC 8259 §7), whose opening quote stands at l.pos.
func (l *lexer) quoted() (token, *Error) {
	start := l.pos
	var b strings.Builder
	for i := start + 1; i < len(l.s); {
		c := l.s[i]
		switch {
		case c == '"':
			l.pos = i + 1
			return token{kind: tokString, text: b.String(), pos: start, end: l.pos}, nil
		case c == '\\':
			r, size, err := l.escape(i)
			if err != nil {
				return token{}, err
			}
			b.WriteRune(r)
			i += size
		case c < 0x20:
			return token{}, l.failf(i, `control character %q in a string: write it as \u%04x`, c, c)
		default:
			r, size := utf8.DecodeRuneInString(l.s[i:])
			if r == utf8.RuneError && size == 1 {
				return token{}, l.failf(i, "not valid UTF-8")
			}
			b.WriteString(l.s[i : i+size])
			i += size
		}
	}
	return token{}, l.failf(start, "string without closing quote")
}

// simpleEscapes are the escapes of one letter.
var simpleEscapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads the escape sequence at offset i and returns its character and its length.
func (l *lexer) escape(i int) (rune, int, *Error) {
	if i+1 >= len(l.s) {
		return 0, 0, l.failf(i, "unfinished escape sequence")
	}
	if r, ok := simpleEscapes[l.s[i+1]]; ok {
		return r, 2, nil
	}
	if l.s[i+1] != 'u' {
		return 0, 0, l.failf(i, `unknown escape sequence; a backslash is written \\`)
	}
	r, ok := l.hex(i)
	switch {
	case !ok:
		return 0, 0, l.failf(i, `\u takes four hexadecimal digits`)
	case r == 0: // no stored value has it: PostgreSQL could not hold it
		return 0, 0, l.failf(i, "the character U+0000 is not accepted")
	case r < 0xD800 || r > 0xDFFF:
		return r, 6, nil
	case r <= 0xDBFF:
		if low, ok := l.hex(i + 6); ok && low >= 0xDC00 && low <= 0xDFFF {
			return (r-0xD800)<<10 + (low - 0xDC00) + 0x10000, 12, nil
		}
	}
	return 0, 0, l.failf(i, "half of a surrogate pair")
}

// hex reads the four digits of a \uXXXX at offset i; false if there is none.
func (l *lexer) hex(i int) (rune, bool) {
	if i+6 > len(l.s) || l.s[i] != '\\' || l.s[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(l.s[i+2 : i+6]) {
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if d < 0 || (c < '0' || c > '9') && c|0x20 < 'a' {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// attrPath cuts a word into the parts of an attribute path: [URN:]name[.sub]. A third part, as in
// "urn:…:2.0:User.manager.value", means that the client joined URN and name by a dot: the first part then
// belongs to the URN.
func (l *lexer) attrPath(word string, pos int) (AttrPath, *Error) {
	var p AttrPath
	tail := word
	if i := strings.LastIndexByte(word, ':'); i >= 0 {
		p.URN, tail = word[:i], word[i+1:]
		if !isURN(p.URN) {
			return p, l.failf(pos, "%s is not an attribute path: %s is not a schema URN", Quote(word), Quote(p.URN))
		}
	}
	parts := strings.Split(tail, ".")
	if len(parts) == 3 && p.URN != "" && isName(parts[0]) {
		p.URN += ":" + parts[0]
		parts = parts[1:]
	}
	if len(parts) > 2 {
		return p, l.failf(pos, "%s is not an attribute path: an attribute has sub-attributes, but those have none", Quote(word))
	}
	for _, part := range parts {
		if !isName(part) {
			return p, l.failf(pos, "%s is not an attribute path: expected a name of letters, digits, - and _", Quote(word))
		}
	}
	p.Name = parts[0]
	if len(parts) == 2 {
		p.Sub = parts[1]
	}
	return p, nil
}

// isName reports whether s is an attribute name: a letter or $ (of "$ref"), then letters, digits, $, - and _
// (RFC 7643 §2.1).
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '$'
		if !letter && (i == 0 || !(c >= '0' && c <= '9') && c != '-' && c != '_') {
			return false
		}
	}
	return s != ""
}

// isURN reports whether s can stand before an attribute name: characters of a URI other than brackets.
func isURN(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= 0x20 || s[i] >= 0x7f || strings.IndexByte(`()[]"\<>^{|}`+"`", s[i]) >= 0 {
			return false
		}
	}
	return s != "" && s[0] != ':'
}
