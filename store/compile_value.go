package store

import (
	"fmt"
	"strconv"
	"time"

	"github.com/provost-scim/provost/scim"
)

// value is an attribute value in SQL: NULL if it is absent.
type value struct {
	text string // as text
	json string // PostgreSQL: as jsonb, "" if the value is a column
}

func column(sql string) value { return value{text: sql} }

// test compares one value. The result is true or false.
func (c *compiler) test(f *scim.Compare, leaf *scim.Attribute, v value) string {
	if f.Op == scim.Ne {
		eq := *f
		eq.Op = scim.Eq
		return "not " + c.test(&eq, leaf, v)
	}
	if f.Op == scim.Pr {
		return c.present(leaf, v)
	}
	var cond string
	switch want := f.Value.(type) {
	case string:
		if !leaf.CaseExact {
			want = scim.Fold(want)
			v.text = c.d.fold(v.text)
		} else {
			v.text = c.d.exact(v.text)
		}
		cond = c.testText(f.Op, v.text, want)
	case bool:
		cond = c.testBool(v, want)
	case int64:
		cond = c.testNumber(f.Op, v, want, strconv.FormatInt(want, 10))
	case float64:
		cond = c.testNumber(f.Op, v, want, strconv.FormatFloat(want, 'g', -1, 64))
	case time.Time:
		cond = c.d.instant(v.text) + " " + sqlOperator[f.Op] + " " + c.instantArg(want)
	default:
		panic(fmt.Sprintf("store: filter value of type %T", want))
	}
	return "coalesce(" + cond + ", false)"
}

var sqlOperator = map[scim.Operator]string{scim.Eq: "=", scim.Gt: ">", scim.Ge: ">=", scim.Lt: "<", scim.Le: "<="}

func (c *compiler) present(leaf *scim.Attribute, v value) string {
	if leaf.Type != scim.Complex {
		return "(" + v.text + " is not null)"
	}
	return "coalesce(" + v.text + " <> '{}', false)"
}

// testText compares text that is folded already, where it has to be.
func (c *compiler) testText(op scim.Operator, x, want string) string {
	if !storable(want) { // the filter language has no such text
		return "false"
	}
	switch op {
	case scim.Co:
		if c.d.postgres {
			return "strpos(" + x + ", " + c.text(want) + ") > 0"
		}
		return "instr(" + x + ", " + c.text(want) + ") > 0"
	case scim.Sw:
		p := c.text(want)
		return "substr(" + x + ", 1, length(" + p + ")) = " + p
	case scim.Ew:
		if want == "" {
			return x + " is not null"
		}
		p := c.text(want)
		if c.d.postgres {
			return "right(" + x + ", length(" + p + ")) = " + p
		}
		return "substr(" + x + ", -length(" + p + ")) = " + p
	}
	return x + " " + sqlOperator[op] + " " + c.text(want)
}

// text adds a text argument.
func (c *compiler) text(s string) string {
	if c.d.postgres {
		return c.a.add(s) + "::text"
	}
	return c.a.add(s)
}

func (c *compiler) testBool(v value, want bool) string {
	if c.d.postgres {
		return v.text + " = " + c.text(strconv.FormatBool(want))
	}
	return v.text + " = " + c.a.add(flag(want))
}

func (c *compiler) testNumber(op scim.Operator, v value, want any, text string) string {
	if c.d.postgres {
		return "case when jsonb_typeof(" + v.json + ") = 'number' then (" + v.text + ")::numeric " + sqlOperator[op] + " " +
			c.text(text) + "::numeric end"
	}
	return v.text + " " + sqlOperator[op] + " " + c.a.add(want)
}

// instantArg is an instant in the form of dialect.instant.
func (c *compiler) instantArg(t time.Time) string {
	if c.d.postgres {
		return c.text(seconds(t)) + "::numeric"
	}
	return c.a.add(instantKey(t))
}

// seconds is the time since 1970 as a decimal number.
func seconds(t time.Time) string {
	sec, nano := t.Unix(), t.Nanosecond()
	if sec >= 0 || nano == 0 {
		return fmt.Sprintf("%d.%09d", sec, nano)
	}
	// Unix rounds down: half a second before 1970 is -1 s and 500,000,000 ns.
	return fmt.Sprintf("-%d.%09d", -sec-1, 1_000_000_000-nano)
}

// millis compares a column of milliseconds with an instant, which may be finer.
func (c *compiler) millis(f *scim.Compare, col string) string {
	want, ok := f.Value.(time.Time)
	if !ok {
		return "false"
	}
	ms := want.UnixMilli()
	if time.UnixMilli(ms).After(want) { // before 1970 UnixMilli rounds up
		ms--
	}
	between := !time.UnixMilli(ms).Equal(want)
	op := f.Op
	switch {
	case between && op == scim.Eq:
		return "false"
	case between && op == scim.Ge:
		op = scim.Gt
	case between && op == scim.Lt:
		op = scim.Le
	case op == scim.Ne:
		return "not " + c.millis(&scim.Compare{Op: scim.Eq, Value: f.Value}, col)
	}
	return "(" + col + " " + sqlOperator[op] + " " + c.a.add(ms) + ")"
}
