package mapping

import (
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/provost-scim/provost/scim"
)

// The bounds of one evaluation.
const (
	MaxCost  = 200_000 // steps, as the Common Expression Language counts them
	MaxValue = 64 << 10
)

// nullable is the type of a source attribute: a text, or null if there is none.
var nullable = cel.NullableType(cel.StringType)

// The names that an expression has beside source attributes.
const (
	valuesVar = "values" // all values of an attribute: values.proxyAddresses, values["extension-1"]
	firstVar  = "attr"   // the first value of an attribute: attr["extension-1"]
	keyVar    = "record_key"
	nameVar   = "record_name"
	callsVar  = "@calls" // the surroundings of an evaluation: the clock, randomness
)

// program is a compiled expression.
type program struct {
	program cel.Program
	names   map[string]string // variable → source attribute in lower case
	uses    map[string]bool   // functions that are called
	top     string            // the function called last, if the expression is a call
	out     *cel.Type
}

// compileExpression parses and checks an expression. Every name that it does not bind itself is a source attribute.
func (c *compiler) compileExpression(text string) (*program, error) {
	if len(text) > MaxExpression {
		return nil, fmt.Errorf("%d bytes, the limit is %d", len(text), MaxExpression)
	}
	base, err := baseEnv()
	if err != nil {
		return nil, err
	}
	parsed, issues := base.Parse(text)
	if issues.Err() != nil {
		return nil, explainIssues(issues)
	}
	p := &program{names: map[string]string{}, uses: map[string]bool{}}
	c.collect(p, parsed)
	var variables []cel.EnvOption
	for name := range p.names {
		variables = append(variables, cel.Variable(name, nullable))
	}
	env, err := base.Extend(variables...)
	if err != nil {
		return nil, err
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, explainIssues(issues)
	}
	p.out = checked.OutputType()
	p.program, err = env.Program(checked, cel.CostLimit(MaxCost), cel.CostTracking(cost{}), cel.EvalOptions(cel.OptOptimize))
	return p, err
}

// collect finds the source attributes and the functions of an expression.
func (c *compiler) collect(p *program, parsed *cel.Ast) {
	root := parsed.NativeRep().Expr()
	if root.Kind() == ast.CallKind {
		p.top = strings.TrimPrefix(root.AsCall().FunctionName(), "@")
	}
	bound := map[string]bool{valuesVar: true, firstVar: true, keyVar: true, nameVar: true, callsVar: true}
	visit := ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.ComprehensionKind:
			bound[e.AsComprehension().IterVar()] = true
			bound[e.AsComprehension().IterVar2()] = true
			bound[e.AsComprehension().AccuVar()] = true
		case ast.CallKind:
			p.uses[strings.TrimPrefix(e.AsCall().FunctionName(), "@")] = true
			if call := e.AsCall(); call.FunctionName() == "_[_]" && call.Args()[0].Kind() == ast.IdentKind {
				if name := call.Args()[0].AsIdent(); (name == valuesVar || name == firstVar) && call.Args()[1].Kind() == ast.LiteralKind {
					c.reads(asText(call.Args()[1].AsLiteral().Value()))
				}
			}
		case ast.SelectKind:
			if s := e.AsSelect(); s.Operand().Kind() == ast.IdentKind && (s.Operand().AsIdent() == valuesVar || s.Operand().AsIdent() == firstVar) {
				c.reads(s.FieldName())
			}
		}
	})
	ast.PostOrderVisit(root, visit)
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.IdentKind || bound[e.AsIdent()] || isTypeName(e.AsIdent()) {
			return
		}
		p.names[e.AsIdent()] = strings.ToLower(e.AsIdent())
		c.reads(e.AsIdent())
	}))
}

// isTypeName keeps the names of types from being attributes.
func isTypeName(s string) bool {
	switch s {
	case "bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "timestamp", "type", "uint", "google":
		return true
	}
	return false
}

// explainIssues makes one line of what the compiler found.
func explainIssues(issues *cel.Issues) error {
	e := issues.Errors()[0]
	return fmt.Errorf("%s (line %d, column %d)", e.Message, e.Location.Line(), e.Location.Column()+1)
}

// run evaluates a program. The result is string, bool, int64, float64, time.Time, []any, scim.Object or nil.
func (p *program) run(e *evaluation) (any, error) {
	input := make(map[string]any, len(p.names)+5)
	for variable, name := range p.names {
		input[variable] = firstOrNull(e.values(name))
	}
	input[valuesVar] = &attributes{record: e}
	input[firstVar] = &attributes{record: e, first: true}
	input[keyVar], input[nameVar] = e.record.Key, e.record.Name
	input[callsVar] = &surroundings{e.mapping}
	out, _, err := p.program.Eval(input)
	if err != nil {
		return nil, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "evaluation error: "))
	}
	return plain(out)
}

