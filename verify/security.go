package verify

import (
	"encoding/base64"
	"slices"
	"strings"
)

// securityProfile tries the attack classes that show from outside. It is bounded: each case sends a handful of
// requests and touches nothing but its own objects.
func securityProfile() Profile {
	return Profile{Name: "security", Dialect: plain, Cases: slices.Concat(securityAccess(), securityTenant(), securityWrites(), securityFilter(), securityInput(), securityOutput()),
		About: "attack classes seen from outside: credentials, foreign tenants, injection, mass assignment, oversize and nested input, leaks"}
}

// sec makes a case of the security profile; ref is the class or advisory.
func sec(name, rule, title, why, fix string, run func(*Session)) Case {
	return Case{Name: name, Rule: rule, Ref: rule, Title: title, Why: why, Fix: fix, Run: run, Breaks: []string{"everybody in the directory"}}
}

func securityAccess() []Case {
	return []Case{
		sec("no-credentials", "A1 CVE-2025-4210", "no endpoint answers without good credentials", "anybody can read or change the directory", "check the token inside the handler of every route", everyRoute),
		sec("write-without-credentials", "A1", "a write without good credentials changes nothing", "anybody can delete or disable users", "check the token before reading the body", func(s *Session) {
			u := s.user("wc", nil)
			patch := Object{"schemas": list(patchMessage), "Operations": list(op("replace", "active", false))}
			for _, c := range []call{
				{method: "PATCH", path: u.Path, body: patch},
				{method: "PUT", path: u.Path, body: s.person(u.Name, Object{"active": false})},
				{method: "DELETE", path: u.Path},
			} {
				for _, auth := range []string{"", "Bearer wrong"} {
					c.anonymous = auth == ""
					c.header = nil
					if auth != "" {
						c.header = map[string]string{"Authorization": auth}
					}
					x := s.send(c)
					s.check(x.Response.Status == 401 || x.Response.Status == 403, x, "status 401", x.describe())
				}
			}
			s.again(u).want("active", true)
		}),
		sec("path-spellings", "A2 CVE-2026-32130", "odd spellings of a path do not get past the check of credentials", "the router and the check of credentials read the path differently", "check credentials on the matched route, never on a prefix of the path", func(s *Session) {
			for _, p := range []string{"/%55sers", "//Users", "/./Users", "/Users/.", "/Users;x=1", "/users", "/Users%2f", "/%2e/Users", "/Users/", "/Users%20", "/Groups/../Users", "/Users?access_token=x", "/Users%3fcount=1"} {
				x := s.send(call{method: "GET", path: p, anonymous: true})
				_, isList := x.value("Resources")
				s.check(!x.ok() && !isList, x, "no 2xx without credentials for the path "+p, x.describe())
			}
		}),
		sec("token-in-query", "A7 RFC 6750 §5.3", "a token in the URL is not accepted", "tokens in URLs stand in logs and histories of proxies", "read tokens from the Authorization header alone", func(s *Session) {
			token, err := s.run.auth.token(s.run.ctx)
			if err != nil || token == "" || s.run.o.ReadOnly {
				s.skip("needs a token, and a server that is no production server: the token would stand in its access log")
			}
			for _, key := range []string{"access_token", "token"} {
				x := s.send(call{method: "GET", path: "/Users?count=1&" + key + "=" + s.escape(token), anonymous: true})
				s.check(!x.ok(), x, "a refusal of the token in the query", x.describe())
			}
		}),
	}
}

