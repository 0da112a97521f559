package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"hash/crc32"
	"io"
	"strings"
)

// The text forms of credentials: a prefix that tells people and secret scanners what was found, the id by
// which it is looked up, "_", the secret and a checksum.
const (
	ScimPrefix    = "pvst_scim_" // bearer tokens of SCIM clients, pasted or issued
	SecretPrefix  = "pvst_sec_"  // client secrets of OAuth 2 client credentials
	ServicePrefix = "pvst_svc_"  // tokens of service accounts
)

// Sizes of the parts of a credential, in characters of base62.
const (
	IDLength       = 12 // 71 bits: ids do not collide, but are no secret
	secretLength   = 32 // 190 bits
	checksumLength = 6  // CRC-32 of everything before it
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// RandomID returns a new id of IDLength characters, read from random.
func RandomID(random io.Reader) (string, error) { return randomText(random, IDLength) }

// randomText returns n characters of base62, each equally likely: bytes that would favour some are thrown
// away.
func randomText(random io.Reader, n int) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	const fair = 256 / len(base62) * len(base62)
	out := make([]byte, 0, n)
	buf := make([]byte, n+n/4)
	for len(out) < n {
		if _, err := io.ReadFull(random, buf); err != nil {
			return "", err
		}
		for _, b := range buf {
			if int(b) < fair && len(out) < n {
				out = append(out, base62[int(b)%len(base62)])
			}
		}
	}
	return string(out), nil
}

// makeToken returns a new credential with that prefix and its id.
func makeToken(random io.Reader, prefix string) (text, id string, err error) {
	id, err = RandomID(random)
	if err != nil {
		return "", "", err
	}
	secret, err := randomText(random, secretLength)
	if err != nil {
		return "", "", err
	}
	body := prefix + id + "_" + secret
	return body + checksum(body), id, nil
}

// checksum is the CRC-32 (IEEE) of body in base62, most significant digit first.
func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	var out [checksumLength]byte
	for i := checksumLength - 1; i >= 0; i-- {
		out[i] = base62[sum%uint32(len(base62))]
		sum /= uint32(len(base62))
	}
	return string(out[:])
}

// ParseToken checks the form of a credential and returns its prefix and id. It costs no lookup: what was
// mistyped, cut short or made up is refused here.
func ParseToken(text string) (prefix, id string, ok bool) {
	switch {
	case strings.HasPrefix(text, ScimPrefix):
		prefix = ScimPrefix
	case strings.HasPrefix(text, SecretPrefix):
		prefix = SecretPrefix
	case strings.HasPrefix(text, ServicePrefix):
		prefix = ServicePrefix
	case strings.HasPrefix(text, LinkPrefix):
		prefix = LinkPrefix
	default:
		return "", "", false
	}
	rest := text[len(prefix):]
	if len(rest) != IDLength+1+secretLength+checksumLength || rest[IDLength] != '_' {
		return "", "", false
	}
	for i := range len(rest) {
		if i != IDLength && !isBase62(rest[i]) {
			return "", "", false
		}
	}
	body := len(text) - checksumLength
	if checksum(text[:body]) != text[body:] {
		return "", "", false
	}
	return prefix, rest[:IDLength], true
}

func isBase62(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// hashOf is what is kept of a credential. A fast hash is right: the secret is random, not chosen by a person.
func hashOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// sameHash compares in constant time.
func sameHash(text string, hash []byte) bool {
	sum := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(sum[:], hash) == 1
}

// hint is the end of a credential, by which a person recognises it.
func hint(text string) string { return text[len(text)-4:] }
