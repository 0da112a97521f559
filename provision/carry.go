package provision

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/provost-scim/provost/scim"
)

// How often and with which pauses a request is repeated that the target did not take.
const (
	sendAttempts = 4
	firstPause   = 250 * time.Millisecond
	// longestPause is the longest time that the target may ask to be left alone for within a cycle; beyond it the
	// object goes to escrow.
	longestPause = 2 * time.Minute
)

// send makes one request within the time that the lease is safe. It repeats what the target did not take, and what is
// safe to repeat if nobody knows whether the target took it.
func (c *cycle) send(ctx context.Context, repeatable bool, fn func(context.Context) error) error {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		if err := c.ready(ctx); err != nil {
			return err
		}
		one, cancel := context.WithTimeout(ctx, RequestTime)
		err := fn(one)
		cancel()
		t := troubleOf(err)
		c.mu.Lock()
		if err != nil && (t == Down || t == Unknown) {
			c.down++
		} else {
			c.down = 0
		}
		c.mu.Unlock()
		if err == nil || t != Down && !(t == Unknown && repeatable) || attempt == sendAttempts {
			return err
		}
		wait := pause
		if e, ok := errors.AsType[*TargetError](err); ok && e.After > 0 {
			if e.After > longestPause {
				return err
			}
			wait = e.After
		}
		pause *= 3
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return withheld(context.Cause(ctx))
		}
	}
}

// ready says why nothing may be sent now.
func (c *cycle) ready(ctx context.Context) error {
	if err := c.stopped(ctx); err != nil {
		return withheld(err)
	}
	if !c.lease.safe() {
		return withheld(ErrFenced)
	}
	if c.givenUp() {
		return &TargetError{Trouble: Down, Msg: "nothing was sent: the target did not take the requests before"}
	}
	return nil
}

// givenUp says whether so many requests failed in a row that this cycle asks the target no more.
func (c *cycle) givenUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.down >= downLimit
}

func withheld(err error) error {
	return &TargetError{Trouble: Withheld, Msg: "nothing was sent", Err: err}
}

// found is an object of the target that may be the one we mean.
type found struct {
	resource scim.Resource
	ours     bool // it carries our externalId
	by       string
}

// search looks for an object by externalId if first is set, and by the match attributes of its kind. It returns nil if
// the target has none, and looks at what it gets: a target may ignore the filter.
func (c *cycle) search(ctx context.Context, it *Item, doc scim.Object, byExternal bool) (*found, error) {
	typ := typeOf(it.Kind)
	attrs := c.Mapper.Matches(it.Kind)
	if byExternal {
		attrs = append([]string{"externalId"}, attrs...)
	}
	for _, attr := range attrs {
		value := matchValue(doc, attr)
		if value == "" {
			continue
		}
		var list []scim.Resource
		err := c.send(ctx, true, func(ctx context.Context) (err error) {
			list, err = c.Target.Find(ctx, typ, attr, value)
			return err
		})
		if err != nil {
			return nil, err
		}
		var hits []found
		for _, r := range list {
			has := matchValue(document(&r), attr)
			if has == value || attr != "externalId" && scim.Fold(has) == scim.Fold(value) {
				hits = append(hits, found{resource: r, ours: r.ExternalID != "" && r.ExternalID == doc["externalId"], by: attr})
			}
		}
		switch len(hits) {
		case 0:
			continue
		case 1:
			return &hits[0], nil
		}
		return nil, &TargetError{Trouble: Conflict, Msg: fmt.Sprintf("the target has %d objects with %s %s", len(hits), attr, scim.Quote(value))}
	}
	return nil, nil
}

// valuePath is a match attribute within a list: emails[type eq "work"].value.
var valuePath = regexp.MustCompile(`^(\w+)\[(\w+) eq "([^"]*)"\]\.(\w+)$`)

// matchValue is the value of a match attribute, "" if there is none.
func matchValue(doc scim.Object, attr string) string {
	m := valuePath.FindStringSubmatch(attr)
	if m == nil {
		s, _ := get(doc, attr).(string)
		return s
	}
	list, _ := doc[m[1]].([]any)
	for _, e := range list {
		o, _ := e.(scim.Object)
		if by, _ := o[m[2]].(string); strings.EqualFold(by, m[3]) {
			s, _ := o[m[4]].(string)
			return s
		}
	}
	return ""
}

// lookFor asks the target before something is created whether it is there already.
func (c *cycle) lookFor(ctx context.Context, j *job) {
	if j.ch.Verb != Create {
		return
	}
	hit, err := c.search(ctx, j.it, j.ch.doc, false)
	if err != nil {
		c.fail(j, err)
		return
	}
	if hit != nil {
		c.takeOver(ctx, j, hit)
	}
}

