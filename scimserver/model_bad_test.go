package scimserver_test

import (
	"net/http"
	"net/url"

	"pgregory.net/rapid"
)

// badRequest sends what must be refused with a 4xx and may change nothing.
func (w *world) badRequest() {
	client := w.client()
	w.checkSome(client) // so that the versions are known
	before := w.versions()
	switch w.pick("bad request", "user body", "group body", "filter", "missing", "shape") {
	case "user body":
		body := rapid.SampledFrom([]map[string]any{
			{"schemas": []any{userSchema}},
			{"schemas": []any{userSchema}, "userName": ""},
			{"schemas": []any{userSchema}, "userName": 7},
			{"schemas": []any{userSchema}, "userName": "new", "active": "perhaps"},
			{"schemas": []any{userSchema}, "userName": "new", "name": "Ada"},
			{"schemas": []any{userSchema}, "userName": "new", "emails": []any{map[string]any{"value": []any{1}}}},
			{"schemas": []any{userSchema}, "userName": "new", "title": map[string]any{"x": 1}},
			{"schemas": []any{userSchema}, "userName": "new\x00"},
		}).Draw(w.T, "body")
		if u := w.someUser(); u != nil && w.maybe("put") {
			w.want(w.call(client, "PUT", userPath+"/"+u.id, body), http.StatusBadRequest)
		} else {
			w.want(w.call(client, "POST", userPath, body), http.StatusBadRequest)
		}
	case "group body":
		body := rapid.SampledFrom([]map[string]any{
			{"schemas": []any{coreGroup}},
			{"schemas": []any{coreGroup}, "displayName": "", "members": []any{}},
			{"schemas": []any{coreGroup}, "displayName": []any{"x", "y"}},
			{"schemas": []any{coreGroup}, "displayName": "new", "members": "x"},
			{"schemas": []any{coreGroup}, "displayName": "new", "members": []any{map[string]any{"display": "x"}}},
			{"schemas": []any{coreGroup}, "displayName": "new", "members": []any{map[string]any{"value": "nobody at all"}}},
		}).Draw(w.T, "body")
		if g := w.someGroup(); g != nil && w.maybe("put") {
			w.want(w.call(client, "PUT", groupPath+"/"+g.id, body), http.StatusBadRequest)
		} else {
			w.want(w.call(client, "POST", groupPath, body), http.StatusBadRequest)
		}
	case "filter":
		text := w.pick("filter text", `userName eq`, `userName is "x"`, `(userName eq "x"`, `nosuch eq "x"`, `userName eq "x" and`, `emails[type eq "x"`,
			`active gt true`, `meta.created co "2"`, `userName`, `password eq "x"`, `not userName eq "x"`)
		a := w.call(client, "GET", userPath+"?filter="+url.QueryEscape(text), nil)
		w.want(a, http.StatusBadRequest, http.StatusForbidden)
	case "missing":
		id := w.ghost()
		method := w.pick("method", "GET", "PUT", "PATCH", "DELETE")
		body := map[string]any{"PUT": map[string]any{"schemas": []any{userSchema}, "userName": "ghost"}, "PATCH": patchBody([]any{map[string]any{"op": "replace", "path": "title", "value": "x"}})}[method]
		w.want(w.call(client, method, userPath+"/"+id, body), http.StatusNotFound)
	case "shape":
		path := w.pick("path", userPath, groupPath, "/Bulk", userPath+"/.search", "/.search")
		body := rapid.SampledFrom([]any{[]any{}, "text", 7, true, []any{map[string]any{"userName": "x"}}}).Draw(w.T, "body")
		w.want(w.call(client, "POST", path, body), http.StatusBadRequest)
	}
	w.checkSome(client)
	w.equal("the versions after a refusal", w.versions(), before)
}

// checkSome reads everything as one client.
func (w *world) checkSome(client int) {
	users, groups := w.list(client, "/Users?count=1000"), w.list(client, "/Groups?count=1000")
	w.equal("all users", ids(users), sortedKeys(asAny(w.m.users)))
	w.equal("all groups", ids(groups), sortedKeys(asAny(w.m.groups)))
	for _, r := range users {
		w.sameUser(client, w.m.users[orEmpty(r["id"])], r)
	}
	for _, r := range groups {
		w.sameGroup(client, w.m.groups[orEmpty(r["id"])], r, true)
	}
}

func (w *world) versions() map[string]string {
	out := map[string]string{}
	for id, u := range w.m.users {
		out[id] = u.version
	}
	for id, g := range w.m.groups {
		out[id] = g.version
	}
	return out
}
