package verify_test

import (
	"net/http"
	"strconv"
	"strings"
)

// onError changes SCIM errors of a status; 0 means all.
func onError(status int, change func(a *answer, o object)) func() middleware {
	return onAnswer(func(_ *request, a *answer) {
		if o := a.json(); a.status >= 400 && o != nil && (status == 0 || a.status == status) {
			change(a, o)
		}
	})
}

// oddID tells whether a path names an id that is no UUID.
func oddID(q *request) bool {
	id := q.id()
	return (q.users() || q.groups()) && id != "" && id != ".search" && (len(id) != 36 || strings.Count(id, "-") != 4)
}

func errorFaults() []fault {
	return []fault{
		{"status of errors is a number", "O-SPEC S11, S12", []string{"rfc/error-unknown-id", "okta-spec/s12-unknown-id", "entra/bad-token"}, `status is the string "404"`, onError(0, func(a *answer, o object) { o["status"] = a.status; a.set(o) })},
		{"errors have no schemas", "RFC 7644 §3.12", []string{"rfc/error-unknown-id", "okta-spec/s4-unknown-id"}, "schemas has urn:ietf:params:scim:api:messages:2.0:Error", onError(0, func(a *answer, o object) { delete(o, "schemas"); a.set(o) })},
		{"errors have no detail", "O-SPEC S4", []string{"okta-spec/s4-unknown-id", "okta-catalogue/unknown-id"}, "detail", onError(0, func(a *answer, o object) { delete(o, "detail"); a.set(o) })},
		{"errors are text/html", "R-05", []string{"entra/error-media-type", "rfc/error-media-type"}, "Content-Type text/html", onError(0, func(a *answer, _ object) { a.header.Set("Content-Type", "text/html") })},
		{"errors are HTML pages", "R-03", []string{"okta-spec/s4-unknown-id", "rfc/error-unknown-id"}, "not JSON", onError(404, func(a *answer, _ object) {
			a.body = []byte("<html><h1>Not Found</h1></html>")
			a.header.Set("Content-Type", "text/html")
		})},
		{"an id that is no UUID is 400", "R-04", []string{"okta-spec/s4-unknown-id", "rfc/error-unknown-id"}, "status 400", refuse(400, "invalidValue", "invalid UUID", oddID)},
		{"an id that is no UUID is 500", "R-04", []string{"okta-spec/s12-unknown-id", "rfc/error-unknown-id"}, "status 500", refuse(500, "", "internal error", oddID)},
		{"unknown ids are 400", "R-04", []string{"pingfederate-put/connection", "okta-catalogue/unknown-id"}, "status 400", onError(404, func(a *answer, _ object) { *a = *refusal(400, "invalidValue", "no such user") })},
		{"a wrong token is redirected to a login page", "R-03", []string{"entra/bad-token", "rfc/error-bad-token", "okta-spec/s11-bad-token"}, "status 302", onError(401, func(a *answer, _ object) {
			a.status, a.body = 302, nil
			a.header.Set("Location", "/login")
		})},
		{"a wrong token is 403", "P-SET 1.4.2", []string{"entra/bad-token", "pingfederate-put/bad-token"}, "status 403", onError(401, func(a *answer, o object) { a.status = 403; o["status"] = "403"; a.set(o) })},
		{"a wrong token is 500", "R-03", []string{"entra/bad-token", "security/no-credentials"}, "status 500", onError(401, func(a *answer, _ object) { *a = *refusal(500, "", "internal error") })},
		{"401 has no WWW-Authenticate", "RFC 7235 §3.1", []string{"rfc/error-unauthenticated-challenge"}, "WWW-Authenticate", onError(401, func(a *answer, _ object) { a.header.Del("WWW-Authenticate") })},
		{"unknown endpoints are HTML", "RFC 7644 §3.12", []string{"rfc/error-unknown-endpoint"}, "SCIM Error object", onAnswer(func(q *request, a *answer) {
			if q.path == "/NoSuchEndpoint" {
				a.body = []byte("404 page not found")
				a.header.Set("Content-Type", "text/plain")
			}
		})},
		{"wrong methods are 500", "RFC 7644 §3.12", []string{"rfc/error-wrong-method"}, "status 500", onAnswer(func(_ *request, a *answer) {
			if a.status == 405 {
				*a = *refusal(500, "", "internal error")
			}
		})},
		{"X-HTTP-Method-Override is followed", "R-70", []string{"rfc/method-override"}, "status 204", onRequest(func(q *request) {
			if m := q.header.Get("X-HTTP-Method-Override"); m != "" {
				q.method, q.body = m, nil
			}
		})},
		{"throttling names a date in Retry-After", "Okta: concepts", []string{"run/retry-after"}, "whole seconds", throttleOnce("Fri, 31 Dec 2027 23:59:59 GMT")},
		{"throttling has no Retry-After", "rancher#54870", []string{"run/retry-after"}, "whole seconds", throttleOnce("")},
	}
}

