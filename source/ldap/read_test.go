package ldap

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/source"
	"github.com/provost-scim/provost/source/ldaptest"
)

// got is what one read handed over.
type got struct {
	seal   source.Seal
	people map[string]source.Record // by first cn
	groups map[string]source.Record
	keys   map[string]string // key → kind and cn
	order  []string
}

// read reads and keeps everything.
func read(src *Source, since source.Cursor) (got, error) {
	g := got{people: map[string]source.Record{}, groups: map[string]source.Record{}, keys: map[string]string{}}
	seal, err := src.Read(context.Background(), since, func(r source.Record) error {
		cn := strings.Join(r.Attrs["cn"], "+")
		if r.Kind == source.Person {
			g.people[cn] = r
		} else {
			g.groups[cn] = r
		}
		g.keys[r.Key] = string(r.Kind) + " " + cn
		g.order = append(g.order, string(r.Kind)+" "+cn)
		return nil
	})
	g.seal = seal
	return g, err
}

func mustRead(t *testing.T, src *Source, since source.Cursor) got {
	t.Helper()
	g, err := read(src, since)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if g.seal.Next == nil || g.seal.Feed == "" || g.seal.Reason == "" {
		t.Fatalf("Seal is incomplete: %+v", g.seal)
	}
	return g
}

func mustNew(t *testing.T, c Config) *Source {
	t.Helper()
	src, err := New(c)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return src
}

func names(m map[string]source.Record) string { return strings.Join(slices.Sorted(maps.Keys(m)), " ") }

// slapdConfig reads a slapd as an account that is subject to its limits.
func slapdConfig(d *ldaptest.Directory) Config {
	return Config{Servers: []string{d.URL}, AllowPlaintext: true, BindDN: ldaptest.Reader, PasswordFile: d.PasswordFile,
		People: Search{Base: "ou=people," + d.Base}, Groups: Search{Base: "ou=groups," + d.Base, AllowEmpty: true}, PageSize: 10, Timeout: 20 * time.Second}
}

// person is the DN of a person of a slapd.
func person(uid string) string { return "uid=" + uid + ",ou=people," + ldaptest.Suffix }
func group(cn string) string   { return "cn=" + cn + ",ou=groups," + ldaptest.Suffix }

// ldif makes people u01…, and groups of them by name and members.
func ldif(people int, groups map[string][]string) string {
	var b strings.Builder
	for i := 1; i <= people; i++ {
		uid := fmt.Sprintf("u%02d", i)
		fmt.Fprintf(&b, "dn: %s\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: Person\nmail: %s@example.test\n\n", person(uid), uid, uid, uid)
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		fmt.Fprintf(&b, "dn: %s\nobjectClass: groupOfNames\ncn: %s\n", group(g), g)
		for _, m := range groups[g] {
			fmt.Fprintf(&b, "member: %s\n", m)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestRead_OpenLDAPFull(t *testing.T) {
	d := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: ldif(45, map[string][]string{"staff": {person("u01"), "UID=u02, OU=People," + ldaptest.Suffix}})})
	src := mustNew(t, slapdConfig(d))
	g := mustRead(t, src, nil)
	if !g.seal.Full || g.seal.Feed != feedFull || len(g.people) != 45 || len(g.groups) != 1 {
		t.Fatalf("read %d people, %d groups, seal %+v", len(g.people), len(g.groups), g.seal)
	}
	p := g.people["u07"]
	if p.Name != "uid=u07,ou=people,dc=example,dc=test" || len(p.Key) != 36 || p.Attrs["mail"][0] != "u07@example.test" {
		t.Errorf("u07 = %+v", p)
	}
	if want := []string{g.people["u01"].Name, g.people["u02"].Name}; !slices.Equal(g.groups["staff"].Members, want) {
		t.Errorf("members of staff = %v, want the names of the people %v", g.groups["staff"].Members, want)
	}
	if i := slices.Index(g.order, "group staff"); i != len(g.order)-1 {
		t.Errorf("the group came at %d of %d, before people", i, len(g.order))
	}
	if again := mustRead(t, src, nil); !maps.Equal(again.keys, g.keys) {
		t.Error("a second read has other keys")
	}
}

// sambaConfig reads an OU of a Samba domain.
func sambaConfig(d *ldaptest.Directory, ou string) Config {
	return Config{Servers: []string{d.TLSURL}, CAFile: d.CAFile, BindDN: d.BindDN, PasswordFile: d.PasswordFile,
		People: Search{Base: "OU=People," + ou}, Groups: Search{Base: "OU=Groups," + ou, AllowEmpty: true}, PageSize: 10, Timeout: 60 * time.Second}
}

// hire adds people to an OU of a Samba domain.
func hire(a *ldaptest.Admin, ou string, cns ...string) {
	for _, cn := range cns {
		a.Add("CN="+cn+",OU=People,"+ou, "objectClass", "user", "sAMAccountName", cn+ou[4:10], "mail", cn+"@example.test", "userAccountControl", "512")
	}
}

// team adds a group with members.
func team(a *ldaptest.Admin, ou, cn string, members ...string) {
	pairs := []string{"objectClass", "group", "sAMAccountName", cn + ou[4:10]}
	for _, m := range members {
		pairs = append(pairs, "member", m)
	}
	a.Add("CN="+cn+",OU=Groups,"+ou, pairs...)
}

func TestRead_ActiveDirectoryFull(t *testing.T) {
	d := ldaptest.Samba(t)
	a := d.Dial(t)
	ou := ldaptest.OU(t, a)
	hire(a, ou, "Ann", "Bob", "Cid")
	team(a, ou, "Staff", "CN=Ann,OU=People,"+ou, "CN=Cid,OU=People,"+ou)
	g := mustRead(t, mustNew(t, sambaConfig(d, ou)), nil)
	if !g.seal.Full || names(g.people) != "Ann Bob Cid" || names(g.groups) != "Staff" {
		t.Fatalf("read people %q, groups %q, seal %+v", names(g.people), names(g.groups), g.seal)
	}
	ann := g.people["Ann"]
	e, err := a.SearchGUID(ann.Key)
	if err != nil || NormalDN(e) != ann.Name {
		t.Errorf("the server finds %q (%v) by <GUID=%s>, want %s", e, err, ann.Key, ann.Name)
	}
	if ann.Attrs["objectguid"][0] != ann.Key || !strings.HasPrefix(ann.Attrs["objectsid"][0], "S-1-5-21-") || ann.Attrs["useraccountcontrol"][0] != "512" {
		t.Errorf("Ann = %+v", ann.Attrs)
	}
	if len(ann.Attrs["usnchanged"]) > 0 || len(ann.Attrs["whenchanged"]) > 0 {
		t.Error("attributes that change by themselves are in the record")
	}
	if want := []string{ann.Name, g.people["Cid"].Name}; !slices.Equal(slices.Sorted(slices.Values(g.groups["Staff"].Members)), want) {
		t.Errorf("members of Staff = %v, want %v", g.groups["Staff"].Members, want)
	}
}
