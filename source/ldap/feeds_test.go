package ldap

import (
	"slices"
	"strings"
	"testing"

	"github.com/provost-scim/provost/source"
	"github.com/provost-scim/provost/source/ldaptest"
)

// directory is a directory that a feed test edits, whatever its kind.
type directory struct {
	admin        *ldaptest.Admin
	people       string // the base of people
	groups       string
	outside      string // an OU outside both
	hire         func(cn string)
	rdn          string // the attribute that names people
	silentDelete bool   // deleting a member does not touch the group
}

func (d *directory) person(cn string) string { return d.rdn + "=" + cn + "," + d.people }
func (d *directory) group(cn string) string  { return "cn=" + cn + "," + d.groups }

// follow is a source that is read again and again, and what is known from it.
type follow struct {
	t      *testing.T
	src    *Source
	feed   string
	cursor source.Cursor
	known  map[string]source.Record // by key
}

// next reads what changed, checks the feed, and brings what is known up to date exactly as the contract says.
func (f *follow) next(wantFull bool) got {
	f.t.Helper()
	g := got{people: map[string]source.Record{}, groups: map[string]source.Record{}}
	told := map[string]bool{}
	before := f.known
	f.known = map[string]source.Record{}
	seal, err := f.src.Read(f.t.Context(), f.cursor, func(r source.Record) error {
		told[r.Key] = true
		f.known[r.Key] = r
		if r.Kind == source.Person {
			g.people[strings.Join(r.Attrs["cn"], "+")] = r
		} else {
			g.groups[strings.Join(r.Attrs["cn"], "+")] = r
		}
		return nil
	})
	if err != nil {
		f.t.Fatalf("Read: %v", err)
	}
	if seal.Full != wantFull || !wantFull && seal.Feed != f.feed {
		f.t.Fatalf("seal = full %v, feed %s (%s); want full %v, feed %s", seal.Full, seal.Feed, seal.Reason, wantFull, f.feed)
	}
	for _, key := range seal.Gone {
		if told[key] {
			f.t.Errorf("%s was handed over and is said to be gone", key)
		}
	}
	if !seal.Full {
		for key, r := range before {
			gone := slices.Contains(seal.Gone, key) || seal.Present != nil && !slices.Contains(seal.Present, key)
			if !told[key] && !gone {
				f.known[key] = r
			}
		}
	}
	f.cursor, g.seal = seal.Next, seal
	return g
}

// equal checks that what is known is what a first read finds.
func (f *follow) equal(what string) {
	f.t.Helper()
	fresh := mustRead(f.t, f.src, nil)
	want := map[string]string{}
	for _, r := range fresh.people {
		want[r.Key] = r.Name + " " + strings.Join(r.Attrs["mail"], ",")
	}
	for _, r := range fresh.groups {
		want[r.Key] = r.Name
	}
	for key, w := range want {
		r, ok := f.known[key]
		if have := strings.TrimSpace(r.Name + " " + strings.Join(r.Attrs["mail"], ",")); !ok || have != strings.TrimSpace(w) {
			f.t.Errorf("%s: known is %q, the directory has %q", what, have, w)
		}
	}
	for key, r := range f.known {
		if _, ok := want[key]; !ok {
			f.t.Errorf("%s: %s %s is known and does not exist", what, key, r.Name)
		}
	}
}

// testFeed makes every kind of change and follows it.
func testFeed(t *testing.T, d *directory, src *Source, feed string) {
	for _, cn := range []string{"Ann", "Bob", "Cid", "Dan"} {
		d.hire(cn)
	}
	f := &follow{t: t, src: src, feed: feed}
	first := f.next(true)
	if names(first.people) != "Ann Bob Cid Dan" || names(first.groups) != "Staff" {
		t.Fatalf("first read: %q, %q", names(first.people), names(first.groups))
	}
	if !strings.Contains(first.seal.Reason, feed) {
		t.Fatalf("the feed is not %s: %s", feed, first.seal.Reason)
	}
	same := func(what, people, groups string) got {
		t.Helper()
		g := f.next(false)
		// The timestamp feed looks back a minute: it may tell more, never less.
		if feed != feedTimestamp && (names(g.people) != people || names(g.groups) != groups) {
			t.Errorf("%s: told people %q, groups %q; want %q, %q", what, names(g.people), names(g.groups), people, groups)
		}
		f.equal(what)
		return g
	}
	a := d.admin
	same("nothing", "", "")
	a.Set(d.person("Ann"), "mail", "ann@new.test")
	same("mail changed", "Ann", "")
	d.hire("Eve")
	same("hired", "Eve", "")
	a.Move(d.person("Bob"), d.rdn+"=Bobby", "")
	a.Set(d.person("Bobby"), "displayName", "Bobby")
	if g := f.next(false); len(g.people) == 0 {
		t.Error("a rename was not told")
	}
	f.equal("renamed")
	a.Grow(d.group("Staff"), "member", d.person("Dan"))
	g := same("member added", "", "Staff")
	if m := g.groups["Staff"].Members; !slices.Contains(m, NormalDN(d.person("Dan"))) {
		t.Errorf("members of Staff = %v without Dan", m)
	}
	if feed != feedTimestamp && len(g.people) > 0 {
		t.Error("adding a member touched a person: the trap is not there, has the server changed?")
	}
	a.Move(d.person("Cid"), d.rdn+"=Cid", d.outside)
	same("moved out", "", "")
	a.Move(d.rdn+"=Cid,"+d.outside, d.rdn+"=Cid", d.people)
	same("moved back", "Cid", "")
	a.Set(d.person("Ann"), "employeeType", "leaver")
	same("left the filter", "", "")
	a.Set(d.person("Ann"), "employeeType")
	same("entered the filter", "Ann", "")
	a.Delete(d.person("Dan"))
	if g := f.next(false); d.silentDelete && len(g.groups) > 0 && feed != feedTimestamp {
		t.Error("deleting a member touched the group: the trap is not there, has the server changed?")
	}
	f.equal("deleted")
	a.Move(d.group("Staff"), "cn=Crew", "")
	if g := f.next(false); len(g.groups) == 0 {
		t.Error("the rename of a group was not told")
	}
	f.equal("group renamed")
	a.Delete(d.group("Crew"))
	same("group deleted", "", "")
	same("nothing at the end", "", "")
}

