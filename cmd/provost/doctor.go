package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

type doctorCmd struct {
	storeFlags
	PublicURL string `name:"public-url" placeholder:"URL" help:"Also check that clients reach the server at this address."`
	TLSCert   string `name:"tls-cert" placeholder:"FILE" and:"tls" help:"Also check this certificate."`
	TLSKey    string `name:"tls-key" placeholder:"FILE" and:"tls" help:"And its private key."`
}

// finding is one line of the doctor.
type finding struct {
	Check  string `json:"check"`
	Result string `json:"result"` // ok, warn or fail
	Detail string `json:"detail"`
	Next   string `json:"next,omitempty"`
}

func good(check, format string, args ...any) finding {
	return finding{Check: check, Result: "ok", Detail: fmt.Sprintf(format, args...)}
}

func doubtful(check, next, format string, args ...any) finding {
	return finding{Check: check, Result: "warn", Detail: fmt.Sprintf(format, args...), Next: next}
}

func bad(check, next, format string, args ...any) finding {
	return finding{Check: check, Result: "fail", Detail: fmt.Sprintf(format, args...), Next: next}
}

// examTimeout bounds each examination.
const examTimeout = 15 * time.Second

func (c *doctorCmd) Run(ctx context.Context, t *terminal) error {
	exams := []func(context.Context) []finding{c.place, c.contents}
	if c.Database != "" {
		exams = append(exams, c.postgres)
	}
	if c.TLSCert != "" {
		exams = append(exams, c.certificate)
	}
	if c.PublicURL != "" {
		exams = append(exams, c.reach)
	}
	l := t.list("result", "check", "detail", "next step")
	failed := 0
	for _, exam := range exams {
		within, cancel := context.WithTimeout(ctx, examTimeout)
		findings := exam(within)
		cancel()
		for _, f := range findings {
			if f.Result == "fail" {
				failed++
			}
			if err := l.row(f, f.Result, f.Check, f.Detail, f.Next); err != nil {
				return err
			}
		}
	}
	if err := l.end(""); err != nil {
		return err
	}
	if failed > 0 {
		return &failure{what: fmt.Sprintf("%d of the checks failed", failed), kept: "nothing was changed", next: "follow the last column from the top", code: exitPending}
	}
	return nil
}

// contents looks into the store: its form, and what needs attention soon.
func (c *doctorCmd) contents(ctx context.Context) []finding {
	if there, err := c.exists(); err != nil || !there {
		return nil
	}
	db, err := c.inspect(ctx)
	if err != nil {
		return []finding{bad("store", "see the cause; restore a backup into a new place if the store is damaged", "%v", err)}
	}
	defer db.Close()
	found := []finding{good("store", "%s answers", c.name())}
	pending, err := pendingMigrations(ctx, db)
	switch {
	case err != nil:
		return append(found, bad("migrations", "check that the user may read the store", "%v", err))
	case len(pending) > 0:
		return append(found, bad("migrations", "provost migrate up "+c.flag(), "%d are pending", len(pending)))
	}
	found = append(found, good("migrations", "none are pending"))
	return append(found, c.people(ctx, offlineAccess(db))...)
}

// stale is how far a clock may be off before it is worth a word.
const stale = 5 * time.Second

// clock compares this machine's clock with another one.
func clock(check string, here, there time.Time) finding {
	off := here.Sub(there).Abs()
	if off > stale {
		return doubtful(check, "synchronise the clocks (NTP)", "the clocks differ by %s", off.Round(time.Second))
	}
	return good(check, "within %s", stale)
}

// short cuts a list of names for one line.
func short(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
