package verify

func rfcErrors() []Case {
	const rule = "RFC 7644 §3.12"
	return []Case{
		rfc("error-unknown-id", rule, "an unknown id is 404 with a SCIM error, whatever its form", "a malformed id that is 400 or 500 breaks PingFederate's connection test", `404 with Error schema, status "404" and a detail`, func(s *Session) {
			for _, id := range []string{s.guid(), "11111111-1111-1111-1111-111111111111", "0", "no%20such%20id", "%27%3B--"} {
				x := s.get("/Users/" + id)
				if s.check(x.Response.Status == 404, x, "status 404 for the id "+id, x.describe()) {
					s.errorBody(x, 404)
				}
			}
		}),
		rfc("error-bad-token", "R-03", "a wrong or missing token is 401 with a SCIM error", "a login page or a redirect looks like a broken server", "answer 401 with the Error schema", badToken),
		should(rfc("error-unauthenticated-challenge", "RFC 7235 §3.1", "401 carries WWW-Authenticate", "HTTP requires it; generic clients need it", "send WWW-Authenticate: Bearer", func(s *Session) {
			x := s.send(call{method: "GET", path: "/Users?count=1", anonymous: true})
			s.check(x.Response.Status == 401 && x.header("WWW-Authenticate") != "", x, "status 401 with WWW-Authenticate", x.describe()+", WWW-Authenticate "+show(x.header("WWW-Authenticate")))
		})),
		should(rfc("error-unknown-endpoint", rule, "an endpoint that does not exist is 404 with a SCIM error", "clients that look for optional endpoints take HTML for an answer", "answer 404 with the Error schema below the base URL", func(s *Session) {
			x := s.get("/NoSuchEndpoint")
			if s.check(x.Response.Status == 404, x, "status 404", x.describe()) {
				s.errorBody(x, 404)
			}
		})),
		should(rfc("error-wrong-method", rule, "a method that a resource does not have is 405, 404 or 501", "a 500 is retried", "answer 405 with Allow", func(s *Session) {
			u := s.user("wm", nil)
			for _, c := range []call{{method: "DELETE", path: "/Users"}, {method: "PUT", path: "/Users", body: Object{}}, {method: "POST", path: "/ServiceProviderConfig", body: Object{}}} {
				x := s.send(c)
				ok := x.Response.Status == 405 || x.Response.Status == 404 || x.Response.Status == 501
				s.check(ok, x, "status 405 for "+c.method+" "+c.path, x.describe())
			}
			s.again(u)
		})),
		rfc("error-media-type", "R-05", "errors carry Content-Type application/scim+json", "clients cannot read the reason of a failure", "write errors through the same function that writes resources", func(s *Session) {
			s.scimType(s.get(pathOf("/Users", s.guid())).status(404))
		}),
		note(rfc("method-override", "R-70", "X-HTTP-Method-Override is not followed", "a proxy that allows POST alone is passed by", "ignore the header", func(s *Session) {
			g := s.group("mo")
			x := s.send(call{method: "POST", path: g.Path, body: Object{"schemas": list(groupSchema), "displayName": s.name("mo")}, header: map[string]string{"X-HTTP-Method-Override": "DELETE"}})
			s.check(x.Response.Status == 404 || x.Response.Status == 405 || x.Response.Status == 501 || x.Response.Status == 400, x, "status 405, 404 or 501", x.describe())
			y := s.get(g.Path)
			s.check(y.Response.Status == 200, y, "the group is still there", y.describe())
		})),
	}
}

func rfcMedia() []Case {
	return []Case{
		rfc("media-type", "RFC 7644 §3.1", "answers carry Content-Type application/scim+json", "Entra requires it", "set application/scim+json on every answer with a body", func(s *Session) {
			u := s.user("mt", nil)
			s.scimType(u.Exchange)
			s.scimType(s.again(u))
			s.scimType(s.get("/Users?count=1").status(200))
		}),
		rfc("request-media-types", "R-06", "application/json, application/scim+json and charsets are accepted", "415 stops Okta or Microsoft's validator", "accept both with any parameters", requestMedia),
		should(rfc("accept-json", "R-07", "Accept: application/json alone is answered", "OneLogin and Google ask for application/json", "answer with application/json if nothing else is accepted", func(s *Session) {
			u := s.user("aj", nil)
			x := s.send(call{method: "GET", path: u.Path, header: map[string]string{"Accept": "application/json"}})
			s.check(x.Response.Status == 200, x, "status 200 for Accept: application/json", x.describe())
			s.check(isMedia(x.header("Content-Type"), "application/json"), x, "Content-Type application/json", "Content-Type "+orNone(x.header("Content-Type")))
		})),
		rfc("accept-any", "RFC 7644 §3.1", "Accept: */* and no Accept are answered", "many HTTP libraries send */*", "answer application/scim+json", func(s *Session) {
			for _, accept := range []string{"*/*", "", "application/scim+json, application/json;q=0.5"} {
				x := s.send(call{method: "GET", path: "/Users?count=1", header: map[string]string{"Accept": accept}})
				s.check(x.Response.Status == 200, x, "status 200 for Accept: "+accept, x.describe())
			}
		}),
		rfc("unknown-query-keys", "R-11", "unknown query keys are ignored, with and without value", "Entra's tenant URL may carry aadOptscim062020", "ignore what is not known", func(s *Session) {
			u := s.user("uk", nil)
			l := s.list(s.get("/Users" + s.query("aadOptscim062020!", "", "unheard", "1", "filter", eq("userName", u.Name))))
			l.only("userName eq behind unknown keys", u.ID)
		}),
		rfc("query-encoding", "R-23", "blanks in a filter arrive as + and as %20", "Entra sends +, Okta %20; read literally, nobody is found", "decode the query as a form", func(s *Session) {
			u := s.user("qe", nil)
			for _, blank := range []string{"+", "%20"} {
				path := "/Users?filter=userName" + blank + "eq" + blank + "%22" + s.escape(u.Name) + "%22"
				s.list(s.get(path)).only("the filter with "+blank+" for blanks", u.ID)
			}
			v := s.user("q+e", nil)
			s.search("/Users", eq("userName", v.Name)).only("a userName with a plus sign", v.ID)
		}),
	}
}
