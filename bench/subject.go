package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/provost-scim/provost/bench/rig"
)

// env is what all measurements of one run share.
type env struct {
	bin     string
	dir     string       // scratch folder
	cluster *rig.Cluster // nil unless PostgreSQL is measured
	null    *null
	log     *os.File // of the servers
}

// subject is a running Provost on one store.
type subject struct {
	e      *env
	server *rig.Server
	store  string // "sqlite" or "postgres"
	where  string // folder or URL
	name   string // of the folder or database
}

// newSubject makes an empty store and starts Provost on it.
func (e *env) newSubject(ctx context.Context, store, name string) (*subject, error) {
	s := &subject{e: e, store: store, name: name, where: filepath.Join(e.dir, name)}
	if store == "postgres" {
		var err error
		if s.where, err = e.cluster.Create(ctx, name); err != nil {
			return nil, err
		}
	}
	return s, s.start(ctx)
}

func (s *subject) start(ctx context.Context) error {
	var err error
	s.server, err = rig.Start(ctx, rig.Setup{Bin: s.e.bin, Where: s.where, Log: s.e.log, Args: []string{"--log-level", "warn"}})
	return err
}

// warm reads the files of the store once, so that they are in the memory of the machine, as those of a server
// that has run for a while are. Without that the disk is measured, and what else the machine does.
func (s *subject) warm() error {
	dir := s.where
	if s.store == "postgres" {
		dir = s.e.cluster.Dir
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // PostgreSQL makes and removes files meanwhile
		}
		f, err := os.Open(path)
		if err != nil {
			return nil
		}
		defer f.Close()
		_, err = io.Copy(io.Discard, f)
		return err
	})
}

func (s *subject) stop() error { return s.server.Stop(15 * time.Second) }

// copyStore stops Provost, copies its store and starts it again.
func (s *subject) copyStore(ctx context.Context, name string) (where string, err error) {
	if err := s.stop(); err != nil {
		return "", err
	}
	if s.store == "postgres" {
		where, err = s.e.cluster.Copy(ctx, s.name, name)
	} else {
		where = filepath.Join(s.e.dir, name)
		err = os.CopyFS(where, os.DirFS(s.where))
	}
	if err != nil {
		return "", err
	}
	return where, s.start(ctx)
}

// bare opens the bare driver on a store.
func (s *subject) bare(ctx context.Context, where string) (bare, error) {
	if s.store == "postgres" {
		return openBarePostgres(ctx, where)
	}
	return openBareSQLite(where)
}

// tenant is a tenant with a client that has no limits, and a connection for each worker.
type tenant struct {
	s     *subject
	name  string
	base  string // path of its SCIM base
	token string
	conns [workers]*rig.Conn
}

func (s *subject) newTenant(ctx context.Context, name string) (*tenant, error) {
	if _, err := rig.CLI(ctx, s.e.bin, s.where, "tenant", "create", name); err != nil {
		return nil, err
	}
	out, err := rig.CLI(ctx, s.e.bin, s.where, "client", "create", "bench", "--tenant", name, "--rate", "0", "--concurrent", "0")
	if err != nil {
		return nil, err
	}
	t := &tenant{s: s, name: name, base: "/t/" + name + "/scim/v2", token: strings.TrimSpace(out)}
	t.connect()
	return t, nil
}

// connect opens new connections, as is needed after a restart.
func (t *tenant) connect() {
	for i := range t.conns {
		if t.conns[i] != nil {
			t.conns[i].Close()
		}
		t.conns[i] = rig.NewConn(t.s.server.Addr, t.token)
	}
}

// call sends one request and insists on its status.
func (t *tenant) call(worker int, want int, method, path string, body []byte) (rig.Answer, error) {
	a, err := t.conns[worker].Do(method, t.base+path, body)
	if err == nil && a.Status != want {
		err = wrong("%s %s: status %d in place of %d: %.300s", method, path, a.Status, want, a.Body)
	}
	return a, err
}

// idOf reads the id of a resource from its JSON, where it is the first of that name.
func idOf(body []byte) (string, error) {
	const mark = `"id":"`
	i := bytes.Index(body, []byte(mark))
	if i < 0 || len(body) < i+len(mark)+36 {
		return "", wrong("no id in %.200s", body)
	}
	return string(body[i+len(mark):][:36]), nil
}

// create makes user k and returns its id.
func (t *tenant) create(worker, k int) (string, error) {
	a, err := t.call(worker, http.StatusCreated, "POST", "/Users", userBody(k, firstTitle))
	if err != nil {
		return "", err
	}
	return idOf(a.Body)
}

// fill makes users from..to-1 through the API and returns their ids.
func (t *tenant) fill(ctx context.Context, from, to int) ([]string, error) {
	ids := make([]string, to-from)
	var next atomic.Int64
	_, err := slice(ctx, time.Hour, to-from, func(w int) error {
		i := int(next.Add(1)) - 1
		id, err := t.create(w, from+i)
		ids[i] = id
		return err
	})
	return ids, err
}

// total asks for the number of users.
func (t *tenant) total() (int, error) {
	a, err := t.call(0, http.StatusOK, "GET", "/Users?count=0", nil)
	if err != nil {
		return 0, err
	}
	var list struct{ TotalResults int }
	err = json.Unmarshal(a.Body, &list)
	return list.TotalResults, err
}

// key reads the tenant's key in the store.
func (t *tenant) key(ctx context.Context, b bare) (int64, error) {
	_, rows, err := b.all(ctx, stmt{"select id from tenant where name = $1", []any{t.name}})
	if err != nil || len(rows) != 1 {
		return 0, fmt.Errorf("tenant %s: %d rows, %w", t.name, len(rows), err)
	}
	return rows[0][0].(int64), nil
}

// changes counts the change log of a tenant.
func changes(ctx context.Context, b bare, key int64) (int, error) {
	_, rows, err := b.all(ctx, stmt{"select count(*) from change where tenant = $1", []any{key}})
	if err != nil {
		return 0, err
	}
	return int(rows[0][0].(int64)), nil
}

// cpu is what the server and its database have used so far.
func (s *subject) cpu() (server, database time.Duration) {
	if s.e.cluster != nil {
		database = s.e.cluster.CPU(s.name)
	}
	return rig.CPU(s.server.PID()), database
}

// timed is slice with the processor time of the subject.
func (s *subject) timed(ctx context.Context, d time.Duration, most int, op func(worker int) error) (sample, error) {
	server, database := s.cpu()
	got, err := slice(ctx, d, most, op)
	server2, database2 := s.cpu()
	got.CPU, got.DBCPU = server2-server, database2-database
	return got, err
}

func filterPath(filter string) string { return "/Users?filter=" + url.QueryEscape(filter) }
