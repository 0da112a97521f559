package verify

import (
	"slices"
	"strings"
)

func rfcSort() []Case {
	const why, fix = "clients that ask for an order and take the first page see the wrong people", "sort in the query, or announce sort.supported false"
	sorted := func(name, title, by, order, want string) Case {
		return rfc(name, "RFC 7644 §3.4.2.3", title, why, fix, func(s *Session) {
			s.need("sort.supported")
			s.needAttr(by)
			c := s.crowd()
			pairs := []string{"filter", `userName sw "` + c.tag + `"`, "sortBy", by}
			if order != "" {
				pairs = append(pairs, "sortOrder", order)
			}
			l := s.list(s.get("/Users" + s.query(pairs...)))
			if !s.check(len(l.Resources) == 3, l.Exchange, "3 users", count(len(l.Resources), "user")) {
				return
			}
			s.check(slices.Equal(l.ids(), c.pick(want)), l.Exchange, "the order "+want+" by "+by+" "+order, "the order "+c.labels(l.ids()))
		})
	}
	return []Case{
		sorted("sort-ascending", "sortBy sorts, ascending unless told otherwise", "userName", "", "abc"),
		sorted("sort-descending", "sortOrder descending turns the order round", "userName", "descending", "cba"),
		sorted("sort-missing-last", "resources without the attribute come last when ascending", "title", "ascending", "acb"),
		sorted("sort-missing-first", "resources without the attribute come first when descending", "title", "descending", "bca"),
		rfc("sort-pages", "RFC 7644 §3.4.2.3", "a sorted list has the same order across pages", why, fix, func(s *Session) {
			s.need("sort.supported")
			c := s.crowd()
			var got []string
			for _, start := range []string{"1", "2", "3"} {
				l := s.list(s.get("/Users" + s.query("filter", `userName sw "`+c.tag+`"`, "sortBy", "userName", "sortOrder", "descending", "startIndex", start, "count", "1")))
				got = append(got, l.ids()...)
			}
			s.check(slices.Equal(got, c.pick("cba")), nil, "the order cba over three pages", "the order "+c.labels(got))
		}),
	}
}

