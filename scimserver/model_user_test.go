package scimserver_test

import (
	"fmt"
	"net/http"
	"strings"

	"pgregory.net/rapid"
)

// The values that attributes get: few, so that filters and uniqueness meet them, and awkward ones among them.
var (
	userNames  = []string{"ann", "bob", "cyd", "dan", "Éva", "fox_1", "g%o", "hal@x.example"}
	words      = []string{"Ada", "ada", "ADAM", "O'Neil", `a "b" c`, "per%cent", "under_score", `back\slash`, "x,y;z", "日本 語", "Ärger", "ärger", "😀"}
	simpleKeys = []string{"displayName", "title", "nickName", "userType"}
	nameKeys   = []string{"givenName", "familyName", "formatted"}
	orgKeys    = []string{"department", "employeeNumber", "division"}
	mailTypes  = []string{"work", "home", "other"}
)

func (w *world) word() string { return rapid.SampledFrom(words).Draw(w.T, "word") }

// userName draws a name, in any case.
func (w *world) userName() string {
	name := rapid.SampledFrom(userNames).Draw(w.T, "userName")
	if w.rarely(3, "capitals") {
		return strings.ToUpper(name)
	}
	return name
}

// fresh is a text that the sequence has not had.
func (w *world) fresh(hint string) string {
	w.serial++
	return fmt.Sprintf("%s%d", hint, w.serial)
}

// elements draws the elements of emails or phoneNumbers: values that differ, at most one of them primary.
func (w *world) elements(attr string, least int) []any {
	out := []any{}
	primary := attr == "emails" && !w.rarely(3, "no primary")
	for i := range rapid.IntRange(least, 3).Draw(w.T, attr) {
		e := map[string]any{"value": w.pick("address", "a@x.example", "B@x.example", w.fresh("m")+"@y.example"), "type": w.pick("type", mailTypes...)}
		e["value"] = fmt.Sprintf("%d%s", i, e["value"])
		if primary {
			e["primary"], primary = true, false
		}
		out = append(out, e)
	}
	return out
}

// attributes draws a user as POST and PUT send it: what goes over the wire, and what it means.
func (w *world) attributes(name string) (wire, doc map[string]any) {
	doc = map[string]any{"userName": name, "active": true}
	wire = map[string]any{"schemas": []any{userSchema}, "userName": name}
	for _, k := range simpleKeys {
		if w.maybe(k) {
			doc[k] = w.word()
			wire[k] = doc[k]
		} else if w.rarely(6, "null") {
			wire[k] = rapid.SampledFrom([]any{nil, ""}).Draw(w.T, "nothing")
		}
	}
	if w.maybe("name") {
		sub := map[string]any{}
		for _, k := range nameKeys {
			if w.maybe(k) {
				sub[k] = w.word()
			}
		}
		if len(sub) > 0 {
			doc["name"], wire["name"] = sub, copyOf(sub)
		}
	}
	for _, k := range []string{"emails", "phoneNumbers"} {
		if w.maybe(k) {
			list := w.elements(k, 0)
			doc[k], wire[k] = list, copyOf(list)
		}
	}
	if w.maybe("enterprise") {
		w.organisation(doc, wire)
	}
	w.oddities(wire)
	return wire, doc
}

// organisation draws the enterprise extension; its URN is not always in schemas.
func (w *world) organisation(doc, wire map[string]any) {
	sub, sent := map[string]any{}, map[string]any{}
	for _, k := range orgKeys {
		if w.maybe(k) {
			sub[k], sent[k] = w.word(), nil
			sent[k] = sub[k]
		}
	}
	if w.maybe("manager") {
		id := w.anyone()
		sub["manager"] = map[string]any{"value": id}
		sent["manager"] = rapid.SampledFrom([]any{id, map[string]any{"value": id}, []any{map[string]any{"value": id, "$ref": nil}}}).Draw(w.T, "manager form")
	}
	if len(sub) > 0 {
		doc[enterprise], wire[enterprise] = sub, sent
	}
	if w.maybe("announced") {
		wire["schemas"] = []any{userSchema, enterprise}
	}
}

// oddities adds what clients send and nobody keeps.
func (w *world) oddities(wire map[string]any) {
	switch w.pick("oddity", "none", "none", "password", "read-only", "unknown", "schema", "empty") {
	case "password":
		wire["password"] = "secret-" + w.fresh("p")
	case "read-only":
		wire["id"], wire["meta"], wire["groups"] = "mine", map[string]any{"resourceType": "User", "version": "x"}, []any{map[string]any{"value": "none"}}
	case "unknown":
		wire["favouriteColour"] = map[string]any{"name": "blue"}
	case "schema":
		wire["schemas"] = append(wire["schemas"].([]any), "http://schemas.example/unknown")
	case "empty":
		wire["roles"], wire["entitlements"], wire["photos"] = []any{}, nil, []any{}
	}
}

