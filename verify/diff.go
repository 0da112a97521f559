package verify

import (
	"fmt"
	"io"
)

// Change is a case that came out differently in two runs.
type Change struct {
	Name   string  `json:"name"`
	Rule   string  `json:"rule"`
	Title  string  `json:"title"`
	Before Outcome `json:"before,omitempty"` // empty: the case was not played
	After  Outcome `json:"after,omitempty"`
	Worse  bool    `json:"worse"` // it fails or warns now and did not before
	What   string  `json:"what,omitempty"`
}

// Diff lists the cases that came out differently, worse ones first.
func Diff(before, after *Report) []Change {
	old := map[string]*Result{}
	for i := range before.Results {
		old[before.Results[i].Name] = &before.Results[i]
	}
	var worse, rest []Change
	add := func(c Change) {
		if c.Worse {
			worse = append(worse, c)
		} else {
			rest = append(rest, c)
		}
	}
	for i := range after.Results {
		now := &after.Results[i]
		was, known := old[now.Name]
		delete(old, now.Name)
		c := Change{Name: now.Name, Rule: now.Rule, Title: now.Title, After: now.Outcome}
		if known {
			if was.Outcome == now.Outcome && was.Blocked == now.Blocked {
				continue
			}
			c.Before = was.Outcome
		}
		c.Worse = weight(now) > 0 && (!known || weight(now) > weight(was))
		if c.Worse && len(now.Findings) > 0 {
			c.What = now.headline()
		}
		add(c)
	}
	for i := range before.Results {
		was := &before.Results[i]
		if _, gone := old[was.Name]; gone {
			add(Change{Name: was.Name, Rule: was.Rule, Title: was.Title, Before: was.Outcome})
		}
	}
	return append(worse, rest...)
}

// weight orders outcomes: what could not be tried weighs as much as a warning.
func weight(r *Result) int {
	switch {
	case r.Outcome == Fail:
		return 2
	case r.Outcome == Warn, r.Blocked:
		return 1
	}
	return 0
}

// WriteDiff prints changes as lines and says whether anything got worse.
func WriteDiff(w io.Writer, changes []Change) (worse bool) {
	for _, c := range changes {
		sign := "  "
		if c.Worse {
			sign, worse = "! ", true
		}
		fmt.Fprintf(w, "%s%-7s → %-7s  %s (%s)  %s\n", sign, orDash(c.Before), orDash(c.After), c.Name, c.Rule, c.Title)
		if c.What != "" {
			fmt.Fprintf(w, "                       %s\n", plainText(c.What))
		}
	}
	if len(changes) == 0 {
		fmt.Fprintln(w, "no difference")
	}
	return worse
}

func orDash(o Outcome) string {
	if o == "" {
		return "-"
	}
	return string(o)
}