// labels names the members of the crowd in a list of ids.
func (c crowd) labels(ids []string) string {
	var b strings.Builder
	for _, id := range ids {
		switch id {
		case c.a.ID:
			b.WriteByte('a')
		case c.b.ID:
			b.WriteByte('b')
		case c.c.ID:
			b.WriteByte('c')
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

func rfcProjection() []Case {
	rule, fix := "RFC 7644 §3.9", "apply attributes and excludedAttributes to every answer with resources; always keep id"
	why := "clients that ask for little get much: slow lists, and errors where members are not expected"
	return []Case{
		should(rfc("attributes", rule, "attributes leaves out what is not named, id stays", why, fix, func(s *Session) {
			u := s.user("at", nil)
			x := s.get(u.Path + s.query("attributes", "userName")).status(200)
			onlyUserName(x, "", u)
			l := s.search("/Users", eq("userName", u.Name), "attributes", "userName")
			if l.only("userName eq", u.ID) {
				onlyUserName(l.Exchange, "Resources[0].", u)
			}
		})),
		should(rfc("attributes-sub", rule, "attributes can name a sub-attribute", why, fix, func(s *Session) {
			s.needAttr("name.givenName")
			u := s.user("as", nil)
			x := s.get(u.Path + s.query("attributes", "name.givenName")).status(200)
			x.want("id", u.ID)
			x.want("name.givenName", "Ann")
			x.noKey("name.familyName")
			x.noKey("userName")
		})),
		should(rfc("attributes-case", rule, "names in attributes are read without case and with URN", why, fix, func(s *Session) {
			u := s.user("ac", nil)
			x := s.get(u.Path + s.query("attributes", "USERNAME,"+userSchema+":displayName")).status(200)
			x.want("userName", u.Name)
			x.want("displayName", "Ann Case")
			x.noKey("emails")
		})),
		should(rfc("excluded-attributes", rule, "excludedAttributes leaves out what is named, never id", why, fix, func(s *Session) {
			u := s.user("ex", nil)
			x := s.get(u.Path + s.query("excludedAttributes", "emails,name.givenName,id")).status(200)
			x.want("id", u.ID)
			x.want("userName", u.Name)
			x.noKey("emails")
			x.noKey("name.givenName")
			if s.has("name.familyName") {
				x.want("name.familyName", "Case")
			}
		})),
		rfc("excluded-members", "R-45", "excludedAttributes=members leaves members out of reads and lists", "Entra asks so for every group; members in the answer can raise MultipleEntriesInResponse", fix, func(s *Session) {
			u := s.user("em", nil)
			g := s.group("em", u.ID)
			s.get(g.Path + s.query("excludedAttributes", "members")).status(200).noKey("members")
			l := s.search("/Groups", eq("displayName", g.Name), "excludedAttributes", "members")
			if l.only("displayName eq", g.ID) {
				l.noKey("Resources[0].members")
			}
		}),
		should(rfc("attributes-on-create", rule, "attributes also shapes the answer to a create", why, fix, func(s *Session) {
			name := s.mail("aw")
			x := s.post("/Users"+s.query("attributes", "userName"), s.person(name, nil)).status(201)
			x.present("id")
			x.want("userName", name)
			x.noKey("emails")
		})),
		should(rfc("attributes-on-patch", "RFC 7644 §3.5.2", "a PATCH with attributes answers 200 with those", why, "answer 200 with the resource if attributes is given", func(s *Session) {
			u := s.user("ap", nil)
			x := s.patch(u.Path+s.query("attributes", "displayName"), op("replace", "displayName", "Shown"))
			x.status(200)
			x.want("id", u.ID)
			x.want("displayName", "Shown")
			x.noKey("emails")
		})),
	}
}

// onlyUserName checks a projection to userName.
func onlyUserName(x *Exchange, at string, u created) {
	x.want(at+"id", u.ID)
	x.want(at+"userName", u.Name)
	for _, gone := range []string{"name", "emails", "displayName", "active"} {
		x.noKey(at + gone)
	}
}

func rfcSearch() []Case {
	search := func(more Object) Object {
		return over(Object{"schemas": list("urn:ietf:params:scim:api:messages:2.0:SearchRequest")}, more)
	}
	why, fix := "clients that keep names out of URLs search by POST", "read the same parameters from the body of POST …/.search"
	return []Case{
		should(rfc("search-users", "RFC 7644 §3.4.3", "POST /Users/.search finds by filter, with projection and paging", why, fix, func(s *Session) {
			c := s.crowd()
			x := s.post("/Users/.search", search(Object{"filter": eq("userName", c.a.Name), "attributes": list("userName"), "startIndex": 1, "count": 10}))
			s.optional(x)
			l := s.list(x)
			if l.only("the search", c.a.ID) {
				onlyUserName(l.Exchange, "Resources[0].", c.a)
			}
			l = s.list(s.post("/Users/.search", search(Object{"filter": `userName sw "` + c.tag + `"`, "count": 2})))
			s.check(l.Total == 3 && len(l.Resources) == 2, l.Exchange, "totalResults 3 with 2 resources", "totalResults "+showTotal(l))
		})),
		should(rfc("search-root", "RFC 7644 §3.4.3", "POST /.search finds users and groups", why, fix, func(s *Session) {
			u := s.user("sr", Object{"displayName": s.name("both")})
			x := s.post("/.search", search(Object{"filter": eq("displayName", u.Body["displayName"].(string)), "count": 10}))
			s.optional(x)
			s.list(x).only("the search at the root", u.ID)
			if s.run.facts.groups {
				g := s.group("sr")
				s.list(s.post("/.search", search(Object{"filter": eq("displayName", g.Name)}))).only("the search at the root for a group", g.ID)
			}
		})),
		should(rfc("search-bad-filter", "RFC 7644 §3.4.3", "a bad filter in a search is 400 invalidFilter", why, "check the filter like that of a GET", func(s *Session) {
			x := s.post("/Users/.search", search(Object{"filter": "userName zz"}))
			s.optional(x)
			s.scimError(x, 400, "invalidFilter")
		})),
	}
}

// optional ends the case as skipped if the server says that it does not have the endpoint.
func (s *Session) optional(x *Exchange) {
	switch x.Response.Status {
	case 404, 405, 501:
		s.skip("the server does not have %s %s (%s)", x.Request.Method, x.Request.Path, x.describe())
	}
}
