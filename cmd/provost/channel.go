package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/store"
)

type channelCmd struct {
	Create channelCreateCmd `cmd:"" help:"Make a channel from a YAML file, paused, after its source and target were tested."`
	List   channelListCmd   `cmd:"" help:"List the channels and how they stand."`
	Show   channelShowCmd   `cmd:"" help:"Show how a channel stands: its last cycle, quarantine, what waits and what failed."`
	Edit   channelEditCmd   `cmd:"" help:"Replace the configuration of a channel by a YAML file. Removals that follow from it wait for a person."`
	Pause  channelPauseCmd  `cmd:"" help:"Stop a channel within 5 seconds; requests under way end."`
	Resume channelResumeCmd `cmd:"" help:"Let a channel run."`
	Reset  channelResetCmd  `cmd:"" help:"Forget how far the source was read, what failed, or the ledger."`
	Export channelExportCmd `cmd:"" help:"Print the configuration of a channel as a file that create and edit take."`
	Delete channelDeleteCmd `cmd:"" help:"Forget a channel. What it provisioned stays at the target."`
}

// parseChannel reads and checks the configuration of a channel.
func parseChannel(text json.RawMessage) (provision.Spec, error) {
	var spec provision.Spec
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&spec); err != nil {
		return spec, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if err := spec.Check(); err != nil {
		return spec, err
	}
	if _, err := newMapper(spec.Mapping, ""); err != nil {
		return spec, fmt.Errorf("mapping: %w", err)
	}
	client, err := newClient(spec.Target)
	if err != nil {
		return spec, fmt.Errorf("target: %w", err)
	}
	client.Close()
	return spec, nil
}

// readChannel reads the file of a channel.
func (t *terminal) readChannel(file string) (provision.Spec, error) {
	text, err := t.readConfig(file)
	if err != nil {
		return provision.Spec{}, err
	}
	spec, err := parseChannel(text)
	if err != nil {
		return spec, &failure{what: "the channel is refused", err: err, kept: "nothing was changed", code: exitUsage}
	}
	return spec, nil
}

// testChannel tests both ends of a channel and prints what was asked and answered.
func testChannel(ctx context.Context, t *terminal, db *store.DB, spec provision.Spec) error {
	s, err := db.Source(ctx, spec.Source)
	if errors.Is(err, provision.ErrNotFound) {
		return fmt.Errorf("source: there is no source %q", spec.Source)
	}
	if err != nil {
		return err
	}
	src, err := openSource(s.Spec)
	if err != nil {
		return err
	}
	if err := testSource(ctx, t, src); err != nil {
		return fmt.Errorf("source %s: %w", spec.Source, err)
	}
	client, err := newClient(spec.Target)
	if err != nil {
		return err
	}
	defer client.Close()
	report, err := client.Test(ctx)
	for _, l := range report.Lines {
		t.note("%-4s %s: %s", l.Verdict, l.Asked, l.Answered)
		if l.Next != "" {
			t.note("     next: %s", l.Next)
		}
	}
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	return nil
}

type channelCreateCmd struct {
	storeFlags
	Name   string `arg:"" help:"Name of the channel: a-z, 0-9 and -."`
	File   string `short:"f" required:"" placeholder:"FILE" help:"YAML file (see docs/channels.md), - for standard input."`
	Force  bool   `help:"Keep it although a test fails."`
	Active bool   `help:"Let it run at once, without a look at its plan."`
}

func (c *channelCreateCmd) Run(ctx context.Context, t *terminal) error {
	if err := provision.CheckName(c.Name); err != nil {
		return usage("provost channel create --help", "%s", err)
	}
	spec, err := t.readChannel(c.File)
	if err != nil {
		return err
	}
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Source(ctx, spec.Source); errors.Is(err, provision.ErrNotFound) {
		return &failure{what: fmt.Sprintf("source: there is no source %q", spec.Source), kept: "nothing was saved", next: "provost source add " + spec.Source + " -f FILE " + c.flag()}
	}
	if err := testChannel(ctx, t, db, spec); err != nil && !c.Force {
		return &failure{what: "the test of the channel failed", err: err, kept: "nothing was saved", next: "put it right, or keep it all the same with --force"}
	}
	_, err = db.SaveChannel(ctx, provision.Channel{Name: c.Name, Spec: spec, Paused: !c.Active},
		audit.Event{Actor: actor(), Action: audit.Create, Type: "Channel", ID: c.Name, Name: c.Name, Change: diffJSON(nil, specJSON(spec))})
	if errors.Is(err, provision.ErrExists) {
		return &failure{what: fmt.Sprintf("there is a channel %q already", c.Name), kept: "it was left as it is", next: "provost channel edit " + c.Name + " -f " + c.File}
	}
	if err != nil {
		return err
	}
	if c.Active {
		t.note("channel %s was saved and runs", c.Name)
		return nil
	}
	t.note("channel %s was saved, paused; next: provost plan %s %s, then provost channel resume %s", c.Name, c.Name, c.flag(), c.Name)
	return nil
}

