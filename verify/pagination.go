package verify

import (
	"fmt"
	"slices"
	"strconv"
)

// paginationProfile tries index paging (RFC 7644 §3.4.2.4) and, where it is announced, cursors (RFC 9865).
func paginationProfile() Profile {
	return Profile{Name: "pagination", Dialect: plain, Cases: slices.Concat(indexPaging(), cursorPaging()),
		About: "index paging of RFC 7644 and cursors of RFC 9865: counters, order, bounds, walks"}
}

func paging(name, rule, title, why, fix string, run func(*Session)) Case {
	c := rfc(name, rule, title, why, fix, func(s *Session) {
		s.needPrefix()
		run(s)
	})
	c.Breaks = []string{"Okta import", "PingFederate", "Pocket ID"}
	return c
}

// needPrefix skips a case on a server that refuses the filter by which a run tells its own users from others: the
// cases on filters accuse it of that, paging is another matter.
func (s *Session) needPrefix() {
	x := s.get("/Users" + s.query("filter", `userName sw "`+s.run.prefix+`"`, "startIndex", "1", "count", "1"))
	switch x.Response.Status {
	case 400, 403, 500, 501: // not 404: an empty page that is 404 is for the cases to find
		s.skip("the server refuses userName sw, by which the run tells its own users from others: %s", x.describe())
	}
}

