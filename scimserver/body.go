package scimserver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/provost-scim/provost/scim"
)

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readObject reads the body of a request as one JSON object of at most most bytes; limit names that limit. It
// keeps a redacted copy for the request log.
func (c *call) readObject(most int, limit string) (scim.Object, error) {
	if err := checkContent(c.r.Header); err != nil {
		return nil, err
	}
	buf := bodies.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= maxPooled {
			buf.Reset()
			bodies.Put(buf)
		}
	}()
	buf.Reset()
	if err := c.readAll(buf, most, limit); err != nil {
		return nil, err
	}
	v, err := scim.ParseJSON(buf.Bytes(), MaxDepth)
	if err != nil {
		c.body = fmt.Sprintf("(%d bytes that are not well-formed)", buf.Len())
		return nil, err
	}
	c.body = c.redact(buf.Bytes())
	object, ok := v.(scim.Object)
	if !ok {
		return nil, scim.Errorf(scim.InvalidSyntax, "the body must be one JSON object")
	}
	return object, nil
}

// readAll reads the body into buf. What is announced as too long is refused unread.
func (c *call) readAll(buf *bytes.Buffer, most int, limit string) error {
	if c.r.ContentLength > int64(most) {
		return tooLarge(fmt.Sprintf("The body of %d bytes", c.r.ContentLength), limit, most)
	}
	if c.r.ContentLength > 0 {
		buf.Grow(int(c.r.ContentLength) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(http.MaxBytesReader(c.w, c.r.Body, int64(most)))
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge("The body", limit, most)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return scim.Errorf(scim.InvalidSyntax, "the body ended before its announced length")
	}
	return &statusError{status: http.StatusBadRequest, typ: scim.InvalidSyntax, detail: "The body could not be read to its end.", err: err}
}

// bodyLimit is the limit of a resource's body.
func (c *call) bodyLimit(t *scim.ResourceType) (int, string) {
	if c.hasMembers(t) {
		return MaxGroupBody, "bytes of a group"
	}
	return MaxBody, "bytes of a resource"
}

func (c *call) hasMembers(t *scim.ResourceType) bool {
	_, ok := c.dir.Registry.Resolve(t.Name, scim.AttrPath{Name: "members"})
	return ok
}

func (c *call) hasGroups(t *scim.ResourceType) bool {
	_, ok := c.dir.Registry.Resolve(t.Name, scim.AttrPath{Name: "groups"})
	return ok
}

// field returns the value of a message's attribute, whose name is case-insensitive (RFC 7643 §2.1).
func field(o scim.Object, name string) any {
	if v, ok := o[name]; ok {
		return v
	}
	for k, v := range o {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}
