// Package ldaptest gives tests real directory servers: OpenLDAP's slapd and a Samba Active Directory domain
// controller, each a process of its own on a loopback address of its own, and a proxy that puts the limits and
// faults of a large Active Directory in front of one. The servers stop and their files vanish when the test or the
// test process ends, however it ends. A missing program fails the test and names the Debian packages.
package ldaptest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// startTimeout is how long a server may take to accept connections.
const startTimeout = 90 * time.Second

// Directory is a running directory server.
type Directory struct {
	URL      string // ldap://
	TLSURL   string // ldaps://
	Base     string // the suffix, or the domain's naming context
	BindDN   string // the administrator
	Password string
	// PasswordFile holds Password; CAFile the certificate that TLSURL presents, issued for localhost and the address.
	PasswordFile string
	CAFile       string
	dir          string
	process      *process
}

// Dial returns a connection bound as the administrator, closed when the test ends.
func (d *Directory) Dial(t testing.TB) *Admin {
	t.Helper()
	pem, err := os.ReadFile(d.CAFile)
	if err != nil {
		t.Fatalf("connect to the test directory: %v", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	c, err := ldap.DialURL(d.TLSURL, ldap.DialWithTLSConfig(&tls.Config{RootCAs: pool, ServerName: "localhost"}))
	if err != nil {
		t.Fatalf("connect to the test directory: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Bind(d.BindDN, d.Password); err != nil {
		t.Fatalf("bind to the test directory: %v", err)
	}
	return &Admin{Conn: c, t: t}
}

// Admin edits a directory; what it cannot do fails the test.
type Admin struct {
	*ldap.Conn
	t testing.TB
}

// Add creates an entry. Attributes are given as "name", "value" pairs; a name may come again.
func (a *Admin) Add(dn string, pairs ...string) {
	a.t.Helper()
	req := ldap.NewAddRequest(dn, nil)
	names, values := []string{}, map[string][]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if values[pairs[i]] == nil {
			names = append(names, pairs[i])
		}
		values[pairs[i]] = append(values[pairs[i]], pairs[i+1])
	}
	for _, n := range names {
		req.Attribute(n, values[n])
	}
	if err := a.Conn.Add(req); err != nil {
		a.t.Fatalf("add %s: %v", dn, err)
	}
}

// Set replaces the values of an attribute; no values remove it.
func (a *Admin) Set(dn, name string, values ...string) {
	a.t.Helper()
	req := ldap.NewModifyRequest(dn, nil)
	req.Replace(name, values)
	a.modify(req)
}

// Grow adds values to an attribute.
func (a *Admin) Grow(dn, name string, values ...string) {
	a.t.Helper()
	req := ldap.NewModifyRequest(dn, nil)
	req.Add(name, values)
	a.modify(req)
}

// Shrink removes values from an attribute.
func (a *Admin) Shrink(dn, name string, values ...string) {
	a.t.Helper()
	req := ldap.NewModifyRequest(dn, nil)
	req.Delete(name, values)
	a.modify(req)
}

func (a *Admin) modify(req *ldap.ModifyRequest) {
	a.t.Helper()
	if err := a.Modify(req); err != nil {
		a.t.Fatalf("modify %s: %v", req.DN, err)
	}
}

// Move renames an entry, and moves it below another one unless parent is empty.
func (a *Admin) Move(dn, rdn, parent string) {
	a.t.Helper()
	if err := a.ModifyDN(ldap.NewModifyDNRequest(dn, rdn, true, parent)); err != nil {
		a.t.Fatalf("move %s: %v", dn, err)
	}
}

// Delete removes an entry.
func (a *Admin) Delete(dn string) {
	a.t.Helper()
	if err := a.Del(ldap.NewDelRequest(dn, nil)); err != nil {
		a.t.Fatalf("delete %s: %v", dn, err)
	}
}

// Reader makes an Active Directory account without any rights beyond those of everybody, and returns the name to
// bind as and a file with its password.
func (d *Directory) Reader(t testing.TB, a *Admin, ou string) (bindDN, passwordFile string) {
	t.Helper()
	const password = "Pr0vost-Reader"
	name := "reader" + ou[4:10]
	utf16 := ""
	for _, r := range "\"" + password + "\"" {
		utf16 += string(r) + "\x00"
	}
	a.Add("CN="+name+","+ou, "objectClass", "user", "sAMAccountName", name, "unicodePwd", utf16, "userAccountControl", "512")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	return name + "@" + Realm, file
}

// process is a program that lives no longer than the test process.
type process struct {
	lifeline *os.File // closing it, or the end of this process, stops the program
	done     chan struct{}
	log      string // the file with what it said
}

// watchdog runs a program until standard input ends, then stops it and removes its folder.
const watchdog = `"$@" </dev/null & pid=$!
cat >/dev/null
kill -TERM $pid 2>/dev/null
wait $pid
rm -rf "$PROVOST_TEST_DIRECTORY"`

func startProcess(dir, name string, args ...string) (*process, error) {
	logFile := filepath.Join(dir, "output")
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	in, lifeline, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	cmd := exec.Command("/bin/sh", append([]string{"-c", watchdog, "watchdog", name}, args...)...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, in, log, log
	cmd.Env = append(os.Environ(), "PROVOST_TEST_DIRECTORY="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		lifeline.Close()
		return nil, err
	}
	p := &process{lifeline: lifeline, done: make(chan struct{}), log: logFile}
	go func() { cmd.Wait(); close(p.done) }()
	return p, nil
}

// stop ends the program and waits until its folder is gone.
func (p *process) stop() {
	p.lifeline.Close()
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
	}
}

// await returns when the address accepts connections.
func (p *process) await(address string) error {
	for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			c.Close()
			return nil
		}
	}
	out, _ := os.ReadFile(p.log)
	return fmt.Errorf("nothing listens on %s after %v; it said:\n%s", address, startTimeout, out)
}

// program finds an installed program, also where only root looks for it.
func program(name, packages string) (string, error) {
	for _, dir := range append([]string{"/usr/sbin", "/usr/local/sbin", "/usr/lib/openldap", "/usr/libexec"}, filepath.SplitList(os.Getenv("PATH"))...) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", errors.New("no " + name + " found: as root, apt-get install --no-install-recommends " + packages)
}

func freePort(host string) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Output returns what the server said.
func (d *Directory) Output() string {
	out, _ := os.ReadFile(d.process.log)
	return strings.TrimSpace(string(out))
}

// SearchGUID returns the DN that Active Directory itself finds for a GUID.
func (a *Admin) SearchGUID(guid string) (string, error) {
	res, err := a.Search(&ldap.SearchRequest{BaseDN: "<GUID=" + guid + ">", Scope: ldap.ScopeBaseObject, Filter: "(objectClass=*)", Attributes: []string{"1.1"}})
	if err != nil || len(res.Entries) != 1 {
		return "", err
	}
	return res.Entries[0].DN, nil
}
