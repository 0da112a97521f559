package scimserver

import (
	"bytes"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/provost-scim/provost/scim"
)

const redacted = `"[redacted]"`

// secrets are the names of attributes whose values must not be kept: password and every attribute that is
// never returned. Names are in lower case, without URN and parent: what is called like a secret is taken for
// one, wherever it stands.
type secrets map[string]bool

// secretsOf collects the secrets of a tenant's schemas.
func secretsOf(g *scim.Registry) secrets {
	s := secrets{"password": true}
	var walk func(list []*scim.Attribute)
	walk = func(list []*scim.Attribute) {
		for _, a := range list {
			if a.Returned == "never" {
				s[strings.ToLower(a.Name)] = true
			}
			walk(a.SubAttributes)
		}
	}
	for _, schema := range g.Schemas() {
		walk(schema.Attributes)
	}
	return s
}

// secretName says whether a JSON name or attribute path names a secret in any of its parts.
func (s secrets) secretName(name string) bool {
	for start, i := -1, 0; i <= len(name); i++ {
		word := i < len(name) && (isWord(name[i]))
		if word && start < 0 {
			start = i
		}
		if !word && start >= 0 {
			if s[strings.ToLower(name[start:i])] {
				return true
			}
			start = -1
		}
	}
	return false
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '$'
}

// occursIn says whether a text could name a secret anywhere. It errs on the side of yes.
func (s secrets) occursIn(text []byte) bool {
	if bytes.Contains(text, []byte(`\u`)) {
		return true
	}
	for name := range s {
		if containsFold(text, name) {
			return true
		}
	}
	return false
}

// containsFold looks for a lower-case ASCII name in any case; a name of other letters is taken as found.
func containsFold(text []byte, name string) bool {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return true
		}
	}
	for i := 0; i+len(name) <= len(text); i++ {
		if text[i]|0x20 == name[0]|0x20 && strings.EqualFold(string(text[i:i+len(name)]), name) {
			return true
		}
	}
	return false
}

// redact returns a copy of a well-formed JSON text for the request log: secrets taken out, at most
// MaxLoggedBody bytes. It remembers what it took out, so that no error text brings it back.
func (c *call) redact(body []byte) string {
	if c.log == nil {
		return ""
	}
	known := c.secrets()
	if !known.occursIn(body) {
		return clip(body, MaxLoggedBody)
	}
	r := redactor{src: body, secrets: known}
	r.value(false)
	c.hidden, c.secretive = r.hidden, c.secretive || r.hidPath
	return clip(r.out, MaxLoggedBody)
}

// clip is the beginning of a text, at most most bytes, without half characters and whatever else is no UTF-8:
// a header may hold any bytes, a database may not.
func clip(text []byte, most int) string {
	return strings.ToValidUTF8(string(text[:min(len(text), most)]), "")
}

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

// secretsCached bounds the registries whose secrets are remembered.
const secretsCached = 1000

// onlyPassword is what is secret before the tenant's schemas are known.
var onlyPassword = secrets{"password": true}

// secrets are those of the tenant's schemas.
func (c *call) secrets() secrets {
	if c.dir == nil {
		return onlyPassword
	}
	g := c.dir.Registry
	c.secretMu.Lock()
	defer c.secretMu.Unlock()
	s := c.secretSets[g]
	if s == nil {
		if c.secretSets == nil || len(c.secretSets) >= secretsCached {
			c.secretSets = make(map[*scim.Registry]secrets)
		}
		s = secretsOf(g)
		c.secretSets[g] = s
	}
	return s
}

// redactQuery returns a query string for the request log: the filter goes if it names a secret, everything
// goes if it holds a token.
func (s secrets) redactQuery(raw string) string {
	if plain, err := url.QueryUnescape(raw); err != nil || strings.Contains(plain, "pvst_") || strings.Contains(plain, "access_token") {
		return "[redacted]"
	}
	if !s.secretName(raw) {
		if plain, _ := url.QueryUnescape(raw); !s.secretName(plain) {
			return raw
		}
	}
	parts := strings.Split(raw, "&")
	for i, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		plain, err := url.QueryUnescape(value)
		if err != nil || s.secretName(plain) || s.secretName(name) {
			parts[i] = name + "=[redacted]"
		}
	}
	return strings.Join(parts, "&")
}
