package ldaptest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

const sambaPackages = "samba samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind krb5-user python3-samba ldb-tools attr acl"

// The domain of every domain controller of this package.
const (
	Realm         = "CORP.EXAMPLE.TEST"
	DomainDN      = "DC=corp,DC=example,DC=test"
	sambaPassword = "Pr0vost-Administrator"
	// sambaCache names the provisioned domain in the cache; another name makes it anew.
	sambaCache = "samba-domain-1.tar.gz"
)

var theSamba = sync.OnceValues(func() (*Directory, error) { return newSamba() })

// Samba returns the domain controller that all tests of the process share. It is started at the first call and
// stops with the process. Tests keep to an OU of their own, see OU.
func Samba(t testing.TB) *Directory {
	t.Helper()
	d, err := theSamba()
	if err != nil {
		t.Fatalf("Samba domain controller for tests: %v", err)
	}
	return d
}

// OwnSamba starts a domain controller for one test.
func OwnSamba(t testing.TB) *Directory {
	t.Helper()
	d, err := newSamba()
	if err != nil {
		t.Fatalf("Samba domain controller for tests: %v", err)
	}
	t.Cleanup(d.process.stop)
	return d
}

// OU makes an organizational unit with a fresh name in the domain, with OU=People and OU=Groups below it, and
// returns its DN.
func OU(t testing.TB, a *Admin) string {
	t.Helper()
	dn := "OU=T" + rand.Text()[:10] + "," + DomainDN
	a.Add(dn, "objectClass", "organizationalUnit")
	a.Add("OU=People,"+dn, "objectClass", "organizationalUnit")
	a.Add("OU=Groups,"+dn, "objectClass", "organizationalUnit")
	return dn
}

func newSamba() (*Directory, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("the domain controller listens on port 389 and owns its files: run the tests as root")
	}
	samba, err := program("samba", sambaPackages)
	if err != nil {
		return nil, err
	}
	archive, err := provisioned()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "provost-samba-")
	if err != nil {
		return nil, err
	}
	if out, err := exec.Command("tar", "-xzf", archive, "-C", dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("unpack %s: %w\n%s", archive, err, out)
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	return serveSamba(samba, dir, address)
}

func serveSamba(samba, dir, address string) (*Directory, error) {
	cert, key, err := certify(dir, address)
	if err != nil {
		return nil, err
	}
	d := &Directory{URL: "ldap://" + address, TLSURL: "ldaps://" + address, Base: DomainDN, BindDN: "Administrator@" + Realm, Password: sambaPassword,
		PasswordFile: filepath.Join(dir, "password"), CAFile: cert, dir: dir}
	conf := filepath.Join(dir, "smb.conf")
	if err := os.WriteFile(conf, []byte(sambaConf(dir, address, cert, key)), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(d.PasswordFile, []byte(sambaPassword+"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "run"), 0o755); err != nil {
		return nil, err
	}
	if d.process, err = startProcess(dir, samba, "-F", "--no-process-group", "-M", "single", "-s", conf); err != nil {
		return nil, err
	}
	if err := d.process.await(net.JoinHostPort(address, "389")); err != nil {
		d.process.stop()
		return nil, err
	}
	return d, nil
}

func sambaConf(dir, address, cert, key string) string {
	return `[global]
	netbios name = DC1
	realm = ` + Realm + `
	workgroup = CORP
	server role = active directory domain controller
	server services = ldap, cldap
	interfaces = ` + address + `/8
	bind interfaces only = yes
	ldap server require strong auth = no
	tls enabled = yes
	tls certfile = ` + cert + `
	tls keyfile = ` + key + `
	tls cafile = ` + cert + `
	private dir = ` + dir + `/dc/private
	state directory = ` + dir + `/dc/state
	cache directory = ` + dir + `/dc/cache
	lock directory = ` + dir + `/dc
	binddns dir = ` + dir + `/dc/bind-dns
	pid directory = ` + dir + `/run
	ncalrpc dir = ` + dir + `/run/ncalrpc
	winbindd socket directory = ` + dir + `/run/winbindd
	ntp signd socket directory = ` + dir + `/run/ntp
	log file = ` + dir + `/log.%m
	idmap_ldb:use rfc2307 = yes
`
}

// freeAddress picks a loopback address on which nobody serves LDAP.
func freeAddress() (string, error) {
	var last error
	for range 50 {
		var b [2]byte
		rand.Read(b[:])
		address := fmt.Sprintf("127.77.%d.%d", b[0], 1+b[1]%250)
		l, err := net.Listen("tcp", net.JoinHostPort(address, "389"))
		if err == nil {
			return address, l.Close()
		}
		last = err
	}
	return "", fmt.Errorf("no loopback address with a free port 389: %w", last)
}

// provisioned returns the archive of a freshly provisioned domain. Making one takes half a minute, so it is kept in
// the user's cache folder; test processes that need it at once wait for each other.
func provisioned() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil { // no home folder
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "provost-test")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(cache, sambaCache+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	archive := filepath.Join(cache, sambaCache)
	if _, err := os.Stat(archive); err == nil {
		return archive, nil
	}
	return archive, provision(archive)
}

func provision(archive string) error {
	tool, err := program("samba-tool", sambaPackages)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "provost-provision-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(tool, "domain", "provision", "--realm="+Realm, "--domain=CORP", "--server-role=dc", "--dns-backend=NONE",
		"--adminpass="+sambaPassword, "--host-name=dc1", "--host-ip=127.0.0.10", "--targetdir="+filepath.Join(dir, "dc"), "--use-rfc2307",
		"--option=interfaces=127.0.0.10/8", "--option=bind interfaces only=yes")
	// The tool needs the distribution's own python3, whatever else comes first in PATH.
	cmd.Env = append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("samba-tool domain provision (packages %s): %w\n%s", sambaPackages, err, out)
	}
	if out, err := exec.Command("tar", "-czf", archive+".new", "-C", dir, "--exclude=*/sysvol", "dc").CombinedOutput(); err != nil {
		return fmt.Errorf("pack the domain: %w\n%s", err, out)
	}
	return os.Rename(archive+".new", archive)
}
