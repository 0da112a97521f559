package scim

import (
	"strings"
	"unicode/utf8"
)

// Fold is the one case folding of Provost: two strings that are not caseExact are equal if and only if their
// folded forms are equal byte for byte. It is strings.ToLower with two additions that make it independent of
// context: final sigma 'ς' becomes 'σ' and 'İ' becomes 'i'. It does no Unicode normalisation.
func Fold(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf {
			return foldUnicode(s)
		}
	}
	return strings.ToLower(s) // returns s itself if nothing changes
}

func foldUnicode(s string) string {
	return strings.Map(func(r rune) rune {
		if r == 'ς' {
			return 'σ'
		}
		return r
	}, strings.ToLower(strings.ReplaceAll(s, "İ", "i")))
}

// equalName reports whether two attribute names, URNs or resource type names are the same: they are
// case-insensitive (RFC 7643 §2.1), and being ASCII, only ASCII letters fold. It does not allocate.
func equalName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lowerByte(a[i]) != lowerByte(b[i]) {
			return false
		}
	}
	return true
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// lowerName writes the ASCII lower case of s into buf and returns the part written; ok is false if s does not fit.
func lowerName(buf []byte, s string) (lower []byte, ok bool) {
	if len(s) > len(buf) {
		return nil, false
	}
	for i := 0; i < len(s); i++ {
		buf[i] = lowerByte(s[i])
	}
	return buf[:len(s)], true
}
