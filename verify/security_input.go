package verify

import (
	"fmt"
	"strings"
)

func securityFilter() []Case {
	return []Case{
		sec("filter-injection", "C3 CVE-2022-24124", "values of a filter stay values", "a filter that reaches SQL or LDAP finds everybody, or worse", "bind values as parameters", func(s *Session) {
			u := s.user("fi", nil)
			for _, v := range []string{`x' OR '1'='1`, `x') OR ('1'='1`, `*`, `*)(objectClass=*`, `x'; --`, `%`, `_%`, `\\`, `\u0000`, `${7*7}`, `{{7*7}}`, `$ne`} {
				x := s.get("/Users" + s.query("filter", `userName eq "`+v+`"`))
				s.check(x.Response.Status < 500, x, "no error 500 for the value "+v, x.describe())
				if x.Response.Status == 200 {
					s.list(x).only("the value "+v, []string{}...)
				}
			}
			s.again(u)
		}),
		sec("filter-wildcards", "C3", "% and _ in a filter are ordinary characters", "a search for 50% finds everybody: clients link the wrong account", "escape wildcards of LIKE", func(s *Session) {
			s.needFilter()
			u := s.user("wildcard", nil)
			for _, f := range []string{`userName co "` + s.run.prefix + `%"`, `userName sw "` + s.run.prefix + `_wild"`, `userName ew "%Verify.Example"`} {
				s.search("/Users", f).only("the filter " + f)
			}
			s.search("/Users", `userName co "wildcard" and `+eq("userName", u.Name)).only("a filter without wildcards", u.ID)
		}),
		sec("filter-depth", "C1 GHSA-r5fr-9gmv-jggh", "a deeply nested filter is refused", "a nested filter exhausts the stack and ends the process", "bound the depth in the parser", func(s *Session) {
			for _, n := range []int{200, 1500} {
				f := strings.Repeat("(", n) + `userName eq "x"` + strings.Repeat(")", n)
				x := s.get("/Users" + s.query("filter", f))
				s.check(x.Err == "" && x.Response.Status < 500 && x.Response.Status != 0, x, fmt.Sprintf("status 400 for %d levels", n), x.describe())
			}
			s.alive()
		}),
		sec("filter-length", "C1", "a long filter is refused", "long filters cost much and lead to errors in the database", "bound the length and the number of terms", func(s *Session) {
			f := strings.TrimSuffix(strings.Repeat(`userName eq "x" or `, 600), " or ")
			x := s.get("/Users" + s.query("filter", f))
			if x.Err != "" { // HTTP servers cut off a request line that is too long for them
				s.warn(x, "status 400, 414 or 431 for 600 terms", x.describe())
			} else {
				s.check(x.Response.Status < 500, x, "status 400, 414 or 200 for 600 terms", x.describe())
			}
			s.alive()
		}),
	}
}

// alive requires that the server still answers.
func (s *Session) alive() {
	x := s.get("/Users" + s.query("filter", eq("userName", s.guid()), "count", "1"))
	s.check(x.Response.Status == 200, x, "the server still answers", x.describe())
}

