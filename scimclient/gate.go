package scimclient

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// gate lets requests pass: no faster than the profile's rates, none while the target wants to be left alone, and no
// more at a time than the target has shown to bear.
type gate struct {
	now         func() time.Time
	all, writes *rate.Limiter // nil: no limit
	mu          sync.Mutex
	until       time.Time // the target wants no request before
	max         int
	window      float64 // requests that may be under way: between 1 and max
	used        int
	waiting     []chan struct{}
	cut         time.Time // when window was last cut
}

const (
	// firstWindow is how many requests may be under way before anything is known about a target.
	firstWindow = 8
	// cutPause is how long after a cut further complaints count as the same one.
	cutPause = time.Second
)

func newGate(p Profile, now func() time.Time) *gate {
	g := &gate{now: now, max: p.Parallel, window: float64(min(p.Parallel, firstWindow))}
	g.all, g.writes = limiter(p.Rate, p.Burst), limiter(p.WriteRate, p.WriteBurst)
	return g
}

// Requests reach the target less evenly than they leave, so a little of its limits is left unused.
const (
	rateShare  = 0.97
	burstShare = 0.8
)

func limiter(perSecond float64, burst int) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond*rateShare), max(1, int(float64(burst)*burstShare)))
}

// enter waits for a request's turn. The error is ctx's, or a *waitError if the target wants to be left alone for
// longer than ctx lasts. After a nil error leave must be called.
func (g *gate) enter(ctx context.Context, write bool) error {
	if err := g.slot(ctx); err != nil {
		return err
	}
	err := g.turn(ctx, write)
	if err != nil {
		g.leave(idle)
	}
	return err
}

// turn waits for the rates and for the end of a pause, which may begin while the rates are waited for.
func (g *gate) turn(ctx context.Context, write bool) error {
	if err := g.paused(ctx); err != nil {
		return err
	}
	if write && g.writes != nil {
		if err := g.writes.Wait(ctx); err != nil {
			return err
		}
	}
	if g.all != nil {
		if err := g.all.Wait(ctx); err != nil {
			return err
		}
	}
	return g.paused(ctx)
}

// waitError says that the target wants to be left alone for longer than the caller can wait.
type waitError struct{ left time.Duration }

func (e *waitError) Error() string {
	return "the target asked to be left alone for another " + e.left.String()
}

func (g *gate) paused(ctx context.Context) error {
	for {
		g.mu.Lock()
		left := g.until.Sub(g.now())
		g.mu.Unlock()
		if left <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, left); err != nil {
			return err
		}
	}
}

// sleep waits, but not if ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
		return &waitError{d.Round(time.Millisecond)}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause keeps all requests back for d.
func (g *gate) pause(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := g.now().Add(d); until.After(g.until) {
		g.until = until
	}
}

func (g *gate) slot(ctx context.Context) error {
	g.mu.Lock()
	if g.used < int(g.window) && len(g.waiting) == 0 {
		g.used++
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.waiting = append(g.waiting, turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		g.mu.Lock()
		defer g.mu.Unlock()
		if i := slices.Index(g.waiting, turn); i >= 0 {
			g.waiting = slices.Delete(g.waiting, i, i+1)
		} else { // it was our turn at the same moment
			g.used--
			g.wake()
		}
		return ctx.Err()
	}
}

// bearing is how a target bore a request.
type bearing int

const (
	idle      bearing = iota // nothing was sent, or it says nothing about load
	well                     // answered
	congested                // 429, 503, or no answer in time
)

// leave ends a request's turn. The window grows by one for every round of requests that went well, and is halved when
// the target complains (additive increase, multiplicative decrease).
func (g *gate) leave(b bearing) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.used--
	switch b {
	case well:
		g.window = min(g.window+1/g.window, float64(g.max))
	case congested:
		if now := g.now(); now.Sub(g.cut) >= cutPause {
			g.cut = now
			g.window = max(1, g.window/2)
		}
	}
	g.wake()
}

func (g *gate) wake() {
	for g.used < int(g.window) && len(g.waiting) > 0 {
		g.used++
		close(g.waiting[0])
		g.waiting = g.waiting[1:]
	}
}
