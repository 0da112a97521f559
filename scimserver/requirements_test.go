package scimserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/provost-scim/provost/access"
)

// step is one exchange of a requirement. keep stores the id of the answer for the steps after it.
type step struct {
	method, path, body string
	header             []string
	status             int
	want               []string
	keep               string
	check              func(t *testing.T, p *peer, a answer)
}

// requirement is one row of what identity providers need, by its number. Each runs in a tenant of its own.
type requirement struct {
	id    string
	what  string
	steps []step
}

// TestRequirements plays, every exchange on both stores.
func TestRequirements(t *testing.T) {
	rows := append(append(append([]requirement{}, connection...), users...), groups...)
	onBothStores(t, func(t *testing.T, s *site) {
		for _, r := range rows {
			t.Run(r.id, func(t *testing.T) { r.run(t, s) })
		}
	})
	t.Run("complete", func(t *testing.T) {
		have := map[string]bool{}
		for _, r := range rows {
			have[r.id] = true
		}
		for n := 1; n <= 70; n++ {
			if id := fmt.Sprintf("R-%02d", n); !have[id] && elsewhere[id] == "" {
				t.Errorf("%s has no row", id)
			}
		}
	})
}

// elsewhere are the rows that are no exchange: where they are tested.
var elsewhere = map[string]string{
	"R-12": "TLS is the listener's: TestRequirementTLS",
	"R-13": "TestRequirementThroughput",
	"R-14": "TestRequirementThroughput",
	"R-15": "TestRateLimit",
	"R-66": "TestRequirementLargePatch",
}

func (r requirement) run(t *testing.T, s *site) {
	p := s.newPeer(t, access.NewClient{})
	for i, st := range r.steps {
		what := fmt.Sprintf("%s %s, step %d: %s %s", r.id, r.what, i+1, st.method, p.fill(st.path))
		a := p.do(st.method, st.path, st.body, st.header...).expect(t, what, st.status, p.fillAll(st.want)...)
		if len(a.raw) > 0 && len(st.header) == 0 && a.header.Get("Content-Type") != "application/scim+json" {
			t.Errorf("%s: Content-Type is %q (R-05)", what, a.header.Get("Content-Type"))
		}
		if a.status == 200 && len(a.raw) == 0 && st.method != "HEAD" {
			t.Errorf("%s: 200 without a body (R-41)", what)
		}
		if strings.Contains(string(a.raw), "S3cret") {
			t.Errorf("%s: the answer holds the password (R-44)", what)
		}
		if st.keep != "" {
			p.vars[st.keep] = a.text("/id")
		}
		if st.check != nil {
			st.check(t, p, a)
		}
		if t.Failed() {
			return
		}
	}
}

const (
	guid      = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
	listURN   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	errorURN  = "urn:ietf:params:scim:api:messages:2.0:Error"
	userURN   = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN  = "urn:ietf:params:scim:schemas:core:2.0:Group"
	entURN    = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	entraUser = `{"schemas":["` + userURN + `","` + entURN + `"],
	 "externalId":"0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef","userName":"u@x.test","active":true,
	 "emails":[{"primary":true,"type":"work","value":"u@x.test"}],
	 "meta":{"resourceType":"User"},"name":{"formatted":"G F","familyName":"F","givenName":"G"},"roles":[]}`
	oktaUser = `{"schemas":["` + userURN + `"],"userName":"okta@x.test","name":{"givenName":"G","familyName":"F"},
	 "emails":[{"primary":true,"value":"okta@x.test","type":"work"}],"displayName":"G F","locale":"en-US",
	 "externalId":"00ujl29u0le5T6Aj10h7","groups":[],"password":"S3cret-1mz050nq","active":true}`
)

var noMatch = []string{"/schemas/0", listURN, "/totalResults", "0", "/Resources", "[]", "/startIndex", "1"}

