package scimserver_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// refEdit is one operation of a PATCH: how it is written, and what it means for the attributes of a user. What it
// means is worked out from the intent, never from what is written.
type refEdit struct {
	wire map[string]any
	do   func(doc map[string]any)
}

func (w *world) verb(op string) string {
	return w.pick("case", op, strings.ToUpper(op[:1])+op[1:], strings.ToUpper(op))
}

// assign is add or replace: for a single value they are the same (RFC 7644 §3.5.2.1, §3.5.2.3).
func (w *world) assign() string { return w.verb(w.pick("op", "add", "replace")) }

// operation writes an operation on path with value, in one of the ways in which clients write it.
func (w *world) operation(verb, urn, path string, value any) map[string]any {
	form := w.pick("form", "path", "path", "full path", "bare", "bare full")
	if urn == enterprise {
		switch form {
		case "path", "full path":
			return map[string]any{"op": verb, "path": urn + ":" + path, "value": value}
		case "bare":
			if name, sub, dotted := strings.Cut(path, "."); !dotted {
				return map[string]any{"op": verb, "value": map[string]any{urn: map[string]any{path: value}}}
			} else {
				return map[string]any{"op": verb, "value": map[string]any{urn: map[string]any{name: map[string]any{sub: value}}}}
			}
		}
		return map[string]any{"op": verb, "value": map[string]any{urn + ":" + path: value}}
	}
	switch form {
	case "full path":
		return map[string]any{"op": verb, "path": urn + ":" + path, "value": value}
	case "bare":
		if name, sub, dotted := strings.Cut(path, "."); dotted && w.maybe("nested") {
			return map[string]any{"op": verb, "value": map[string]any{name: map[string]any{sub: value}}}
		}
		return map[string]any{"op": verb, "value": map[string]any{path: value}}
	case "bare full":
		return map[string]any{"op": verb, "value": map[string]any{path: value, "id": "ignored"}}
	}
	if w.rarely(4, "any case") {
		path = strings.ToUpper(path)
	}
	return map[string]any{"op": verb, "path": path, "value": value}
}

// objectAt is the object under key of doc, made if it is not there.
func objectAt(doc map[string]any, key string) map[string]any {
	o, ok := doc[key].(map[string]any)
	if !ok {
		o = map[string]any{}
		doc[key] = o
	}
	return o
}

func (w *world) edit(u *refUser) refEdit {
	switch w.pick("edit", "simple", "active", "userName", "external", "name", "name whole", "organisation", "manager", "no manager",
		"unset", "unset", "list", "list", "list", "list", "list", "list", "password") {
	case "simple":
		key, v := w.pick("attribute", simpleKeys...), w.word()
		return refEdit{w.operation(w.assign(), userSchema, key, v), func(doc map[string]any) { doc[key] = v }}
	case "active":
		wire, doc := map[string]any{}, map[string]any{}
		w.setActive(wire, doc)
		if len(wire) == 0 {
			wire["active"], doc["active"] = false, false
		}
		return refEdit{w.operation(w.assign(), userSchema, "active", wire["active"]), func(d map[string]any) { d["active"] = doc["active"] }}
	case "userName":
		v := w.userName()
		return refEdit{w.operation(w.assign(), userSchema, "userName", v), func(doc map[string]any) { doc["userName"] = v }}
	case "external":
		v := w.pick("externalId", "x1", "X1", "x2", "é")
		return refEdit{map[string]any{"op": w.assign(), "path": externalIDKey, "value": v}, func(doc map[string]any) { doc[externalIDKey] = v }}
	case "name":
		key, v := w.pick("part", nameKeys...), w.word()
		return refEdit{w.operation(w.assign(), userSchema, "name."+key, v), func(doc map[string]any) { objectAt(doc, "name")[key] = v }}
	case "name whole": // §3.5.2.3: sub-attributes that are not named stay
		key, v := w.pick("part", nameKeys...), w.word()
		return refEdit{w.operation(w.assign(), userSchema, "name", map[string]any{key: v}), func(doc map[string]any) { objectAt(doc, "name")[key] = v }}
	case "organisation":
		key, v := w.pick("part", orgKeys...), w.word()
		return refEdit{w.operation(w.assign(), enterprise, key, v), func(doc map[string]any) { objectAt(doc, enterprise)[key] = v }}
	case "manager":
		id := w.anyone()
		v := rapid.SampledFrom([]any{id, map[string]any{"value": id}, []any{map[string]any{"$ref": nil, "value": id}}}).Draw(w.T, "manager form")
		return refEdit{w.operation(w.assign(), enterprise, "manager", v), func(doc map[string]any) {
			objectAt(doc, enterprise)["manager"] = map[string]any{"value": id}
		}}
	case "no manager":
		wire := map[string]any{"op": w.verb("replace"), "path": enterprise + ":manager", "value": rapid.SampledFrom([]any{"", map[string]any{"value": ""}}).Draw(w.T, "nothing")}
		if w.maybe("remove") {
			wire = map[string]any{"op": w.verb("remove"), "path": enterprise + ":manager"}
		}
		return refEdit{wire, func(doc map[string]any) { delete(objectAt(doc, enterprise), "manager") }}
	case "unset":
		return w.unset()
	case "password":
		return refEdit{w.operation(w.assign(), userSchema, "password", w.fresh("secret")), func(map[string]any) {}}
	}
	if w.maybe("one element") {
		return w.editElement(u)
	}
	return w.editList()
}

