package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// StartLimit is how long Start waits for a server to become ready.
const StartLimit = 30 * time.Second

// Server is a running provost serve.
type Server struct {
	Addr string // host:port of SCIM
	Ops  string // host:port of the operations listener
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // of Wait, once done is closed
}

// Setup says how to start a server.
type Setup struct {
	Bin   string    // the provost binary
	Where string    // data folder or postgres URL
	Log   io.Writer // receives standard output and error; nil discards them
	Env   []string  // beyond the environment of this process, "NAME=value"
	Args  []string  // further flags of serve
}

// Start runs a server on two free loopback ports and returns when it says that it is ready. The server dies with
// this process.
func Start(ctx context.Context, s Setup) (*Server, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	r := &Server{Addr: fmt.Sprintf("127.0.0.1:%d", ports[0]), Ops: fmt.Sprintf("127.0.0.1:%d", ports[1]), done: make(chan struct{})}
	args := append([]string{"serve", "--listen", r.Addr, "--ops-listen", r.Ops}, storeFlag(s.Where)...)
	if strings.HasPrefix(s.Where, "postgres://") {
		args = append(args, "--migrate")
	}
	r.cmd = exec.Command(s.Bin, append(args, s.Args...)...)
	r.cmd.Env = append(os.Environ(), s.Env...)
	r.cmd.Stdout, r.cmd.Stderr = s.Log, s.Log
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start provost: %w", err)
	}
	go func() {
		r.err = r.cmd.Wait()
		close(r.done)
	}()
	if err := r.waitReady(ctx, StartLimit); err != nil {
		r.Kill()
		return nil, err
	}
	return r, nil
}

// waitReady polls /healthz/ready until it answers 200.
func (r *Server) waitReady(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		if r.Ready(ctx) {
			return nil
		}
		select {
		case <-r.done:
			return fmt.Errorf("provost ended before it was ready: %v", r.err)
		case <-ctx.Done():
			return fmt.Errorf("provost was not ready within %s", limit)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Ready reports whether /healthz/ready answers 200 right now.
func (r *Server) Ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.Ops+"/healthz/ready", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// PID is the process id.
func (r *Server) PID() int { return r.cmd.Process.Pid }

// Alive reports whether the process has not ended.
func (r *Server) Alive() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// Kill ends the process as kill -9 does and waits for its end.
func (r *Server) Kill() {
	_ = r.cmd.Process.Kill() // it may have ended by itself
	<-r.done
}

// Stop sends SIGTERM and waits for the end: an error if the process needs longer than limit (it is killed then)
// or does not end with exit code 0.
func (r *Server) Stop(limit time.Duration) error {
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-r.done:
	case <-time.After(limit):
		r.Kill()
		return fmt.Errorf("provost did not stop within %s of SIGTERM", limit)
	}
	if r.err != nil {
		return fmt.Errorf("provost after SIGTERM: %w", r.err)
	}
	return nil
}
