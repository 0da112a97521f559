package verify

import (
	"slices"
	"strings"
)

// crowd is the data of the filter cases: three users whose values differ in known ways. Their names begin with
// one unique text, so that a filter can be bound to them.
type crowd struct {
	tag     string
	a, b, c created // a: Engineer, active; b: no title, inactive, home address; c: Manager, active
}

func (s *Session) crowd() crowd { return s.crowdOf(s.name("crowd")) }

func (s *Session) crowdOf(tag string) crowd {
	mk := func(label, title string, more Object) created {
		name := tag + "-" + label + "@verify.example"
		body := s.person(name, Object{"displayName": tag + " " + label, "title": title,
			"emails": list(Object{"type": "work", "value": name, "primary": true}, Object{"type": "home", "value": "home-" + name})})
		if title == "" {
			delete(body, "title")
		}
		return s.make("/Users", over(body, more), name)
	}
	return crowd{tag: tag,
		a: mk("Alpha", "Engineer", nil),
		b: mk("Beta", "", Object{"active": false, "name": Object{"givenName": "Bea", "familyName": "Other"}}),
		c: mk("Gamma", "Manager", nil)}
}

// fill puts the values of the crowd into a filter: $T is the common text, $A, $B and $C are userNames.
func (c crowd) fill(filter string) string {
	return strings.NewReplacer("$IDA", c.a.ID, "$T", c.tag, "$A", c.a.Name, "$B", c.b.Name, "$C", c.c.Name).Replace(filter)
}

// pick returns the ids of the named members of the crowd.
func (c crowd) pick(labels string) []string {
	var ids []string
	for _, l := range labels {
		ids = append(ids, map[rune]string{'a': c.a.ID, 'b': c.b.ID, 'c': c.c.ID}[l])
	}
	return ids
}

// among requires that of the crowd exactly the labelled ones match. With exact nobody else may match either;
// otherwise others on the server may, and if they fill the page the filter is bound to the crowd.
func (s *Session) among(c crowd, filter, labels string, exact bool) {
	l := s.search("/Users", filter, "count", "200")
	if exact {
		l.only(filter, c.pick(labels)...)
		return
	}
	if l.Total > len(l.Resources) {
		l = s.search("/Users", `userName sw "`+c.tag+`" and (`+filter+`)`)
	}
	var got []string
	for _, id := range l.ids() {
		if slices.Contains(c.pick("abc"), id) {
			got = append(got, id)
		}
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(c.pick(labels)))
	s.check(slices.Equal(got, want), l.Exchange, filter+" finds "+count(len(want), "user")+" of the three that were made for it",
		count(len(got), "user")+strangers(got, want))
}

// filterCase is one filter with the members of the crowd that it must find.
type filterCase struct {
	name, filter, want, title string
	exact                     bool
	needs                     []string
}

