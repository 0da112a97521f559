package scim

import (
	"bytes"
	"strconv"
	"time"
)

// timeForm is how meta.created and meta.lastModified are written.
const timeForm = "2006-01-02T15:04:05.000Z"

// Append appends the wire form of a resource: its document (made from Attrs if Doc is nil), then externalId,
// groups or members, and meta with the location base + endpoint + "/" + id and the version W/"n". base is the
// SCIM base URL without a slash at the end. p decides what is shown; one made for another type counts as nil.
// Members are shown if HasMembers, as [] if there are none; groups if HasGroups and there are any.
func (g *Registry) Append(dst []byte, r *Resource, p *Projection, base string) []byte {
	return g.Stream(dst, r, p, base, nil)
}

// streamPart is how many bytes Stream hands over at once, about.
const streamPart = 32 << 10

// Stream is Append in parts, so that a group with many members is never in memory as text: flush is given each
// part that is ready and returns the buffer to go on with, empty. What Stream returns is the last part.
func (g *Registry) Stream(dst []byte, r *Resource, p *Projection, base string, flush func(part []byte) []byte) []byte {
	s := g.byName[r.Type]
	if s == nil {
		return dst
	}
	switch {
	case p == nil || p.shape.typ.Name != r.Type:
		p = s.plain
	default:
		s = p.shape // the registry may have been replaced meanwhile
	}
	doc := r.Doc
	if doc == nil {
		doc = g.Encode(r)
	}
	start := len(dst)
	if p.whole && len(doc) > 1 {
		dst = append(dst, doc[:len(doc)-1]...)
	} else {
		dst = appendPart(dst, doc, s.fields, p.views)
		if len(dst) > start {
			dst = dst[:len(dst)-1]
		} else {
			dst = append(dst, '{')
		}
	}
	w := wire{dst: dst, start: start, base: base, types: s.endpoints, flush: flush}
	for i := s.tail; i < len(s.fields); i++ {
		if f, v := &s.fields[i], &p.views[i]; v.show != omit {
			w.tail(s, f, v, r)
		}
	}
	w.begin()
	return append(w.dst, '}')
}

// wire appends what does not stand in the document.
type wire struct {
	dst   []byte
	start int  // of the resource in dst
	begun bool // its beginning is as it must be
	base  string
	types map[string]*shape
	flush func([]byte) []byte // may be nil
}

// begin drops the comma in front of what follows a document of which nothing is shown.
func (w *wire) begin() {
	if !w.begun && len(w.dst) > w.start+1 && w.dst[w.start+1] == ',' {
		w.dst = append(w.dst[:w.start+1], w.dst[w.start+2:]...)
	}
	w.begun = true
}

// part hands over what is ready, all but the last byte, which may have to go.
func (w *wire) part() {
	if w.flush == nil || len(w.dst) < streamPart {
		return
	}
	w.begin()
	last := len(w.dst) - 1
	kept := w.dst[last]
	w.dst = append(w.flush(w.dst[:last]), kept)
}

func (w *wire) tail(s *shape, f *field, v *view, r *Resource) {
	switch {
	case f.name == "externalId":
		if r.ExternalID != "" {
			w.dst = append(w.dst, `,"externalId":`...)
			w.dst = appendString(w.dst, r.ExternalID)
		}
	case f.name == "members":
		if r.HasMembers {
			w.refs(f, v, r.Members, "")
		}
	case f.name == "groups":
		if r.HasGroups && len(r.Groups) > 0 {
			w.refs(f, v, r.Groups, "Group")
		}
	case f.name == "meta":
		w.meta(s, f, v, r)
	}
}

// shows reports whether a sub-attribute is shown.
func (v *view) shows(f *field, name string) bool {
	if v.show == all {
		return true
	}
	for i := range f.subs {
		if f.subs[i].name == name {
			return v.subs[i].show != omit
		}
	}
	return false
}

// refs appends a list of references. typ is the type of all of them; "" if Ref.Type says it.
func (w *wire) refs(f *field, v *view, refs []Ref, typ string) {
	value, uri, kind, display := v.shows(f, "value"), v.shows(f, "$ref"), v.shows(f, "type"), v.shows(f, "display")
	w.dst = append(w.dst, ',')
	w.dst = append(w.dst, f.key...)
	w.dst = append(w.dst, '[')
	for i := range refs {
		r := &refs[i]
		start := len(w.dst)
		if value {
			w.text(`,"value":`, r.Value)
		}
		target := typ
		if target == "" {
			target = r.Type
		}
		if t := w.types[target]; uri && t != nil {
			w.dst = append(w.dst, `,"$ref":`...)
			w.location(t, r.Value)
		}
		if kind && r.Type != "" {
			w.text(`,"type":`, r.Type)
		}
		if display && r.Display != "" {
			w.text(`,"display":`, r.Display)
		}
		if len(w.dst) > start {
			w.dst[start] = '{'
			w.dst = append(w.dst, '}', ',')
			w.part()
		}
	}
	if last := len(w.dst) - 1; w.dst[last] == ',' {
		w.dst = w.dst[:last]
	}
	w.dst = append(w.dst, ']')
}

