package main

import (
	"context"
	"fmt"
)

type tryCmd struct {
	channelFlags
	Object string `arg:"" name:"user" help:"The person or group: its key, its name in the source, or a value that it has, such as its user name or mail address."`
	Live   bool   `help:"Do it: send what is planned for this object."`
}

// Run shows the six steps of one object: import, scope, match, plan, reference, export.
func (c *tryCmd) Run(ctx context.Context, t *terminal) error {
	e, done, err := c.engine(ctx)
	if err != nil {
		return err
	}
	defer done()
	steps, err := e.Try(ctx, c.Object, c.Live)
	failed := false
	if t.form != "table" {
		if other := t.show(steps); err == nil {
			err = other
		}
		for _, s := range steps {
			failed = failed || !s.OK
		}
	} else {
		for i, s := range steps {
			mark := "ok"
			if !s.OK {
				mark, failed = "no", true
			}
			fmt.Fprintf(t.out, "%d %-9s  %s  %s\n", i+1, s.Name, mark, printable(s.Result))
			for _, d := range s.Detail {
				fmt.Fprintf(t.out, "               %s\n", printable(d))
			}
		}
	}
	if err != nil {
		return c.explain(err)
	}
	if failed {
		return exitRequest(exitPending)
	}
	return nil
}
