package verify_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/provost-scim/provost/verify"
)

// TestRun_OddServers plays everything at servers that answer nonsense: no case may break, and none of them is good.
func TestRun_OddServers(t *testing.T) {
	bodies := []string{
		"", "null", "1", `"x"`, "[]", "{}", "[null]", "{} trailing", "\xff\xfe", "<html>", `{"id":""}`, `{"id":7}`, `{"id":{}}`,
		`{"id":"x","members":{},"meta":[],"emails":[null,1],"schemas":{},"name":"n","groups":"g"}`,
		`{"totalResults":1,"Resources":[null]}`, `{"totalResults":-1,"Resources":{}}`, `{"totalResults":"1","Resources":[{"id":1}]}`,
		`{"totalResults":1e400,"Resources":[[]],"itemsPerPage":null,"startIndex":[]}`,
		`{"totalResults":3,"Resources":[{"id":"a"},{"id":"b"},{"id":"c"}],"nextCursor":"same","Operations":[null,1,{"status":1,"location":[]}]}`,
		`{"schemas":["x"],"detail":7,"status":[],"scimType":{}}`,
	}
	for _, status := range []int{200, 201, 204, 404, 500} {
		for i, body := range bodies {
			if status > 201 && i%5 != 0 { // their bodies are hardly read
				continue
			}
			t.Run(fmt.Sprint(status, " ", body), func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/scim+json")
					if strings.HasSuffix(r.URL.Path, "/ServiceProviderConfig") { // let the cases of optional features begin
						_, _ = w.Write([]byte(`{"bulk":{"supported":true,"maxOperations":2},"sort":{"supported":true},"etag":{"supported":true},"pagination":{"cursor":true,"maxPageSize":5}}`))
						return
					}
					w.WriteHeader(status)
					_, _ = w.Write([]byte(body))
				}))
				defer server.Close()
				rep, err := verify.Run(t.Context(), verify.Options{URL: server.URL, Auth: verify.Auth{Token: "token"}, Skip: []string{"security/large-body", "rfc/meta-times"}})
				if err != nil {
					t.Fatal(err)
				}
				if rep.OK() {
					t.Errorf("this server is called good: %s", rep.Summary())
				}
				for _, r := range rep.Results {
					if strings.Contains(r.Reason, "case itself broke") {
						t.Errorf("%s: %s", r.Name, r.Reason)
					}
				}
				var page strings.Builder
				if err := rep.WriteJSON(&page); err != nil {
					t.Error(err)
				}
				if err := rep.WriteHTML(&page); err != nil {
					t.Error(err)
				}
				if err := rep.WriteJUnit(&page); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
