package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/store"
)

type demoCmd struct {
	Listen string `placeholder:"ADDR" env:"-" help:"Loopback address to listen on; without it port 8080, or a free one."`
	Exit   bool   `help:"End after the show; without it the server stays up until it is interrupted."`
	Wide   bool   `help:"Show bodies whole."`
}

// demoTenant is the tenant of the demo.
const demoTenant = "acme"

// exchange is one request of the demo with its answer, as it is printed.
type exchange struct {
	Client string          `json:"client"`
	Why    string          `json:"why"`
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"`
	Status int             `json:"status"`
	Answer json.RawMessage `json:"answer,omitempty"`
	Millis float64         `json:"millis"`
}

func (c *demoCmd) Run(ctx context.Context, t *terminal) (err error) {
	listen, err := c.address()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "provost-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	where := storeFlags{Data: dir}
	log := slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	db, err := where.openAny(ctx, true, log)
	if err != nil {
		return err
	}
	defer db.Close()
	running, err := startServer(ctx, db, serverFlags{Listen: listen, OpsListen: "off"}, log)
	if err != nil {
		return err
	}
	defer func() {
		if stopped := running.stop(); err == nil {
			err = stopped
		}
	}()
	show := demo{t: t, wide: c.Wide, base: addressFlags{running.url}.scim(demoTenant), ids: map[string]string{}}
	if err := show.prepare(ctx, db); err != nil {
		return err
	}
	if err := show.play(ctx, demoScript); err != nil {
		return err
	}
	if t.form == "table" {
		if err := show.results(ctx, where); err != nil {
			return err
		}
	}
	if c.Exit {
		return nil
	}
	show.invite(where, running.url)
	select {
	case <-ctx.Done():
		t.note("stopping; the sample data is removed")
		return nil
	case err := <-running.failed:
		return err
	}
}

// address is where the demo listens: nobody but this machine may reach sample data with printed tokens.
func (c *demoCmd) address() (string, error) {
	if c.Listen == "" {
		const usual = "127.0.0.1:8080"
		l, err := net.Listen("tcp", usual)
		if err != nil {
			return "127.0.0.1:0", nil
		}
		return usual, l.Close()
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil || host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return "", usage("for example --listen 127.0.0.1:8080", "the demo listens on loopback only, not on %q", c.Listen)
	}
	return c.Listen, nil
}

// demo plays identity providers against a running server.
type demo struct {
	t      *terminal
	wide   bool
	base   string
	tokens map[string]string // by client
	ids    map[string]string // of what was made, by its name in the script
	list   *list             // for the machine-readable forms
}

// prepare makes the tenant and a client for each identity provider.
func (d *demo) prepare(ctx context.Context, db *store.DB) error {
	service := offlineAccess(db)
	tenant, err := service.CreateTenant(ctx, actor(), demoTenant, "Acme, a sample")
	if err != nil {
		return err
	}
	d.tokens = map[string]string{}
	for _, p := range []access.Profile{access.Entra, access.Okta, access.PingFederate} {
		_, token, err := service.CreateClient(ctx, actor(), tenant.ID, access.NewClient{Name: string(p), Profile: p})
		if err != nil {
			return err
		}
		d.tokens[string(p)] = token
	}
	if d.t.form != "table" {
		d.list = d.t.list()
		return nil
	}
	d.say("A tenant on sample data. What an identity provider asks for when you connect it:")
	d.say("")
	d.say("  SCIM URL  %s", d.base)
	for _, p := range []access.Profile{access.Entra, access.Okta, access.PingFederate} {
		d.say("  token     %s   (client %s)", d.tokens[string(p)], p)
	}
	return nil
}

// say prints a line of the show.
func (d *demo) say(format string, args ...any) {
	if d.t.form == "table" {
		fmt.Fprintf(d.t.out, format+"\n", args...)
	}
}

// play sends the script. The first answer that is not the expected one ends it.
func (d *demo) play(ctx context.Context, script []scene) error {
	for _, s := range script {
		d.say("\n%s", heading(d.t, s.title))
		for _, step := range s.steps {
			x, err := d.send(ctx, s.client, step)
			if err != nil {
				return err
			}
			if err := d.show(x); err != nil {
				return err
			}
			if x.Status != step.want {
				return &failure{what: fmt.Sprintf("%s %s was answered with %d, not with %d", x.Method, x.Path, x.Status, step.want),
					next: "please report this, it is a bug"}
			}
		}
	}
	if d.list != nil {
		return d.list.end("")
	}
	return nil
}