func specJSON(spec provision.Spec) json.RawMessage {
	text, err := json.Marshal(spec)
	if err != nil {
		return nil
	}
	return text
}

// channelFlags name a channel in a store.
type channelFlags struct {
	storeFlags
	Channel string `arg:"" help:"The channel."`
}

// open opens the store and the channel; the caller closes the store.
func (f channelFlags) open(ctx context.Context) (*store.DB, provision.Channel, error) {
	db, err := f.storeFlags.open(ctx)
	if err != nil {
		return nil, provision.Channel{}, err
	}
	c, err := db.Channel(ctx, f.Channel)
	if errors.Is(err, provision.ErrNotFound) {
		err = &failure{what: fmt.Sprintf("there is no channel %q", f.Channel), next: "provost channel list " + f.flag()}
	}
	if err != nil {
		db.Close()
		return nil, c, err
	}
	return db, c, nil
}

type channelListCmd struct{ storeFlags }

// channelItem is a channel as it is printed.
type channelItem struct {
	Name     string             `json:"name"`
	Source   string             `json:"source"`
	Paused   bool               `json:"paused"`
	Interval provision.Duration `json:"interval"`
	Modified time.Time          `json:"modified"`
	Status   provision.Status   `json:"status"`
	Totals   provision.Totals   `json:"totals"`
	Position provision.Position `json:"position"`
	Waiting  int                `json:"waiting"` // removals that wait for a person
}

func itemOfChannel(ctx context.Context, db *store.DB, c provision.Channel) (item channelItem, err error) {
	item = channelItem{Name: c.Name, Source: c.Spec.Source, Paused: c.Paused, Interval: provision.Duration(c.Spec.Every()), Modified: c.Modified}
	if item.Status, err = db.Status(ctx, c.ID); err != nil {
		return item, err
	}
	if item.Totals, err = db.Totals(ctx, c.ID); err != nil {
		return item, err
	}
	if item.Position, err = db.Position(ctx, c.ID); err != nil {
		return item, err
	}
	held, err := db.Held(ctx, c.ID)
	for _, h := range held {
		if h.State == provision.Waiting {
			item.Waiting++
		}
	}
	return item, err
}

// state is how a channel stands in a word.
func (i *channelItem) state() string {
	switch {
	case i.Paused:
		return "paused"
	case i.Status.Quarantine != nil:
		return "quarantine"
	}
	return "active"
}

func (c *channelListCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	all, err := db.Channels(ctx)
	if err != nil {
		return err
	}
	l := t.list("name", "source", "state", "every", "last cycle", "result", "linked", "failing", "waiting")
	for _, ch := range all {
		item, err := itemOfChannel(ctx, db, ch)
		if err != nil {
			return err
		}
		err = l.row(item, item.Name, item.Source, item.state(), time.Duration(item.Interval).String(), when(item.Status.Ended), item.Status.Result,
			fmt.Sprint(item.Totals.Objects), fmt.Sprint(item.Totals.Escrow), fmt.Sprint(item.Waiting))
		if err != nil {
			return err
		}
	}
	return l.end("there is no channel yet; next: provost channel create NAME -f FILE " + c.flag())
}

type channelShowCmd struct{ channelFlags }

func (c *channelShowCmd) Run(ctx context.Context, t *terminal) error {
	db, ch, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	i, err := itemOfChannel(ctx, db, ch)
	if err != nil {
		return err
	}
	fields := []field{
		{"channel", i.Name}, {"source", i.Source}, {"state", i.state()}, {"every", time.Duration(i.Interval).String()},
		{"last cycle", strings.TrimSpace(fmt.Sprintf("%d %s %s", i.Status.Cycle, when(i.Status.Ended), i.Status.Result))},
		{"problem", i.Status.Problem},
	}
	if q := i.Status.Quarantine; q != nil {
		fields = append(fields, field{"quarantine", fmt.Sprintf("%s since %s, %d attempts, tried again at %s", q.Reason, when(q.Since), q.Attempts, when(q.Next))})
	}
	feed := i.Position.Feed
	if i.Position.Reason != "" {
		feed += ": " + i.Position.Reason
	}
	fields = append(fields,
		field{"in the source", fmt.Sprintf("%d people, %d groups", i.Totals.People, i.Totals.Groups)},
		field{"linked", fmt.Sprintf("%d objects, %d memberships, %d disabled", i.Totals.Objects, i.Totals.Memberships, i.Totals.Disabled)},
		field{"to do", fmt.Sprintf("%d objects, %d of them failed before", i.Totals.Dirty, i.Totals.Escrow)},
		field{"removed today", fmt.Sprintf("%d objects, %d memberships", i.Totals.DayObjects, i.Totals.DayMembers)},
		field{"removals that wait", fmt.Sprint(i.Waiting)},
		field{"feed", feed},
		field{"last full read", when(i.Position.FullAt)},
	)
	return t.show(i, fields...)
}

