package mapping

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"golang.org/x/text/unicode/norm"
)

// ofText makes a function of one that works on the text of its first argument; of an absent value it has no value.
func ofText(fn func(s string, rest []ref.Val) (any, error)) function {
	return func(args []ref.Val) (any, error) {
		if absent(args[0]) {
			return nil, nil
		}
		return fn(asText(args[0]), args[1:])
	}
}

func textFunctions() []cel.EnvOption {
	one, two := sig(dyn), sig(dyn, dyn)
	all := []cel.EnvOption{
		declare("Append", nullable, ofText(func(s string, a []ref.Val) (any, error) { return s + asText(a[0]), nil }), two),
		declare("ConvertToBase64", nullable, ofText(func(s string, _ []ref.Val) (any, error) { return base64OfUTF16(s), nil }), one),
		declare("ConvertToUTF8Hex", nullable, ofText(func(s string, _ []ref.Val) (any, error) {
			return strings.ToUpper(hex.EncodeToString([]byte(s))), nil
		}), one),
		declare("CStr", nullable, ofText(func(s string, _ []ref.Val) (any, error) { return s, nil }), one),
		declare("InStr", whole, inStr, two, sig(dyn, dyn, whole), sig(dyn, dyn, whole, cel.StringType)),
		declare("Left", cel.StringType, left, sig(dyn, whole)),
		declare("Mid", nullable, ofText(mid), sig(dyn, whole, whole)),
		declare("NormalizeDiacritics", nullable, ofText(func(s string, _ []ref.Val) (any, error) { return withoutDiacritics(s), nil }), one),
		declare("PCase", nullable, ofText(properCase), one, sig(dyn, cel.StringType)),
		declare("StripSpaces", nullable, ofText(func(s string, _ []ref.Val) (any, error) { return strings.ReplaceAll(s, " ", ""), nil }), one),
		declare("ToLower", nullable, ofText(func(s string, a []ref.Val) (any, error) {
			if turkish(a) {
				return strings.ToLowerSpecial(unicode.TurkishCase, s), nil
			}
			return strings.ToLower(s), nil
		}), one, sig(dyn, cel.StringType)),
		declare("ToUpper", nullable, ofText(func(s string, a []ref.Val) (any, error) {
			if turkish(a) {
				return strings.ToUpperSpecial(unicode.TurkishCase, s), nil
			}
			return strings.ToUpper(s), nil
		}), one, sig(dyn, cel.StringType)),
		declare("Word", cel.StringType, word, sig(dyn, whole, cel.StringType)),
		declare("Redact", dyn, func(a []ref.Val) (any, error) { return a[0], nil }, one),
		declare("regexExtract", nullable, ofText(regexExtract), sig(dyn, cel.StringType)),
		declare("regexReplace", nullable, ofText(func(s string, a []ref.Val) (any, error) {
			re, err := cachedPattern(asText(a[0]))
			if err != nil {
				return nil, err
			}
			return re.ReplaceAllString(s, groupNames(asText(a[1]))), nil
		}), sig(dyn, cel.StringType, cel.StringType)),
	}
	all = append(all, variadic("Join", nullable, 2, join)...)
	return append(all, variadic("Replace", nullable, 2, replace)...)
}

// join leaves out what is absent or empty, and takes lists apart.
func join(args []ref.Val) (any, error) {
	var parts []string
	for _, a := range args[1:] {
		list, ok := elements(a)
		if !ok {
			list = []ref.Val{a}
		}
		for _, e := range list {
			if s := asText(e); s != "" {
				parts = append(parts, s)
			}
		}
	}
	if len(parts) == 0 {
		return nil, nil
	}
	return strings.Join(parts, asText(args[0])), nil
}

