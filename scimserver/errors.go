package scimserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// statusError is an answer that the protocol itself asks for, beside what scim and directory report.
type statusError struct {
	status int
	typ    scim.ErrorType
	oauth  string      // error code of RFC 6749 §5.2, at the token endpoint
	detail string      // for the client
	header http.Header // canonical keys
	err    error       // for the log
}

func (e *statusError) Error() string {
	if e.err != nil {
		return fmt.Sprintf("%d %s: %v", e.status, e.detail, e.err)
	}
	return fmt.Sprintf("%d %s", e.status, e.detail)
}

func (e *statusError) Unwrap() error { return e.err }

// unavailable is the answer when something that a request needs cannot answer now.
func unavailable(err error) error {
	return &statusError{status: http.StatusServiceUnavailable, detail: "The service cannot answer now. Try again in a few seconds.",
		header: retryAfter(RetryAfter), err: err}
}

func retryAfter(seconds int) http.Header { return http.Header{"Retry-After": {strconv.Itoa(seconds)}} }

// wireError translates every error into the answer of RFC 7644 §3.12. It is the only place that does. What it
// does not know is a 500 whose text stays in the log.
func wireError(err error) *statusError {
	if e, ok := errors.AsType[*statusError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &statusError{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("The body is beyond the limit of %d bytes.", e.Limit), err: err}
	}
	if e, ok := errors.AsType[*directory.Error](err); ok {
		return wireDirectory(e)
	}
	if e, ok := errors.AsType[*scim.Error](err); ok {
		return wireSyntax(e)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return wireError(unavailable(err))
	}
	return &statusError{status: http.StatusInternalServerError, err: err,
		detail: "An internal error. The log of the service says more under the request id in the header X-Request-Id."}
}

// wireSyntax translates what is wrong with a message.
func wireSyntax(e *scim.Error) *statusError {
	out := &statusError{status: http.StatusBadRequest, typ: e.Type, detail: e.Detail, err: e}
	if e.Offset >= 0 {
		out.detail = fmt.Sprintf("%s (at position %d)", e.Detail, e.Offset)
	}
	switch e.Type {
	case scim.Uniqueness:
		out.status = http.StatusConflict
	case scim.Sensitive: // RFC 7644 §7.5.2
		out.status = http.StatusForbidden
	case scim.TooLarge:
		out.status, out.typ = http.StatusRequestEntityTooLarge, ""
	}
	return out
}

// wireDirectory translates what the rules of the directory refuse.
func wireDirectory(e *directory.Error) *statusError {
	out := &statusError{detail: e.Msg, err: e}
	switch e.Kind {
	case directory.NotFound:
		out.status = http.StatusNotFound
	case directory.Conflict:
		out.status, out.typ = http.StatusConflict, scim.Uniqueness
	case directory.Invalid:
		out.status, out.typ = http.StatusBadRequest, scim.InvalidValue
		if s, ok := errors.AsType[*scim.Error](e.Err); ok {
			out.typ = s.Type
		}
	case directory.Stale:
		out.status = http.StatusPreconditionFailed
	case directory.Denied:
		out.status = http.StatusForbidden
	case directory.Exhausted:
		out.status, out.typ = http.StatusBadRequest, scim.TooMany
	case directory.Unavailable:
		return wireError(unavailable(e))
	default:
		return wireError(errors.New(e.Error()))
	}
	return out
}

// appendError writes the body of an error answer.
func appendError(dst []byte, e *statusError) []byte {
	dst = append(dst, `{"schemas":["`+scim.ErrorMessage+`"],"status":"`...)
	dst = strconv.AppendInt(dst, int64(e.status), 10)
	dst = append(dst, '"')
	if e.typ != "" {
		dst = append(dst, `,"scimType":`...)
		dst = appendString(dst, string(e.typ))
	}
	dst = append(dst, `,"detail":`...)
	dst = appendString(dst, e.detail)
	return append(dst, '}')
}

// fail answers with an error, unless an answer has begun.
func (c *call) fail(err error) {
	c.failed = err
	e := wireError(err)
	if c.status != 0 {
		return
	}
	h := c.w.Header()
	for k, v := range e.header {
		h[k] = v
	}
	buf := getBuffer()
	defer putBuffer(buf)
	*buf = appendError((*buf)[:0], e)
	c.reply = string((*buf)[:min(len(*buf), MaxLoggedReply)])
	if c.at.oauth && c.route == &tokenRoute {
		c.failOAuth(e)
		return
	}
	c.write(e.status, *buf)
}
