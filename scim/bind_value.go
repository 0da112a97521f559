package scim

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// hasOperator says which operators a data type has.
func hasOperator(t DataType, op Operator) bool {
	switch op {
	case Eq, Ne:
		return t != Complex
	case Gt, Ge, Lt, Le:
		return t != Complex && t != Boolean && t != Binary
	default: // Co, Sw, Ew
		return t == String || t == Reference
	}
}

// filterValue converts a literal to a data type; want says what was expected instead, "" if it fits.
func filterValue(t DataType, v any) (out any, want string) {
	switch t {
	case Boolean:
		if s, ok := v.(string); ok {
			v = map[string]any{"true": true, "false": false}[strings.ToLower(s)]
		}
		if b, ok := v.(bool); ok {
			return b, ""
		}
		return nil, "true or false"
	case Integer, Decimal:
		return filterNumber(t, v)
	case DateTime:
		if s, ok := v.(string); ok {
			if at, ok := filterInstant(s); ok {
				return at, ""
			}
		}
		return nil, `a date and time such as "2011-05-13T04:42:34Z"`
	}
	switch v := v.(type) {
	case string:
		return v, ""
	case int64, bool: // without quotes
		return literal(v), ""
	}
	return nil, "a string in quotes"
}

func filterNumber(t DataType, v any) (out any, want string) {
	if s, ok := v.(string); ok && isNumber(s) {
		v, _ = bareValue(s)
	}
	switch n := v.(type) {
	case int64:
		if t == Decimal {
			return float64(n), ""
		}
		return n, ""
	case float64:
		if t == Decimal {
			return n, ""
		}
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n), ""
		}
	}
	if t == Integer {
		return nil, "a whole number"
	}
	return nil, "a number"
}

// filterInstant reads a dateTime as ParseDateTime does, and beyond that a date alone: its midnight in UTC.
func filterInstant(s string) (time.Time, bool) {
	if len(s) == len(time.DateOnly) {
		s += "T00:00:00Z"
	}
	return ParseDateTime(s)
}

// versionTag is the version of a resource as clients see it (RFC 7644 §3.14).
func versionTag(n int64) string { return `W/"` + strconv.FormatInt(n, 10) + `"` }
