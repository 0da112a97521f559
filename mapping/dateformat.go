package mapping

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// formatToken is a part of a .NET custom date format: a specifier repeated n times, or literal text.
type formatToken struct {
	letter  byte // 0 for text
	n       int
	literal string
}

// tokensOf takes a format apart. Letters that are no specifier stand for themselves, as in .NET.
func tokensOf(format string) ([]formatToken, error) {
	var list []formatToken
	for i := 0; i < len(format); {
		c := format[i]
		switch {
		case c == '\'' || c == '"':
			end := strings.IndexByte(format[i+1:], c)
			if end < 0 {
				return nil, fmt.Errorf("a quote in the format %q is not closed", format)
			}
			list = append(list, formatToken{literal: format[i+1 : i+1+end]})
			i += end + 2
		case c == '\\' && i+1 < len(format):
			list = append(list, formatToken{literal: format[i+1 : i+2]})
			i += 2
		case c == '%':
			i++
		case strings.IndexByte("yMdHhmsfFtzK", c) >= 0:
			n := 1
			for i+n < len(format) && format[i+n] == c {
				n++
			}
			list = append(list, formatToken{letter: c, n: n})
			i += n
		default:
			list = append(list, formatToken{literal: string(c)})
			i++
		}
	}
	return list, nil
}

func formatNet(at time.Time, format string) (string, error) {
	tokens, err := tokensOf(format)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString(t.format(at))
	}
	return b.String(), nil
}

func (t formatToken) format(at time.Time) string {
	pad := func(v int) string { return fmt.Sprintf("%0*d", min(t.n, 2), v) }
	hour12 := (at.Hour()+11)%12 + 1
	switch t.letter {
	case 'y':
		if t.n <= 2 {
			return pad(at.Year() % 100)
		}
		return fmt.Sprintf("%0*d", t.n, at.Year())
	case 'M':
		switch {
		case t.n == 3:
			return at.Month().String()[:3]
		case t.n > 3:
			return at.Month().String()
		}
		return pad(int(at.Month()))
	case 'd':
		switch {
		case t.n == 3:
			return at.Weekday().String()[:3]
		case t.n > 3:
			return at.Weekday().String()
		}
		return pad(at.Day())
	case 'H':
		return pad(at.Hour())
	case 'h':
		return pad(hour12)
	case 'm':
		return pad(at.Minute())
	case 's':
		return pad(at.Second())
	case 'f', 'F':
		digits := fmt.Sprintf("%09d", at.Nanosecond())[:min(t.n, 7)]
		if t.letter == 'F' {
			digits = strings.TrimRight(digits, "0")
		}
		return digits
	case 't':
		return map[bool]string{true: "AM", false: "PM"}[at.Hour() < 12][:min(t.n, 2)]
	case 'z':
		return formatZone(at, t.n)
	case 'K':
		return at.Format("Z07:00")
	}
	return t.literal
}

func formatZone(at time.Time, n int) string {
	switch n {
	case 1:
		_, offset := at.Zone()
		return fmt.Sprintf("%+d", offset/3600)
	case 2:
		return at.Format("-07")
	}
	return at.Format("-07:00")
}

// netReader reads a date in a .NET format.
type netReader struct {
	s                                  string
	year, month, day                   int
	hour, hour12, minute, second, nano int
	afternoon                          bool
	offset                             int // seconds east of UTC
}

// parseNet reads s in a .NET custom format; without a zone it is UTC.
func parseNet(s, format string) (time.Time, error) {
	tokens, err := tokensOf(format)
	if err != nil {
		return time.Time{}, err
	}
	r := netReader{s: s, year: 1, month: 1, day: 1, hour12: -1}
	for _, t := range tokens {
		if !r.read(t) {
			return time.Time{}, fmt.Errorf("%q does not have the format %q", s, format)
		}
	}
	if r.s != "" {
		return time.Time{}, fmt.Errorf("%q is longer than the format %q", s, format)
	}
	if r.hour12 >= 0 {
		if r.hour12 < 1 || r.hour12 > 12 {
			return time.Time{}, fmt.Errorf("%q has the hour %d of twelve", s, r.hour12)
		}
		r.hour = r.hour12 % 12
		if r.afternoon {
			r.hour += 12
		}
	}
	at := time.Date(r.year, time.Month(r.month), r.day, r.hour, r.minute, r.second, r.nano, time.FixedZone("", r.offset))
	if at.Month() != time.Month(r.month) || at.Day() != r.day || at.Hour() != r.hour || r.minute > 59 || r.second > 59 {
		return time.Time{}, fmt.Errorf("%q is no date that exists", s)
	}
	return at.UTC(), nil
}