// anyone is the id of some user, or one that nobody has: references to users are not checked.
func (w *world) anyone() string {
	if all := sortedKeys(asAny(w.m.users)); len(all) > 0 && w.maybe("known") {
		return rapid.SampledFrom(all).Draw(w.T, "user")
	}
	return "nobody"
}

// someUser draws a user that is there, nil if there is none.
func (w *world) someUser() *refUser {
	all := sortedKeys(asAny(w.m.users))
	if len(all) == 0 {
		return nil
	}
	return w.m.users[rapid.SampledFrom(all).Draw(w.T, "user")]
}

// setActive draws a state in one of the spellings and puts it into a body; "" leaves it out.
func (w *world) setActive(wire, doc map[string]any) {
	switch w.pick("active", "", "true", "false", "True", "False") {
	case "true":
		wire["active"], doc["active"] = true, true
	case "false":
		wire["active"], doc["active"] = false, false
	case "True":
		wire["active"], doc["active"] = "True", true
	case "False":
		wire["active"], doc["active"] = "False", false
	}
}

func (w *world) setExternal(wire map[string]any) string {
	if !w.maybe("external") {
		return ""
	}
	ext := w.pick("externalId", "x1", "X1", "x2", "é")
	wire[externalIDKey] = ext
	return ext
}

func (w *world) createUser() {
	client := w.client()
	name := w.userName()
	wire, doc := w.attributes(name)
	w.setActive(wire, doc)
	ext := w.setExternal(wire)
	a := w.call(client, "POST", userPath, wire)
	if u := w.m.inactive(name); u != nil && w.m.rehire {
		w.reactivated(client, u, put(u.doc, doc, wire, w.keeps[client]), ext, a)
		return
	}
	if w.m.takenUser(name, "") {
		w.conflict(a)
		return
	}
	w.want(a, http.StatusCreated)
	got := w.object(a)
	u := &refUser{id: orEmpty(got["id"]), doc: doc}
	if u.id == "" || w.m.exists(u.id) || holds(w.m.gone, u.id) {
		w.Fatalf("the id %q is not a new one", u.id)
	}
	u.external[client] = ext
	w.m.users[u.id] = u
	w.sameUser(client, u, got)
	w.equal("Location", a.header.Get("Location"), w.base+userPath+"/"+u.id)
	w.equal("ETag", a.header.Get("ETag"), u.version)
	w.checkUser(1-client, u.id)
}

// reactivated judges a create that brought an inactive user back: the id and the memberships are the old ones.
func (w *world) reactivated(client int, u *refUser, doc map[string]any, ext string, a trafficReply) {
	w.want(a, http.StatusOK, http.StatusCreated)
	doc["active"] = true
	if ext == "" && w.keeps[client] {
		ext = u.external[client]
	}
	w.changedUser(client, u, doc, ext, w.object(a))
}