const stayers = "(!(employeeType=leaver))"

// sambaDirectory makes an OU with a group Staff in the shared domain.
func sambaDirectory(t *testing.T, d *ldaptest.Directory) (*directory, Config) {
	a := d.Dial(t)
	ou := ldaptest.OU(t, a)
	team(a, ou, "Staff")
	outside := "OU=Outside," + ou
	a.Add(outside, "objectClass", "organizationalUnit")
	c := sambaConfig(d, ou)
	c.People.Filter = "(&(objectCategory=person)(objectClass=user)" + stayers + ")"
	return &directory{admin: a, people: "OU=People," + ou, groups: "OU=Groups," + ou, outside: outside, rdn: "CN",
		hire: func(cn string) { hire(a, ou, cn) }, silentDelete: true}, c
}

// slapdDirectory makes a group Staff, which must have a member, in a slapd.
func slapdDirectory(t *testing.T, d *ldaptest.Directory) (*directory, Config) {
	a := d.Dial(t)
	outside := "ou=outside," + d.Base
	a.Add(outside, "objectClass", "organizationalUnit")
	a.Add(group("Staff"), "objectClass", "groupOfNames", "member", ldaptest.Reader)
	c := slapdConfig(d)
	c.People.Filter = "(&(objectClass=inetOrgPerson)" + stayers + ")"
	people := "ou=people," + d.Base
	return &directory{admin: a, people: people, groups: "ou=groups," + d.Base, outside: outside, rdn: "uid", hire: func(cn string) {
		a.Add("uid="+cn+","+people, "objectClass", "inetOrgPerson", "cn", cn, "sn", cn, "mail", cn+"@example.test")
	}}, c
}

func TestFeed_USN(t *testing.T) {
	d, c := sambaDirectory(t, ldaptest.Samba(t))
	c.Feed = feedUSN
	testFeed(t, d, mustNew(t, c), feedUSN)
}

func TestFeed_DirSync(t *testing.T) {
	d, c := sambaDirectory(t, ldaptest.Samba(t))
	testFeed(t, d, mustNew(t, c), feedDirSync)
}

// TestFeed_DirSyncOfFewAttributes: the filter looks at an attribute that is not in the records.
func TestFeed_DirSyncOfFewAttributes(t *testing.T) {
	d, c := sambaDirectory(t, ldaptest.Samba(t))
	c.People.Attributes, c.Groups.Attributes = []string{"cn", "mail"}, []string{"cn"}
	testFeed(t, d, mustNew(t, c), feedDirSync)
}

func TestFeed_WhenChanged(t *testing.T) {
	d, c := sambaDirectory(t, ldaptest.Samba(t))
	c.Feed = feedTimestamp
	testFeed(t, d, mustNew(t, c), feedTimestamp)
}

func TestFeed_Syncrepl(t *testing.T) {
	d, c := slapdDirectory(t, ldaptest.Slapd(t, ldaptest.SlapdOptions{}))
	testFeed(t, d, mustNew(t, c), feedSyncrepl)
}

// TestFeed_ModifyTimestamp: the suffix has a contextCSN that was left behind by slapadd and never moves.
func TestFeed_ModifyTimestamp(t *testing.T) {
	d, c := slapdDirectory(t, ldaptest.Slapd(t, ldaptest.SlapdOptions{NoSync: true}))
	testFeed(t, d, mustNew(t, c), feedTimestamp)
}
