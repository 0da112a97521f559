package scimserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/provost-scim/provost/access"
)

func bulkOf(head string, ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],` + head + `"Operations":[` + strings.Join(ops, ",") + `]}`
}

// idOf is the id in the location of an operation's result.
func (a answer) idOf(i int) string {
	at := a.text(fmt.Sprintf("/Operations/%d/location", i))
	return at[strings.LastIndexByte(at, '/')+1:]
}

func TestBulk(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		p.user("old")
		p.user("gone")
		p.group("team", p.vars["old"])
		a := p.must(200, "POST", "/Bulk", bulkOf("",
			`{"method":"POST","path":"/Users","bulkId":"q","data":{"userName":"Alice"}}`,
			`{"method":"PUT","path":"/Users/{old}","version":"W/\"1\"","data":{"userName":"old","title":"x"}}`,
			`{"method":"PATCH","path":"/Users/{old}","data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"nickName","value":"o"}]}}`,
			`{"method":"PATCH","path":"/Users/{old}","data":[{"op":"add","path":"locale","value":"de"}]}`,
			`{"method":"DELETE","path":"/Users/{gone}","version":"W/\"1\""}`,
			`{"method":"PATCH","path":"/Groups/{team}","data":{"Operations":[{"op":"add","path":"members","value":[{"value":"bulkId:q"}]}]}}`,
		),
			"/schemas/0", "urn:ietf:params:scim:api:messages:2.0:BulkResponse", "/Operations/#", "6",
			"/Operations/0/status", `"201"`, "/Operations/0/bulkId", "q", "/Operations/0/method", "POST", "/Operations/0/version", `"W/\"1\""`,
			"/Operations/1/status", `"200"`, "/Operations/1/location", p.base+"/Users/"+p.vars["old"], "/Operations/1/version", `"W/\"2\""`,
			"/Operations/2/status", `"200"`, "/Operations/3/status", `"200"`, "/Operations/4/status", `"204"`, "/Operations/5/status", `"204"`,
			"/Operations/0/response", absent)
		p.must(200, "GET", "/Users/{old}", "", "/title", "x", "/nickName", "o", "/locale", "de")
		p.must(404, "GET", "/Users/{gone}", "")
		p.must(200, "GET", `/Groups/{team}?attributes=members.value`, "", "/members/#", "2", "/members/1/value", a.idOf(0))
	})
}

// TestBulkReferences: in any order and in circles (RFC 7644 §3.7.1, §3.7.2).
func TestBulkReferences(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		a := p.must(200, "POST", "/Bulk", bulkOf("",
			`{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"g","externalId":"e","members":[{"type":"User","value":"bulkId:u"},{"type":"Group","value":"bulkId:h"}]}}`,
			`{"method":"PATCH","path":"/Groups/bulkId:h","data":{"Operations":[{"op":"remove","path":"members[value eq \"bulkId:u\"]"},{"op":"add","path":"members","value":[{"value":"bulkId:v"}]}]}}`,
			`{"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"u","`+entURN+`":{"employeeNumber":"1","manager":{"value":"bulkId:v"}}}}`,
			`{"method":"POST","path":"/Users","bulkId":"v","data":{"userName":"v","`+entURN+`":{"manager":"bulkId:u"}}}`,
			`{"method":"POST","path":"/Groups","bulkId":"h","data":{"displayName":"h","members":[{"value":"bulkId:u"}]}}`,
			`{"method":"POST","path":"/Users","bulkId":"self","data":{"userName":"self","`+entURN+`":{"manager":{"value":"bulkId:self"}}}}`,
			`{"method":"POST","path":"/Users","bulkId":"text","data":{"userName":"text","title":"bulkId:nobody"}}`,
		), "/Operations/#", "7")
		for i, status := range []string{"201", "204", "201", "201", "201", "201", "201"} {
			if got := a.text(fmt.Sprintf("/Operations/%d/status", i)); got != status {
				t.Fatalf("operation %d: status %s, want %s: %s", i, got, status, a.raw)
			}
		}
		p.must(200, "GET", "/Groups/"+a.idOf(0), "", "/members/#", "2", "/externalId", "e")
		p.must(200, "GET", "/Users/"+a.idOf(2), "", manager, a.idOf(3), "/"+entURN+"/employeeNumber", `"1"`)
		p.must(200, "GET", "/Users/"+a.idOf(3), "", manager, a.idOf(2))
		p.must(200, "GET", "/Groups/"+a.idOf(4), "", "/members/#", "1", "/members/0/value", a.idOf(3))
		p.must(200, "GET", "/Users/"+a.idOf(5), "", manager, a.idOf(5))
		p.must(200, "GET", "/Users/"+a.idOf(6), "", "/title", "bulkId:nobody")
		if a.idOf(1) != a.idOf(4) {
			t.Errorf("the location of a PATCH by bulkId is %s", a.text("/Operations/1/location"))
		}
	})
}

