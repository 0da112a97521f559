package ldap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/source"
	"github.com/provost-scim/provost/source/ldaptest"
)

// refused checks that a read failed with the fault and a text, and was not sealed.
func refused(t *testing.T, src *Source, since source.Cursor, fault source.Fault, text string) {
	t.Helper()
	g, err := read(src, since)
	if err == nil || g.seal.Next != nil || g.seal.Full {
		t.Fatalf("the read was sealed: %+v, %d people, error %v", g.seal, len(g.people), err)
	}
	if source.FaultOf(err) != fault || !strings.Contains(err.Error(), text) {
		t.Errorf("error = %v (%s), want %s with %q", err, source.FaultOf(err), fault, text)
	}
}

// TestRead_PartialIsNeverSealed is promise P7 at the source: whatever cuts a read, there is no seal.
func TestRead_PartialIsNeverSealed(t *testing.T) {
	d := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: ldif(45, map[string][]string{"staff": {person("u01")}})})
	proxy := ldaptest.NewProxy(t, d, ldaptest.Rules{})
	c := slapdConfig(d)
	c.Servers, c.Timeout = []string{proxy.URL}, time.Second
	src := mustNew(t, c)
	good := mustRead(t, src, nil)
	tests := []struct {
		name  string
		rules ldaptest.Rules
		fault source.Fault
		text  string
	}{
		{"cut in page 3", ldaptest.Rules{CutInPage: 3}, source.Unreachable, "page 3: the connection"},
		{"cut at the end of page 3", ldaptest.Rules{CutAfter: 3}, source.Unreachable, "page 3"},
		{"cut at the end of the last page", ldaptest.Rules{CutAfter: 5}, source.Unreachable, "page 5"},
		{"cut among the groups", ldaptest.Rules{CutAfter: 6}, source.Unreachable, "lost"},
		{"size limit in page 2", ldaptest.Rules{LimitPage: 2}, source.Partial, "page 2: the server stopped before the end"},
		{"busy in page 4", ldaptest.Rules{BusyPage: 4}, source.Busy, "busy"},
		{"busy at the bind", ldaptest.Rules{BusyBind: true}, source.Busy, "busy"},
		{"referral instead of page 2", ldaptest.Rules{ReferPage: 2}, source.Partial, "elsewhere.example.test"},
		{"continuation reference", ldaptest.Rules{Reference: "ldap://child.example.test/dc=child,dc=example,dc=test"}, source.Partial, "kept on another server"},
		{"success without an entry", ldaptest.Rules{EmptyPage: 1}, source.Partial, "an empty source is not believed"},
		{"a page that does not say whether it is the last", ldaptest.Rules{PlainPage: 2}, source.Partial, "without saying"},
		{"silence in page 3", ldaptest.Rules{SilentPage: 3}, source.Unreachable, "sent nothing for 1s"},
		{"entries without a key", ldaptest.Rules{Hide: "entryUUID"}, source.Malformed, "no single value of entryUUID"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			proxy.Set(tt.rules)
			refused(t, src, nil, tt.fault, tt.text)
		})
	}
	proxy.Set(ldaptest.Rules{})
	if again := mustRead(t, src, nil); len(again.keys) != len(good.keys) {
		t.Errorf("after the faults %d records are read, before %d", len(again.keys), len(good.keys))
	}
	src.maxPage = 2_000
	refused(t, src, nil, source.Partial, "has more than 2000 bytes")
	src.maxPage = MaxPage
	src.config.DialTimeout = 200 * time.Millisecond
	proxy.Set(ldaptest.Rules{Delay: time.Second})
	refused(t, src, nil, source.Unreachable, "does not answer")
	proxy.Close()
	refused(t, src, nil, source.Unreachable, "does not answer")
}

// TestRead_RealLimits has slapd itself refuse what is too much.
func TestRead_RealLimits(t *testing.T) {
	people := ldif(45, nil)
	d := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: people, Limit: "size.soft=20 size.hard=20 size.pr=unlimited size.prtotal=20"})
	refused(t, mustNew(t, slapdConfig(d)), nil, source.Partial, "at a limit of its own")
	d = ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: people, Limit: "size.soft=20 size.hard=20 size.prtotal=disabled"})
	if g, err := read(mustNew(t, slapdConfig(d)), nil); err == nil || g.seal.Next != nil {
		t.Errorf("paging is disabled and 20 is the limit, yet: %+v, %v", g.seal, err)
	}
}

