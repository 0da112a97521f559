package verify

import (
	"slices"
	"strings"
)

// oktaDialect are the headers of Okta's provisioning client.
var oktaDialect = Dialect{
	ContentType: "application/scim+json", Accept: "application/scim+json",
	Header: map[string]string{"User-Agent": "Okta SCIM Client 1.0.0", "Accept-Charset": "utf-8"},
}

// oktaCatalogueProfile plays an app of the Okta Integration Network.
func oktaCatalogueProfile() Profile {
	return Profile{
		Name: "okta-catalogue", Client: "Okta catalogue app", Dialect: oktaDialect,
		About: "an app of Okta's catalogue: PUT for profiles, PATCH without a path for activation and passwords, PATCH for groups",
		Cases: slices.Concat(oktaConnect(), oktaUsers(), oktaActivation(), oktaGroups()),
	}
}

// oktaUser is a user as Okta creates it: names, work address, locale, externalId, groups and always a password.
func (s *Session) oktaUser(userName string) Object {
	return s.person(userName, Object{
		"locale": "en-US", "externalId": "00u" + strings.ReplaceAll(s.guid(), "-", "")[:17], "groups": list(), "password": s.password(),
	})
}

// password makes a value that no answer may contain.
func (s *Session) password() string { return "Pw-" + s.guid() + "!" }

func (s *Session) okta() created {
	body := s.oktaUser(s.mail("o"))
	return s.make("/Users", body, body["userName"])
}

func oktaConnect() []Case {
	return []Case{
		{Name: "test-credentials", Rule: "R-02", Ref: "O-OBS, O-PROTO", Title: "GET /Users?startIndex=1&count=2 answers a list of at most two with integer counters",
			Why: "the button Test API Credentials sends it; if it fails the connection cannot be saved", Fix: "honour count, send the three counters as JSON integers",
			Run: func(s *Session) {
				l := s.list(s.get("/Users?startIndex=1&count=2"))
				s.listShape(l)
				s.check(len(l.Resources) <= 2, l.Exchange, "at most 2 resources", count(len(l.Resources), "resource"))
				s.integers(l)
			}},
		{Name: "list-groups", Rule: "R-53", Ref: "O-OBS", Title: "GET /Groups?startIndex=1&count=100 answers a list",
			Why: "saving the app fills the group cache; an error disables group push", Fix: "support paging on /Groups",
			Run: func(s *Session) {
				s.needGroups()
				l := s.list(s.get("/Groups?startIndex=1&count=100"))
				s.listShape(l)
				s.integers(l)
				s.check(len(l.Resources) <= 100, l.Exchange, "at most 100 groups", count(len(l.Resources), "group"))
			}},
		{Name: "no-match", Rule: "R-01", Ref: "O-PROTO, O-SPEC S3", Title: "a filter that matches nobody answers 200 with an empty list",
			Why: "Okta's Spec test demands 200; a list of everybody links the wrong account", Fix: "answer 200 with totalResults 0 and Resources []",
			Run: func(s *Session) { s.nobody("/Users", "userName", "startIndex", "1", "count", "100") }},
		{Name: "bad-token", Rule: "R-03", Ref: "O-SPEC S11, O-PLAN", Title: "a wrong or missing token is 401 with a SCIM error",
			Why: "wrong credentials must give an error in Okta's console", Fix: "answer 401 with the Error schema and status as a string", Run: badToken},
		{Name: "media-type", Rule: "R-05", Ref: "O-PROTO", Severity: Should, Title: "answers carry Content-Type application/scim+json",
			Why: "Okta asks for it with Accept and copes with application/json", Fix: "set application/scim+json on every answer with a body",
			Run: func(s *Session) { s.scimType(s.get("/Users?startIndex=1&count=2").status(200)) }},
		{Name: "request-media-types", Rule: "R-06", Ref: "O-SPEC S6", Title: "application/json and a charset are accepted in requests",
			Why: "Okta's tests post application/json, Microsoft's validator adds a charset; 415 stops both", Fix: "accept application/scim+json and application/json with any parameters", Run: requestMedia},
	}
}

// integers requires that the counters are JSON integers, which Okta insists on.
func (s *Session) integers(l *List) {
	for _, k := range []string{"totalResults", "itemsPerPage", "startIndex"} {
		v, ok := l.value(k)
		s.check(ok && integer(v) >= 0, l.Exchange, k+" is a JSON integer", showAt(k, v, ok))
	}
}

