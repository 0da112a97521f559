package provision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/provost-scim/provost/source"
)

// Mapper turns records into wanted resources.
type Mapper interface {
	// Apply is called for every record that is looked at; it does no I/O but through look.
	Apply(ctx context.Context, rec source.Record, look Look) (Wanted, error)
	// Matches are the attributes by which an object of the kind is looked for at the target, in order.
	Matches(k source.Kind) []string
	// Membership says whether persons are in scope by their groups.
	Membership() bool
	// Fingerprint changes when the mapping or the scope does.
	Fingerprint() string
}

// Look is what a Mapper may ask about the source as it was last read.
type Look struct {
	mirror  Mirror
	channel int64
}

// Named returns the records with these names, by name, without their members.
func (l Look) Named(ctx context.Context, names []string) (map[string]source.Record, error) {
	return l.mirror.Named(ctx, l.channel, names)
}

// Groups returns the groups that hold the record, directly or through other groups if nested is set.
func (l Look) Groups(ctx context.Context, key string, nested bool) ([]Member, error) {
	seen := map[string]bool{key: true}
	var out []Member
	for level := []string{key}; len(level) > 0; {
		up, err := l.mirror.GroupsOf(ctx, l.channel, level)
		if err != nil {
			return nil, err
		}
		level = nil
		for _, groups := range up {
			for _, g := range groups {
				if !seen[g.Key] {
					seen[g.Key] = true
					out = append(out, g)
					level = append(level, g.Key)
				}
			}
		}
		if !nested {
			break
		}
	}
	return out, nil
}

// The engine's own times.
const (
	// LeaseTime is how long a lease holds without being renewed.
	LeaseTime = 24 * time.Second
	// leaseRenewal is how often it is renewed.
	leaseRenewal = 3 * time.Second
	// RequestTime bounds one request to the target: together with leaseMargin it must be less than LeaseTime, so that
	// a request ends before somebody else can hold the lease.
	RequestTime = 12 * time.Second
	leaseMargin = 2 * time.Second
)

// Engine runs the cycles of one channel.
type Engine struct {
	State   State
	Channel Channel
	Source  source.Source
	Origin  string // fingerprint of the source's configuration
	Target  Target
	Mapper  Mapper
	Holder  string // name of this process among those that take leases
	Now     func() time.Time
	Log     *slog.Logger
	// Progress is told how far a cycle is; may be nil.
	Progress func(Progress)
	// Notify tells people; may be nil.
	Notify func(context.Context, Notify, Notice) error
	// Paused is asked before each batch whether the channel is to stop; may be nil.
	Paused func(ctx context.Context) bool

	// fault is called at the named points of a cycle; tests crash there.
	fault func(point string) error
}

// Progress is how far a cycle is.
type Progress struct {
	Step string // "read", "plan", "users", "groups", "members"
	Done int
	All  int // 0 if it is not known
}

// ErrPaused ends a cycle that was asked to stop. What it did is kept; the next one goes on.
var ErrPaused = errors.New("the channel was paused")

// at is a named point of a cycle.
func (e *Engine) at(point string) error {
	if e.fault == nil {
		return nil
	}
	return e.fault(point)
}

func (e *Engine) progress(step string, done, all int) {
	if e.Progress != nil {
		e.Progress(Progress{step, done, all})
	}
}

func (e *Engine) stopped(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if e.Paused != nil && e.Paused(ctx) {
		return ErrPaused
	}
	return nil
}

// cycle is one run at work.
type cycle struct {
	*Engine
	lease   *lease
	n       int64 // number of the cycle
	now     time.Time
	pos     Position
	totals  Totals
	verdict Verdict
	fate    map[string]bool // persons that are to be removed → whether the guard holds that
	planned map[string]bool // objects that are to be created, while planning
	counts  Counts
	failed  int             // objects that failed in this cycle
	fresh   int             // those of them for the first time
	down    int             // requests in a row that the target did not take
	early   bool            // look at what is in escrow too
	allow   map[string]bool // what a plan file has, by key and verb; nil for everything
	skipped map[string]bool // objects that failed in this cycle
	mu      sync.Mutex      // counts, failed, fresh, down, skipped
}

// skip leaves an object out for the rest of the cycle.
func (c *cycle) skip(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped[key] = true
}

// Run is one whole cycle: read, plan, apply. The Status says how it ended, also if there is an error.
func (e *Engine) Run(ctx context.Context) (Status, error) { return e.run(ctx, nil) }

// Apply carries out a plan that Plan made, and nothing else. It is a StalePlan if the source, the configuration or an
// object moved on since.
func (e *Engine) Apply(ctx context.Context, p *Plan) (Status, error) { return e.run(ctx, p) }

func (e *Engine) run(ctx context.Context, only *Plan) (st Status, err error) {
	err = e.leased(ctx, func(ctx context.Context, l *lease) error {
		if st, err = e.State.Status(ctx, e.Channel.ID); err != nil {
			return err
		}
		c := e.cycle(l)
		c.n = st.Cycle + 1
		before := st
		st.Cycle, st.Started, st.Problem, st.Counts = c.n, c.now, "", nil
		err := c.work(ctx, only)
		c.end(&st, err)
		// The cycle may have been stopped: how it ended is kept all the same.
		keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
		defer cancel()
		c.tell(keep, before, &st)
		return errors.Join(err, e.State.SaveStatus(keep, l.fence, st))
	})
	return st, err
}

func (c *cycle) work(ctx context.Context, only *Plan) error {
	if only == nil {
		if err := c.read(ctx); err != nil {
			return err
		}
	} else if err := c.unmoved(ctx, only); err != nil {
		return err
	}
	if err := c.survey(ctx, nil); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	return c.apply(ctx)
}

func (e *Engine) cycle(l *lease) *cycle {
	return &cycle{Engine: e, lease: l, now: e.Now(), counts: Counts{}, fate: map[string]bool{}, skipped: map[string]bool{}}
}

// end writes into the status how the cycle ended.
func (c *cycle) end(st *Status, err error) {
	st.Ended, st.Counts = c.Now(), c.counts
	if err == nil {
		st.Reviewed = c.reviewed()
	}
	switch {
	case err == nil && c.failed == 0:
		st.Result = "done"
	case err == nil:
		st.Result, st.Problem = "done with failures", fmt.Sprintf("%d objects failed and are tried again", c.failed)
	case errors.Is(err, ErrPaused), errors.Is(err, context.Canceled):
		st.Result = "stopped"
	default:
		st.Result, st.Problem = "failed", err.Error()
	}
	st.Quarantine = quarantine(st.Quarantine, err, c.failed, c.totals, c.Now(), c.Channel.Spec.Every())
}
