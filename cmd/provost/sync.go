package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/provost-scim/provost/provision"
)

type planCmd struct{ channelFlags }

// engine opens a channel's store and joins its parts.
func (f channelFlags) engine(ctx context.Context) (*provision.Engine, func(), error) {
	db, ch, err := f.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	e, done, err := engineOf(ctx, db, ch, holder(), discard())
	if err != nil {
		db.Close()
		return nil, nil, &failure{what: "the channel cannot be run", err: err, next: "provost channel edit " + ch.Name + " -f FILE"}
	}
	return e, func() { done(); db.Close() }, nil
}

// Run prints the plan; exit code 3 says that there is something to do.
func (c *planCmd) Run(ctx context.Context, t *terminal) error {
	e, done, err := c.engine(ctx)
	if err != nil {
		return err
	}
	defer done()
	p, err := e.Plan(ctx)
	if err != nil {
		return c.explain(err)
	}
	if t.form == "table" {
		err = printPlan(t, p)
	} else {
		err = t.show(p)
	}
	if err == nil && p.Pending() {
		return exitRequest(exitPending)
	}
	return err
}

// explain adds the next step to what went wrong with a cycle.
func (f channelFlags) explain(err error) error {
	_, stale := errors.AsType[*provision.StalePlan](err)
	_, unread := errors.AsType[*provision.SourceError](err)
	te, atTarget := errors.AsType[*provision.TargetError](err)
	switch {
	case errors.Is(err, provision.ErrHeld):
		return &failure{what: "channel " + f.Channel + " is at work in another process", kept: "nothing was done", next: "try again in a moment, or provost channel pause " + f.Channel}
	case stale:
		return &failure{what: "the plan is refused", err: err, kept: "nothing was sent", next: "provost plan " + f.Channel + " -o json makes a new one"}
	case unread:
		return &failure{what: "the cycle ended", err: err, kept: "nothing was believed and nothing was sent", next: "provost source test"}
	case atTarget && te.Trouble == provision.Denied:
		return &failure{what: "the cycle ended", err: err, kept: "nothing was removed", next: "check the credentials of the channel's target"}
	case atTarget:
		return &failure{what: "the cycle ended", err: err, kept: "what was sent before is kept, and the next cycle goes on", next: "provost channel show " + f.Channel}
	}
	return err
}

func printPlan(t *terminal, p *provision.Plan) error {
	l := t.list("action", "kind", "object", "reason", "detail")
	for _, ch := range p.Changes {
		verb := string(ch.Verb)
		if ch.Held != "" {
			verb = "held: " + verb
		}
		if ch.Error != "" {
			verb = "failed"
		}
		if err := l.row(ch, verb, string(ch.Kind), ch.Title, ch.Reason, detail(ch)); err != nil {
			return err
		}
	}
	if err := l.end("nothing is to be done"); err != nil {
		return err
	}
	t.note("%s", countsText(p.Counts))
	g := p.Guard
	t.note("guard: %d objects and %d memberships are to be removed; %d and %d were in the last 24 hours; %d and %d are allowed",
		g.Sums.Objects, g.Sums.Memberships, g.DaySums.Objects, g.DaySums.Memberships, g.Limits.Objects, g.Limits.Memberships)
	for _, rule := range []string{g.Objects, g.Memberships} {
		if rule != "" {
			t.note("held: %s; next: provost removals list %s", rule, p.Channel)
		}
	}
	return nil
}

