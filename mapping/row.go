package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/provost-scim/provost/scim"
)

// row is a compiled Row.
type row struct {
	at           string
	target       *target
	value        func(*evaluation) (any, error) // string, bool, int64, float64, []any, nil for none
	fallback     string
	create, keep bool
	primary      bool
	typ          string
	redact       bool
	alternatives bool // the value is a list of candidates (SelectUniqueValue)
}

func (c *compiler) row(at string, d *Row) (*row, error) {
	t, err := c.target(at, d.To)
	if err != nil {
		return nil, err
	}
	r := &row{at: at, target: t, fallback: d.Default, primary: d.Primary, typ: d.Type}
	switch d.Apply {
	case "", "always":
	case "create":
		r.create = true
	default:
		return nil, &Error{at, fmt.Sprintf("apply: %q is none of always, create", d.Apply)}
	}
	switch d.Empty {
	case "", "clear":
	case "keep":
		r.keep = true
	default:
		return nil, &Error{at, fmt.Sprintf("empty: %q is none of clear, keep", d.Empty)}
	}
	if err := r.elements(d); err != nil {
		return nil, err
	}
	if err := c.value(r, d); err != nil {
		return nil, err
	}
	if d.Default != "" {
		if _, err := c.mapping.coerce(t, d.Default); err != nil {
			return nil, &Error{at, "default: " + err.Error()}
		}
		if t.reference() {
			return nil, &Error{at, "default: a reference has none"}
		}
	}
	return r, nil
}

// elements checks what a row says about the elements of a list.
func (r *row) elements(d *Row) error {
	a := r.target.ref.Attr
	if d.Primary && (!r.target.list || subAttribute(a, "primary") == nil) {
		return &Error{r.at, "primary: " + a.Name + " has no primary element"}
	}
	if d.Type != "" && (!r.target.wholeList() || subAttribute(a, "type") == nil) {
		return &Error{r.at, "type: it is for rows that fill a whole list whose elements have a type"}
	}
	return nil
}

// value compiles what fills the row.
func (c *compiler) value(r *row, d *Row) error {
	given := 0
	for _, is := range []bool{len(d.From) > 0, d.Value != nil, d.Template != "", d.Expression != "", d.Entra != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return &Error{r.at, fmt.Sprintf("exactly one of from, value, template, expression and entra fills a row, here are %d", given)}
	}
	switch {
	case len(d.From) > 0:
		return c.from(r, d.From)
	case d.Value != nil:
		return c.constant(r, d.Value)
	case d.Template != "":
		return c.template(r, d.Template)
	case d.Entra != "":
		text, err := fromEntra(d.Entra)
		if err != nil {
			return &Error{r.at, "entra: " + err.Error()}
		}
		return c.expression(r, "entra", text)
	}
	return c.expression(r, "expression", d.Expression)
}

