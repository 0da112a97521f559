package verify_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// onCreate changes the answer to a successful create.
func onCreate(change func(q *request, a *answer, o object)) func() middleware {
	return onAnswer(func(q *request, a *answer) {
		if q.method == "POST" && a.status == 201 {
			change(q, a, a.json())
		}
	})
}

// onSent changes the resource of POST and PUT.
func onSent(change func(q *request, o object)) func() middleware {
	return onRequest(func(q *request) {
		if o := q.json(); o != nil && (q.method == "POST" || q.method == "PUT") && (q.users() || q.groups()) && !strings.HasSuffix(q.path, "/.search") {
			change(q, o)
			q.set(o)
		}
	})
}

// refuseSent refuses a POST whose body has a property.
func refuseSent(status int, scimType, detail string, when func(o object) bool) func() middleware {
	return refuse(status, scimType, detail, func(q *request) bool { o := q.json(); return q.method == "POST" && o != nil && when(o) })
}

func createFaults() []fault {
	return []fault{
		{"a create answers 200", "R-16", []string{"entra/create", "okta-spec/s6-create", "rfc/create"}, "status 201", onCreate(func(_ *request, a *answer, _ object) { a.status = 200 })},
		{"a create answers without a body", "Okta protocol reference", []string{"entra/create", "okta-catalogue/create"}, "empty body", onCreate(func(_ *request, a *answer, _ object) { a.body = nil })},
		{"a create has no Location", "RFC 7644 §3.3", []string{"rfc/create", "entra/create"}, "a Location header", onCreate(func(_ *request, a *answer, _ object) { a.header.Del("Location") })},
		{"the answer to a create has no id", "P-SET 1.2", []string{"entra/create", "pingfederate-put/create"}, "id is a string", onCreate(func(_ *request, a *answer, o object) { delete(o, "id"); a.set(o) })},
		{"ids are numbers", "R-16", []string{"entra/create", "okta-catalogue/create"}, "id is a string", onCreate(func(_ *request, a *answer, o object) { o["id"] = 4711; a.set(o) })},
		{"the answer to a create lacks what was sent", "V1", []string{"okta-catalogue/create", "rfc/create"}, "name.givenName", onCreate(func(_ *request, a *answer, o object) { delete(o, "name"); a.set(o) })},
		{"meta.resourceType is missing", "R-16", []string{"entra/create", "entra-validator/v3-filter"}, "meta.resourceType", onResource(func(_ *request, o object) { delete(metaOf(o), "resourceType") })},
		{"meta.location and Location disagree", "RFC 7643 §3.1", []string{"rfc/create"}, "meta.location", onResource(func(_ *request, o object) { metaOf(o)["location"] = "/" + o["id"].(string) })},
		{"schemas is missing in resources", "RFC 7643 §3", []string{"rfc/create", "okta-spec/s6-create"}, "schemas has", onResource(func(_ *request, o object) { delete(o, "schemas") })},
		{"schemas leaves the extension out", "RFC 7643 §3", []string{"rfc/extension-in-schemas"}, "schemas has " + enterprise, onResource(func(_ *request, o object) {
			if all, _ := o["schemas"].([]any); len(all) > 1 {
				o["schemas"] = all[:1]
			}
		})},
		{"externalId is lost", "langwatch#6973", []string{"entra/create", "okta-catalogue/create", "entra/add-external-id"}, "externalId is", onResource(func(_ *request, o object) { delete(o, "externalId") })},
		{"a null is refused", "E-DEV", []string{"entra/create-nulls", "rfc/empty-equals-absent"}, "status 400", refuseSent(400, "invalidValue", "title must be a string", func(o object) bool { v, ok := o["title"]; return ok && v == nil })},
		{"an empty list is refused", "R-18", []string{"entra/create"}, "status 400", refuseSent(400, "invalidValue", "roles", func(o object) bool { v, ok := o["roles"].([]any); return ok && len(v) == 0 })},
		{"an unknown schema URI is refused", "E-DEV", []string{"entra/create-foreign-schema", "entra/group-create"}, "status 400", refuseSent(400, "invalidSyntax", "unknown schema", func(o object) bool {
			s := string(mustJSON(o["schemas"]))
			return strings.Contains(s, "Unheard") || strings.Contains(s, "microsoft.com")
		})},
		{"an undeclared extension is dropped", "E-CUST", []string{"entra/create-undeclared-extension"}, "department", onSent(func(_ *request, o object) {
			if !strings.Contains(string(mustJSON(o["schemas"])), enterprise) {
				delete(o, enterprise)
			}
		})},
		{"an unknown attribute is refused", "R-18", []string{"rfc/unknown-attribute-ignored"}, "status 400", refuseSent(400, "invalidSyntax", "unknown attribute", func(o object) bool { return o["noSuchAttribute"] != nil })},
		{"an unknown attribute is stored and returned", "B6", []string{"rfc/unknown-attribute-ignored"}, "no attribute noSuchAttribute", onCreate(func(q *request, a *answer, o object) {
			if v := q.json()["noSuchAttribute"]; v != nil {
				o["noSuchAttribute"] = v
				a.set(o)
			}
		})},
		{"groups in a create are refused", "Okta protocol reference", []string{"okta-catalogue/create"}, "status 400", refuseSent(400, "mutability", "groups is readOnly", func(o object) bool { _, ok := o["groups"]; return ok })},
		{"password is refused", "R-44", []string{"okta-catalogue/create"}, "status 400", refuseSent(400, "invalidValue", "password", func(o object) bool { return o["password"] != nil })},
		{"application/json is refused", "O-SPEC S6", []string{"rfc/request-media-types", "okta-spec/s6-create"}, "415", refuse(415, "", "Content-Type", func(q *request) bool {
			return q.method == "POST" && strings.HasPrefix(q.header.Get("Content-Type"), "application/json")
		})},
		{"a charset in Content-Type is refused", "E-OBS", []string{"rfc/request-media-types"}, "charset=utf-8", refuse(415, "", "Content-Type", func(q *request) bool { return strings.Contains(q.header.Get("Content-Type"), "charset") })},
		{"phone numbers are reformatted", "R-48", []string{"entra/value-fidelity"}, "55555555555", onResource(func(_ *request, o object) {
			phones, _ := o["phoneNumbers"].([]any)
			for _, p := range phones {
				p.(object)["value"] = "+1-" + p.(object)["value"].(string)
			}
		})},
		{"types come back with a capital", "PingFederate 1.5.2", []string{"pingfederate-put/type-lower-case"}, `"Work"`, onResource(func(_ *request, o object) {
			mails, _ := o["emails"].([]any)
			for _, m := range mails {
				if m.(object)["type"] == "work" {
					m.(object)["type"] = "Work"
				}
			}
		})},
		{"string booleans are kept as strings", "scimmyjs/scimmy#51, #86", []string{"entra/create-string-active", "entra/disable-string"}, "active", stringBooleans},
		{"active is returned as a string", "scim-for-keycloak#119", []string{"rfc/boolean-type", "okta-spec/s1-list"}, "active", onResource(func(_ *request, o object) {
			if o["active"] != nil {
				o["active"] = map[any]string{true: "true", false: "false"}[o["active"]]
			}
		})},
		{"active is left out", "O-SPEC S1", []string{"okta-spec/s1-list", "entra/get-by-id"}, "active", onResource(func(_ *request, o object) { delete(o, "active") })},
		{"a create without userName is accepted", "R-20", []string{"rfc/create-without-user-name"}, "status 400", onSent(func(q *request, o object) {
			if q.users() && q.method == "POST" && o["userName"] == nil && o["USERNAME"] == nil {
				o["userName"] = fmt.Sprintf("made-up-%d", time.Now().UnixNano())
			}
		})},
		{"broken JSON is 500", "R-20", []string{"rfc/broken-json"}, "status 500", onAnswer(func(_ *request, a *answer) {
			if a.json()["scimType"] == "invalidSyntax" {
				*a = *refusal(500, "", "internal error")
			}
		})},
		{"names in bodies are read with case", "RFC 7643 §2.1", []string{"rfc/case-of-keys"}, "status 400", refuseSent(400, "invalidValue", "userName is required", func(o object) bool { return o["USERNAME"] != nil })},
		{"every answer is application/json", "E-OBS", []string{"entra/media-type", "rfc/media-type"}, "Content-Type application/json", onAnswer(func(_ *request, a *answer) {
			if len(a.body) > 0 {
				a.header.Set("Content-Type", "application/json")
			}
		})},
		{"Accept: application/json is 406", "OneLogin", []string{"rfc/accept-json"}, "status 406", refuse(406, "", "Accept", func(q *request) bool { return q.header.Get("Accept") == "application/json" })},
	}
}

