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
