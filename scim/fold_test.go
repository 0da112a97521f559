package scim

import (
	"strings"
	"testing"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"":              "",
		"abc@x.de":      "abc@x.de",
		"BJensen":       "bjensen",
		"ÄÖÜß":          "äöüß",
		"ΟΔΥΣΣΕΥΣ":      "οδυσσευσ",
		"Οδυσσεύς":      "οδυσσεύσ",
		"İstanbul":      "istanbul",
		"Иван":          "иван",
		"e\u0301":       "e\u0301", // no normalisation: differs from é
		"K\u212a":       "kk",
		"ǅ":             "ǆ",
		"name with 'ς'": "name with 'σ'",
	} {
		got := Fold(in)
		if got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
		if again := Fold(got); again != got {
			t.Errorf("Fold(Fold(%q)) = %q: not stable", in, again)
		}
	}
}

func TestFold_LeavesFoldedStringsAlone(t *testing.T) {
	s := strings.Repeat("bjensen@example.com", 3)
	var folded string
	if n := testing.AllocsPerRun(100, func() { folded = Fold(s) }); n != 0 || folded != s {
		t.Errorf("folding a folded string allocates %v times and gives %q", n, folded)
	}
}

func TestEqualName_FoldsASCIIOnly(t *testing.T) {
	if !equalName("userNAME", "UsErName") {
		t.Error("names that differ by case are different")
	}
	for _, pair := range [][2]string{{"k", "\u212a"}, {"É", "é"}, {"a", "ab"}, {"[", "{"}, {"@", "`"}} {
		if equalName(pair[0], pair[1]) {
			t.Errorf("%q and %q are the same name", pair[0], pair[1])
		}
	}
}
