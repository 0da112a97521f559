package scimserver

import (
	"bytes"
	"testing"
	"time"

	"github.com/provost-scim/provost/scim"
)

// FuzzCursor holds that a cursor that was not sealed here for this query is refused, whatever it looks like, and
// that one that was comes back whole.
func FuzzCursor(f *testing.F) {
	aead, err := newSeal(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	s := &Server{Config: Config{Now: func() time.Time { return now }}, aead: aead}
	c := cursor{expires: now.Add(CursorTimeout), count: 100, total: 1 << 40, key: scim.Key{ID: "018f", Sort: "ann", Missing: true}}
	binding := []byte("tenant client query")
	good := s.seal(c, binding)

	f.Add("", "ann")
	f.Add(good, "x")
	f.Add(good[:len(good)-1], "")
	f.Add(s.seal(c, []byte("another query")), "\x00\xff")
	f.Fuzz(func(t *testing.T, text, sort string) {
		// The nonce is random: another process sealed its seeds with the same key, so the content decides.
		if got, err := s.unseal(text, binding); err == nil && got != c {
			t.Fatalf("the forged cursor %q is accepted as %+v", text, got)
		}
		own := c
		own.key.Sort = sort
		sealed := s.seal(own, binding)
		if len(sealed) > MaxCursor {
			return // list refuses to hand it out
		}
		if got, err := s.unseal(sealed, binding); err != nil || got != own {
			t.Fatalf("sealed %+v, got %+v, %v", own, got, err)
		}
		if _, err := s.unseal(sealed, []byte("another query")); err == nil {
			t.Fatal("a cursor of another query is accepted")
		}
	})
}