func firstOrNull(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// plain turns a result into a Go value.
func plain(v ref.Val) (any, error) {
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.String:
		if len(v) > MaxValue {
			return nil, fmt.Errorf("the result has %d bytes, the limit is %d", len(v), MaxValue)
		}
		return string(v), nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Uint:
		return int64(v), nil
	case types.Double:
		return float64(v), nil
	case types.Timestamp:
		return v.Time.UTC(), nil
	}
	if list, ok := elements(v); ok {
		var out []any
		for _, e := range list {
			one, err := plain(e)
			if err != nil {
				return nil, err
			}
			if one != nil && one != "" {
				out = append(out, one)
			}
		}
		return out, nil
	}
	if o, ok := object(v); ok {
		return o, nil
	}
	return nil, fmt.Errorf("the result is a %s, which no attribute can hold", v.Type().TypeName())
}

// expression fills a row with the result of an expression.
func (c *compiler) expression(r *row, field, text string) error {
	p, err := c.compileExpression(text)
	if err != nil {
		return &Error{r.at, field + ": " + err.Error()}
	}
	if err := c.suits(r, p); err != nil {
		return &Error{r.at, field + ": " + err.Error()}
	}
	for _, name := range []string{"Guid", "RandomString"} {
		if p.uses[name] && !r.create {
			return &Error{r.at, field + ": " + name + " gives another value every time, so the row needs apply: create"}
		}
	}
	r.redact = p.uses["Redact"]
	r.keep = r.keep || p.top == "IgnoreFlowIfNullOrEmpty"
	if p.uses["SelectUniqueValue"] {
		switch {
		case p.top != "SelectUniqueValue":
			return &Error{r.at, field + ": SelectUniqueValue must be the outermost function"}
		case !r.create:
			return &Error{r.at, field + ": SelectUniqueValue is for new objects, so the row needs apply: create"}
		}
		r.alternatives = true
	}
	kind := r.target.leaf().Type
	r.value = func(e *evaluation) (any, error) {
		v, err := p.run(e)
		if at, ok := v.(time.Time); ok {
			if kind == scim.DateTime {
				return at.Format(time.RFC3339Nano), nil
			}
			return asText(at), nil
		}
		return v, err
	}
	return nil
}

// suits checks the type of an expression against its target.
func (c *compiler) suits(r *row, p *program) error {
	t, leaf := r.target, r.target.leaf()
	kind := p.out.Kind()
	if p.out.IsAssignableType(cel.NullType) && p.out.IsAssignableType(cel.StringType) {
		kind = types.StringKind
	}
	switch kind {
	case types.DynKind, types.AnyKind, types.NullTypeKind, types.StringKind, types.TypeParamKind:
		return nil
	case types.ListKind:
		if t.wholeList() || p.top == "SelectUniqueValue" {
			return nil
		}
		return fmt.Errorf("the result is a list, and %s takes one value: choose one, with Item(…, 1) for instance", t.name())
	case types.MapKind:
		if t.wholeList() {
			return nil
		}
	case types.BoolKind:
		if leaf.Type == scim.Boolean {
			return nil
		}
	case types.IntKind, types.UintKind:
		if leaf.Type == scim.Integer || leaf.Type == scim.Decimal {
			return nil
		}
	case types.DoubleKind:
		if leaf.Type == scim.Decimal {
			return nil
		}
	case types.TimestampKind:
		if leaf.Type == scim.DateTime || leaf.Type == scim.String {
			return nil
		}
	}
	hint := ""
	if leaf.Type == scim.String {
		hint = ": CStr makes text of it"
	}
	return fmt.Errorf("the result is %s, and %s is %s%s", p.out, t.name(), leaf.Type, hint)
}

// conditionExpression compiles an expression that says whether a record is in scope.
func (c *compiler) conditionExpression(at, text string) (*condition, error) {
	p, err := c.compileExpression(text)
	if err != nil {
		return nil, &Error{at, err.Error()}
	}
	if k := p.out.Kind(); k != types.BoolKind && k != types.DynKind {
		return nil, &Error{at, fmt.Sprintf("the result is %s, a condition is true or false", p.out)}
	}
	for _, name := range []string{"Guid", "RandomString", "SelectUniqueValue"} {
		if p.uses[name] {
			return nil, &Error{at, name + " has no place in a condition"}
		}
	}
	return &condition{func(e *evaluation) (bool, string, error) {
		v, err := p.run(e)
		if err != nil {
			return false, "", &Error{at, err.Error()}
		}
		ok, is := v.(bool)
		if !is {
			return false, "", &Error{at, fmt.Sprintf("the result is %q, neither true nor false", asText(v))}
		}
		if ok {
			return true, text + " holds", nil
		}
		return false, text + " does not hold", nil
	}}, nil
}

// environment is what all expressions share.
func environment() []cel.EnvOption {
	return append([]cel.EnvOption{
		cel.Variable(valuesVar, cel.MapType(cel.StringType, cel.ListType(cel.StringType))),
		cel.Variable(firstVar, cel.MapType(cel.StringType, nullable)),
		cel.Variable(keyVar, cel.StringType),
		cel.Variable(nameVar, cel.StringType),
		cel.Variable(callsVar, cel.DynType),
		cel.ParserRecursionLimit(100),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		ext.Strings(ext.StringsVersion(4)),
	}, functions()...)
}
