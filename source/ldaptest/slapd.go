package ldaptest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const slapdPackages = "slapd ldap-utils"

// Suffix is the base of every slapd of this package; Reader is an account that may read everything and is subject
// to the limits, unlike the administrator. Its password is that of the administrator.
const (
	Suffix = "dc=example,dc=test"
	Reader = "cn=reader,dc=example,dc=test"
)

// SlapdOptions change how a slapd is set up.
type SlapdOptions struct {
	NoSync     bool   // without the syncprov overlay
	SessionLog int    // how many deletions syncprov remembers; 0 is 10,000, -1 none
	Limit      string // of the reader, in the words of slapd.conf(5); "" is size.soft=500 size.prtotal=unlimited
	Access     string // further "access to" lines that go before the general one
	LDIF       string // entries to load before the start, beside suffix, reader, ou=people and ou=groups
}

// Slapd starts a slapd with syncprov and memberof for one test. It has ou=people and ou=groups.
func Slapd(t testing.TB, o SlapdOptions) *Directory {
	t.Helper()
	d, err := newSlapd(o)
	if err != nil {
		t.Fatalf("slapd for tests: %v", err)
	}
	t.Cleanup(d.process.stop)
	return d
}

func newSlapd(o SlapdOptions) (*Directory, error) {
	slapd, err := program("slapd", slapdPackages)
	if err != nil {
		return nil, err
	}
	slapadd, err := program("slapadd", slapdPackages)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "provost-slapd-")
	if err != nil {
		return nil, err
	}
	const host, password = "127.0.0.1", "secret of the directory"
	plain, err := freePort(host)
	if err != nil {
		return nil, err
	}
	secure, err := freePort(host)
	if err != nil {
		return nil, err
	}
	cert, key, err := certify(dir, host)
	if err != nil {
		return nil, err
	}
	d := &Directory{URL: "ldap://" + plain, TLSURL: "ldaps://" + secure, Base: Suffix, BindDN: "cn=admin," + Suffix, Password: password,
		PasswordFile: filepath.Join(dir, "password"), CAFile: cert, dir: dir}
	conf := filepath.Join(dir, "slapd.conf")
	for path, text := range map[string]string{conf: slapdConf(dir, cert, key, password, o), d.PasswordFile: password + "\n",
		filepath.Join(dir, "base.ldif"): baseLDIF(password) + o.LDIF} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		return nil, err
	}
	if out, err := exec.Command(slapadd, "-q", "-w", "-f", conf, "-b", Suffix, "-l", filepath.Join(dir, "base.ldif")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("slapadd: %w\n%s", err, out)
	}
	if d.process, err = startProcess(dir, slapd, "-f", conf, "-h", d.URL+"/ "+d.TLSURL+"/", "-d", "0"); err != nil {
		return nil, err
	}
	if err := d.process.await(plain); err != nil {
		d.process.stop()
		return nil, err
	}
	return d, nil
}

// schemas finds where the packages put the schema files.
func schemas() string {
	for _, dir := range []string{"/etc/ldap/schema", "/etc/openldap/schema"} {
		if _, err := os.Stat(filepath.Join(dir, "core.schema")); err == nil {
			return dir
		}
	}
	return "/etc/ldap/schema"
}

func slapdConf(dir, cert, key, password string, o SlapdOptions) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, s := range []string{"core", "cosine", "inetorgperson"} {
		line("include %s/%s.schema", schemas(), s)
	}
	if _, err := os.Stat("/usr/lib/ldap"); err == nil {
		line("modulepath /usr/lib/ldap")
	}
	for _, m := range []string{"back_mdb", "syncprov", "memberof"} {
		line("moduleload %s", m)
	}
	line("pidfile %s/slapd.pid\nargsfile %s/slapd.args", dir, dir)
	line("TLSCertificateFile %s\nTLSCertificateKeyFile %s", cert, key)
	line("database mdb\nsuffix %q\nrootdn %q\nrootpw %q", Suffix, "cn=admin,"+Suffix, password)
	line("directory %s/db\ndbnosync\nmaxsize 1073741824", dir)
	if o.Limit == "" {
		o.Limit = "size.soft=500 size.hard=500 size.pr=unlimited size.prtotal=unlimited"
	}
	line("limits dn.exact=%q %s", Reader, o.Limit)
	for _, i := range []string{"objectClass,entryUUID,entryCSN,uid,cn,mail,member,memberOf eq", "modifyTimestamp eq"} {
		line("index %s", i)
	}
	line("%s", o.Access)
	line("access to attrs=userPassword by anonymous auth by * none\naccess to * by * read")
	if !o.NoSync {
		line("overlay syncprov\nsyncprov-checkpoint 100 10")
		if o.SessionLog == 0 {
			o.SessionLog = 10_000
		}
		if o.SessionLog > 0 {
			line("syncprov-sessionlog %d", o.SessionLog)
		}
	}
	line("overlay memberof\nmemberof-group-oc groupOfNames\nmemberof-member-ad member\nmemberof-memberof-ad memberOf\nmemberof-refint true")
	return b.String()
}

func baseLDIF(password string) string {
	return `dn: ` + Suffix + `
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ` + Reader + `
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: ` + password + `

dn: ou=people,` + Suffix + `
objectClass: organizationalUnit
ou: people

dn: ou=groups,` + Suffix + `
objectClass: organizationalUnit
ou: groups

`
}

// Host returns the address of a URL of the directory without its scheme.
func Host(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	host, _, err := net.SplitHostPort(rest)
	if err != nil {
		return rest
	}
	return host
}
