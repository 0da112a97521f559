package main

import (
	"context"
	"fmt"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/provision"
)

type removalsCmd struct {
	List    removalsListCmd    `cmd:"" help:"List the removals that the guard holds, and what was said about them."`
	Approve removalsApproveCmd `cmd:"" help:"Let held removals go with the next cycle."`
	Reject  removalsRejectCmd  `cmd:"" help:"Leave the objects as they are at the target."`
}

type removalsListCmd struct{ channelFlags }

func (c *removalsListCmd) Run(ctx context.Context, t *terminal) error {
	db, ch, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	held, err := db.Held(ctx, ch.ID)
	if err != nil {
		return err
	}
	l := t.list("key", "action", "kind", "object", "state", "since", "reason", "held because")
	for _, h := range held {
		what := string(h.Verb)
		if n := len(h.Members); n > 0 {
			what = fmt.Sprintf("remove %d members", n)
		}
		if err := l.row(h, h.Key, what, string(h.Kind), h.Title, string(h.State), when(h.Since), h.Reason, h.Rule); err != nil {
			return err
		}
	}
	return l.end("no removal is held")
}

// decideFlags say which removals are decided.
type decideFlags struct {
	channelFlags
	Keys []string `arg:"" optional:"" name:"key" help:"Keys of the objects, from removals list."`
	All  bool     `help:"Everything that waits."`
}

func (f decideFlags) decide(ctx context.Context, t *terminal, state provision.HoldState) error {
	if f.All == (len(f.Keys) > 0) {
		return usage("provost removals list "+f.Channel, "name the objects by their keys, or everything with --all")
	}
	db, ch, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	keys := f.Keys
	if f.All {
		keys = nil
	}
	n, err := db.Decide(ctx, ch.ID, keys, state, channelEvent(ch, audit.Configure, fmt.Appendf(nil, `{"removals":{"after":%q}}`, state)))
	if err != nil {
		return err
	}
	if n == 0 {
		return &failure{what: "no removal of that key is held", next: "provost removals list " + f.Channel + " " + f.flag()}
	}
	t.note("%d removals are %s", n, state)
	return nil
}

type removalsApproveCmd struct{ decideFlags }

func (c *removalsApproveCmd) Run(ctx context.Context, t *terminal) error {
	return c.decide(ctx, t, provision.Approved)
}

type removalsRejectCmd struct{ decideFlags }

func (c *removalsRejectCmd) Run(ctx context.Context, t *terminal) error {
	return c.decide(ctx, t, provision.Rejected)
}