// stringBooleans keeps active as the text that came.
func stringBooleans() middleware {
	kept := map[string]string{}
	return func(q *request, next func(*request) *answer) *answer {
		sent := q.json()
		text, isText := sent["active"].(string)
		if q.method == "PATCH" {
			ops, _ := sent["Operations"].([]any)
			for _, e := range ops {
				if o, ok := e.(object); ok && opPath(o) == "active" {
					text, isText = o["value"].(string)
				}
			}
		}
		a := next(q)
		o := a.json()
		id, _ := o["id"].(string)
		if id == "" {
			id = q.id()
		}
		q.p.mu.Lock()
		defer q.p.mu.Unlock()
		if isText && a.ok() && q.users() {
			kept[id] = text
		}
		if v := kept[id]; v != "" && o["active"] != nil {
			o["active"] = v
			a.set(o)
		}
		return a
	}
}

func identityFaults() []fault {
	return []fault{
		{"a duplicate userName is accepted", "R-17", []string{"entra/duplicate", "okta-spec/s8-duplicate", "rfc/uniqueness"}, "status 409", acceptDuplicates(func(map[string]bool, string) bool { return true })},
		{"a duplicate userName in another case is accepted", "ory/polis#4065", []string{"entra/duplicate-case", "okta-catalogue/duplicate"}, "in upper case", acceptDuplicates(func(seen map[string]bool, name string) bool { return !seen[name] })},
		{"a duplicate is 400", "langfuse#13528", []string{"entra/duplicate", "rfc/uniqueness"}, "status 400", onConflict(func(q *request, a *answer) { *a = *refusal(400, "invalidValue", "userName is taken") })},
		{"a duplicate is 500", "FusionAuth#1871", []string{"entra/duplicate", "okta-spec/s8-duplicate"}, "status 500", onConflict(func(q *request, a *answer) { *a = *refusal(500, "", "duplicate key") })},
		{"a duplicate answers 200 with the user who is there", "better-auth#11111", []string{"okta-catalogue/duplicate", "entra-validator/v2-duplicate"}, "status 200", onConflict(func(q *request, a *answer) {
			name, _ := q.json()["userName"].(string)
			l := q.ask("GET", `/Users?filter=userName+eq+%22`+name+`%22`, nil).json()
			if items, _ := l["Resources"].([]any); len(items) > 0 {
				a.status = 200
				a.set(items[0])
			}
		})},
		{"a conflict has no scimType", "RFC 7644 §3.12", []string{"rfc/uniqueness", "entra/duplicate"}, "scimType", onConflict(func(_ *request, a *answer) { o := a.json(); delete(o, "scimType"); a.set(o) })},
		{"e-mail addresses have to be unique", "ory/polis#4067, langfuse#13528", []string{"rfc/mail-is-not-unique"}, "status 409", uniqueMail},
		{"equal creates at the same moment both succeed", "passbolt PBL-15-005", []string{"rfc/concurrent-create"}, "exactly 1", lookThenInsert},
	}
}

