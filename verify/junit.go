package verify

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Started  string      `xml:"timestamp,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Error   *junitMessage `xml:"error,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report as JUnit XML: a suite for each profile. Warnings pass and say so in system-out; what
// could not be tried is an error.
func (r *Report) WriteJUnit(w io.Writer) error {
	all := junitSuites{Name: "provost verify " + r.URL, Tests: len(r.Results), Failures: r.Failed, Skipped: r.Skipped, Time: seconds(r.Millis)}
	at := map[string]int{}
	took := map[string]float64{}
	for i := range r.Results {
		res := &r.Results[i]
		profile, name, _ := strings.Cut(res.Name, "/")
		if _, ok := at[profile]; !ok {
			at[profile] = len(all.Suites)
			all.Suites = append(all.Suites, junitSuite{Name: profile, Started: r.Started.Format("2006-01-02T15:04:05")})
		}
		suite := &all.Suites[at[profile]]
		c := junitCase{Class: "provost.verify." + profile, Name: name + ": " + res.Title, Time: seconds(res.Millis)}
		suite.Tests++
		took[profile] += res.Millis
		suite.Time = seconds(took[profile])
		switch {
		case res.Outcome == Fail:
			suite.Failures++
			c.Failure = &junitMessage{Message: clean(res.headline()), Type: res.Rule, Text: clean(res.explain())}
		case res.Blocked:
			suite.Errors++
			c.Error = &junitMessage{Message: clean(res.Reason), Type: "set-up", Text: clean(res.explain())}
		case res.Outcome == Skipped:
			suite.Skipped++
			c.Skipped = &junitMessage{Message: clean(res.Reason)}
		case res.Outcome == Warn:
			c.Out = clean("warning: " + res.explain())
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(ms float64) string { return fmt.Sprintf("%.3f", ms/1000) }

// headline is the first finding in one line.
func (r *Result) headline() string {
	if len(r.Findings) == 0 {
		return r.Title
	}
	return "expected " + r.Findings[0].Expected + ", got " + r.Findings[0].Got
}

// explain is everything about a result as text.
func (r *Result) explain() string {
	var b strings.Builder
	p := Printer{Out: &b}
	if r.Reason != "" {
		fmt.Fprintln(&b, r.Reason)
	}
	p.findings(r)
	return b.String()
}

// clean drops characters that XML 1.0 cannot hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && r != 0xfffe && r != 0xffff {
			return r
		}
		return ' '
	}, s)
}
