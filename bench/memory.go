package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/provost-scim/provost/bench/rig"
)

// The memory that a server may hold.
const (
	mustIdle   = 60 << 20
	mustLoaded = 300 << 20
	mustGroup  = 4 // bodies of the group, above idle
)

// settle is how long a started server is left alone before its idle memory is read.
const settle = 3 * time.Second

// memoryResult is a weight in bytes and its limit.
type memoryResult struct {
	Store string `json:"store"`
	Phase string `json:"phase"`
	Bytes int64  `json:"bytes"`
	Must  int64  `json:"must"`
	Wrong string `json:"wrong,omitempty"`
}

func (r memoryResult) title() string { return fmt.Sprintf("%-46s %9s %9s", "memory", "MB", "must") }

func (r memoryResult) line() string {
	return fmt.Sprintf("%-46s %9.1f %9.1f", r.Phase, float64(r.Bytes)/(1<<20), float64(r.Must)/(1<<20))
}

func (r memoryResult) label() string { return r.Store + " memory " + r.Phase }

func (r memoryResult) verdict() string {
	switch {
	case r.Wrong != "":
		return r.Wrong
	case r.Bytes <= r.Must:
		return verdictMust
	}
	return fmt.Sprintf("SHORT: %.1f MB, must %.1f", float64(r.Bytes)/(1<<20), float64(r.Must)/(1<<20))
}

func (g *growth) weigh(phase string, bytes, must int64) {
	if g.o.wants(phase) {
		g.o.show(memoryResult{Store: g.store, Phase: phase, Bytes: bytes, Must: must})
	}
}

// idle starts the server that will hold one small tenant and weighs it before it has any.
func (g *growth) idle(ctx context.Context) error {
	var err error
	if g.alone, err = g.e.newSubject(ctx, g.store, "alone_"+g.store); err != nil {
		return err
	}
	time.Sleep(settle)
	now, _, err := rig.Resident(g.alone.server.PID())
	g.weigh("idle, empty store", now, mustIdle)
	return err
}

// loaded weighs the server of the big tenant at its heaviest since it was started on the filled store: under all
// operations so far and under a mix of them now. Reading a big group whole has a limit of its own.
func (g *growth) loaded(ctx context.Context) error {
	ops := []op{getOp, hitOp, emailsOp, pageOp, updateOp("patch", "PATCH", patchBody), createOp()}
	_, err := slice(ctx, 5*g.o.slice, 0, func(w int) error {
		k := int(g.serial.Add(1))
		return ops[k%len(ops)].do(&g.big, w, k)
	})
	if err != nil {
		return err
	}
	_, peak, err := rig.Resident(g.shared.server.PID())
	g.weigh(fmt.Sprintf("peak, %d users under load", g.o.big), peak, mustLoaded)
	return err
}

// bigGroup restarts the server and weighs it before and while the group of 100,000 is read whole, several times
// in turn.
func (g *growth) bigGroup(ctx context.Context) error {
	if err := g.shared.stop(); err != nil {
		return err
	}
	if err := g.shared.start(ctx); err != nil {
		return err
	}
	g.big.t.connect()
	pid := g.shared.server.PID()
	time.Sleep(settle)
	idle, _, err := rig.Resident(pid)
	if err != nil {
		return err
	}
	g.weigh(fmt.Sprintf("idle, %d users", g.o.big), idle, mustIdle)
	if err := rig.ResetPeak(pid); err != nil {
		return err
	}
	body := 0
	for range 5 {
		a, err := g.big.t.call(0, http.StatusOK, "GET", "/Groups/"+g.big.groups.big.id, nil)
		if err != nil {
			return err
		}
		body = len(a.Body)
	}
	_, peak, err := rig.Resident(pid)
	g.weigh(fmt.Sprintf("above idle, group of %d read (body %.1f MB)", g.big.groups.big.size, float64(body)/(1<<20)), peak-idle, mustGroup*int64(body))
	return err
}