func securityInput() []Case {
	return []Case{
		sec("nested-json", "C5 DIRAPI-442", "deeply nested JSON is refused", "deep nesting exhausts the stack of the parser", "bound the depth before decoding", func(s *Session) {
			deep := strings.Repeat(`{"a":`, 3000) + "1" + strings.Repeat("}", 3000)
			body := `{"schemas":["` + userSchema + `"],"userName":"` + s.mail("nj") + `","nested":` + deep + `}`
			x := s.post("/Users", body)
			s.check(x.Err == "" && x.Response.Status < 500 && x.Response.Status != 0, x, "status 400 for 3000 levels", x.describe())
			s.alive()
		}),
		should(sec("large-body", "C5", "a user of 3 MiB is refused with 4xx", "large bodies fill memory and storage", "bound the body, answer 413", func(s *Session) {
			x := s.post("/Users", s.person(s.mail("lb"), Object{"displayName": strings.Repeat("x", 3<<20)}))
			closed := x.Err != "" && x.Response.Status == 0 // some servers close the connection on a body that is too large
			s.check(closed || x.Response.Status >= 400 && x.Response.Status < 500, x, "status 413", x.describe())
			s.alive()
		})),
		should(sec("many-operations", "C5", "a PATCH of 5000 operations is refused with 4xx or done", "operations without bound block a server", "bound the number of operations", func(s *Session) {
			u := s.user("mo", nil)
			ops := make([]Object, 5000)
			for i := range ops {
				ops[i] = op("replace", "displayName", "n")
			}
			x := s.patch(u.Path, ops...)
			s.check(x.Err == "" && x.Response.Status < 500 && x.Response.Status != 0, x, "status 4xx or 2xx", x.describe())
			s.alive()
		})),
		sec("odd-text", "C7", "invalid UTF-8, lone surrogates and NUL are refused or kept, never an error 500", "texts that the database cannot hold end in errors 500, which clients retry for ever", "check texts when reading them", func(s *Session) {
			for _, t := range []string{"\xff\xfe", `\ud800`, `\u0000`, "a\\u0000b", `\u202e`, strings.Repeat(`\u0301`, 200)} {
				body := `{"schemas":["` + userSchema + `"],"userName":"` + s.mail("ot") + `","displayName":"` + t + `"}`
				x := s.post("/Users", body)
				s.check(x.Err == "" && x.Response.Status < 500 && x.Response.Status != 0, x, "status 400 or 201 for the text "+show(t), x.describe())
			}
		}),
		sec("odd-json", "C7", "duplicate keys, huge numbers and wrong types are never an error 500", "errors 500 are retried for ever", "check types when reading", func(s *Session) {
			mail := s.mail("oj")
			for _, body := range []string{
				`{"schemas":["` + userSchema + `"],"userName":"` + mail + `","userName":"` + mail + `2"}`,
				`{"schemas":["` + userSchema + `"],"userName":1e400}`,
				`{"schemas":["` + userSchema + `"],"userName":{"a":1}}`,
				`{"schemas":"` + userSchema + `","userName":"` + mail + `3"}`,
				`{"schemas":["` + userSchema + `"],"userName":"` + mail + `4","emails":"x"}`,
				`{"schemas":["` + userSchema + `"],"userName":"` + mail + `5","name":[]}`,
				`{"schemas":["` + userSchema + `"],"userName":"` + mail + `6","emails":[[1],null,{}]}`,
				`null`, `1`, ``, `{}`,
			} {
				x := s.post("/Users", body)
				s.check(x.Err == "" && x.Response.Status < 500 && x.Response.Status != 0, x, "status 400 or 201", x.describe())
			}
		}),
		sec("odd-patch", "C7", "malformed PATCH messages are 400, never an error 500", "errors 500 are retried for ever", "check the message before applying it", func(s *Session) {
			u := s.user("op", nil)
			for _, body := range []string{
				`{}`, `[]`, `{"Operations":{}}`, `{"Operations":[null]}`, `{"Operations":["x"]}`, `{"Operations":[{"op":1}]}`,
				`{"Operations":[{"op":"add","path":1,"value":"x"}]}`, `{"Operations":[{"op":"replace","path":"emails[","value":"x"}]}`,
				`{"Operations":[{"op":"replace","path":"emails[type eq \"work\"","value":"x"}]}`, `{"Operations":[{"op":"add","path":"name.givenName.x.y","value":"x"}]}`,
				`{"Operations":[{"op":"add","path":"","value":null}]}`, `{"Operations":[{"op":"replace","value":"x"}]}`, `{"Operations":[{"op":"add","path":"emails","value":{"value":[1]}}]}`,
			} {
				x := s.send(call{method: "PATCH", path: u.Path, body: body})
				s.check(x.Err == "" && x.Response.Status < 500 && x.Response.Status != 0, x, "status 400 for "+clip(body, 60), x.describe())
			}
			s.again(u).want("userName", u.Name)
		}),
	}
}

// leaks are texts that belong into a log, not into an answer.
var leaks = []string{"goroutine ", "panic:", "runtime error", "Traceback (most recent", "SQLSTATE", "ORA-0", "syntax error at or near", "SELECT ", "INSERT INTO", "pq: ", "sqlite",
	"java.lang.", "at com.", "at org.", "Exception in", "node_modules", "System.NullReference", "Microsoft.EntityFramework", "ActiveRecord::", "django.db", "psycopg2", "/var/www/", "/usr/src/", "C:\\"}

