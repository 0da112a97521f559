package verify_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

func mustJSON(v any) []byte { b, _ := json.Marshal(v); return b }

// refuseOp refuses a PATCH that has an operation with a property.
func refuseOp(status int, scimType string, when func(q *request, o object) bool) func() middleware {
	return refuse(status, scimType, "this operation is refused", func(q *request) bool {
		ops, _ := q.json()["Operations"].([]any)
		for _, e := range ops {
			if o, ok := e.(object); ok && q.method == "PATCH" && when(q, o) {
				return true
			}
		}
		return false
	})
}

// dropOp leaves operations out and answers as if they were done.
func dropOp(when func(o object) bool) func() middleware {
	return onOps(func(_ *request, o object) object {
		if when(o) {
			return nil
		}
		return o
	})
}

// shrug turns refusals of a PATCH into success.
func shrug(scimType string) func() middleware {
	return onAnswer(func(q *request, a *answer) {
		if q.method == "PATCH" && a.json()["scimType"] == scimType {
			*a = *q.ask("GET", q.path, nil)
		}
	})
}

func patchFaults() []fault {
	noPath := func(o object) bool { return opPath(o) == "" }
	return []fault{
		{"op is read with case", "AzureAD/SCIMReferenceCode#21", []string{"entra/op-case", "entra/multi-replace"}, "status 400", refuseOp(400, "invalidSyntax", func(_ *request, o object) bool { k, _ := o["op"].(string); return k != strings.ToLower(k) })},
		{"PATCH answers 200 with an empty body", "R-41", []string{"entra/patch-answer", "okta-catalogue/patch-answer", "rfc/patch-answer"}, "empty body", onAnswer(func(q *request, a *answer) {
			if q.method == "PATCH" && a.ok() {
				a.status, a.body = 200, nil
			}
		})},
		{"PATCH answers 204 though attributes is given", "RFC 7644 §3.5.2", []string{"rfc/attributes-on-patch"}, "status 204", onAnswer(func(q *request, a *answer) {
			if q.method == "PATCH" && a.ok() {
				a.status, a.body = 204, nil
			}
		})},
		{"PATCH is not supported", "authentik", []string{"entra/patch-answer", "entra/disable-boolean", "okta-catalogue/deactivate"}, "501", refuse(501, "", "PATCH is not implemented", func(q *request) bool { return q.method == "PATCH" })},
		{"PATCH is answered with success and ignored", "authentik#24173", []string{"entra/disable-boolean", "okta-catalogue/deactivate", "rfc/patch-replace-simple"}, "a read after", dropOp(func(object) bool { return true })},
		{"operations without a path are ignored", "elimity-com/scim#112", []string{"okta-catalogue/deactivate", "entra-flag/no-path-plain", "rfc/patch-replace-no-path"}, "active false", dropOp(noPath)},
		{"operations without a path are refused", "ssoready#167", []string{"okta-catalogue/deactivate", "entra-flag/disable-no-path"}, "status 400", refuseOp(400, "noTarget", func(_ *request, o object) bool { return noPath(o) && opKind(o) != "remove" })},
		{"only the first operation is applied", "SCIM-SDK#416", []string{"entra/multi-replace", "rfc/patch-sequence"}, "after the Replace of", onRequest(func(q *request) {
			b := q.json()
			if ops, _ := b["Operations"].([]any); q.method == "PATCH" && len(ops) > 1 {
				b["Operations"] = ops[:1]
				q.set(b)
			}
		})},
		{"operations are applied one by one, not all or none", "RFC 7644 §3.5.2", []string{"entra/multi-replace-atomic", "rfc/patch-atomic"}, "none of its operations", onRequest2(func(q *request, next func(*request) *answer) *answer {
			ops, _ := q.json()["Operations"].([]any)
			if q.method != "PATCH" || len(ops) < 2 {
				return next(q)
			}
			var last *answer
			for _, o := range ops {
				last = q.ask("PATCH", q.path, object{"schemas": q.json()["schemas"], "Operations": []any{o}})
				if !last.ok() {
					break
				}
			}
			return last
		})},
		{"operations are applied in reverse order", "V P2", []string{"entra-validator/p2-multi-same-attribute", "rfc/patch-sequence"}, "after the", onRequest(func(q *request) {
			b := q.json()
			ops, _ := b["Operations"].([]any)
			if q.method == "PATCH" && len(ops) > 1 {
				for i, j := 0, len(ops)-1; i < j; i, j = i+1, j-1 {
					ops[i], ops[j] = ops[j], ops[i]
				}
				q.set(b)
			}
		})},
		{"dotted keys are stored as literal names", "elimity-com/scim#112", []string{"entra-flag/no-path-dotted"}, "literal", literalKeys},
		{"URN keys without a path are ignored", "ssoready#167", []string{"entra-flag/no-path-dotted"}, "employeeNumber", onOps(func(_ *request, o object) object {
			if v, ok := o["value"].(object); ok && noPath(o) {
				for k := range v {
					if strings.HasPrefix(k, "urn:") {
						delete(v, k)
					}
				}
			}
			return o
		})},
		{"paths with a URN are refused", "SCIM-SDK msazure workaround", []string{"entra/multi-replace", "rfc/patch-add-extension"}, "status 400", refuseOp(400, "invalidPath", func(_ *request, o object) bool { return strings.HasPrefix(opPath(o), enterprise) })},
		{"names in paths are read with case", "RFC 7643 §2.1", []string{"rfc/patch-attribute-case"}, "status 400", refuseOp(400, "invalidPath", func(_ *request, o object) bool { return opPath(o) == "DISPLAYNAME" })},
		{"remove is ignored", "R-40", []string{"entra/remove-attribute", "rfc/patch-remove-simple", "entra/manager-remove"}, "after the", dropOp(func(o object) bool { return opKind(o) == "remove" })},
		{"remove of a required attribute succeeds in silence", "R-40", []string{"entra/remove-required"}, "status 400", onAnswer(func(q *request, a *answer) {
			if q.method == "PATCH" && strings.Contains(string(q.body), `"Remove","path":"userName"`) {
				*a = *q.ask("GET", q.path, nil)
			}
		})},
		{"an unknown path is answered with success", "better-auth silent 200", []string{"rfc/patch-unknown-attribute", "rfc/patch-bad-path"}, "status 400 invalidPath", shrug("invalidPath")},
		{"remove without a path is answered with success", "RFC 7644 §3.5.2.2", []string{"rfc/patch-remove-no-path"}, "status 400 noTarget", shrug("noTarget")},
		{"a value of the wrong type is answered with success", "RFC 7644 §3.12", []string{"rfc/patch-wrong-type"}, "status 400 invalidValue", shrug("invalidValue")},
		{"an unknown operation is answered with success", "RFC 7644 §3.5.2", []string{"rfc/patch-unknown-op"}, "status 400 invalidSyntax", shrug("invalidSyntax")},
		{"add of an attribute that has a value is refused", "RFC 7644 §3.5.2.1", []string{"rfc/patch-add-replaces-single", "entra/op-case"}, "status 400", refuseOp(400, "mutability", func(q *request, o object) bool {
			return opKind(o) == "add" && opPath(o) != "" && q.ask("GET", q.path, nil).json()[opPath(o)] != nil && opPath(o) != "emails" && opPath(o) != "name"
		})},
		{"replace of an attribute without a value is refused", "RFC 7644 §3.5.2.3", []string{"rfc/patch-replace-absent", "entra/multi-replace"}, "status 400", refuseOp(400, "noTarget", func(q *request, o object) bool {
			return opKind(o) == "replace" && opPath(o) == "title" && q.ask("GET", q.path, nil).json()["title"] == nil
		})},
		{"add to a complex attribute drops the rest of it", "RFC 7644 §3.5.2.1", []string{"rfc/patch-add-complex"}, "name.givenName", onOps(func(_ *request, o object) object {
			if v, ok := o["value"].(object); ok && opPath(o) == "name" && v["middleName"] != nil && v["givenName"] == nil {
				v["givenName"], v["familyName"] = nil, nil
				return object{"op": "replace", "path": "name", "value": object{"middleName": v["middleName"], "givenName": "", "familyName": "lost"}}
			}
			return o
		})},
		{"lastModified does not move", "RFC 7643 §3.1", []string{"rfc/meta-times"}, "meta.lastModified later", onResource(func(_ *request, o object) { m := metaOf(o); m["lastModified"] = m["created"] })},
		{"created moves with every change", "RFC 7643 §3.1", []string{"rfc/meta-times"}, "meta.created unchanged", onResource(func(_ *request, o object) { m := metaOf(o); m["created"] = m["lastModified"] })},
		{"a change of nothing moves lastModified", "RFC 7644 §3.5.2.1", []string{"rfc/patch-no-change"}, "meta.lastModified", touchAlways},
		{"a userName that is taken can be taken by PATCH", "RFC 7644 §3.12", []string{"rfc/patch-conflict", "rfc/patch-atomic"}, "status 409", onAnswer(func(q *request, a *answer) {
			if q.method == "PATCH" && a.status == 409 {
				*a = *q.ask("GET", q.path, nil)
			}
		})},
		{"password in a PATCH is refused", "R-44", []string{"okta-catalogue/password-patch"}, "status 400", refuse(400, "invalidPath", "password", func(q *request) bool { return q.method == "PATCH" && strings.Contains(string(q.body), `"password"`) })},
		{"a PATCH of an unknown user is 400", "RFC 7644 §3.12", []string{"rfc/patch-unknown-id"}, "status 404", onAnswer(func(q *request, a *answer) {
			if q.method == "PATCH" && a.status == 404 {
				*a = *refusal(400, "invalidValue", "no such user")
			}
		})},
	}
}

