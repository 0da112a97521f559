package verify

import (
	"fmt"
	"strings"
)

const (
	bulkRequest  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	bulkResponse = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

// bulk sends operations; a server that does not announce bulk ends the case as skipped.
func (s *Session) bulk(failOnErrors int, ops ...Object) *Exchange {
	s.need("bulk.supported")
	items := make([]any, len(ops))
	for i, o := range ops {
		items[i] = o
	}
	body := Object{"schemas": list(bulkRequest), "Operations": items}
	if failOnErrors > 0 {
		body["failOnErrors"] = failOnErrors
	}
	return s.post("/Bulk", body)
}

func bulkOp(method, path, bulkID string, data any) Object {
	o := Object{"method": method, "path": path}
	if bulkID != "" {
		o["bulkId"] = bulkID
	}
	if data != nil {
		o["data"] = data
	}
	return o
}

// bulkResults returns the operations of a bulk answer, which must be as many as expected.
func (s *Session) bulkResults(x *Exchange, n int) []Object {
	x.status(200)
	s.check(contains(x.object()["schemas"], bulkResponse), x, "schemas has "+bulkResponse, showAt("schemas", x.object()["schemas"], true))
	v, _ := x.value("Operations")
	items, _ := v.([]any)
	if len(items) != n {
		s.stop(x, fmt.Sprintf("%d operations in the answer", n), count(len(items), "operation"))
	}
	out := make([]Object, n)
	for i, e := range items {
		out[i], _ = e.(Object)
	}
	return out
}

// bulkStatus requires a status of one operation; the standard writes it as a string.
func (s *Session) bulkStatus(x *Exchange, o Object, what, want string) {
	s.check(o["status"] == want, x, "status "+show(want)+" for "+what, "status "+show(o["status"])+" "+clip(show(o["response"]), 120))
}

func rfcBulk() []Case {
	const rule = "RFC 7644 §3.7"
	const why, fix = "clients that load many users at once get none, or some without knowing which", "implement §3.7, or announce bulk.supported false"
	return []Case{
		rfc("bulk-create", rule, "creates in bulk succeed, each with status, location and bulkId", why, fix, func(s *Session) {
			name := s.mail("b1")
			x := s.bulk(0, bulkOp("POST", "/Users", "one", s.person(name, nil)), bulkOp("POST", "/Users", "two", s.person(s.mail("b2"), nil)))
			for i, o := range s.bulkResults(x, 2) {
				s.bulkStatus(x, o, "a create", "201")
				s.check(o["bulkId"] == []string{"one", "two"}[i], x, "the bulkId of the request", "bulkId "+show(o["bulkId"]))
				loc, _ := o["location"].(string)
				s.check(strings.Contains(loc, "/Users/"), x, "a location of the new user", "location "+show(o["location"]))
			}
			l := s.search("/Users", eq("userName", name))
			s.check(l.Total == 1, l.Exchange, "the user of the bulk request is found", "totalResults "+showTotal(l))
		}),
		rfc("bulk-reference", "RFC 7644 §3.7.2", "a bulkId is replaced by the id that the create got", why, "resolve bulkId: references before storing", func(s *Session) {
			s.needGroups()
			bulkGroup(s, false)
		}),
		rfc("bulk-reference-forward", "RFC 7644 §3.7.2", "a bulkId may be used before the operation that defines it", why, "resolve references in a second pass", func(s *Session) {
			s.needGroups()
			bulkGroup(s, true)
		}),
		should(rfc("bulk-reference-circle", "RFC 7644 §3.7.1", "references in a circle are resolved, or refused with 409", why, "create first, set references afterwards", func(s *Session) {
			s.needAttr(enterpriseSchema + ":manager")
			mk := func(id, boss string) Object {
				return bulkOp("POST", "/Users", id, s.person(s.mail(id), Object{"schemas": list(userSchema, enterpriseSchema), enterpriseSchema: Object{"manager": Object{"value": "bulkId:" + boss}}}))
			}
			x := s.bulk(0, mk("ca", "cb"), mk("cb", "ca"))
			ops := s.bulkResults(x, 2)
			if ops[0]["status"] == "409" || ops[1]["status"] == "409" {
				return
			}
			for i, o := range ops {
				s.bulkStatus(x, o, "a create that is part of a circle", "201")
				loc, _ := ops[1-i]["location"].(string)
				mine, _ := o["location"].(string)
				y := s.get(pathOf("/Users", lastSegment(mine))).status(200)
				y.want(enterpriseSchema+":manager.value", lastSegment(loc))
			}
		})),
		rfc("bulk-mixed", rule, "PUT, PATCH and DELETE work in bulk", why, fix, func(s *Session) {
			s.need("bulk.supported")
			us := s.users(3)
			patch := Object{"schemas": list(patchMessage), "Operations": list(op("replace", "displayName", "By Bulk"))}
			x := s.bulk(0,
				bulkOp("PUT", us[0].Path, "", s.person(us[0].Name, Object{"displayName": "By Bulk"})),
				bulkOp("PATCH", us[1].Path, "", patch),
				bulkOp("DELETE", us[2].Path, "", nil))
			ops := s.bulkResults(x, 3)
			s.bulkStatus(x, ops[0], "a PUT", "200")
			t, _ := ops[1]["status"].(string)
			s.check(t == "200" || t == "204", x, `status "200" or "204" for a PATCH`, "status "+show(ops[1]["status"]))
			s.bulkStatus(x, ops[2], "a DELETE", "204")
			s.againIs(x, us[0], "displayName", "By Bulk", "after the PUT in bulk")
			s.againIs(x, us[1], "displayName", "By Bulk", "after the PATCH in bulk")
			y := s.get(us[2].Path)
			s.check(y.Response.Status == 404, y, "status 404 after the DELETE in bulk", y.describe())
		}),
		rfc("bulk-errors", "RFC 7644 §3.7.3", "a failing operation says why, the others go on", why, "answer each operation with status and, if it failed, the error", func(s *Session) {
			s.need("bulk.supported")
			u := s.user("be", nil)
			x := s.bulk(0, bulkOp("POST", "/Users", "dup", s.person(u.Name, nil)), bulkOp("POST", "/Users", "good", s.person(s.mail("good"), nil)))
			ops := s.bulkResults(x, 2)
			s.bulkStatus(x, ops[0], "a duplicate", "409")
			res, _ := ops[0]["response"].(Object)
			s.check(contains(res["schemas"], errorMessage), x, "the SCIM error as response of the failed operation", "response "+show(ops[0]["response"]))
			s.bulkStatus(x, ops[1], "the create after it", "201")
		}),
		rfc("bulk-fail-on-errors", "RFC 7644 §3.7.3", "failOnErrors stops after so many errors", "a client that stops at the first error gets the rest applied", "count errors and stop", func(s *Session) {
			s.need("bulk.supported")
			u := s.user("bf", nil)
			name := s.mail("never")
			x := s.bulk(1, bulkOp("POST", "/Users", "dup", s.person(u.Name, nil)), bulkOp("POST", "/Users", "later", s.person(name, nil)))
			x.status(200)
			l := s.search("/Users", eq("userName", name))
			l.only("the userName of the operation after the error")
		}),
		rfc("bulk-limit", "RFC 7644 §3.7.4", "more operations than announced are 413", "a client believes the limit; a server that does not hold it falls over or drops operations", "check the number before the first operation", func(s *Session) {
			s.need("bulk.supported")
			n := s.limit("bulk.maxOperations")
			if n == 0 || n > 5000 {
				s.skip("bulk.maxOperations is %d: too many to try harmlessly", n)
			}
			ops := make([]Object, n+1)
			for i := range ops {
				ops[i] = bulkOp("DELETE", pathOf("/Users", "verify-nobody"), "", nil)
			}
			x := s.bulk(1, ops...)
			s.check(x.Response.Status == 413, x, fmt.Sprintf("status 413 for %d operations, %d are announced", n+1, n), x.describe())
		}),
	}
}

// bulkGroup creates a user and a group with it as member in one request, in either order.
func bulkGroup(s *Session, groupFirst bool) {
	name := s.name("bg")
	ops := []Object{
		bulkOp("POST", "/Users", "member", s.person(s.mail("bm"), nil)),
		bulkOp("POST", "/Groups", "group", Object{"schemas": list(groupSchema), "displayName": name, "members": list(ref("bulkId:member"))}),
	}
	if groupFirst {
		ops[0], ops[1] = ops[1], ops[0]
	}
	x := s.bulk(0, ops...)
	res := s.bulkResults(x, 2)
	ids := map[any]string{}
	for _, o := range res {
		s.bulkStatus(x, o, "a create", "201")
		loc, _ := o["location"].(string)
		ids[o["bulkId"]] = lastSegment(loc)
	}
	if ids["group"] == "" || ids["member"] == "" {
		s.stop(x, "locations of both", show(res))
	}
	s.members(created{ID: ids["group"], Name: name, Path: pathOf("/Groups", ids["group"])}, "after the bulk request", ids["member"])
}
