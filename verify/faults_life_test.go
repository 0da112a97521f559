package verify_test

import (
	"strings"
)

// refuseManager refuses a manager of a kind.
func refuseManager(when func(v any) bool) func() middleware {
	return refuseOp(400, "invalidValue", func(_ *request, o object) bool {
		return strings.HasSuffix(opPath(o), "manager") && opKind(o) != "remove" && when(o["value"])
	})
}

func isText(v any) bool { _, ok := v.(string); return ok }
func cleared(v any) bool {
	o, ok := v.(object)
	return v == "" || ok && o["value"] == ""
}

func lifeFaults() []fault {
	inactive := func(o object) bool { return o["active"] == false }
	return []fault{
		{"the strings True and False are refused for booleans", "AzureAD/SCIMReferenceCode#21, bytebase#19073", []string{"entra/disable-string", "entra/enable-string"}, "status 400", refuseOp(400, "invalidValue", func(_ *request, o object) bool { return opPath(o) == "active" && isText(o["value"]) })},
		{"every text is true", "apache/syncope#581", []string{"entra/disable-string"}, "active false", onOps(func(_ *request, o object) object {
			if opPath(o) == "active" && isText(o["value"]) {
				o["value"] = true
			}
			return o
		})},
		{"a disabled user is 404", "R-29", []string{"entra/disabled-readable", "okta-catalogue/deactivated-readable"}, "status 404", onAnswer(func(q *request, a *answer) {
			if q.method == "GET" && q.id() != "" && inactive(a.json()) {
				*a = *refusal(404, "", "no such user")
			}
		})},
		{"a disabled user cannot be found", "15five/django-scim2#83", []string{"entra/disabled-readable", "okta-catalogue/deactivated-readable", "okta-custom/deactivate-put"}, "finds 1 resource", onList(func(q *request, l object, items []any) {
			kept := []any{}
			for _, e := range items {
				if !inactive(e.(object)) {
					kept = append(kept, e)
				}
			}
			l["Resources"], l["itemsPerPage"] = kept, len(kept)
			if q.has("filter") {
				l["totalResults"] = len(kept)
			}
		})},
		{"disabling a user removes the memberships", "R-30", []string{"entra/enable-keeps-groups", "okta-catalogue/deactivated-keeps-groups"}, "while the user is disabled the group has 1 member", dropsMemberships},
		{"a user cannot be enabled again", "better-auth#11111", []string{"entra/enable-string", "okta-catalogue/reactivate"}, "active true", dropOp(func(o object) bool {
			v, _ := o["value"].(object)
			return opPath(o) == "active" && (o["value"] == true || o["value"] == "True") || v["active"] == true
		})},
		{"renaming leaves the index of the old name", "V7", []string{"entra/rename", "entra-flag/rename-no-path", "entra-validator/v7-rename"}, "the new userName finds 1 resource", staleIndex},
		{"the old userName stays taken", "R-38", []string{"entra/rename"}, "the old userName is free again", keepsNames(func(q *request) bool { return q.method == "PATCH" })},
		{"a deleted user's name stays taken", "FusionAuth#3244", []string{"entra/recreate"}, "status 409", keepsNames(func(q *request) bool { return q.method == "DELETE" })},
		{"DELETE answers 200", "R-42", []string{"entra/delete", "entra-validator/v13-delete"}, "status 200", onAnswer(func(q *request, a *answer) {
			if q.method == "DELETE" && a.ok() {
				a.status = 200
			}
		})},
		{"DELETE disables instead and the user can still be read", "R-42", []string{"entra/delete", "rfc/delete", "entra-validator/v13-delete"}, "status 404 for the read of what was deleted", onRequest2(func(q *request, next func(*request) *answer) *answer {
			if q.method != "DELETE" || !q.users() {
				return next(q)
			}
			if q.ask("PATCH", q.path, patchOf(object{"op": "replace", "path": "active", "value": false})).ok() {
				return &answer{status: 204}
			}
			return refusal(404, "", "no such user")
		})},
		{"the second DELETE is 204", "P4", []string{"entra/delete", "entra-validator/p4-delete-twice", "entra-validator/p3-delete-unknown"}, "status 204", onAnswer(func(q *request, a *answer) {
			if q.method == "DELETE" && a.status == 404 {
				*a = answer{status: 204}
			}
		})},
		{"DELETE of an unknown user is 500", "FusionAuth#1871", []string{"entra-validator/p3-delete-unknown", "entra/delete"}, "status 500", onAnswer(func(q *request, a *answer) {
			if q.method == "DELETE" && a.status == 404 {
				*a = *refusal(500, "", "internal error")
			}
		})},
		{"a deleted user is still found", "RFC 7644 §3.6", []string{"entra/delete", "rfc/delete"}, "a search after the delete", ghosts},
		{"a manager as a text is refused", "SCIM-SDK msazure workaround", []string{"entra/manager-string", "entra-validator/v11-replace-manager"}, "status 400", refuseManager(func(v any) bool { return isText(v) && v != "" })},
		{"a manager as a list is refused", "E-DEV", []string{"entra/manager-list"}, "status 400", refuseManager(func(v any) bool { _, ok := v.([]any); return ok })},
		{"the path manager without URN is refused", "E-DEV", []string{"entra/manager-short"}, "status 400", refuseOp(400, "invalidPath", func(_ *request, o object) bool { return opPath(o) == "manager" })},
		{"a manager is returned as a text", "MANAGER_PATCH_STRING_COERCION", []string{"entra/manager-string", "entra/manager-object"}, "manager.value", onResource(func(_ *request, o object) {
			if e, ok := o[enterprise].(object); ok {
				if m, ok := e["manager"].(object); ok {
					e["manager"] = m["value"]
				}
			}
		})},
		{"clearing the manager with an empty value is refused", "E-OBS", []string{"entra/manager-clear-string", "entra/manager-clear-object", "entra-validator/v12-remove-manager"}, "status 400", refuseManager(cleared)},
		{"clearing the manager with an empty value is ignored", "E-OBS", []string{"entra/manager-clear-string", "entra/manager-clear-object", "entra-validator/v12-remove-manager-string"}, "after the manager was", dropOp(func(o object) bool { return strings.HasSuffix(opPath(o), "manager") && cleared(o["value"]) })},
		{"a manager has to exist", "E-OBS", []string{"entra/manager-unknown", "entra-validator/v10-add-manager"}, "status 400", refuseOp(400, "invalidValue", func(q *request, o object) bool {
			v := o["value"]
			if m, ok := v.(object); ok {
				v = m["value"]
			}
			id, _ := v.(string)
			return strings.HasSuffix(opPath(o), "manager") && id != "" && !q.ask("GET", "/Users/"+id, nil).ok()
		})},
		{"externalId cannot be changed", "better-auth#10420", []string{"entra/add-external-id", "entra-validator/p1-multi-attribute"}, "externalId", dropOp(func(o object) bool { return opPath(o) == "externalId" })},
		{"names lose what is not ASCII", "PingOne known limitations", []string{"entra/value-fidelity"}, "displayName", onResource(func(_ *request, o object) {
			if n, ok := o["displayName"].(string); ok {
				o["displayName"] = strings.Map(func(r rune) rune {
					if r > 127 {
						return '?'
					}
					return r
				}, n)
			}
		})},
	}
}

