package scim

import (
	"fmt"
	"strings"
)

// The limits of a filter. What exceeds one is refused with invalidFilter (in a PATCH path, with invalidPath)
// and a detail that names the limit.
const (
	MaxFilterLength = 4096 // bytes
	MaxFilterDepth  = 32   // parentheses, "not" and brackets within each other
	MaxFilterNodes  = 256  // comparisons, operators and value paths together
)

// ParseFilter parses a filter (RFC 7644 §3.4.2.2). Names are not looked up and values not checked: that is
// Bind's part. An error is an *Error of type invalidFilter with the offset of the fault.
//
// Beyond the grammar it accepts: names and operators in any case, any blanks or none where no letters would
// run together, a literal without quotes after an operator (read as a string unless it is true, false, null or
// a number), and a comparison behind a value path, emails[type eq "work"].value eq "x", which Entra sends and
// which means the same as emails[type eq "work" and value eq "x"].
func ParseFilter(s string) (Filter, error) {
	if len(s) > MaxFilterLength {
		return nil, &Error{Type: InvalidFilter, Offset: MaxFilterLength,
			Detail: fmt.Sprintf("the filter has %d bytes, the limit is %d", len(s), MaxFilterLength)}
	}
	p := &parser{lexer: lexer{s: s, kind: InvalidFilter}, maxDepth: MaxFilterDepth, maxNodes: MaxFilterNodes}
	f, err := p.filter()
	if err != nil {
		return nil, err
	}
	return f, nil
}

// parser is a recursive descent parser with one method for each level of precedence. Each method starts with
// its first token current in p.tok and leaves the token behind it current.
type parser struct {
	lexer
	tok                token
	depth, nodes       int
	maxDepth, maxNodes int
	inside             bool // between the brackets of a value path
}

// advance makes the next token current.
func (p *parser) advance() *Error {
	var err *Error
	p.tok, err = p.next()
	return err
}

// expectedf is the error that says what should stand where the current token is.
func (p *parser) expectedf(format string, args ...any) *Error {
	return p.failf(p.tok.pos, "expected %s, found %s", fmt.Sprintf(format, args...), p.tok.describe())
}

// node counts a node of the tree.
func (p *parser) node(pos int) *Error {
	if p.nodes++; p.nodes > p.maxNodes {
		return p.failf(pos, "more than %d terms in a filter", p.maxNodes)
	}
	return nil
}

// is reports whether the current token is the given keyword, in any case.
func (p *parser) is(keyword string) bool {
	return p.tok.kind == tokWord && strings.EqualFold(p.tok.text, keyword)
}

// filter parses the whole input.
func (p *parser) filter() (Filter, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	switch p.tok.kind {
	case tokEnd:
		return f, nil
	case tokClose, tokCloseBrack:
		return nil, p.failf(p.tok.pos, "%s without its opening counterpart", p.tok.describe())
	}
	return nil, p.expectedf(`"and", "or" or the end`)
}

// or = and *("or" and)
func (p *parser) or() (Filter, *Error) {
	left, err := p.and()
	for err == nil && p.is("or") {
		var right Filter
		if right, err = p.operand((*parser).and); err == nil {
			left = &Or{left, right}
		}
	}
	return left, err
}

// and = not *("and" not)
func (p *parser) and() (Filter, *Error) {
	left, err := p.not()
	for err == nil && p.is("and") {
		var right Filter
		if right, err = p.operand((*parser).not); err == nil {
			left = &And{left, right}
		}
	}
	return left, err
}

// operand parses what follows the "and" or "or" that is current.
func (p *parser) operand(parse func(*parser) (Filter, *Error)) (Filter, *Error) {
	if err := p.node(p.tok.pos); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	return parse(p)
}

// not = "not" group / group / expression
func (p *parser) not() (Filter, *Error) {
	if !p.is("not") {
		if p.tok.kind == tokOpen {
			return p.group()
		}
		return p.expression()
	}
	if err := p.node(p.tok.pos); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind != tokOpen {
		return nil, p.expectedf(`"(" after "not"`)
	}
	f, err := p.group()
	if err != nil {
		return nil, err
	}
	return &Not{f}, nil
}

// group = "(" or ")"
func (p *parser) group() (Filter, *Error) {
	return p.nested(tokClose, `")"`)
}