// detail is what a change does, on one line.
func detail(ch provision.Change) string {
	var parts []string
	for _, v := range ch.Values {
		old, now := "none", "none"
		if v.Old != nil {
			old = brief(v.Old)
		}
		if v.New != nil {
			now = brief(v.New)
		}
		if ch.Verb == provision.Create {
			parts = append(parts, v.Path+"="+now)
		} else {
			parts = append(parts, v.Path+": "+old+" → "+now)
		}
	}
	if len(ch.Add) > 0 {
		parts = append(parts, fmt.Sprintf("+%d members", len(ch.Add)))
	}
	if len(ch.Remove) > 0 {
		parts = append(parts, fmt.Sprintf("-%d members", len(ch.Remove)))
	}
	if ch.Held != "" {
		parts = append(parts, "("+ch.Held+")")
	}
	if ch.Error != "" {
		parts = append(parts, ch.Error)
	}
	return strings.Join(parts, ", ")
}

// brief is a value on a line.
func brief(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

func countsText(c provision.Counts) string {
	var parts []string
	for _, verb := range slices.Sorted(maps.Keys(c)) {
		if c[verb] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", verb, c[verb]))
		}
	}
	if len(parts) == 0 {
		return "nothing was to be done"
	}
	return strings.Join(parts, ", ")
}

type syncCmd struct {
	channelFlags
	Plan string `placeholder:"FILE" help:"Carry out exactly this plan (of provost plan -o json), or refuse because something moved on."`
}

// maxPlanFile bounds a plan file, in bytes.
const maxPlanFile = 1 << 30

func (c *syncCmd) Run(ctx context.Context, t *terminal) error {
	var p *provision.Plan
	if c.Plan != "" {
		text, err := t.readFile(c.Plan, maxPlanFile)
		if err != nil {
			return err
		}
		p = &provision.Plan{}
		if err := json.Unmarshal(text, p); err != nil || p.Channel == "" {
			return &failure{what: c.Plan + " is no plan", err: err, kept: "nothing was sent", next: "provost plan " + c.Channel + " -o json > FILE", code: exitUsage}
		}
	}
	e, done, err := c.engine(ctx)
	if err != nil {
		return err
	}
	defer done()
	show := &progress{t: t, start: time.Now()}
	e.Progress = show.tell
	var st provision.Status
	if p != nil {
		st, err = e.Apply(ctx, p)
	} else {
		st, err = e.Run(ctx)
	}
	show.end()
	if err != nil {
		return c.explain(err)
	}
	err = t.show(st, field{"cycle", fmt.Sprint(st.Cycle)}, field{"result", st.Result}, field{"done", countsText(st.Counts)},
		field{"took", st.Ended.Sub(st.Started).Round(time.Millisecond).String()}, field{"problem", st.Problem})
	if err == nil && st.Result != "done" {
		return &failure{what: st.Problem, next: "provost log provisioning " + c.Channel + " --status failure " + c.flag()}
	}
	return err
}

// progress shows how far a cycle is, on a terminal in one line that is written over.
type progress struct {
	t     *terminal
	start time.Time
	last  time.Time
	step  string
	began time.Time
	open  bool
}

// progressEvery is how often the line is written.
const progressEvery = 500 * time.Millisecond

func (p *progress) tell(at provision.Progress) {
	now := time.Now()
	if at.Step != p.step {
		p.step, p.began, p.last = at.Step, now, time.Time{}
	}
	if now.Sub(p.last) < progressEvery {
		return
	}
	p.last = now
	text := fmt.Sprintf("%s %d", at.Step, at.Done)
	if at.All > at.Done {
		text += fmt.Sprintf(" of %d", at.All)
	}
	if spent := now.Sub(p.began).Seconds(); spent > 0.5 && at.Done > 0 {
		rate := float64(at.Done) / spent
		text += fmt.Sprintf(", %.0f/s", rate)
		if at.All > at.Done {
			text += fmt.Sprintf(", %s left", time.Duration(float64(at.All-at.Done)/rate*float64(time.Second)).Round(time.Second))
		}
	}
	if isTerminal(p.t.err) {
		fmt.Fprintf(p.t.err, "\r\x1b[K%s", text)
		p.open = true
		return
	}
	p.t.note("%s", text)
}

func (p *progress) end() {
	if p.open {
		fmt.Fprintln(p.t.err)
	}
}
