package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cluster is a private PostgreSQL server on a free loopback port, durable (fsync and synchronous_commit on).
// Run by root it belongs to the user postgres, because the server refuses to run as root.
type Cluster struct {
	Dir  string // data folder
	Port int
	bin  string
	cred *syscall.Credential
	conf []string
}

// NewCluster makes and starts a cluster in dir/pg, which it creates. Settings are lines of postgresql.conf.
func NewCluster(ctx context.Context, dir string, settings ...string) (*Cluster, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Dir: filepath.Join(dir, "pg"), Port: ports[0], bin: bin, conf: settings}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		if err := c.giveAway(dir); err != nil {
			return nil, err
		}
	}
	if err := c.run(ctx, "initdb", "-D", c.Dir, "-U", "provost", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--wal-segsize=4"); err != nil {
		return nil, err
	}
	if err := c.configure(); err != nil {
		return nil, err
	}
	return c, c.Start(ctx)
}

// postgresBin finds the newest server binaries of Debian's layout, or those on the path.
func postgresBin() (string, error) {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well-formed
	sort.Slice(dirs, func(i, j int) bool { return release(dirs[i]) > release(dirs[j]) })
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no PostgreSQL server found: install Debian's package postgresql (15 or later)")
}

func release(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin))) // 0 sorts last
	return n
}

// giveAway makes the folder the property of the user postgres and lets it pass through the folders above.
func (c *Cluster) giveAway(dir string) error {
	u, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("PostgreSQL refuses to run as root, and there is no user postgres: %w", err)
	}
	uid, _ := strconv.Atoi(u.Uid) // numeric on every system that has PostgreSQL packages
	gid, _ := strconv.Atoi(u.Gid)
	c.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	return os.Chown(c.Dir, uid, gid)
}

func (c *Cluster) configure() error {
	conf := append([]string{
		"listen_addresses = '127.0.0.1'", "unix_socket_directories = ''", "fsync = on", "synchronous_commit = on",
		"shared_buffers = 128MB", "max_connections = 60", "logging_collector = off",
	}, c.conf...)
	f, err := os.OpenFile(filepath.Join(c.Dir, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f, "\nport = %d\n%s\n", c.Port, strings.Join(conf, "\n")); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// Start starts the cluster if it is not running and waits until it accepts connections.
func (c *Cluster) Start(ctx context.Context) error {
	return c.run(ctx, "pg_ctl", "-D", c.Dir, "-l", filepath.Join(c.Dir, "server.log"), "-w", "-t", "60", "start")
}

// Stop stops the cluster: mode "fast" disconnects everybody and writes a checkpoint, "immediate" is a crash.
func (c *Cluster) Stop(ctx context.Context, mode string) error {
	return c.run(ctx, "pg_ctl", "-D", c.Dir, "-m", mode, "-w", "stop")
}

// Running reports whether the postmaster lives.
func (c *Cluster) Running(ctx context.Context) bool {
	return c.run(ctx, "pg_ctl", "-D", c.Dir, "status") == nil
}

func (c *Cluster) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, program), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.cred}
	cmd.Dir = c.Dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	said, err := os.CreateTemp("", "rig-"+program) // a file, not a pipe: the postmaster would hold a pipe open
	if err != nil {
		return err
	}
	defer os.Remove(said.Name())
	defer said.Close()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Run(); err != nil {
		out, _ := os.ReadFile(said.Name()) // the error below is worth more than this one
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// URL is the address of a database of the cluster.
func (c *Cluster) URL(database string) string {
	return fmt.Sprintf("postgres://provost@127.0.0.1:%d/%s?sslmode=disable", c.Port, database)
}

// Create makes an empty database and returns its URL.
func (c *Cluster) Create(ctx context.Context, database string) (string, error) {
	return c.Copy(ctx, "template1", database)
}

// Copy makes a database with the content of another, to which nobody is connected, and returns its URL.
func (c *Cluster) Copy(ctx context.Context, from, database string) (string, error) {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "create database "+pgx.Identifier{database}.Sanitize()+" template "+pgx.Identifier{from}.Sanitize()); err != nil {
		return "", err
	}
	return c.URL(database), nil
}

// CPU is the processor time that the living backends of a database have used. Read it twice and subtract: pools
// keep their backends, so none is lost in between.
func (c *Cluster) CPU(database string) time.Duration {
	var sum time.Duration
	for pid, line := range children(c.postmaster()) {
		if strings.HasPrefix(line, "postgres: ") && strings.Contains(line, " "+database+" ") {
			sum += CPU(pid)
		}
	}
	return sum
}

// postmaster is the process id of the server, 0 if it is not running.
func (c *Cluster) postmaster() int {
	text, err := os.ReadFile(filepath.Join(c.Dir, "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(first) // 0 as promised
	return pid
}

// Remove crashes the cluster and deletes its folder.
func (c *Cluster) Remove() error {
	if pid := c.postmaster(); pid != 0 {
		_ = c.Stop(context.Background(), "immediate") // it may have died already; the folder goes either way
	}
	return os.RemoveAll(c.Dir)
}
