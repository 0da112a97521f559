package scimserver

import (
	"strconv"
	"strings"

	"github.com/provost-scim/provost/scim"
)

// listing is a checked list request with what its answer needs.
type listing struct {
	query       scim.Query
	projections map[string]*scim.Projection // by type; nil if the caller chose no attributes
	offset      int
	cursors     bool
	total       int // known from the first page of a walk
	binding     []byte
}

// list answers a query of some resource types (RFC 7644 §3.4.2, RFC 9865 §2).
func (c *call) list(types []*scim.ResourceType, p params) error {
	if p.filter != "" && c.secrets().secretName(p.filter) {
		c.secretive = true
	}
	l, err := c.parseList(types, p)
	if err != nil {
		return err
	}
	page, err := c.dir.List(c.ctx(), c.caller, l.query)
	if err != nil {
		return err
	}
	total := page.Total
	if !l.query.Total {
		total = l.total
	}
	next := ""
	if l.cursors && page.Next != nil && l.query.Count > 0 {
		next = c.seal(cursor{expires: c.Now().Add(CursorTimeout), count: l.query.Count, total: total, key: *page.Next}, l.binding)
		if len(next) > MaxCursor {
			return scim.Errorf(scim.InvalidValue, "sortBy: the value at which this page ends is too long for a cursor of %d characters; page by startIndex, or sort by another attribute", MaxCursor)
		}
	}
	buf := getBuffer()
	defer putBuffer(buf)
	dst := appendListHead((*buf)[:0], total, len(page.Resources), l, next)
	for i := range page.Resources {
		r := &page.Resources[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = c.dir.Registry.Append(dst, r, l.projections[r.Type], c.base)
	}
	*buf = append(dst, ']', '}')
	c.write(200, *buf)
	return nil
}

// appendListHead writes a ListResponse up to its resources.
func appendListHead(dst []byte, total, items int, l listing, next string) []byte {
	dst = append(dst, `{"schemas":["`+scim.ListMessage+`"],"totalResults":`...)
	dst = strconv.AppendInt(dst, int64(total), 10)
	if !l.cursors {
		dst = append(dst, `,"startIndex":`...)
		dst = strconv.AppendInt(dst, int64(l.offset)+1, 10)
	}
	dst = append(dst, `,"itemsPerPage":`...)
	dst = strconv.AppendInt(dst, int64(items), 10)
	if next != "" {
		dst = append(dst, `,"nextCursor":"`...)
		dst = append(dst, next...)
		dst = append(dst, '"')
	}
	return append(dst, `,"Resources":[`...)
}

// parseList checks a query and binds it to the schemas.
func (c *call) parseList(types []*scim.ResourceType, p params) (listing, error) {
	var l listing
	var err error
	if l.query.Count, err = p.page(); err != nil {
		return l, err
	}
	l.query.Client, l.query.Total = c.caller.Client, true
	if p.hasCursor {
		err = c.parseCursor(&l, types, p)
	} else {
		l.offset, err = p.offset()
		l.query.Offset = l.offset
	}
	if err != nil {
		return l, err
	}
	if l.query.Targets, err = c.bind(types, p.filter); err != nil {
		return l, err
	}
	if err = c.parseSort(&l, types, p); err != nil {
		return l, err
	}
	if p.projected() {
		l.projections = make(map[string]*scim.Projection, len(types))
	}
	for _, t := range types {
		var shown *scim.Projection
		if p.projected() {
			if shown, err = c.dir.Registry.Projection(t.Name, p.attributes, p.excluded); err != nil {
				return l, err
			}
			l.projections[t.Name] = shown
		}
		want := c.want(t, shown)
		l.query.Members = l.query.Members || want.Members
		l.query.Groups = l.query.Groups || want.Groups
	}
	return l, nil
}

// parseCursor reads the cursor of a walk. The first page, with an empty one, counts; the others carry the
// count on, so that the last page costs what the first does.
func (c *call) parseCursor(l *listing, types []*scim.ResourceType, p params) error {
	if p.startIndex != "" {
		return scim.Errorf(scim.InvalidValue, "cursor and startIndex exclude each other")
	}
	l.cursors = true
	l.binding = c.binding(types, p)
	if p.cursor == "" {
		return nil
	}
	k, err := c.unseal(p.cursor, l.binding)
	if err != nil {
		return err
	}
	if k.count != l.query.Count {
		return scim.Errorf(scim.InvalidCount, "count is %d but was %d on the first page; it must stay the same", l.query.Count, k.count)
	}
	l.query.After, l.query.Total, l.total = &k.key, false, k.total
	return nil
}

// parseSort reads sortBy and sortOrder (RFC 7644 §3.4.2.3).
func (c *call) parseSort(l *listing, types []*scim.ResourceType, p params) error {
	switch strings.ToLower(p.sortOrder) {
	case "", "ascending":
	case "descending":
		l.query.Descending = true
	default:
		return scim.Errorf(scim.InvalidValue, "sortOrder is %s; it must be \"ascending\" or \"descending\"", scim.Quote(p.sortOrder))
	}
	if p.sortBy == "" {
		l.query.Descending = false // an order of nothing, RFC 7644 §3.4.2.3 knows none
		return nil
	}
	path, err := scim.ParsePath(p.sortBy)
	if err != nil || path.Filter != nil {
		return scim.Errorf(scim.InvalidPath, "sortBy is %s; it must be the name of one attribute", scim.Quote(p.sortBy))
	}
	for _, t := range types {
		ref, ok := c.dir.Registry.Resolve(t.Name, path.Attr)
		if !ok {
			continue
		}
		leaf := ref.Leaf()
		if leaf.Returned == "never" || ref.Attr.Returned == "never" {
			return scim.Errorf(scim.Sensitive, "resources cannot be sorted by %s", ref.Name())
		}
		if leaf.Type == scim.Complex {
			return scim.Errorf(scim.InvalidValue, "sortBy is %s, which is complex; name one of its sub-attributes", ref.Name())
		}
		l.query.Sort = &ref
		return nil
	}
	return scim.Errorf(scim.InvalidValue, "sortBy is %s, which is no attribute here", scim.Quote(p.sortBy))
}

// bind parses a filter and binds it to each type.
func (c *call) bind(types []*scim.ResourceType, text string) ([]scim.Target, error) {
	var f scim.Filter
	if strings.TrimSpace(text) != "" {
		var err error
		if f, err = scim.ParseFilter(text); err != nil {
			return nil, err
		}
	}
	targets := make([]scim.Target, len(types))
	for i, t := range types {
		targets[i].Type = t.Name
		if f == nil {
			continue
		}
		mine := f
		if len(types) > 1 {
			mine = c.narrow(types, t, f)
		}
		bound, err := c.dir.Registry.Bind(t.Name, mine)
		if err != nil {
			return nil, err
		}
		targets[i].Filter = bound
	}
	return targets, nil
}
