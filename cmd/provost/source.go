package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/source"
	"github.com/provost-scim/provost/source/csv"
	"github.com/provost-scim/provost/source/ldap"
)

type sourceCmd struct {
	Add    sourceAddCmd    `cmd:"" help:"Keep a source from a YAML file, after it was tested. A source of that name is replaced."`
	List   sourceListCmd   `cmd:"" help:"List the sources."`
	Show   sourceShowCmd   `cmd:"" help:"Show the configuration of a source."`
	Test   sourceTestCmd   `cmd:"" help:"Connect and show what was asked and answered, and how changes will be found."`
	Browse sourceBrowseCmd `cmd:"" help:"Show some of the people or groups that the source has."`
	Count  sourceCountCmd  `cmd:"" help:"Count the people and groups that a full read would hand over."`
	Delete sourceDeleteCmd `cmd:"" help:"Forget a source that no channel reads."`
}

// maxConfigFile bounds the file of a source or channel, in bytes.
const maxConfigFile = 1 << 20

// openSource makes the reader of a source from its configuration. Unknown keys are errors.
func openSource(spec json.RawMessage) (source.Source, error) {
	var head map[string]any
	if err := yaml.Unmarshal(spec, &head); err != nil {
		return nil, fmt.Errorf("the configuration of the source cannot be read: %w", err)
	}
	kind, _ := head["kind"].(string)
	delete(head, "kind")
	rest, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "ldap":
		var c ldap.Config
		if err := yaml.UnmarshalWithOptions(rest, &c, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("the configuration of the source cannot be read: %w", err)
		}
		s, err := ldap.New(c)
		if err != nil {
			return nil, err
		}
		return s, nil
	case "csv":
		var c csv.Config
		if err := yaml.UnmarshalWithOptions(rest, &c, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("the configuration of the source cannot be read: %w", err)
		}
		s, err := csv.New(c)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	return nil, fmt.Errorf("kind: %q is none of ldap, csv", kind)
}

// readConfig reads a YAML or JSON file as JSON.
func (t *terminal) readConfig(name string) (json.RawMessage, error) {
	text, err := t.readFile(name, maxConfigFile)
	if err != nil {
		return nil, err
	}
	out, err := yaml.YAMLToJSON(text)
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(out), []byte("{")) {
		return nil, &failure{what: name + " is no YAML mapping", err: err, kept: "nothing was changed", code: exitUsage}
	}
	return bytes.TrimSpace(out), nil
}

type sourceAddCmd struct {
	storeFlags
	Name  string `arg:"" help:"Name of the source: a-z, 0-9 and -."`
	File  string `short:"f" required:"" placeholder:"FILE" help:"YAML file with \"kind: ldap\" or \"kind: csv\" and its keys, - for standard input."`
	Force bool   `help:"Keep it although the test fails."`
}

func (c *sourceAddCmd) Run(ctx context.Context, t *terminal) error {
	if err := provision.CheckName(c.Name); err != nil {
		return usage("provost source add --help", "%s", err)
	}
	spec, err := t.readConfig(c.File)
	if err != nil {
		return err
	}
	src, err := openSource(spec)
	if err != nil {
		return &failure{what: "the source is refused", err: err, kept: "nothing was changed", code: exitUsage}
	}
	db, err := c.openAny(ctx, c.Database == "", discard())
	if err != nil {
		return err
	}
	defer db.Close()
	if err := testSource(ctx, t, src); err != nil && !c.Force {
		return &failure{what: "the test of the source failed", err: err, kept: "nothing was saved", next: "put it right, or keep it all the same with --force"}
	}
	old, err := db.Source(ctx, c.Name)
	action := audit.Configure
	if err != nil && !errors.Is(err, provision.ErrNotFound) {
		return err
	}
	change := diffJSON(old.Spec, spec)
	e := audit.Event{Actor: actor(), Action: action, Type: "Source", ID: c.Name, Name: c.Name, Change: change}
	if err := db.SaveSource(ctx, provision.Source{Name: c.Name, Spec: spec, Version: old.Version}, e); err != nil {
		return err
	}
	t.note("source %s was saved; next: provost source browse %s %s", c.Name, c.Name, c.flag())
	return nil
}

// testSource prints what a source was asked and what it answered.
func testSource(ctx context.Context, t *terminal, src source.Source) error {
	report, err := src.Test(ctx)
	for _, l := range report.Lines {
		mark := "ok "
		if !l.OK {
			mark = "!! "
		}
		t.note("%s %s: %s", mark, l.Asked, l.Answered)
	}
	if report.Feed != "" {
		t.note("ok  feed: %s, because %s", report.Feed, report.Reason)
	}
	return err
}

// namedSource opens a kept source.
func (f storeFlags) namedSource(ctx context.Context, name string) (source.Source, func() error, error) {
	db, err := f.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := db.Source(ctx, name)
	if errors.Is(err, provision.ErrNotFound) {
		err = &failure{what: fmt.Sprintf("there is no source %q", name), next: "provost source list " + f.flag()}
	}
	var src source.Source
	if err == nil {
		src, err = openSource(s.Spec)
	}
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	return src, db.Close, nil
}

type sourceListCmd struct{ storeFlags }

// sourceItem is a source as it is printed.
type sourceItem struct {
	Name     string          `json:"name"`
	Kind     string          `json:"kind"`
	Modified time.Time       `json:"modified"`
	Version  int64           `json:"version"`
	Spec     json.RawMessage `json:"spec"`
}

