package ldap

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
	"github.com/provost-scim/provost/source/ldaptest"
)

// TestScale_ReadIsNearlyBare reads many people and large groups and compares with go-ldap's own paged search of the
// same attributes, which keeps nothing. PROVOST_LDAP_PEOPLE sets the size.
func TestScale_ReadIsNearlyBare(t *testing.T) {
	people := number(t, "PROVOST_LDAP_PEOPLE", 4000)
	var b strings.Builder
	for i := range people {
		fmt.Fprintf(&b, "dn: uid=s%06d,ou=people,%s\nobjectClass: inetOrgPerson\nuid: s%06d\ncn: Some Body %d\nsn: Body\ngivenName: Some\nmail: s%06d@example.test\ntitle: Clerk\ntelephoneNumber: +49 30 %d\n\n", i, ldaptest.Suffix, i, i, i, i)
	}
	for g := range people / 20 {
		fmt.Fprintf(&b, "dn: cn=g%05d,ou=groups,%s\nobjectClass: groupOfNames\ncn: g%05d\n", g, ldaptest.Suffix, g)
		for m := range 200 {
			fmt.Fprintf(&b, "member: uid=s%06d,ou=people,%s\n", (g*37+m*11)%people, ldaptest.Suffix)
		}
		b.WriteString("\n")
	}
	d := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: b.String()})
	b.Reset()
	c := slapdConfig(d)
	c.PageSize = 0
	c.People.Attributes, c.Groups.Attributes = []string{"cn", "uid", "mail", "givenName", "sn", "title"}, []string{"cn"}
	src := mustNew(t, c)
	bare, ours := time.Duration(1<<62), time.Duration(1<<62)
	var peak uint64
	for range 3 {
		bare = min(bare, bareRead(t, d, c, people))
		start, n := time.Now(), 0
		stop := watchHeap(&peak)
		_, err := src.Read(t.Context(), nil, func(source.Record) error { n++; return nil })
		stop()
		if err != nil || n != people+people/20 {
			t.Fatalf("read %d records: %v", n, err)
		}
		ours = min(ours, time.Since(start))
	}
	share := float64(bare) / float64(ours)
	t.Logf("%d people: the rate is %.2f of a bare paged search, heap at most %d MiB", people, share, peak>>20)
	if share < 0.5 {
		t.Errorf("the rate is %.2f of a bare paged search, want 0.5 at the least", share)
	}
	if most := uint64(100 << 20); peak > most {
		t.Errorf("heap of %d MiB, want at most %d", peak>>20, most>>20)
	}
}

func watchHeap(peak *uint64) (stop func()) {
	runtime.GC()
	var ended atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		var m runtime.MemStats
		for !ended.Load() {
			runtime.ReadMemStats(&m)
			*peak = max(*peak, m.HeapInuse)
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return func() { ended.Store(true); <-done }
}

func bareRead(t *testing.T, d *ldaptest.Directory, c Config, people int) time.Duration {
	start, n := time.Now(), 0
	conn, err := ldap.DialURL(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Bind(c.BindDN, d.Password); err != nil {
		t.Fatal(err)
	}
	for base, attrs := range map[string][]string{c.People.Base: append(c.People.Attributes, "entryUUID"), c.Groups.Base: {"cn", "member", "entryUUID"}} {
		paging := ldap.NewControlPaging(DefaultPageSize)
		for {
			res, err := conn.Search(&ldap.SearchRequest{BaseDN: base, Scope: ldap.ScopeWholeSubtree, Filter: "(|(objectClass=inetOrgPerson)(objectClass=groupOfNames))", Attributes: attrs, Controls: []ldap.Control{paging}})
			if err != nil {
				t.Fatal(err)
			}
			n += len(res.Entries)
			answer, ok := ldap.FindControl(res.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
			if !ok || len(answer.Cookie) == 0 {
				break
			}
			paging.SetCookie(answer.Cookie)
		}
	}
	if n != people+people/20 {
		t.Fatalf("the bare search found %d entries", n)
	}
	return time.Since(start)
}