// literalKeys stores dotted keys under their literal names.
func literalKeys() middleware {
	kept := map[string]object{}
	return func(q *request, next func(*request) *answer) *answer {
		a := patchOps(q, next, func(q *request, o object) object {
			v, ok := o["value"].(object)
			if !ok || opPath(o) != "" {
				return o
			}
			for k, e := range v {
				if k == "name.givenName" || k == "name.familyName" {
					delete(v, k)
					q.p.mu.Lock()
					if kept[q.id()] == nil {
						kept[q.id()] = object{}
					}
					kept[q.id()][k] = e
					q.p.mu.Unlock()
				}
			}
			return o
		})
		if o := a.json(); a.ok() && o["id"] != nil {
			q.p.mu.Lock()
			defer q.p.mu.Unlock()
			for k, e := range kept[q.id()] {
				o[k] = e
			}
			a.set(o)
		}
		return a
	}
}

// touchAlways moves lastModified with every PATCH.
func touchAlways() middleware {
	touched := map[string]string{}
	return func(q *request, next func(*request) *answer) *answer {
		a := next(q)
		q.p.mu.Lock()
		defer q.p.mu.Unlock()
		if q.method == "PATCH" {
			touched[q.id()] = time.Now().UTC().Add(time.Second).Format(time.RFC3339)
		}
		if o := a.json(); a.ok() && touched[q.id()] != "" && o["meta"] != nil {
			metaOf(o)["lastModified"] = touched[q.id()]
			a.set(o)
		}
		return a
	}
}