// throttleOnce answers one request with 429.
func throttleOnce(retry string) func() middleware {
	return func() middleware {
		n := 0
		return func(q *request, next func(*request) *answer) *answer {
			q.p.mu.Lock()
			n++
			now := n == 2
			q.p.mu.Unlock()
			if !now {
				return next(q)
			}
			a := refusal(429, "", "slow down")
			if retry != "" {
				a.header.Set("Retry-After", retry)
			}
			return a
		}
	}
}

func bearer(q *request) string { return "Bearer " + q.p.own.token }

func securityFaults() []fault {
	return []fault{
		{"any token is good", "Casdoor CVE-2025-4210", []string{"security/no-credentials", "entra/bad-token", "security/write-without-credentials"}, "status 401", onRequest(func(q *request) { q.header.Set("Authorization", bearer(q)) })},
		{"an empty bearer token is good", "A1", []string{"security/no-credentials"}, "status 401", onRequest(func(q *request) {
			if h := strings.TrimSpace(q.header.Get("Authorization")); h == "Bearer" {
				q.header.Set("Authorization", bearer(q))
			}
		})},
		{"writes do not check the token", "A1", []string{"security/write-without-credentials", "security/no-credentials"}, "status 401", onRequest(func(q *request) {
			if q.method != "GET" {
				q.header.Set("Authorization", bearer(q))
			}
		})},
		{"an encoded path gets past the check of the token", "Zitadel CVE-2026-32130", []string{"security/path-spellings"}, "without credentials for the path /%55sers", onRequest(func(q *request) {
			if strings.Contains(q.path, "%55") {
				q.path, q.query = "/Users", "count=1"
				q.header.Set("Authorization", bearer(q))
			}
		})},
		{"a token in the URL is accepted", "RFC 6750 §5.3", []string{"security/token-in-query"}, "a refusal of the token in the query", onRequest(func(q *request) {
			if t := q.param("access_token"); t != "" {
				q.dropParam("access_token")
				q.header.Set("Authorization", "Bearer "+t)
			}
		})},
		{"another tenant's token reads and changes", "Grafana CVE-2026-92539", []string{"security/foreign-tenant", "security/foreign-list"}, "of another tenant", onRequest(func(q *request) {
			if q.header.Get("Authorization") == "Bearer "+q.p.second {
				q.header.Set("Authorization", bearer(q))
			}
		})},
		{"another tenant's id is told apart by 403", "Cogtrix#303", []string{"security/foreign-indistinct"}, "the status of an id that does not exist", onAnswer(func(q *request, a *answer) {
			if q.header.Get("Authorization") == "Bearer "+q.p.second && q.id() != "" && q.ask("GET", q.path, nil).ok() {
				*a = *refusal(403, "", "forbidden")
			}
		})},
		{"the client chooses the id", "Grafana CVE-2025-41115", []string{"security/chosen-id"}, "the id that the client sent", onCreate(func(q *request, a *answer, o object) {
			if id := q.json()["id"]; id != nil {
				o["id"] = id
				a.set(o)
			}
		})},
		{"externalId is taken for the internal id", "Grafana CVE-2025-41115", []string{"security/external-id-is-no-key"}, "id", onRequest2(func(q *request, next func(*request) *answer) *answer {
			o := q.json()
			ext, _ := o["externalId"].(string)
			if q.method == "POST" && q.users() && len(ext) == 36 && q.ask("GET", "/Users/"+ext, nil).ok() {
				delete(o, "userName")
				a := q.ask("PATCH", "/Users/"+ext, patchOf(object{"op": "replace", "path": "displayName", "value": o["displayName"]}))
				a.status = 201
				return a
			}
			return next(q)
		})},
		{"the client sets meta.created", "B6", []string{"security/mass-assignment"}, "the server's own meta.created", onResource(func(q *request, o object) {
			if n, _ := o["userName"].(string); strings.Contains(n, "-ma-") {
				metaOf(o)["created"] = "2001-01-01T00:00:00Z"
			}
		})},
		{"operational attributes are stored", "B6", []string{"security/mass-assignment"}, "no attribute isAdmin", onResource(func(q *request, o object) {
			if n, _ := o["userName"].(string); strings.Contains(n, "-ma-") {
				o["isAdmin"] = true
			}
		})},
		{"a user can put itself into groups", "B6", []string{"security/groups-read-only"}, "after writes to groups of the user", onRequest(func(q *request) {
			ops, _ := q.json()["Operations"].([]any)
			if q.method == "PATCH" && q.users() && len(ops) == 1 && opPath(ops[0].(object)) == "groups" {
				v := ops[0].(object)["value"].([]any)
				q.ask("PATCH", "/Groups/"+memberOf(v[0]), patchOf(object{"op": "add", "path": "members", "value": []any{object{"value": q.id()}}}))
			}
		})},
		{"the password is returned", "R-44", []string{"okta-catalogue/password-never-returned", "security/password-echo"}, "password", onCreate(func(q *request, a *answer, o object) {
			if p := q.json()["password"]; p != nil {
				o["password"] = p
				a.set(o)
			}
		})},
		{"the password is returned by searches", "R-44", []string{"security/password-echo"}, "no attribute password", onList(func(q *request, _ object, items []any) {
			for _, e := range items {
				e.(object)["password"] = "$2b$10$hash"
			}
		})},
		{"deep JSON ends the process", "DIRAPI-442", []string{"security/nested-json"}, "3000 levels", refuse(502, "", "", func(q *request) bool {
			return strings.Count(string(q.body), "{") > 1000 && q.users() && q.method == "POST"
		})},
		{"large bodies are stored", "C5", []string{"security/large-body"}, "status 413", onRequest(func(q *request) {
			if o := q.json(); q.method == "POST" && len(q.body) > 1<<20 && o != nil {
				o["displayName"] = "cut"
				q.set(o)
			}
		})},
		{"texts that the database cannot hold are 500", "C7", []string{"security/odd-text"}, "status 500", onAnswer(func(q *request, a *answer) {
			if strings.Contains(string(q.body), `\u0000`) {
				*a = *refusal(500, "", "invalid byte sequence")
			}
		})},
		{"malformed JSON values are 500", "C7", []string{"security/odd-json"}, "status 500", onAnswer(func(q *request, a *answer) {
			if q.method == "POST" && a.status == 400 && strings.Contains(string(q.body), `"userName":{`) {
				*a = *refusal(500, "", "cannot cast")
			}
		})},
		{"malformed PATCH messages are 500", "C7", []string{"security/odd-patch"}, "status 500", onAnswer(func(q *request, a *answer) {
			if q.method == "PATCH" && a.status == 400 && strings.Contains(string(q.body), "null") {
				*a = *refusal(500, "", "null reference")
			}
		})},
		{"errors show a stack trace", "C4", []string{"security/error-leaks"}, "goroutine", onError(400, func(a *answer, o object) { o["detail"] = "panic: boom\n\ngoroutine 1 [running]:\nmain.go:1"; a.set(o) })},
		{"errors show the statement", "C3", []string{"security/error-leaks"}, "SELECT", onError(0, func(a *answer, o object) { o["detail"] = "SELECT * FROM users WHERE id = 1: no rows"; a.set(o) })},
		{"expressions in input are run", "SAP SCIMono CVE-2021-21479", []string{"security/error-escapes"}, "1337", onAnswer(func(q *request, a *answer) {
			if strings.Contains(q.path, "7*191") {
				*a = *refusal(404, "", "no schema 1337")
			}
		})},
		{"line breaks in values become headers", "A2", []string{"security/header-injection"}, "planted", onAnswer(func(q *request, a *answer) {
			if strings.Contains(string(q.body), "planted=1") {
				a.header = a.header.Clone()
				a.header.Set("Set-Cookie", "planted=1")
			}
		})},
		{"locations follow X-Forwarded-Host", "A2", []string{"security/forwarded-host"}, "evil.example", onResource(func(q *request, o object) {
			if h := q.header.Get("X-Forwarded-Host"); h != "" {
				metaOf(o)["location"] = "https://" + h + q.path
			}
		})},
		{"every origin may read with credentials", "CORS", []string{"security/cors"}, "evil.example", onAnswer(func(q *request, a *answer) {
			if o := q.header.Get("Origin"); o != "" {
				if a.header == nil {
					a.header = http.Header{}
				}
				a.header.Set("Access-Control-Allow-Origin", o)
				a.header.Set("Access-Control-Allow-Credentials", "true")
			}
		})},
	}
}