func (w *wire) text(key, value string) {
	w.dst = append(w.dst, key...)
	w.dst = appendString(w.dst, value)
}

// location appends the address of a resource as a JSON string.
func (w *wire) location(s *shape, id string) {
	w.dst = appendString(w.dst, w.base)
	w.dst = append(w.dst[:len(w.dst)-1], s.typ.Endpoint...)
	w.dst = append(w.dst, '/')
	end := len(w.dst)
	w.dst = appendString(w.dst, id)
	w.dst = append(w.dst[:end], w.dst[end+1:]...) // without the opening quote
}

func (w *wire) meta(s *shape, f *field, v *view, r *Resource) {
	start := len(w.dst)
	w.dst = append(w.dst, `,"meta":{`...)
	body := len(w.dst)
	if v.shows(f, "resourceType") {
		w.text(`,"resourceType":`, s.typ.Name)
	}
	if v.shows(f, "created") {
		w.time(`,"created":"`, r.Meta.Created)
	}
	if v.shows(f, "lastModified") {
		w.time(`,"lastModified":"`, r.Meta.LastModified)
	}
	if v.shows(f, "location") {
		w.dst = append(w.dst, `,"location":`...)
		w.location(s, r.ID)
	}
	if v.shows(f, "version") && r.Meta.Version != 0 {
		w.dst = append(w.dst, `,"version":"W/\"`...)
		w.dst = strconv.AppendInt(w.dst, r.Meta.Version, 10)
		w.dst = append(w.dst, `\""`...)
	}
	if len(w.dst) == body {
		w.dst = w.dst[:start]
		return
	}
	w.dst = append(w.dst[:body], w.dst[body+1:]...) // without the first comma
	w.dst = append(w.dst, '}')
}

func (w *wire) time(key string, t time.Time) {
	if t.IsZero() {
		return
	}
	w.dst = append(w.dst, key...)
	w.dst = t.UTC().AppendFormat(w.dst, timeForm)
	w.dst = append(w.dst, '"')
}

// appendPart appends the part of a canonical value that the views show, nothing if that is nothing.
func appendPart(dst, value []byte, fields []field, views []view) []byte {
	if len(value) == 0 {
		return dst
	}
	start := len(dst)
	switch value[0] {
	case '{':
		dst = append(dst, '{')
		next := 0
		for i := 1; i < len(value) && value[i] == '"'; i++ {
			key := i
			i = skipString(value, i) + 1 // behind the colon
			end := skipValue(value, i)
			var at int
			if at, next = locate(fields, value[key:i], next); at >= 0 {
				dst = appendMember(dst, value[key:i], value[i:end], &fields[at], &views[at])
			}
			i = end
		}
		return closePart(dst, start, '}')
	case '[':
		dst = append(dst, '[')
		for i := 1; i < len(value) && value[i] != ']'; i++ {
			end := skipValue(value, i)
			before := len(dst)
			if dst = appendPart(dst, value[i:end], fields, views); len(dst) > before {
				dst = append(dst, ',')
			}
			i = end
		}
		return closePart(dst, start, ']')
	}
	return append(dst, value...)
}

func appendMember(dst, key, value []byte, f *field, v *view) []byte {
	before := len(dst)
	switch v.show {
	case all:
		dst = append(append(dst, key...), value...)
	case part:
		dst = append(dst, key...)
		empty := len(dst)
		if dst = appendPart(dst, value, f.subs, v.subs); len(dst) == empty {
			return dst[:before]
		}
	default:
		return dst
	}
	return append(dst, ',')
}

// closePart puts the closing bracket over the last comma; without content it takes back the opening one.
func closePart(dst []byte, start int, bracket byte) []byte {
	if len(dst) == start+1 {
		return dst[:start]
	}
	dst[len(dst)-1] = bracket
	return dst
}

// locate finds the field of a key, which has its quotes and colon. The names stand in the order of the fields, so
// the search goes on at next.
func locate(fields []field, key []byte, next int) (at, after int) {
	for n := range fields {
		i := (next + n) % len(fields)
		if string(key) == fields[i].key {
			return i, i + 1
		}
	}
	return -1, next
}

// skipString returns the position behind the string that starts at i.
func skipString(doc []byte, i int) int {
	for i++; i < len(doc); i++ {
		n := bytes.IndexByte(doc[i:], '"')
		if n < 0 {
			return len(doc)
		}
		i += n
		back := i
		for doc[back-1] == '\\' {
			back--
		}
		if (i-back)%2 == 0 {
			return i + 1
		}
	}
	return len(doc)
}

// skipValue returns the position behind the value that starts at i. The document has no blanks.
func skipValue(doc []byte, i int) int {
	depth := 0
	for i < len(doc) {
		switch doc[i] {
		case '"':
			if i = skipString(doc, i); depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}
