package ldap

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

func TestNormalDN(t *testing.T) {
	tests := []struct{ in, want string }{
		{"CN=Ann,OU=People,DC=corp", "cn=ann,ou=people,dc=corp"},
		{"uid=ann,ou=people,dc=corp", "uid=ann,ou=people,dc=corp"},
		{"CN = Ann , OU=People,  DC=corp", "cn=ann,ou=people,dc=corp"},
		{"commonName=Ann,organizationalUnitName=People,domainComponent=corp", "cn=ann,ou=people,dc=corp"},
		{"2.5.4.3=Ann,0.9.2342.19200300.100.1.25=corp", "cn=ann,dc=corp"},
		{`CN=Doe\, Ann,OU=People`, `cn=doe\, ann,ou=people`},
		{`CN=Doe\2C Ann,OU=People`, `cn=doe\, ann,ou=people`},
		{"CN=Ann  Mary   Doe,OU=People", "cn=ann mary doe,ou=people"},
		{"sn=Doe+cn=Ann,ou=People", "cn=ann+sn=doe,ou=people"},
		{"surname=Doe + commonName=Ann,ou=People", "cn=ann+sn=doe,ou=people"},
		{"CN=ÄNNE,OU=Büro", NormalDN("cn=änne,ou=büro")},
		{`CN=\#x\+y,OU=a`, NormalDN(`cn=\23x\2by,ou=a`)},
		{"", ""},
		{"Not A DN", "not a dn"},
	}
	for _, tt := range tests {
		got := NormalDN(tt.in)
		if got != tt.want {
			t.Errorf("NormalDN(%q) = %q, want %q", tt.in, got, tt.want)
		}
		if again := NormalDN(got); again != got {
			t.Errorf("NormalDN(%q) = %q, it is normal already", got, again)
		}
	}
}

func FuzzNormalDN(f *testing.F) {
	for _, s := range []string{"CN=Ann,OU=People", `CN=Doe\, Ann,OU=x`, "cn=a+sn=b,dc=c", "CN = a", "=", ",", "cn=\\", "cn=a  b,ou=c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		dn, err := ldap.ParseDN(s)
		if err != nil || !plainDN(s) {
			return
		}
		// What is taken for plain must come out as the careful way has it.
		var careful []string
		for _, rdn := range dn.RDNs {
			a := rdn.Attributes[0]
			careful = append(careful, shortName(strings.ToLower(a.Type))+"="+ldap.EscapeDN(oneSpaced(strings.ToLower(a.Value))))
		}
		if got, want := NormalDN(s), strings.Join(careful, ","); got != want {
			t.Errorf("NormalDN(%q) = %q, want %q", s, got, want)
		}
	})
}

