package scimserver_test

import (
	"strings"
	"testing"
)

func patchUser(ops string, want ...string) step {
	return step{method: "PATCH", path: "/Users/{u}", body: patchOp(ops), status: 200, want: want}
}

func getUser(want ...string) step {
	return step{method: "GET", path: "/Users/{u}", status: 200, want: want}
}

func postUser(body string, want ...string) step {
	return step{method: "POST", path: "/Users", body: body, status: 201, want: want, keep: "u"}
}

func findUser(filter string, total string) step {
	return step{method: "GET", path: "/Users?filter=" + filter, status: 200, want: []string{"/totalResults", total}}
}

const (
	manager = "/" + entURN + "/manager/value"
	mgrPath = entURN + ":manager"
)

// users are the rows about users.
var users = []requirement{
	{"R-16", "create", []step{
		{method: "POST", path: "/Users", body: entraUser, status: 201, keep: "u", check: location,
			want: []string{"/userName", "u@x.test", "/externalId", "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef", "/active", "true", "/emails/0/value", "u@x.test", "/emails/0/type", "work",
				"/emails/0/primary", "true", "/name/formatted", "G F", "/name/familyName", "F", "/meta/resourceType", "User", "/roles", absent}},
		{method: "POST", path: "/Users", body: oktaUser, status: 201, keep: "o", check: location,
			want: []string{"/userName", "okta@x.test", "/displayName", "G F", "/locale", "en-US", "/password", absent}},
	}},
	{"R-17", "duplicate userName", []step{
		postUser(entraUser),
		{method: "POST", path: "/Users", body: entraUser, status: 409, want: []string{"/scimType", "uniqueness", "/status", `"409"`}},
		{method: "POST", path: "/Users", body: `{"userName":"U@X.TEST"}`, status: 409, want: []string{"/scimType", "uniqueness"}},
	}},
	{"R-18", "nulls, empty lists, foreign schemas, undeclared extension, meta", []step{
		postUser(`{"schemas":["`+userURN+`","urn:ietf:params:scim:schemas:extension:enterprise:2.0:Usr"],"userName":"n","addresses":null,"phoneNumbers":null,"title":null,"roles":[],
		 "`+entURN+`":{"department":"D","manager":null},"meta":{"resourceType":"User","version":"W/\"99\""},"id":"mine"}`,
			"/title", absent, "/addresses", absent, "/"+entURN+"/department", "D", "/meta/version", `"W/\"1\""`),
		{method: "GET", path: "/Users/mine", status: 404},
	}},
	{"R-19", "PUT of the whole object", []step{
		postUser(oktaUser),
		{method: "PUT", path: "/Users/{u}", status: 200, body: `{"schemas":["` + userURN + `","urn:unknown"],"id":"{u}","meta":{"created":"2001-01-01T00:00:00Z","version":"x"},"groups":[{"value":"g"}],
		 "userName":"okta@x.test","externalId":"00ujl29u0le5T6Aj10h7","name":{"givenName":"New","familyName":"F"},"emails":[{"primary":true,"value":"okta@x.test","type":"work"}],"nonsense":{"a":1},"active":false}`,
			want: []string{"/id", "{u}", "/name/givenName", "New", "/active", "false", "/groups", absent, "/displayName", absent, "/nonsense", absent}},
		{method: "PUT", path: "/Users/{u}", status: 200, body: `{"userName":"okta@x.test"}`, want: []string{"/active", "false", "/name", absent}},
		{method: "PUT", path: "/Users/{u}", status: 200, body: `{"userName":"okta@x.test","active":true}`, want: []string{"/active", "true"}},
		{method: "PUT", path: "/Users/none", status: 404, body: `{"userName":"x"}`},
	}},
	{"R-20", "missing userName, broken JSON", []step{
		postUser(`{"userName":"u"}`),
		{method: "POST", path: "/Users", body: `{"displayName":"x"}`, status: 400, want: []string{"/scimType", "invalidValue"}},
		{method: "PUT", path: "/Users/{u}", body: `{"displayName":"x"}`, status: 400, want: []string{"/scimType", "invalidValue"}},
		{method: "POST", path: "/Users", body: `{"userName":`, status: 400, want: []string{"/scimType", "invalidSyntax"}},
		{method: "POST", path: "/Users", body: `[]`, status: 400, want: []string{"/scimType", "invalidSyntax"}},
		{method: "POST", path: "/Users", body: `{"userName":"a","username":"b"}`, status: 400, want: []string{"/scimType", "invalidSyntax"}},
		{method: "POST", path: "/Users", status: 400},
	}},
	{"R-21", "get by id", []step{
		postUser(entraUser),
		getUser("/id", "{u}", "/name/givenName", "G", "/name/familyName", "F", "/userName", "u@x.test", "/active", "true", "/emails/0/value", "u@x.test"),
	}},
	{"R-22", "unknown id", []step{
		{method: "GET", path: "/Users/010101001010101011001010101011", status: 404, check: detail, want: []string{"/schemas/0", errorURN, "/status", `"404"`}},
		{method: "GET", path: "/Users/00919288221112222", status: 404, check: detail, want: []string{"/status", `"404"`}},
	}},
	{"R-23", "filter userName in any case and encoding", []step{
		postUser(`{"userName":"Ann.O'Hara@x.test"}`),
		findUser(`userName eq "Ann.O'Hara@x.test"`, "1"),
		findUser(`userName eq "ANN.O'HARA@X.TEST"`, "1"),
		findUser(`userName+eq+%22ann.o'hara@x.test%22`, "1"),
		findUser(`userName%20eq%20%22ann.o%27hara%40x.test%22`, "1"),
		findUser(`USERNAME EQ "ann.o'hara@x.test"`, "1"),
		findUser(`userName eq "ann"`, "0"),
	}},
	{"R-24", "filter other match attributes", []step{
		postUser(`{"userName":"u","externalId":"Ext-1","displayName":"Dis Play","emails":[{"type":"work","value":"W@x.test"},{"type":"home","value":"h@x.test"}]}`),
		findUser(`externalId eq "Ext-1"`, "1"),
		findUser(`externalId eq "ext-1"`, "0"),
		findUser(`emails[type eq "work"].value eq "w@x.test"`, "1"),
		findUser(`emails[type eq "work"].value eq "h@x.test"`, "0"),
		findUser(`emails[type eq "work" and value eq "w@x.test"]`, "1"),
		findUser(`DISPLAYNAME eq "dis play"`, "1"),
	}},
	{"R-25", "filter emails without sub-attribute, unknown attribute", []step{
		postUser(`{"userName":"u","emails":[{"value":"a@x.test"}]}`),
		findUser(`emails eq "a@x.test"`, "1"),
		findUser(`emails co "X.TEST"`, "1"),
		{method: "GET", path: `/Users?filter=email co "a"`, status: 400, want: []string{"/scimType", "invalidFilter"}},
		{method: "GET", path: `/Users?filter=userName xx "a"`, status: 400, want: []string{"/scimType", "invalidFilter"}},
		{method: "GET", path: `/Users?filter=(userName eq "a"`, status: 400, want: []string{"/scimType", "invalidFilter"}},
	}},
	{"R-26", "reference probe", []step{
		{method: "POST", path: "/Users", body: `{"userName":"m"}`, status: 201, keep: "m"},
		postUser(`{"userName":"u","` + entURN + `":{"manager":{"value":"{m}"}}}`),
		{method: "GET", path: `/Users?filter=id eq "{u}" and manager eq "{m}"&attributes=id`, status: 200, want: []string{"/totalResults", "1", "/Resources/0/id", "{u}", "/Resources/0/userName", absent}},
		{method: "GET", path: `/Users?filter=manager eq "{m}" and id eq "{u}"&attributes=id`, status: 200, want: []string{"/totalResults", "1"}},
		{method: "GET", path: `/Users?filter=id eq "{m}" and manager eq "{m}"&attributes=id`, status: 200, want: noMatch},
	}},
	{"R-27", "unquoted literal", []step{
		postUser(`{"userName":"u","externalId":"jyoung"}`),
		findUser(`externalId eq jyoung`, "1"),
		{method: "GET", path: `/Users?filter=externalId`, status: 400, want: []string{"/scimType", "invalidFilter"}},
	}},
	{"R-29", "disable, three spellings", []step{
		postUser(`{"userName":"u"}`),
		patchUser(`{"op":"Replace","path":"active","value":"False"}`, "/active", "false"), getUser("/active", "false"),
		findUser(`userName eq "u"`, "1"),
		patchUser(`{"op":"replace","path":"active","value":true}`, "/active", "true"),
		patchUser(`{"op":"replace","path":"active","value":false}`, "/active", "false"), getUser("/active", "false"),
		patchUser(`{"op":"replace","path":"active","value":true}`, "/active", "true"),
		patchUser(`{"op":"replace","value":{"active":false}}`, "/active", "false"), getUser("/active", "false"),
	}},
	{"R-30", "enable, three spellings, memberships intact", []step{
		postUser(`{"userName":"u","active":false}`, "/active", "false"),
		{method: "POST", path: "/Groups", body: `{"displayName":"g","members":[{"value":"{u}"}]}`, status: 201, keep: "g"},
		patchUser(`{"op":"Replace","path":"active","value":"True"}`, "/active", "true", "/id", "{u}", "/groups/0/value", "{g}"),
		patchUser(`{"op":"replace","value":{"active":false}}`, "/active", "false"),
		patchUser(`{"op":"replace","path":"active","value":true}`, "/active", "true"),
		patchUser(`{"op":"replace","value":{"active":false}}`, "/active", "false"),
		patchUser(`{"op":"replace","value":{"active":true}}`, "/active", "true"),
		{method: "GET", path: "/Groups/{g}", status: 200, want: []string{"/members/0/value", "{u}"}},
	}},
	{"R-31", "op in any case", []step{
		postUser(`{"userName":"u"}`),
		patchUser(`{"op":"Add","path":"title","value":"a"}`, "/title", "a"),
		patchUser(`{"op":"ADD","path":"nickName","value":"b"}`, "/nickName", "b"),
		patchUser(`{"op":"Replace","path":"title","value":"c"}`, "/title", "c"),
		patchUser(`{"op":"Remove","path":"title"}`, "/title", absent),
		{method: "PATCH", path: "/Users/{u}", body: patchOp(`{"op":"move","path":"title"}`), status: 400},
	}},
	{"R-32", "many replaces, all or none", []step{
		postUser(entraUser),
		patchUser(`{"op":"Replace","path":"displayName","value":"D"},{"op":"Replace","path":"emails[type eq \"work\"].value","value":"n@x.test"},{"op":"Replace","path":"name.givenName","value":"N"},
		 {"op":"Replace","path":"externalId","value":"e2"},{"op":"Replace","path":"title","value":"T"},{"op":"Replace","path":"`+entURN+`:employeeNumber","value":"7"}`,
			"/displayName", "D", "/emails/0/value", "n@x.test", "/name/givenName", "N", "/externalId", "e2", "/title", "T", "/"+entURN+"/employeeNumber", `"7"`),
		{method: "PATCH", path: "/Users/{u}", body: patchOp(`{"op":"Replace","path":"displayName","value":"Z"},{"op":"Replace","path":"userName","value":""}`), status: 400},
		getUser("/displayName", "D"),
	}},
	{"R-33", "dotted and URN keys without path", []step{
		postUser(entraUser),
		patchUser(`{"op":"replace","value":{"displayName":"D","name.givenName":"G2","name.familyName":"F2","`+entURN+`:employeeNumber":"E"}}`,
			"/displayName", "D", "/name/givenName", "G2", "/name/familyName", "F2", "/"+entURN+"/employeeNumber", "E", "/name.givenName", absent),
		getUser("/name/givenName", "G2", "/name.givenName", absent),
	}},
	{"R-34", "a value path creates", []step{
		postUser(`{"userName":"u","emails":[{"type":"home","value":"h@x.test"}]}`),
		patchUser(`{"op":"Add","path":"emails[type eq \"work\"].value","value":"w@x.test"}`, "/emails/#", "2", "/emails/0/value", "h@x.test", "/emails/1/type", "work", "/emails/1/value", "w@x.test"),
		patchUser(`{"op":"Replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"1"}`, "/phoneNumbers/0/type", "mobile", "/phoneNumbers/0/value", `"1"`),
		patchUser(`{"op":"Add","path":"addresses[type eq \"work\"].country","value":"DE"}`, "/addresses/0/type", "work", "/addresses/0/country", "DE"),
	}},
	{"R-35", "a value path updates in place", []step{
		postUser(`{"userName":"u","emails":[{"type":"home","value":"h@x.test"},{"type":"work","value":"w@x.test","primary":true}]}`),
		patchUser(`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"n@x.test"}`, "/emails/#", "2", "/emails/0/value", "h@x.test", "/emails/1/value", "n@x.test", "/emails/1/primary", "true"),
	}},
	{"R-36", "roles with primary as a string", []step{
		postUser(`{"userName":"u","roles":[{"value":"r","primary":"True"}]}`, "/roles/0/primary", "true"),
		{method: "POST", path: "/Users", body: `{"userName":"v"}`, status: 201, keep: "u"},
		patchUser(`{"op":"Add","path":"roles[primary eq \"True\"].value","value":"admin"}`, "/roles/0/value", "admin", "/roles/0/primary", "true"),
		patchUser(`{"op":"Add","path":"roles[primary eq \"True\"].display","value":"Admin"}`, "/roles/#", "1", "/roles/0/display", "Admin", "/roles/0/value", "admin"),
	}},
	{"R-37", "manager in every spelling", []step{
		postUser(`{"userName":"u"}`),
		patchUser(`{"op":"Add","path":"`+mgrPath+`","value":"271"}`, manager, `"271"`),
		patchUser(`{"op":"Replace","path":"manager","value":{"value":"m2"}}`, manager, "m2"),
		patchUser(`{"op":"Add","path":"manager","value":[{"$ref":"https://x/Users/m3","value":"m3"}]}`, manager, "m3"),
		patchUser(`{"op":"replace","path":"`+mgrPath+`","value":""}`, manager, absent),
		patchUser(`{"op":"Add","path":"`+mgrPath+`","value":{"value":"m4"}}`, manager, "m4"),
		patchUser(`{"op":"replace","path":"`+mgrPath+`","value":{"value":""}}`, manager, absent),
		patchUser(`{"op":"Add","path":"`+entURN+`.manager","value":"m5"}`, manager, "m5"),
		patchUser(`{"op":"remove","path":"manager"}`, manager, absent),
	}},
	{"R-38", "rename", []step{
		postUser(`{"userName":"old"}`),
		patchUser(`{"op":"Replace","path":"userName","value":"mid"}`, "/userName", "mid"),
		patchUser(`{"op":"replace","value":{"userName":"new"}}`, "/userName", "new"),
		findUser(`userName eq "new"`, "1"), findUser(`userName eq "old"`, "0"),
		{method: "POST", path: "/Users", body: `{"userName":"old"}`, status: 201},
		{method: "PATCH", path: "/Users/{u}", body: patchOp(`{"op":"Replace","path":"userName","value":"OLD"}`), status: 409, want: []string{"/scimType", "uniqueness"}},
	}},
	{"R-39", "operations in order", []step{
		postUser(`{"userName":"u","title":"a"}`),
		patchUser(`{"op":"remove","path":"title"},{"op":"add","path":"title","value":"b"},{"op":"replace","path":"title","value":"c"}`, "/title", "c"),
	}},
	{"R-40", "remove", []step{
		postUser(`{"userName":"u","title":"a","emails":[{"type":"work","value":"w@x.test"},{"type":"home","value":"h@x.test"}]}`),
		patchUser(`{"op":"remove","path":"title"}`, "/title", absent),
		patchUser(`{"op":"remove","path":"emails[type eq \"work\"]"}`, "/emails/#", "1", "/emails/0/type", "home"),
		{method: "PATCH", path: "/Users/{u}", body: patchOp(`{"op":"remove","path":"userName"}`), status: 400, check: func(t *testing.T, _ *peer, a answer) {
			if typ := a.text("/scimType"); typ != "mutability" && typ != "invalidValue" {
				t.Errorf("scimType is %q", typ)
			}
		}},
	}},
	{"R-41", "a PATCH that changes nothing still answers with the resource", []step{
		postUser(`{"userName":"u","title":"a"}`),
		patchUser(`{"op":"replace","path":"title","value":"a"}`, "/title", "a", "/meta/version", `"W/\"1\""`),
	}},
	{"R-42", "delete", []step{
		postUser(`{"userName":"u"}`),
		{method: "DELETE", path: "/Users/{u}", status: 204},
		{method: "GET", path: "/Users/{u}", status: 404},
		{method: "DELETE", path: "/Users/{u}", status: 404},
		{method: "PATCH", path: "/Users/{u}", body: patchOp(`{"op":"replace","path":"active","value":false}`), status: 404},
		findUser(`userName eq "u"`, "0"),
	}},
	{"R-43", "create again after delete", []step{
		postUser(`{"userName":"u"}`),
		{method: "DELETE", path: "/Users/{u}", status: 204},
		{method: "POST", path: "/Users", body: `{"userName":"u"}`, status: 201, check: func(t *testing.T, p *peer, a answer) {
			if a.text("/id") == p.vars["u"] {
				t.Error("the id of a deleted user came back")
			}
		}},
	}},
	{"R-44", "password", []step{
		postUser(oktaUser, "/password", absent),
		{method: "PUT", path: "/Users/{u}", body: oktaUser, status: 200, want: []string{"/password", absent}},
		patchUser(`{"op":"replace","value":{"password":"S3cret-2"}}`, "/password", absent),
		patchUser(`{"op":"replace","path":"password","value":"S3cret-3"}`, "/password", absent),
		{method: "GET", path: "/Users/{u}?attributes=password", status: 200, want: []string{"/password", absent}},
		{method: "GET", path: `/Users?filter=password eq "S3cret-3"`, status: 403, want: []string{"/scimType", "sensitive"}},
	}},
	{"R-45", "attributes and excludedAttributes", []step{
		postUser(entraUser),
		{method: "GET", path: "/Users/{u}?attributes=userName,emails", status: 200, want: []string{"/id", "{u}", "/schemas/0", userURN, "/userName", "u@x.test", "/emails/#", "1", "/name", absent}},
		{method: "GET", path: "/Users/{u}?attributes=id", status: 200, want: []string{"/id", "{u}", "/userName", absent}},
		{method: "GET", path: "/Users?attributes=name.givenName", status: 200, want: []string{"/Resources/0/name/givenName", "G", "/Resources/0/name/familyName", absent}},
		{method: "GET", path: "/Users/{u}?excludedAttributes=emails,id", status: 200, want: []string{"/id", "{u}", "/emails", absent, "/name/givenName", "G"}},
		{method: "POST", path: "/Users?attributes=userName", body: `{"userName":"p","title":"t"}`, status: 201, want: []string{"/userName", "p", "/title", absent}},
	}},
	{"R-46", "two primaries", []step{
		postUser(`{"userName":"u"}`),
		{method: "PUT", path: "/Users/{u}", body: `{"userName":"u","emails":[{"type":"work","value":"a@x.test","primary":true},{"type":"home","value":"a@x.test","primary":true}]}`, status: 200, check: func(t *testing.T, _ *peer, a answer) {
			if n := strings.Count(string(a.raw), `"primary":true`); n != 1 {
				t.Errorf("%d primary e-mail addresses: %s", n, a.raw)
			}
		}},
	}},
	{"R-47", "empty strings", []step{
		postUser(`{"userName":"u","title":"x"}`),
		{method: "PUT", path: "/Users/{u}", body: `{"userName":"u","title":"","name":{"givenName":""}}`, status: 200},
	}},
	{"R-48", "values as they were sent", []step{
		postUser(`{"userName":"u","phoneNumbers":[{"type":"work","value":"55555555555"}]}`),
		getUser("/phoneNumbers/0/value", `"55555555555"`),
	}},
}

func location(t *testing.T, p *peer, a answer) {
	t.Helper()
	id := a.text("/id")
	if id == "" || strings.Contains(id, "bulkId") || !strings.HasSuffix(a.header.Get("Location"), "/Users/"+id) || a.text("/meta/location") != a.header.Get("Location") {
		t.Errorf("id %q, Location %q, meta.location %q", id, a.header.Get("Location"), a.text("/meta/location"))
	}
}

func detail(t *testing.T, _ *peer, a answer) {
	t.Helper()
	if a.text("/detail") == "" {
		t.Error("an error without detail")
	}
}
