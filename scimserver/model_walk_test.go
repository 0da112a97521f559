package scimserver_test

import (
	"cmp"
	"slices"
	"strconv"

	"pgregory.net/rapid"
)

// walk reads a list in pages, by index or by cursor (RFC 9865): everybody once, in order.
func (w *world) walk() {
	client, f := w.client(), refFilter{"", func(record) bool { return true }}
	if w.maybe("filtered") {
		f = w.userFilter(1)
	}
	want, count := w.matching(client, f), rapid.IntRange(1, 4).Draw(w.T, "count")
	pairs := []string{"count", strconv.Itoa(count)}
	if f.text != "" {
		pairs = append(pairs, "filter", f.text)
	}
	byCursor, cursor, got := w.maybe("cursor"), "", []string{}
	for page := 0; ; page++ {
		if page > len(want)+1 {
			w.Fatalf("the walk does not end")
		}
		var a trafficReply
		if byCursor {
			a = w.query(client, userPath, append(slices.Clone(pairs), "cursor", cursor)...)
		} else {
			a = w.query(client, userPath, append(slices.Clone(pairs), "startIndex", strconv.Itoa(page*count+1))...)
		}
		w.want(a, 200)
		list := w.resources(a)
		if len(list) > count {
			w.Fatalf("a page of %d with count=%d", len(list), count)
		}
		w.total(a, len(want))
		got = append(got, ids(list)...)
		if byCursor {
			if cursor = orEmpty(w.object(a)["nextCursor"]); cursor == "" {
				break
			}
		} else if (page+1)*count >= len(want) {
			break
		}
	}
	w.equal("the pages together", got, want)
}

// sorted asks for an order (RFC 7644 §3.4.2.3): missing values last when ascending, first when descending.
func (w *world) sorted() {
	client, path := w.client(), w.pick("sortBy", "userName", "title", "displayName", "name.familyName", "id")
	order := w.pick("sortOrder", "ascending", "descending")
	a := w.query(client, userPath, "sortBy", path, "sortOrder", order)
	w.want(a, 200)
	got := w.resources(a)
	w.total(a, len(w.m.users))
	seen := ids(got)
	slices.Sort(seen)
	w.equal("the users sorted", seen, sortedKeys(asAny(w.m.users)))
	key := func(r map[string]any) (string, bool) {
		values := w.m.userRecord(client, w.m.users[orEmpty(r["id"])]).values(path)
		if len(values) == 0 {
			return "", false
		}
		if caseExact(path) {
			return values[0], true
		}
		return refFold(values[0]), true
	}
	for i := 1; i < len(got); i++ {
		x, hasX := key(got[i-1])
		y, hasY := key(got[i])
		c := cmp.Compare(x, y)
		switch {
		case !hasX && hasY:
			c = 1
		case hasX && !hasY:
			c = -1
		}
		if order == "descending" {
			c = -c
		}
		if c > 0 {
			w.Fatalf("%q (there %v) stands before %q (there %v) in %s order of %s", x, hasX, y, hasY, order, path)
		}
	}
}

// searchEverywhere asks the root for resources of every type (RFC 7644 §3.4.3).
func (w *world) searchEverywhere() {
	client, f := w.client(), attributeFilter("displayName", w.pick("operator", "eq", "ne", "sw", "co", "pr"), w.pick("name", "Red", "Ada", "a", "G"))
	a := w.call(client, "POST", "/.search", map[string]any{"schemas": []any{searchSchema}, "filter": f.text, "count": 1000})
	w.want(a, 200)
	got := ids(w.resources(a))
	want := append(w.matching(client, f), w.matchingGroups(client, f)...)
	slices.Sort(got)
	slices.Sort(want)
	w.equal("resources that match "+f.text, got, want)
	w.total(a, len(want))
}
