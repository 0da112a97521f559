package mapping

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// choiceFunctions decide, test and compare.
func choiceFunctions() []cel.EnvOption {
	one, two := sig(dyn), sig(dyn, dyn)
	all := []cel.EnvOption{
		declare("BitAnd", whole, bitAnd, two),
		declare("CBool", truth, func(a []ref.Val) (any, error) { return asBool(a[0]) }, one),
		declare("Not", truth, func(a []ref.Val) (any, error) {
			b, err := asBool(a[0])
			return !b, err
		}, one),
		declare("IsNull", truth, func(a []ref.Val) (any, error) { return absent(a[0]), nil }, one),
		declare("IsNullOrEmpty", truth, func(a []ref.Val) (any, error) { return empty(a[0]), nil }, one),
		declare("IsPresent", truth, func(a []ref.Val) (any, error) { return !empty(a[0]), nil }, one),
		declare("IsString", truth, func(a []ref.Val) (any, error) {
			_, ok := a[0].(types.String)
			return ok, nil
		}, one),
		declare("IgnoreFlowIfNullOrEmpty", dyn, func(a []ref.Val) (any, error) {
			if empty(a[0]) {
				return nil, nil
			}
			return a[0], nil
		}, one),
		declare("Compare", whole, compare, two),
		macro("IIF", func(f cel.MacroExprFactory, args []ast.Expr) (ast.Expr, error) {
			if len(args) != 3 {
				return nil, fmt.Errorf("IIF takes a condition and two values, here are %d arguments", len(args))
			}
			return f.NewCall("_?_:_", f.NewCall("CBool", args[0]), f.NewCall("dyn", args[1]), f.NewCall("dyn", args[2])), nil
		}),
	}
	all = append(all, variadic("Coalesce", nullable, 1, func(args []ref.Val) (any, error) {
		for _, a := range args {
			if !absent(a) {
				return asText(a), nil
			}
		}
		return nil, nil
	})...)
	return append(all, variadic("Switch", nullable, 4, choose)...)
}

// choose is Switch(source, default, key, value, …). An absent source is the key "".
func choose(args []ref.Val) (any, error) {
	if len(args)%2 != 0 {
		return nil, fmt.Errorf("keys and values come in pairs after source and default, here are %d arguments", len(args))
	}
	source := asText(args[0])
	for i := 2; i < len(args); i += 2 {
		if asText(args[i]) == source {
			return textOrNull(args[i+1]), nil
		}
	}
	return textOrNull(args[1]), nil
}

func textOrNull(v ref.Val) any {
	if absent(v) {
		return nil
	}
	return asText(v)
}

func empty(v ref.Val) bool { return absent(v) || v == types.String("") }

func bitAnd(args []ref.Val) (any, error) {
	a, err := asInt(args[0])
	if err != nil {
		return nil, err
	}
	b, err := asInt(args[1])
	return a & b, err
}

// compare is -1, 0 or 1: by size if both are numbers, by time if both are dates, else by text, with regard to case.
// Nothing is the empty text.
func compare(args []ref.Val) (any, error) {
	if x, ok := args[0].(types.Timestamp); ok {
		if y, ok := args[1].(types.Timestamp); ok {
			return int64(x.Time.Compare(y.Time)), nil
		}
	}
	a, b := asText(args[0]), asText(args[1])
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil && (isNumber(args[0]) || isNumber(args[1])) {
		return int64(cmp.Compare(x, y)), nil
	}
	return int64(strings.Compare(a, b)), nil
}

func isNumber(v ref.Val) bool {
	switch v.(type) {
	case types.Int, types.Uint, types.Double:
		return true
	}
	return false
}