// TestRead_HiddenIsNotGone: rights taken away look like an empty base.
func TestRead_HiddenIsNotGone(t *testing.T) {
	people := ldif(3, nil)
	hidden := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: people, Access: `access to dn.children="ou=people,` + ldaptest.Suffix + `" by * none`})
	refused(t, mustNew(t, slapdConfig(hidden)), nil, source.Partial, "an empty source is not believed")
	base := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: people, Access: `access to dn.subtree="ou=people,` + ldaptest.Suffix + `" by * none`})
	refused(t, mustNew(t, slapdConfig(base)), nil, source.Refused, "people.base")
	members := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: ldif(3, map[string][]string{"staff": {person("u01")}}), Access: "access to attrs=member by * none"})
	refused(t, mustNew(t, slapdConfig(members)), nil, source.Partial, "shows no member, although every groupOfNames has one")
	open := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: people})
	c := slapdConfig(open)
	c.People.Base = "ou=peple," + open.Base
	refused(t, mustNew(t, c), nil, source.Refused, "people.base: the base does not exist")
	c = slapdConfig(open)
	c.People.Filter = "(mail=nobody@nowhere)"
	refused(t, mustNew(t, c), nil, source.Partial, "people.filter: nothing below")
	c.People.AllowEmpty = true
	if g := mustRead(t, mustNew(t, c), nil); !g.seal.Full || len(g.people) != 0 {
		t.Errorf("allow_empty: %+v", g.seal)
	}
	c.Groups.AllowEmpty = false
	refused(t, mustNew(t, c), nil, source.Partial, "groups.filter: nothing below")
}

func TestRead_CallerStops(t *testing.T) {
	d := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: ldif(45, nil)})
	src := mustNew(t, slapdConfig(d))
	stop := errors.New("enough of it")
	seal, err := src.Read(t.Context(), nil, func(source.Record) error { return stop })
	if err != stop || seal.Next != nil {
		t.Errorf("Read = %+v, %v; want the caller's own error", seal, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	seal, err = src.Read(ctx, nil, func(source.Record) error {
		if n++; n == 12 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || seal.Next != nil {
		t.Errorf("cancelled Read = %+v, %v", seal, err)
	}
}

func TestConnect_Errors(t *testing.T) {
	d := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: ldif(3, nil)})
	other := ldaptest.Slapd(t, ldaptest.SlapdOptions{})
	bad := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(bad, []byte("wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		edit  func(*Config)
		fault source.Fault
		text  string
	}{
		{"unknown host", func(c *Config) { c.Servers = []string{"ldap://nowhere.invalid"} }, source.Unreachable, "nowhere.invalid does not answer"},
		{"nobody listens", func(c *Config) { c.Servers = []string{"ldap://127.0.0.1:1"} }, source.Unreachable, "refused"},
		{"wrong password", func(c *Config) { c.PasswordFile = bad }, source.Refused, "refuses the password"},
		{"no password file", func(c *Config) { c.PasswordFile += "x" }, source.Misconfigured, "password_file"},
		{"no password variable", func(c *Config) { c.PasswordFile, c.PasswordEnv = "", "PROVOST_TEST_UNSET" }, source.Misconfigured, "PROVOST_TEST_UNSET"},
		{"unknown authority", func(c *Config) { c.Servers, c.CAFile = []string{d.TLSURL}, "" }, source.Untrusted, "is not trusted"},
		{"authority of another server", func(c *Config) { c.Servers, c.CAFile = []string{d.TLSURL}, other.CAFile }, source.Untrusted, "ca_file"},
		{"the same with StartTLS", func(c *Config) { c.StartTLS, c.CAFile = true, other.CAFile }, source.Untrusted, "ca_file"},
		{"certificate for another name", func(c *Config) { c.Servers, c.CAFile, c.ServerName = []string{d.TLSURL}, d.CAFile, "dc9.example.test" }, source.Untrusted, "dc9.example.test"},
		{"the same with StartTLS", func(c *Config) { c.StartTLS, c.CAFile, c.ServerName = true, d.CAFile, "dc9.example.test" }, source.Untrusted, "dc9.example.test"},
		{"authority file without certificate", func(c *Config) { c.Servers, c.CAFile = []string{d.TLSURL}, bad }, source.Misconfigured, "holds no certificate"},
		{"TLS where there is none", func(c *Config) { c.Servers = []string{strings.Replace(d.URL, "ldap:", "ldaps:", 1)} }, source.Unreachable, "no TLS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := slapdConfig(d)
			c.DialTimeout = 3 * time.Second
			tt.edit(&c)
			src := mustNew(t, c)
			refused(t, src, nil, tt.fault, tt.text)
			report, err := src.Test(t.Context())
			if err == nil || len(report.Lines) == 0 || report.Lines[len(report.Lines)-1].OK {
				t.Errorf("Test = %+v, %v; want its last line to say what is wrong", report, err)
			}
		})
	}
	for name, edit := range map[string]func(*Config){
		"LDAPS":    func(c *Config) { c.Servers, c.CAFile, c.AllowPlaintext = []string{d.TLSURL}, d.CAFile, false },
		"StartTLS": func(c *Config) { c.StartTLS, c.CAFile, c.AllowPlaintext = true, d.CAFile, false },
		"second":   func(c *Config) { c.Servers = append([]string{"ldap://127.0.0.1:1"}, c.Servers...) },
		"variable": func(c *Config) {
			t.Setenv("PROVOST_TEST_LDAP", d.Password)
			c.PasswordFile, c.PasswordEnv = "", "PROVOST_TEST_LDAP"
		},
		"nobody": func(c *Config) { c.BindDN, c.PasswordFile = "", "" },
	} {
		t.Run(name, func(t *testing.T) {
			c := slapdConfig(d)
			edit(&c)
			if g := mustRead(t, mustNew(t, c), nil); len(g.people) != 3 {
				t.Errorf("read %d people", len(g.people))
			}
		})
	}
}

// TestRead_ServerChanges: there is one server per read, and another one means a full read.
func TestRead_ServerChanges(t *testing.T) {
	one := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: ldif(5, nil)})
	two := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: ldif(4, nil)})
	front := ldaptest.NewProxy(t, one, ldaptest.Rules{})
	c := slapdConfig(one)
	c.Servers, c.PasswordFile = []string{front.URL, two.URL}, two.PasswordFile
	src := mustNew(t, c)
	first := mustRead(t, src, nil)
	front.Set(ldaptest.Rules{CutAfter: 1})
	refused(t, src, nil, source.Unreachable, "lost in the middle")
	front.Close()
	second := mustRead(t, src, first.seal.Next)
	if !second.seal.Full || len(second.people) != 4 || !strings.Contains(second.seal.Reason, "the last read was from "+front.URL) {
		t.Errorf("after the change of server: %d people, %+v", len(second.people), second.seal)
	}
}