func itemOfSource(s provision.Source) sourceItem {
	var head struct{ Kind string }
	_ = json.Unmarshal(s.Spec, &head) // it was checked when it was saved
	return sourceItem{s.Name, head.Kind, s.Modified, s.Version, s.Spec}
}

func (c *sourceListCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	all, err := db.Sources(ctx)
	if err != nil {
		return err
	}
	l := t.list("name", "kind", "modified", "version")
	for _, s := range all {
		item := itemOfSource(s)
		if err := l.row(item, item.Name, item.Kind, when(item.Modified), fmt.Sprint(item.Version)); err != nil {
			return err
		}
	}
	return l.end("there is no source yet; next: provost source add NAME -f FILE " + c.flag())
}

type sourceShowCmd struct {
	storeFlags
	Name string `arg:"" help:"The source."`
}

func (c *sourceShowCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := db.Source(ctx, c.Name)
	if errors.Is(err, provision.ErrNotFound) {
		return &failure{what: fmt.Sprintf("there is no source %q", c.Name), next: "provost source list " + c.flag()}
	}
	if err != nil {
		return err
	}
	if t.form == "table" {
		t.form = "yaml"
	}
	return t.show(s.Spec)
}

type sourceTestCmd struct {
	storeFlags
	Name string `arg:"" help:"The source."`
}

func (c *sourceTestCmd) Run(ctx context.Context, t *terminal) error {
	src, done, err := c.namedSource(ctx, c.Name)
	if err != nil {
		return err
	}
	defer done()
	report, err := src.Test(ctx)
	l := t.list("", "asked", "answered")
	for _, line := range report.Lines {
		mark := "ok"
		if !line.OK {
			mark = "failed"
		}
		if err := l.row(line, mark, line.Asked, line.Answered); err != nil {
			return err
		}
	}
	if end := l.end("nothing was asked"); end != nil {
		return end
	}
	if err != nil {
		return &failure{what: "the test of the source failed", err: err, code: exitPending}
	}
	t.note("feed: %s, because %s", report.Feed, report.Reason)
	return nil
}

type sourceBrowseCmd struct {
	storeFlags
	Name   string `arg:"" help:"The source."`
	Kind   string `enum:"person,group" default:"person" help:"What to show: ${enum}."`
	Filter string `placeholder:"FILTER" help:"Narrow it, in the language of the source (for LDAP a filter)."`
	Limit  int    `default:"20" placeholder:"N" help:"At most so many."`
}

func (c *sourceBrowseCmd) Run(ctx context.Context, t *terminal) error {
	src, done, err := c.namedSource(ctx, c.Name)
	if err != nil {
		return err
	}
	defer done()
	browser, ok := src.(source.Browser)
	if !ok {
		return usage("provost source count "+c.Name, "this kind of source cannot be browsed")
	}
	l := t.list("key", "name", "attributes", "members")
	err = browser.Browse(ctx, source.Kind(c.Kind), c.Filter, max(1, c.Limit), func(r source.Record) error {
		var names []string
		for name := range r.Attrs {
			names = append(names, name)
		}
		return l.row(r, r.Key, r.Name, fmt.Sprintf("%d: %s", len(names), summary(r)), fmt.Sprint(len(r.Members)))
	})
	if err != nil {
		return &failure{what: "the source cannot be browsed", err: err}
	}
	return l.end("nothing matches")
}

// summary is what people know a record by.
func summary(r source.Record) string {
	var parts []string
	for _, name := range []string{"samaccountname", "uid", "username", "mail", "email", "cn", "displayname"} {
		if v := r.Attrs[name]; len(v) > 0 {
			parts = append(parts, name+"="+v[0])
		}
	}
	return strings.Join(parts, " ")
}

type sourceCountCmd struct {
	storeFlags
	Name string `arg:"" help:"The source."`
}

func (c *sourceCountCmd) Run(ctx context.Context, t *terminal) error {
	src, done, err := c.namedSource(ctx, c.Name)
	if err != nil {
		return err
	}
	defer done()
	counter, ok := src.(source.Counter)
	if !ok {
		return usage("provost source browse "+c.Name, "this kind of source cannot be counted")
	}
	people, err := counter.Count(ctx, source.Person)
	if err != nil {
		return &failure{what: "the people cannot be counted", err: err}
	}
	groups, err := counter.Count(ctx, source.Group)
	if err != nil {
		return &failure{what: "the groups cannot be counted", err: err}
	}
	return t.show(map[string]int{"people": people, "groups": groups}, field{"people", fmt.Sprint(people)}, field{"groups", fmt.Sprint(groups)})
}

type sourceDeleteCmd struct {
	storeFlags
	Name string `arg:"" help:"The source."`
}

func (c *sourceDeleteCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.DeleteSource(ctx, c.Name, audit.Event{Actor: actor(), Action: audit.Delete, Type: "Source", ID: c.Name, Name: c.Name})
	switch {
	case errors.Is(err, provision.ErrNotFound):
		return &failure{what: fmt.Sprintf("there is no source %q", c.Name), next: "provost source list " + c.flag()}
	case errors.Is(err, provision.ErrExists):
		return &failure{what: "the source is in use", err: err, kept: "it was left as it is", next: "provost channel delete, or point the channel at another source"}
	}
	return err
}
