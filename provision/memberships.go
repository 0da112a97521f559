package provision

import (
	"context"
	"slices"

	"github.com/provost-scim/provost/source"
)

// memberships brings the members of dirty groups up to date. It comes last: everybody who can be at the target is.
func (c *cycle) memberships(ctx context.Context) error {
	c.planned = nil // who could not be created is no member
	after, done := "", 0
	for {
		if err := c.stopped(ctx); err != nil {
			return err
		}
		items, err := c.State.Work(ctx, c.Channel.ID, source.Group, after, applyBatch, c.early)
		if err != nil || len(items) == 0 {
			return err
		}
		after = items[len(items)-1].Key
		if err := c.memberBatch(ctx, items); err != nil {
			return err
		}
		done += len(items)
		c.progress("members", done, 0)
	}
}

func (c *cycle) memberBatch(ctx context.Context, items []Item) error {
	wanted, err := c.wanted(ctx, items)
	if err != nil {
		return err
	}
	var jobs []*job
	var intents []Intent
	for i := range items {
		it := &items[i]
		if it.Link == nil || c.skipped[it.Key] {
			continue
		}
		j, err := c.memberJob(ctx, it, wanted[i])
		if err != nil {
			return err
		}
		jobs = append(jobs, j)
		if j.send {
			intents = append(intents, Intent{Key: it.Key, Kind: it.Kind, Verb: j.ch.Verb, Target: it.Link.Target,
				Doc: map[string]any{"add": anys(union2(j.ch.Add, it.Open, "add")), "remove": anys(union2(j.ch.Remove, it.Open, "remove"))}})
		}
	}
	if err := c.State.Begin(ctx, c.lease.fence, intents); err != nil {
		return err
	}
	if err := c.at("members journal"); err != nil {
		return err
	}
	c.each(ctx, jobs, c.sendMembers)
	if err := c.at("members sent"); err != nil {
		return err
	}
	return c.note(ctx, jobs)
}

// memberJob decides about the members of one group.
func (c *cycle) memberJob(ctx context.Context, it *Item, w Wanted) (*job, error) {
	ch := c.decide(it, w)
	j := &job{it: it, ch: ch, w: w, outcome: Outcome{Key: it.Key, Kind: it.Kind, Verb: AddMembers}}
	lines, err := c.memberChanges(ctx, it, w, ch)
	if err != nil {
		return nil, err
	}
	complete := ch.Held == "" && ch.Error == "" && !c.barred(ch)
	for _, line := range lines {
		switch {
		case c.barred(line):
			complete = false
		case line.Held != "":
			complete = false
			c.hold(j, c.lines(line))
		default:
			j.ch, j.send = line, true
		}
	}
	j.outcome.Done = complete
	j.outcome.Unhold = complete && len(it.Held) > 0
	return j, nil
}

// sendMembers sends the changes of one group in parts that the target takes.
func (c *cycle) sendMembers(ctx context.Context, j *job) {
	links, err := c.State.Links(ctx, c.Channel.ID, append(slices.Clone(j.ch.Add), j.ch.Remove...))
	if err != nil {
		c.failMembers(j, err)
		return
	}
	most := max(1, c.Target.Limits().Members)
	for _, part := range []struct {
		keys []string
		add  bool
	}{{j.ch.Add, true}, {j.ch.Remove, false}} {
		for chunk := range slices.Chunk(part.keys, most) {
			if err := c.memberPart(ctx, j, links, chunk, part.add); err != nil {
				c.failMembers(j, err)
				return
			}
		}
	}
	j.outcome.Memberships = j.ch.own
	e := c.entry(j.it, j.ch, Success)
	e.Target, e.Added, e.Removed = j.it.Link.Target, j.outcome.Added, j.outcome.Removed
	if j.outcome.Log == nil {
		j.outcome.Log = &e
	} else {
		j.outcome.More = append(j.outcome.More, e)
	}
	c.count(&j.ch)
}

// memberPart sends one part. A part that is refused is sent in halves, so that one member whom the target does not
// take leaves the others alone.
func (c *cycle) memberPart(ctx context.Context, j *job, links map[string]Link, keys []string, add bool) error {
	var ids, gone []string
	for _, key := range keys {
		if l, ok := links[key]; ok {
			ids = append(ids, l.Target)
		} else {
			gone = append(gone, key) // the target forgot the membership together with the member
		}
	}
	if len(ids) > 0 {
		err := c.send(ctx, true, func(ctx context.Context) error {
			if add {
				return c.Target.Members(ctx, j.it.Link.Target, ids, nil)
			}
			return c.Target.Members(ctx, j.it.Link.Target, nil, ids)
		})
		if err != nil && troubleOf(err) == Invalid && len(keys) > 1 {
			half := len(keys) / 2
			first := c.memberPart(ctx, j, links, keys[:half], add)
			second := c.memberPart(ctx, j, links, keys[half:], add)
			if first != nil {
				return first
			}
			return second
		}
		if err != nil {
			return err
		}
	}
	if add {
		j.outcome.Added = append(j.outcome.Added, slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return slices.Contains(gone, k) })...)
	} else {
		j.outcome.Removed = append(j.outcome.Removed, keys...)
	}
	return nil
}

// failMembers notes what was not carried out; what was stays noted.
func (c *cycle) failMembers(j *job, err error) {
	j.outcome.Done, j.outcome.Unhold = false, false
	if troubleOf(err) == Missing {
		c.lost(j)
		return
	}
	c.fail(j, err)
	j.outcome.Open = true // the intent stays until the group has been brought up to date
}

// union2 are keys together with those of an intent that is still open.
func union2(keys []string, open *Intent, name string) []string {
	out := slices.Clone(keys)
	if open != nil {
		list, _ := open.Doc[name].([]any)
		for _, v := range list {
			if s, ok := v.(string); ok && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
