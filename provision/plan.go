package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/provost-scim/provost/source"
)

// workBatch is how many dirty objects are looked at at once.
const workBatch = 200

// Plan is what a cycle would do, as data.
type Plan struct {
	Channel    string    `json:"channel"`
	Generation int64     `json:"generation"` // of the mirror that it was made from
	Made       time.Time `json:"made"`
	Config     string    `json:"config"` // fingerprint of the configuration
	Guard      Verdict   `json:"guard"`
	Counts     Counts    `json:"counts"`
	Changes    []Change  `json:"changes"`
	// Links are the versions of the links that the changes are made from, by key; 0 for an object without a link.
	Links map[string]int64 `json:"links"`
}

// Pending says whether the plan has anything to do or to ask.
func (p *Plan) Pending() bool { return len(p.Changes) > 0 }

// Plan reads the source and says what a cycle would do now. Nothing is sent.
func (e *Engine) Plan(ctx context.Context) (*Plan, error) {
	var p *Plan
	err := e.leased(ctx, func(ctx context.Context, l *lease) error {
		c := e.cycle(l)
		c.early = true
		if err := c.read(ctx); err != nil {
			return err
		}
		p = &Plan{Channel: e.Channel.Name, Generation: c.pos.Generation, Made: c.now, Config: c.pos.Mapping, Counts: c.counts,
			Changes: []Change{}, Links: map[string]int64{}}
		err := c.survey(ctx, func(it *Item, ch Change) {
			if ch.Verb == Nothing && ch.Error == "" {
				return
			}
			p.Changes = append(p.Changes, ch)
			c.counts.add(&ch)
			p.Links[ch.Key] = version(it)
		})
		p.Guard = c.verdict
		return err
	})
	return p, err
}

func version(it *Item) int64 {
	if it.Link == nil {
		return 0
	}
	return it.Link.Version
}