// unset removes one attribute or one part of one (§3.5.2.2).
func (w *world) unset() refEdit {
	path := w.pick("path", "displayName", "title", "name", "name.givenName", "name.familyName", "emails", "phoneNumbers", externalIDKey, enterprise+":department", enterprise)
	return refEdit{map[string]any{"op": w.verb("remove"), "path": path}, func(doc map[string]any) {
		switch part, named := strings.CutPrefix(path, "name."); {
		case named:
			delete(objectAt(doc, "name"), part)
		case path == enterprise+":department":
			delete(objectAt(doc, enterprise), "department")
		default:
			delete(doc, path)
		}
	}}
}

// editList changes emails or phoneNumbers.
func (w *world) editList() refEdit {
	attr := w.pick("list", "emails", "emails", "phoneNumbers")
	kind := w.pick("type", mailTypes...)
	where := fmt.Sprintf("%s[type eq %q]", attr, kind)
	switch w.pick("how", "append", "append", "replace", "part", "primary", "drop", "empty") {
	case "append":
		added := []any{}
		for _, e := range w.elements(attr, 1) {
			e.(map[string]any)["value"] = w.fresh("n") + "@z.example"
			added = append(added, e)
		}
		value := copyOf(added)
		if len(added) == 1 && w.maybe("single") {
			value = copyOf(added[0])
		}
		return refEdit{w.operation(w.verb("add"), userSchema, attr, value), func(doc map[string]any) { appendAll(doc, attr, added) }}
	case "replace":
		list := w.elements(attr, 1)
		return refEdit{w.operation(w.verb("replace"), userSchema, attr, copyOf(list)), func(doc map[string]any) { doc[attr] = copyOf(list) }}
	case "part": // design.md: the element is made if there is none
		v := w.fresh("v") + "@w.example"
		return refEdit{map[string]any{"op": w.assign(), "path": where + ".value", "value": v}, func(doc map[string]any) {
			list, _ := doc[attr].([]any)
			found := false
			for _, e := range list {
				if o := e.(map[string]any); o["type"] == kind {
					o["value"], found = v, true
				}
			}
			if !found {
				doc[attr] = append(list, map[string]any{"type": kind, "value": v})
			}
		}}
	case "primary": // the new one takes the mark from the others; of several with the type no one may win
		v := w.fresh("v") + "@w.example"
		wire := map[string]any{"op": w.verb("add"), "path": attr, "value": []any{map[string]any{"type": kind, "value": v, "primary": true}}}
		return refEdit{wire, func(doc map[string]any) {
			appendAll(doc, attr, []any{map[string]any{"type": kind, "value": v, "primary": true}})
		}}
	case "drop":
		return refEdit{map[string]any{"op": w.verb("remove"), "path": where}, func(doc map[string]any) {
			var left []any
			list, _ := doc[attr].([]any)
			for _, e := range list {
				if e.(map[string]any)["type"] != kind {
					left = append(left, e)
				}
			}
			doc[attr] = left
		}}
	}
	return refEdit{map[string]any{"op": w.verb("replace"), "path": attr, "value": []any{}}, func(doc map[string]any) { delete(doc, attr) }}
}

// editElement changes the element of emails or phoneNumbers that has a value which the user has, or had.
func (w *world) editElement(u *refUser) refEdit {
	attr := w.pick("list", "emails", "emails", "phoneNumbers")
	value := "nobody@x.example"
	if all := parts(u.doc[attr], "value"); len(all) > 0 {
		value = rapid.SampledFrom(all).Draw(w.T, "value")
	}
	is := func(e any) bool { return refFold(orEmpty(objectOf(e)["value"])) == refFold(value) }
	there := slices.ContainsFunc(listOf(u.doc[attr]), is)
	where := fmt.Sprintf("%s[value eq %q]", attr, value)
	drop := func(doc map[string]any) { doc[attr] = slices.DeleteFunc(slices.Clone(listOf(doc[attr])), is) }
	how := w.pick("how", "drop", "drop by value", "primary", "display")
	if !there && (how == "primary" || how == "display") {
		how = "drop" // what a part of no element becomes is tried with type
	}
	switch how {
	case "drop":
		return refEdit{map[string]any{"op": w.verb("remove"), "path": where}, drop}
	case "drop by value": // as Entra removes members, from any list
		return refEdit{map[string]any{"op": w.verb("remove"), "path": attr, "value": []any{map[string]any{"value": value}}}, drop}
	case "primary":
		return refEdit{map[string]any{"op": w.assign(), "path": where + ".primary", "value": w.trueValue()}, func(doc map[string]any) {
			if slices.ContainsFunc(listOf(doc[attr]), is) {
				for _, e := range listOf(doc[attr]) {
					delete(objectOf(e), "primary")
				}
				for _, e := range listOf(doc[attr]) {
					if is(e) {
						objectOf(e)["primary"] = true
					}
				}
			} else {
				doc[attr] = append(listOf(doc[attr]), map[string]any{"value": value, "primary": true})
				for _, e := range listOf(doc[attr]) {
					if !is(e) {
						delete(objectOf(e), "primary")
					}
				}
			}
		}}
	}
	v := w.word()
	return refEdit{map[string]any{"op": w.assign(), "path": where + ".display", "value": v}, func(doc map[string]any) {
		found := false
		for _, e := range listOf(doc[attr]) {
			if is(e) {
				objectOf(e)["display"], found = v, true
			}
		}
		if !found {
			doc[attr] = append(listOf(doc[attr]), map[string]any{"value": value, "display": v})
		}
	}}
}

