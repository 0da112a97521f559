package verify_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func listFaults() []fault {
	return []fault{
		{"totalResults counts the page instead of the matches", "ory/polis#4054, wso2/product-is#7320", []string{"pagination/count", "pagination/each-once"}, "totalResults 3, the number of matches",
			onList(func(_ *request, l object, items []any) { l["totalResults"] = len(items) })},
		{"totalResults is a string", "Okta protocol reference", []string{"pagination/integers", "okta-catalogue/test-credentials", "okta-spec/s1-list"}, "totalResults is a JSON integer",
			onList(func(_ *request, l object, _ []any) { l["totalResults"] = fmt.Sprint(l["totalResults"]) })},
		{"itemsPerPage echoes count", "better-auth#10398", []string{"pagination/items-per-page"}, "itemsPerPage 3 for count=50",
			onList(func(q *request, l object, _ []any) {
				if n, err := strconv.Atoi(q.param("count")); err == nil {
					l["itemsPerPage"] = n
				}
			})},
		{"startIndex is always 1 in the answer", "wso2/product-is#13752", []string{"pagination/start-index"}, "startIndex 2", onList(func(_ *request, l object, _ []any) { l["startIndex"] = 1 })},
		{"startIndex counts from 0", "RFC 7644 §3.4.2.4", []string{"pagination/each-once", "pagination/start-index"}, "on exactly one page",
			onRequest(func(q *request) {
				if n, err := strconv.Atoi(q.param("startIndex")); err == nil && n >= 1 {
					q.setParam("startIndex", strconv.Itoa(n+1))
				}
			})},
		{"startIndex is ignored", "awslabs/ssosync#1", []string{"pagination/each-once", "pagination/past-end", "okta-catalogue/import"}, "on exactly one page", onRequest(func(q *request) { q.dropParam("startIndex") })},
		{"count is ignored", "wso2/product-is#9237", []string{"pagination/count"}, "2 resources for count=2", onRequest(func(q *request) { q.dropParam("count") })},
		{"count=0 returns everything", "RFC 7644 §3.4.2.4", []string{"pagination/count-zero"}, "no resource for count=0",
			onRequest(func(q *request) {
				if q.param("count") == "0" {
					q.dropParam("count")
				}
			})},
		{"a negative count is an error", "RFC 7644 §3.4.2.4", []string{"pagination/count-negative"}, "status 200", refuse(400, "invalidValue", "count", func(q *request) bool { return strings.HasPrefix(q.param("count"), "-") })},
		{"startIndex below 1 is an error", "RFC 7644 §3.4.2.4", []string{"pagination/start-below-one"}, "status 200",
			refuse(400, "invalidValue", "startIndex", func(q *request) bool {
				n, err := strconv.Atoi(q.param("startIndex"))
				return err == nil && n < 1
			})},
		{"a page past the end is 404", "awslabs/ssosync#1", []string{"pagination/past-end"}, "status 200",
			onAnswer(func(q *request, a *answer) {
				if items, _ := a.json()["Resources"].([]any); a.ok() && q.has("startIndex") && len(items) == 0 && q.param("count") != "0" {
					*a = *refusal(404, "", "no more users")
				}
			})},
		{"a large count is refused", "PingFederate asks for 1000", []string{"pagination/large-count", "pingfederate-put/list-groups"}, "status 200",
			refuse(400, "tooMany", "count is too large", func(q *request) bool { n, err := strconv.Atoi(q.param("count")); return err == nil && n > 200 })},
		{"a count that is no number is 500", "scim-servers §5", []string{"pagination/not-a-number"}, "status 400 or 200",
			refuse(500, "", "internal error", func(q *request) bool { return q.param("count") == "many" })},
		{"the order changes from request to request", "Okta protocol reference", []string{"pagination/stable"}, "another order", unstable},
		{"lists are cut at two, totals too", "better-auth#10398, FusionAuth#2784", []string{"pagination/stable", "pagination/groups"}, "each of 3 groups",
			onRequest2(func(q *request, next func(*request) *answer) *answer {
				if q.method != "GET" || q.id() != "" || !q.users() && !q.groups() {
					return next(q)
				}
				start, _ := strconv.Atoi(q.param("startIndex"))
				if start > 2 {
					q.setParam("count", "0")
				}
				if n, err := strconv.Atoi(q.param("count")); err != nil || n > 2 {
					q.setParam("count", "2")
				}
				a := next(q)
				if l := a.json(); l != nil && a.ok() {
					if n, _ := l["totalResults"].(float64); n > 2 {
						l["totalResults"] = 2
					}
					a.set(l)
				}
				return a
			})},
		{"no match is 404", "Entra quarantine; R-01", []string{"entra/no-match", "okta-spec/s3-filter-none", "entra-validator/v4-filter-none"}, "status 200",
			onAnswer(func(q *request, a *answer) {
				if l := a.json(); l["totalResults"] == float64(0) && q.has("filter") {
					*a = *refusal(404, "", "no user found")
				}
			})},
		{"an empty list has no Resources", "R-01", []string{"entra/no-match"}, "Resources is present",
			onList(func(_ *request, l object, items []any) {
				if len(items) == 0 {
					delete(l, "Resources")
				}
			})},
		{"a list has no schemas", "RFC 7644 §3.4.2", []string{"entra/no-match", "okta-spec/s5-filter-random"}, "schemas has urn:ietf:params:scim:api:messages:2.0:ListResponse", onList(func(_ *request, l object, _ []any) { delete(l, "schemas") })},
		{"sortBy and sortOrder are ignored", "elimity-com/scim#95", []string{"rfc/sort-descending"}, "the order cba", onRequest(func(q *request) { q.dropParam("sortBy", "sortOrder") })},
		{"sortOrder is ignored", "RFC 7644 §3.4.2.3", []string{"rfc/sort-descending", "rfc/sort-pages"}, "the order cba", onRequest(func(q *request) { q.dropParam("sortOrder") })},
		{"sorting drops resources without the attribute", "RFC 7644 §3.4.2.3", []string{"rfc/sort-missing-last"}, "3 users",
			onList(func(q *request, l object, items []any) {
				if by := q.param("sortBy"); by != "" {
					l["Resources"] = slices.DeleteFunc(items, func(e any) bool { return e.(object)[by] == nil })
				}
			})},
	}
}

