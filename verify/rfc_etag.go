package verify

func rfcETag() []Case {
	const rule = "RFC 7644 §3.14"
	why := "clients that protect themselves against lost updates are not protected"
	etag := func(name, title, fix string, run func(s *Session, u created, tag string)) Case {
		return rfc("etag-"+name, rule, title, why, fix, func(s *Session) {
			s.need("etag.supported")
			u := s.user("et", nil)
			x := s.again(u)
			tag := x.header("ETag")
			if tag == "" {
				tag = x.text("meta.version")
			}
			if tag == "" {
				s.stop(x, "an ETag header or meta.version", "neither, though etag.supported is true")
			}
			run(s, u, tag)
		})
	}
	with := func(s *Session, method, path, header, tag string, body any) *Exchange {
		return s.send(call{method: method, path: path, body: body, header: map[string]string{header: tag}})
	}
	return []Case{
		etag("present", "a read carries the ETag that meta.version names", "send ETag with every single resource", func(s *Session, u created, tag string) {
			x := s.again(u)
			s.check(x.header("ETag") != "", x, "an ETag header", "none")
			x.want("meta.version", x.header("ETag"))
		}),
		etag("changes", "the version changes with an update and stays without one", "derive the version from the stored state", func(s *Session, u created, tag string) {
			same := s.again(u)
			same.want("meta.version", tag)
			s.apply(u.Path, op("replace", "displayName", "Versioned"))
			x := s.again(u)
			s.check(x.text("meta.version") != tag, x, "another version than "+show(tag), "the same version")
		}),
		etag("if-none-match", "If-None-Match with the current version is 304", "compare before sending", func(s *Session, u created, tag string) {
			x := with(s, "GET", u.Path, "If-None-Match", tag, nil)
			s.check(x.Response.Status == 304 && x.Response.size == 0, x, "status 304 without a body", x.describe())
			s.apply(u.Path, op("replace", "displayName", "Changed"))
			y := with(s, "GET", u.Path, "If-None-Match", tag, nil)
			s.check(y.Response.Status == 200, y, "status 200 after a change", y.describe())
		}),
		etag("if-match", "If-Match with an old version is 412 and changes nothing", "compare the version inside the write", func(s *Session, u created, tag string) {
			s.apply(u.Path, op("replace", "displayName", "First"))
			patch := Object{"schemas": list(patchMessage), "Operations": list(op("replace", "displayName", "Lost"))}
			for _, x := range []*Exchange{
				with(s, "PATCH", u.Path, "If-Match", tag, patch),
				with(s, "PUT", u.Path, "If-Match", tag, s.person(u.Name, Object{"displayName": "Lost"})),
				with(s, "DELETE", u.Path, "If-Match", tag, nil),
			} {
				s.check(x.Response.Status == 412, x, "status 412 for "+x.Request.Method+" with an old version", x.describe())
				s.againIs(x, u, "displayName", "First", "after a refused "+x.Request.Method)
			}
		}),
		etag("if-match-current", "If-Match with the current version succeeds", "compare weak ETags weakly", func(s *Session, u created, tag string) {
			patch := Object{"schemas": list(patchMessage), "Operations": list(op("replace", "displayName", "Matched"))}
			x := with(s, "PATCH", u.Path, "If-Match", tag, patch).success()
			s.againIs(x, u, "displayName", "Matched", "after the PATCH")
		}),
	}
}