func requestMedia(s *Session) {
	for _, t := range []string{"application/json", "application/scim+json", "application/scim+json; charset=utf-8", "application/json; charset=UTF-8"} {
		x := s.send(call{method: "POST", path: "/Users", body: s.person(s.mail("mt"), nil), header: map[string]string{"Content-Type": t}})
		s.check(x.Response.Status == 201, x, "status 201 for a create with Content-Type "+t, x.describe())
	}
}

func oktaUsers() []Case {
	return []Case{
		{Name: "match-user", Rule: "R-23", Ref: "O-PROTO", Title: "a user is found by userName, page of 100",
			Why: "not found, Okta creates the user again and gets a conflict that it cannot resolve", Fix: "support userName eq with %20, %22 and %40 in the query",
			Run: func(s *Session) {
				s.decoy("/Users")
				u := s.okta()
				l := s.search("/Users", eq("userName", u.Name), "startIndex", "1", "count", "100")
				l.only("userName eq", u.ID)
				s.integers(l)
			}},
		{Name: "create", Rule: "R-16", Ref: "O-PROTO", Title: "a create with password and groups answers 201 with the user",
			Why: "an empty body is a failure for Okta, and the id of the answer is kept for good", Fix: "answer 201 with the whole resource; ignore groups, accept password",
			Run: func(s *Session) {
				body := s.oktaUser(s.mail("oc"))
				x := s.createdOK(s.post("/Users", body))
				s.storedUser(x)
				x.want("externalId", body["externalId"])
				y := s.get(pathOf("/Users", x.newID())).status(200)
				s.storedUser(y)
				y.want("externalId", body["externalId"])
			}},
		{Name: "password-never-returned", Rule: "R-44", Ref: "O-PROTO, RFC 7643 §4.1.1", Title: "a password is accepted and never returned",
			Why: "Okta always sends one; an answer with it puts the password into logs, and Okta writes it back with the next PUT", Fix: "mark password returned never; leave it out of every answer",
			Run: passwordNeverReturned},
		{Name: "duplicate", Rule: "R-17", Ref: "O-PROTO, O-SPEC S8", Title: "a second create with the same userName is 409",
			Why: "Okta tells by the status that it has to link instead of create", Fix: "unique key on the folded userName",
			Run: func(s *Session) {
				u := s.okta()
				s.conflict(s.post("/Users", s.oktaUser(u.Name)), "the same userName")
				s.conflict(s.post("/Users", s.oktaUser(strings.ToUpper(u.Name))), "the userName in upper case")
			}},
		{Name: "profile-push", Rule: "R-19", Ref: "O-PROTO, O-OBS", Title: "the server's own representation with changes can be PUT back",
			Why: "Okta reads the user, merges its changes and sends everything back, id, meta and groups included; a 400 stops every profile update", Fix: "ignore read-only attributes in a PUT instead of refusing it",
			Run: func(s *Session) { readModifyWrite(s, s.okta()) }},
		{Name: "put-body", Rule: "R-19", Ref: "O-PROTO", Title: "a PUT answers 200 with the updated user",
			Why: "Okta reads the stored profile from the answer", Fix: "answer 200 with the whole resource",
			Run: func(s *Session) {
				u := s.okta()
				body := s.again(u).object()
				x := s.put(u.Path, over(body, Object{"displayName": "Put Body"})).status(200)
				x.want("id", u.ID)
				x.want("userName", u.Name)
				x.want("displayName", "Put Body")
			}},
		{Name: "put-empty-values", Rule: "R-47", Ref: "O-PLAN", Severity: Should, Title: "empty strings in a PUT are accepted",
			Why: "Okta's test plan clears attributes with empty values and expects no error", Fix: `store "" or treat it as absent`,
			Run: func(s *Session) {
				s.needAttr("title")
				u := s.okta()
				s.put(u.Path, over(s.again(u).object(), Object{"title": "", "nickName": ""})).status(200)
			}},
		{Name: "unknown-id", Rule: "R-22", Ref: "O-SPEC S4 S12", Title: "an unknown id is 404 with a SCIM error",
			Why: "Okta stops updating a user on 404; any other answer is retried", Fix: `404 with the Error schema, status "404" and a detail`,
			Run: func(s *Session) {
				for _, id := range []string{"010101001010101011001010101011", s.guid()} {
					x := s.get("/Users/" + id).status(404)
					s.errorBody(x, 404)
				}
			}},
		{Name: "import", Rule: "R-28", Ref: "O-PROTO", Title: "users can be imported page by page, each exactly once",
			Why: "Okta steps by 100 until totalResults; users who are missing count as removed", Fix: "order stably, keep totals constant",
			Run: func(s *Session) {
				s.needPrefix()
				pagesOnce(s, 3)
			}},
	}
}

