package mapping

import (
	"fmt"
	"strconv"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// The functions of Microsoft Entra's expressions stand here under their own names, with the meaning that its reference
// gives them ("Reference for writing expressions for attribute mappings in Microsoft Entra ID"). Where it is silent, a
// text function of an absent value has no value.

// A function takes what CEL has and returns a Go value: string, bool, int64, time.Time, []string, scim.Object lists,
// nil, or a ref.Val as it is.
type function func(args []ref.Val) (any, error)

var (
	dyn     = cel.DynType
	whole   = cel.IntType
	truth   = cel.BoolType
	instant = cel.TimestampType
	texts   = cel.ListType(cel.StringType)
	anyList = cel.ListType(cel.DynType)
)

func sig(t ...*cel.Type) []*cel.Type { return t }

// declare makes a CEL function of a Go function; it has one overload for every list of argument types.
func declare(name string, out *cel.Type, fn function, overloads ...[]*cel.Type) cel.EnvOption {
	run := func(args ...ref.Val) ref.Val {
		v, err := fn(args)
		if err != nil {
			return types.NewErr("%s: %s", name, err)
		}
		return value(v)
	}
	options := make([]cel.FunctionOpt, len(overloads))
	for i, args := range overloads {
		var binding cel.OverloadOpt
		switch len(args) {
		case 1:
			binding = cel.UnaryBinding(func(a ref.Val) ref.Val { return run(a) })
		case 2:
			binding = cel.BinaryBinding(func(a, b ref.Val) ref.Val { return run(a, b) })
		default:
			binding = cel.FunctionBinding(run)
		}
		options[i] = cel.Overload(fmt.Sprintf("%s_%d", name, len(args)), args, out, binding)
	}
	return cel.Function(name, options...)
}

// value makes a CEL value of a Go value.
func value(v any) ref.Val {
	switch v := v.(type) {
	case ref.Val:
		return v
	case nil:
		return types.NullValue
	case string:
		if len(v) > MaxValue {
			return types.NewErr("a text of %d bytes, the limit is %d", len(v), MaxValue)
		}
	case []string:
		return types.NewStringList(types.DefaultTypeAdapter, v)
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// variadic declares a function of any number of arguments, at least low: a macro makes one list of them.
func variadic(name string, out *cel.Type, low int, fn function) []cel.EnvOption {
	return []cel.EnvOption{
		declare("@"+name, out, func(args []ref.Val) (any, error) {
			list, _ := elements(args[0])
			return fn(list)
		}, sig(anyList)),
		macro(name, func(f cel.MacroExprFactory, args []ast.Expr) (ast.Expr, error) {
			if len(args) < low {
				return nil, fmt.Errorf("%s needs at least %d arguments, here are %d", name, low, len(args))
			}
			return f.NewCall("@"+name, f.NewList(args...)), nil
		}),
	}
}

// withCalls declares a function that needs the clock or randomness: its first argument in Go is the surroundings.
func withCalls(name string, out *cel.Type, low, high int, fn func(s *surroundings, args []ref.Val) (any, error)) []cel.EnvOption {
	return []cel.EnvOption{
		declare("@"+name, out, func(args []ref.Val) (any, error) {
			s, ok := args[0].(*surroundings)
			if !ok {
				return nil, fmt.Errorf("no surroundings")
			}
			list, _ := elements(args[1])
			return fn(s, list)
		}, sig(dyn, anyList)),
		macro(name, func(f cel.MacroExprFactory, args []ast.Expr) (ast.Expr, error) {
			if len(args) < low || len(args) > high {
				return nil, fmt.Errorf("%s takes %d to %d arguments, here are %d", name, low, high, len(args))
			}
			return f.NewCall("@"+name, f.NewIdent(callsVar), f.NewList(args...)), nil
		}),
	}
}

func macro(name string, expand func(f cel.MacroExprFactory, args []ast.Expr) (ast.Expr, error)) cel.EnvOption {
	return cel.Macros(cel.GlobalVarArgMacro(name, func(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
		e, err := expand(f, args)
		if err != nil {
			return nil, &common.Error{Message: err.Error(), Location: common.NewLocation(1, 0)}
		}
		return e, nil
	}))
}

// functions declares everything.
func functions() []cel.EnvOption {
	all := textFunctions()
	all = append(all, choiceFunctions()...)
	all = append(all, listFunctions()...)
	all = append(all, dateFunctions()...)
	all = append(all, randomFunctions()...)
	return append(all, directoryFunctions()...)
}

// asText is a value as Entra writes it: True and False, whole numbers without a point, dates as M/d/yyyy h:mm:ss tt.
// null is "".
func asText(v any) string {
	switch v := v.(type) {
	case nil, types.Null:
		return ""
	case string:
		return v
	case types.String:
		return string(v)
	case types.Bool:
		return asText(bool(v))
	case bool:
		if v {
			return "True"
		}
		return "False"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case types.Double:
		return asText(float64(v))
	case types.Timestamp:
		return entraTime(v.Time)
	case ref.Val:
		if list, ok := elements(v); ok {
			if len(list) == 0 {
				return ""
			}
			return asText(list[0])
		}
		return fmt.Sprint(v.Value())
	}
	if at, ok := isTime(v); ok {
		return entraTime(at)
	}
	return fmt.Sprint(v)
}

func absent(v ref.Val) bool {
	if _, null := v.(types.Null); null {
		return true
	}
	list, ok := elements(v)
	return ok && len(list) == 0
}

// asInt reads a whole number, written as text or not.
func asInt(v ref.Val) (int64, error) {
	switch n := v.(type) {
	case types.Int:
		return int64(n), nil
	case types.Uint:
		return int64(n), nil
	case types.Double:
		if float64(n) == float64(int64(n)) {
			return int64(n), nil
		}
	case types.Bool:
		if n {
			return 1, nil
		}
		return 0, nil
	}
	s := asText(v)
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no whole number", s)
	}
	return n, nil
}

// asBool reads a truth: true, "True", 1; null is false.
func asBool(v ref.Val) (bool, error) {
	if b, ok := v.(types.Bool); ok {
		return bool(b), nil
	}
	s := asText(v)
	if b, err := strconv.ParseBool(s); err == nil {
		return b, nil
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return n != 0, nil
	}
	switch s {
	case "TRUE", "FALSE", "":
		return s == "TRUE", nil
	}
	return false, fmt.Errorf("%q is neither true nor false", s)
}

// cost counts what a call of our functions costs: a step, and one for every ten bytes that it is given.
type cost struct{}

func (cost) CallCost(_, _ string, args []ref.Val, _ ref.Val) *uint64 {
	var n uint64 = 1
	for _, a := range args {
		if s, ok := a.(types.String); ok {
			n += uint64(len(s)) / 10
		} else if list, ok := elements(a); ok {
			n += uint64(len(list))
			for _, e := range list {
				if s, ok := e.(types.String); ok {
					n += uint64(len(s)) / 10
				}
			}
		}
	}
	return &n
}
