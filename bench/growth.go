package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// mustGrow is what an operation may cost at the big size, as a multiple of its cost at the small one.
const mustGrow = 1.5

// smallTenant is the size that a big tenant is compared with.
const smallTenant = 1_000

// place is a tenant in which operations are measured.
type place struct {
	t      *tenant
	people people
	serial *atomic.Int64 // numbers of new users and of changes, shared by all places
	groups groups
}

// op is an operation that is compared between two places.
type op struct {
	name   string
	most   int                                  // operations per slice at most, 0 for no limit
	before func(p *place) error                 // each slice, not timed
	do     func(p *place, w, k int) error       // one operation, with a check of its answer
	after  func(p *place, s sample) (err error) // each slice, not timed: checks the effect, undoes it
}

// growthResult compares the cost of an operation at a with its cost at b.
type growthResult struct {
	Store string  `json:"store"`
	Phase string  `json:"phase"`
	P50A  float64 `json:"p50us"`
	P50B  float64 `json:"baseP50us"`
	CPUA  float64 `json:"cpuUs"` // server and database
	CPUB  float64 `json:"baseCPUus"`
	P50   float64 `json:"p50Ratio"` // median over the rounds
	CPU   float64 `json:"cpuRatio"`
	Must  float64 `json:"must"`
	Wrong string  `json:"wrong,omitempty"`
}

func (r growthResult) title() string {
	return fmt.Sprintf("%-34s %9s %9s %9s %9s %6s %6s", "big against small", "p50 us", "base", "CPU us", "base", "p50 x", "CPU x")
}

func (r growthResult) line() string {
	return fmt.Sprintf("%-34s %9.0f %9.0f %9.0f %9.0f %6.2f %6.2f", r.Phase, r.P50A, r.P50B, r.CPUA, r.CPUB, r.P50, r.CPU)
}

func (r growthResult) label() string { return r.Store + " " + r.Phase }

func (r growthResult) verdict() string {
	switch {
	case r.Wrong != "":
		return r.Wrong
	case r.P50 <= r.Must && r.CPU <= r.Must:
		return verdictMust
	}
	return fmt.Sprintf("SHORT: p50 x %.2f, CPU x %.2f, must %.1f", r.P50, r.CPU, r.Must)
}

// side is one side of a comparison: an operation in a place.
type side struct {
	op op
	p  *place
}

// compare measures a and b in alternating slices.
func compare(ctx context.Context, o options, store, name string, a, b side, must float64) error {
	if !o.wants(name) {
		return nil
	}
	r := growthResult{Store: store, Phase: name, Must: must}
	var sums [2]sample
	var p50s, cpus []float64
	for round := range o.rounds + 1 { // round 0 warms up
		var got [2]sample
		for i, s := range []side{a, b} {
			var err error
			if got[i], err = s.slice(ctx, o); err != nil {
				r.Wrong = err.Error()
				o.show(r)
				return ctx.Err()
			}
		}
		if round == 0 {
			continue
		}
		for i := range got {
			sums[i].add(got[i])
		}
		p50s = append(p50s, float64(got[0].percentile(50))/float64(got[1].percentile(50)))
		cpus = append(cpus, cost(&got[0])/cost(&got[1]))
	}
	r.P50A, r.P50B = micros(sums[0].percentile(50)), micros(sums[1].percentile(50))
	r.CPUA, r.CPUB = cost(&sums[0]), cost(&sums[1])
	r.P50, r.CPU = median(p50s), median(cpus)
	o.show(r)
	return ctx.Err()
}

// cost is the processor time of server and database per operation, in microseconds.
func cost(s *sample) float64 { return micros(s.perOp(s.CPU + s.DBCPU)) }

// slice runs one slice of one side.
func (s side) slice(ctx context.Context, o options) (sample, error) {
	if s.op.before != nil {
		if err := s.op.before(s.p); err != nil {
			return sample{}, err
		}
	}
	got, err := s.p.t.s.timed(ctx, o.slice, s.op.most, func(w int) error { return s.op.do(s.p, w, int(s.p.serial.Add(1))) })
	if err != nil {
		return got, err
	}
	if got.Ops == 0 {
		return got, errors.New("no operation ended within the slice")
	}
	if s.op.after != nil {
		err = s.op.after(s.p, got)
	}
	return got, err
}

// runGrowth compares sizes: a big tenant with a small one beside it, that small one with one that is alone in
// its store, a big group with a small one, the last page of a walk with the first. Then it weighs the server.
func runGrowth(ctx context.Context, o options, e *env, store string) error {
	g := &growth{o: o, e: e, store: store}
	steps := []func(context.Context) error{g.idle, g.prepare, g.tenants, g.emails, g.cursors, g.loaded, g.members, g.bigGroup}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return g.close()
}

// growth is the state of that part.
type growth struct {
	o      options
	e      *env
	store  string
	alone  *subject // holds only a small tenant
	shared *subject // holds a small and a big tenant
	lonely place    // the tenant of alone
	small  place
	big    place
	serial atomic.Int64
}

func (g *growth) prepare(ctx context.Context) error {
	g.serial.Store(int64(g.o.big) + 1)
	var err error
	if g.lonely, err = g.place(ctx, g.alone, "small"); err != nil {
		return err
	}
	if g.shared, err = g.e.newSubject(ctx, g.store, "shared_"+g.store); err != nil {
		return err
	}
	if g.small, err = g.place(ctx, g.shared, "small"); err != nil {
		return err
	}
	t, err := g.shared.newTenant(ctx, "big")
	if err != nil {
		return err
	}
	begun := time.Now()
	people, err := t.fillBehind(ctx, g.o.big)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "bench: %d users filled in within %s\n", g.o.big, time.Since(begun).Round(time.Second))
	g.small.t.connect()
	g.lonely.t.connect() // the server has closed them meanwhile
	g.big = place{t: t, people: people, serial: &g.serial}
	return nil
}

// place makes a small tenant.
func (g *growth) place(ctx context.Context, s *subject, name string) (place, error) {
	t, err := s.newTenant(ctx, name)
	if err != nil {
		return place{}, err
	}
	ids, err := t.fill(ctx, 0, smallTenant)
	return place{t: t, people: people{ids: ids}, serial: &g.serial}, err
}

func (g *growth) close() error { return errors.Join(g.alone.stop(), g.shared.stop()) }

// tenants compares every operation in the big tenant with the small one beside it, and in the small one beside
// the big one with the same alone in its store.
func (g *growth) tenants(ctx context.Context) error {
	for _, op := range operations() {
		if err := g.shared.warm(); err != nil {
			return err
		}
		size := fmt.Sprintf("tenant %d: %s", g.o.big, op.name)
		if err := compare(ctx, g.o, g.store, size, side{op, &g.big}, side{op, &g.small}, mustGrow); err != nil {
			return err
		}
		if err := compare(ctx, g.o, g.store, "neighbour: "+op.name, side{op, &g.small}, side{op, &g.lonely}, mustGrow); err != nil {
			return err
		}
	}
	return nil
}

// mustEmails is what a value path with two conditions may cost, as a multiple of userName eq.
const mustEmails = 2

// emails compares the two lookups in the big tenant.
func (g *growth) emails(ctx context.Context) error {
	return compare(ctx, g.o, g.store, "emails[…] against userName eq", side{emailsOp, &g.big}, side{hitOp, &g.big}, mustEmails)
}