func TestValues(t *testing.T) {
	guid := []byte{0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 1, 2, 3, 4, 5, 6, 7, 8}
	text, ok := guidText(guid)
	if !ok || text != "12345678-9abc-def0-0102-030405060708" {
		t.Errorf("guidText = %q, %v", text, ok)
	}
	if back, ok := guidBytes(text); !ok || string(back) != string(guid) {
		t.Errorf("guidBytes(%q) = %x, %v", text, back, ok)
	}
	sid := []byte{1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1, 2, 0, 0}
	if text, ok := sidText(sid); !ok || text != "S-1-5-21-1-2-3-513" {
		t.Errorf("sidText = %q, %v", text, ok)
	}
	src := mustNew(t, Config{Servers: []string{"ldap://x"}, People: Search{Base: "dc=x"}, Binary: []string{"Badge"}})
	for _, tt := range []struct{ name, value, want string }{
		{"cn", "Ann", "Ann"}, {"cn", "\xff", "/w=="}, {"badge", "Ann", "QW5u"}, {"jpegphoto", "Ann", "QW5u"},
		{"usercertificate;binary", "Ann", "QW5u"}, {"objectguid", "short", "short"}, {"objectsid", "\x01\x05", "\x01\x05"},
	} {
		if got := src.value(tt.name, []byte(tt.value)); got != tt.want {
			t.Errorf("value(%s, %q) = %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
}

func TestAfterRange(t *testing.T) {
	tests := []struct {
		name   string
		values int
		start  int
		want   int // -2: an error
	}{
		{"member;range=0-1", 2, 0, 2}, {"member;Range=2-*", 7, 2, -1}, {"member;range=0-*", 0, 0, -1},
		{"member;range=0-1", 1, 0, -2}, {"member;range=0-1", 3, 0, -2}, {"member;range=3-4", 2, 2, -2},
		{"member;range=3-*", 2, 2, -2}, {"member;range=2-1", 0, 2, -2}, {"member;range=x-y", 2, 0, -2}, {"member;range=", 0, 0, -2},
	}
	for _, tt := range tests {
		a := &ldap.EntryAttribute{Name: tt.name, ByteValues: make([][]byte, tt.values)}
		got, err := afterRange(a, tt.start)
		if (err != nil) != (tt.want == -2) || err == nil && got != tt.want || err != nil && source.FaultOf(err) != source.Partial {
			t.Errorf("afterRange(%s with %d values, %d) = %d, %v; want %d", tt.name, tt.values, tt.start, got, err, tt.want)
		}
	}
}

func TestConfig_Check(t *testing.T) {
	good := func() Config {
		return Config{Servers: []string{"ldaps://dc1.example.com"}, BindDN: "cn=x", PasswordFile: "p", People: Search{Base: "dc=x", Filter: "(cn=*)"}}
	}
	if c := good(); c.Check() != nil {
		t.Fatalf("Check(%+v) = %v", c, c.Check())
	}
	tests := []struct {
		field string
		edit  func(*Config)
	}{
		{"servers", func(c *Config) { c.Servers = nil }},
		{"servers", func(c *Config) { c.Servers = make([]string, MaxServers+1) }},
		{"servers", func(c *Config) { c.Servers = []string{"dc1.example.com"} }},
		{"servers", func(c *Config) { c.Servers = []string{"https://dc1.example.com"} }},
		{"servers", func(c *Config) { c.Servers = []string{"ldaps://dc1/dc=x"} }},
		{"servers", func(c *Config) { c.Servers = []string{"ldaps://u:p@dc1"} }},
		{"servers", func(c *Config) { c.Servers = []string{"ldaps://dc1:3269"} }},
		{"servers", func(c *Config) { c.Servers = []string{"ldap://dc1"} }},
		{"password_file", func(c *Config) { c.PasswordEnv = "X" }},
		{"bind_dn", func(c *Config) { c.BindDN = "" }},
		{"bind_dn", func(c *Config) { c.PasswordFile = "" }},
		{"people.base", func(c *Config) { c.People.Base = "" }},
		{"people.base", func(c *Config) { c.People.Base = "people" }},
		{"people.filter", func(c *Config) { c.People.Filter = "cn=*)" }},
		{"people.members_of", func(c *Config) { c.People.MembersOf = "Staff" }},
		{"people.attributes", func(c *Config) { c.People.Attributes = []string{"cn, mail"} }},
		{"groups.base", func(c *Config) { c.Groups.Base = "groups" }},
		{"groups.members_of", func(c *Config) { c.Groups.MembersOf = "cn=x" }},
		{"referrals", func(c *Config) { c.Referrals = "follow" }},
		{"feed", func(c *Config) { c.Feed = "push" }},
		{"page_size", func(c *Config) { c.PageSize = MaxPageSize + 1 }},
		{"timeout", func(c *Config) { c.Timeout = -1 }},
	}
	for _, tt := range tests {
		c := good()
		tt.edit(&c)
		_, err := New(c)
		if source.FaultOf(err) != source.Misconfigured || !strings.HasPrefix(err.Error(), tt.field+": ") || !strings.Contains(err.Error(), "; next: ") {
			t.Errorf("New(%+v) = %v, want %s misconfigured and a next step", c, err, tt.field)
		}
	}
}
