package scimserver

import (
	"net/http"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/provost-scim/provost/scim"
)

// maxPooled is the largest buffer that is kept for the next request; a bigger one, made for a big group, is
// left to the garbage collector.
const maxPooled = 256 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}

func getBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(b *[]byte) {
	if cap(*b) <= maxPooled {
		*b = (*b)[:0]
		buffers.Put(b)
	}
}

// write sends an answer with a JSON body.
func (c *call) write(status int, body []byte) {
	h := c.w.Header()
	h["Content-Type"] = mediaType(c.r.Header["Accept"])
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["Cache-Control"] = noStore
	c.status = status
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(body) // a peer that went away is no error of ours
	}
}

// writeEmpty sends an answer without body.
func (c *call) writeEmpty(status int) {
	c.w.Header()["Cache-Control"] = noStore
	c.status = status
	c.w.WriteHeader(status)
}

var noStore = []string{"no-store"}

// setETag sets the entity tag of the answer (RFC 7644 §3.14).
func (c *call) setETag(version int64) { c.w.Header()["Etag"] = []string{etag(version)} }

func etag(version int64) string {
	b := append(make([]byte, 0, 24), `W/"`...)
	b = strconv.AppendInt(b, version, 10)
	return string(append(b, '"'))
}

// location is the address of a resource.
func (c *call) location(t *scim.ResourceType, id string) string {
	return c.base + t.Endpoint + "/" + id
}

// writeResource sends a resource.
func (c *call) writeResource(status int, t *scim.ResourceType, r *scim.Resource, p *scim.Projection) {
	c.resource = r.ID
	c.setETag(r.Meta.Version)
	h := c.w.Header()
	h["Location"] = []string{c.location(t, r.ID)}
	buf := getBuffer()
	defer putBuffer(buf)
	if len(r.Members) > streamedMembers && c.r.Method != http.MethodHead {
		c.stream(status, r, p, buf)
		return
	}
	*buf = c.dir.Registry.Append((*buf)[:0], r, p, c.base)
	c.write(status, *buf)
}

// streamedMembers is how many members a group may have to be sent in one piece, with its length.
const streamedMembers = 1000

// stream sends a resource part by part.
func (c *call) stream(status int, r *scim.Resource, p *scim.Projection, buf *[]byte) {
	h := c.w.Header()
	h["Content-Type"] = mediaType(c.r.Header["Accept"])
	h["Cache-Control"] = noStore
	c.status = status
	c.w.WriteHeader(status)
	send := func(part []byte) []byte {
		_, _ = c.w.Write(part) // a peer that went away is no error of ours
		return part[:0]
	}
	*buf = send(c.dir.Registry.Stream((*buf)[:0], r, p, c.base, send))
}

// appendString writes s as a JSON string.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\ufffd"...)
			start = i + n
		}
		i += n
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