// takeOver makes of a create that met an object an adoption, or parks it.
func (c *cycle) takeOver(ctx context.Context, j *job, hit *found) {
	if other, err := c.owned(ctx, j, hit.resource.ID); err != nil || other {
		if err == nil {
			err = &TargetError{Trouble: Conflict, Msg: fmt.Sprintf("the object with this %s belongs to another object of the source", hit.by)}
		}
		c.fail(j, err)
		return
	}
	j.ch.Target = hit.resource.ID
	if !hit.ours && c.Channel.Spec.Rules.Existing != "adopt" {
		j.ch.Verb, j.send = Park, false
		j.ch.Reason = fmt.Sprintf("the target has an object with this %s that the channel did not make; it is not touched (rules.existing: adopt takes it over)", hit.by)
		e := c.entry(j.it, j.ch, Skipped)
		e.Changes = nil
		j.outcome.Log = &e
		j.outcome.Retry = &Retry{Attempts: j.it.Attempts + 1, At: c.Now().Add(retryAfter(j.it.Attempts + 1)), Problem: j.ch.Reason}
		if j.it.Problem == j.ch.Reason {
			j.outcome.Log = nil
		}
		c.count(&j.ch)
		return
	}
	j.ch.Verb, j.found = Adopt, hit
	j.ch.Reason = fmt.Sprintf("the target has it already, found by %s", hit.by)
	have := scim.Object{}
	all := document(&hit.resource)
	for name := range j.ch.doc {
		if v, ok := all[name]; ok {
			have[name] = v
		}
	}
	ops, values := compare(have, j.ch.doc)
	j.ch.ops = ops
	j.ch.show(values)
}

// owned says whether the ledger holds the id for another object.
func (c *cycle) owned(ctx context.Context, j *job, id string) (bool, error) {
	key, err := c.State.Owner(ctx, c.Channel.ID, j.it.Kind, id)
	return key != "" && key != j.it.Key, err
}

// carryOut makes the request of a change.
func (c *cycle) carryOut(ctx context.Context, j *job) {
	switch j.ch.Verb {
	case Create:
		c.create(ctx, j)
	case Delete:
		c.remove(ctx, j)
	default:
		c.change(ctx, j)
	}
}

func (c *cycle) create(ctx context.Context, j *job) {
	var made scim.Resource
	err := c.send(ctx, false, func(ctx context.Context) (err error) {
		made, err = c.Target.Create(ctx, resource(typeOf(j.it.Kind), j.ch.doc))
		return err
	})
	if err == nil {
		if made.ID == "" {
			err = &TargetError{Trouble: Unknown, Msg: "the target answered the create without an id"}
		} else {
			c.succeed(j, made.ID)
			return
		}
	}
	switch troubleOf(err) {
	case Conflict:
		hit, other := c.search(ctx, j.it, j.ch.doc, true)
		if other != nil || hit == nil {
			c.fail(j, errors.Join(err, other))
			return
		}
		if c.takeOver(ctx, j, hit); j.ch.Verb == Adopt {
			c.change(ctx, j)
		}
	case Unknown:
		// The answer was lost: look before anything is sent again.
		if hit, other := c.search(ctx, j.it, j.ch.doc, true); other == nil && hit != nil {
			c.succeed(j, hit.resource.ID)
			return
		}
		c.fail(j, err)
		j.outcome.Open = true
	default:
		c.fail(j, err)
	}
}

// change sends an update, a disable, an enable or an adoption.
func (c *cycle) change(ctx context.Context, j *job) {
	if len(j.ch.ops) > 0 {
		r := resource(typeOf(j.it.Kind), j.ch.doc)
		r.ID = j.ch.Target
		err := c.send(ctx, true, func(ctx context.Context) error { return c.Target.Update(ctx, r, j.ch.ops) })
		switch {
		case err == nil:
		case troubleOf(err) == Missing && j.it.Link != nil:
			c.lost(j)
			return
		default:
			c.fail(j, err)
			j.outcome.Open = troubleOf(err) == Unknown || troubleOf(err) == Down
			return
		}
	}
	c.succeed(j, j.ch.Target)
}

// lost notes that the target no longer has an object that the ledger holds: it is forgotten, and made again in the next
// cycle if it is still wanted.
func (c *cycle) lost(j *job) {
	e := c.entry(j.it, j.ch, Failure)
	e.Error = "the target no longer has the object; it is created again if it is in scope"
	j.outcome.Log, j.outcome.Drop, j.send = &e, true, false
}

func (c *cycle) remove(ctx context.Context, j *job) {
	err := c.send(ctx, true, func(ctx context.Context) error { return c.Target.Delete(ctx, typeOf(j.it.Kind), j.ch.Target) })
	if err != nil && troubleOf(err) != Missing {
		c.fail(j, err)
		return
	}
	c.succeed(j, j.ch.Target)
	j.outcome.Link, j.outcome.Drop, j.outcome.Done = nil, true, true
}
