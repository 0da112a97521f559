package access

import (
	"context"
	"sync"
	"time"
)

// FlushEvery is how often the uses of tokens are recorded; "last used" is late by no more than this and one
// failed attempt.
const FlushEvery = 20 * time.Second

// maxUses bounds the uses held in memory while the store cannot take them.
const maxUses = 100_000

// recorder keeps the last use of each token until it is stored. The zero value is ready; its goroutine starts
// with the first use and ends with close.
type recorder struct {
	mu     sync.Mutex
	uses   map[string]Use
	stop   chan struct{}
	done   chan struct{}
	closed bool
}

// add notes a use.
func (r *recorder) add(s *Service, u Use) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if r.uses == nil {
		r.uses = make(map[string]Use)
	}
	if _, known := r.uses[u.Token]; known || len(r.uses) < maxUses {
		r.uses[u.Token] = u
	}
	if r.stop == nil {
		r.stop, r.done = make(chan struct{}), make(chan struct{})
		go r.run(s)
	}
}

func (r *recorder) run(s *Service) {
	defer close(r.done)
	tick := time.NewTicker(FlushEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(context.Background(), FlushEvery/2)
			if err := r.flush(ctx, s.Keeper); err != nil && s.Log != nil {
				s.Log.Warn("uses of tokens not recorded yet", "err", err)
			}
			cancel()
		}
	}
}

// flush stores the uses; those that cannot be stored are kept for the next time, unless there are newer ones.
func (r *recorder) flush(ctx context.Context, k Tokens) error {
	r.mu.Lock()
	taken := r.uses
	r.uses = nil
	r.mu.Unlock()
	if len(taken) == 0 {
		return nil
	}
	list := make([]Use, 0, len(taken))
	for _, u := range taken {
		list = append(list, u)
	}
	err := k.TouchTokens(ctx, list)
	if err == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.uses == nil {
		r.uses = make(map[string]Use)
	}
	for id, u := range taken {
		if _, newer := r.uses[id]; !newer && len(r.uses) < maxUses {
			r.uses[id] = u
		}
	}
	return err
}

// closeWithin bounds the last attempt to store uses: a store that hangs must not hold up the end of a process.
const closeWithin = 5 * time.Second

// close stops the goroutine and stores what is left. It may be called more than once.
func (r *recorder) close(ctx context.Context, k Tokens) error {
	r.mu.Lock()
	first := !r.closed
	r.closed = true
	stop, done := r.stop, r.done
	r.mu.Unlock()
	if stop != nil {
		if first {
			close(stop)
		}
		<-done
	}
	ctx, cancel := context.WithTimeout(ctx, closeWithin)
	defer cancel()
	return r.flush(ctx, k)
}