// nested parses what stands between the bracket that is current and its counterpart.
func (p *parser) nested(end kind, name string) (Filter, *Error) {
	open := p.tok
	if p.depth++; p.depth > p.maxDepth {
		return nil, p.failf(open.pos, "more than %d parentheses or brackets within each other", p.maxDepth)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != end {
		return nil, p.expectedf(`"and", "or" or the %s for the %s at offset %d`, name, open.describe(), open.pos)
	}
	p.depth--
	return f, p.advance()
}

// expression = attrPath "[" or "]" ["." sub comparison] / attrPath comparison
func (p *parser) expression() (Filter, *Error) {
	if p.tok.kind != tokWord || p.is("and") || p.is("or") {
		return nil, p.expectedf(`an attribute path, "not" or "("`)
	}
	word := p.tok
	path, err := p.attrPath(word.text, word.pos)
	if err != nil {
		return nil, err
	}
	if err := p.node(word.pos); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind != tokOpenBrack {
		return p.comparison(path)
	}
	f, closed, err := p.valueFilter(path)
	if err != nil {
		return nil, err
	}
	if sub, ok := p.subAttr(closed); ok {
		return p.comparedValuePath(path, f, sub)
	}
	return &ValuePath{Path: path, Filter: f}, nil
}

// valueFilter parses the bracket that is current and what is in it; closed is the offset behind the "]".
func (p *parser) valueFilter(path AttrPath) (f Filter, closed int, err *Error) {
	if p.inside {
		return nil, 0, p.failf(p.tok.pos, `"[" within brackets: a sub-attribute has no elements to choose from`)
	}
	if path.Sub != "" {
		return nil, 0, p.failf(p.tok.pos, `"[" after %s: brackets belong to the attribute, not to a sub-attribute`, path)
	}
	p.inside = true
	defer func() { p.inside = false }()
	if f, err = p.nested(tokCloseBrack, `"]"`); err != nil {
		return nil, 0, err
	}
	return f, strings.LastIndexByte(p.s[:p.tok.pos], ']') + 1, nil
}

// subAttr returns the name in a ".name" that is current and touches the bracket that closed before it.
func (p *parser) subAttr(closed int) (string, bool) {
	if p.tok.kind == tokWord && p.tok.pos == closed && p.tok.text[0] == '.' {
		return p.tok.text[1:], true
	}
	return "", false
}

// comparedValuePath parses the comparison in emails[type eq "work"].value eq "x" and moves it into the brackets.
// A negative comparison (ne, eq null) is the negation of the positive one, as everywhere.
func (p *parser) comparedValuePath(path AttrPath, f Filter, sub string) (Filter, *Error) {
	if !isName(sub) {
		return nil, p.failf(p.tok.pos, "expected the name of a sub-attribute, found %s", Quote(sub))
	}
	// One node each for the "and", the comparison and the negation that this may turn into.
	for range 3 {
		if err := p.node(p.tok.pos); err != nil {
			return nil, err
		}
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	inner, err := p.comparison(AttrPath{Name: sub})
	if err != nil {
		return nil, err
	}
	c := inner.(*Compare)
	negative := (c.Op == Ne) != (c.Value == nil && (c.Op == Ne || c.Op == Eq))
	switch {
	case c.Value == nil && (c.Op == Ne || c.Op == Eq):
		c.Op = Pr
	case c.Op == Ne:
		c.Op = Eq
	}
	var out Filter = &ValuePath{Path: path, Filter: &And{f, c}}
	if negative {
		out = &Not{out}
	}
	return out, nil
}

// operators are the ten operators.
var operators = map[string]Operator{"eq": Eq, "ne": Ne, "co": Co, "sw": Sw, "ew": Ew, "gt": Gt, "ge": Ge, "lt": Lt, "le": Le, "pr": Pr}

// comparison = "pr" / operator value
func (p *parser) comparison(path AttrPath) (Filter, *Error) {
	const names = "an operator (eq ne co sw ew gt ge lt le pr)"
	if p.tok.kind != tokWord {
		return nil, p.expectedf("%s after %s", names, path)
	}
	op, ok := operators[strings.ToLower(p.tok.text)]
	if !ok {
		return nil, p.failf(p.tok.pos, "unknown operator %s; expected %s", Quote(p.tok.text), names)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if op == Pr {
		return &Compare{Path: path, Op: op}, nil
	}
	v, err := p.value(op)
	if err != nil {
		return nil, err
	}
	return &Compare{Path: path, Op: op, Value: v}, nil
}
