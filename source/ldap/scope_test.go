package ldap

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
	"github.com/provost-scim/provost/source/ldaptest"
)

// TestScope_MembersOf narrows people to a group, with and without the members of its member groups, which go round
// in a circle.
func TestScope_MembersOf(t *testing.T) {
	run := func(t *testing.T, d *directory, c Config, team func(cn string, members ...string), feed string) {
		for _, cn := range []string{"Ann", "Bob", "Cid", "Dan"} {
			d.hire(cn)
		}
		team("Inner", d.person("Bob"))
		team("Outer", d.person("Ann"), d.group("Inner"))
		d.admin.Grow(d.group("Inner"), "member", d.group("Outer"))
		c.People.MembersOf = d.group("Outer")
		direct := following(t, c, feed)
		if g := mustRead(t, direct.src, nil); names(g.people) != "Ann" {
			t.Errorf("direct members: %q, want Ann", names(g.people))
		}
		c.People.Nested = true
		nested := following(t, c, feed)
		if g := mustRead(t, nested.src, nil); names(g.people) != "Ann Bob" {
			t.Errorf("nested members: %q, want Ann Bob", names(g.people))
		}
		if n, err := nested.src.Count(t.Context(), source.Person); n != 2 || err != nil {
			t.Errorf("Count = %d, %v; want 2", n, err)
		}
		d.admin.Set(d.person("Ann"), "mail", "ann@new.test")
		d.admin.Set(d.person("Cid"), "mail", "cid@new.test")
		if g := nested.next(false); names(g.people) != "Ann" {
			t.Errorf("a delta told %q, want Ann alone: Cid is not in scope", names(g.people))
		}
		// Neither of these touches a person, and no feed of people tells them.
		d.admin.Grow(d.group("Inner"), "member", d.person("Cid"))
		reason(t, nested.next(true), "members of people.members_of changed")
		nested.equal("a member was added to the inner group")
		d.admin.Shrink(d.group("Outer"), "member", d.person("Ann"))
		reason(t, nested.next(true), "members of people.members_of changed")
		nested.equal("a member was removed from the outer group")
		nested.next(false)
		c.People.MembersOf = d.group("Nobody")
		refused(t, mustNew(t, c), nil, source.Refused, "people.members_of")
	}
	t.Run("Active Directory", func(t *testing.T) {
		d, c := sambaDirectory(t, ldaptest.Samba(t))
		_, ou, _ := strings.Cut(d.people, ",")
		run(t, d, c, func(cn string, members ...string) { team(d.admin, ou, cn, members...) }, feedDirSync)
	})
	t.Run("OpenLDAP", func(t *testing.T) {
		d, c := slapdDirectory(t, ldaptest.Slapd(t, ldaptest.SlapdOptions{}))
		run(t, d, c, func(cn string, members ...string) {
			pairs := []string{"objectClass", "groupOfNames"}
			for _, m := range members {
				pairs = append(pairs, "member", m)
			}
			d.admin.Add(d.group(cn), pairs...)
		}, feedSyncrepl)
	})
}

// TestPrimaryGroup: the primary group is in neither member nor memberOf, and changing it touches no group.
func TestPrimaryGroup(t *testing.T) {
	for _, feed := range []string{feedDirSync, feedUSN} {
		t.Run(feed, func(t *testing.T) {
			d, c := sambaDirectory(t, ldaptest.Samba(t))
			d.hire("Ann")
			d.hire("Bob")
			c.Feed, c.PrimaryGroup = feed, true
			d.admin.Grow(d.group("Staff"), "member", d.person("Ann"))
			f := following(t, c, feed)
			id := primaryID(t, d, "Staff")
			staff := func() []string {
				for _, r := range f.known {
					if r.Kind == source.Group {
						return slices.Sorted(slices.Values(r.Members))
					}
				}
				return nil
			}
			if got := staff(); !slices.Equal(got, []string{NormalDN(d.person("Ann"))}) {
				t.Fatalf("members before: %v", got)
			}
			d.admin.Set(d.person("Ann"), "primaryGroupID", id)
			f.next(false)
			if got := staff(); !slices.Equal(got, []string{NormalDN(d.person("Ann"))}) {
				t.Errorf("members when Staff is Ann's primary group: %v, want Ann", got)
			}
			if fresh := mustRead(t, f.src, nil); !slices.Equal(fresh.groups["Staff"].Members, []string{NormalDN(d.person("Ann"))}) {
				t.Errorf("a full read has the members %v, want Ann", fresh.groups["Staff"].Members)
			}
			plain := c
			plain.PrimaryGroup = false
			if g := mustRead(t, mustNew(t, plain), nil); len(g.groups["Staff"].Members) != 0 {
				t.Errorf("member has %v: the trap is not there, has the server changed?", g.groups["Staff"].Members)
			}
			d.admin.Delete(d.person("Ann"))
			f.next(false)
			if got := staff(); len(got) != 0 {
				t.Errorf("members after Ann was deleted: %v", got)
			}
		})
	}
}

