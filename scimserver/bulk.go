package scimserver

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// bulk answers POST /Bulk (RFC 7644 §3.7). The whole request is one transaction; each operation is a savepoint
// in it, so that one that fails is undone alone.
func bulk(c *call) error {
	body, err := c.readObject(MaxBulkBody, "bulk.maxPayloadSize")
	if err != nil {
		return err
	}
	b, err := c.parseBulk(body)
	if err != nil {
		return err
	}
	if err := b.run(); err != nil {
		return err
	}
	buf := getBuffer()
	defer putBuffer(buf)
	*buf = b.append((*buf)[:0])
	c.write(http.StatusOK, *buf)
	return nil
}

// bulkJob is one bulk request in work.
type bulkJob struct {
	*call
	ops    []bulkOp
	most   int            // failOnErrors; 0: no end
	byID   map[string]int // the POST operation of each bulkId
	forced map[int]error  // operations known to fail from an earlier attempt
	result []bulkResult   // of the attempt, as far as it came
	later  []int          // operations that wait for others, in order
	left   map[int]bool   // the same as a set
}

type bulkOp struct {
	method, bulkID string
	typ            *scim.ResourceType
	id             string // of the path; may be "bulkId:…"; "" for POST
	cond           directory.Condition
	data           any
	refs           []string // bulkIds that it refers to
	err            error    // what is wrong with it in itself
}

type bulkResult struct {
	status  int
	id      string
	version int64
	err     error
}

// parseBulk reads a BulkRequest. What is wrong with one operation alone is kept in its err.
func (c *call) parseBulk(body scim.Object) (*bulkJob, error) {
	if c.caller.Strict && !names(field(body, "schemas"), scim.BulkRequest) {
		return nil, scim.Errorf(scim.InvalidSyntax, "schemas of a bulk request must name %s", scim.BulkRequest)
	}
	list, ok := field(body, "Operations").([]any)
	if !ok {
		return nil, scim.Errorf(scim.InvalidSyntax, "a bulk request needs Operations, a list")
	}
	if len(list) > MaxBulkOps {
		return nil, tooLarge(fmt.Sprintf("A bulk request of %d operations", len(list)), "bulk.maxOperations", MaxBulkOps)
	}
	b := &bulkJob{call: c, ops: make([]bulkOp, len(list)), byID: map[string]int{}, forced: map[int]error{}}
	switch n := field(body, "failOnErrors").(type) {
	case nil:
	case int64:
		if n < 0 {
			return nil, scim.Errorf(scim.InvalidValue, "failOnErrors must not be negative")
		}
		b.most = int(min(n, MaxBulkOps))
	default:
		return nil, scim.Errorf(scim.InvalidValue, "failOnErrors must be an integer")
	}
	for i, v := range list {
		o, ok := v.(scim.Object)
		if !ok {
			return nil, scim.Errorf(scim.InvalidSyntax, "Operations[%d] must be an object", i)
		}
		b.ops[i] = c.parseBulkOp(o)
		if op := &b.ops[i]; op.bulkID != "" && op.method == http.MethodPost {
			if _, twice := b.byID[op.bulkID]; twice {
				op.err = scim.Errorf(scim.InvalidValue, "bulkId %s is used twice in this request", scim.Quote(op.bulkID))
				continue
			}
			b.byID[op.bulkID] = i
		}
	}
	for i := range b.ops {
		b.findRefs(&b.ops[i])
	}
	return b, nil
}

