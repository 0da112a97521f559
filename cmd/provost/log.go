package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/provost-scim/provost/audit"
)

type logCmd struct {
	SCIM  logSCIMCmd  `cmd:"" name:"scim" help:"The request log: what came over SCIM and what was answered."`
	Audit logAuditCmd `cmd:"" help:"The change log: who changed what, and how it was before."`

	Provisioning logProvisioningCmd `cmd:"" help:"The provisioning log of a channel: what was sent, what failed, what was held, and why."`
}

// followEvery is how often a followed log is read again.
const followEvery = time.Second

type logSCIMCmd struct {
	tenantFlags
	Client    string `placeholder:"NAME" help:"Only this client, by name or id."`
	Status    int    `placeholder:"N" help:"Only this status, or 4 or 5 for its class."`
	Resource  string `placeholder:"ID" help:"Only requests about this resource."`
	Request   string `placeholder:"ID" help:"Only the request with this id (the X-Request-Id of the answer)."`
	Tolerance string `placeholder:"NAME" help:"Only requests in which this tolerance fired."`
	Limit     int    `default:"100" placeholder:"N" help:"Begin with the newest so many."`
	Bodies    bool   `help:"Show the bodies too; the forms other than table always hold them."`
	Follow    bool   `short:"f" help:"Go on with what comes, until interrupted."`
}

// requestItem is a line of the request log as it is printed.
type requestItem struct {
	Time       time.Time       `json:"time"`
	ID         string          `json:"id"`
	Client     string          `json:"client,omitempty"`
	ClientName string          `json:"clientName,omitempty"`
	Method     string          `json:"method"`
	Path       string          `json:"path"`
	Status     int             `json:"status"`
	Millis     float64         `json:"millis"`
	Resource   string          `json:"resource,omitempty"`
	Addr       string          `json:"address,omitempty"`
	Agent      string          `json:"agent,omitempty"`
	Tolerances []string        `json:"tolerances,omitempty"`
	Error      string          `json:"error,omitempty"`
	Body       json.RawMessage `json:"body,omitempty"`
	Answer     json.RawMessage `json:"answer,omitempty"`
}

func (c *logSCIMCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	filter := audit.RequestFilter{Resource: c.Resource, ID: c.Request, Status: c.Status, Tolerance: c.Tolerance}
	if c.Client != "" {
		client, err := r.client(ctx, c.tenantFlags, c.Client)
		if err != nil {
			return err
		}
		filter.Client = client.ID
	}
	l := t.list("time", "status", "method", "path", "client", "ms", "tolerances", "request")
	entries, err := r.db.Requests(ctx, r.tenant.ID, filter, time.Time{}, max(c.Limit, 1))
	if err != nil {
		return err
	}
	follow := follower{from: time.Now().Add(-late), shown: map[string]time.Time{}}
	for {
		for _, e := range slices.Backward(entries) {
			follow.shown[e.ID] = e.Time
			if err := c.print(t, l, e); err != nil {
				return err
			}
		}
		if !c.Follow {
			return l.end("no request was logged yet that matches")
		}
		if err := l.flush(); err != nil {
			return err
		}
		if !wait(ctx, followEvery) {
			return l.end("")
		}
		if entries, err = follow.next(ctx, r, filter); err != nil {
			return err
		}
	}
}

// late is how long after its request an entry may still appear in the log: nodes write it in batches.
const late = 30 * time.Second

// follower finds what is new in a request log.
type follower struct {
	from  time.Time            // nothing older is new any more
	shown map[string]time.Time // the entries since then that were shown, with their times
}

// next returns the entries that were not shown yet, newest first.
func (f *follower) next(ctx context.Context, r *room, filter audit.RequestFilter) (fresh []audit.Request, err error) {
	var before time.Time
	for {
		page, err := r.db.Requests(ctx, r.tenant.ID, filter, before, pageSize)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if _, known := f.shown[e.ID]; !known && !e.Time.Before(f.from) {
				fresh = append(fresh, e)
			}
		}
		if len(page) < pageSize || page[len(page)-1].Time.Before(f.from) {
			break
		}
		before = page[len(page)-1].Time
	}
	f.from = time.Now().Add(-late)
	maps.DeleteFunc(f.shown, func(_ string, at time.Time) bool { return at.Before(f.from) })
	return fresh, nil
}