func (c *compiler) from(r *row, names []string) error {
	lower := make([]string, len(names))
	for i, n := range names {
		lower[i] = strings.ToLower(strings.TrimSpace(n))
		if lower[i] == "" || strings.HasPrefix(lower[i], "$") && lower[i] != "$key" && lower[i] != "$name" {
			return &Error{r.at, fmt.Sprintf("from: %q is no source attribute; of the record itself there are $key and $name", n)}
		}
	}
	c.reads(lower...)
	list := r.target.wholeList()
	r.value = func(e *evaluation) (any, error) {
		for _, n := range lower {
			values := e.values(n)
			if len(values) == 0 {
				continue
			}
			if list {
				return anys(values), nil
			}
			return values[0], nil
		}
		return nil, nil
	}
	return nil
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func (c *compiler) constant(r *row, v any) error {
	if f, ok := v.(float64); ok && f == float64(int64(f)) {
		v = int64(f)
	}
	if list, ok := v.([]any); ok && !r.target.wholeList() {
		return &Error{r.at, fmt.Sprintf("value: %d values for one attribute", len(list))}
	}
	if r.target.reference() {
		return &Error{r.at, "value: a reference names an object of the source, it cannot be constant"}
	}
	if _, err := c.mapping.coerceAll(r.target, v); err != nil {
		return &Error{r.at, "value: " + err.Error()}
	}
	r.value = func(*evaluation) (any, error) { return v, nil }
	return nil
}

// piece is a part of a template: text, or an attribute.
type piece struct {
	text, attr string
	optional   bool
}

func (c *compiler) template(r *row, text string) error {
	pieces, err := parseTemplate(text)
	if err != nil {
		return &Error{r.at, "template: " + err.Error()}
	}
	for _, p := range pieces {
		if p.attr != "" {
			c.reads(p.attr)
		}
	}
	r.value = func(e *evaluation) (any, error) {
		var b strings.Builder
		for _, p := range pieces {
			if p.attr == "" {
				b.WriteString(p.text)
				continue
			}
			v := e.first(p.attr)
			if v == "" && !p.optional {
				return nil, nil
			}
			b.WriteString(v)
		}
		return strings.TrimSpace(b.String()), nil
	}
	return nil
}

func parseTemplate(s string) ([]piece, error) {
	var list []piece
	var text strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case (s[i] == '{' || s[i] == '}') && i+1 < len(s) && s[i+1] == s[i]:
			text.WriteByte(s[i])
			i++
		case s[i] == '}':
			return nil, fmt.Errorf("a } without its { at byte %d; write }} for a brace", i)
		case s[i] == '{':
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return nil, fmt.Errorf("the { at byte %d is not closed; write {{ for a brace", i)
			}
			name, optional := strings.CutSuffix(strings.TrimSpace(s[i+1:i+end]), "?")
			if name == "" || strings.ContainsAny(name, "{ ") {
				return nil, fmt.Errorf("%q is no attribute name", s[i+1:i+end])
			}
			list = append(list, piece{text: text.String()}, piece{attr: strings.ToLower(name), optional: optional})
			text.Reset()
			i += end
		default:
			text.WriteByte(s[i])
		}
	}
	return append(list, piece{text: text.String()}), nil
}

// coerceAll brings the value of a row into the canonical form of its target: a list for a whole list.
func (m *Mapping) coerceAll(t *target, v any) (any, error) {
	list, isList := v.([]any)
	if !t.wholeList() {
		if isList {
			if len(list) > 1 {
				return nil, scim.Errorf(scim.InvalidValue, "%d values for %s, which takes one", len(list), t.name())
			}
			if len(list) == 0 {
				return nil, nil
			}
			v = list[0]
		}
		return m.coerce(t, v)
	}
	if !isList {
		list = []any{v}
	}
	var out []any
	for _, e := range list {
		c, err := m.coerce(t, e)
		if err != nil {
			return nil, err
		}
		if c != nil {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// coerce brings one value into canonical form; nil means absent, and so does an empty text.
func (m *Mapping) coerce(t *target, v any) (any, error) {
	if v == nil || v == "" {
		return nil, nil
	}
	a := t.leaf()
	if o, ok := v.(scim.Object); ok && t.wholeList() && t.ref.Attr.Type == scim.Complex {
		v, err := m.registry.Coerce(t.ref.Attr, o, scim.DecodeOptions{}, nil)
		return v, err
	}
	switch n := v.(type) {
	case int64, float64, bool:
		if a.Type == scim.String {
			v = asText(n)
		}
	case string:
		if a.Type == scim.Integer || a.Type == scim.Decimal {
			if v = numeral(n); v == nil {
				return nil, scim.Errorf(scim.InvalidValue, "%s is a number, and %s is none", a.Name, scim.Quote(n))
			}
		}
	}
	return m.registry.Coerce(a, v, scim.DecodeOptions{}, nil)
}

// numeral reads a number; nil if it is none.
func numeral(s string) any {
	if n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
		return f
	}
	return nil
}
