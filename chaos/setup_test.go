//go:build chaos

package chaos

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/provost-scim/provost/bench/rig"
)

// binary is the provost under test, built once (PROVOST_BIN names another).
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "provost-chaos-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		binary, err = rig.Build(context.Background(), dir, "")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// number reads a number from the environment.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// seed decides what the writers do and when they are hit; CHAOS_SEED repeats a run as far as timing lets it.
func seed(t *testing.T) uint64 {
	n := number("CHAOS_SEED", int(time.Now().UnixNano()%1e9))
	t.Logf("CHAOS_SEED=%d", n)
	return uint64(n)
}

// site is a store and the servers on it.
type site struct {
	t       *testing.T
	where   string
	cluster *rig.Cluster // nil for SQLite
	log     *logFile
}

// logFile keeps the end of what the servers say, for the report of a failure.
type logFile struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const mostLog = 64 << 10

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Write(p)
	if extra := l.buf.Len() - mostLog; extra > 0 {
		l.buf.Next(extra)
	}
	return len(p), nil
}

func (l *logFile) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// newSite makes an empty store of the kind in dir.
func newSite(t *testing.T, store, dir string, settings ...string) *site {
	t.Helper()
	s := &site{t: t, where: filepath.Join(dir, "data"), log: &logFile{}}
	if store == "postgres" {
		c, err := rig.NewCluster(t.Context(), dir, settings...)
		if err != nil {
			t.Fatal(err)
		}
		s.cluster = c
		t.Cleanup(func() {
			if err := c.Remove(); err != nil {
				t.Error(err)
			}
		})
		if s.where, err = c.Create(t.Context(), "provost"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the servers said at the end:\n%s", s.log)
		}
	})
	return s
}

// tempDir is a scratch folder that the user postgres can pass through.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(binary), "site-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// start starts a server on the store; the test ends it.
func (s *site) start() *rig.Server {
	s.t.Helper()
	server, err := rig.Start(s.t.Context(), rig.Setup{Bin: binary, Where: s.where, Log: s.log})
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.log)
	}
	s.t.Cleanup(server.Kill)
	return server
}

// cli runs a command on the store and returns its output without the line end.
func (s *site) cli(args ...string) string {
	s.t.Helper()
	out, err := rig.CLI(context.Background(), binary, s.where, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// world makes a tenant and a load on it.
func (s *site) world(seed uint64) *world {
	s.t.Helper()
	s.cli("tenant", "create", "chaos")
	return newWorld("chaos", s.cli("client", "create", "writer", "--tenant", "chaos", "--rate", "0", "--concurrent", "0"), seed)
}

// check compares everything that is stored with what the writers know. It returns how many open requests had
// been done, and the number of entries in the change log.
func (s *site) check(w *world, server *rig.Server) (done, entries int) {
	s.t.Helper()
	stored, ids := w.look(s.t, server.Addr)
	done = w.resolve(s.t, stored, ids)
	db := openSQL(s.t, s.where)
	defer db.Close()
	entries = checkLog(s.t, db)
	checkRows(s.t, db)
	return done, entries
}

// after returns a channel that closes after d.
func after(d time.Duration) <-chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(d, func() { close(c) })
	return c
}

// mount makes a small file system of its own for the test.
func mount(t *testing.T, size string) string {
	t.Helper()
	dir := tempDir(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=755"); err != nil {
		t.Fatalf("mount a tmpfs of %s (this test needs root): %v", size, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// each runs a test on both stores.
func each(t *testing.T, test func(t *testing.T, store string)) {
	for _, store := range []string{"sqlite", "postgres"} {
		t.Run(store, func(t *testing.T) { test(t, store) })
	}
}
