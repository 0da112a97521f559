package scim

import (
	"fmt"
	"strings"
)

// Path is the parsed path of a PATCH operation (RFC 7644 §3.5.2): an attribute, a sub-attribute, elements of a
// multi-valued attribute, a sub-attribute of such elements, or a whole schema extension.
//
// A path that ends in a URN alone reads as URN and name, because the grammar cannot tell them apart:
// "urn:…:2.0:User" is URN "urn:…:2.0", name "User". Only a registry knows that it is an extension. Where the
// last part cannot be a name ("urn:…:1.0"), Attr holds the URN alone.
type Path struct {
	Attr   AttrPath
	Filter Filter // of the brackets; nil if there are none
}

// String prints the path so that it parses to the same Path.
func (p Path) String() string {
	if p.Filter == nil {
		return p.Attr.String()
	}
	list := p.Attr
	list.Sub = ""
	s := list.String() + "[" + p.Filter.String() + "]"
	if p.Attr.Sub != "" {
		s += "." + p.Attr.Sub
	}
	return s
}

// ParsePath parses a PATCH path; the limits are those of a filter. An error is an *Error of type invalidPath
// with the offset of the fault.
func ParsePath(s string) (Path, error) {
	if len(s) > MaxFilterLength {
		return Path{}, &Error{Type: InvalidPath, Offset: MaxFilterLength,
			Detail: fmt.Sprintf("the path has %d bytes, the limit is %d", len(s), MaxFilterLength)}
	}
	p := &parser{lexer: lexer{s: s, kind: InvalidPath}, maxDepth: MaxFilterDepth, maxNodes: MaxFilterNodes}
	path, err := p.path()
	if err != nil {
		return Path{}, err
	}
	return path, nil
}

// path parses the whole input as attrPath / attrPath "[" or "]" ["." sub].
func (p *parser) path() (Path, *Error) {
	var path Path
	if err := p.advance(); err != nil {
		return path, err
	}
	if p.tok.kind != tokWord {
		return path, p.expectedf("an attribute path")
	}
	word := p.tok
	attr, err := p.attrPath(word.text, word.pos)
	if err != nil {
		if len(word.text) < 4 || !strings.EqualFold(word.text[:4], "urn:") || !isURN(word.text) {
			return path, err
		}
		attr = AttrPath{URN: word.text}
	}
	path.Attr = attr
	if err := p.advance(); err != nil {
		return path, err
	}
	if p.tok.kind == tokOpenBrack {
		if err := p.elements(&path); err != nil {
			return path, err
		}
	}
	if p.tok.kind != tokEnd {
		return path, p.expectedf("the end of the path")
	}
	return path, nil
}

// elements parses the brackets that are current and the sub-attribute behind them.
func (p *parser) elements(path *Path) *Error {
	if path.Attr.Name == "" {
		return p.failf(p.tok.pos, "brackets belong to an attribute, %s is a schema", path.Attr)
	}
	f, closed, err := p.valueFilter(path.Attr)
	if err != nil {
		return err
	}
	path.Filter = f
	sub, ok := p.subAttr(closed)
	if !ok {
		return nil
	}
	if !isName(sub) {
		return p.failf(p.tok.pos, "expected the name of a sub-attribute, found %s", Quote(sub))
	}
	path.Attr.Sub = sub
	return p.advance()
}