func (w *world) trueValue() any {
	return rapid.SampledFrom([]any{true, "True", "true"}).Draw(w.T, "true")
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}

// appendAll adds elements; a new primary one takes the mark from the others (RFC 7644 §3.5.2).
func appendAll(doc map[string]any, attr string, added []any) {
	list, _ := doc[attr].([]any)
	for _, e := range added {
		o := copyObject(e.(map[string]any))
		if o["primary"] == true {
			for _, other := range list {
				delete(other.(map[string]any), "primary")
			}
		}
		list = append(list, o)
	}
	doc[attr] = list
}

func (w *world) edits(u *refUser, most int) (list []refEdit, wire []any) {
	for range rapid.IntRange(1, most).Draw(w.T, "operations") {
		e := w.edit(u)
		list, wire = append(list, e), append(wire, e.wire)
	}
	return list, wire
}

// edited is what a user's attributes are after the edits; externalId stands among them for the client.
func edited(u *refUser, client int, list []refEdit) (doc map[string]any, ext string) {
	doc = copyObject(u.doc)
	doc[externalIDKey] = u.external[client]
	for _, e := range list {
		e.do(doc)
	}
	ext = orEmpty(doc[externalIDKey])
	delete(doc, externalIDKey)
	return doc, ext
}

func patchBody(ops []any) map[string]any {
	return map[string]any{"schemas": []any{patchSchema}, "Operations": ops}
}

func (w *world) patchUser() {
	u := w.someUser()
	if u == nil {
		return
	}
	client := w.client()
	list, wire := w.edits(u, 4)
	doc, ext := edited(u, client, list)
	header, stale := w.precondition(u.version)
	a := w.call(client, "PATCH", userPath+"/"+u.id, patchBody(wire), header...)
	switch {
	case stale:
		w.want(a, http.StatusPreconditionFailed)
	case w.m.takenUser(orEmpty(doc["userName"]), u.id):
		w.conflict(a)
	default:
		w.want(a, http.StatusOK)
		w.changedUser(client, u, doc, ext, w.object(a))
		return
	}
	w.checkUser(client, u.id)
}

// badPatch sends operations of which the last must be refused: nothing of the others may stay.
func (w *world) badPatch() {
	client := w.client()
	if g := w.someGroup(); g != nil && w.maybe("a group") {
		w.badGroupPatch(client, g)
		return
	}
	u := w.someUser()
	if u == nil {
		return
	}
	_, wire := w.edits(u, 2)
	bad := rapid.SampledFrom([]map[string]any{
		{"op": "replace", "path": "active", "value": "perhaps"},
		{"op": "frobnicate", "path": "title", "value": "x"},
		{"op": "remove"},
		{"op": "remove", "path": "userName"},
		{"op": "replace", "path": "userName", "value": ""},
		{"op": "replace", "path": `emails[type eq`, "value": "x"},
		{"op": "add", "path": "noSuchAttribute", "value": "x"},
		{"op": "add", "path": "name.noSuchPart", "value": "x"},
		{"op": "replace", "path": "id", "value": "x"},
		{"op": "replace", "path": "meta.created", "value": "2020-01-01T00:00:00Z"},
		{"op": "replace", "path": "title", "value": map[string]any{"a": 1}},
		{"op": "add", "path": "emails", "value": []any{map[string]any{"value": map[string]any{"x": 1}}}},
		{"op": "add", "path": "groups", "value": []any{map[string]any{"value": "x"}}},
		{"path": "title", "value": "x"},
		{"op": "add", "path": "urn:example:nothing:User:x", "value": "x"},
		{"op": "add", "value": "x"},
	}).Draw(w.T, "bad")
	a := w.call(client, "PATCH", userPath+"/"+u.id, patchBody(append(wire, bad)))
	w.want(a, http.StatusBadRequest)
	before := u.version
	w.checkUser(client, u.id)
	w.equal("the version after a refusal", u.version, before)
}
