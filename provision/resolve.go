package provision

import (
	"context"
)

// resolve ends the intents that a cycle before left open, by looking at the target before anything is sent again. What
// it finds is noted at once; the object is then decided about as if nothing had happened.
func (c *cycle) resolve(ctx context.Context, items []Item) error {
	var outcomes []Outcome
	for i := range items {
		it := &items[i]
		if it.Intent == nil {
			continue
		}
		if err := c.stopped(ctx); err != nil {
			return err
		}
		o, err := c.settle(ctx, it)
		if err != nil {
			if t := troubleOf(err); t == Denied || t == Withheld || t == Down {
				return err
			}
			// It cannot be settled now. Sending it again could make a second object, so it waits.
			j := &job{it: it, ch: Change{Verb: it.Intent.Verb, Kind: it.Kind, Key: it.Key, Reason: "its last request is not settled"}}
			j.outcome = Outcome{Key: it.Key, Kind: it.Kind, Verb: it.Intent.Verb, Open: true}
			c.fail(j, err)
			c.skip(it.Key)
			outcomes = append(outcomes, j.outcome)
			continue
		}
		outcomes = append(outcomes, o)
		it.Intent = nil
	}
	return c.State.Finish(ctx, c.lease.fence, c.n, outcomes)
}

// settle finds out what became of one request.
func (c *cycle) settle(ctx context.Context, it *Item) (Outcome, error) {
	in := it.Intent
	o := Outcome{Key: it.Key, Kind: it.Kind, Verb: in.Verb}
	if in.Verb == Create {
		hit, err := c.search(ctx, it, in.Doc, true)
		// Before that request was sent the target had none, so one that matches now is ours even if the target does
		// not tell its externalId. One that carries another externalId is not.
		if err != nil || hit == nil || !hit.ours && (hit.resource.ExternalID != "" || !in.Looked) {
			return o, err
		}
		link := Link{Key: it.Key, Kind: it.Kind, Target: hit.resource.ID, State: Linked, Provenance: Created, Doc: in.Doc, Since: c.now}
		e := c.entry(it, Change{Verb: Create, Kind: it.Kind, Key: it.Key, Target: hit.resource.ID, Reason: "the answer of an earlier request was lost; the target has the object"}, Success)
		o.Link, o.NewLink, o.Log = &link, true, &e
		it.Link = &link
		return o, nil
	}
	if it.Link == nil {
		return o, nil
	}
	got, err := c.get(ctx, it)
	if troubleOf(err) == Missing && err != nil {
		e := c.entry(it, Change{Verb: in.Verb, Kind: it.Kind, Key: it.Key, Target: it.Link.Target, Reason: "the answer of an earlier request was lost; the target no longer has the object"}, Success)
		o.Drop, o.Log = true, &e
		it.Link = nil
		return o, nil
	}
	if err != nil {
		return o, err
	}
	// What the ledger knew and what was asked for may both be wrong: the target says what it is.
	doc := map[string]any{}
	for _, name := range union(it.Link.Doc, in.Doc) {
		if v, ok := got[name]; ok {
			doc[name] = v
		}
	}
	it.Link.Doc = doc
	o.Link = it.Link
	return o, nil
}

func (c *cycle) get(ctx context.Context, it *Item) (map[string]any, error) {
	var doc map[string]any
	err := c.send(ctx, true, func(ctx context.Context) error {
		r, err := c.Target.Get(ctx, typeOf(it.Kind), it.Link.Target)
		doc = document(&r)
		return err
	})
	return doc, err
}