// onConflict changes the answer 409.
func onConflict(change func(q *request, a *answer)) func() middleware {
	return onAnswer(func(q *request, a *answer) {
		if a.status == http.StatusConflict && q.method == "POST" {
			change(q, a)
		}
	})
}

// acceptDuplicates makes a second user where the healthy server refuses one.
func acceptDuplicates(when func(seen map[string]bool, name string) bool) func() middleware {
	return func() middleware {
		seen := map[string]bool{}
		n := 0
		return func(q *request, next func(*request) *answer) *answer {
			body := q.json()
			name, _ := body["userName"].(string)
			a := next(q)
			if q.method != "POST" || q.path != "/Users" || body == nil {
				return a
			}
			q.p.mu.Lock()
			n++
			again := a.status == 409 && when(seen, name)
			seen[name] = true
			body["userName"] = name + "-again-" + string(mustJSON(n))
			q.p.mu.Unlock()
			if !again {
				return a
			}
			a = q.ask("POST", "/Users", body)
			if o := a.json(); a.ok() {
				o["userName"] = name
				a.set(o)
			}
			return a
		}
	}
}

// uniqueMail refuses a second user of an address.
func uniqueMail() middleware {
	owner := map[string]bool{}
	return func(q *request, next func(*request) *answer) *answer {
		if q.method != "POST" || q.path != "/Users" {
			return next(q)
		}
		mails, _ := q.json()["emails"].([]any)
		q.p.mu.Lock()
		defer q.p.mu.Unlock()
		for _, m := range mails {
			v, _ := m.(object)["value"].(string)
			if owner[v] {
				return refusal(409, "uniqueness", "the e-mail address is taken")
			}
			owner[v] = true
		}
		return next(q)
	}
}

// lookThenInsert looks for the userName and inserts a moment later, without a unique key.
func lookThenInsert() middleware {
	accept := acceptDuplicates(func(map[string]bool, string) bool { return true })()
	return func(q *request, next func(*request) *answer) *answer {
		name, _ := q.json()["userName"].(string)
		if q.method != "POST" || q.path != "/Users" || q.ask("GET", "/Users?filter=userName+eq+%22"+name+"%22", nil).json()["totalResults"] != float64(0) {
			return next(q)
		}
		time.Sleep(100 * time.Millisecond)
		return accept(q, next)
	}
}
