package mapping

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// The limits of a definition.
const (
	MaxRows       = 500
	MaxConditions = 500 // in one scope
	MaxNested     = 20  // levels of conditions
	MaxExpression = 10_000
)

// Error is a fault of a definition. Where names it as the definition does: "people.rows[3] (emails)".
type Error struct {
	Where string
	Msg   string
}

func (e *Error) Error() string { return e.Where + ": " + e.Msg }

// Compile checks a definition against the schemas of the target and makes a Mapping of it. The error is an *Error.
func Compile(d Definition, g *scim.Registry, o Options) (*Mapping, error) {
	if o.Normal == nil {
		o.Normal = func(s string) string { return s }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	whole, err := d.withProfile()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(whole)
	if err != nil {
		return nil, &Error{"mapping", err.Error()}
	}
	sum := sha256.Sum256(text)
	m := &Mapping{registry: g, options: o, parts: map[source.Kind]*part{}, fingerprint: hex.EncodeToString(sum[:])}
	for _, k := range []struct {
		kind  source.Kind
		typ   string
		where string
		part  *Part
	}{{source.Person, "User", "people", whole.People}, {source.Group, "Group", "groups", whole.Groups}} {
		if k.part == nil {
			continue
		}
		p := &part{kind: k.kind, typ: k.typ, off: k.part.Off, use: map[string]bool{}}
		m.parts[k.kind] = p
		if p.off {
			continue
		}
		c := compiler{mapping: m, part: p, where: k.where}
		if err := c.compile(k.part); err != nil {
			return nil, err
		}
	}
	if len(m.parts) == 0 {
		return nil, &Error{"mapping", "it provisions nothing: give it people, groups or a profile"}
	}
	return m, nil
}

// compiler compiles one part.
type compiler struct {
	mapping *Mapping
	part    *part
	where   string
}

func (c *compiler) compile(d *Part) error {
	if len(d.Rows) > MaxRows {
		return &Error{c.where + ".rows", fmt.Sprintf("%d rows, the limit is %d", len(d.Rows), MaxRows)}
	}
	for i := range d.Rows {
		at := fmt.Sprintf("%s.rows[%d] (%s)", c.where, i, d.Rows[i].To)
		r, err := c.row(at, &d.Rows[i])
		if err != nil {
			return err
		}
		if err := c.fits(at, r); err != nil {
			return err
		}
		c.part.rows = append(c.part.rows, r)
	}
	if err := c.required(); err != nil {
		return err
	}
	if err := c.matches(d.Match); err != nil {
		return err
	}
	s, err := c.scope(&d.Scope)
	c.part.scope = s
	return err
}

// fits checks a row against those before it: a target may be filled once, and the rows of one list go together.
func (c *compiler) fits(at string, r *row) error {
	for _, other := range c.part.rows {
		if other.target.name() == r.target.name() {
			return &Error{at, "another row fills this attribute already"}
		}
		if other.target.path() != r.target.path() || !r.target.list {
			continue
		}
		if other.create != r.create || other.keep != r.keep {
			return &Error{at, "rows for one list must agree on apply and empty: " + other.target.name() + " says otherwise"}
		}
		if other.primary && r.primary {
			return &Error{at, "one element of a list is primary, and " + other.target.name() + " is already"}
		}
	}
	return nil
}

// required checks that what the target requires is filled.
func (c *compiler) required() error {
	t := c.mapping.registry.Type(c.part.typ)
	s := c.mapping.registry.Schema(t.Schema)
	for _, a := range s.Attributes {
		if !a.Required || a.Mutability == "readOnly" || a.Name == "members" {
			continue
		}
		c.part.require = append(c.part.require, a)
		if !slices.ContainsFunc(c.part.rows, func(r *row) bool { return r.target.ref.Ext == "" && r.target.ref.Attr.Name == a.Name }) {
			return &Error{c.where + ".rows", fmt.Sprintf("no row fills %s, which the target requires", a.Name)}
		}
	}
	return nil
}

// matches checks the match attributes; without any, the unique name of the type is one.
func (c *compiler) matches(list []string) error {
	if len(list) == 0 {
		list = []string{map[string]string{"User": "userName", "Group": "displayName"}[c.part.typ]}
	}
	for i, text := range list {
		at := fmt.Sprintf("%s.match[%d]", c.where, i)
		t, err := c.target(at, text)
		if err != nil {
			return err
		}
		if t.ref.Leaf().Type == scim.Complex || t.list && t.sub == nil {
			return &Error{at, text + " is no single value: name a sub-attribute, such as emails[type eq \"work\"].value"}
		}
		found := false
		for _, r := range c.part.rows {
			found = found || r.target.name() == t.name()
			if r.target.name() == t.name() && r.alternatives {
				return &Error{at, text + " is filled by SelectUniqueValue, which no match attribute can be"}
			}
		}
		if !found {
			return &Error{at, "no row fills " + text + ", so nothing could be found by it"}
		}
		c.part.match = append(c.part.match, t.name())
	}
	return nil
}

// Attributes returns the source attributes that the mapping reads of a kind, in lower case, sorted: what a source has
// to read.
func (m *Mapping) Attributes(k source.Kind) []string {
	p := m.parts[k]
	if p == nil || p.off {
		return nil
	}
	return slices.Sorted(maps.Keys(p.use))
}

// reads notes that a source attribute is used.
func (c *compiler) reads(names ...string) {
	for _, n := range names {
		if !strings.HasPrefix(n, "$") {
			c.part.use[strings.ToLower(n)] = true
		}
	}
}