// everyRoute tries each endpoint with credentials that are missing, malformed or of another kind.
func everyRoute(s *Session) {
	token, _ := s.run.auth.token(s.run.ctx)
	cut := token[:max(len(token)-1, 0)]
	headers := []string{"", "Bearer ", "Bearer", "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:admin")), "Bearer null", "Bearer " + strings.Repeat("A", 5000), "Bearer " + cut + "~"}
	paths := []string{"/Users?count=1", pathOf("/Users", s.guid())}
	if s.run.facts.groups {
		paths = append(paths, "/Groups?count=1")
	}
	try := func(c call, header string) {
		c.anonymous = header == ""
		if header != "" {
			c.header = map[string]string{"Authorization": header}
		}
		x := s.send(c)
		ok := x.Response.Status >= 400 && x.Response.Status < 500
		s.check(ok, x, "status 401 for "+c.method+" "+bareQuery(c.path)+" with Authorization "+show(clip(s.run.auth.strike(header), 24)), x.describe())
	}
	for _, p := range paths {
		for _, h := range headers {
			try(call{method: "GET", path: p}, h)
		}
	}
	try(call{method: "POST", path: "/.search", body: Object{"schemas": list("urn:ietf:params:scim:api:messages:2.0:SearchRequest")}}, "")
	try(call{method: "POST", path: "/Users/.search", body: Object{"schemas": list("urn:ietf:params:scim:api:messages:2.0:SearchRequest")}}, "")
	try(call{method: "GET", path: "/Me"}, "")
	if !s.run.o.ReadOnly {
		try(call{method: "POST", path: "/Users", body: s.person(s.mail("anon"), nil)}, "")
		try(call{method: "POST", path: "/Bulk", body: Object{"schemas": list(bulkRequest), "Operations": list()}}, "")
	}
}

func bareQuery(path string) string {
	p, _, _ := strings.Cut(path, "?")
	return p
}

func securityTenant() []Case {
	foreign := func(name, title string, run func(s *Session, u created)) Case {
		return sec(name, "B2 CVE-2026-92539", title, "one customer reads or changes the users of another", "make the tenant part of every key and every query", func(s *Session) {
			if s.run.o.SecondToken == "" {
				s.skip("needs a token of a second tenant")
			}
			run(s, s.user("ft", nil))
		})
	}
	second := func(s *Session, c call) *Exchange {
		c.token, c.base = s.run.o.SecondToken, s.run.o.SecondURL
		return s.send(c)
	}
	return []Case{
		foreign("foreign-tenant", "another tenant's token neither reads nor changes a user", func(s *Session, u created) {
			patch := Object{"schemas": list(patchMessage), "Operations": list(op("replace", "active", false))}
			for _, c := range []call{
				{method: "GET", path: u.Path},
				{method: "PATCH", path: u.Path, body: patch},
				{method: "PUT", path: u.Path, body: s.person(u.Name, Object{"active": false})},
				{method: "DELETE", path: u.Path},
			} {
				x := second(s, c)
				s.check(x.Response.Status == 404 || x.Response.Status == 401 || x.Response.Status == 403, x, "status 404 or 401 for "+c.method+" with the token of another tenant", x.describe())
			}
			s.again(u).want("active", true)
		}),
		foreign("foreign-list", "another tenant's token does not find a user", func(s *Session, u created) {
			x := second(s, call{method: "GET", path: "/Users" + s.query("filter", eq("userName", u.Name))})
			if x.Response.Status == 200 {
				s.list(x).only("the filter with the token of another tenant")
			}
		}),
		foreign("foreign-base", "another tenant's token is refused at this base URL", func(s *Session, u created) {
			if s.run.o.SecondURL == "" {
				s.skip("needs the base URL of the second tenant: they share one")
			}
			x := s.send(call{method: "GET", path: "/Users?count=1", token: s.run.o.SecondToken})
			s.check(x.Response.Status == 401 || x.Response.Status == 403 || x.Response.Status == 404, x, "status 401, 403 or 404", x.describe())
		}),
		foreign("foreign-indistinct", "another tenant's id looks like one that does not exist", func(s *Session, u created) {
			a := second(s, call{method: "GET", path: u.Path})
			b := second(s, call{method: "GET", path: pathOf("/Users", s.guid())})
			s.check(a.Response.Status == b.Response.Status, a, "the status of an id that does not exist, "+show(b.Response.Status), "status "+show(a.Response.Status))
		}),
	}
}