func (c *call) parseBulkOp(o scim.Object) bulkOp {
	var op bulkOp
	method, _ := field(o, "method").(string)
	op.method = strings.ToUpper(method)
	op.bulkID, _ = field(o, "bulkId").(string)
	path, _ := field(o, "path").(string)
	op.typ, op.id, op.err = c.bulkPath(path)
	op.data = field(o, "data")
	if version, ok := field(o, "version").(string); ok && version != "" {
		op.cond = condition(http.Header{"If-Match": {version}})
	}
	if op.err != nil {
		return op
	}
	switch op.method {
	case http.MethodPost:
		if op.id != "" {
			op.err = scim.Errorf(scim.InvalidValue, "the path of a POST must be an endpoint such as /Users")
		} else if op.bulkID == "" && c.caller.Strict {
			op.err = scim.Errorf(scim.InvalidValue, "a POST in a bulk request needs a bulkId")
		}
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		if op.id == "" {
			op.err = scim.Errorf(scim.InvalidValue, "the path of a %s must name one resource, such as /Users/{id}", op.method)
		}
	default:
		op.err = scim.Errorf(scim.InvalidValue, "method is %s; it must be POST, PUT, PATCH or DELETE", scim.Quote(method))
	}
	if op.err == nil && op.method != http.MethodDelete {
		op.err = c.checkBulkData(&op)
	}
	return op
}

// checkBulkData holds the data of an operation to the form and size of the same request alone.
func (c *call) checkBulkData(op *bulkOp) error {
	switch data := op.data.(type) {
	case scim.Object:
	case []any:
		if op.method != http.MethodPatch {
			return scim.Errorf(scim.InvalidSyntax, "data must be an object")
		}
		op.data = scim.Object{"Operations": data} // the form of RFC 7644 before erratum 5050
	default:
		return scim.Errorf(scim.InvalidSyntax, "a %s needs data, an object", op.method)
	}
	if most, limit := c.bodyLimit(op.typ); size(op.data) > most {
		return tooLarge("The data of an operation", limit, most)
	}
	return nil
}

// size is about how long a value is as JSON, never more.
func size(v any) int {
	n := 1
	switch v := v.(type) {
	case string:
		n = len(v) + 2
	case []any:
		for _, e := range v {
			n += size(e) + 1
		}
	case scim.Object:
		for k, e := range v {
			n += len(k) + 3 + size(e)
		}
	}
	return n
}

// bulkPath takes the path of an operation apart: "/Users" or "/Users/{id}".
func (c *call) bulkPath(path string) (*scim.ResourceType, string, error) {
	if path == "" {
		return nil, "", scim.Errorf(scim.InvalidValue, "an operation needs a path, such as /Users or /Users/{id}")
	}
	endpoint, id, two := strings.Cut(strings.Trim(path, "/"), "/")
	t := c.dir.Registry.ByEndpoint(endpoint)
	if t == nil || two && (id == "" || strings.Contains(id, "/")) {
		return nil, "", &statusError{status: http.StatusNotFound, detail: "There is no address " + scim.Quote(path) + " for an operation: it must be an endpoint such as /Users, or one with the id of a resource."}
	}
	return t, id, nil
}

// append writes the BulkResponse (RFC 7644 §3.7.3).
func (b *bulkJob) append(dst []byte) []byte {
	dst = append(dst, `{"schemas":["`+scim.BulkResponse+`"],"Operations":[`...)
	for i, r := range b.result {
		op := &b.ops[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"method":`...)
		dst = appendString(dst, op.method)
		if op.bulkID != "" {
			dst = append(dst, `,"bulkId":`...)
			dst = appendString(dst, op.bulkID)
		}
		if op.typ != nil && r.id != "" {
			dst = append(dst, `,"location":`...)
			dst = appendString(dst, b.location(op.typ, r.id))
		}
		if r.err != nil {
			e := wireError(r.err)
			dst = append(dst, fmt.Sprintf(`,"status":"%d","response":`, e.status)...)
			dst = append(appendError(dst, e), '}')
			continue
		}
		if r.version > 0 {
			dst = append(dst, `,"version":`...)
			dst = appendString(dst, etag(r.version))
		}
		dst = append(dst, fmt.Sprintf(`,"status":"%d"}`, r.status)...)
	}
	return append(dst, ']', '}')
}