func rfcFilter() []Case {
	table := []filterCase{
		{"eq", `userName eq "$A"`, "a", "eq finds the equal value", true, nil},
		{"ne", `userName ne "$A" and userName sw "$T"`, "bc", "ne finds what differs", true, nil},
		{"co", `displayName co "$T Be"`, "b", "co finds values that contain the text", true, []string{"displayName"}},
		{"co-middle", `userName co "Beta@verify"`, "b", "co also finds the text in the middle", false, nil},
		{"sw", `userName sw "$T-G"`, "c", "sw finds values that start with the text", true, nil},
		{"sw-not-co", `userName sw "Gamma@verify"`, "", "sw does not find the text in the middle", true, nil},
		{"ew", `userName ew "-Gamma@verify.example" and userName sw "$T"`, "c", "ew finds values that end with the text", true, nil},
		{"pr", `title pr and userName sw "$T"`, "ac", "pr finds resources that have the attribute", true, []string{"title"}},
		{"not-pr", `not (title pr) and userName sw "$T"`, "b", "not pr finds resources that lack the attribute", true, []string{"title"}},
		{"gt", `displayName gt "$T Beta"`, "c", "gt compares texts", false, []string{"displayName"}},
		{"ge", `displayName ge "$T Beta"`, "bc", "ge compares texts", false, []string{"displayName"}},
		{"lt", `displayName lt "$T Beta"`, "a", "lt compares texts", false, []string{"displayName"}},
		{"le", `displayName le "$T Beta"`, "ab", "le compares texts", false, []string{"displayName"}},
		{"boolean", `active eq false and userName sw "$T"`, "b", "booleans compare as booleans", true, nil},
		{"and", `userName sw "$T" and title eq "Engineer"`, "a", "and needs both sides", true, []string{"title"}},
		{"or", `userName eq "$A" or userName eq "$C"`, "ac", "or needs one side", true, nil},
		{"not", `not (userName eq "$A") and userName sw "$T"`, "bc", "not turns its filter round", true, nil},
		{"precedence", `userName eq "$B" or userName eq "$A" and title eq "Manager"`, "b", "and binds tighter than or", true, []string{"title"}},
		{"grouping", `(userName eq "$B" or userName eq "$A") and title eq "Engineer"`, "a", "parentheses group", true, []string{"title"}},
		{"sub-attribute", `name.familyName eq "Other" and userName sw "$T"`, "b", "sub-attributes are named with a dot", true, []string{"name.familyName"}},
		{"multi-valued", `emails.value eq "home-$C"`, "c", "a multi-valued attribute matches if any value does", true, []string{"emails"}},
		{"value-path", `emails[type eq "home" and value eq "home-$C"]`, "c", "a value path finds the element", true, []string{"emails"}},
		{"value-path-one-element", `emails[type eq "work" and value eq "home-$C"]`, "", "the conditions of a value path hold for one element together", true, []string{"emails"}},
		{"operator-case", `userName EQ "$A" OR userName Eq "$C"`, "ac", "operators are read in any case", true, nil},
		{"attribute-case", `USERNAME eq "$A"`, "a", "attribute names are read in any case", true, nil},
		{"qualified-name", userSchema + `:userName eq "$A"`, "a", "names may carry the URN of their schema", true, nil},
		{"id", `id eq "$IDA"`, "a", "id can be filtered", true, nil},
		{"case-insensitive", `displayName eq "$T ALPHA"`, "a", "displayName compares without case", true, []string{"displayName"}},
		{"date", `meta.created gt "2011-05-13T04:42:34Z" and userName sw "$T"`, "abc", "dates compare as dates", true, nil},
		{"date-before", `meta.created lt "2011-05-13T04:42:34Z" and userName sw "$T"`, "", "dates compare as dates, the other way", true, nil},
	}
	var cases []Case
	for _, f := range table {
		rule := "RFC 7644 §3.4.2.2"
		cases = append(cases, rfc("filter-"+f.name, rule, f.title,
			"a filter that means something else finds the wrong people, or everybody: clients then link, update or disable them",
			"implement the grammar and its semantics, or refuse what is not supported with 400 invalidFilter", func(s *Session) {
				s.needFilter()
				s.needAttr(f.needs...)
				c := s.crowd()
				s.among(c, c.fill(f.filter), f.want, f.exact)
			}))
	}
	return append(cases, rfcFilterMore()...)
}

// needFilter skips if the server says that it cannot filter.
func (s *Session) needFilter() {
	if v, ok := lookup(s.run.facts.config, "filter.supported"); ok && v == false {
		s.skip("ServiceProviderConfig says that filters are not supported")
	}
}

