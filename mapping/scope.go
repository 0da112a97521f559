package mapping

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Operators are the comparisons of a Condition: those of Microsoft Entra's scoping filters, under their names.
var Operators = []string{"&", "!&", "ENDS_WITH", "EQUALS", "GREATER_THAN", "GREATER_THAN_OR_EQUALS", "INCLUDES", "IS FALSE",
	"IS NOT NULL", "IS NULL", "IS TRUE", "NOT EQUALS", "NOT REGEX MATCH", "REGEX MATCH"}

// scope is a compiled Scope.
type scope struct {
	include, exclude map[string]bool // keys and normal names
	groups           []group
	where            *condition
}

type group struct {
	name   string // as it was written
	normal string
	nested bool
}

// decision is what a scope says of a record.
type decision struct {
	in, unassigned bool
	reason         string
	err            error
}

func (c *compiler) scope(d *Scope) (*scope, error) {
	s := &scope{include: c.names(d.Include), exclude: c.names(d.Exclude)}
	for i, g := range d.Groups {
		if g.Group == "" {
			return nil, &Error{fmt.Sprintf("%s.scope.groups[%d]", c.where, i), "group: the name of a group is missing"}
		}
		s.groups = append(s.groups, group{g.Group, c.mapping.options.Normal(g.Group), g.Nested})
	}
	if d.Where == nil {
		return s, nil
	}
	count := 0
	var err error
	s.where, err = c.condition(c.where+".scope.where", d.Where, 1, &count)
	return s, err
}

func (c *compiler) names(list []string) map[string]bool {
	out := map[string]bool{}
	for _, n := range list {
		out[n] = true
		out[c.mapping.options.Normal(n)] = true
	}
	return out
}

// decide says whether a record is in scope. The error is one of look.
func (s *scope) decide(ctx context.Context, e *evaluation, look Lookup) (decision, error) {
	rec := &e.record
	if s.exclude[rec.Key] || s.exclude[rec.Name] {
		return decision{reason: "out of scope: the scope excludes it by name"}, nil
	}
	if s.include[rec.Key] || s.include[rec.Name] {
		return decision{in: true, reason: "the scope includes it by name"}, nil
	}
	reason := ""
	if len(s.groups) > 0 {
		in, err := s.member(ctx, rec.Key, look)
		if err != nil {
			return decision{}, err
		}
		if in == "" {
			return decision{unassigned: true, reason: "out of scope: it is not a member of " + s.groupNames()}, nil
		}
		reason = "it is a member of " + in
	}
	if s.where != nil {
		ok, why, err := s.where.test(e)
		if err != nil {
			return decision{err: err}, nil
		}
		if !ok {
			return decision{reason: "out of scope: " + why}, nil
		}
		if reason != "" {
			reason += ", and "
		}
		reason += why
	}
	if reason == "" {
		reason = "the scope takes everything that the source has"
		if len(s.include) > 0 {
			return decision{reason: "out of scope: the scope does not name it"}, nil
		}
	}
	return decision{in: true, reason: reason}, nil
}

// member returns the name of the first of the scope's groups that holds the record, "" if none does.
func (s *scope) member(ctx context.Context, key string, look Lookup) (string, error) {
	if look == nil {
		return "", fmt.Errorf("the scope names groups, and there is nobody to ask about them")
	}
	var has [2][]GroupRef
	var asked [2]bool
	for _, g := range s.groups {
		i := 0
		if g.nested {
			i = 1
		}
		if !asked[i] {
			list, err := look.Groups(ctx, key, g.nested)
			if err != nil {
				return "", err
			}
			has[i], asked[i] = list, true
		}
		if slices.ContainsFunc(has[i], func(r GroupRef) bool { return r.Key == g.name || r.Name == g.normal }) {
			return g.name, nil
		}
	}
	return "", nil
}

func (s *scope) groupNames() string {
	names := make([]string, len(s.groups))
	for i, g := range s.groups {
		names[i] = g.name
	}
	return strings.Join(names, " or ")
}

// condition is a compiled Condition. test says whether it holds, and why or why not.
type condition struct {
	test func(e *evaluation) (ok bool, why string, err error)
}

func (c *compiler) condition(at string, d *Condition, depth int, count *int) (*condition, error) {
	if *count++; *count > MaxConditions {
		return nil, &Error{at, fmt.Sprintf("more than %d conditions", MaxConditions)}
	}
	if depth > MaxNested {
		return nil, &Error{at, fmt.Sprintf("conditions are nested more than %d levels deep", MaxNested)}
	}
	given := 0
	for _, is := range []bool{d.All != nil, d.Any != nil, d.Not != nil, d.Attribute != "" || d.Operator != "" || d.Value != "", d.Expression != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, &Error{at, "a condition is one of: all, any, not, expression, or attribute with operator and value"}
	}
	switch {
	case d.Not != nil:
		in, err := c.condition(at+".not", d.Not, depth+1, count)
		if err != nil {
			return nil, err
		}
		return &condition{func(e *evaluation) (bool, string, error) {
			ok, why, err := in.test(e)
			return !ok, why, err
		}}, nil
	case d.All != nil:
		return c.several(at+".all", d.All, true, depth, count)
	case d.Any != nil:
		return c.several(at+".any", d.Any, false, depth, count)
	case d.Expression != "":
		return c.conditionExpression(at+".expression", d.Expression)
	}
	return c.comparison(at, d)
}

