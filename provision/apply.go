package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/provost-scim/provost/source"
)

const (
	// applyBatch is how many objects share a transaction of intents and one of outcomes.
	applyBatch = 100
	// referenceRounds is how often people are looked at in one cycle: those who refer to somebody who was new.
	referenceRounds = 3
	// downLimit is how many requests in a row may fail before the cycle gives up on the target.
	downLimit = 8
)

// apply carries out what the survey decided: people, groups, references between people, memberships.
func (c *cycle) apply(ctx context.Context) error {
	if err := c.objects(ctx, source.Person); err != nil {
		return err
	}
	if err := c.objects(ctx, source.Group); err != nil {
		return err
	}
	for range referenceRounds - 1 {
		if err := c.objects(ctx, source.Person); err != nil {
			return err
		}
	}
	return c.memberships(ctx)
}

// job is one change on its way.
type job struct {
	it      *Item
	ch      Change
	w       Wanted
	found   *found // an object of the target that is taken over
	send    bool   // a request is needed
	outcome Outcome
	err     error
}

// objects brings the objects of a kind up to date, batch by batch.
func (c *cycle) objects(ctx context.Context, kind source.Kind) error {
	after, done := "", 0
	step := "users"
	if kind == source.Group {
		step = "groups"
	}
	for {
		if err := c.stopped(ctx); err != nil {
			return err
		}
		items, err := c.State.Work(ctx, c.Channel.ID, kind, after, applyBatch, c.early)
		if err != nil || len(items) == 0 {
			return err
		}
		after = items[len(items)-1].Key
		if err := c.batch(ctx, items); err != nil {
			return err
		}
		done += len(items)
		c.progress(step, done, c.totals.Dirty)
	}
}

// batch carries out one batch: look, journal, send, note.
func (c *cycle) batch(ctx context.Context, items []Item) error {
	if err := c.resolve(ctx, items); err != nil {
		return err
	}
	wanted, err := c.wanted(ctx, items)
	if err != nil {
		return err
	}
	jobs := make([]*job, len(items))
	for i := range items {
		jobs[i] = c.job(&items[i], wanted[i])
	}
	jobs = slices.DeleteFunc(jobs, func(j *job) bool { return j == nil })
	c.each(ctx, jobs, c.lookFor)
	var intents []Intent
	for _, j := range jobs {
		if j.send {
			intents = append(intents, Intent{Key: j.it.Key, Kind: j.it.Kind, Verb: j.ch.Verb, Target: j.ch.Target, Doc: j.ch.doc, Looked: j.ch.Verb == Create})
		}
	}
	if err := c.at("before journal"); err != nil {
		return err
	}
	if err := c.State.Begin(ctx, c.lease.fence, intents); err != nil {
		return err
	}
	if err := c.at("journal"); err != nil {
		return err
	}
	c.each(ctx, jobs, c.carryOut)
	if err := c.at("sent"); err != nil {
		return err
	}
	return c.note(ctx, jobs)
}

// note writes the outcomes, and ends the cycle if nothing more can be done at the target.
func (c *cycle) note(ctx context.Context, jobs []*job) error {
	outcomes := make([]Outcome, 0, len(jobs))
	var fatal error
	for _, j := range jobs {
		outcomes = append(outcomes, j.outcome)
		if t := troubleOf(j.err); j.err != nil && (t == Denied || t == Withheld) && fatal == nil {
			fatal = j.err
		}
		if j.err != nil && c.givenUp() && fatal == nil {
			fatal = j.err
		}
	}
	// Answers that came before a stop are kept: what is known must not be asked again.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := c.State.Finish(keep, c.lease.fence, c.n, outcomes); err != nil {
		return fmt.Errorf("note what was done: %w", err)
	}
	if err := c.at("noted"); err != nil {
		return err
	}
	if fatal != nil {
		return fmt.Errorf("the target: %w", fatal)
	}
	return nil
}

// each runs fn for the jobs that are to be sent, as many at a time as the target takes.
func (c *cycle) each(ctx context.Context, jobs []*job, fn func(context.Context, *job)) {
	slots := make(chan struct{}, max(1, c.Target.Limits().Parallel))
	var wg sync.WaitGroup
	for _, j := range jobs {
		if !j.send {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			fn(ctx, j)
		})
	}
	wg.Wait()
}