var valuePath = regexp.MustCompile(`^([a-zA-Z]+)\[(type|primary) eq "?([a-zA-Z]+)"?[^\]]*\]\.?([a-zA-Z]*)$`)

// missing tells whether the value path of an operation matches nothing that the user has.
func missing(q *request, o object) bool {
	m := valuePath.FindStringSubmatch(opPath(o))
	if m == nil {
		return false
	}
	items, _ := q.ask("GET", q.path, nil).json()[m[1]].([]any)
	for _, e := range items {
		if v := strings.Trim(string(mustJSON(e.(object)[m[2]])), `"`); strings.EqualFold(v, m[3]) {
			return false
		}
	}
	return true
}

func valuePathFaults() []fault {
	return []fault{
		{"a value path that matches nothing is noTarget", "SCIM-SDK#668, laravel-scim-server#34", []string{"entra/value-path-add-mail", "entra/value-path-replace-mail", "entra/value-path-phone", "entra-validator/v9-add-verbose"}, "noTarget", refuseOp(400, "noTarget", missing)},
		{"a value path that matches nothing is ignored", "wireapp/wire-server PR 5419", []string{"entra/value-path-add-mail", "entra/value-path-address", "entra-flag/value-path-add"}, "after Add by value path", onOps(func(q *request, o object) object {
			if missing(q, o) {
				return nil
			}
			return o
		})},
		{"value paths are ignored with success", "sourcegraph PR 49119", []string{"entra/value-path-update", "entra-validator/v6-replace-verbose", "rfc/patch-replace-value-path"}, "after the", dropOp(func(o object) bool { return valuePath.MatchString(opPath(o)) })},
		{"value paths are refused", "scimmy-routers#10", []string{"entra/value-path-update", "entra/multi-replace"}, "status 400", refuseOp(400, "invalidPath", func(_ *request, o object) bool { return valuePath.MatchString(opPath(o)) })},
		{"a change by value path drops the other elements", "Metatavu/keycloak-scim-server#35", []string{"entra/value-path-update", "entra/value-path-add-mail", "rfc/patch-replace-value-path"}, "another element", onOps(func(_ *request, o object) object {
			m := valuePath.FindStringSubmatch(opPath(o))
			if m == nil || m[4] == "" || m[2] != "type" {
				return o
			}
			return object{"op": "replace", "path": m[1], "value": []any{object{"type": m[3], m[4]: o["value"]}}}
		})},
		{"a change by value path drops primary", "R-35", []string{"entra/value-path-update"}, "emails[type=work].primary", onRequest2(func(q *request, next func(*request) *answer) *answer {
			a := next(q)
			if q.method == "PATCH" && strings.Contains(string(q.body), `emails[type eq \"work\"].value`) && a.ok() {
				return q.ask("PATCH", q.path, object{"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []any{object{"op": "replace", "path": `emails[type eq "work"].primary`, "value": false}}})
			}
			return a
		})},
		{"remove by value path removes every element", "R-40", []string{"entra/remove-attribute", "rfc/patch-remove-element"}, "home", onOps(func(_ *request, o object) object {
			if m := valuePath.FindStringSubmatch(opPath(o)); m != nil && opKind(o) == "remove" {
				o["path"] = m[1]
			}
			return o
		})},
		{`"True" in a value path is no boolean`, "R-36, thomaspoignant/scim-patch#872", []string{"entra/roles-primary", "entra-validator/v9-add-verbose"}, "status 400", refuseOp(400, "invalidPath", func(_ *request, o object) bool { return strings.Contains(opPath(o), `"True"`) })},
		{"add to a multi-valued attribute replaces it", "RFC 7644 §3.5.2.1", []string{"rfc/patch-add-element"}, "emails[type=work]", onOps(func(_ *request, o object) object {
			if opPath(o) == "emails" && opKind(o) == "add" {
				o["op"] = "replace"
			}
			return o
		})},
		{"replace of a multi-valued attribute appends", "RFC 7644 §3.5.2.3", []string{"rfc/patch-replace-multi"}, "emails[", onOps(func(_ *request, o object) object {
			if opPath(o) == "emails" && opKind(o) == "replace" {
				o["op"] = "add"
			}
			return o
		})},
		{"a new primary does not demote the old one", "RFC 7644 §3.5.2", []string{"rfc/patch-add-primary-demotes", "pingfederate-put/two-primary"}, "primary", onResource(func(_ *request, o object) {
			mails, _ := o["emails"].([]any)
			for _, m := range mails {
				if len(mails) > 1 {
					m.(object)["primary"] = true
				}
			}
		})},
		{"two primaries in a PUT are refused", "PingFederate known issues", []string{"pingfederate-put/two-primary"}, "status 400", refuse(400, "invalidValue", "more than one primary", func(q *request) bool {
			return q.method == "PUT" && strings.Count(string(q.body), `"primary":true`) > 1
		})},
	}
}
