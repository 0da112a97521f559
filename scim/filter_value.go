package scim

import (
	"strconv"
	"strings"
)

// value parses the comparison value that is current.
func (p *parser) value(op Operator) (any, *Error) {
	if p.tok.kind == tokString {
		text := p.tok.text
		return text, p.advance()
	}
	if p.tok.kind != tokWord || p.is("and") || p.is("or") || p.is("not") {
		return nil, p.expectedf("a value after %q", op)
	}
	if p.tok.text[0] == '\'' {
		return nil, p.failf(p.tok.pos, "a string stands in double quotes")
	}
	v, ok := bareValue(p.tok.text)
	if !ok {
		return nil, p.failf(p.tok.pos, "the number %s is out of range", Quote(p.tok.text))
	}
	return v, p.advance()
}

// bareValue reads a literal without quotes: what JSON calls true, false, null or a number, else a string. It
// reports false for a number that is too large.
func bareValue(s string) (any, bool) {
	switch s {
	case "true":
		return true, true
	case "false":
		return false, true
	case "null":
		return nil, true
	}
	if !isNumber(s) {
		return s, true
	}
	if !strings.ContainsAny(s, ".eE") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, true
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// isNumber reports whether s is a number as JSON writes it (RFC 8259 §6).
func isNumber(s string) bool {
	digits := func() bool {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n > 0
	}
	s = strings.TrimPrefix(s, "-")
	if strings.HasPrefix(s, "0") {
		s = s[1:]
	} else if !digits() {
		return false
	}
	if strings.HasPrefix(s, ".") {
		if s = s[1:]; !digits() {
			return false
		}
	}
	if s != "" && s[0]|0x20 == 'e' {
		if s = s[1:]; s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if !digits() {
			return false
		}
	}
	return s == ""
}