func rfcFilterMore() []Case {
	rule, why := "RFC 7644 §3.4.2.2", "clients link, update or disable the wrong people"
	return []Case{
		rfc("filter-extension", rule, "attributes of an extension are named by their URN", why, "resolve names with the URN of an extension", func(s *Session) {
			s.needFilter()
			s.needAttr(enterpriseSchema + ":department")
			dep := s.name("Dep")
			u := s.user("fe", Object{"schemas": list(userSchema, enterpriseSchema), enterpriseSchema: Object{"department": dep}})
			s.user("fo", nil)
			s.search("/Users", enterpriseSchema+`:department eq "`+dep+`"`).only("the filter on the extension", u.ID)
		}),
		rfc("filter-external-id-exact", "RFC 7643 §3.1", "externalId is found, and compares with case", "two people of a source that tells case apart become one", "externalId is caseExact", func(s *Session) {
			s.needFilter()
			ext := "Ext-" + s.guid()
			u := s.user("fx", Object{"externalId": ext})
			s.search("/Users", eq("externalId", ext)).only("externalId eq", u.ID)
			s.search("/Users", eq("externalId", strings.ToLower(ext))).only("externalId eq in lower case")
		}),
		rfc("filter-escapes", rule, "quotes, backslashes and other JSON escapes in a literal are read", why, "read literals as JSON strings", func(s *Session) {
			s.needFilter()
			s.needAttr("displayName")
			name := s.name("esc") + ` "q" \ é & + % 漢`
			u := s.user("fs", Object{"displayName": name})
			lit := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name)
			s.search("/Users", `displayName eq "`+lit+`"`).only("the literal with escapes", u.ID)
		}),
		rfc("filter-created-now", rule, "meta.lastModified finds what was changed since", "clients that read changes by time miss them", "index meta.lastModified and compare instants", func(s *Session) {
			s.needFilter()
			u := s.user("fc", nil)
			when := s.again(u).text("meta.lastModified")
			l := s.search("/Users", `meta.lastModified ge "`+when+`" and `+eq("userName", u.Name))
			l.only("lastModified ge its own value", u.ID)
			l = s.search("/Users", `meta.lastModified gt "2999-01-01T00:00:00Z" and `+eq("userName", u.Name))
			l.only("lastModified gt a day far ahead")
		}),
		rfc("filter-group-members", rule, "groups are found by members.value", "clients ask in which groups a user is", "make members filterable", func(s *Session) {
			s.needFilter()
			us := s.users(2)
			g := s.group("fg", us[0].ID)
			s.group("fh", us[1].ID)
			s.search("/Groups", `members.value eq "`+us[0].ID+`"`).only("members.value eq", g.ID)
		}),
	}
}

func rfcBadFilter() []Case {
	bad := []struct{ name, filter, title string }{
		{"unknown-attribute", `noSuchAttribute eq "x"`, "an attribute that no schema has is refused"},
		{"unknown-operator", `userName zz "x"`, "an operator that does not exist is refused"},
		{"open-parenthesis", `(userName eq "x"`, "an unbalanced parenthesis is refused"},
		{"no-literal", `userName eq`, "a comparison without a value is refused"},
		{"bare-word", `userName`, "an attribute alone is refused"},
		{"trailing", `userName eq "x" userName`, "text after a filter is refused"},
		{"dangling-and", `userName eq "x" and`, "an and without a right side is refused"},
		{"open-quote", `userName eq "x`, "a literal without its closing quote is refused"},
	}
	var cases []Case
	for _, b := range bad {
		cases = append(cases, rfc("bad-filter-"+b.name, "RFC 7644 §3.4.2.2", b.title+" with 400 invalidFilter",
			"a filter that is not understood must not find everybody: clients then link, update or disable the wrong people; a 500 is retried for ever",
			"answer 400 with scimType invalidFilter", func(s *Session) {
				s.needFilter()
				if !s.run.o.ReadOnly {
					s.user("bf", nil) // so that an ignored filter has something to find
				}
				x := s.get("/Users" + s.query("filter", b.filter))
				if x.Response.Status == 200 {
					what := "the filter was not refused"
					if l := s.list(x); l.Total > 0 {
						what = "the filter was ignored, totalResults " + showTotal(l)
					}
					s.stop(x, "status 400 invalidFilter for the filter "+b.filter, "status 200: "+what)
				}
				s.scimError(x, 400, "invalidFilter")
			}))
	}
	return append(cases,
		note(rfc("filter-unquoted", "R-27", "an unquoted literal is read as a text or refused with 400, never 500",
			"authentik once sent userName eq value without quotes", "read a bare word after an operator as a text, or answer 400", func(s *Session) {
				u := s.user("uq", nil)
				x := s.get("/Users" + s.query("filter", "userName eq "+u.Name))
				if x.Response.Status == 200 {
					s.list(x).only("the unquoted literal", u.ID)
				} else {
					s.check(x.Response.Status == 400, x, "status 400", x.describe())
				}
			})))
}
