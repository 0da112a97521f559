package verify

import (
	"fmt"
	"slices"
	"strings"
)

func cursorPaging() []Case {
	const rule = "RFC 9865 §2"
	why := "clients that walk a large directory by cursors lose users or never come to the end"
	cursor := func(name, rule, title, fix string, run func(s *Session)) Case {
		c := rfc("cursor-"+name, rule, title, why, fix, func(s *Session) {
			s.need("pagination.cursor")
			run(s)
		})
		c.Breaks = []string{"clients of RFC 9865"}
		return c
	}
	return []Case{
		cursor("walk", rule, "a walk by cursors sees each resource exactly once and ends", "page behind the last key; leave nextCursor out of the last page", func(s *Session) {
			c := s.crowd()
			ids, pages := s.walk(c, 1, nil)
			s.walked(ids, c.pick("abc"), pages)
		}),
		cursor("walk-under-change", rule, "what exists for the whole walk is seen once while others come and go", "page behind a key, not by offset", func(s *Session) {
			tag := s.name("crowd")
			first := tag + "-Aaa@verify.example" // before the others by name and by age: an offset shifts when it goes
			extra := s.make("/Users", s.person(first, nil), first)
			c := s.crowdOf(tag)
			ids, pages := s.walk(c, 1, func(page int) {
				switch page {
				case 1:
					s.delete(extra.Path)
				case 2:
					name := c.tag + "-Aab@verify.example"
					s.make("/Users", s.person(name, nil), name)
				}
			})
			mine := slices.DeleteFunc(ids, func(id string) bool { return !slices.Contains(c.pick("abc"), id) })
			s.walked(mine, c.pick("abc"), pages)
		}),
		cursor("first-page", rule, "an empty cursor asks for the first page; previousCursor is not in it", "read an empty cursor as the first page", func(s *Session) {
			c := s.crowd()
			for _, q := range []string{"&cursor=", "&cursor"} {
				l := s.list(s.get("/Users" + s.query("filter", `userName sw "`+c.tag+`"`, "count", "2") + q))
				s.check(len(l.Resources) == 2, l.Exchange, "2 resources on the first page", count(len(l.Resources), "resource"))
				l.present("nextCursor")
				l.noKey("previousCursor")
				next := l.text("nextCursor")
				bad := strings.IndexFunc(next, func(r rune) bool {
					return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r))
				})
				s.check(bad < 0, l.Exchange, "nextCursor of unreserved characters alone", "nextCursor "+show(next))
			}
		}),
		cursor("last-page", rule, "the last page has no nextCursor", "leave nextCursor out when nothing follows", func(s *Session) {
			c := s.crowd()
			l := s.list(s.get("/Users" + s.query("filter", `userName sw "`+c.tag+`"`, "count", "10") + "&cursor="))
			s.check(len(l.Resources) == 3, l.Exchange, "3 resources", count(len(l.Resources), "resource"))
			l.noKey("nextCursor")
		}),
		cursor("invalid", "RFC 9865 §2.1", "a cursor that the server did not make is 400 invalidCursor", "seal cursors and refuse what does not open", func(s *Session) {
			c := s.crowd()
			filter := s.query("filter", `userName sw "`+c.tag+`"`, "count", "1")
			s.scimError(s.get("/Users"+filter+"&cursor=made-up-cursor"), 400, "invalidCursor")
			next := s.list(s.get("/Users" + filter + "&cursor=")).text("nextCursor")
			if len(next) > 4 {
				forged := next[:len(next)/2] + string(rotate(next[len(next)/2])) + next[len(next)/2+1:]
				x := s.get("/Users" + filter + "&cursor=" + forged)
				s.check(x.Response.Status == 400, x, "status 400 for a cursor with one character changed", x.describe())
			}
		}),
		should(cursor("other-query", "RFC 9865 §2", "a cursor of another query is refused", "bind cursors to their query", func(s *Session) {
			c := s.crowd()
			next := s.list(s.get("/Users" + s.query("filter", `userName sw "`+c.tag+`"`, "count", "1") + "&cursor=")).text("nextCursor")
			x := s.get("/Users" + s.query("filter", `userName pr`, "count", "1", "cursor", next))
			s.check(x.Response.Status == 400, x, "status 400 for the cursor of another filter", x.describe())
		})),
		should(cursor("search", "RFC 9865 §3", "POST /.search pages by cursor", "read cursor and count from the body", func(s *Session) {
			c := s.crowd()
			body := Object{"schemas": list("urn:ietf:params:scim:api:messages:2.0:SearchRequest"), "filter": `userName sw "` + c.tag + `"`, "count": 2, "cursor": ""}
			x := s.post("/Users/.search", body)
			s.optional(x)
			l := s.list(x)
			l.present("nextCursor")
			m := s.list(s.post("/Users/.search", over(clone(body), Object{"cursor": l.text("nextCursor")})))
			ids := append(l.ids(), m.ids()...)
			s.walked(ids, c.pick("abc"), 2)
			m.noKey("nextCursor")
		})),
		should(cursor("announced", "RFC 9865 §4", "the announced page sizes are held", "generate the announcement from the values in force", func(s *Session) {
			most := s.limit("pagination.maxPageSize")
			if most == 0 {
				s.skip("no maxPageSize is announced")
			}
			x := s.get("/Users?count=" + fmt.Sprint(most+1) + "&cursor=")
			if x.Response.Status == 400 {
				s.scimError(x, 400, "invalidCount")
				return
			}
			l := s.list(x)
			s.check(len(l.Resources) <= most, x, fmt.Sprintf("at most %d resources", most), count(len(l.Resources), "resource"))
		})),
	}
}

// walk reads the crowd page by page with cursors and calls between after each page.
func (s *Session) walk(c crowd, size int, between func(page int)) (ids []string, pages int) {
	cursor := ""
	seen := map[string]bool{}
	for pages < 50 {
		path := "/Users" + s.query("filter", `userName sw "`+c.tag+`"`, "count", fmt.Sprint(size), "cursor", cursor)
		l := s.list(s.get(path))
		pages++
		ids = append(ids, l.ids()...)
		cursor = l.text("nextCursor")
		if cursor == "" {
			return ids, pages
		}
		if seen[cursor] {
			s.stop(l.Exchange, "a new nextCursor on each page", "the same cursor again: the walk never ends")
		}
		seen[cursor] = true
		if between != nil {
			between(pages)
		}
	}
	s.stop(nil, "the end of the walk within 50 pages", "nextCursor on every page: the walk never ends")
	return nil, 0
}

func (s *Session) walked(ids, want []string, pages int) {
	got := slices.Sorted(slices.Values(ids))
	want = slices.Sorted(slices.Values(want))
	s.check(slices.Equal(got, want), nil, fmt.Sprintf("each of %d users exactly once", len(want)), fmt.Sprintf("%d seen on %d pages%s", len(got), pages, strangers(got, want)))
}

// rotate changes a character to another of the same alphabet.
func rotate(c byte) byte {
	if c == 'A' {
		return 'B'
	}
	return 'A'
}