// passwordNeverReturned sends a password in every way and looks for it in every answer.
func passwordNeverReturned(s *Session) {
	secret := s.password()
	name := s.mail("pw")
	x := s.post("/Users", s.person(name, Object{"password": secret})).status(201)
	c := created{ID: x.newID(), Name: name, Path: pathOf("/Users", x.newID())}
	answers := []*Exchange{x, s.again(c)}
	answers = append(answers, s.get(c.Path+s.query("attributes", "password")), s.search("/Users", eq("userName", name)).Exchange)
	second := s.password()
	y := s.patch(c.Path, op("replace", "", Object{"password": second}))
	s.check(y.ok(), y, "status 200 or 204 for a new password", y.describe())
	third := s.password()
	z := s.put(c.Path, s.person(name, Object{"password": third}))
	s.check(z.ok(), z, "status 200 for a PUT with a password", z.describe())
	for _, a := range append(answers, y, z, s.again(c)) {
		body := string(a.Response.Body) + a.Response.Text
		for _, p := range []string{secret, second, third} {
			s.check(!strings.Contains(body, p), a, "no password in any answer", "the answer contains the password that was sent")
		}
		s.check(!strings.Contains(strings.ToLower(body), `"password"`), a, "no attribute password in any answer", "the answer has an attribute password")
	}
}

// readModifyWrite sends the server's own representation back with a change.
func readModifyWrite(s *Session, u created) {
	body := clone(s.again(u).object())
	name, _ := body["name"].(Object)
	body["name"] = over(clone(name), Object{"givenName": "Pushed"})
	body["unknownAttribute"] = "x"
	x := s.put(u.Path, body).status(200)
	s.againIs(x, u, "name.givenName", "Pushed", "after the PUT")
	s.againIs(x, u, "userName", u.Name, "after the PUT")
	s.againIs(x, u, "id", u.ID, "after the PUT")
	s.againIs(x, u, "active", true, "after the PUT")
	if ext, ok := body["externalId"]; ok {
		s.againIs(x, u, "externalId", ext, "after the PUT")
	}
}

func oktaActivation() []Case {
	return []Case{
		disableCase("deactivate", `replace {"active":false} without a path deactivates the user`, op("replace", "", Object{"active": false}), "O-PROTO"),
		{Name: "deactivated-readable", Rule: "R-29", Ref: "O-CRUD", Title: "a deactivated user can be read and found",
			Why: "on a 404 Okta stops and an administrator has to assign the user again", Fix: "keep inactive users in reads and searches", Run: disabledReadable},
		{Name: "reactivate", Rule: "R-30", Ref: "O-CRUD", Title: `replace {"active":true} without a path reactivates the same user`,
			Why: "re-assignment must give back the same account", Fix: "store the boolean on the same resource", Run: enableCase("", "", op("replace", "", Object{"active": true})).Run},
		{Name: "deactivated-keeps-groups", Rule: "R-67", Ref: "O-OBS", Severity: Should, Title: "a deactivated user stays a member",
			Why: "Okta sends no group call when a user is unassigned, and none when the user returns", Fix: "leave memberships alone when active changes", Run: keepsGroups},
		{Name: "password-patch", Rule: "R-44", Ref: "O-PROTO", Title: `replace {"password":…} without a path succeeds`,
			Why: "password sync fails for every user otherwise", Fix: "accept password even if it is not used",
			Run: func(s *Session) {
				u := s.okta()
				x := s.patch(u.Path, op("replace", "", Object{"password": s.password()}))
				s.check(x.ok(), x, "status 200 or 204", x.describe())
			}},
		{Name: "patch-answer", Rule: "R-41", Ref: "O-PROTO", Title: "a PATCH answers 200 with the user or 204 without a body",
			Why: "200 with an empty body is a failure for Okta", Fix: "return the resource with 200, or nothing with 204", Run: patchAnswer},
	}
}
