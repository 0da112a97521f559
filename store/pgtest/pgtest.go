// Package pgtest gives tests a PostgreSQL of their own: a private cluster for the test process, made with the
// programs of the installed PostgreSQL, and a fresh database for each test. The cluster listens on a free port
// of the loopback address, keeps its files in a temporary folder, and is stopped and removed when the test
// process ends, however it ends.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const superuser = "provost"

// startTimeout is how long a cluster may take to answer.
const startTimeout = 60 * time.Second

var start = sync.OnceValues(newCluster)

var databases atomic.Int64

// URL returns the URL of a new, empty database, which is dropped when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	c, err := start()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	name := "test_" + strconv.FormatInt(databases.Add(1), 10)
	if err := c.exec("create database " + name); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		if err := c.exec("drop database " + name + " with (force)"); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return c.url(name)
}

// cluster is a running PostgreSQL.
type cluster struct {
	port     int
	password string
	lifeline *os.File // the watchdog stops the server when this is closed, by us or by the end of the process
}

func (c *cluster) url(database string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?sslmode=disable", superuser, c.password, c.port, database)
}

func (c *cluster) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

func newCluster() (*cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "provost-pg-")
	if err != nil {
		return nil, err
	}
	c := &cluster{password: rand.Text()}
	if err := c.begin(bin, dir, who); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

func (c *cluster) begin(bin, dir string, who *syscall.Credential) error {
	data, secret := filepath.Join(dir, "data"), filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(c.password), 0o600); err != nil {
		return err
	}
	if who != nil {
		for _, path := range []string{dir, secret} {
			if err := os.Chown(path, int(who.Uid), int(who.Gid)); err != nil {
				return err
			}
		}
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata", data, "--username", superuser, "--pwfile", secret,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	for range 5 { // somebody else may take the port first
		if err := c.serve(bin, dir, data, who); err == nil {
			return nil
		} else if c.port == 0 {
			return err
		}
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log"))
	return fmt.Errorf("postgres does not start:\n%s", log)
}

// watchdog runs the server until its standard input ends, then stops it and removes its folder.
const watchdog = `"$@" & pid=$!
cat >/dev/null
kill -QUIT $pid 2>/dev/null
wait $pid
rm -rf "$PROVOST_TEST_CLUSTER"`

func (c *cluster) serve(bin, dir, data string, who *syscall.Credential) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c.port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	in, lifeline, err := os.Pipe()
	if err != nil {
		return err
	}
	defer in.Close()
	args := []string{"-c", watchdog, "watchdog", filepath.Join(bin, "postgres"), "-D", data}
	for _, s := range []string{"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(c.port), "unix_socket_directories=" + dir,
		"max_connections=200", "shared_buffers=64MB", "fsync=on", "synchronous_commit=on", "max_wal_size=512MB", "log_min_messages=fatal"} {
		args = append(args, "-c", s)
	}
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, in, log, log
	cmd.Env = append(os.Environ(), "PROVOST_TEST_CLUSTER="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setpgid: true}
	if err := cmd.Start(); err != nil {
		lifeline.Close()
		return err
	}
	c.lifeline = lifeline
	if err := c.await(); err != nil {
		lifeline.Close()
		return err
	}
	return nil
}

func (c *cluster) await() error {
	var err error
	for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if err = c.exec("select 1"); err == nil {
			return nil
		}
	}
	return err
}

// binaries finds the folder of the newest installed PostgreSQL.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	more, _ := filepath.Glob("/usr/pgsql-*/bin/initdb")
	found = append(found, more...)
	if len(found) > 0 {
		slices.SortFunc(found, func(a, b string) int { return number(a) - number(b) })
		return filepath.Dir(found[len(found)-1]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no initdb in /usr/lib/postgresql/*/bin or PATH: install PostgreSQL 15 or later (Debian: apt-get install postgresql)")
}

func number(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(digits[0])
	return n
}

// unprivileged is the account for the server, which refuses to run as root; nil is the present one.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root and there is no account \"postgres\" or \"nobody\"")
}
