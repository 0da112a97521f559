package access

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestParseToken(t *testing.T) {
	for _, prefix := range []string{ScimPrefix, SecretPrefix, ServicePrefix} {
		text, id, err := makeToken(nil, prefix)
		if err != nil {
			t.Fatal(err)
		}
		gotPrefix, gotID, ok := ParseToken(text)
		if !ok || gotPrefix != prefix || gotID != id || len(id) != IDLength {
			t.Errorf("ParseToken(%q) = %q, %q, %t", text, gotPrefix, gotID, ok)
		}
		for i := range text {
			changed := []byte(text)
			if changed[i] == 'A' {
				changed[i] = 'B'
			} else {
				changed[i] = 'A'
			}
			if _, _, ok := ParseToken(string(changed)); ok {
				t.Errorf("a token with character %d changed is well-formed", i)
			}
		}
		for _, bad := range []string{"", prefix, text[:len(text)-1], text + "0", " " + text, strings.ToUpper(text), strings.Replace(text, prefix, "pvst_adm_", 1)} {
			if _, _, ok := ParseToken(bad); ok {
				t.Errorf("ParseToken(%q) is well-formed", bad)
			}
		}
	}
}

// TestRandomText: every character is equally likely (chi-square, 61 degrees of freedom; 130 is beyond one in a
// million), and bytes that would favour some are left out.
func TestRandomText(t *testing.T) {
	const n = 1_000_000
	text, err := randomText(nil, n)
	if err != nil || len(text) != n {
		t.Fatal(len(text), err)
	}
	counts := map[rune]int{}
	for _, c := range text {
		counts[c]++
	}
	if len(counts) != 62 {
		t.Fatalf("%d different characters", len(counts))
	}
	chi, each := 0.0, float64(n)/62
	for _, k := range counts {
		chi += math.Pow(float64(k)-each, 2) / each
	}
	if chi > 130 {
		t.Errorf("chi-square is %.1f", chi)
	}
	got, err := randomText(bytes.NewReader(append(bytes.Repeat([]byte{255, 248}, 5), make([]byte, 100)...)), 4)
	if err != nil || got != "0000" {
		t.Errorf("bytes of 248 and more: %q, %v", got, err)
	}
	if _, err := randomText(bytes.NewReader(nil), 4); err == nil {
		t.Error("no randomness is no error")
	}
}

func TestCheckTenantName(t *testing.T) {
	for _, good := range []string{"a", "acme", "a1-b2", strings.Repeat("a", 63)} {
		if err := CheckTenantName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "1a", "-a", "a-", "A", "a_b", "a.b", "ä", "a b", "a/b", "a%2f", strings.Repeat("a", 64)} {
		if CheckTenantName(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aéb", 2, "a"}, {"aéb", 3, "aé"}, {"a\xffb", 3, "ab"}, {"", 0, ""}} {
		if got := clip(c.text, c.most); got != c.want {
			t.Errorf("clip(%q, %d) = %q, want %q", c.text, c.most, got, c.want)
		}
	}
}
