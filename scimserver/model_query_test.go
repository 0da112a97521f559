package scimserver_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// refFilter is a filter: how it is written, and what it matches. What it matches is worked out from the intent.
type refFilter struct {
	text  string
	match func(r record) bool
}

// record is a user or a group as one client sees it: the values of an attribute by its path.
type record struct {
	id     string
	values func(path string) []string // strings; booleans as "true" and "false"
	pairs  func(path string) [][2]string
}

// userRecord is a user as the client sees it.
func (m *refModel) userRecord(client int, u *refUser) record {
	values := func(path string) []string {
		switch path {
		case "id":
			return []string{u.id}
		case externalIDKey:
			return someText(u.external[client])
		case "groups":
			return sortedKeys(asAny(m.groupsOf(u.id)))
		case "schemas":
			if normal(u.doc)[enterprise] != nil {
				return []string{userSchema, enterprise}
			}
			return []string{userSchema}
		case "emails", "phoneNumbers":
			return parts(u.doc[path], "value")
		}
		doc, name := u.doc, path
		if rest, ok := strings.CutPrefix(path, enterprise+":"); ok {
			doc, name = objectOf(u.doc[enterprise]), rest
		}
		name, sub, dotted := strings.Cut(name, ".")
		switch v := doc[name].(type) {
		case bool:
			return []string{strconv.FormatBool(v)}
		case string:
			return someText(v)
		case map[string]any:
			if !dotted {
				sub = "value"
			}
			return someText(orEmpty(v[sub]))
		case []any:
			return parts(v, sub)
		}
		return nil
	}
	pairs := func(path string) (out [][2]string) {
		list, _ := u.doc[path].([]any)
		for _, e := range list {
			out = append(out, [2]string{orEmpty(objectOf(e)["type"]), orEmpty(objectOf(e)["value"])})
		}
		return out
	}
	return record{u.id, values, pairs}
}

func (m *refModel) groupRecord(client int, g *refGroup) record {
	return record{g.id, func(path string) []string {
		switch path {
		case "id":
			return []string{g.id}
		case "displayName":
			return []string{g.name}
		case externalIDKey:
			return someText(g.external[client])
		case "members", "members.value":
			return sortedKeys(asAny(g.members))
		case "schemas":
			return []string{coreGroup}
		}
		return nil
	}, func(string) [][2]string { return nil }}
}

