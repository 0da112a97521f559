package scimserver

import (
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/provost-scim/provost/scim"
)

// params are the parameters of RFC 7644 §3.4.2 and RFC 9865 §2 that a request carries in its query string or
// SearchRequest. Others, and those without a value, are ignored, as §3.4.2 asks.
type params struct {
	attributes, excluded []string
	filter               string
	sortBy, sortOrder    string
	startIndex, count    string
	cursor               string
	hasCursor            bool
}

// projected says whether the caller chose attributes.
func (p *params) projected() bool { return len(p.attributes) > 0 || len(p.excluded) > 0 }

// parseQuery reads a query string. Names are compared exactly, except that case does not matter.
func parseQuery(raw string) (params, error) {
	var p params
	if raw == "" {
		return p, nil
	}
	if len(raw) > MaxQuery {
		return p, tooLarge("The query string of "+strconv.Itoa(len(raw))+" bytes", "query", MaxQuery)
	}
	for part := range strings.SplitSeq(raw, "&") {
		rawName, rawValue, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			continue // no parameter that we know
		}
		target := p.target(name)
		if target == nil {
			continue
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return p, scim.Errorf(scim.InvalidValue, "the query parameter %s is not percent-encoded correctly", name)
		}
		if err := target(value); err != nil {
			return p, err
		}
	}
	return p, nil
}

// target returns what sets the parameter of that name; nil if there is none.
func (p *params) target(name string) func(string) error {
	text := func(field *string) func(string) error {
		return func(v string) error {
			if *field != "" && *field != v {
				return scim.Errorf(scim.InvalidValue, "the parameter %s is given twice with different values", name)
			}
			*field = v
			return nil
		}
	}
	switch strings.ToLower(name) {
	case "filter":
		return text(&p.filter)
	case "attributes":
		return func(v string) error { return addNames(&p.attributes, v) }
	case "excludedattributes":
		return func(v string) error { return addNames(&p.excluded, v) }
	case "sortby":
		return text(&p.sortBy)
	case "sortorder":
		return text(&p.sortOrder)
	case "startindex":
		return text(&p.startIndex)
	case "count":
		return text(&p.count)
	case "cursor":
		p.hasCursor = true
		return text(&p.cursor)
	}
	return nil
}

// addNames adds a comma-separated list of attribute names.
func addNames(list *[]string, text string) error {
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if len(*list) == MaxAttributes {
			return scim.Errorf(scim.InvalidValue, "attributes and excludedAttributes name at most %d attributes each", MaxAttributes)
		}
		*list = append(*list, name)
	}
	return nil
}

// parseSearch reads a SearchRequest (RFC 7644 §3.4.3). Lists may be given as one comma-separated string.
func parseSearch(body scim.Object) (params, error) {
	var p params
	for name, v := range body {
		target := p.target(name)
		if target == nil || v == nil {
			continue
		}
		values, ok := searchValues(v)
		if !ok {
			return p, scim.Errorf(scim.InvalidValue, "%s in the SearchRequest has the wrong type", name)
		}
		for _, text := range values {
			if err := target(text); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

func searchValues(v any) ([]string, bool) {
	switch v := v.(type) {
	case string:
		return []string{v}, true
	case int64:
		return []string{strconv.FormatInt(v, 10)}, true
	case []any:
		out := make([]string, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, false
			}
			out = append(out, s)
		}
		return out, true
	}
	return nil, false
}

// page reads count: at most MaxPage, DefaultPage if it is missing; a negative one is 0.
func (p *params) page() (int, error) {
	if p.count == "" {
		return DefaultPage, nil
	}
	n, ok := integer(p.count)
	if !ok {
		typ := scim.InvalidValue
		if p.hasCursor {
			typ = scim.InvalidCount
		}
		return 0, scim.Errorf(typ, "count is %s; it must be an integer", scim.Quote(p.count))
	}
	return min(max(n, 0), MaxPage), nil
}

// offset reads startIndex: 1 if it is missing or less.
func (p *params) offset() (int, error) {
	if p.startIndex == "" {
		return 0, nil
	}
	n, ok := integer(p.startIndex)
	if !ok {
		return 0, scim.Errorf(scim.InvalidValue, "startIndex is %s; it must be an integer", scim.Quote(p.startIndex))
	}
	return max(n, 1) - 1, nil
}

// integer reads an integer of any size; one beyond int32 becomes the nearest that fits.
func integer(text string) (int, bool) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err == nil {
		return int(n), true
	}
	digits := strings.TrimPrefix(strings.TrimPrefix(text, "-"), "+")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	if text[0] == '-' {
		return math.MinInt32, true
	}
	return math.MaxInt32, true
}
