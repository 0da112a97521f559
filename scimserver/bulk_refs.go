package scimserver

import (
	"strings"

	"github.com/provost-scim/provost/scim"
)

// bulkPrefix begins a reference to a resource that the same bulk request creates (RFC 7644 §3.7.2).
const bulkPrefix = "bulkId:"

// bulkRef returns the bulkId that a text refers to.
func bulkRef(text string) (string, bool) { return strings.CutPrefix(text, bulkPrefix) }

// findRefs collects the bulkIds that an operation refers to, in its path and in its data. One that no POST of
// the request has is an error where a reference is expected; anywhere else it is just a text.
func (b *bulkJob) findRefs(op *bulkOp) {
	if op.err != nil {
		return
	}
	seen := map[string]bool{}
	add := func(ref string, reference bool) {
		if _, known := b.byID[ref]; !known {
			if reference && op.err == nil {
				op.err = scim.Errorf(scim.InvalidValue, "the operation refers to bulkId %s, which no POST of this request has", scim.Quote(ref))
			}
			return
		}
		if !seen[ref] {
			seen[ref] = true
			op.refs = append(op.refs, ref)
		}
	}
	if ref, is := bulkRef(op.id); is {
		add(ref, true)
	}
	b.eachRef(op.data, "", add)
}

// eachRef calls found for each reference in a value that stands under key.
func (b *bulkJob) eachRef(v any, key string, found func(ref string, reference bool)) {
	switch v := v.(type) {
	case string:
		if ref, is := bulkRef(v); is {
			found(ref, key == "value" || key == "manager" || key == "members")
		} else if key == "path" {
			b.inPath(v, func(ref string) string { found(ref, true); return "" })
		}
	case []any:
		for _, e := range v {
			b.eachRef(e, key, found)
		}
	case scim.Object:
		for k, e := range v {
			b.eachRef(e, lastName(k), found)
		}
	}
}

// lastName is the attribute name at the end of a key, in lower case: "manager" of "urn:…:User:manager".
func lastName(key string) string {
	return strings.ToLower(key[strings.LastIndexAny(key, ":.")+1:])
}

// inPath replaces the quoted references of a PATCH path, such as members[value eq "bulkId:x"].
func (b *bulkJob) inPath(path string, id func(ref string) string) string {
	parts := strings.Split(path, `"`)
	for i := 1; i < len(parts); i += 2 {
		if ref, is := bulkRef(parts[i]); is {
			parts[i] = id(ref)
		}
	}
	return strings.Join(parts, `"`)
}

// fill returns a copy of the data with the references that can be resolved by now replaced by ids. The others
// are left out, together with the element that they stand in. Data without references is returned as it is.
func (b *bulkJob) fill(data any) any {
	v, _ := b.filled(data, "", true)
	return v
}

// filled returns the value and whether it stays. A container (a whole resource or extension) outlives what it
// loses; any other object goes with its reference.
func (b *bulkJob) filled(v any, key string, container bool) (any, bool) {
	switch v := v.(type) {
	case string:
		return b.filledText(v, key)
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			if e, ok := b.filled(e, key, false); ok {
				out = append(out, e)
			}
		}
		return out, len(out) > 0 || len(v) == 0
	case scim.Object:
		out := make(scim.Object, len(v))
		for k, e := range v {
			filled, ok := b.filled(e, lastName(k), container && strings.HasPrefix(k, "urn:"))
			if ok {
				out[k] = filled
				continue
			}
			if _, text := e.(string); text && !container {
				return nil, false
			}
		}
		return out, true
	}
	return v, true
}

func (b *bulkJob) filledText(v, key string) (any, bool) {
	ref, is := bulkRef(v)
	if !is {
		if key == "path" {
			return b.inPath(v, func(ref string) string { id, _ := b.idOf(ref); return id }), true
		}
		return v, true
	}
	if _, known := b.byID[ref]; !known {
		return v, true
	}
	return b.idOf(ref)
}

// idOf is the id of the resource that a bulkId stands for, if it was created by now.
func (b *bulkJob) idOf(ref string) (string, bool) {
	j, known := b.byID[ref]
	if !known || j >= len(b.result) || b.result[j].err != nil || b.result[j].id == "" {
		return "", false
	}
	return b.result[j].id, true
}