func holds(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// conflict requires the answer to a value that is taken.
func (w *world) conflict(a trafficReply) {
	w.want(a, http.StatusConflict)
	w.equal("scimType", w.object(a)["scimType"], "uniqueness")
}

// putUser replaces a user (RFC 7644 §3.5.1): what is left out is cleared, but for active.
func (w *world) putUser() {
	u := w.someUser()
	if u == nil {
		return
	}
	client := w.client()
	name := u.name()
	if w.rarely(3, "rename") {
		name = w.userName()
	}
	wire, doc := w.attributes(name)
	doc["active"] = u.doc["active"]
	w.setActive(wire, doc)
	ext := w.setExternal(wire)
	if doc = put(u.doc, doc, wire, w.keeps[client]); ext == "" && w.keeps[client] {
		ext = u.external[client]
	}
	header, stale := w.precondition(u.version)
	a := w.call(client, "PUT", userPath+"/"+u.id, wire, header...)
	switch {
	case stale:
		w.want(a, http.StatusPreconditionFailed)
	case w.m.takenUser(name, u.id):
		w.conflict(a)
	default:
		w.want(a, http.StatusOK)
		w.changedUser(client, u, doc, ext, w.object(a))
		return
	}
	w.checkUser(client, u.id)
}

// changedUser takes over a change that was answered with the resource, and looks whether the version says so.
func (w *world) changedUser(client int, u *refUser, doc map[string]any, ext string, got map[string]any) {
	before, changed := u.version, showJSON(normal(u.doc)) != showJSON(normal(doc)) || u.external[client] != ext
	quiet := showJSON(u.doc) == showJSON(doc) && u.external[client] == ext
	u.doc, u.external[client] = doc, ext
	w.sameUser(client, u, got)
	w.version("user "+u.id, before, u.version, changed, quiet)
	w.checkUser(1-client, u.id)
}

// version requires a new version after a change, and the old one when everything was so already.
func (w *world) version(what, before, after string, changed, quiet bool) {
	if changed && before == after {
		w.Fatalf("%s changed and kept version %s", what, before)
	}
	if quiet && before != after {
		w.Fatalf("%s did not change and went from version %s to %s", what, before, after)
	}
}

// remove deletes a user or a group (RFC 7644 §3.6), or one that is gone already.
func (w *world) remove() {
	client := w.client()
	path, id, version := userPath, "", ""
	if u := w.someUser(); u != nil && w.maybe("a user") {
		id, version = u.id, u.version
	} else if g := w.someGroup(); g != nil {
		path, id, version = groupPath, g.id, g.version
	} else if len(w.m.gone) > 0 {
		w.want(w.call(client, "DELETE", path+"/"+rapid.SampledFrom(w.m.gone).Draw(w.T, "gone"), nil), 404)
		return
	} else {
		return
	}
	header, stale := w.precondition(version)
	a := w.call(client, "DELETE", path+"/"+id, nil, header...)
	if stale {
		w.want(a, http.StatusPreconditionFailed)
	} else {
		w.want(a, http.StatusNoContent)
		before := map[string]string{}
		for _, g := range w.m.groups {
			if g.members[id] {
				before[g.id] = g.version
			}
		}
		if path == userPath {
			w.m.deleteUser(id)
		} else {
			w.m.deleteGroup(id)
		}
		for _, gid := range sortedKeys(asAny(before)) {
			if g := w.m.groups[gid]; g != nil {
				w.checkGroup(client, gid)
				w.version("group "+gid, before[gid], g.version, true, false)
			}
		}
	}
	if path == userPath {
		w.checkUser(client, id)
	} else {
		w.checkGroup(client, id)
	}
}

// read reads a user with projections and conditions.
func (w *world) read() {
	u := w.someUser()
	if u == nil {
		return
	}
	client := w.client()
	switch w.pick("how", "plain", "attributes", "excluded", "none-match", "other type") {
	case "plain":
		w.checkUser(client, u.id)
	case "attributes":
		key := w.pick("attribute", "userName", "emails", "name.givenName", "title", "active", enterprise+":department", "meta.version")
		a := w.call(client, "GET", userPath+"/"+u.id+"?attributes="+key, nil)
		w.want(a, 200)
		got := w.object(a)
		w.equal("id", got["id"], u.id)
		w.equal("the attributes", normal(without(got, "schemas", "id")), normal(w.projected(client, u, key)))
	case "excluded":
		a := w.call(client, "GET", userPath+"/"+u.id+"?excludedAttributes=emails,groups", nil)
		w.want(a, 200)
		if hasKey(a.doc, "emails") || hasKey(a.doc, "groups") {
			w.Fatalf("excluded attributes are shown")
		}
		w.equal("the other attributes", shownAttributes(w.object(a)), normal(without(u.doc, "emails")))
	case "none-match":
		w.checkUser(client, u.id)
		w.want(w.call(client, "GET", userPath+"/"+u.id, nil, "If-None-Match", u.version), http.StatusNotModified)
	case "other type":
		w.want(w.call(client, "GET", groupPath+"/"+u.id, nil), 404)
	}
}

// projected is what attributes=key shows of a user.
func (w *world) projected(_ int, u *refUser, key string) map[string]any {
	switch key {
	case "name.givenName":
		sub, _ := u.doc["name"].(map[string]any)
		return map[string]any{"name": map[string]any{"givenName": sub["givenName"]}}
	case enterprise + ":department":
		sub, _ := u.doc[enterprise].(map[string]any)
		return map[string]any{enterprise: map[string]any{"department": sub["department"]}}
	case "meta.version":
		return map[string]any{"meta": map[string]any{"version": u.version}}
	}
	return map[string]any{key: u.doc[key]}
}

func without(o map[string]any, keys ...string) map[string]any {
	out := map[string]any{}
	for k, v := range o {
		if !holds(keys, k) {
			out[k] = v
		}
	}
	return out
}
