package scim

import (
	"strings"
	"time"
)

// ParseDateTime reads an xsd:dateTime (RFC 7643 §2.3.5): YYYY-MM-DDThh:mm:ss, a fraction of any length, and Z,
// an offset, or nothing, which is read as UTC. 24:00:00 is the end of the day. Digits beyond nanoseconds are cut.
// Years have four digits and start at 0001.
func ParseDateTime(s string) (time.Time, bool) {
	const form = "0000-00-00T00:00:00"
	if len(s) < len(form) {
		return time.Time{}, false
	}
	for i := range len(form) {
		if digit := '0' <= s[i] && s[i] <= '9'; digit != (form[i] == '0') || !digit && s[i] != form[i] {
			return time.Time{}, false
		}
	}
	num := func(i, n int) (v int) {
		for _, c := range []byte(s[i : i+n]) {
			v = v*10 + int(c-'0')
		}
		return v
	}
	year, month, day := num(0, 4), num(5, 2), num(8, 2)
	hour, minute, second := num(11, 2), num(14, 2), num(17, 2)
	nanos, rest, ok := fraction(s[len(form):])
	if !ok || year == 0 || month < 1 || month > 12 || day < 1 || minute > 59 || second > 59 || hour > 24 {
		return time.Time{}, false
	}
	if day > time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return time.Time{}, false
	}
	if hour == 24 && (minute != 0 || second != 0 || nanos != 0) {
		return time.Time{}, false
	}
	offset, ok := zone(rest)
	if !ok {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC).Add(-offset), true
}

// fraction reads ".digits", if it is there.
func fraction(s string) (nanos int, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	i, unit := 1, 100_000_000
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		nanos += int(s[i]-'0') * unit
		unit /= 10
	}
	return nanos, s[i:], i > 1
}

// zone reads "", "Z", "+hh:mm" or "-hh:mm", at most 14 hours.
func zone(s string) (time.Duration, bool) {
	if s == "" || s == "Z" {
		return 0, true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	digits := s[1:3] + s[4:6]
	if strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	hours, minutes := int(digits[0]-'0')*10+int(digits[1]-'0'), int(digits[2]-'0')*10+int(digits[3]-'0')
	if minutes > 59 || hours > 14 || hours == 14 && minutes > 0 {
		return 0, false
	}
	d := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		d = -d
	}
	return d, true
}

// validBase64 reports whether s is base64 in the alphabet of RFC 4648 §4 or §5 (not mixed), with or without
// padding (RFC 7643 §2.3.6).
func validBase64(s string) bool {
	body := strings.TrimRight(s, "=")
	padding := len(s) - len(body)
	if len(body)%4 == 1 || padding > 2 || padding > 0 && len(s)%4 != 0 {
		return false
	}
	std, url := false, false
	for _, c := range []byte(body) {
		switch {
		case c == '+' || c == '/':
			std = true
		case c == '-' || c == '_':
			url = true
		case !isLetter(c) && !('0' <= c && c <= '9'):
			return false
		}
	}
	return !(std && url)
}
