package mapping

import (
	"fmt"
	"strconv"
	"strings"
)

// fromEntra translates an expression in the syntax of Microsoft Entra into the Common Expression Language: functions
// with arguments that may be left out, [attributes] in brackets, texts in double quotes with backslash escapes,
// numbers (&HF is hexadecimal), True and False, and comparisons with = <> < <= > >=.
func fromEntra(text string) (string, error) {
	if len(text) > MaxExpression {
		return "", fmt.Errorf("%d bytes, the limit is %d", len(text), MaxExpression)
	}
	p := &entraParser{s: text}
	out, err := p.comparison(0, false)
	if err != nil {
		return "", err
	}
	if p.blanks(); p.i < len(p.s) {
		return "", p.fault("the expression should end here")
	}
	return out, nil
}

// maxEntraDepth is how deep functions may be nested.
const maxEntraDepth = 50

type entraParser struct {
	s string
	i int
}

func (p *entraParser) fault(msg string) error { return fmt.Errorf("%s (at character %d)", msg, p.i+1) }

func (p *entraParser) blanks() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

// comparison is an operand, or two with an operator between them. list asks for all values of an attribute.
func (p *entraParser) comparison(depth int, list bool) (string, error) {
	left, err := p.operand(depth, list)
	if err != nil {
		return "", err
	}
	p.blanks()
	for _, op := range []struct{ entra, cel string }{{"<>", "!="}, {"<=", "<="}, {">=", ">="}, {"==", "=="}, {"=", "=="}, {"<", "<"}, {">", ">"}} {
		if !strings.HasPrefix(p.s[p.i:], op.entra) {
			continue
		}
		p.i += len(op.entra)
		right, err := p.operand(depth, false)
		if err != nil {
			return "", err
		}
		return "Compare(" + left + ", " + right + ") " + op.cel + " 0", nil
	}
	return left, nil
}

func (p *entraParser) operand(depth int, list bool) (string, error) {
	if depth > maxEntraDepth {
		return "", p.fault(fmt.Sprintf("functions are nested more than %d levels deep", maxEntraDepth))
	}
	p.blanks()
	if p.i >= len(p.s) {
		return "", p.fault("something is missing at the end")
	}
	c := p.s[p.i]
	switch {
	case c == '[':
		return p.attribute(list)
	case c == '"':
		return p.text()
	case c == '-' || c == '&' || c >= '0' && c <= '9':
		return p.number()
	case isNameByte(c):
		return p.call(depth)
	}
	return "", p.fault(fmt.Sprintf("%q has no place here", string(c)))
}

func isNameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (p *entraParser) attribute(list bool) (string, error) {
	end := strings.IndexByte(p.s[p.i:], ']')
	name := ""
	if end > 0 {
		name = strings.TrimSpace(p.s[p.i+1 : p.i+end])
	}
	if name == "" {
		return "", p.fault("an attribute is written [name]")
	}
	p.i += end + 1
	if list {
		return valuesVar + "[" + strconv.Quote(name) + "]", nil
	}
	return firstVar + "[" + strconv.Quote(name) + "]", nil
}

func (p *entraParser) text() (string, error) {
	var b strings.Builder
	for i := p.i + 1; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '\\' && i+1 < len(p.s) && (p.s[i+1] == '\\' || p.s[i+1] == '"'):
			i++
			b.WriteByte(p.s[i])
		case c == '"':
			p.i = i + 1
			return celText(b.String()), nil
		default:
			b.WriteByte(c)
		}
	}
	return "", p.fault("the text that begins here is not closed")
}

// celText writes a text as a literal of the Common Expression Language.
func celText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}

func (p *entraParser) number() (string, error) {
	start := p.i
	if strings.HasPrefix(strings.ToUpper(p.s[p.i:]), "&H") {
		p.i += 2
		from := p.i
		for p.i < len(p.s) && isNameByte(p.s[p.i]) {
			p.i++
		}
		n, err := strconv.ParseInt(p.s[from:p.i], 16, 64)
		if err != nil {
			p.i = start
			return "", p.fault("a hexadecimal number is written &HF7")
		}
		return strconv.FormatInt(n, 10), nil
	}
	p.i++
	for p.i < len(p.s) && (p.s[p.i] == '.' || p.s[p.i] >= '0' && p.s[p.i] <= '9') {
		p.i++
	}
	text := p.s[start:p.i]
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		p.i = start
		return "", p.fault("this is no number")
	}
	return text, nil
}

// listArguments are the functions that take an attribute with all its values: of Join every argument but the first,
// of the others the first.
var listArguments = map[string]bool{"Count": true, "Item": true, "RemoveDuplicates": true, "AppRoleAssignmentsComplex": true,
	"AssertiveAppRoleAssignmentsComplex": true, "SingleAppRoleAssignment": true, "SingleAppRoleAssignments": true,
	"IgnoreFlowIfNullOrEmpty": false}

func (p *entraParser) call(depth int) (string, error) {
	start := p.i
	for p.i < len(p.s) && isNameByte(p.s[p.i]) {
		p.i++
	}
	name := p.s[start:p.i]
	switch name {
	case "True", "False", "true", "false":
		return strings.ToLower(name), nil
	case "vbTextCompare", "vbBinaryCompare":
		return strconv.Quote(name), nil
	}
	if p.blanks(); p.i >= len(p.s) || p.s[p.i] != '(' {
		p.i = start
		return "", p.fault(fmt.Sprintf("%q is no function; attributes are written [%s]", name, name))
	}
	if strings.EqualFold(name, "IsNullorEmpty") {
		name = "IsNullOrEmpty"
	}
	p.i++
	args, err := p.arguments(name, depth)
	if err != nil {
		return "", err
	}
	return name + "(" + strings.Join(args, ", ") + ")", nil
}

// arguments reads up to the closing parenthesis. An argument that is left out is null.
func (p *entraParser) arguments(name string, depth int) ([]string, error) {
	var args []string
	for {
		p.blanks()
		if p.i >= len(p.s) {
			return nil, p.fault("a ) is missing for " + name)
		}
		if p.s[p.i] == ')' && len(args) == 0 {
			p.i++
			return nil, nil
		}
		if p.s[p.i] == ',' || p.s[p.i] == ')' {
			args = append(args, "null")
		} else {
			list := listArguments[name] && len(args) == 0 || name == "Join" && len(args) > 0
			arg, err := p.comparison(depth+1, list)
			if err != nil {
				return nil, err
			}
			args = append(args, arg)
		}
		p.blanks()
		if p.i >= len(p.s) {
			return nil, p.fault("a ) is missing for " + name)
		}
		switch p.s[p.i] {
		case ',':
			p.i++
		case ')':
			p.i++
			return args, nil
		default:
			return nil, p.fault("a comma or ) is expected")
		}
	}
}
