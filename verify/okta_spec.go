package verify

import "strings"

// oktaSpecProfile plays the tests S1 to S12 of Okta's SCIM 2.0 Spec test, with their headers.
func oktaSpecProfile() Profile {
	return Profile{
		Name: "okta-spec", Client: "Okta Spec test",
		About: "the twelve requests of Okta's SCIM 2.0 Spec test that every catalogue app has to pass",
		Dialect: Dialect{ContentType: "application/json", Accept: "application/scim+json",
			Header: map[string]string{"User-Agent": "OKTA SCIM Integration", "Accept-Charset": "utf-8"}},
		Cases: oktaSpec(),
	}
}

// spec makes a case of the Spec test.
func spec(rule, name, title, fix string, severity Severity, run func(*Session)) Case {
	return Case{Name: strings.ToLower(rule) + "-" + name, Rule: rule, Ref: "O-SPEC", Title: title, Fix: fix, Run: run, Severity: severity,
		Why: "Okta takes an app into its catalogue only if this test passes"}
}

// specHeader are the headers of its reads.
var specHeader = map[string]string{"Content-Type": "application/scim+json; charset=utf-8"}

func (s *Session) specGet(path string) *Exchange {
	return s.send(call{method: "GET", path: path, header: specHeader})
}

// specUser checks the fields that the test asserts on a user, below a path.
func specUser(x *Exchange, at string) {
	for _, path := range []string{"id", "name.familyName", "name.givenName", "userName", "emails[0].value"} {
		x.present(at + path)
	}
	v, ok := x.value(at + "active")
	_, isBool := v.(bool)
	x.s.check(ok && isBool, x, at+"active is a boolean", showAt(at+"active", v, ok))
}

func oktaSpec() []Case {
	unknown := func(id string) func(*Session) {
		return func(s *Session) {
			x := s.specGet("/Users/" + id).status(404)
			s.errorBody(x, 404)
		}
	}
	return []Case{
		spec("S1", "list", "the first user has all the fields that Okta needs", "return name, userName, active and emails by default; counters as integers", Must, func(s *Session) {
			s.seed()
			l := s.list(s.specGet("/Users?count=1&startIndex=1"))
			s.listShape(l)
			s.integers(l)
			s.nobodyThere(l)
			if s.check(len(l.Resources) == 1, l.Exchange, "exactly 1 resource for count=1", count(len(l.Resources), "resource")) && s.mine(l) {
				specUser(l.Exchange, "Resources[0].")
			}
		}),
		spec("S2", "get", "the user of the list is read by id", "return the same resource as in the list", Must, func(s *Session) {
			s.seed()
			l := s.list(s.specGet("/Users?count=1&startIndex=1"))
			s.nobodyThere(l)
			if len(l.Resources) == 0 {
				s.stop(l.Exchange, "1 resource for count=1", "none")
			}
			id := l.text("Resources[0].id")
			x := s.specGet(pathOf("/Users", id)).status(200)
			x.want("id", id)
			if s.mine(l) {
				specUser(x, "")
			}
		}),
		spec("S3", "filter-none", "a filter for an invalid user is 200 with 0", "answer 200 with an empty list", Must, func(s *Session) {
			l := s.list(s.specGet("/Users" + s.query("filter", `userName eq "abcdefgh@atko.com"`)))
			s.check(l.Total == 0, l.Exchange, "totalResults 0", "totalResults "+showTotal(l))
		}),
		spec("S4", "unknown-id", "an unknown id is 404 with a SCIM error", "404 with Error schema and detail", Must, unknown("010101001010101011001010101011")),
		spec("S5", "filter-random", "a filter for a random address is 200 with 0", "answer 200 with an empty list", Must, func(s *Session) {
			l := s.list(s.specGet("/Users" + s.query("filter", eq("userName", s.mail("s5")))))
			s.listShape(l)
			s.check(l.Total == 0, l.Exchange, "totalResults 0", "totalResults "+showTotal(l))
		}),
		spec("S6", "create", "a user is created with application/json", "201 with the whole user", Must, func(s *Session) {
			x := s.specCreate(s.mail("s6"))
			x.want("active", true)
			x.present("id")
			x.want("name.givenName", "Ann")
			x.want("name.familyName", "Case")
			s.check(contains(x.object()["schemas"], userSchema), x, "schemas has "+userSchema, showAt("schemas", x.object()["schemas"], true))
		}),
		spec("S7", "read-created", "the new user is read back", "store what was sent", Must, func(s *Session) {
			name := s.mail("s7")
			x := s.specCreate(name)
			y := s.specGet(pathOf("/Users", x.newID())).status(200)
			y.want("userName", name)
			y.want("name.givenName", "Ann")
			y.want("name.familyName", "Case")
		}),
		spec("S8", "duplicate", "the same create again is 409", "unique key on userName", Must, func(s *Session) {
			name := s.mail("s8")
			s.specCreate(name)
			x := s.post("/Users", s.person(name, nil))
			s.check(x.Response.Status == 409, x, "status 409", x.describe())
		}),
		spec("S9", "filter-case", "a filter in upper case is 200", "compare userName without case", Must, func(s *Session) {
			name := s.mail("s9")
			s.specCreate(name)
			s.specGet("/Users" + s.query("filter", eq("userName", strings.ToUpper(name)))).status(200)
		}),
		spec("S10", "groups", "GET /Groups without paging is 200 in less than 600 ms", "page by default and look members up cheaply", Should, func(s *Session) {
			s.needGroups()
			x := s.specGet("/Groups").status(200)
			s.check(x.Millis < 600, x, "an answer in less than 600 ms", show(int(x.Millis))+" ms")
			if l := s.list(x); l.Total >= 1 {
				s.check(len(l.Resources) > 0, x, "Resources is a list with groups", "totalResults "+showTotal(l))
			}
		}),
		spec("S11", "bad-token", "a wrong token is 401 with a SCIM error", `401 with Error schema, status "401" and detail`, Must, func(s *Session) {
			x := s.send(call{method: "GET", path: "/Users" + s.query("filter", eq("userName", "x@y")), header: map[string]string{"Authorization": "non-token"}})
			s.unauthorized(x, "for the header Authorization: non-token")
		}),
		spec("S12", "unknown-id", "another unknown id is 404 with a SCIM error", `404 with Error schema, status "404" and detail`, Must, unknown("00919288221112222")),
	}
}

// seed makes sure that the server has a user, which the test asks for; in read-only runs whatever is there serves.
func (s *Session) seed() {
	if !s.run.o.ReadOnly {
		s.user("seed", nil)
	}
}

// nobodyThere skips a read-only run at a server without users.
func (s *Session) nobodyThere(l *List) {
	if s.run.o.ReadOnly && l.Total == 0 {
		s.skip("needs a user; this run is read-only and the server has none")
	}
}

// mine tells whether the first resource of a list was made by this run: only then its fields can be judged.
func (s *Session) mine(l *List) bool {
	return strings.HasPrefix(l.text("Resources[0].userName"), s.run.prefix)
}

func (s *Session) specCreate(name string) *Exchange {
	body := s.person(name, nil)
	return s.send(call{method: "POST", path: "/Users", body: body, header: map[string]string{"Accept": "application/scim+json; charset=utf-8"}}).status(201)
}