// TestRead_Ranges reads a group of 5,000 through the limits of a large Active Directory.
func TestRead_Ranges(t *testing.T) {
	members := make([]string, 5000)
	for i := range members {
		members[i] = person(fmt.Sprintf("p%04d", i))
	}
	d := ldaptest.Slapd(t, ldaptest.SlapdOptions{LDIF: ldif(2, map[string][]string{"large": members})})
	proxy := ldaptest.NewProxy(t, d, ldaptest.Rules{Page: ldaptest.ADPage, Range: ldaptest.ADRange})
	c := slapdConfig(d)
	c.Servers = []string{proxy.URL}
	src := mustNew(t, c)
	if got := slices.Sorted(slices.Values(mustRead(t, src, nil).groups["large"].Members)); !slices.Equal(got, members) {
		t.Errorf("%d members were read of %d", len(got), len(members))
	}
	proxy.Set(ldaptest.Rules{Range: ldaptest.ADRange, LoseRange: true})
	refused(t, src, nil, source.Partial, "the values of member from 1500 on are missing")
}

// TestRead_RangesChange: the ranges of one attribute are no snapshot. The version of the entry tells.
func TestRead_RangesChange(t *testing.T) {
	d := ldaptest.Samba(t)
	a := d.Dial(t)
	ou := ldaptest.OU(t, a)
	hire(a, ou, "Ann", "Bob", "Cid", "Dan", "Eve", "Fay", "Guy")
	dn := func(cn string) string { return "CN=" + cn + ",OU=People," + ou }
	team(a, ou, "Staff", dn("Ann"), dn("Bob"), dn("Cid"), dn("Dan"), dn("Eve"), dn("Fay"), dn("Guy"))
	edits := 0
	proxy := ldaptest.NewProxy(t, d, ldaptest.Rules{Range: 3, RangeEdit: func() {
		if edits++; edits == 1 {
			a.Shrink("CN=Staff,OU=Groups,"+ou, "member", dn("Ann"), dn("Dan"))
		}
	}})
	c := sambaConfig(d, ou)
	c.Servers, c.AllowPlaintext = []string{proxy.URL}, true
	src := mustNew(t, c)
	g := mustRead(t, src, nil)
	want := []string{g.people["Bob"].Name, g.people["Cid"].Name, g.people["Eve"].Name, g.people["Fay"].Name, g.people["Guy"].Name}
	if got := slices.Sorted(slices.Values(g.groups["Staff"].Members)); !slices.Equal(got, want) || edits < 2 {
		t.Errorf("members after a change between the ranges: %v, want %v; %d later ranges asked for", got, want, edits)
	}
	proxy.Set(ldaptest.Rules{Range: 3, RangeEdit: func() {
		a.Set("CN=Staff,OU=Groups,"+ou, "description", fmt.Sprint(edits))
		edits++
	}})
	refused(t, src, nil, source.Partial, "changed 3 times while it was read")
}