func patchOf(ops ...any) object {
	return object{"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops}
}

// groupsOf lists the groups of a user.
func groupsOf(q *request, id string) []object {
	l := q.ask("GET", "/Groups?filter=members.value+eq+%22"+id+"%22", nil).json()
	items, _ := l["Resources"].([]any)
	var out []object
	for _, e := range items {
		out = append(out, e.(object))
	}
	return out
}

// dropsMemberships removes a user from all groups when it is disabled.
func dropsMemberships() middleware {
	return func(q *request, next func(*request) *answer) *answer {
		a := next(q)
		if q.method == "PATCH" && q.users() && strings.Contains(string(q.body), "false") {
			for _, g := range groupsOf(q, q.id()) {
				q.ask("PATCH", "/Groups/"+g["id"].(string), patchOf(object{"op": "remove", "path": `members[value eq "` + q.id() + `"]`}))
			}
		}
		return a
	}
}

// staleIndex finds nobody under a name that was given by PATCH.
func staleIndex() middleware {
	fresh := map[string]bool{}
	return func(q *request, next func(*request) *answer) *answer {
		a := next(q)
		q.p.mu.Lock()
		defer q.p.mu.Unlock()
		if q.method == "PATCH" && q.users() && a.ok() && strings.Contains(string(q.body), "userName") {
			name, _ := a.json()["userName"].(string)
			fresh[name] = true
		}
		if m := eqLiteral.FindStringSubmatch(q.param("filter")); m != nil && fresh[m[2]] {
			l := a.json()
			l["totalResults"], l["itemsPerPage"], l["Resources"] = 0, 0, []any{}
			a.set(l)
		}
		return a
	}
}

// keepsNames refuses names that were given up by some requests.
func keepsNames(when func(q *request) bool) func() middleware {
	return func() middleware {
		gone := map[string]bool{}
		return func(q *request, next func(*request) *answer) *answer {
			if q.users() && q.id() != "" && when(q) {
				name, _ := q.ask("GET", q.path, nil).json()["userName"].(string)
				a := next(q)
				if a.ok() {
					q.p.mu.Lock()
					gone[name] = true
					q.p.mu.Unlock()
				}
				return a
			}
			name, _ := q.json()["userName"].(string)
			q.p.mu.Lock()
			taken := q.method == "POST" && gone[name]
			q.p.mu.Unlock()
			if taken {
				return refusal(409, "uniqueness", "userName is taken")
			}
			return next(q)
		}
	}
}

// ghosts keeps deleted users in searches.
func ghosts() middleware {
	dead := map[string]object{}
	return func(q *request, next func(*request) *answer) *answer {
		if q.method == "DELETE" && q.users() {
			o := q.ask("GET", q.path, nil).json()
			a := next(q)
			if name, ok := o["userName"].(string); ok && a.ok() {
				q.p.mu.Lock()
				dead[name] = o
				q.p.mu.Unlock()
			}
			return a
		}
		a := next(q)
		q.p.mu.Lock()
		defer q.p.mu.Unlock()
		if m := eqLiteral.FindStringSubmatch(q.param("filter")); m != nil && dead[m[2]] != nil {
			l := a.json()
			l["totalResults"], l["itemsPerPage"], l["Resources"] = 1, 1, []any{dead[m[2]]}
			a.set(l)
		}
		return a
	}
}

func putFaults() []fault {
	return []fault{
		{"PUT is not supported", "authentik#16678", []string{"pingfederate-put/update", "okta-custom/profile-put", "rfc/put"}, "501", refuse(501, "", "PUT is not implemented", func(q *request) bool { return q.method == "PUT" })},
		{"PUT refuses read-only attributes", "O-OBS", []string{"okta-custom/profile-put", "okta-catalogue/profile-push", "rfc/put-read-only"}, "status 400", refuse(400, "mutability", "meta is readOnly", func(q *request) bool { return q.method == "PUT" && q.json()["meta"] != nil })},
		{"PUT refuses unknown attributes", "Microsoft's collection", []string{"okta-custom/profile-put"}, "status 400", refuse(400, "invalidSyntax", "unknown attribute", func(q *request) bool { return q.method == "PUT" && q.json()["unknownAttribute"] != nil })},
		{"PUT answers without a body", "P-SET; Pocket ID", []string{"okta-catalogue/put-body", "rfc/put"}, "id is", onAnswer(func(q *request, a *answer) {
			if q.method == "PUT" && a.ok() {
				a.body = nil
			}
		})},
		{"PUT ignores active", "R-19", []string{"okta-custom/deactivate-put", "pingfederate-put/disable"}, "active false", onRequest(func(q *request) {
			if o := q.json(); q.method == "PUT" && o != nil {
				delete(o, "active")
				q.set(o)
			}
		})},
		{"PUT without active enables the user", "R-19", []string{"okta-custom/put-keeps-active", "pingfederate-put/put-keeps-active"}, "does not mention active", onRequest(func(q *request) {
			if o := q.json(); q.method == "PUT" && o != nil && o["active"] == nil && q.users() {
				o["active"] = true
				q.set(o)
			}
		})},
		{"PUT merges addresses instead of replacing them", "RFC 7644 §3.5.1", []string{"rfc/put-removes-elements"}, "emails", onRequest(func(q *request) {
			o := q.json()
			mails, ok := o["emails"].([]any)
			if q.method == "PUT" && ok {
				old, _ := q.ask("GET", q.path, nil).json()["emails"].([]any)
				o["emails"] = append(mails, old...)
				q.set(o)
			}
		})},
		{"PUT to an unknown id creates", "RFC 7644 §3.5.1", []string{"rfc/put-unknown"}, "status 404", onAnswer(func(q *request, a *answer) {
			if q.method == "PUT" && a.status == 404 && q.users() {
				*a = *q.ask("POST", "/Users", q.json())
			}
		})},
		{"PUT drops externalId", "O-OBS", []string{"okta-catalogue/profile-push", "okta-custom/profile-put"}, "externalId", dropsExternal},
		{"PUT without userName is answered with success", "R-20", []string{"rfc/put-without-user-name"}, "status 400", onAnswer(func(q *request, a *answer) {
			if q.method == "PUT" && a.status == 400 && q.users() {
				*a = *q.ask("GET", q.path, nil)
			}
		})},
		{"PUT takes the userName of somebody else with success", "RFC 7644 §3.5.1", []string{"rfc/put-conflict"}, "status 409", onAnswer(func(q *request, a *answer) {
			if q.method == "PUT" && a.status == 409 {
				*a = *q.ask("GET", q.path, nil)
			}
		})},
		{"empty strings in a PUT are refused", "O-PLAN", []string{"okta-catalogue/put-empty-values"}, "status 400", refuse(400, "invalidValue", "title is empty", func(q *request) bool { return q.method == "PUT" && q.json()["title"] == "" })},
	}
}

// dropsExternal loses externalId with a PUT.
func dropsExternal() middleware {
	lost := map[string]bool{}
	return func(q *request, next func(*request) *answer) *answer {
		a := next(q)
		q.p.mu.Lock()
		defer q.p.mu.Unlock()
		if q.method == "PUT" {
			lost[q.id()] = true
		}
		if o := a.json(); o != nil && lost[q.id()] && q.id() != "" {
			delete(o, "externalId")
			a.set(o)
		}
		return a
	}
}