type channelEditCmd struct {
	channelFlags
	File  string `short:"f" required:"" placeholder:"FILE" help:"YAML file, - for standard input."`
	Force bool   `help:"Keep it although a test fails."`
}

func (c *channelEditCmd) Run(ctx context.Context, t *terminal) error {
	spec, err := t.readChannel(c.File)
	if err != nil {
		return err
	}
	db, ch, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := testChannel(ctx, t, db, spec); err != nil && !c.Force {
		return &failure{what: "the test of the channel failed", err: err, kept: "nothing was changed", next: "put it right, or keep it all the same with --force"}
	}
	change := diffJSON(specJSON(ch.Spec), specJSON(spec))
	ch.Spec = spec
	if _, err := db.SaveChannel(ctx, ch, channelEvent(ch, audit.Configure, change)); err != nil {
		return err
	}
	t.note("channel %s was changed; next: provost plan %s %s shows what follows from it. Removals wait for a person.", ch.Name, ch.Name, c.flag())
	return nil
}

func channelEvent(c provision.Channel, action string, change json.RawMessage) audit.Event {
	return audit.Event{Actor: actor(), Action: action, Type: "Channel", ID: c.Name, Name: c.Name, Change: change}
}

type channelPauseCmd struct{ channelFlags }

func (c *channelPauseCmd) Run(ctx context.Context, t *terminal) error { return c.set(ctx, true) }

type channelResumeCmd struct{ channelFlags }

func (c *channelResumeCmd) Run(ctx context.Context, t *terminal) error { return c.set(ctx, false) }

func (f channelFlags) set(ctx context.Context, paused bool) error {
	db, ch, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	was := ch.Paused
	ch.Paused = paused
	_, err = db.SaveChannel(ctx, ch, channelEvent(ch, audit.Configure, diffJSON(fmt.Appendf(nil, `{"paused":%v}`, was), fmt.Appendf(nil, `{"paused":%v}`, paused))))
	return err
}

type channelResetCmd struct {
	channelFlags
	What string `arg:"" enum:"position,failures,links" help:"What to forget: ${enum}. Without its links a channel owns nothing; it finds what it made by externalId."`
	Yes  bool   `help:"Do not ask before links are forgotten."`
}

func (c *channelResetCmd) Run(ctx context.Context, t *terminal) error {
	db, ch, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.What == "links" && !c.Yes {
		answer, err := t.ask(fmt.Sprintf("Forget all links of channel %s? Type its name: ", ch.Name))
		if err != nil || answer != ch.Name {
			return &failure{what: "not confirmed", kept: "nothing was changed", next: "add --yes in a script"}
		}
	}
	return db.Reset(ctx, ch.ID, provision.ResetWhat(c.What), channelEvent(ch, audit.Configure, fmt.Appendf(nil, `{"reset":{"after":%q}}`, c.What)))
}

type channelExportCmd struct{ channelFlags }

func (c *channelExportCmd) Run(ctx context.Context, t *terminal) error {
	db, ch, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if t.form == "table" {
		t.form = "yaml"
	}
	return t.show(ch.Spec)
}

type channelDeleteCmd struct {
	channelFlags
	Yes bool `help:"Do not ask."`
}

func (c *channelDeleteCmd) Run(ctx context.Context, t *terminal) error {
	db, ch, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if !c.Yes {
		answer, err := t.ask(fmt.Sprintf("Forget channel %s with its ledger and log? Type its name: ", ch.Name))
		if err != nil || answer != ch.Name {
			return &failure{what: "not confirmed", kept: "nothing was changed", next: "add --yes in a script"}
		}
	}
	return db.DeleteChannel(ctx, ch.ID, channelEvent(ch, audit.Delete, nil))
}
