package scimserver

import (
	"time"

	"github.com/provost-scim/provost/scim"
)

// The limits. Those for which ServiceProviderConfig has a field are announced there; an answer to a request
// beyond one names it.
const (
	MaxDepth       = 64        // nesting of a JSON body
	MaxBody        = 256 << 10 // bytes of the body of a user or of a resource of a tenant's own type
	MaxGroupBody   = 16 << 20  // bytes of the body of a group
	MaxSearchBody  = 64 << 10  // bytes of a SearchRequest
	MaxFormBody    = 8 << 10   // bytes of a token request
	MaxPatchOps    = 1000      // operations of one PATCH
	MaxBulkOps     = 1000      // bulk.maxOperations
	MaxBulkBody    = 8 << 20   // bulk.maxPayloadSize, bytes
	MaxPage        = 1000      // filter.maxResults and pagination.maxPageSize
	DefaultPage    = 100       // pagination.defaultPageSize
	MaxHeader      = 32 << 10  // bytes of a request's header; for http.Server.MaxHeaderBytes
	MaxQuery       = 16 << 10  // bytes of a query string
	MaxAttributes  = 200       // names in attributes and excludedAttributes
	CursorTimeout  = time.Hour // pagination.cursorTimeout
	MaxCursor      = 8 << 10   // characters of a cursor
	MaxLoggedBody  = 16 << 10  // bytes of a body kept in the request log
	MaxLoggedReply = 4 << 10   // bytes of an error answer kept in the request log
	RetryAfter     = 5         // seconds, in a 503
)

// tooLarge is the answer to something beyond a limit: 413 with the name of the limit.
func tooLarge(what, limit string, most int) error {
	return scim.Errorf(scim.TooLarge, "%s is beyond the limit %s of %d", what, limit, most)
}
