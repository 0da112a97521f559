package mapping

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
)

// listFunctions work on attributes with several values.
func listFunctions() []cel.EnvOption {
	one := sig(dyn)
	all := []cel.EnvOption{
		declare("Count", whole, func(a []ref.Val) (any, error) { return int64(len(textsOf(a[0]))), nil }, one),
		declare("Item", nullable, item, sig(dyn, whole)),
		declare("RemoveDuplicates", texts, func(a []ref.Val) (any, error) {
			var out []string
			for _, s := range textsOf(a[0]) {
				if !slices.Contains(out, s) {
					out = append(out, s)
				}
			}
			return out, nil
		}, one),
		declare("Split", texts, split, sig(dyn, cel.StringType)),
		declare("AppRoleAssignmentsComplex", cel.ListType(dyn), roles, one),
		declare("AssertiveAppRoleAssignmentsComplex", cel.ListType(dyn), roles, one),
	}
	for _, name := range []string{"SingleAppRoleAssignment", "SingleAppRoleAssignments"} {
		all = append(all, declare(name, nullable, singleRole, one))
	}
	return append(all, variadic("SelectUniqueValue", texts, 2, func(args []ref.Val) (any, error) {
		var out []string
		for _, a := range args {
			if s := asText(a); s != "" && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
		return out, nil
	})...)
}

// textsOf is a list as texts; a single value is a list of one, an absent one of none.
func textsOf(v ref.Val) []string {
	list, ok := elements(v)
	if !ok {
		if s := asText(v); s != "" {
			return []string{s}
		}
		return nil
	}
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = asText(e)
	}
	return out
}

// item counts from 1; there is no value beyond the end.
func item(args []ref.Val) (any, error) {
	n, err := asInt(args[1])
	if err != nil {
		return nil, err
	}
	list := textsOf(args[0])
	if n < 1 || n > int64(len(list)) {
		return nil, nil
	}
	return list[n-1], nil
}

// split takes the spaces around the parts away, and empty parts too.
func split(args []ref.Val) (any, error) {
	delimiter := asText(args[1])
	if delimiter == "" {
		return nil, fmt.Errorf("the delimiter is empty")
	}
	var out []string
	for _, s := range strings.Split(asText(args[0]), delimiter) {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out, nil
}

// role is one assignment: a name, or an object as Entra writes it into appRoleAssignments.
type role struct {
	ID      string `json:"id,omitempty"`
	Value   string `json:"value"`
	Display string `json:"displayName,omitempty"`
}

func rolesOf(v ref.Val) []role {
	var out []role
	for _, s := range textsOf(v) {
		r := role{Value: s, Display: s}
		if strings.HasPrefix(strings.TrimSpace(s), "{") {
			var parsed role
			if err := json.Unmarshal([]byte(s), &parsed); err == nil && parsed.Value+parsed.Display != "" {
				r = parsed
			}
		}
		if r.Value == "" {
			r.Value = r.Display
		}
		out = append(out, r)
	}
	return out
}

// roles makes elements of the attribute "roles"; there is no primary among them.
func roles(args []ref.Val) (any, error) {
	out := []any{}
	for _, r := range rolesOf(args[0]) {
		o := map[string]any{"value": r.Value, "primary": false}
		if r.Display != "" {
			o["display"] = r.Display
		}
		out = append(out, o)
	}
	return out, nil
}

// singleRole is for people who have one role at most: which of several should count is not known.
func singleRole(args []ref.Val) (any, error) {
	list := rolesOf(args[0])
	switch len(list) {
	case 0:
		return nil, nil
	case 1:
		return list[0].Value, nil
	}
	return nil, fmt.Errorf("there are %d roles, one is allowed", len(list))
}