// onDiscovery changes one of the discovery documents.
func onDiscovery(path string, change func(o object)) func() middleware {
	return onAnswer(func(q *request, a *answer) {
		if o := a.json(); q.path == path && a.ok() {
			change(o)
			a.set(o)
		}
	})
}

func discoveryFaults() []fault {
	firstSchema := func(o object) object { return o["Resources"].([]any)[0].(object) }
	return []fault{
		{"/Schemas has nulls", "E-DEV", []string{"entra/schemas", "rfc/schemas"}, "null at", onDiscovery("/Schemas", func(o object) { firstSchema(o)["meta"] = nil })},
		{"/Schemas has a wrong totalResults", "E-DEV", []string{"entra/schemas"}, "totalResults is the number of schemas", onDiscovery("/Schemas", func(o object) { o["totalResults"] = 99 })},
		{"/Schemas writes enumerations in capitals", "E-DEV", []string{"entra/schemas", "rfc/schemas"}, "ReadWrite", onDiscovery("/Schemas", func(o object) {
			firstSchema(o)["attributes"].([]any)[0].(object)["mutability"] = "ReadWrite"
		})},
		{"a schema cannot be read by its URN", "RFC 7644 §4", []string{"rfc/schema-by-id"}, "status 200 for a schema", refuse(404, "", "not found", func(q *request) bool { return strings.HasPrefix(q.path, "/Schemas/") })},
		{"/ResourceTypes is missing", "R-10", []string{"rfc/resource-types"}, "status 404", refuse(404, "", "not found", func(q *request) bool { return strings.HasPrefix(q.path, "/ResourceTypes") })},
		{"/ResourceTypes names an endpoint without a slash", "RFC 7643 §6", []string{"rfc/resource-types"}, "an endpoint like /Users", onDiscovery("/ResourceTypes", func(o object) { firstSchema(o)["endpoint"] = "Users" })},
		{"/ServiceProviderConfig is missing", "R-10; authentik", []string{"rfc/service-provider-config"}, "status 404", refuse(404, "", "not found", func(q *request) bool { return q.path == "/ServiceProviderConfig" })},
		{"ServiceProviderConfig says that PATCH is not supported", "R-10", []string{"rfc/service-provider-config"}, "patch.supported is true", onDiscovery("/ServiceProviderConfig", func(o object) { o["patch"].(object)["supported"] = false })},
		{"ServiceProviderConfig has texts for booleans", "RFC 7643 §5", []string{"rfc/service-provider-config"}, "supported is a boolean", onDiscovery("/ServiceProviderConfig", func(o object) { o["patch"].(object)["supported"] = "true" })},
		{"bulk.maxOperations is 0", "authentik", []string{"rfc/limits-are-sane"}, "greater than 0", onDiscovery("/ServiceProviderConfig", func(o object) { o["bulk"].(object)["maxOperations"] = 0 })},
		{"attributes is ignored", "R-45", []string{"rfc/attributes", "entra/attributes"}, "no attribute", onRequest(func(q *request) { q.dropParam("attributes") })},
		{"attributes drops the id", "RFC 7644 §3.9", []string{"rfc/attributes", "entra/attributes"}, "id is", onResource(func(q *request, o object) {
			if q.has("attributes") {
				delete(o, "id")
			}
		})},
		{"excludedAttributes is ignored", "RFC 7644 §3.9", []string{"rfc/excluded-attributes", "rfc/excluded-members"}, "no attribute", onRequest(func(q *request) { q.dropParam("excludedAttributes") })},
		{"the version never changes", "RFC 7644 §3.14", []string{"rfc/etag-changes"}, "another version", onAnswer(func(q *request, a *answer) {
			if o := a.json(); a.ok() && o["meta"] != nil {
				metaOf(o)["version"] = `W/"1"`
				a.header.Set("ETag", `W/"1"`)
				a.set(o)
			}
		})},
		{"reads have no ETag", "RFC 7644 §3.14", []string{"rfc/etag-present"}, "an ETag header", onAnswer(func(_ *request, a *answer) { a.header.Del("ETag") })},
		{"If-Match is ignored", "RFC 7644 §3.14", []string{"rfc/etag-if-match"}, "status 412", onRequest(func(q *request) { q.header.Del("If-Match") })},
		{"If-None-Match is ignored", "RFC 7644 §3.14", []string{"rfc/etag-if-none-match"}, "status 304", onRequest(func(q *request) { q.header.Del("If-None-Match") })},
		{"If-Match with the current version is refused", "elimity-com/scim#175", []string{"rfc/etag-if-match-current"}, "status 412", refuse(412, "", "version", func(q *request) bool { return q.header.Get("If-Match") != "" })},
	}
}