func indexPaging() []Case {
	const rule = "R-28"
	why := "users who are on no page count as removed, and imports deactivate them"
	return []Case{
		paging("count", rule, "count bounds the page, totalResults does not follow it", why, "count the matches, not the page", func(s *Session) {
			c := s.crowd()
			l := s.page(c, "startIndex", "1", "count", "2")
			s.check(len(l.Resources) == 2, l.Exchange, "2 resources for count=2", count(len(l.Resources), "resource"))
			s.check(l.Total == 3, l.Exchange, "totalResults 3, the number of matches", "totalResults "+showTotal(l))
			s.listShape(l)
		}),
		paging("items-per-page", rule, "itemsPerPage is the number of resources returned", "Pocket ID steps by it: too large a number skips users", "report what is in the page", func(s *Session) {
			c := s.crowd()
			for _, n := range []string{"2", "50"} {
				l := s.page(c, "startIndex", "1", "count", n)
				v, ok := l.value("itemsPerPage")
				s.check(ok && integer(v) == len(l.Resources), l.Exchange, fmt.Sprintf("itemsPerPage %d for count=%s", len(l.Resources), n), showAt("itemsPerPage", v, ok))
			}
		}),
		paging("start-index", rule, "startIndex is echoed and moves the page", why, "skip startIndex-1 resources", func(s *Session) {
			c := s.crowd()
			all := s.page(c).ids()
			l := s.page(c, "startIndex", "2", "count", "10")
			v, ok := l.value("startIndex")
			s.check(ok && integer(v) == 2, l.Exchange, "startIndex 2", showAt("startIndex", v, ok))
			s.check(len(all) == 3 && slices.Equal(l.ids(), all[1:]), l.Exchange, "the second and third resource of the whole list", count(len(l.Resources), "resource"))
		}),
		paging("each-once", rule, "over all pages each resource is there exactly once", why, "order by a key that is unique and stable", func(s *Session) { pagesOnce(s, 5) }),
		paging("stable", rule, "the same request has the same order twice", why, "order by a key that is unique and stable", func(s *Session) {
			c := s.crowd()
			a, b := s.page(c), s.page(c)
			s.check(slices.Equal(a.ids(), b.ids()), b.Exchange, "the order of the first answer", "another order")
			one := s.page(c, "startIndex", "3", "count", "1")
			s.check(len(a.ids()) == 3 && slices.Equal(one.ids(), a.ids()[2:]), one.Exchange, "page 3 of 1 is the third of the whole list", show(one.ids()))
		}),
		paging("count-zero", rule, "count=0 is the total alone", "clients ask for the total so; all users in the answer overwhelm them", "send no resource", func(s *Session) {
			c := s.crowd()
			l := s.page(c, "count", "0")
			s.check(len(l.Resources) == 0, l.Exchange, "no resource for count=0", count(len(l.Resources), "resource"))
			s.check(l.Total == 3, l.Exchange, "totalResults 3", "totalResults "+showTotal(l))
		}),
		should(paging("count-negative", "RFC 7644 §3.4.2.4", "a negative count means 0", "an error stops the client", "treat it as 0", func(s *Session) {
			c := s.crowd()
			l := s.page(c, "count", "-5")
			s.check(len(l.Resources) == 0 && l.Total == 3, l.Exchange, "totalResults 3 without resources", "totalResults "+showTotal(l))
		})),
		paging("start-below-one", rule, "startIndex below 1 means 1", "zero-based clients exist; an error stops them, an offset loses the first user", "treat it as 1", func(s *Session) {
			c := s.crowd()
			for _, start := range []string{"0", "-3"} {
				l := s.page(c, "startIndex", start, "count", "10")
				s.check(len(l.Resources) == 3, l.Exchange, "3 resources for startIndex="+start, count(len(l.Resources), "resource"))
				v, ok := l.value("startIndex")
				s.check(ok && integer(v) == 1, l.Exchange, "startIndex 1 in the answer", showAt("startIndex", v, ok))
			}
		}),
		paging("past-end", rule, "a page past the end is 200 and empty, with the same total", "Okta asks one page too many; an error fails the whole import", "answer an empty list", func(s *Session) {
			c := s.crowd()
			l := s.page(c, "startIndex", "1000", "count", "10")
			s.check(len(l.Resources) == 0, l.Exchange, "no resource past the end", count(len(l.Resources), "resource"))
			s.check(l.Total == 3, l.Exchange, "totalResults 3", "totalResults "+showTotal(l))
		}),
		paging("large-count", "R-53", "a large count is capped, not refused", "PingFederate asks for 1000 at once", "cap the page, report itemsPerPage", func(s *Session) {
			c := s.crowd()
			l := s.page(c, "startIndex", "1", "count", "100000")
			l.only("the page with a large count", c.pick("abc")...)
		}),
		should(paging("not-a-number", "RFC 7644 §3.4.2.4", "a count that is no number is 400, or ignored", "an error 500 is retried", "answer 400 with the name of the parameter", func(s *Session) {
			for _, q := range []string{"?count=many", "?startIndex=first", "?count=99999999999999999999"} {
				x := s.get("/Users" + q)
				s.check(x.Response.Status < 500, x, "status 400 or 200 for "+q, x.describe())
			}
		})),
		paging("integers", "R-02", "the counters are JSON integers", "Okta insists on numbers", "send numbers, not strings", func(s *Session) {
			c := s.crowd()
			s.integers(s.page(c, "startIndex", "1", "count", "2"))
		}),
		paging("groups", "R-53", "groups page like users", "Okta and PingFederate read all groups page by page", "share the code of /Users", func(s *Session) {
			tag := s.name("pg")
			s.needGroups()
			var want []string
			for _, l := range []string{"a", "b", "c"} {
				name := tag + "-" + l
				want = append(want, s.make("/Groups", Object{"schemas": list(groupSchema), "displayName": name}, name).ID)
			}
			var got []string
			for _, start := range []string{"1", "3"} {
				l := s.list(s.get("/Groups" + s.query("filter", `displayName sw "`+tag+`"`, "startIndex", start, "count", "2")))
				s.check(l.Total == 3, l.Exchange, "totalResults 3 on each page", "totalResults "+showTotal(l))
				got = append(got, l.ids()...)
			}
			slices.Sort(want)
			slices.Sort(got)
			s.check(slices.Equal(got, want), nil, "each of 3 groups on exactly one of two pages", strangers(got, want))
		}),
	}
}

// page lists the crowd.
func (s *Session) page(c crowd, more ...string) *List {
	return s.search("/Users", `userName sw "`+c.tag+`"`, more...)
}

// pagesOnce makes n users and reads them in pages of two.
func pagesOnce(s *Session, n int) {
	tag := s.name("once")
	var want []string
	for i := range n {
		name := fmt.Sprintf("%s-%c@verify.example", tag, 'a'+(i*7)%26)
		want = append(want, s.make("/Users", s.person(name, nil), name).ID)
	}
	var got []string
	var last *List
	for start := 1; start <= n; start += 2 {
		last = s.search("/Users", `userName sw "`+tag+`"`, "startIndex", strconv.Itoa(start), "count", "2")
		s.check(last.Total == n, last.Exchange, fmt.Sprintf("totalResults %d on each page", n), "totalResults "+showTotal(last))
		got = append(got, last.ids()...)
	}
	slices.Sort(want)
	slices.Sort(got)
	s.check(slices.Equal(got, want), last.Exchange, fmt.Sprintf("each of %d users on exactly one page of two", n),
		fmt.Sprintf("%d on the pages%s", len(got), strangers(got, want)))
}