// TestBulkFailures: an operation that fails is undone alone, and what refers to it fails with it.
func TestBulkFailures(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		p.user("taken")
		a := p.must(200, "POST", "/Bulk", bulkOf("",
			`{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"a"}}`,
			`{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"TAKEN"}}`,
			`{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"b2"}}`,
			`{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"g","members":[{"value":"bulkId:a"},{"value":"bulkId:b"}]}}`,
			`{"method":"POST","path":"/Groups","bulkId":"h","data":{"displayName":"h","members":[{"value":"bulkId:none"}]}}`,
			`{"method":"PUT","path":"/Users/{taken}","version":"W/\"7\"","data":{"userName":"taken"}}`,
			`{"method":"DELETE","path":"/Users/nobody"}`,
			`{"method":"POST","path":"/Users/{taken}","data":{"userName":"x"}}`,
			`{"method":"PUT","path":"/Users","data":{"userName":"x"}}`,
			`{"method":"GET","path":"/Users/{taken}"}`,
			`{"method":"POST","path":"/Nothing","data":{}}`,
			`{"method":"POST","path":"/Users"}`,
			`{"method":"PATCH","path":"/Users/{taken}","data":{"Operations":[{"op":"add","path":"title","value":"t"},{"op":"add","path":"userName","value":""}]}}`,
			`{"method":"POST","path":"/Users","bulkId":"z","data":{"userName":"z"}}`,
		), "/Operations/#", "14")
		for i, want := range []string{"201", "409", "400", "409", "400", "412", "404", "400", "400", "400", "404", "400", "400", "201"} {
			if got := a.text(fmt.Sprintf("/Operations/%d/status", i)); got != want {
				t.Errorf("operation %d: status %s, want %s: %s", i, got, want, a.raw)
			}
			if want[0] == '4' && (a.text(fmt.Sprintf("/Operations/%d/response/detail", i)) == "" || a.text(fmt.Sprintf("/Operations/%d/response/status", i)) != want) {
				t.Errorf("operation %d has no complete error", i)
			}
		}
		a.expect(t, "failed", 200, "/Operations/1/location", absent, "/Operations/1/response/scimType", "uniqueness", "/Operations/5/location", p.base+"/Users/"+p.vars["taken"])
		p.must(200, "GET", "/Users?attributes=userName", "", "/totalResults", "3", "/Resources/1/userName", "a", "/Resources/2/userName", "z")
		p.must(200, "GET", "/Groups", "", "/totalResults", "0")
		p.must(200, "GET", "/Users/{taken}", "", "/title", absent)
	})
}

// TestBulkLateFailure: a resource that cannot be completed in the second pass is not left behind half made.
func TestBulkLateFailure(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		a := p.must(200, "POST", "/Bulk", bulkOf("",
			`{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"a","members":[{"value":"bulkId:b"}]}}`,
			`{"method":"POST","path":"/Groups","bulkId":"b","data":{"displayName":"b","members":[{"value":"bulkId:a"}]}}`,
			`{"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"u"}}`,
		), "/Operations/#", "3", "/Operations/2/status", `"201"`)
		made := 0
		for i := range 2 {
			if a.text(fmt.Sprintf("/Operations/%d/status", i)) == "201" {
				made++
			}
		}
		p.must(200, "GET", "/Groups", "", "/totalResults", fmt.Sprint(made))
		if made != 0 {
			t.Errorf("groups that hold each other: %s", a.raw)
		}
		p.must(200, "GET", "/Users", "", "/totalResults", "1")
	})
}

func TestBulkFailOnErrors(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		ops := []string{
			`{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"a"}}`,
			`{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"g","members":[{"value":"bulkId:late"}]}}`,
			`{"method":"DELETE","path":"/Users/x"}`,
			`{"method":"DELETE","path":"/Users/y"}`,
			`{"method":"POST","path":"/Users","bulkId":"late","data":{"userName":"late"}}`,
		}
		p.must(200, "POST", "/Bulk", bulkOf(`"failOnErrors":2,`, ops...), "/Operations/#", "3", "/Operations/0/status", `"201"`, "/Operations/1/status", `"409"`, "/Operations/2/status", `"404"`)
		p.must(200, "GET", "/Users", "", "/totalResults", "1")
		p.must(200, "GET", "/Groups", "", "/totalResults", "0")
		p.must(200, "POST", "/Bulk", bulkOf(`"failOnErrors":1,`, `{"method":"DELETE","path":"/Users/x"}`, ops[4]), "/Operations/#", "1")
		p.must(400, "POST", "/Bulk", bulkOf(`"failOnErrors":"x",`), "/scimType", "invalidValue")
		p.must(400, "POST", "/Bulk", bulkOf(`"failOnErrors":-1,`))
		p.must(400, "POST", "/Bulk", `{"Operations":{}}`)
		p.must(400, "POST", "/Bulk", `{"Operations":[1]}`)
		p.must(200, "POST", "/Bulk", bulkOf(""), "/Operations", "[]")
	})
}
