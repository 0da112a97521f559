package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/provost-scim/provost/bench/rig"
)

// share measures Provost against the ceiling of its stack. For each phase three kinds of work alternate in short
// slices: the null server (rate H), the bare driver (rate D), Provost. S = 1/(1/H + 1/D) is the ceiling, the
// share is Provost's rate over S.
type share struct {
	opts   options
	e      *env
	t      *tenant
	key    int64 // of the tenant
	copy   bare  // the bare driver on the copy
	own    bare  // the bare driver on the measured store, to look only
	nulls  [workers]*rig.Conn
	ids    []string // of users 0..n-1
	serial atomic.Int64
	acked  atomic.Int64 // writes that Provost acknowledged in this phase
	last   []atomic.Int64
	before struct{ total, changes int } // when the phase began
}

// phase is one kind of request.
type phase struct {
	name      string
	must, aim float64
	request   func(k int) (method, path string, body []byte)
	status    int
	check     func(k int, a *rig.Answer) error // of each answer
	bare      func(ctx context.Context, worker, k int) error
	verify    func(ctx context.Context) error // of the effect, when all is done
}

// shareResult is a phase as it is reported.
type shareResult struct {
	Store   string  `json:"store"`
	Phase   string  `json:"phase"`
	H       float64 `json:"h"`
	D       float64 `json:"d"`
	S       float64 `json:"s"`
	Rate    float64 `json:"rate"`
	Share   float64 `json:"share"`
	Low     float64 `json:"shareLow"`
	High    float64 `json:"shareHigh"`
	Must    float64 `json:"must"`
	Aim     float64 `json:"aim"`
	P50     float64 `json:"p50us"`
	P99     float64 `json:"p99us"`
	NullCPU float64 `json:"nullCPUus"`
	CPU     float64 `json:"cpuUs"`
	DBCPU   float64 `json:"databaseCPUus"`
	Wrong   string  `json:"wrong,omitempty"`
}

