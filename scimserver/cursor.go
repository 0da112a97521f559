package scimserver

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provost-scim/provost/scim"
)

// cursor is what a cursor of RFC 9865 holds: where to go on, and what must not change meanwhile. It is sealed,
// so that a client can neither read nor make one, and bound to tenant, client and query by the additional data
// of the seal. It grants nothing: the caller is authenticated again for each page.
type cursor struct {
	expires time.Time
	count   int
	total   int
	key     scim.Key
}

// newSeal makes the cipher of cursors from the configured key.
func newSeal(key []byte) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, errors.New("scimserver: Key must have 32 bytes")
	}
	own, err := hkdf.Key(sha256.New, key, nil, "provost scim cursor", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal writes a cursor as unreserved characters (RFC 9865 §2).
func (s *Server) seal(c cursor, binding []byte) string {
	plain := binary.BigEndian.AppendUint64(nil, uint64(c.expires.Unix()))
	plain = binary.BigEndian.AppendUint32(plain, uint32(c.count))
	plain = binary.BigEndian.AppendUint64(plain, uint64(c.total))
	missing := byte(0)
	if c.key.Missing {
		missing = 1
	}
	plain = append(plain, missing)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(c.key.ID)))
	plain = append(plain, c.key.ID...)
	plain = append(plain, c.key.Sort...)
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, binding))
}

const cursorHead = 8 + 4 + 8 + 1 + 4

// unseal reads a cursor. Whatever is wrong with it, a foreign one included, looks the same outside.
func (s *Server) unseal(text string, binding []byte) (cursor, error) {
	bad := scim.Errorf(scim.InvalidCursor, "the cursor is not one of this query; begin again with an empty cursor and change nothing but the cursor from page to page")
	if len(text) > MaxCursor || strings.ContainsAny(text, "\r\n") { // which the decoder passes over
		return cursor{}, bad
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	n := s.aead.NonceSize()
	if err != nil || len(raw) < n {
		return cursor{}, bad
	}
	plain, err := s.aead.Open(nil, raw[:n], raw[n:], binding)
	if err != nil || len(plain) < cursorHead {
		return cursor{}, bad
	}
	c := cursor{
		expires: time.Unix(int64(binary.BigEndian.Uint64(plain)), 0),
		count:   int(binary.BigEndian.Uint32(plain[8:])),
		total:   int(binary.BigEndian.Uint64(plain[12:])),
	}
	c.key.Missing = plain[20] == 1
	id := int(binary.BigEndian.Uint32(plain[21:]))
	rest := plain[cursorHead:]
	if id > len(rest) {
		return cursor{}, bad
	}
	c.key.ID, c.key.Sort = string(rest[:id]), string(rest[id:])
	if !s.Now().Before(c.expires) {
		return cursor{}, scim.Errorf(scim.ExpiredCursor, "the cursor is older than %d seconds; begin again with an empty cursor", int(CursorTimeout/time.Second))
	}
	return c, nil
}

// binding is what a cursor belongs to: tenant, client, endpoint and query.
func (c *call) binding(types []*scim.ResourceType, p params) []byte {
	h := sha256.New()
	for _, t := range types {
		fmt.Fprintf(h, "%q ", t.Name)
	}
	fmt.Fprintf(h, "%d %q %q %q %q", c.grant.Tenant.ID, c.grant.Client.ID, p.filter, p.sortBy, p.sortOrder)
	return h.Sum(nil)
}