func primaryID(t *testing.T, d *directory, cn string) string {
	res, err := d.admin.Search(&ldap.SearchRequest{BaseDN: d.group(cn), Scope: ldap.ScopeBaseObject, Filter: "(objectClass=*)", Attributes: []string{"objectSid"}})
	if err != nil || len(res.Entries) != 1 {
		t.Fatalf("%s: %v", cn, err)
	}
	return groupID(res.Entries[0])
}

// TestKey_OfYourOwn: a configured key names what deletions do not, so it is followed by comparing keys, and two
// entries with the same one are refused.
func TestKey_OfYourOwn(t *testing.T) {
	slapd := ldaptest.Slapd(t, ldaptest.SlapdOptions{})
	d, c := slapdDirectory(t, slapd)
	d.hire("Ann")
	d.hire("Bob")
	d.admin.Set(d.person("Ann"), "employeeNumber", "7")
	c.Key, c.Groups = "employeeNumber", Search{}
	refused(t, mustNew(t, c), nil, source.Malformed, "no single value of employeeNumber")
	d.admin.Set(d.person("Bob"), "employeeNumber", "7")
	refused(t, mustNew(t, c), nil, source.Malformed, `have the same employeeNumber "7"`)
	d.admin.Set(d.person("Bob"), "employeeNumber", "8")
	f := following(t, c, feedTimestamp)
	d.admin.Delete(d.person("Ann"))
	f.next(false)
	f.equal("deleted")
	if len(f.known) != 1 || f.known["8"].Attrs["cn"][0] != "Bob" {
		t.Errorf("known = %v, want Bob under 8", f.known)
	}
}

func TestBrowse(t *testing.T) {
	d := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: ldif(45, map[string][]string{"staff": {person("u01")}})})
	src := mustNew(t, slapdConfig(d))
	var found []string
	keep := func(r source.Record) error { found = append(found, r.Attrs["cn"][0]); return nil }
	if err := src.Browse(t.Context(), source.Person, "(|(uid=u03)(uid=u04)(uid=u05))", 2, keep); err != nil || len(found) != 2 {
		t.Errorf("Browse = %v, %v; want two people", found, err)
	}
	if err := src.Browse(t.Context(), source.Person, "(uid=", 2, keep); source.FaultOf(err) != source.Misconfigured {
		t.Errorf("a broken filter: %v", err)
	}
	for kind, want := range map[source.Kind]int{source.Person: 45, source.Group: 1} {
		if n, err := src.Count(t.Context(), kind); n != want || err != nil {
			t.Errorf("Count(%s) = %d, %v; want %d", kind, n, err, want)
		}
	}
	report, err := src.Test(t.Context())
	if err != nil || report.Feed != feedSyncrepl || len(report.Lines) < 5 {
		t.Errorf("Test = %+v, %v", report, err)
	}
	for _, l := range report.Lines {
		if !l.OK || strings.Contains(l.Answered+l.Asked, d.Password) {
			t.Errorf("line %+v", l)
		}
	}
}

// TestRecord_Secrets: passwords never leave the directory, even if they are asked for.
func TestRecord_Secrets(t *testing.T) {
	slapd := ldaptest.Slapd(t, ldaptest.SlapdOptions{Access: "access to * by * write"})
	d, c := slapdDirectory(t, slapd)
	d.hire("Ann")
	d.admin.Set(d.person("Ann"), "userPassword", "canary")
	d.admin.Set(d.person("Ann"), "jpegPhoto", "\xff\xd8 picture")
	c.People.Attributes = []string{"cn", "userPassword", "jpegPhoto", "mail"}
	ann := mustRead(t, mustNew(t, c), nil).people["Ann"]
	if len(ann.Attrs["userpassword"]) != 0 {
		t.Errorf("userPassword was read: %v", ann.Attrs["userpassword"])
	}
	if got := ann.Attrs["jpegphoto"]; !slices.Equal(got, []string{"/9ggcGljdHVyZQ=="}) {
		t.Errorf("jpegPhoto = %v, want base64", got)
	}
}

// TestRead_DomainRoot: below the root of a domain the server refers to partitions that hold no people. That is no
// partial read; a reference to a child domain is.
func TestRead_DomainRoot(t *testing.T) {
	samba := ldaptest.Samba(t)
	d, c := sambaDirectory(t, samba)
	d.hire("Ann")
	c.People.Base, c.Groups.Base = ldaptest.DomainDN, ldaptest.DomainDN
	c.PageSize = 0
	for _, feed := range []string{feedDirSync, feedUSN} {
		c.Feed = feed
		f := following(t, c, feed)
		d.admin.Set(d.person("Ann"), "mail", feed+"@example.test")
		if g := f.next(false); names(g.people) != "Ann" {
			t.Errorf("%s: a delta of the whole domain told %q, want Ann", feed, names(g.people))
		}
	}
	proxy := behind(t, samba, &c)
	child := "ldap://child.corp.example.test/DC=child,DC=corp,DC=example,DC=test"
	proxy.Set(ldaptest.Rules{Reference: child})
	refused(t, mustNew(t, c), nil, source.Partial, child)
	c.Referrals = "ignore"
	if g := mustRead(t, mustNew(t, c), nil); !g.seal.Full {
		t.Errorf("referrals ignored: %+v", g.seal)
	}
}