// connection are the rows about connecting, discovery and the envelope.
var connection = []requirement{
	{"R-01", "credential probe without match", []step{
		{method: "GET", path: `/Users?filter=userName eq "` + guid + `"`, status: 200, want: noMatch},
	}},
	{"R-02", "count probe", []step{
		{method: "POST", path: "/Users", body: `{"userName":"a"}`, status: 201},
		{method: "POST", path: "/Users", body: `{"userName":"b"}`, status: 201},
		{method: "POST", path: "/Users", body: `{"userName":"c"}`, status: 201},
		{method: "GET", path: "/Users?startIndex=1&count=2", status: 200, want: []string{"/totalResults", "3", "/startIndex", "1", "/itemsPerPage", "2", "/Resources/#", "2"}},
	}},
	{"R-03", "bad token", []step{
		{method: "GET", path: "/Users", header: []string{"Authorization", "non-token"}, status: 401, want: []string{"/schemas/0", errorURN, "/status", `"401"`}, check: hasDetail},
		{method: "GET", path: "/Users", header: []string{"Authorization", ""}, status: 401, want: []string{"/schemas/0", errorURN, "/status", `"401"`}, check: hasDetail},
		{method: "POST", path: "/Groups", body: "{}", header: []string{"Authorization", "Bearer "}, status: 401, want: []string{"/status", `"401"`}, check: hasDetail},
	}},
	{"R-04", "probe with a made-up id", []step{
		{method: "GET", path: "/Users/11111111-1111-1111-1111-111111111111", status: 404, want: []string{"/schemas/0", errorURN, "/status", `"404"`}},
		{method: "GET", path: "/Groups/11111111-1111-1111-1111-111111111111", status: 404, want: []string{"/schemas/0", errorURN, "/status", `"404"`}},
	}},
	{"R-05", "media type of answers, errors too; checked with every step of this table", []step{
		{method: "GET", path: "/Users", status: 200},
		{method: "GET", path: "/Nothing", status: 404},
		{method: "POST", path: "/Users", body: "{", status: 400},
	}},
	{"R-06", "media types of requests", []step{
		{method: "POST", path: "/Users", body: `{"userName":"a"}`, header: []string{"Content-Type", "application/json"}, status: 201},
		{method: "POST", path: "/Users", body: `{"userName":"b"}`, header: []string{"Content-Type", "application/scim+json"}, status: 201},
		{method: "POST", path: "/Users", body: `{"userName":"c"}`, header: []string{"Content-Type", "application/scim+json; charset=utf-8"}, status: 201},
	}},
	{"R-07", "Accept: application/json alone", []step{
		{method: "GET", path: "/Users", header: []string{"Accept", "application/json"}, status: 200, check: contentType("application/json")},
		{method: "GET", path: "/Users/none", header: []string{"Accept", "application/json"}, status: 404, check: contentType("application/json")},
		{method: "GET", path: "/Users", header: []string{"Accept", "application/scim+json; charset=utf-8"}, status: 200, check: contentType("application/scim+json")},
	}},
	{"R-08", "group probe", []step{
		{method: "GET", path: `/Groups?excludedAttributes=members&filter=displayName eq "` + guid + `"`, status: 200, want: noMatch},
	}},
	{"R-09", "schemas", []step{
		{method: "GET", path: "/Schemas", status: 200, want: []string{"/schemas/0", listURN, "/totalResults", "3", "/Resources/#", "3"}, check: leanSchemas},
		{method: "GET", path: "/Schemas/" + userURN, status: 200, want: []string{"/id", userURN, "/name", "User"}},
		{method: "GET", path: "/Schemas/" + strings.ReplaceAll(entURN, ":", "%3A"), status: 200, want: []string{"/id", entURN}},
		{method: "GET", path: `/Schemas?filter=id eq "x"`, status: 403},
		{method: "GET", path: "/Schemas/urn:none", status: 404},
	}},
	{"R-10", "ServiceProviderConfig and ResourceTypes", []step{
		{method: "GET", path: "/ServiceProviderConfig", status: 200, want: []string{"/patch/supported", "true", "/bulk/maxOperations", "1000", "/bulk/maxPayloadSize", "8388608",
			"/filter/maxResults", "1000", "/sort/supported", "true", "/etag/supported", "true", "/pagination/cursor", "true", "/pagination/defaultPaginationMethod", "index", "/authenticationSchemes/0/type", "oauthbearertoken"}},
		{method: "GET", path: "/ResourceTypes", status: 200, want: []string{"/totalResults", "2", "/Resources/0/id", "User", "/Resources/0/endpoint", "/Users", "/Resources/1/schema", groupURN}},
		{method: "GET", path: "/ResourceTypes/Group", status: 200, want: []string{"/name", "Group", "/meta/resourceType", "ResourceType"}},
	}},
	{"R-11", "unknown query keys", []step{
		{method: "POST", path: "/Users", body: `{"userName":"a"}`, status: 201},
		{method: "GET", path: `/Users?aadOptscim062020&filter=userName eq "a"`, status: 200, want: []string{"/totalResults", "1"}},
		{method: "GET", path: `/Users?x=%zz&AzureAdScimPatch2017&filter=userName+eq+%22a%22&&`, status: 200, want: []string{"/totalResults", "1"}},
		{method: "GET", path: `/Users?filter`, status: 200, want: []string{"/totalResults", "1"}},
	}},
	{"R-28", "paging", []step{
		{method: "POST", path: "/Users", body: `{"userName":"a"}`, status: 201, keep: "a"},
		{method: "POST", path: "/Users", body: `{"userName":"b"}`, status: 201, keep: "b"},
		{method: "POST", path: "/Users", body: `{"userName":"c"}`, status: 201, keep: "c"},
		{method: "GET", path: "/Users?startIndex=1&count=100", status: 200, want: []string{"/totalResults", "3", "/itemsPerPage", "3", "/Resources/0/userName", "a", "/Resources/2/userName", "c"}},
		{method: "GET", path: "/Users?startIndex=2&count=1", status: 200, want: []string{"/totalResults", "3", "/startIndex", "2", "/itemsPerPage", "1", "/Resources/0/userName", "b"}},
		{method: "GET", path: "/Users?startIndex=101&count=100", status: 200, want: []string{"/totalResults", "3", "/startIndex", "101", "/itemsPerPage", "0", "/Resources", "[]"}},
		{method: "GET", path: "/Users?count=0", status: 200, want: []string{"/totalResults", "3", "/itemsPerPage", "0", "/Resources", "[]"}},
		{method: "GET", path: "/Users?count=-5", status: 200, want: []string{"/totalResults", "3", "/Resources", "[]"}},
		{method: "GET", path: "/Users?startIndex=0", status: 200, want: []string{"/startIndex", "1", "/Resources/#", "3"}},
		{method: "GET", path: "/Users?startIndex=-7", status: 200, want: []string{"/startIndex", "1", "/Resources/#", "3"}},
		{method: "GET", path: "/Users?count=99999999999999999999", status: 200, want: []string{"/Resources/#", "3"}},
		{method: "GET", path: "/Users?startIndex=99999999999999999999", status: 200, want: []string{"/Resources", "[]"}},
		{method: "GET", path: "/Users?count=ten", status: 400, want: []string{"/scimType", "invalidValue"}},
		{method: "GET", path: "/Users?startIndex=1.5", status: 400, want: []string{"/scimType", "invalidValue"}},
	}},
}

func hasDetail(t *testing.T, _ *peer, a answer) {
	t.Helper()
	if a.text("/detail") == "" || a.header.Get("Www-Authenticate") == "" {
		t.Errorf("detail %q, WWW-Authenticate %q", a.text("/detail"), a.header.Get("Www-Authenticate"))
	}
}

func contentType(want string) func(*testing.T, *peer, answer) {
	return func(t *testing.T, _ *peer, a answer) {
		t.Helper()
		if got := a.header.Get("Content-Type"); got != want {
			t.Errorf("Content-Type is %q, want %q", got, want)
		}
	}
}

// leanSchemas: no nulls, and nothing that is never returned.
func leanSchemas(t *testing.T, _ *peer, a answer) {
	t.Helper()
	if s := string(a.raw); strings.Contains(s, "null") || strings.Contains(s, `"password"`) || !strings.Contains(s, `"readWrite"`) {
		t.Error("/Schemas holds nulls or what is never stored")
	}
	for i := range 3 {
		if id := a.text(fmt.Sprintf("/Resources/%d/id", i)); id != userURN && id != groupURN && id != entURN {
			t.Errorf("/Schemas holds %q", id)
		}
	}
}