// onBulk changes the body of bulk requests.
func onBulk(change func(b object, ops []any)) func() middleware {
	return onRequest(func(q *request) {
		b := q.json()
		if ops, ok := b["Operations"].([]any); ok && q.path == "/Bulk" {
			change(b, ops)
			q.set(b)
		}
	})
}

// onBulkAnswer changes the operations of bulk answers.
func onBulkAnswer(change func(o object)) func() middleware {
	return onAnswer(func(q *request, a *answer) {
		b := a.json()
		if ops, ok := b["Operations"].([]any); ok && q.path == "/Bulk" {
			for _, o := range ops {
				change(o.(object))
			}
			a.set(b)
		}
	})
}

func bulkFaults() []fault {
	dropMembers := func(o object) {
		if d, ok := o["data"].(object); ok && strings.Contains(string(mustJSON(d["members"])), "bulkId:") {
			delete(d, "members")
		}
	}
	return []fault{
		{"references by bulkId are not resolved", "wso2/product-is#11403", []string{"rfc/bulk-reference", "rfc/bulk-reference-forward"}, "after the bulk request", onBulk(func(_ object, ops []any) {
			for _, o := range ops {
				dropMembers(o.(object))
			}
		})},
		{"references to later operations are not resolved", "RFC 7644 §3.7.2", []string{"rfc/bulk-reference-forward"}, "after the bulk request", onBulk(func(_ object, ops []any) { dropMembers(ops[0].(object)) })},
		{"failOnErrors is ignored", "RFC 7644 §3.7.3", []string{"rfc/bulk-fail-on-errors"}, "of the operation after the error", onBulk(func(b object, _ []any) { delete(b, "failOnErrors") })},
		{"the announced limit of bulk is not held", "SCIMple §8.8", []string{"rfc/bulk-limit"}, "status 413", onBulk(func(b object, ops []any) {
			if len(ops) > 100 {
				b["Operations"] = ops[:1]
			}
		})},
		{"status in bulk answers is a number", "RFC 7644 §3.7.3", []string{"rfc/bulk-create"}, `status "201"`, onBulkAnswer(func(o object) { o["status"], _ = strconv.Atoi(o["status"].(string)) })},
		{"bulk answers have no location", "RFC 7644 §3.7.3", []string{"rfc/bulk-create"}, "a location", onBulkAnswer(func(o object) { delete(o, "location") })},
		{"failed operations of bulk have no error", "RFC 7644 §3.7.3", []string{"rfc/bulk-errors"}, "as response of the failed operation", onBulkAnswer(func(o object) { delete(o, "response") })},
		{"bulk ignores DELETE", "RFC 7644 §3.7", []string{"rfc/bulk-mixed"}, "after the DELETE in bulk", onBulk(func(_ object, ops []any) {
			for _, o := range ops {
				if e := o.(object); e["method"] == "DELETE" && len(ops) == 3 {
					e["method"], e["data"] = "PATCH", patchOf(object{"op": "replace", "path": "active", "value": false})
				}
			}
		})},
		{"bulk answers leave bulkId out", "RFC 7644 §3.7.3", []string{"rfc/bulk-create"}, "the bulkId of the request", onBulkAnswer(func(o object) { delete(o, "bulkId") })},
		{"one failing operation fails the whole bulk request", "RFC 7644 §3.7.3", []string{"rfc/bulk-errors"}, "status 409", onAnswer(func(q *request, a *answer) {
			if q.path == "/Bulk" && strings.Contains(string(a.body), `"409"`) {
				*a = *refusal(409, "uniqueness", "userName is taken")
			}
		})},
	}
}