// send makes one request over HTTP, as the identity provider would.
func (d *demo) send(ctx context.Context, client string, s step) (exchange, error) {
	fill := strings.NewReplacer(d.replacements()...)
	x := exchange{Client: client, Why: s.why, Method: s.method, Path: fill.Replace(s.path)}
	var body io.Reader
	if s.body != "" {
		x.Body = json.RawMessage(fill.Replace(s.body))
		body = bytes.NewReader(x.Body)
	}
	r, err := http.NewRequestWithContext(ctx, x.Method, d.base+x.Path, body)
	if err != nil {
		return x, err
	}
	token := d.tokens[client]
	if s.token != "" {
		token = s.token
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/scim+json")
	r.Header.Set("User-Agent", "provost-demo/"+client)
	if body != nil {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	start := time.Now()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return x, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return x, err
	}
	x.Millis = float64(time.Since(start).Microseconds()) / 1000
	x.Status, x.Answer = answer.StatusCode, rawOrText(string(text))
	if s.keep != "" {
		var made struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(text, &made); err != nil {
			return x, fmt.Errorf("%s %s: %w", x.Method, x.Path, err)
		}
		d.ids[s.keep] = made.ID
	}
	return x, nil
}

// replacements turn {name} into the id of what was made under that name.
func (d *demo) replacements() []string {
	var pairs []string
	for name, id := range d.ids {
		pairs = append(pairs, "{"+name+"}", id)
	}
	return pairs
}

func (d *demo) show(x exchange) error {
	if d.list != nil {
		return d.list.row(x)
	}
	d.say("\n  # %s", x.Why)
	d.say("  > %s %s", x.Method, x.Path)
	if len(x.Body) > 0 {
		d.say("  > %s", d.clip(string(x.Body)))
	}
	d.say("  < %d %s  (%.1f ms)", x.Status, http.StatusText(x.Status), x.Millis)
	if len(x.Answer) > 0 {
		d.say("  < %s", d.clip(string(x.Answer)))
	}
	return nil
}

// clip shortens a body to what fits on two or three lines.
func (d *demo) clip(body string) string {
	const most = 240
	if d.wide {
		return body
	}
	return clip(body, most)
}

// heading sets a title apart.
func heading(t *terminal, title string) string {
	if colourful(t.out) {
		return "\x1b[1m" + title + "\x1b[0m"
	}
	return title + "\n" + strings.Repeat("-", len([]rune(title)))
}

// results shows with the ordinary commands what the requests left behind.
func (d *demo) results(ctx context.Context, where storeFlags) error {
	tenant := tenantFlags{where, demoTenant}
	// The request log is written a moment after the answer.
	if !wait(ctx, time.Second) {
		return ctx.Err()
	}
	commands := []struct {
		line string
		run  func() error
	}{
		{"provost user list", func() error { return (&userListCmd{tenantFlags: tenant}).Run(ctx, d.t) }},
		{"provost user list --deleted", func() error {
			return (&userListCmd{tenantFlags: tenant, listFlags: listFlags{Deleted: true}}).Run(ctx, d.t)
		}},
		{"provost group list", func() error { return (&groupListCmd{tenantFlags: tenant}).Run(ctx, d.t) }},
		{"provost group show Engineering", func() error { return (&groupShowCmd{tenantFlags: tenant, Group: "Engineering"}).Run(ctx, d.t) }},
		{"provost log scim", func() error { return (&logSCIMCmd{tenantFlags: tenant, Limit: 100}).Run(ctx, d.t) }},
		{"provost log audit --type User", func() error { return (&logAuditCmd{tenantFlags: tenant, Type: "User"}).Run(ctx, d.t) }},
	}
	for _, c := range commands {
		d.say("\n%s", heading(d.t, c.line))
		if err := c.run(); err != nil {
			return fmt.Errorf("%s: %w", c.line, err)
		}
	}
	return nil
}

// invite says what can be tried while the server is up.
func (d *demo) invite(where storeFlags, url string) {
	d.t.note("\nThe server is up at %s until you press Ctrl-C. Try:", url)
	d.t.note("  curl -H 'Authorization: Bearer %s' '%s/Users?filter=active+eq+true'", d.tokens["entra"], d.base)
	d.t.note("  provost log scim --follow --tenant %s %s", demoTenant, where.flag())
}