// onRequest2 is a bug that needs both sides.
func onRequest2(m middleware) func() middleware { return func() middleware { return m } }

// unstable turns the order of every second list round, as a database without ORDER BY may.
func unstable() middleware {
	n := 0
	return func(q *request, next func(*request) *answer) *answer {
		a := next(q)
		l := a.json()
		items, _ := l["Resources"].([]any)
		if !a.ok() || len(items) < 2 {
			return a
		}
		q.p.mu.Lock()
		n++
		odd := n%2 == 1
		q.p.mu.Unlock()
		if odd {
			slices.Reverse(items)
		}
		a.set(l)
		return a
	}
}

func cursorFaults() []fault {
	return []fault{
		{"the last page has a nextCursor", "RFC 9865 §2", []string{"pagination/cursor-last-page"}, "no attribute nextCursor",
			onList(func(q *request, l object, _ []any) {
				if q.has("cursor") && l["nextCursor"] == nil {
					l["nextCursor"] = "again"
				}
			})},
		{"nextCursor never changes", "RFC 9865 §2", []string{"pagination/cursor-walk"}, "never ends",
			func() middleware {
				first := ""
				return func(q *request, next func(*request) *answer) *answer {
					a := next(q)
					l := a.json()
					c, _ := l["nextCursor"].(string)
					if c == "" {
						return a
					}
					q.p.mu.Lock()
					defer q.p.mu.Unlock()
					if first == "" {
						first = c
					}
					l["nextCursor"] = first
					a.set(l)
					return a
				}
			}},
		{"a made-up cursor gives the first page", "RFC 9865 §2.1", []string{"pagination/cursor-invalid"}, "status 400 invalidCursor",
			func() middleware {
				return func(q *request, next func(*request) *answer) *answer {
					if a := next(q); a.json()["scimType"] != "invalidCursor" {
						return a
					}
					q.setParam("cursor", "")
					return next(q)
				}
			}},
		{"a cursor is an offset and loses rows", "RFC 9865 §1; keyset paging", []string{"pagination/cursor-walk-under-change"}, "exactly once", offsetCursor},
		{"a cursor error has the wrong scimType", "RFC 9865 §2.1", []string{"pagination/cursor-invalid"}, "scimType invalidCursor",
			onAnswer(func(_ *request, a *answer) {
				if o := a.json(); o["scimType"] == "invalidCursor" {
					o["scimType"] = "invalidValue"
					a.set(o)
				}
			})},
		{"previousCursor is on the first page", "RFC 9865 §2", []string{"pagination/cursor-first-page"}, "no attribute previousCursor",
			onList(func(q *request, l object, _ []any) {
				if q.has("cursor") {
					l["previousCursor"] = "before"
				}
			})},
		{"a cursor has characters that a URL reserves", "RFC 9865 §2", []string{"pagination/cursor-first-page"}, "unreserved characters",
			onList(func(q *request, l object, _ []any) {
				if c, ok := l["nextCursor"].(string); ok {
					l["nextCursor"] = c + "=="
				}
			})},
	}
}

// offsetCursor makes cursors of offsets.
func offsetCursor() middleware {
	return func(q *request, next func(*request) *answer) *answer {
		if !q.has("cursor") || q.method != "GET" {
			return next(q)
		}
		from, _ := strconv.Atoi(strings.TrimPrefix(q.param("cursor"), "o"))
		count, _ := strconv.Atoi(q.param("count"))
		q.dropParam("cursor")
		q.setParam("startIndex", strconv.Itoa(from+1))
		a := next(q)
		l := a.json()
		if total, _ := l["totalResults"].(float64); a.ok() && from+count < int(total) {
			l["nextCursor"] = "o" + strconv.Itoa(from+count)
			a.body, _ = json.Marshal(l)
		}
		return a
	}
}