// several joins conditions with and, or with or. The first that decides says why.
func (c *compiler) several(at string, list []Condition, all bool, depth int, count *int) (*condition, error) {
	if len(list) == 0 {
		return nil, &Error{at, "there are no conditions in it"}
	}
	var parts []*condition
	for i := range list {
		p, err := c.condition(fmt.Sprintf("%s[%d]", at, i), &list[i], depth+1, count)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return &condition{func(e *evaluation) (bool, string, error) {
		var reasons []string
		for _, p := range parts {
			ok, why, err := p.test(e)
			if err != nil {
				return false, "", err
			}
			if ok != all {
				return ok, why, nil
			}
			reasons = append(reasons, why)
		}
		return all, strings.Join(reasons, ", and "), nil
	}}, nil
}

// comparison compiles one of Operators. Of several values of an attribute one has to meet a positive operator, and
// none may meet what a negative one denies. An absent value meets only IS NULL, as in Entra.
func (c *compiler) comparison(at string, d *Condition) (*condition, error) {
	if d.Attribute == "" {
		return nil, &Error{at, "attribute: missing"}
	}
	name := strings.ToLower(d.Attribute)
	c.reads(name)
	op := strings.ToUpper(strings.Join(strings.Fields(d.Operator), " "))
	if !slices.Contains(Operators, op) {
		return nil, &Error{at, fmt.Sprintf("operator: %q is none of %s", d.Operator, strings.Join(Operators, ", "))}
	}
	one, err := matcher(op, d.Value)
	if err != nil {
		return nil, &Error{at, "value: " + err.Error()}
	}
	negative := op == "!&" || strings.HasPrefix(op, "NOT ")
	words := inWords[op]
	said := func(ok bool) string {
		text := words[0]
		if !ok {
			text = words[1]
		}
		if strings.Contains(text, "%") {
			text = fmt.Sprintf(text, d.Value)
		}
		return d.Attribute + " " + text
	}
	return &condition{func(e *evaluation) (bool, string, error) {
		values := e.values(name)
		if op == "IS NULL" || op == "IS NOT NULL" {
			ok := (len(values) == 0) == (op == "IS NULL")
			return ok, said(ok), nil
		}
		if len(values) == 0 {
			return false, d.Attribute + " has no value", nil
		}
		if strings.HasPrefix(op, "GREATER") {
			if err := wholeNumbers(d.Attribute, values); err != nil {
				return false, "", &Error{at, err.Error()}
			}
		}
		ok := slices.ContainsFunc(values, one) != negative
		return ok, said(ok), nil
	}}, nil
}

// inWords says what an operator finds when it holds and when it does not.
var inWords = map[string][2]string{
	"&":                      {"is part of %s", "is no part of %s"},
	"!&":                     {"is no part of %s", "is part of %s"},
	"ENDS_WITH":              {"ends with %s", "does not end with %s"},
	"EQUALS":                 {"is %s", "is not %s"},
	"GREATER_THAN":           {"is greater than %s", "is not greater than %s"},
	"GREATER_THAN_OR_EQUALS": {"is at least %s", "is less than %s"},
	"INCLUDES":               {"contains %s", "does not contain %s"},
	"IS FALSE":               {"is false", "is not false"},
	"IS NOT NULL":            {"has a value", "has no value"},
	"IS NULL":                {"has no value", "has a value"},
	"IS TRUE":                {"is true", "is not true"},
	"NOT EQUALS":             {"is not %s", "is %s"},
	"NOT REGEX MATCH":        {"does not match %s", "matches %s"},
	"REGEX MATCH":            {"matches %s", "does not match %s"},
}

// matcher returns the positive comparison of one value.
func matcher(op, want string) (func(string) bool, error) {
	switch op {
	case "&", "!&":
		return func(v string) bool { return strings.Contains(want, v) }, needs(op, want)
	case "ENDS_WITH":
		return func(v string) bool { return strings.HasSuffix(v, want) }, needs(op, want)
	case "EQUALS", "NOT EQUALS":
		return func(v string) bool { return v == want }, needs(op, want)
	case "INCLUDES":
		return func(v string) bool { return strings.Contains(v, want) }, needs(op, want)
	case "GREATER_THAN", "GREATER_THAN_OR_EQUALS":
		limit, err := strconv.ParseInt(strings.TrimSpace(want), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s compares whole numbers, and %q is none", op, want)
		}
		return func(v string) bool {
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return err == nil && (n > limit || n == limit && op == "GREATER_THAN_OR_EQUALS")
		}, nil
	case "REGEX MATCH", "NOT REGEX MATCH":
		if err := needs(op, want); err != nil {
			return nil, err
		}
		re, err := pattern(`^(?:` + want + `)$`)
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	case "IS TRUE", "IS FALSE":
		word := strings.ToLower(strings.TrimPrefix(op, "IS "))
		return func(v string) bool { return strings.EqualFold(v, word) }, needsNone(op, want)
	}
	return nil, needsNone(op, want)
}

// wholeNumbers refuses a value that cannot be compared by size: whether it is in scope cannot be said.
func wholeNumbers(name string, values []string) error {
	for _, v := range values {
		if _, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err != nil {
			return fmt.Errorf("%s is %q, which is no whole number", name, v)
		}
	}
	return nil
}

func needs(op, want string) error {
	if want == "" {
		return fmt.Errorf("%s needs a value", op)
	}
	return nil
}

func needsNone(op, want string) error {
	if want != "" {
		return fmt.Errorf("%s takes no value", op)
	}
	return nil
}

// maxPattern is the most bytes that a regular expression may have.
const maxPattern = 2000

// pattern compiles a regular expression (RE2 syntax: it runs in time proportional to the text).
func pattern(text string) (*regexp.Regexp, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("the regular expression has %d bytes, the limit is %d", len(text), maxPattern)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("no regular expression: %w", err)
	}
	return re, nil
}