func (c *logSCIMCmd) print(t *terminal, l *list, e audit.Request) error {
	item := requestItem{
		Time: e.Time, ID: e.ID, Client: e.Client, ClientName: e.ClientName, Method: e.Method, Path: e.Path, Status: e.Status,
		Millis: float64(e.Duration.Microseconds()) / 1000, Resource: e.Resource, Addr: e.Addr, Agent: e.Agent,
		Tolerances: e.Tolerances, Error: e.Error, Body: rawOrText(e.Body), Answer: rawOrText(e.Answer),
	}
	err := l.row(item, when(e.Time), strconv.Itoa(e.Status), e.Method, e.Path, e.ClientName,
		strconv.FormatFloat(item.Millis, 'f', 1, 64), strings.Join(e.Tolerances, ","), e.ID)
	if err != nil || !c.Bodies || t.form != "table" {
		return err
	}
	if err := l.flush(); err != nil {
		return err
	}
	for _, part := range []field{{"> ", e.Body}, {"< ", e.Answer}, {"! ", e.Error}} {
		if part.value != "" {
			fmt.Fprintln(t.out, "   ", part.name+printable(part.value))
		}
	}
	return nil
}

// rawOrText is text as JSON: itself if it is JSON, else a string; nil for none.
func rawOrText(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return nil
	}
	return quoted
}

// wait pauses for d; false if ctx ended meanwhile.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

type logAuditCmd struct {
	tenantFlags
	Type   string `placeholder:"TYPE" help:"Only changes of this type: User, Group, Tenant, Client, Token, Schema …"`
	ID     string `name:"id" placeholder:"ID" help:"Only changes of what has this id; needs --type."`
	After  int64  `placeholder:"N" help:"Only what is behind this position in the log."`
	Follow bool   `short:"f" help:"Go on with what comes, until interrupted."`
}

func (c *logAuditCmd) Run(ctx context.Context, t *terminal) error {
	if c.ID != "" && c.Type == "" {
		return usage("add --type User or --type Group", "--id needs --type")
	}
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	return r.events(ctx, t, c.Type, c.ID, c.After, c.Follow)
}

// history shows what happened to one resource.
func (r *room) history(ctx context.Context, t *terminal, typ, id string) error {
	return r.events(ctx, t, typ, id, 0, false)
}

// eventItem is an entry of the change log as it is printed.
type eventItem struct {
	Seq     int64           `json:"seq"`
	Time    time.Time       `json:"time"`
	Actor   actorItem       `json:"actor"`
	Action  string          `json:"action"`
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Name    string          `json:"name,omitempty"`
	Version int64           `json:"version,omitempty"`
	Change  json.RawMessage `json:"change,omitempty"`
}

type actorItem struct {
	Kind    string `json:"kind"`
	ID      string `json:"id,omitempty"`
	Name    string `json:"name,omitempty"`
	Request string `json:"request,omitempty"`
}

// events prints the change log behind a position, oldest first.
func (r *room) events(ctx context.Context, t *terminal, typ, id string, after int64, follow bool) error {
	l := t.list("seq", "time", "actor", "action", "type", "name", "version", "change")
	for {
		page, err := r.directory.History(ctx, typ, id, after, pageSize)
		if err != nil {
			return err
		}
		for _, e := range page {
			after = e.Seq
			item := eventItem{e.Seq, e.Time, actorItem(e.Actor), e.Action, e.Type, e.ID, e.Name, e.Version, e.Change}
			who := e.Actor.Kind
			if e.Actor.Name != "" {
				who += " " + e.Actor.Name
			}
			version := ""
			if e.Version > 0 {
				version = strconv.FormatInt(e.Version, 10)
			}
			if err := l.row(item, strconv.FormatInt(e.Seq, 10), when(e.Time), who, e.Action, e.Type, e.Name, version, clip(string(e.Change), 100)); err != nil {
				return err
			}
		}
		switch {
		case len(page) == pageSize:
			continue
		case !follow:
			return l.end("nothing was changed yet that matches")
		}
		if err := l.flush(); err != nil {
			return err
		}
		if !wait(ctx, followEvery) {
			return l.end("")
		}
	}
}
