package main

// scene is what one identity provider sends.
type scene struct {
	title, client string
	steps         []step
}

// step is one request. In path and body {name} stands for the id of what was made under that name.
type step struct {
	why          string
	method, path string
	body         string
	token        string // in place of the client's; "" for the client's
	keep         string // name under which the id in the answer is remembered
	want         int    // the status that must come
}

// demoScript is traffic as Entra ID, Okta and PingFederate send it: what each does when it is connected, when
// people join, change and leave.
var demoScript = []scene{
	{"Microsoft Entra ID", "entra", []step{
		{why: "Test Connection looks for a user that cannot exist", method: "GET",
			path: `/Users?filter=userName+eq+%225c8a2d2e-7b1f-4c39-9d3e-0a61f0f2b7aa%22`, want: 200},
		{why: "a new user is assigned", method: "POST", path: "/Users", keep: "ada", want: 201,
			body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"adabyron","userName":"ada.byron@acme.example","active":true,"displayName":"Ada Byron","emails":[{"primary":true,"type":"work","value":"ada.byron@acme.example"}],"meta":{"resourceType":"User"},"name":{"formatted":"Ada Byron","familyName":"Byron","givenName":"Ada"},"roles":[]}`},
		{why: "a group is assigned; the second schema is Microsoft's own", method: "POST", path: "/Groups", keep: "engineering", want: 201,
			body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"externalId":"8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159","displayName":"Engineering","meta":{"resourceType":"Group"}}`},
		{why: "a member is added", method: "PATCH", path: "/Groups/{engineering}", want: 204,
			body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Add","path":"members","value":[{"$ref":null,"value":"{ada}"}]}]}`},
		{why: "attributes change; the user has no address and no department yet", method: "PATCH", path: "/Users/{ada}", want: 200,
			body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"ada@acme.example"},{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"London"},{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Analytical Engines"}]}`},
		{why: "the user is unassigned: a boolean as a string", method: "PATCH", path: "/Users/{ada}", want: 200,
			body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"active","value":"False"}]}`},
		{why: "and assigned again: the memberships are still there", method: "PATCH", path: "/Users/{ada}", want: 200,
			body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"active","value":"True"}]}`},
		{why: "a group is read without its members", method: "GET", path: "/Groups/{engineering}?excludedAttributes=members", want: 200},
	}},
	{"Okta", "okta", []step{
		{why: "Test API Credentials", method: "GET", path: "/Users?startIndex=1&count=2", want: 200},
		{why: "is the user here already?", method: "GET",
			path: `/Users?filter=userName%20eq%20%22grace.hopper%40acme.example%22&startIndex=1&count=100`, want: 200},
		{why: "a user is assigned", method: "POST", path: "/Users", keep: "grace", want: 201,
			body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"grace.hopper@acme.example","name":{"givenName":"Grace","familyName":"Hopper"},"emails":[{"primary":true,"value":"grace.hopper@acme.example","type":"work"}],"displayName":"Grace Hopper","locale":"en-US","externalId":"00u1grace","groups":[],"password":"1mz050nq","active":true}`},
		{why: "a group is pushed", method: "POST", path: "/Groups", keep: "compilers", want: 201,
			body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Compilers","members":[]}`},
		{why: "members change; Okta repeats the name with every change", method: "PATCH", path: "/Groups/{compilers}", want: 204,
			body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"id":"{compilers}","displayName":"Compilers"}},{"op":"add","path":"members","value":[{"value":"{grace}","display":"grace.hopper@acme.example"}]}]}`},
		{why: "the user is deactivated", method: "PATCH", path: "/Users/{grace}", want: 200,
			body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":false}}]}`},
	}},
	{"PingFederate", "pingfederate", []step{
		{why: "the channel checks its connection", method: "GET", path: "/Users/11111111-1111-1111-1111-111111111111", want: 404},
		{why: "is the user here already?", method: "GET", path: `/Users?filter=userName%20eq%20%22edsger%22`, want: 200},
		{why: "a user comes into scope", method: "POST", path: "/Users", keep: "edsger", want: 201,
			body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"edsger","active":true,"title":"Professor","name":{"givenName":"Edsger","familyName":"Dijkstra"},"emails":[{"value":"edsger@acme.example","type":"work","primary":true}]}`},
		{why: "an update is a PUT that leaves out what is not mapped: nothing is cleared", method: "PUT", path: "/Users/{edsger}", want: 200,
			body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"edsger","active":true,"name":{"givenName":"Edsger Wybe","familyName":"Dijkstra"}}`},
		{why: "groups are found by listing them", method: "GET", path: "/Groups?startIndex=1&count=1000", want: 200},
		{why: "a group is made with its members", method: "POST", path: "/Groups", keep: "professors", want: 201,
			body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Professors","members":[{"value":"{edsger}"}]}`},
		{why: "the user leaves for good; an administrator could still restore it", method: "DELETE", path: "/Users/{edsger}", want: 204},
	}},
	{"What goes wrong is answered so that a person can act on it", "entra", []step{
		{why: "a token that nobody was given", method: "GET", path: "/Users", want: 401, token: "pvst_scim_000000000000_0000"},
		{why: "a filter with a spelling mistake", method: "GET", path: `/Users?filter=userNam+eq+%22ada%22`, want: 400},
		{why: "a userName that is taken, in another case", method: "POST", path: "/Users", want: 409,
			body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ADA.BYRON@acme.example"}`},
	}},
}
