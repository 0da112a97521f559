package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// failure is an error as a person needs it: what happened, what was left as it was, and what to do next.
type failure struct {
	what string // one sentence without a full stop
	kept string // what was left untouched; "" if that goes without saying
	next string // the next step, a command where there is one
	code int    // exit code, exitFailed if zero
	err  error  // the cause, printed behind what
}

func (f *failure) Error() string {
	if f.err != nil {
		return f.what + ": " + f.err.Error()
	}
	return f.what
}

func (f *failure) Unwrap() error { return f.err }

// explain prints err for a person and returns the exit code that goes with it; nil is exitDone.
func explain(w io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "interrupted")
		return exitFailed
	}
	fmt.Fprintln(w, "error:", printable(err.Error()))
	code := exitFailed
	if f, ok := errors.AsType[*failure](err); ok {
		if f.kept != "" {
			fmt.Fprintln(w, "  "+f.kept)
		}
		if f.next != "" {
			fmt.Fprintln(w, "  next: "+f.next)
		}
		if f.code != 0 {
			code = f.code
		}
	}
	return code
}

// usage makes the failure of a command that was called wrongly.
func usage(next, format string, args ...any) error {
	return &failure{what: fmt.Sprintf(format, args...), next: next, code: exitUsage}
}

// printable replaces what could move a terminal's cursor or forge a line by its escaped form.
func printable(s string) string {
	clean := func(r rune) bool {
		return r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u202e'
	}
	if strings.IndexFunc(s, clean) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if clean(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
