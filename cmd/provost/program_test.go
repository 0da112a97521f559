package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the provost program as a process of its own: this test binary under that name (see TestMain), so
// that the race detector is in it when it is in the tests.
type program struct {
	t     *testing.T
	path  string
	store string // PROVOST_DATA=… or PROVOST_DATABASE=…
}

func newProgram(t *testing.T, store string) *program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "provost")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return &program{t, path, store}
}

// run runs a command on the store and returns what it printed; it must end well.
func (p *program) run(args ...string) string {
	p.t.Helper()
	out, err := p.try(args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// try runs a command on the store.
func (p *program) try(args ...string) (string, error) {
	var out, problems bytes.Buffer
	c := exec.Command(p.path, args...)
	c.Env = append(os.Environ(), p.store)
	c.Stdout, c.Stderr = &out, &problems
	if err := c.Run(); err != nil {
		return out.String(), fmt.Errorf("provost %s: %w\n%s", strings.Join(args, " "), err, problems.String())
	}
	return out.String(), nil
}

// background is a command that runs until it is stopped.
type background struct {
	t   *testing.T
	cmd *exec.Cmd
	mu  sync.Mutex
	out bytes.Buffer
}

// start starts a command that ends only when it is stopped.
func (p *program) start(args ...string) *background {
	p.t.Helper()
	b := &background{t: p.t, cmd: exec.Command(p.path, args...)}
	b.cmd.Env = append(os.Environ(), p.store)
	b.cmd.Stdout, b.cmd.Stderr = b, b
	if err := b.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = b.cmd.Process.Kill() }) // it has usually ended by then
	return b
}

// Write implements io.Writer for the output of the command.
func (b *background) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(text)
}

func (b *background) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}

// stop interrupts the command, which must end well.
func (b *background) stop() {
	b.t.Helper()
	if err := b.cmd.Process.Signal(os.Interrupt); err != nil {
		b.t.Fatal(err)
	}
	if err := b.cmd.Wait(); err != nil {
		b.t.Errorf("%v: %v\n%s", b.cmd.Args, err, b)
	}
}

// service is a running provost serve.
type service struct {
	t            *testing.T
	cmd          *exec.Cmd
	url, opsURL  string
	mu           sync.Mutex
	log          bytes.Buffer
	drained      chan struct{}
	client       *http.Client
	base, bearer string
}

// serve starts the server on free ports and waits until it says where it listens.
func (p *program) serve(args ...string) *service {
	p.t.Helper()
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--log-format", "json", "--log-level", "debug"}, args...)
	s := &service{t: p.t, cmd: exec.Command(p.path, args...), drained: make(chan struct{}), client: &http.Client{Timeout: 20 * time.Second}}
	s.cmd.Env = append(os.Environ(), p.store)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // it has usually ended by then
	ready := make(chan struct{})
	go s.read(stderr, ready)
	select {
	case <-ready:
	case <-s.drained:
		p.t.Fatalf("the server ended:\n%s", s.logged())
	case <-time.After(30 * time.Second):
		p.t.Fatalf("the server did not start:\n%s", s.logged())
	}
	return s
}

// read keeps the log and finds the addresses in it.
func (s *service) read(stderr io.Reader, ready chan<- struct{}) {
	defer close(s.drained)
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		s.mu.Lock()
		s.log.Write(append(lines.Bytes(), '\n'))
		s.mu.Unlock()
		var entry struct{ Msg, URL, Operations string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "provost serves" {
			s.url, s.opsURL = entry.URL, entry.Operations
			close(ready)
		}
	}
}

func (s *service) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// stop sends SIGTERM and expects a good end within the promised time.
func (s *service) stop() {
	s.t.Helper()
	start := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	<-s.drained
	if err := s.cmd.Wait(); err != nil {
		s.t.Fatalf("serve ended with %v:\n%s", err, s.logged())
	}
	if took := time.Since(start); took > stopTimeout {
		s.t.Errorf("serve took %s to stop, promised are %s", took, stopTimeout)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
}

// member returns a member of the answered object.
func (a answer) member(name string) any {
	var o map[string]any
	if json.Unmarshal([]byte(a.text), &o) != nil {
		return nil
	}
	return o[name]
}

// send makes a SCIM request with the bearer token and expects a status.
func (s *service) send(want int, method, path, body string) answer {
	s.t.Helper()
	a := s.request(method, s.base+path, s.bearer, "application/scim+json", body)
	if a.status != want {
		s.t.Fatalf("%s %s answers %d, want %d:\n%s", method, path, a.status, want, a.text)
	}
	return a
}

func (s *service) request(method, url, bearer, contentType, body string) answer {
	s.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, url, in)
	if err != nil {
		s.t.Fatal(err)
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	if body != "" {
		r.Header.Set("Content-Type", contentType)
	}
	got, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, string(text)}
}

// within repeats a check until it holds.
func within(t *testing.T, limit time.Duration, what string, check func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !check(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}
