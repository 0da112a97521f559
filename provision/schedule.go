package provision

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// How often the runner looks at the configuration. A pause takes effect within this time and the end of the requests
// that are under way.
const (
	lookEvery   = 2 * time.Second
	tickEvery   = 250 * time.Millisecond
	engineLease = 0 // the lease of the whole engine, where only one process may run it
)

// Runner runs the channels that are due. Several processes on one database share them: each cycle belongs to whoever
// takes the channel's lease.
type Runner struct {
	State State
	// Build makes the engine of a channel, and what has to be closed after a cycle.
	Build  func(context.Context, Channel) (*Engine, func(), error)
	Holder string
	Now    func() time.Time
	Log    *slog.Logger
	// Exclusive lets one process at a time run the engine, because its database takes one writer.
	Exclusive bool

	mu    sync.Mutex
	slots map[int64]*slot
	wg    sync.WaitGroup
}

// slot is what the runner knows of one channel.
type slot struct {
	version int64
	paused  atomic.Bool
	running bool
	next    time.Time // when it is looked at again
	problem string    // of building the engine, so that it is logged once
}

// Run works until ctx ends, and waits for the cycles under way: they stop at their next request.
func (r *Runner) Run(ctx context.Context) {
	r.slots = map[int64]*slot{}
	defer r.wg.Wait()
	if r.Exclusive {
		release := r.alone(ctx)
		if release == nil {
			return
		}
		defer release()
	}
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	var looked time.Time
	for {
		if now := time.Now(); now.Sub(looked) >= lookEvery {
			looked = now
			r.look(ctx)
		}
		select {
		case <-ctx.Done():
			r.pauseAll()
			return
		case <-tick.C:
		}
	}
}

// alone takes the lease of the engine and keeps it; nil if ctx ended before.
func (r *Runner) alone(ctx context.Context) (release func()) {
	warned := false
	for {
		f, err := r.State.Acquire(ctx, engineLease, r.Holder, LeaseTime)
		if err == nil {
			return r.keepAlone(ctx, f)
		}
		if !warned && ctx.Err() == nil {
			warned = true
			r.Log.Warn("channels are not run here: another process runs the engine of this store", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(leaseRenewal):
		}
	}
}

func (r *Runner) keepAlone(ctx context.Context, f Fence) func() {
	done := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(leaseRenewal):
			}
			if err := r.State.Renew(context.WithoutCancel(ctx), f, LeaseTime); err != nil {
				r.Log.Warn("the lease of the engine was not renewed", "err", err)
			}
		}
	}()
	return func() {
		r.wg.Wait()
		close(stop)
		<-done
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := r.State.Release(end, f); err != nil {
			r.Log.Warn("the lease of the engine was not released", "err", err)
		}
	}
}

// look reads the configuration, stops what was paused and starts what is due.
func (r *Runner) look(ctx context.Context) {
	channels, err := r.State.Channels(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.Log.Warn("the channels cannot be read", "err", err)
		}
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[int64]bool{}
	for _, c := range channels {
		seen[c.ID] = true
		s := r.slots[c.ID]
		if s == nil {
			s = &slot{version: c.Version}
			r.slots[c.ID] = s
		}
		if s.version != c.Version {
			s.version, s.next = c.Version, time.Time{}
		}
		s.paused.Store(c.Paused)
		if c.Paused || s.running || r.Now().Before(s.next) {
			continue
		}
		s.running = true
		r.wg.Go(func() { r.cycle(ctx, c, s) })
	}
	for id, s := range r.slots {
		if !seen[id] {
			s.paused.Store(true)
			if !s.running {
				delete(r.slots, id)
			}
		}
	}
}

func (r *Runner) pauseAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.slots {
		s.paused.Store(true)
	}
}

// cycle runs a channel if it is due, and says when it is looked at again.
func (r *Runner) cycle(ctx context.Context, c Channel, s *slot) {
	next := r.run(ctx, c, s)
	r.mu.Lock()
	defer r.mu.Unlock()
	s.running, s.next = false, next
}

func (r *Runner) run(ctx context.Context, c Channel, s *slot) time.Time {
	now := r.Now()
	st, err := r.State.Status(ctx, c.ID)
	if err != nil {
		return now.Add(lookEvery)
	}
	if due := st.due(&c); now.Before(due) {
		return due
	}
	e, done, err := r.Build(ctx, c)
	if err != nil {
		if s.problem != err.Error() {
			s.problem = err.Error()
			r.Log.Error("the channel cannot be run", "channel", c.Name, "err", err)
		}
		return now.Add(c.Spec.Every())
	}
	defer done()
	s.problem = ""
	e.Paused = func(context.Context) bool { return s.paused.Load() }
	// Requests under way may end: the engine asks Paused before each new one.
	st, err = e.Run(context.WithoutCancel(ctx))
	switch {
	case errors.Is(err, ErrHeld):
		return r.Now().Add(lookEvery)
	case err != nil && !errors.Is(err, ErrPaused):
		r.Log.Warn("a cycle failed", "channel", c.Name, "cycle", st.Cycle, "err", err)
	case len(st.Counts) > 0:
		r.Log.Info("a cycle ended", "channel", c.Name, "cycle", st.Cycle, "result", st.Result, "counts", st.Counts)
	}
	return st.due(&c)
}

// due is when the next cycle begins.
func (st *Status) due(c *Channel) time.Time {
	if st.Quarantine != nil {
		return st.Quarantine.Next
	}
	if st.Started.IsZero() || st.Result == "stopped" {
		return time.Time{}
	}
	return st.Started.Add(c.Spec.Every())
}
