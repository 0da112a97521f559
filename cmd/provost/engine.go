package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"time"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/notify"
	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/scimclient"
	"github.com/provost-scim/provost/store"
)

// discard is a log that nobody reads: a command says what it has to say itself.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// holder names this process among those that take leases.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), newID())
}

// engineOf joins a channel's source, mapping and target; done closes them.
func engineOf(ctx context.Context, db *store.DB, c provision.Channel, who string, log *slog.Logger) (e *provision.Engine, done func(), err error) {
	s, err := db.Source(ctx, c.Spec.Source)
	if errors.Is(err, provision.ErrNotFound) {
		return nil, nil, fmt.Errorf("source: there is no source %q", c.Spec.Source)
	}
	if err != nil {
		return nil, nil, err
	}
	src, err := openSource(s.Spec)
	if err != nil {
		return nil, nil, fmt.Errorf("source %s: %w", s.Name, err)
	}
	m, err := newMapper(c.Spec.Mapping, itemOfSource(s).Kind)
	if err != nil {
		return nil, nil, fmt.Errorf("mapping: %w", err)
	}
	client, err := newClient(c.Spec.Target)
	if err != nil {
		return nil, nil, fmt.Errorf("target: %w", err)
	}
	sum := sha256.Sum256(s.Spec)
	return &provision.Engine{State: db, Channel: c, Source: src, Origin: s.Name + ":" + hex.EncodeToString(sum[:8]), Target: target{client},
		Mapper: m, Holder: who, Now: time.Now, Log: log}, client.Close, nil
}

// newClient makes the client of a channel's target.
func newClient(spec json.RawMessage) (*scimclient.Client, error) {
	config, err := scimclient.ParseConfig(spec)
	if err != nil {
		return nil, err
	}
	return scimclient.New(config, scimclient.Options{})
}

// target is a scimclient.Client as the engine sees it: what failed is classed by what it means for a cycle.
type target struct{ *scimclient.Client }

func (t target) Limits() provision.Limits {
	l := t.Client.Limits()
	return provision.Limits{Members: l.Members, Parallel: l.Parallel}
}

func (t target) Find(ctx context.Context, typ, attr, value string) ([]scim.Resource, error) {
	list, err := t.Client.Find(ctx, typ, attr, value)
	return list, classed(err)
}

func (t target) Get(ctx context.Context, typ, id string) (scim.Resource, error) {
	r, err := t.Client.Get(ctx, typ, id)
	return r, classed(err)
}

func (t target) Create(ctx context.Context, r scim.Resource) (scim.Resource, error) {
	made, err := t.Client.Create(ctx, r)
	return made, classed(err)
}

func (t target) Update(ctx context.Context, r scim.Resource, ops []scim.Op) error {
	return classed(t.Client.Update(ctx, r, ops))
}

func (t target) Members(ctx context.Context, group string, add, remove []string) error {
	return classed(t.Client.Members(ctx, group, add, remove))
}

func (t target) Delete(ctx context.Context, typ, id string) error {
	return classed(t.Client.Delete(ctx, typ, id))
}

// classed says what an error of the client means.
func classed(err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*scimclient.Error](err)
	if !ok {
		return &provision.TargetError{Trouble: provision.Invalid, Msg: err.Error()}
	}
	out := &provision.TargetError{Trouble: provision.Invalid, Msg: e.Error(), After: e.RetryAfter}
	switch {
	case e.Denied():
		out.Trouble = provision.Denied
	case e.Unknown:
		out.Trouble = provision.Unknown
	case e.Conflict():
		out.Trouble = provision.Conflict
	case e.Missing():
		out.Trouble = provision.Missing
	case e.Retryable():
		out.Trouble = provision.Down
	}
	return out
}

// noticeFlags say how people are told.
type noticeFlags struct {
	SMTPHost string `name:"smtp-host" placeholder:"HOST" help:"SMTP server for the mails of channels; without it none are sent."`
	SMTPPort int    `name:"smtp-port" default:"587" placeholder:"N" help:"Its port."`
	SMTPFrom string `name:"smtp-from" placeholder:"ADDR" help:"Sender of the mails."`
	SMTPUser string `name:"smtp-user" placeholder:"NAME" help:"User to sign in as; its password is PROVOST_SMTP_PASSWORD or PROVOST_SMTP_PASSWORD_FILE."`
	SMTPTLS  string `name:"smtp-tls" enum:"starttls,tls,none" default:"starttls" help:"How the connection is encrypted: ${enum}."`
}

// teller sends the notices of channels.
func (f noticeFlags) teller() func(context.Context, provision.Notify, provision.Notice) error {
	return func(ctx context.Context, to provision.Notify, n provision.Notice) error {
		var errs []error
		if len(to.Mail) > 0 {
			password, err := secretFromEnv("PROVOST_SMTP_PASSWORD")
			if err != nil {
				return err
			}
			m := notify.Mail{Host: f.SMTPHost, Port: f.SMTPPort, From: f.SMTPFrom, User: f.SMTPUser, Password: password, TLS: f.SMTPTLS}
			errs = append(errs, m.Send(ctx, to.Mail, n.Subject, n.Text))
		}
		if to.Webhook != "" {
			errs = append(errs, notify.Webhook(ctx, to.Webhook, n))
		}
		return errors.Join(errs...)
	}
}

// secretFromEnv reads a secret from a variable, or from the file that its twin names.
func secretFromEnv(name string) (string, error) {
	if file := os.Getenv(name + "_FILE"); file != "" {
		text, err := os.ReadFile(file)
		return string(bytesTrim(text)), err
	}
	return os.Getenv(name), nil
}

func bytesTrim(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// diffJSON is what changed between two configurations, by top-level key. Neither holds a secret.
func diffJSON(before, after json.RawMessage) json.RawMessage {
	var a, b map[string]any
	_ = json.Unmarshal(before, &a) // none before
	_ = json.Unmarshal(after, &b)
	d := audit.Diff{}
	for name, v := range a {
		if !reflect.DeepEqual(v, b[name]) {
			d[name] = audit.Values{Before: v, After: b[name]}
		}
	}
	for name, v := range b {
		if _, was := a[name]; !was {
			d[name] = audit.Values{After: v}
		}
	}
	out, err := json.Marshal(d)
	if err != nil {
		return nil
	}
	return out
}
