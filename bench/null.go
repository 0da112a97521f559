package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/provost-scim/provost/bench/rig"
)

// canned is the answer that the null server gives to everything.
type canned struct {
	status int
	header http.Header
	body   []byte
}

// cannedPath takes the next canned answer: status in X-Status, body as it is, the headers of the answer in
// X-Canned-<name>.
const cannedPath = "/.canned"

// nullServer is the subcommand "null": a net/http server that reads each request whole and answers the same
// bytes without work. It prints its address and runs until it is killed.
func nullServer() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var answer atomic.Pointer[canned]
	answer.Store(&canned{status: http.StatusOK})
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && r.URL.Path == cannedPath {
			c, err := readCanned(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			answer.Store(c)
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the connection is gone
		}
		c := answer.Load()
		for name, values := range c.header {
			w.Header()[name] = values
		}
		w.WriteHeader(c.status)
		_, _ = w.Write(c.body) // a lost client has its own error
	})}
	fmt.Println(l.Addr())
	return s.Serve(l)
}

func readCanned(r *http.Request) (*canned, error) {
	status, err := strconv.Atoi(r.Header.Get("X-Status"))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c := &canned{status: status, header: http.Header{}, body: body}
	for name, values := range r.Header {
		if n, ok := strings.CutPrefix(name, "X-Canned-"); ok {
			c.header[n] = values
		}
	}
	if status != http.StatusNoContent {
		c.header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	return c, nil
}

// null is the running null server.
type null struct {
	addr string
	cmd  *exec.Cmd
}

func startNull() (*null, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "null")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var addr string
	if _, err := fmt.Fscanln(out, &addr); err != nil {
		return nil, errors.Join(err, cmd.Process.Kill())
	}
	return &null{addr: addr, cmd: cmd}, nil
}

func (n *null) stop() {
	_ = n.cmd.Process.Kill() // it ends in no other way
	_ = n.cmd.Wait()
}

// answerHeaders are the headers of an answer that the null server repeats.
var answerHeaders = []string{"Content-Type", "Location", "Etag", "X-Request-Id", "Cache-Control", "X-Content-Type-Options", "Vary"}

// can makes the null server answer what a was.
func (n *null) can(a rig.Answer) error {
	req, err := http.NewRequest(http.MethodPut, "http://"+n.addr+cannedPath, strings.NewReader(string(a.Body)))
	if err != nil {
		return err
	}
	req.Header.Set("X-Status", strconv.Itoa(a.Status))
	for _, name := range answerHeaders {
		if v := a.Header(name); v != "" {
			req.Header.Set("X-Canned-"+name, v)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("null server: %s", resp.Status)
	}
	return nil
}