// job decides about one item and prepares what can be said without asking the target; nil for an object that is left
// alone for the rest of the cycle.
func (c *cycle) job(it *Item, w Wanted) *job {
	if c.skipped[it.Key] {
		return nil
	}
	ch := c.decide(it, w)
	j := &job{it: it, ch: ch, w: w, outcome: Outcome{Key: it.Key, Kind: it.Kind, Verb: ch.Verb, Refs: w.Refs}}
	done := it.Kind == source.Person // the members of a group come later
	switch {
	case c.barred(ch):
	case ch.Error != "":
		c.fail(j, errors.New(ch.Error))
	case ch.Held != "":
		c.hold(j, c.lines(ch))
	case ch.Verb == Nothing:
		j.outcome.Done = done || it.Link == nil
		j.outcome.Unhold = len(it.Held) > 0 && !hasMembers(it.Held)
	case ch.Verb == Disable && len(ch.ops) == 0:
		// Nothing to tell the target: it is disabled there already, or it is a group that is emptied.
		c.succeed(j, it.Link.Target)
	default:
		j.send = true
	}
	return j
}

// barred says whether a plan that is carried out does not have this change.
func (c *cycle) barred(ch Change) bool {
	return c.allow != nil && ch.Verb != Nothing && !c.allow[ch.Key+" "+string(ch.Verb)]
}

func hasMembers(list []Held) bool {
	for _, h := range list {
		if h.Verb == RemoveMembers {
			return true
		}
	}
	return false
}

// lines is the held line of a change.
func (c *cycle) lines(ch Change) Held {
	return Held{Key: ch.Key, Kind: ch.Kind, Verb: ch.Verb, Title: ch.Title, Reason: ch.Reason, Rule: ch.Held, Members: ch.Remove,
		State: Waiting, Since: c.now}
}

// hold notes that a removal waits for a person, unless somebody has spoken about it.
func (c *cycle) hold(j *job, h Held) {
	c.mu.Lock()
	c.counts[heldCount]++
	c.mu.Unlock()
	if spoken(j.it, h.Verb) == Rejected && len(h.Members) == 0 {
		return
	}
	for _, old := range j.it.Held {
		if old.Verb == h.Verb {
			if old.State == Waiting && len(old.Members) == len(h.Members) {
				return
			}
			h.Since = old.Since
		}
	}
	j.outcome.Hold = &h
	e := c.entry(j.it, j.ch, Stayed)
	e.Action, e.Reason, e.Error, e.Removed = h.Verb, h.Reason, h.Rule, h.Members
	j.outcome.Log = &e
}

// succeed notes a change that was carried out; id is the object's at the target.
func (c *cycle) succeed(j *job, id string) {
	ch, it := &j.ch, j.it
	link := Link{Key: it.Key, Kind: it.Kind, Target: id, State: ch.state, Provenance: Created, Doc: ch.doc, Since: c.now}
	if it.Link != nil {
		link.Provenance, link.Since = it.Link.Provenance, it.Link.Since
	}
	if ch.Verb == Adopt {
		link.Provenance = Adopted
	}
	if ch.state == Disabled {
		link.Expires = c.Channel.Spec.Rules.expiry(it, j.w, c.now)
	}
	o := &j.outcome
	o.Verb, o.Link, o.NewLink = ch.Verb, &link, it.Link == nil
	o.Unhold = len(it.Held) > 0 && !hasMembers(it.Held)
	o.Done = it.Kind == source.Person
	if ch.removal && spoken(it, ch.Verb) != Approved {
		o.Objects = 1
	}
	e := c.entry(it, *ch, Success)
	e.Target = id
	o.Log = &e
	c.count(ch)
}

// count adds a change to what the cycle did.
func (c *cycle) count(ch *Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.add(ch)
}

// fail notes a change that came to nothing: it is tried again, later each time.
func (c *cycle) fail(j *job, err error) {
	j.err, j.send = err, false
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed++
	c.skipped[j.it.Key] = true
	if j.it.Attempts == 0 {
		c.fresh++
	}
	e := c.entry(j.it, j.ch, Failure)
	e.Error = err.Error()
	j.outcome.Log = &e
	j.outcome.Retry = &Retry{Attempts: j.it.Attempts + 1, At: c.Now().Add(retryAfter(j.it.Attempts + 1)), Problem: err.Error()}
	switch t := troubleOf(err); {
	case t == Withheld, t == Down && c.down >= downLimit:
		// It is not about this object, so nothing is counted against it.
		j.outcome.Retry, j.outcome.Log = nil, nil
		c.failed--
	case t == Denied:
		j.outcome.Retry = &Retry{Attempts: j.it.Attempts, Problem: err.Error()}
	}
}

// entry is the line of the log about a change.
func (c *cycle) entry(it *Item, ch Change, status string) Entry {
	return Entry{Key: it.Key, Kind: it.Kind, Target: ch.Target, Title: ch.Title, Action: ch.Verb, Status: status, Reason: ch.Reason,
		Changes: ch.Values, Added: ch.Add, Removed: ch.Remove}
}

// retrySteps is how long a failed object waits before it is tried again, by the number of failures.
var retrySteps = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour}

func retryAfter(failures int) time.Duration {
	return retrySteps[min(failures, len(retrySteps))-1]
}
