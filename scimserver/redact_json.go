package scimserver

import (
	"bytes"
	"strings"

	"github.com/provost-scim/provost/scim"
)

// redactor copies a well-formed JSON text without its secrets. It reads the text once, and the objects that
// hold a "path" once more: the operations of a PATCH, whose value is a secret if their path names one.
type redactor struct {
	src     []byte
	pos     int
	out     []byte
	secrets secrets
	hidden  []string // what was taken out, as written
	hidPath bool     // a path or filter was taken out
}

// shortest is the length of the shortest secret that is searched for in error texts.
const shortest = 4

// full says that more would not be kept.
func (r *redactor) full() bool { return len(r.out) > MaxLoggedBody }

func (r *redactor) blanks() {
	for r.pos < len(r.src) {
		switch r.src[r.pos] {
		case ' ', '\t', '\r', '\n':
			r.pos++
		default:
			return
		}
	}
}

// value copies one value; hide writes a mark in its place.
func (r *redactor) value(hide bool) {
	r.blanks()
	if r.pos >= len(r.src) || r.full() {
		return
	}
	if hide {
		start := r.pos
		r.skip()
		if text := strings.Trim(string(r.src[start:r.pos]), `"`); len(text) >= shortest {
			r.hidden = append(r.hidden, text)
		}
		r.out = append(r.out, redacted...)
		return
	}
	switch r.src[r.pos] {
	case '{':
		r.object()
	case '[':
		r.array()
	default:
		start := r.pos
		r.skip()
		r.out = append(r.out, r.src[start:r.pos]...)
	}
}

func (r *redactor) array() {
	r.pos++
	r.out = append(r.out, '[')
	for first := true; ; first = false {
		r.blanks()
		if r.pos >= len(r.src) || r.full() {
			return
		}
		if r.src[r.pos] == ']' {
			r.pos++
			r.out = append(r.out, ']')
			return
		}
		if !first {
			r.pos++ // the comma
			r.out = append(r.out, ',')
		}
		r.value(false)
	}
}

func (r *redactor) object() {
	hideValue := r.secretPath()
	r.pos++
	r.out = append(r.out, '{')
	for first := true; ; first = false {
		r.blanks()
		if r.pos >= len(r.src) || r.full() {
			return
		}
		if r.src[r.pos] == '}' {
			r.pos++
			r.out = append(r.out, '}')
			return
		}
		if !first {
			r.pos++ // the comma
			r.out = append(r.out, ',')
			r.blanks()
		}
		raw := r.text()
		r.out = append(r.out, raw...)
		r.blanks()
		r.pos++ // the colon
		r.out = append(r.out, ':')
		r.blanks()
		name := plain(raw)
		hide := r.secrets.secretName(name)
		switch strings.ToLower(name) {
		case "value":
			hide = hide || hideValue
		case "path", "filter":
			if r.secretText() { // a filter in it may hold the secret itself
				hide, r.hidPath = true, true
			}
		}
		r.value(hide)
	}
}

// secretPath looks ahead whether the object here has a "path" that names a secret.
func (r *redactor) secretPath() bool {
	start := r.pos
	defer func() { r.pos = start }()
	r.pos++
	for {
		r.blanks()
		if r.pos >= len(r.src) || r.src[r.pos] != '"' && r.src[r.pos] != ',' {
			return false
		}
		if r.src[r.pos] == ',' {
			r.pos++
			continue
		}
		raw := r.text()
		r.blanks()
		r.pos++
		r.blanks()
		if len(raw) >= len(`"path"`) && strings.EqualFold(plain(raw), "path") {
			return r.secretText()
		}
		r.skip()
	}
}

// secretText says whether the string here names a secret.
func (r *redactor) secretText() bool {
	if r.pos >= len(r.src) || r.src[r.pos] != '"' {
		return false
	}
	start := r.pos
	raw := r.text()
	r.pos = start
	return r.secrets.secretName(plain(raw))
}

// text reads one string and returns it as written, with its quotes.
func (r *redactor) text() []byte {
	start := r.pos
	for r.pos++; r.pos < len(r.src); r.pos++ {
		switch r.src[r.pos] {
		case '\\':
			r.pos++
		case '"':
			r.pos++
			return r.src[start:r.pos]
		}
	}
	return r.src[start:]
}

// plain is the content of a string as written. One with escapes is read properly: "\u0070assword" is a name
// too.
func plain(raw []byte) string {
	for _, c := range raw {
		if c == '\\' {
			v, err := scim.ParseJSON(raw, 1)
			s, ok := v.(string)
			if err != nil || !ok {
				return ""
			}
			return s
		}
	}
	if len(raw) < 2 {
		return ""
	}
	return string(raw[1 : len(raw)-1])
}

// skip passes one value.
func (r *redactor) skip() {
	for depth := 0; r.pos < len(r.src); {
		switch r.src[r.pos] {
		case '"':
			r.text()
		case '{', '[':
			depth++
			r.pos++
		case '}', ']':
			if depth == 0 {
				return
			}
			depth--
			r.pos++
		case ',':
			if depth == 0 {
				return
			}
			r.pos++
			continue
		case ' ', '\t', '\r', '\n', ':':
			r.pos++
			continue
		default:
			for r.pos < len(r.src) && !bytes.ContainsAny(r.src[r.pos:r.pos+1], ",]} \t\r\n") {
				r.pos++
			}
		}
		if depth == 0 {
			return
		}
	}
}