func securityWrites() []Case {
	return []Case{
		sec("chosen-id", "B1 CVE-2025-41115", "a client cannot choose the id", "a client that chooses ids takes over the accounts behind them", "make ids on the server", func(s *Session) {
			for _, id := range []any{"1", s.guid(), 1, "admin"} {
				x := s.post("/Users", s.person(s.mail("ci"), Object{"id": id}))
				if x.ok() {
					v, _ := x.value("id")
					s.check(show(v) != show(id), x, "an id of the server's own", "the id that the client sent, "+show(id))
				}
			}
		}),
		sec("external-id-is-no-key", "B1 CVE-2025-41115", "an externalId that equals another user's id touches nobody else", "Grafana took externalId for its internal id: users became administrators", "keep externalId apart from the internal key", func(s *Session) {
			victim := s.user("victim", nil)
			x := s.post("/Users", s.person(s.mail("ek"), Object{"externalId": victim.ID, "displayName": "Attacker"})).status(201)
			s.check(x.newID() != victim.ID, x, "a new id", "the id of another user")
			y := s.again(victim)
			y.want("userName", victim.Name)
			y.want("displayName", "Ann Case")
		}),
		sec("mass-assignment", "B6", "read-only and operational attributes cannot be written", "a client gives itself groups or rights", "take only what the schema declares writable", massAssignment),
		sec("groups-read-only", "B6 RFC 7643 §4.1.2", "groups of a user cannot be written through the user", "a client puts itself into any group", "derive groups from memberships", func(s *Session) {
			g, u := s.group("gr"), s.user("gr", nil)
			s.patch(u.Path, op("add", "groups", list(ref(g.ID))))
			s.patch(u.Path, op("add", "", Object{"groups": list(ref(g.ID))}))
			s.put(u.Path, s.person(u.Name, Object{"groups": list(ref(g.ID))}))
			s.members(g, "after writes to groups of the user")
		}),
		sec("password-echo", "B5 R-44", "a password is never returned", "passwords stand in logs of every client", "mark password returned never", passwordNeverReturned),
		sec("password-filter", "B5", "a filter cannot probe passwords", "a password or its hash can be guessed letter by letter", "refuse filters on what is never returned", func(s *Session) {
			pw := s.password()
			u := s.user("pf", Object{"password": pw})
			for _, f := range []string{`password sw "Pw"`, `password pr`, `password eq "` + pw + `"`} {
				x := s.get("/Users" + s.query("filter", f+" and "+eq("userName", u.Name)))
				if x.Response.Status == 200 {
					l := s.list(x)
					s.check(len(l.Resources) == 0, x, "a refusal, or nobody, for the filter "+clip(f, 16), count(len(l.Resources), "user"))
				}
				s.check(x.Response.Status < 500, x, "status 400 or 403", x.describe())
			}
		}),
	}
}

func massAssignment(s *Session) {
	evil := Object{
		"meta":    Object{"created": "2001-01-01T00:00:00Z", "lastModified": "2001-01-01T00:00:00Z", "resourceType": "Admin", "version": `W/"666"`, "location": "https://evil.example/"},
		"isAdmin": true, "admin": true, "tenant": "other", "tenantId": 1, "__proto__": Object{"isAdmin": true}, "constructor": Object{"prototype": Object{"isAdmin": true}},
		"passwordHash": "x", "emailVerified": true, "deleted": true,
	}
	x := s.post("/Users", s.person(s.mail("ma"), clone(evil)))
	if !x.ok() {
		s.check(x.Response.Status < 500, x, "status 201 or 4xx", x.describe())
		return
	}
	u := created{ID: x.newID(), Path: pathOf("/Users", x.newID()), Name: x.text("userName")}
	s.check(s.put(u.Path, s.person(u.Name, clone(evil))).Response.Status < 500, x, "no error 500 for the PUT", "an error 500")
	s.patch(u.Path, op("replace", "", clone(evil)))
	s.patch(u.Path, op("add", "meta.created", "2001-01-01T00:00:00Z"))
	y := s.again(u)
	s.check(y.text("meta.created") != "2001-01-01T00:00:00Z", y, "the server's own meta.created", "the client's")
	s.check(y.text("meta.lastModified") != "2001-01-01T00:00:00Z", y, "the server's own meta.lastModified", "the client's")
	y.want("meta.resourceType", "User")
	s.check(!strings.Contains(y.text("meta.location"), "evil.example"), y, "the server's own meta.location", "the client's")
	for _, key := range []string{"isAdmin", "admin", "tenant", "tenantId", "__proto__", "passwordHash", "emailVerified", "deleted"} {
		if s.attribute(key) == nil {
			y.noKey(key)
		}
	}
}