func securityOutput() []Case {
	return []Case{
		sec("error-leaks", "C4", "errors do not tell about the inside", "stack traces and statements help an attacker", "keep the reason for the log apart from the text for the client", errorLeaks),
		sec("error-escapes", "C4 CVE-2021-21479", "what a client sent is not run or shown as markup in an error", "expressions in input were run through the error message", "quote input in errors, answer JSON", func(s *Session) {
			for _, path := range []string{"/Schemas/$%7B7*191%7D", "/Users/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/Users" + s.query("filter", `${7*191} eq "<script>"`)} {
				x := s.get(path)
				body := string(x.Response.Body) + x.Response.Text
				s.check(!strings.Contains(body, "1337"), x, "the expression is not run", "the answer contains 1337")
				s.check(!isMedia(x.header("Content-Type"), "text/html") || !strings.Contains(body, "<script>"), x, "no markup of the client in an HTML answer", "it is there")
			}
		}),
		sec("header-injection", "A2", "line breaks in values do not become headers", "a client plants headers or splits the answer", "encode what goes into headers", func(s *Session) {
			x := s.post("/Users", s.person(s.mail("hi"), Object{"displayName": "a\r\nSet-Cookie: planted=1", "externalId": "e\r\nX-Planted: 1"}))
			y := s.get("/Users/x%0d%0aX-Planted:%201")
			for _, e := range []*Exchange{x, y} {
				s.check(e.header("X-Planted") == "" && !strings.Contains(e.header("Set-Cookie"), "planted"), e, "no header from a value", "a header planted by the client")
				s.check(e.Response.Status < 500, e, "no error 500", e.describe())
			}
		}),
		should(sec("forwarded-host", "A2", "locations do not follow X-Forwarded-Host of any client", "a client makes others call a foreign host", "build locations from the configured public URL", func(s *Session) {
			u := s.user("fh", nil)
			x := s.send(call{method: "GET", path: u.Path, header: map[string]string{"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}})
			s.check(!strings.Contains(string(x.Response.Body), "evil.example"), x, "no foreign host in the answer", "meta.location is "+show(x.text("meta.location")))
		})),
		should(sec("cors", "G", "other origins may not read with credentials", "a web page reads the directory through the browser of an administrator", "send no Access-Control-Allow-Origin", func(s *Session) {
			x := s.send(call{method: "GET", path: "/Users?count=1", header: map[string]string{"Origin": "https://evil.example"}})
			ok := x.header("Access-Control-Allow-Origin") != "https://evil.example" || x.header("Access-Control-Allow-Credentials") != "true"
			s.check(ok, x, "the origin is not allowed with credentials", "Access-Control-Allow-Origin "+show(x.header("Access-Control-Allow-Origin")))
		})),
		should(sec("tls", "R-12", "the connection uses TLS 1.2 or later", "Entra connects with TLS 1.2 alone; a token sent in the clear is public", "terminate TLS 1.2 or later", func(s *Session) {
			if !strings.HasPrefix(s.run.base, "https:") {
				s.skip("the base URL is http: fine on a test machine, never in production")
			}
			x := s.get("/Users?count=1")
			s.check(x.tls >= 0x0303, x, "TLS 1.2 or later", fmt.Sprintf("version %#04x", x.tls))
		})),
	}
}

// errorLeaks provokes errors and looks for the inside in the answers.
func errorLeaks(s *Session) {
	calls := []call{
		{method: "GET", path: "/Users" + s.query("filter", `userName eq 'x`)},
		{method: "GET", path: "/Users/%27%22%3B%00"},
		{method: "GET", path: "/Users?startIndex=99999999999999999999&count=-99999999999999999999"},
		{method: "GET", path: "/Users" + s.query("sortBy", "1; drop table users")},
		{method: "GET", path: "/Users" + s.query("attributes", "'\"\\")},
		{method: "GET", path: "/Groups/" + strings.Repeat("a", 3000)},
	}
	if !s.run.o.ReadOnly {
		calls = append(calls,
			call{method: "POST", path: "/Users", body: `{"userName":`},
			call{method: "POST", path: "/Users", body: `{"schemas":["` + userSchema + `"],"userName":["a"],"active":{}}`},
			call{method: "PATCH", path: pathOf("/Users", s.guid()), body: `{"Operations":[{"op":"replace","path":"x[","value":"y"}]}`})
	}
	for _, c := range calls {
		x := s.send(c)
		s.check(x.Response.Status < 500 || x.Response.Status == 501, x, "no error 500", x.describe())
		body := string(x.Response.Body) + x.Response.Text
		for _, l := range leaks {
			s.check(!strings.Contains(body, l), x, "nothing about the inside in an error", "the answer contains "+show(l))
		}
	}
}
