package scimserver_test

import (
	"strings"
	"testing"
)

func patchGroup(ops string) step {
	return step{method: "PATCH", path: "/Groups/{g}", body: patchOp(ops), status: 204}
}

func getGroup(want ...string) step {
	return step{method: "GET", path: "/Groups/{g}", status: 200, want: want}
}

// people makes users a, b and c and the group g with those named.
func people(members string) []step {
	return []step{
		{method: "POST", path: "/Users", body: `{"userName":"a"}`, status: 201, keep: "a"},
		{method: "POST", path: "/Users", body: `{"userName":"b"}`, status: 201, keep: "b"},
		{method: "POST", path: "/Users", body: `{"userName":"c"}`, status: 201, keep: "c"},
		{method: "POST", path: "/Groups", body: `{"schemas":["` + groupURN + `"],"displayName":"g","members":[` + members + `]}`, status: 201, keep: "g"},
	}
}

func with(first []step, more ...step) []step { return append(first, more...) }

const memberA, memberB = `{"value":"{a}"}`, `{"value":"{b}"}`

// groups are the rows about groups.
var groups = []requirement{
	{"R-49", "create empty and with members", []step{
		{method: "POST", path: "/Users", body: `{"userName":"a"}`, status: 201, keep: "a"},
		{method: "POST", path: "/Groups", body: `{"schemas":["` + groupURN + `"],"externalId":"8aa1","displayName":"n","meta":{"resourceType":"Group"}}`, status: 201, keep: "g",
			want: []string{"/displayName", "n", "/externalId", "8aa1", "/meta/resourceType", "Group"}},
		{method: "POST", path: "/Groups", body: `{"schemas":["` + groupURN + `"],"displayName":"e","members":[]}`, status: 201},
		{method: "POST", path: "/Groups", body: `{"schemas":["` + groupURN + `"],"displayName":"m","members":[{"value":"{a}","display":"a"}]}`, status: 201, want: []string{"/members/0/value", "{a}", "/members/#", "1"}},
	}},
	{"R-50", "second schema of Microsoft's own", []step{
		{method: "POST", path: "/Groups", body: `{"schemas":["` + groupURN + `","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"displayName":"n"}`, status: 201, want: []string{"/schemas/#", "1"}},
	}},
	{"R-51", "displayName is unique by default", []step{
		{method: "POST", path: "/Groups", body: `{"displayName":"n"}`, status: 201},
		{method: "POST", path: "/Groups", body: `{"displayName":"N"}`, status: 409, want: []string{"/scimType", "uniqueness"}},
	}},
	{"R-52", "filter displayName and externalId", []step{
		{method: "POST", path: "/Groups", body: `{"displayName":"Group One","externalId":"X1"}`, status: 201},
		{method: "GET", path: `/Groups?excludedAttributes=members&filter=displayName eq "group one"`, status: 200, want: []string{"/totalResults", "1", "/Resources/0/members", absent}},
		{method: "GET", path: `/Groups?filter=displayName eq "GROUP ONE"&startIndex=1&count=100`, status: 200, want: []string{"/totalResults", "1"}},
		{method: "GET", path: `/Groups?filter=DisplayName+eq+%22Group+One%22`, status: 200, want: []string{"/totalResults", "1"}},
		{method: "GET", path: `/Groups?filter=externalId eq "X1"`, status: 200, want: []string{"/totalResults", "1"}},
		{method: "GET", path: `/Groups?filter=externalId eq "x1"`, status: 200, want: noMatch},
	}},
	{"R-53", "list all", []step{
		{method: "POST", path: "/Groups", body: `{"displayName":"a"}`, status: 201},
		{method: "POST", path: "/Groups", body: `{"displayName":"b"}`, status: 201},
		{method: "GET", path: "/Groups?startIndex=1&count=1000", status: 200, want: []string{"/totalResults", "2", "/itemsPerPage", "2"}},
		{method: "GET", path: "/Groups", status: 200, want: []string{"/totalResults", "2", "/itemsPerPage", "2"}},
		{method: "GET", path: "/Groups?startIndex=2&count=1", status: 200, want: []string{"/itemsPerPage", "1", "/Resources/0/displayName", "b"}},
		{method: "GET", path: "/Groups?count=5000", status: 200, want: []string{"/itemsPerPage", "2"}},
	}},
	{"R-54", "get without members", with(people(memberA),
		step{method: "GET", path: "/Groups/{g}?excludedAttributes=members", status: 200, want: []string{"/members", absent, "/displayName", "g"}})},
	{"R-55", "get with members", with(people(memberA+","+memberB),
		getGroup("/members/#", "2", "/members/0/value", "{a}", "/members/0/type", "User"),
		step{method: "GET", path: "/Groups", status: 200, want: []string{"/Resources/0/members/#", "2"}})},
	{"R-56", "add members", with(people(""),
		patchGroup(`{"op":"Add","path":"members","value":[{"$ref":null,"value":"{a}"}]}`), getGroup("/members/#", "1"),
		patchGroup(`{"op":"Add","path":"members","value":[{"$ref":null,"value":"{a}"},{"$ref":null,"value":"{b}"},{"value":"{c}","display":"c"}]}`), getGroup("/members/#", "3"),
		patchGroup(`{"op":"add","path":"members","value":[{"value":"{a}"}]}`), getGroup("/members/#", "3"))},
	{"R-57", "remove by value array", with(people(memberA+","+memberB+`,{"value":"{c}"}`),
		patchGroup(`{"op":"Remove","path":"members","value":[{"value":"{a}"}]}`), getGroup("/members/#", "2", "/members/0/value", "{b}"),
		patchGroup(`{"op":"Remove","path":"members","value":[{"value":"{b}"},{"value":"{c}"}]}`), getGroup("/members", "[]"))},
	{"R-58", "remove by filter", with(people(memberA+","+memberB),
		patchGroup(`{"op":"remove","path":"members[value eq \"{a}\"]"}`), getGroup("/members/#", "1", "/members/0/value", "{b}"),
		patchGroup(`{"op":"remove","path":"members[value eq \"{a}\"]"}`), getGroup("/members/#", "1"))},
	{"R-59", "remove all", with(people(memberA+","+memberB),
		patchGroup(`{"op":"remove","path":"members"}`), getGroup("/members", "[]"))},
	{"R-60", "replace all", with(people(memberA),
		patchGroup(`{"op":"replace","path":"members","value":[{"value":"{b}"},{"value":"{c}"}]}`), getGroup("/members/#", "2", "/members/0/value", "{b}"),
		patchGroup(`{"op":"replace","path":"members","value":[]}`), getGroup("/members", "[]"),
		patchGroup(`{"op":"replace","value":{"members":[{"value":"{a}"}]}}`), getGroup("/members/#", "1"),
		patchGroup(`{"op":"replace","value":{"members":[],"id":"{g}","displayName":"g2"}}`), getGroup("/members", "[]", "/displayName", "g2"))},
	{"R-61", "rename without path, with id", with(people(memberA),
		patchGroup(`{"op":"replace","value":{"id":"{g}","displayName":"n"}}`), getGroup("/displayName", "n", "/members/#", "1", "/id", "{g}"),
		patchGroup(`{"op":"replace","value":{"id":"other","displayName":"o"}}`), getGroup("/displayName", "o", "/id", "{g}"))},
	{"R-62", "rename with and without path, externalId", with(people(""),
		patchGroup(`{"op":"Replace","path":"displayName","value":"n"}`), getGroup("/displayName", "n"),
		patchGroup(`{"op":"replace","value":{"displayName":"o"}}`), getGroup("/displayName", "o"),
		patchGroup(`{"op":"replace","value":{"externalId":"e"}}`), getGroup("/externalId", "e"))},
	{"R-63", "remove and add in one request", with(people(memberA),
		patchGroup(`{"op":"remove","path":"members[value eq \"{a}\"]"},{"op":"add","path":"members","value":[{"value":"{b}","display":"name"}]}`), getGroup("/members/#", "1", "/members/0/value", "{b}"),
		patchGroup(`{"op":"add","path":"members","value":[{"value":"{c}"}]},{"op":"remove","path":"members[value eq \"{c}\"]"}`), getGroup("/members/#", "1", "/members/0/value", "{b}"))},
	{"R-64", "PUT of the whole group", with(people(memberA),
		step{method: "PUT", path: "/Groups/{g}", body: `{"schemas":["` + groupURN + `"],"displayName":"g","members":[{"value":"{b}"},{"value":"{c}"}]}`, status: 200, want: []string{"/members/#", "2", "/members/0/value", "{b}"}},
		step{method: "PUT", path: "/Groups/{g}", body: `{"id":"{g}","displayName":"h"}`, status: 200, want: []string{"/displayName", "h", "/members/#", "2"}},
		step{method: "PUT", path: "/Groups/{g}", body: `{"displayName":"h","members":[]}`, status: 200, want: []string{"/members", "[]"}})},
	{"R-65", "unknown member", with(people(memberA),
		step{method: "PATCH", path: "/Groups/{g}", body: patchOp(`{"op":"add","path":"members","value":[{"value":"` + guid + `"},{"value":"{b}"}]}`), status: 400, want: []string{"/scimType", "invalidValue"}, check: namesGUID},
		step{method: "PUT", path: "/Groups/{g}", body: `{"displayName":"g","members":[{"value":"` + guid + `"}]}`, status: 400, check: namesGUID},
		getGroup("/members/#", "1", "/members/0/value", "{a}"))},
	{"R-67", "an inactive member stays", with(people(memberA),
		step{method: "PATCH", path: "/Users/{a}", body: patchOp(`{"op":"replace","value":{"active":false}}`), status: 200, want: []string{"/active", "false"}},
		getGroup("/members/0/value", "{a}"))},
	{"R-68", "delete", with(people(memberA),
		step{method: "DELETE", path: "/Groups/{g}", status: 204},
		step{method: "GET", path: "/Groups/{g}", status: 404},
		step{method: "DELETE", path: "/Groups/{g}", status: 404},
		step{method: "GET", path: "/Users/{a}", status: 200, want: []string{"/groups", absent}})},
	{"R-69", "PATCH answers without the members", with(people(memberA),
		patchGroup(`{"op":"add","path":"members","value":[{"value":"{b}"}]}`),
		step{method: "PATCH", path: "/Groups/{g}?excludedAttributes=members", body: patchOp(`{"op":"add","path":"members","value":[{"value":"{c}"}]}`), status: 200, want: []string{"/members", absent, "/displayName", "g"}})},
	{"R-70", "X-HTTP-Method-Override is nothing to us", with(people(""),
		step{method: "POST", path: "/Groups/{g}", body: `{"displayName":"z"}`, header: []string{"X-HTTP-Method-Override", "PATCH"}, status: 405},
		step{method: "GET", path: "/Groups", status: 200, want: []string{"/totalResults", "1"}})},
}

func namesGUID(t *testing.T, _ *peer, a answer) {
	t.Helper()
	if d := a.text("/detail"); !strings.Contains(d, guid) {
		t.Errorf("the detail does not name the id: %q", d)
	}
}
