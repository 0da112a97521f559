package main

import (
	"fmt"
	"os"
	"time"

	"github.com/provost-scim/provost/verify"
)

// verifyWatch shows a run as it goes: results on out as lines, progress on err.
type verifyWatch struct {
	t       *terminal
	printer *verify.Printer
	live    bool // err is a terminal that can rewrite a line
	begun   time.Time
	told    time.Time
	failed  int
	rows    *list
}

// tellEvery is how often progress is told where a line cannot be rewritten.
const tellEvery = 10 * time.Second

func newVerifyWatch(t *terminal, quiet bool) *verifyWatch {
	now := time.Now()
	w := &verifyWatch{t: t, live: isTerminal(t.err) && os.Getenv("TERM") != "dumb", begun: now, told: now}
	switch t.form {
	case "table":
		w.printer = &verify.Printer{Out: t.out, Quiet: quiet, Colour: colourful(t.out)}
	case "jsonl":
		w.rows = t.list()
	}
	return w
}

func (w *verifyWatch) progress(p verify.Progress) {
	if p.Result != nil {
		w.clear()
		if p.Result.Outcome == verify.Fail {
			w.failed++
		}
		if w.printer != nil {
			w.printer.Result(p.Result)
		}
		if w.rows != nil {
			_ = w.rows.row(p.Result) // a broken pipe shows at the end
		}
		return
	}
	switch {
	case w.live:
		fmt.Fprintf(w.t.err, "[%d/%d] %s, %d failed", p.Done, p.Total, p.Case, w.failed)
	case time.Since(w.told) >= tellEvery:
		w.told = time.Now()
		w.t.note("%d of %d cases in %s, %d failed", p.Done, p.Total, time.Since(w.begun).Round(time.Second), w.failed)
	}
}

// clear takes the progress line back.
func (w *verifyWatch) clear() {
	if w.live {
		fmt.Fprint(w.t.err, "\r\x1b[K")
	}
}

// finish prints the end of a run in the form that was asked for.
func (w *verifyWatch) finish(rep *verify.Report) error {
	w.clear()
	switch {
	case w.printer != nil:
		w.printer.Summary(rep)
		return nil
	case w.rows != nil:
		for _, l := range rep.Leftovers {
			w.t.note("left on the server: %s %s (%s)", l.Path, l.Name, l.Why)
		}
		return w.rows.end("")
	}
	return w.t.show(rep)
}