// runShare measures all phases on one store.
func runShare(ctx context.Context, o options, e *env, store string) error {
	s := &share{opts: o, e: e, last: make([]atomic.Int64, o.users)}
	if err := s.prepare(ctx, store); err != nil {
		return err
	}
	defer s.close()
	phases, err := s.phases(ctx)
	if err != nil {
		return err
	}
	for _, p := range phases {
		if !o.wants(p.name) {
			continue
		}
		r, err := s.run(ctx, p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		r.Store = store
		o.show(r)
	}
	return nil
}

// prepare fills the store through the API, copies it for the bare driver and connects.
func (s *share) prepare(ctx context.Context, store string) error {
	subj, err := s.e.newSubject(ctx, store, "share_"+store)
	if err != nil {
		return err
	}
	if s.t, err = subj.newTenant(ctx, "bench"); err != nil {
		return err
	}
	if s.ids, err = s.t.fill(ctx, 0, s.opts.users); err != nil {
		return err
	}
	where, err := subj.copyStore(ctx, "bare_"+store)
	if err != nil {
		return err
	}
	s.t.connect()
	if s.copy, err = subj.bare(ctx, where); err != nil {
		return err
	}
	if s.own, err = subj.bare(ctx, subj.where); err != nil {
		return err
	}
	for _, b := range []bare{s.copy, s.own} {
		if store != "postgres" {
			break // only PostgreSQL collects statistics by itself, after a while
		}
		if err := b.write(ctx, 0, []stmt{{"analyze", nil}}); err != nil {
			return err
		}
	}
	if s.key, err = s.t.key(ctx, s.own); err != nil {
		return err
	}
	for w := range s.nulls {
		s.nulls[w] = rig.NewConn(s.e.null.addr, s.t.token)
	}
	s.serial.Store(int64(s.opts.users)) // the next free number
	return nil
}

func (s *share) close() {
	s.copy.close()
	s.own.close()
	_ = s.t.s.stop() // the scratch folder goes anyway
}

// run measures one phase.
func (s *share) run(ctx context.Context, p phase) (shareResult, error) {
	s.acked.Store(0)
	for i := range s.last {
		s.last[i].Store(0) // 0: not written in this phase
	}
	r := shareResult{Phase: p.name, Must: p.must, Aim: p.aim}
	var err error
	if s.before.total, err = s.t.total(); err != nil {
		return r, err
	}
	if s.before.changes, err = changes(ctx, s.own, s.key); err != nil {
		return r, err
	}
	method, path, body := p.request(int(s.serial.Add(1)))
	a, err := s.t.call(0, p.status, method, path, body)
	if err != nil {
		return r, err
	}
	s.acked.Add(1)
	if err := s.e.null.can(a); err != nil {
		return r, err
	}
	kinds := s.kinds(ctx, p)
	var sums [3]sample
	var shares []float64
	for round := range s.opts.rounds + 1 { // round 0 warms up
		d := s.opts.slice
		if round == 0 {
			d /= 4
		}
		var got [3]sample
		for i, op := range kinds {
			if got[i], err = s.measure(ctx, d, i, op); err != nil {
				r.Wrong = err.Error()
				return r, ctx.Err()
			}
		}
		if round == 0 {
			continue
		}
		for i := range sums {
			sums[i].add(got[i])
		}
		shares = append(shares, got[2].rate()/ceiling(got[0].rate(), got[1].rate()))
	}
	if err := p.verify(ctx); err != nil {
		r.Wrong = err.Error()
	}
	r.fill(sums, shares)
	return r, ctx.Err()
}

// measure runs one slice; kind 2 is Provost.
func (s *share) measure(ctx context.Context, d time.Duration, kind int, op func(w int) error) (sample, error) {
	switch kind {
	case 0:
		before := rig.CPU(s.e.null.cmd.Process.Pid)
		got, err := slice(ctx, d, 0, op)
		got.CPU = rig.CPU(s.e.null.cmd.Process.Pid) - before
		return got, err
	case 1:
		return slice(ctx, d, 0, op)
	}
	return s.t.s.timed(ctx, d, 0, op)
}

// kinds are the three kinds of work of a phase: null server, bare driver, Provost.
func (s *share) kinds(ctx context.Context, p phase) [3]func(w int) error {
	h := func(w int) error {
		method, path, body := p.request(int(s.serial.Add(1)))
		a, err := s.nulls[w].Do(method, s.t.base+path, body)
		if err == nil && a.Status != p.status {
			err = fmt.Errorf("null server: status %d", a.Status)
		}
		return err
	}
	d := func(w int) error { return p.bare(ctx, w, int(s.serial.Add(1))) }
	real := func(w int) error {
		k := int(s.serial.Add(1))
		method, path, body := p.request(k)
		a, err := s.t.call(w, p.status, method, path, body)
		if err != nil {
			return err
		}
		s.acked.Add(1)
		return p.check(k, &a)
	}
	return [3]func(int) error{h, d, real}
}

// ceiling is S of a null rate and a driver rate.
func ceiling(h, d float64) float64 { return 1 / (1/h + 1/d) }

func (r *shareResult) fill(sums [3]sample, shares []float64) {
	null, driver, real := &sums[0], &sums[1], &sums[2]
	r.H, r.D, r.Rate = null.rate(), driver.rate(), real.rate()
	r.S = ceiling(r.H, r.D)
	r.Share, r.Low, r.High = median(shares), slices.Min(shares), slices.Max(shares)
	r.P50, r.P99 = micros(real.percentile(50)), micros(real.percentile(99))
	r.NullCPU, r.CPU, r.DBCPU = micros(null.perOp(null.CPU)), micros(real.perOp(real.CPU)), micros(real.perOp(real.DBCPU))
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// sampled calls f for about a hundred of n numbers.
func sampled(n int, f func(i int) error) error {
	for i := 0; i < n; i += max(1, n/100) {
		if err := f(i); err != nil {
			return err
		}
	}
	return nil
}

// user reads one user as the API shows it.
func (s *share) user(id string) (map[string]any, error) {
	a, err := s.t.call(0, http.StatusOK, "GET", "/Users/"+id, nil)
	if err != nil {
		return nil, err
	}
	var u map[string]any
	err = json.Unmarshal(a.Body, &u)
	return u, err
}

// raise sets v to k if that is more.
func raise(v *atomic.Int64, k int64) {
	for old := v.Load(); old < k && !v.CompareAndSwap(old, k); old = v.Load() {
	}
}

// contains checks that an answer holds a text.
func contains(a *rig.Answer, text string) error {
	if !bytes.Contains(a.Body, []byte(text)) {
		return wrong("no %s in the answer %.300s", text, a.Body)
	}
	return nil
}
