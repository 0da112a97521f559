package ldap

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
	"github.com/provost-scim/provost/source/ldaptest"
)

// following makes a source whose first read is done.
func following(t *testing.T, c Config, feed string) *follow {
	t.Helper()
	f := &follow{t: t, src: mustNew(t, c), feed: feed}
	f.next(true)
	return f
}

// behind puts a proxy in front of the server of a configuration.
func behind(t *testing.T, d *ldaptest.Directory, c *Config) *ldaptest.Proxy {
	p := ldaptest.NewProxy(t, d, ldaptest.Rules{})
	c.Servers, c.AllowPlaintext, c.CAFile = []string{p.URL}, true, ""
	return p
}

// edit changes a cursor as a test wants it.
func edit(t *testing.T, c source.Cursor, change func(*cursor)) source.Cursor {
	t.Helper()
	var x cursor
	if err := json.Unmarshal(c, &x); err != nil {
		t.Fatal(err)
	}
	change(&x)
	out, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func reason(t *testing.T, g got, text string) {
	t.Helper()
	if !strings.Contains(g.seal.Reason, text) {
		t.Errorf("reason = %q, want it to say %q", g.seal.Reason, text)
	}
}

// TestUSN_AnotherController: sequence numbers of another domain controller, or of this one before it was restored,
// mean nothing.
func TestUSN_AnotherController(t *testing.T) {
	samba := ldaptest.Samba(t)
	d, c := sambaDirectory(t, samba)
	d.hire("Ann")
	c.Feed = feedUSN
	proxy := behind(t, samba, &c)
	f := following(t, c, feedUSN)
	other := make([]byte, 16)
	rand.Read(other)
	proxy.Set(ldaptest.Rules{Replace: map[string]string{"invocationId": string(other)}})
	reason(t, f.next(true), "invocation id changed")
	f.next(false)
	proxy.Set(ldaptest.Rules{})
	reason(t, f.next(true), "invocation id changed")
	f.cursor = edit(t, f.cursor, func(c *cursor) { c.Mark.USN += 1 << 40 })
	reason(t, f.next(true), "went back")
	f.cursor = edit(t, f.cursor, func(c *cursor) { c.Mark.Service = "cn=dc2" })
	reason(t, f.next(true), "another domain controller")
	proxy.Set(ldaptest.Rules{Replace: map[string]string{"isSynchronized": "FALSE"}})
	refused(t, f.src, f.cursor, source.Busy, "has not yet received all")
	proxy.Set(ldaptest.Rules{Hide: "invocationId"})
	if _, err := read(f.src, nil); source.FaultOf(err) != source.Misconfigured {
		t.Errorf("without a readable invocation id there can be no USN feed, got %v", err)
	}
}

// TestUSN_IdleIsCheap: nothing changed, so nothing is searched for beside rootDSE, invocation id and bases.
func TestUSN_IdleIsCheap(t *testing.T) {
	samba := ldaptest.Samba(t)
	d, c := sambaDirectory(t, samba)
	d.hire("Ann")
	c.Feed = feedUSN
	proxy := behind(t, samba, &c)
	f := following(t, c, feedUSN)
	proxy.Set(ldaptest.Rules{})
	f.next(false)
	if n := proxy.Searches(); n > 4 {
		t.Errorf("an idle read made %d searches, want at most 4", n)
	}
}

// TestFeeds_BlindToTombstones: an ordinary account sees no deleted objects and gets no error. The deletion must be
// found all the same.
func TestFeeds_BlindToTombstones(t *testing.T) {
	samba := ldaptest.Samba(t)
	for _, feed := range []string{feedUSN, feedDirSync} {
		t.Run(feed, func(t *testing.T) {
			d, c := sambaDirectory(t, samba)
			_, ou, _ := strings.Cut(d.people, ",")
			c.BindDN, c.PasswordFile = samba.Reader(t, d.admin, ou)
			c.Feed = feed
			d.hire("Ann")
			d.hire("Bob")
			f := following(t, c, feed)
			d.admin.Delete(d.person("Bob"))
			g := f.next(false)
			if g.seal.Present == nil {
				t.Error("the seal does not say what is present, although tombstones are hidden")
			}
			reason(t, g, "sees no deleted objects")
			f.equal("deleted unseen")
			report, err := f.src.Test(t.Context())
			if err != nil || !strings.Contains(report.Lines[len(report.Lines)-1].Answered, "none is seen") {
				t.Errorf("Test = %+v, %v; want it to say that no tombstone is seen", report, err)
			}
		})
	}
}

func TestDirSync_RefusedOrForgotten(t *testing.T) {
	samba := ldaptest.Samba(t)
	d, c := sambaDirectory(t, samba)
	d.hire("Ann")
	proxy := behind(t, samba, &c)
	f := following(t, c, feedDirSync)
	f.cursor = edit(t, f.cursor, func(c *cursor) {
		for k := range c.Mark.Cookies {
			c.Mark.Cookies[k] = []byte("no cookie of this server")
		}
	})
	f.next(true)
	proxy.Set(ldaptest.Rules{RefuseExt: ldap.ControlTypeDirSync})
	reason(t, f.next(true), "DirSync is refused")
	f.feed = feedUSN
	f.next(false)
	proxy.Set(ldaptest.Rules{NoControl: ldap.ControlTypeDirSync})
	report, err := f.src.Test(t.Context())
	if err != nil || report.Feed != feedUSN {
		t.Errorf("Test without DirSync = %+v, %v", report, err)
	}
}

// TestSyncrepl_ForgottenDeletions: without a session log slapd answers with what is present.
func TestSyncrepl_ForgottenDeletions(t *testing.T) {
	d, c := slapdDirectory(t, ldaptest.Slapd(t, ldaptest.SlapdOptions{SessionLog: -1}))
	d.hire("Ann")
	d.hire("Bob")
	f := following(t, c, feedSyncrepl)
	d.admin.Delete(d.person("Bob"))
	reason(t, f.next(true), "no longer knows all that was deleted")
	f.equal("deleted")
	f.next(false)
	f.cursor = edit(t, f.cursor, func(c *cursor) {
		for k := range c.Mark.Cookies {
			c.Mark.Cookies[k] = []byte("rid=000,csn=29990101000000.000000Z#000000#000#000000")
		}
	})
	f.next(true) // the server is older than the cookie: it was restored
}

func TestSyncrepl_CutAndLimited(t *testing.T) {
	slapd := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: ldif(30, nil), Limit: "size.soft=20 size.hard=20 size.pr=unlimited size.prtotal=unlimited"})
	d, c := slapdDirectory(t, slapd)
	proxy := behind(t, slapd, &c)
	f := following(t, c, feedSyncrepl)
	for i := range 25 {
		d.admin.Set(person([]string{"u01", "u02", "u03", "u04", "u05", "u06", "u07", "u08", "u09", "u10", "u11", "u12", "u13", "u14", "u15",
			"u16", "u17", "u18", "u19", "u20", "u21", "u22", "u23", "u24", "u25"}[i]), "title", "new")
	}
	reason(t, f.next(true), "Size Limit")
	f.equal("more changes than the limit")
	d.admin.Set(person("u01"), "title", "newer")
	proxy.Set(ldaptest.Rules{CutUnpaged: true})
	refused(t, f.src, f.cursor, source.Unreachable, "lost")
	proxy.Set(ldaptest.Rules{})
	if g := f.next(false); names(g.people) != "u01" {
		t.Errorf("after the cut %q were told, want u01", names(g.people))
	}
}

