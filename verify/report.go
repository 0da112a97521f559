package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// ReportFormat names the version of the JSON report.
const ReportFormat = "provost-verify-report/1"

// Report is what a run found.
type Report struct {
	Format      string            `json:"format"`
	URL         string            `json:"url"`
	Target      string            `json:"target,omitempty"`
	Profiles    []string          `json:"profiles"`
	Started     time.Time         `json:"started"`
	Millis      float64           `json:"ms"`
	Seed        uint64            `json:"seed"`
	Prefix      string            `json:"prefix"`
	ReadOnly    bool              `json:"readOnly,omitempty"`
	Interrupted bool              `json:"interrupted,omitempty"`
	Stopped     string            `json:"stopped,omitempty"` // why the run ended early: the server was gone
	Requests    int               `json:"requests"`
	Server      map[string]string `json:"server"` // what the server announces
	Passed      int               `json:"passed"`
	Failed      int               `json:"failed"`
	Warned      int               `json:"warned"`
	Skipped     int               `json:"skipped"`
	Blocked     int               `json:"blocked"` // of the skipped: what they need could not be made
	Results     []Result          `json:"results"`
	Leftovers   []Leftover        `json:"leftovers,omitempty"`
}

// Result is what became of one case.
type Result struct {
	Case
	Outcome   Outcome     `json:"outcome"`
	Reason    string      `json:"reason,omitempty"` // of a skip, or why a failure counts as a warning
	Blocked   bool        `json:"blocked,omitempty"`
	Millis    float64     `json:"ms"`
	Findings  []Finding   `json:"findings,omitempty"`
	Exchanges []*Exchange `json:"exchanges,omitempty"` // those of failures and warnings
}

// maxKept is the most bytes of one body that a report keeps.
const maxKept = 64 << 10

// judge turns a played case into its result.
func (r *run) judge(s *Session, skipped string, took time.Duration) Result {
	res := Result{Case: *s.c, Outcome: Pass, Millis: milliseconds(took), Findings: s.findings}
	for _, f := range s.findings {
		if f.Level == Must {
			res.Outcome = Fail
		} else if res.Outcome == Pass {
			res.Outcome = Warn
		}
	}
	if skipped != "" && res.Outcome != Fail && (s.blocked || res.Outcome == Pass) {
		res.Outcome, res.Reason, res.Blocked = Skipped, skipped, s.blocked
	}
	if res.Outcome == Fail {
		if why := r.target.excuse(s.c); why != "" {
			res.Outcome, res.Reason = Warn, "known of this target: "+why
		}
	}
	if res.Outcome == Fail || res.Outcome == Warn || res.Blocked {
		for _, x := range s.exchanges {
			x.trim()
		}
		res.Exchanges = s.exchanges
	}
	return res
}

// trim cuts bodies that are too long for a report.
func (x *Exchange) trim() {
	x.Request.Body, x.Request.Text = trimmed(x.Request.Body, x.Request.Text)
	x.Response.Body, x.Response.Text = trimmed(x.Response.Body, x.Response.Text)
	if len(x.Request.Path) > 2000 {
		x.Request.Path = clip(x.Request.Path, 2000)
	}
	for k, v := range x.Request.Header {
		x.Request.Header[k] = clip(v, 2000)
	}
	x.doc = nil
}

func trimmed(body json.RawMessage, text string) (json.RawMessage, string) {
	if len(body) > maxKept {
		return nil, clip(string(body), maxKept) + fmt.Sprintf(" (%d bytes in all)", len(body))
	}
	return body, clip(text, maxKept)
}

func (r *Report) count() {
	for _, res := range r.Results {
		switch res.Outcome {
		case Pass:
			r.Passed++
		case Fail:
			r.Failed++
		case Warn:
			r.Warned++
		case Skipped:
			r.Skipped++
		}
		if res.Blocked {
			r.Blocked++
		}
	}
}

// OK tells whether the run shows a server without failures: nothing failed, nothing could not be tried for want
// of its set-up, and the run came to its end. Warnings and leftovers do not count.
func (r *Report) OK() bool {
	return r.Failed == 0 && r.Blocked == 0 && !r.Interrupted && r.Stopped == ""
}

// WriteJSON writes the report as one JSON document.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// ReadReport reads what WriteJSON wrote.
func ReadReport(from io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(from).Decode(&r); err != nil {
		return nil, fmt.Errorf("this is no report: %w", err)
	}
	if r.Format != ReportFormat {
		return nil, fmt.Errorf("this is no report of format %s (it says %q)", ReportFormat, clip(r.Format, 60))
	}
	return &r, nil
}

// Summary is the last line of a report.
func (r *Report) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d passed", r.Passed, len(r.Results))
	for _, p := range []struct {
		n    int
		what string
	}{{r.Failed, "failed"}, {r.Warned, "with warnings"}, {r.Skipped, "skipped"}} {
		if p.n > 0 {
			fmt.Fprintf(&b, ", %d %s", p.n, p.what)
		}
	}
	fmt.Fprintf(&b, " · %d requests in %.1f s", r.Requests, r.Millis/1000)
	if r.Blocked > 0 {
		fmt.Fprintf(&b, " · %d could not be tried because their set-up failed", r.Blocked)
	}
	if r.Interrupted {
		b.WriteString(" · interrupted")
	}
	if r.Stopped != "" {
		b.WriteString(" · " + r.Stopped)
	}
	return b.String()
}
