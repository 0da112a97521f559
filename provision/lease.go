package provision

import (
	"context"
	"errors"
	"sync"
	"time"
)

// lease is a held lease that renews itself.
type lease struct {
	fence Fence
	mu    sync.Mutex
	since time.Time // when the last renewal was asked for; monotonic
}

// safe says whether a request that begins now ends before anybody else can hold the lease. It reads the monotonic
// clock, which goes on while the process is stopped.
func (l *lease) safe() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.since)+RequestTime+leaseMargin < LeaseTime
}

func (l *lease) renewed(asked time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = asked
}

// leased runs fn while it holds the channel's lease. When the lease is lost, fn's context ends with ErrFenced.
func (e *Engine) leased(ctx context.Context, fn func(context.Context, *lease) error) error {
	asked := time.Now()
	fence, err := e.State.Acquire(ctx, e.Channel.ID, e.Holder, LeaseTime)
	if err != nil {
		return err
	}
	l := &lease{fence: fence, since: asked}
	inner, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.heartbeat(inner, l, cancel)
	}()
	err = fn(inner, l)
	cancel(nil)
	<-done
	release, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	if other := e.State.Release(release, fence); err == nil && !errors.Is(other, ErrFenced) {
		err = other
	}
	return err
}

func (e *Engine) heartbeat(ctx context.Context, l *lease, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(leaseRenewal)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked := time.Now()
		err := e.State.Renew(ctx, l.fence, LeaseTime)
		switch {
		case err == nil:
			l.renewed(asked)
		case errors.Is(err, ErrFenced):
			cancel(ErrFenced)
			return
		case ctx.Err() == nil:
			e.Log.Warn("the lease was not renewed", "channel", e.Channel.Name, "err", err)
		}
	}
}
