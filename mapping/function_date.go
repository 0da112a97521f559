package mapping

import (
	"fmt"
	"math"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// dateFunctions work on instants in UTC. As text they are M/d/yyyy h:mm:ss tt, in an attribute of type dateTime RFC 3339.
func dateFunctions() []cel.EnvOption {
	all := []cel.EnvOption{
		declare("CDate", instant, func(a []ref.Val) (any, error) { return dateOrNull(a[0]) }, sig(dyn)),
		declare("DateAdd", instant, dateAdd, sig(cel.StringType, dyn, dyn)),
		declare("DateDiff", whole, dateDiff, sig(cel.StringType, dyn, dyn)),
		declare("DateFromNum", instant, dateFromNum, sig(dyn)),
		declare("FormatDateTime", nullable, formatDateTime, sig(dyn, dyn, dyn, cel.StringType)),
		declare("NumFromDate", whole, func(a []ref.Val) (any, error) {
			at, err := date(a[0])
			if err != nil {
				return nil, err
			}
			return at.Unix()*ticks + int64(at.Nanosecond()/100) + epochTicks, nil
		}, sig(dyn)),
	}
	return append(all, withCalls("Now", instant, 0, 0, func(s *surroundings, _ []ref.Val) (any, error) {
		return s.mapping.options.Now().UTC().Truncate(time.Second), nil
	})...)
}

// The numbers of Active Directory count ticks of 100 ns from 1601 on.
const (
	ticks      = int64(time.Second / 100)
	epochTicks = 11_644_473_600 * ticks // 1970-01-01
)

// dateFromNum has no value for the two numbers that mean "never" (accountExpires).
func dateFromNum(args []ref.Val) (any, error) {
	if absent(args[0]) {
		return nil, nil
	}
	n, err := asInt(args[0])
	if err != nil || n == 0 || n == math.MaxInt64 {
		return nil, err
	}
	n -= epochTicks
	return time.Unix(n/ticks, n%ticks*100).UTC(), nil
}

func isTime(v any) (time.Time, bool) {
	at, ok := v.(time.Time)
	return at, ok
}

func entraTime(at time.Time) string { return at.UTC().Format("1/2/2006 3:04:05 PM") }

// layouts are the spellings of dates that CDate reads, in Go's notation. Without a zone they are UTC.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04",
	"2006-01-02Z07:00", "2006-01-02", "1/2/2006 3:04:05 PM", "1/2/2006 3:04 PM", "1/2/2006 15:04:05", "1/2/2006 15:04", "1/2/2006",
	"20060102150405Z0700", "20060102150405.0Z0700", "20060102150405", "20060102", time.RFC1123, time.RFC1123Z,
}

func parseDate(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, l := range layouts {
		if at, err := time.Parse(l, s); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date in a form that is known; FormatDateTime reads others", s)
}

func date(v ref.Val) (time.Time, error) {
	if at, ok := v.(types.Timestamp); ok {
		return at.Time.UTC(), nil
	}
	if absent(v) {
		return time.Time{}, fmt.Errorf("there is no date")
	}
	return parseDate(asText(v))
}

func dateOrNull(v ref.Val) (any, error) {
	if empty(v) {
		return nil, nil
	}
	return date(v)
}

func dateAdd(args []ref.Val) (any, error) {
	if empty(args[2]) {
		return nil, nil
	}
	at, err := date(args[2])
	if err != nil {
		return nil, err
	}
	n, err := asInt(args[1])
	if err != nil {
		return nil, err
	}
	if n < -10_000_000_000 || n > 10_000_000_000 {
		return nil, fmt.Errorf("%d units are too many", n)
	}
	switch unit := asText(args[0]); unit {
	case "yyyy":
		at = addMonths(at, 12*n)
	case "m":
		at = addMonths(at, n)
	case "d":
		at = addSeconds(at, 86400*n)
	case "ww":
		at = addSeconds(at, 7*86400*n)
	case "h":
		at = addSeconds(at, 3600*n)
	case "n":
		at = addSeconds(at, 60*n)
	case "s":
		at = addSeconds(at, n)
	default:
		return nil, badUnit(unit)
	}
	if at.Year() < 1 || at.Year() > 9999 {
		return nil, fmt.Errorf("the year %d cannot be written", at.Year())
	}
	return at, nil
}

func badUnit(unit string) error {
	return fmt.Errorf("%q is no unit of time; the units are yyyy, m, d, ww, h, n, s", unit)
}

func addSeconds(at time.Time, n int64) time.Time {
	return time.Unix(at.Unix()+n, int64(at.Nanosecond())).UTC()
}

// addMonths keeps the day, or takes the last of a shorter month, as .NET does.
func addMonths(at time.Time, n int64) time.Time {
	if n < -200_000 || n > 200_000 {
		return time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	y, m, d := at.Date()
	first := time.Date(y, m+time.Month(n), 1, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d, last)-1)
}

// dateDiff counts days, hours, minutes and seconds that have passed whole, and weeks (from Sunday), months and years of
// the calendar that have begun, as Visual Basic does.
func dateDiff(args []ref.Val) (any, error) {
	a, err := date(args[1])
	if err != nil {
		return nil, err
	}
	b, err := date(args[2])
	if err != nil {
		return nil, err
	}
	seconds := b.Unix() - a.Unix()
	months := int64(b.Year()-a.Year())*12 + int64(b.Month()) - int64(a.Month())
	switch unit := asText(args[0]); unit {
	case "yyyy":
		return int64(b.Year() - a.Year()), nil
	case "m":
		return months, nil
	case "ww":
		return (sunday(b) - sunday(a)) / 7, nil
	case "d":
		return seconds / 86400, nil
	case "h":
		return seconds / 3600, nil
	case "n":
		return seconds / 60, nil
	case "s":
		return seconds, nil
	default:
		return nil, badUnit(unit)
	}
}

// sunday is the day on which the week of an instant began, in days since 1970.
func sunday(at time.Time) int64 {
	days := at.Unix() / 86400
	if at.Unix()%86400 < 0 {
		days--
	}
	return days - int64(at.Weekday())
}

// formatDateTime reads a date in one .NET format and writes it in another. An empty input format reads what CDate reads.
func formatDateTime(args []ref.Val) (any, error) {
	if empty(args[0]) {
		return nil, nil
	}
	input, text := asText(args[2]), asText(args[0])
	if at, ok := args[0].(types.Timestamp); ok {
		return formatNet(at.Time.UTC(), asText(args[3]))
	}
	var at time.Time
	var err error
	if input == "" {
		at, err = parseDate(text)
	} else {
		at, err = parseNet(strings.TrimSpace(text), input)
	}
	if err != nil {
		return nil, err
	}
	return formatNet(at, asText(args[3]))
}