// number takes at least low and at most high digits off.
func (r *netReader) number(to *int, low, high int) bool {
	n := 0
	for n < len(r.s) && n < high && r.s[n] >= '0' && r.s[n] <= '9' {
		n++
	}
	if n < low {
		return false
	}
	v, err := strconv.Atoi(r.s[:n])
	*to, r.s = v, r.s[n:]
	return err == nil
}

// two reads a number of one or two digits; written twice, a specifier wants both.
func (r *netReader) two(to *int, n int) bool { return r.number(to, min(n, 2), 2) }

func (r *netReader) read(t formatToken) bool {
	switch t.letter {
	case 0:
		rest, ok := strings.CutPrefix(r.s, t.literal)
		r.s = rest
		return ok
	case 'y':
		if t.n <= 2 {
			ok := r.two(&r.year, t.n)
			if r.year += 2000; r.year > 2049 { // .NET's two-digit years end in 2049
				r.year -= 100
			}
			return ok
		}
		return r.number(&r.year, min(t.n, 4), max(t.n, 4))
	case 'M':
		if t.n > 2 {
			return r.month3(t.n > 3)
		}
		return r.two(&r.month, t.n)
	case 'd':
		if t.n > 2 {
			return r.weekday(t.n > 3)
		}
		return r.two(&r.day, t.n)
	case 'H':
		return r.two(&r.hour, t.n)
	case 'h':
		return r.two(&r.hour12, t.n)
	case 'm':
		return r.two(&r.minute, t.n)
	case 's':
		return r.two(&r.second, t.n)
	case 'f', 'F':
		return r.fraction(t)
	case 't':
		return r.halfDay(t.n)
	}
	return r.zone(t)
}

func (r *netReader) name(names func(int) string, count int, long bool) (int, bool) {
	for i := range count {
		name := names(i)
		if !long {
			name = name[:3]
		}
		if len(r.s) >= len(name) && strings.EqualFold(r.s[:len(name)], name) {
			r.s = r.s[len(name):]
			return i, true
		}
	}
	return 0, false
}

func (r *netReader) month3(long bool) bool {
	i, ok := r.name(func(i int) string { return time.Month(i + 1).String() }, 12, long)
	r.month = i + 1
	return ok
}

func (r *netReader) weekday(long bool) bool {
	_, ok := r.name(func(i int) string { return time.Weekday(i).String() }, 7, long)
	return ok
}

func (r *netReader) fraction(t formatToken) bool {
	n := 0
	for n < len(r.s) && n < min(t.n, 7) && r.s[n] >= '0' && r.s[n] <= '9' {
		n++
	}
	if t.letter == 'f' && n < t.n {
		return false
	}
	v, err := strconv.Atoi((r.s[:n] + "000000000")[:9])
	r.nano, r.s = v, r.s[n:]
	return err == nil
}

func (r *netReader) halfDay(n int) bool {
	size := min(n, 2)
	if len(r.s) < size {
		return false
	}
	word := strings.ToUpper(r.s[:size])
	r.s = r.s[size:]
	r.afternoon = word[0] == 'P'
	return word == "AM"[:size] || word == "PM"[:size]
}

// zone reads Z, +1, +01, +01:00 or +0100.
func (r *netReader) zone(t formatToken) bool {
	if r.s == "" {
		return t.letter == 'K'
	}
	if r.s[0] == 'Z' || r.s[0] == 'z' {
		r.s = r.s[1:]
		return true
	}
	sign := map[byte]int{'+': 1, '-': -1}[r.s[0]]
	r.s = r.s[1:]
	var hours, minutes int
	if sign == 0 || !r.number(&hours, 1, 2) {
		return false
	}
	if t.n > 2 || t.letter == 'K' {
		r.s = strings.TrimPrefix(r.s, ":")
		if !r.number(&minutes, 2, 2) {
			return false
		}
	}
	r.offset = sign * (3600*hours + 60*minutes)
	return hours <= 14 && minutes < 60
}