// unmoved refuses a plan whose source, configuration or links moved on since it was made, and lets the cycle do
// nothing else.
func (c *cycle) unmoved(ctx context.Context, p *Plan) error {
	var err error
	if c.pos, err = c.State.Position(ctx, c.Channel.ID); err != nil {
		return err
	}
	switch {
	case p.Channel != c.Channel.Name:
		return &StalePlan{fmt.Sprintf("it was made for channel %q", p.Channel)}
	case p.Generation != c.pos.Generation:
		return &StalePlan{"the source moved on since it was made"}
	case p.Config != c.fingerprint():
		return &StalePlan{"the configuration was changed since it was made"}
	}
	c.allow, c.early = map[string]bool{}, true
	for _, ch := range p.Changes {
		it, err := c.State.Item(ctx, c.Channel.ID, ch.Key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if have := version(&it); have != p.Links[ch.Key] {
			return &StalePlan{fmt.Sprintf("%s %s was changed since it was made", ch.Kind, ch.Title)}
		}
		if ch.Held == "" {
			c.allow[ch.Key+" "+string(ch.Verb)] = true
		}
	}
	return nil
}

// StalePlan is a plan that cannot be carried out as it stands.
type StalePlan struct{ Reason string }

func (e *StalePlan) Error() string { return "the plan no longer fits: " + e.Reason }

// survey decides about everything that is dirty without doing anything, so that the guard can look at all removals
// together. each, if it is not nil, gets every change as it would be carried out.
func (c *cycle) survey(ctx context.Context, each func(*Item, Change)) error {
	var err error
	if err := c.State.Expire(ctx, c.lease.fence); err != nil {
		return err
	}
	if c.totals, err = c.State.Totals(ctx, c.Channel.ID); err != nil {
		return err
	}
	st, err := c.State.Status(ctx, c.Channel.ID)
	if err != nil {
		return err
	}
	c.planned = map[string]bool{}
	var sums Sums
	if err := c.sum(ctx, &sums); err != nil {
		return err
	}
	c.verdict = c.Channel.Spec.Guard.Judge(c.totals, sums, Alarms{Empty: c.pos.Empty,
		Changed: st.Reviewed != "" && st.Reviewed != c.reviewed()})
	err = c.walk(ctx, source.Person, func(it *Item, w Wanted) error {
		ch := c.decide(it, w)
		if ch.removal {
			c.fate[it.Key] = ch.Held != ""
		}
		if each != nil {
			each(it, ch)
		}
		return nil
	})
	if err != nil || each == nil {
		return err
	}
	return c.walk(ctx, source.Group, func(it *Item, w Wanted) error {
		ch := c.decide(it, w)
		each(it, ch)
		members, err := c.memberChanges(ctx, it, w, ch)
		for _, m := range members {
			each(it, m)
		}
		return err
	})
}

// reviewed is the fingerprint of all that a person must look at before it removes anything.
func (c *cycle) reviewed() string { return c.fingerprint() + c.Origin }

// sum adds up the removals that nobody has spoken about, and notes who is to be created and removed.
func (c *cycle) sum(ctx context.Context, s *Sums) error {
	for _, kind := range []source.Kind{source.Person, source.Group} {
		err := c.walk(ctx, kind, func(it *Item, w Wanted) error {
			ch := Decide(it, w, c.Channel.Spec.Rules, c.now)
			switch {
			case ch.Verb == Create:
				c.planned[it.Key] = true
			case ch.removal:
				c.fate[it.Key] = false
				if spoken(it, ch.Verb) == "" {
					s.Objects++
				}
			}
			if kind != source.Group || emptied(it, w, ch) {
				return nil
			}
			m, err := c.membership(ctx, it, w, ch)
			if err != nil {
				return err
			}
			for _, key := range m.remove {
				if _, follows := c.fate[key]; !follows && saidOf(it, key) == "" {
					s.Memberships++
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// spoken is what a person said about a removal, "" if nobody did.
func spoken(it *Item, verb Verb) HoldState {
	for _, h := range it.Held {
		if h.Verb == verb && h.State != Waiting {
			return h.State
		}
	}
	return ""
}

// waits says whether a removal was asked about and not answered.
func waits(it *Item, verb Verb) bool {
	return slices.ContainsFunc(it.Held, func(h Held) bool { return h.Verb == verb && h.State == Waiting })
}

// saidOf is what a person said about taking the member out of the group, "" if nobody did.
func saidOf(it *Item, member string) HoldState {
	for _, h := range it.Held {
		if h.Verb == RemoveMembers && h.State != Waiting && slices.Contains(h.Members, member) {
			return h.State
		}
	}
	return ""
}

// decide is Decide with what the guard and people say about removals.
func (c *cycle) decide(it *Item, w Wanted) Change {
	ch := Decide(it, w, c.Channel.Spec.Rules, c.now)
	if !ch.removal {
		return ch
	}
	switch spoken(it, ch.Verb) {
	case Approved:
	case Rejected:
		ch.Held = "it was rejected"
	default:
		ch.Held = c.verdict.Objects
		if ch.Held == "" && waits(it, ch.Verb) {
			ch.Held = "it was asked about and not answered yet"
		}
	}
	return ch
}

// walk hands over every due dirty object of a kind with what is wanted for it, in the order of keys.
func (c *cycle) walk(ctx context.Context, kind source.Kind, each func(*Item, Wanted) error) error {
	after := ""
	for {
		if err := c.stopped(ctx); err != nil {
			return err
		}
		items, err := c.State.Work(ctx, c.Channel.ID, kind, after, workBatch, c.early)
		if err != nil || len(items) == 0 {
			return err
		}
		wanted, err := c.wanted(ctx, items)
		if err != nil {
			return err
		}
		for i := range items {
			if err := each(&items[i], wanted[i]); err != nil {
				return err
			}
		}
		after = items[len(items)-1].Key
	}
}

// wanted maps the records of items and resolves their references.
func (c *cycle) wanted(ctx context.Context, items []Item) ([]Wanted, error) {
	out := make([]Wanted, len(items))
	var refs []string
	for i := range items {
		if items[i].Record == nil {
			continue
		}
		w, err := c.Mapper.Apply(ctx, *items[i].Record, Look{c.State, c.Channel.ID})
		if err != nil {
			return nil, err
		}
		if w.Resource != nil && w.Resource.ExternalID == "" {
			w.Resource.ExternalID = items[i].Key
		}
		out[i] = w
		for _, key := range w.Refs {
			refs = append(refs, key)
		}
	}
	if len(refs) == 0 {
		return out, nil
	}
	links, err := c.State.Links(ctx, c.Channel.ID, refs)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i] = withRefs(out[i], links)
	}
	return out, nil
}