// TestSyncrepl_EndsWithoutAWord: the library reports a connection that is closed in time as a plain end.
func TestSyncrepl_EndsWithoutAWord(t *testing.T) {
	_, c := slapdDirectory(t, ldaptest.Slapd(t, ldaptest.SlapdOptions{}))
	r, err := mustNew(t, c).start(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.ses.Close()
	if gone, err := r.refresh(source.Person, &r.people, nil); err == nil {
		t.Errorf("a refresh on a closed connection ended well, %v gone", gone)
	}
}

// TestFull_CatchesUp: what happens during a full read is in it, or in the next delta.
func TestFull_CatchesUp(t *testing.T) {
	samba, slapd := ldaptest.Samba(t), ldaptest.Slapd(t, ldaptest.SlapdOptions{})
	run := func(t *testing.T, server *ldaptest.Directory, d *directory, c Config, feed string) {
		for _, cn := range []string{"Ann", "Bob", "Cid", "Dan"} {
			d.hire(cn)
		}
		c.PageSize, c.Feed = 1, feed
		proxy := behind(t, server, &c)
		proxy.Set(ldaptest.Rules{EditInPage: 4, Edit: func() {
			d.hire("Eve")
			d.admin.Delete(d.person("Ann"))
		}})
		f := following(t, c, feed)
		people := map[string]bool{}
		for _, r := range f.known {
			people[strings.Join(r.Attrs["cn"], "+")] = true
		}
		if !people["Eve"] {
			t.Errorf("read %v: Eve came during the read and is missing", slices.Sorted(maps.Keys(people)))
		}
		proxy.Set(ldaptest.Rules{})
		f.next(false)
		f.equal("after the read")
	}
	for _, feed := range []string{feedUSN, feedDirSync} {
		t.Run(feed, func(t *testing.T) {
			d, c := sambaDirectory(t, samba)
			run(t, samba, d, c, feed)
		})
	}
	t.Run(feedSyncrepl, func(t *testing.T) {
		d, c := slapdDirectory(t, slapd)
		run(t, slapd, d, c, feedSyncrepl)
	})
}

func TestCursor_Changed(t *testing.T) {
	slapd := ldaptest.Slapd(t, ldaptest.SlapdOptions{})
	d, c := slapdDirectory(t, slapd)
	d.hire("Ann")
	f := following(t, c, feedSyncrepl)
	for text, since := range map[string]source.Cursor{"not one of this version": source.Cursor("{]"), "the first read": source.Cursor("")} {
		f.cursor = since
		reason(t, f.next(true), text)
	}
	for name, change := range map[string]func(*Config){
		"base":       func(c *Config) { c.People.Base = slapd.Base },
		"filter":     func(c *Config) { c.People.Filter = "(cn=Ann)" },
		"attributes": func(c *Config) { c.People.Attributes = []string{"cn"} },
	} {
		changed := c
		change(&changed)
		g := mustRead(t, mustNew(t, changed), f.cursor)
		if !g.seal.Full || !strings.Contains(g.seal.Reason, "base, filter, attributes or key changed") {
			t.Errorf("%s: seal %+v", name, g.seal)
		}
	}
}