func objectOf(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

func someText(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func parts(v any, sub string) (out []string) {
	list, _ := v.([]any)
	for _, e := range list {
		out = append(out, someText(orEmpty(objectOf(e)[sub]))...)
	}
	return out
}

// caseExact says which attributes compare with their case (RFC 7643 §3.1, §4.1.2).
func caseExact(path string) bool {
	return slices.Contains([]string{"id", externalIDKey, "groups", "members", "members.value", "schemas"}, path) || strings.Contains(path, "manager")
}

// compare is one operator on one value (RFC 7644 §3.4.2.2).
func compare(op, have, with string) bool {
	switch op {
	case "eq":
		return have == with
	case "co":
		return strings.Contains(have, with)
	case "sw":
		return strings.HasPrefix(have, with)
	case "ew":
		return strings.HasSuffix(have, with)
	case "gt":
		return have > with
	case "ge":
		return have >= with
	case "lt":
		return have < with
	case "le":
		return have <= with
	}
	panic("no operator " + op)
}

// attributeFilter matches if any value does; ne is the opposite of eq, and pr asks for a value.
func attributeFilter(path, op, with string) refFilter {
	written := path
	literal, _ := json.Marshal(with)
	text := written + " " + op + " " + string(literal)
	if path == "active" {
		text = path + " " + op + " " + with
	}
	if op == "pr" {
		text = written + " pr"
	}
	return refFilter{text, func(r record) bool {
		values := r.values(path)
		if op == "pr" {
			return len(values) > 0
		}
		base, negate := op, false
		if op == "ne" {
			base, negate = "eq", true
		}
		any := slices.ContainsFunc(values, func(v string) bool {
			if caseExact(path) {
				return compare(base, v, with)
			}
			return compare(base, refFold(v), refFold(with))
		})
		return any != negate
	}}
}

// piece is a text, or a part of one: for co, sw and ew.
func (w *world) piece(s string) string {
	r := []rune(s)
	if len(r) < 2 || w.maybe("whole") {
		return s
	}
	from := rapid.IntRange(0, len(r)-1).Draw(w.T, "from")
	return string(r[from : from+rapid.IntRange(1, len(r)-from).Draw(w.T, "length")])
}

var textOperators = []string{"eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"}

// userFilter draws a filter on users, with and, or and not down to a depth.
func (w *world) userFilter(depth int) refFilter {
	if depth > 0 && w.maybe("combined") {
		return w.combined(depth, w.userFilter)
	}
	switch w.pick("filter", "userName", "text", "text", "name", "emails", "element", "external", "active", "id", "organisation", "manager", "groups", "schemas", "created") {
	case "userName":
		return attributeFilter("userName", w.pick("operator", textOperators...), w.piece(w.userName()))
	case "text":
		return attributeFilter(w.pick("attribute", simpleKeys...), w.pick("operator", textOperators...), w.piece(w.word()))
	case "name":
		return attributeFilter("name."+w.pick("part", nameKeys...), w.pick("operator", textOperators...), w.piece(w.word()))
	case "emails":
		path := w.pick("attribute", "emails", "emails.value", "phoneNumbers.value", "emails.type")
		return attributeFilter(path, w.pick("operator", textOperators...), w.piece(w.someAddress()))
	case "element":
		return w.elementFilter()
	case "created":
		return w.createdFilter()
	case "external":
		return attributeFilter(externalIDKey, w.pick("operator", "eq", "ne", "sw", "pr"), w.pick("externalId", "x1", "X1", "x2", "é"))
	case "active":
		return attributeFilter("active", w.pick("operator", "eq", "ne"), w.pick("state", "true", "false"))
	case "id":
		return attributeFilter("id", w.pick("operator", "eq", "ne", "gt"), w.anyone())
	case "organisation":
		return attributeFilter(enterprise+":"+w.pick("part", orgKeys...), w.pick("operator", textOperators...), w.piece(w.word()))
	case "manager":
		return attributeFilter(enterprise+":"+w.pick("path", "manager", "manager.value"), w.pick("operator", "eq", "ne", "pr"), w.anyone())
	case "groups":
		id := "nobody"
		if g := w.someGroup(); g != nil {
			id = g.id
		}
		f := attributeFilter("groups", w.pick("operator", "eq", "ne", "pr"), id)
		if w.maybe("dotted") {
			f.text = strings.Replace(f.text, "groups", "groups.value", 1)
		}
		return f
	}
	return attributeFilter("schemas", "eq", w.pick("schema", userSchema, enterprise))
}

// someAddress is a value that elements have.
func (w *world) someAddress() string {
	if u := w.someUser(); u != nil {
		if all := append(parts(u.doc["emails"], "value"), parts(u.doc["phoneNumbers"], "value")...); len(all) > 0 {
			return rapid.SampledFrom(all).Draw(w.T, "address")
		}
	}
	return w.pick("address", "0a@x.example", "work", "home")
}

// elementFilter asks one element for two things at once.
func (w *world) elementFilter() refFilter {
	attr, kind, op, with := w.pick("list", "emails", "phoneNumbers"), w.pick("type", mailTypes...), w.pick("operator", "eq", "co", "sw", "ew", "ne", "pr"), w.piece(w.someAddress())
	literal, _ := json.Marshal(with)
	if op == "pr" {
		literal = nil
	}
	isKind := func(p [2]string) bool { return p[0] == kind }
	has := func(p [2]string) bool {
		switch op {
		case "ne":
			return refFold(p[1]) != refFold(with)
		case "pr":
			return p[1] != ""
		}
		return p[1] != "" && compare(op, refFold(p[1]), refFold(with))
	}
	text, match := fmt.Sprintf("%s[type eq %q and value %s %s]", attr, kind, op, literal), func(p [2]string) bool { return isKind(p) && has(p) }
	switch w.pick("form", "both", "reversed", "dotted", "or", "not") {
	case "reversed":
		text = fmt.Sprintf("%s[value %s %s and type eq %q]", attr, op, literal, strings.ToUpper(kind))
	case "dotted":
		if op != "ne" { // is it the element or the value that is negated?
			text = fmt.Sprintf("%s[type eq %q].value %s %s", attr, kind, op, literal)
		}
	case "or":
		text = fmt.Sprintf("%s[type eq %q or value %s %s]", attr, kind, op, literal)
		match = func(p [2]string) bool { return isKind(p) || has(p) }
	case "not":
		text = fmt.Sprintf("%s[not (type eq %q) and value %s %s]", attr, kind, op, literal)
		match = func(p [2]string) bool { return !isKind(p) && has(p) }
	}
	return refFilter{text, func(r record) bool { return slices.ContainsFunc(r.pairs(attr), match) }}
}

// createdFilter compares the time at which users were made, in different time zones.
func (w *world) createdFilter() refFilter {
	u := w.someUser()
	if u == nil {
		return attributeFilter("userName", "pr", "")
	}
	with := u.created
	if w.maybe("shifted") {
		with = with.Add(time.Duration(rapid.IntRange(-1500, 1500).Draw(w.T, "microseconds")) * time.Microsecond)
	}
	op := w.pick("operator", "eq", "ne", "gt", "ge", "lt", "le")
	zone := time.FixedZone("", 3600*rapid.IntRange(-5, 5).Draw(w.T, "zone"))
	text := fmt.Sprintf("meta.created %s %q", op, with.In(zone).Format(time.RFC3339Nano))
	return refFilter{text, func(r record) bool {
		switch c := w.m.users[r.id].created.Compare(with); op {
		case "eq":
			return c == 0
		case "ne":
			return c != 0
		case "gt":
			return c > 0
		case "ge":
			return c >= 0
		case "lt":
			return c < 0
		default:
			return c <= 0
		}
	}}
}

// combined joins filters; brackets are written where precedence needs them, and sometimes where it does not.
func (w *world) combined(depth int, next func(int) refFilter) refFilter {
	a := next(depth - 1)
	if w.rarely(3, "negated") {
		return refFilter{"not (" + a.text + ")", func(r record) bool { return !a.match(r) }}
	}
	b := next(depth - 1)
	left, right := "("+a.text+")", "("+b.text+")"
	if !strings.Contains(a.text, " or ") && w.maybe("bare left") {
		left = a.text
	}
	if !strings.Contains(b.text, " or ") && w.maybe("bare right") {
		right = b.text
	}
	if w.maybe("and") {
		return refFilter{left + w.pick("word", " and ", " AND ") + right, func(r record) bool { return a.match(r) && b.match(r) }}
	}
	return refFilter{left + " or " + right, func(r record) bool { return a.match(r) || b.match(r) }}
}

func (w *world) groupFilter(depth int) refFilter {
	if depth > 0 && w.maybe("combined") {
		return w.combined(depth, w.groupFilter)
	}
	switch w.pick("filter", "displayName", "displayName", "external", "members", "id") {
	case "external":
		return attributeFilter(externalIDKey, w.pick("operator", "eq", "ne", "pr"), w.pick("externalId", "x1", "X1", "x2"))
	case "members":
		id := "nobody"
		if list := w.some(1); len(list) > 0 {
			id = list[0]
		}
		return attributeFilter(w.pick("path", "members", "members.value"), w.pick("operator", "eq", "ne", "pr"), id)
	case "id":
		return attributeFilter("id", "eq", w.ghost())
	}
	return attributeFilter("displayName", w.pick("operator", textOperators...), w.piece(w.groupName()))
}

// matching is the ids of the users that a filter matches, in the order in which they were made.
func (w *world) matching(client int, f refFilter) []string {
	out := []string{}
	for _, id := range sortedKeys(asAny(w.m.users)) {
		if f.match(w.m.userRecord(client, w.m.users[id])) {
			out = append(out, id)
		}
	}
	return out
}

func (w *world) matchingGroups(client int, f refFilter) []string {
	out := []string{}
	for _, id := range sortedKeys(asAny(w.m.groups)) {
		if f.match(w.m.groupRecord(client, w.m.groups[id])) {
			out = append(out, id)
		}
	}
	return out
}

// query asks for a list by GET or by POST .search, which mean the same (RFC 7644 §3.4.3).
func (w *world) query(client int, path string, pairs ...string) trafficReply {
	if w.rarely(3, "search") {
		body := map[string]any{"schemas": []any{searchSchema}}
		for i := 0; i+1 < len(pairs); i += 2 {
			body[pairs[i]] = pairs[i+1]
			if n, err := strconv.Atoi(pairs[i+1]); err == nil && pairs[i] != "cursor" {
				body[pairs[i]] = n
			}
			if pairs[i] == "attributes" || pairs[i] == "excludedAttributes" {
				body[pairs[i]] = strings.Split(pairs[i+1], ",")
			}
		}
		return w.call(client, "POST", path+"/.search", body)
	}
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return w.call(client, "GET", path+"?"+values.Encode(), nil)
}

func (w *world) total(a trafficReply, n int) {
	w.equal("totalResults", w.object(a)["totalResults"], json.Number(strconv.Itoa(n)))
}

func (w *world) listUsers() {
	client, f := w.client(), w.userFilter(2)
	a := w.query(client, userPath, "filter", f.text)
	w.want(a, 200)
	got, want := w.resources(a), w.matching(client, f)
	w.equal("users that match "+f.text, ids(got), want)
	w.total(a, len(want))
	for _, r := range got {
		w.sameUser(client, w.m.users[orEmpty(r["id"])], r)
	}
}

func (w *world) listGroups() {
	client, f := w.client(), w.groupFilter(1)
	pairs, members := []string{"filter", f.text}, w.maybe("members")
	if !members {
		pairs = append(pairs, "excludedAttributes", "members")
	}
	a := w.query(client, groupPath, pairs...)
	w.want(a, 200)
	got, want := w.resources(a), w.matchingGroups(client, f)
	w.equal("groups that match "+f.text, ids(got), want)
	w.total(a, len(want))
	for _, r := range got {
		w.sameGroup(client, w.m.groups[orEmpty(r["id"])], r, members)
	}
}