// base64OfUTF16 is what .NET calls a Unicode base64 string: little-endian UTF-16.
func base64OfUTF16(s string) string {
	units := utf16.Encode([]rune(s))
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = append(b, byte(u), byte(u>>8))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// inStr counts from 1; 0 is "not found".
func inStr(args []ref.Val) (any, error) {
	text, part := []rune(asText(args[0])), []rune(asText(args[1]))
	start := int64(1)
	if len(args) > 2 {
		var err error
		if start, err = asInt(args[2]); err != nil {
			return nil, err
		}
		if start < 1 {
			return nil, fmt.Errorf("start is %d, the first character is 1", start)
		}
	}
	if len(args) > 3 {
		switch mode := asText(args[3]); mode {
		case "vbTextCompare":
			text, part = []rune(strings.ToLower(string(text))), []rune(strings.ToLower(string(part)))
		case "vbBinaryCompare":
		default:
			return nil, fmt.Errorf("%q is none of vbTextCompare, vbBinaryCompare", mode)
		}
	}
	if start > int64(len(text)) {
		return int64(0), nil
	}
	at := strings.Index(string(text[start-1:]), string(part))
	if at < 0 {
		return int64(0), nil
	}
	return start + int64(len([]rune(string(text[start-1:])[:at]))), nil
}

// left is the empty text for an absent value, and the whole text for a negative number.
func left(args []ref.Val) (any, error) {
	n, err := asInt(args[1])
	if err != nil {
		return nil, err
	}
	runes := []rune(asText(args[0]))
	if n < 0 || n > int64(len(runes)) {
		n = int64(len(runes))
	}
	return string(runes[:n]), nil
}

func mid(s string, args []ref.Val) (any, error) {
	start, err := asInt(args[0])
	if err != nil {
		return nil, err
	}
	length, err := asInt(args[1])
	if err != nil {
		return nil, err
	}
	runes := []rune(s)
	size := int64(len(runes))
	if start < 1 {
		return nil, fmt.Errorf("start is %d, the first character is 1", start)
	}
	if start > size || length <= 0 {
		return "", nil
	}
	end := size
	if length < size-start+1 {
		end = start - 1 + length
	}
	return string(runes[start-1 : end]), nil
}

// ligatures are letters that no decomposition takes apart.
var ligatures = strings.NewReplacer("æ", "ae", "Æ", "AE", "ø", "oe", "Ø", "OE", "œ", "oe", "Œ", "OE", "ß", "ss", "ẞ", "SS",
	"ł", "l", "Ł", "L", "ı", "i", "đ", "d", "Đ", "D")

// withoutDiacritics takes the marks off Latin letters; other scripts stay as they are.
func withoutDiacritics(s string) string {
	var b strings.Builder
	latin := false
	for _, r := range norm.NFD.String(s) {
		mark := r >= 0x300 && r <= 0x36f
		if mark && latin {
			continue
		}
		if !mark {
			latin = unicode.Is(unicode.Latin, r)
		}
		b.WriteRune(r)
	}
	return ligatures.Replace(norm.NFC.String(b.String()))
}

// properCase begins words with a capital letter. Without separators everything but letters, marks and digits is one.
func properCase(s string, args []ref.Val) (any, error) {
	separates := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) }
	if len(args) > 0 {
		set := asText(args[0])
		separates = func(r rune) bool { return strings.ContainsRune(set, r) }
	}
	var b strings.Builder
	first := true
	for _, r := range s {
		switch {
		case separates(r):
			first = true
			b.WriteRune(r)
		case first:
			first = false
			b.WriteRune(unicode.ToTitle(r))
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String(), nil
}

// turkish says whether a culture writes a dotless i. Others differ only in what Unicode does alike for all.
func turkish(args []ref.Val) bool {
	if len(args) == 0 {
		return false
	}
	language, _, _ := strings.Cut(strings.ToLower(asText(args[0])), "-")
	return language == "tr" || language == "az"
}

// word is the n-th run of characters between delimiters; the empty text if there are not so many.
func word(args []ref.Val) (any, error) {
	n, err := asInt(args[1])
	if err != nil {
		return nil, err
	}
	delimiters := asText(args[2])
	words := strings.FieldsFunc(asText(args[0]), func(r rune) bool { return strings.ContainsRune(delimiters, r) })
	if n < 1 || n > int64(len(words)) {
		return "", nil
	}
	return words[n-1], nil
}
