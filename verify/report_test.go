package verify_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/provost-scim/provost/verify"
)

// brokenReport is a report with a pass, a failure, a warning and a skip, of a server that sends markup.
func brokenReport(t *testing.T) *verify.Report {
	t.Helper()
	s := newSite(t, quick(t))
	return s.against(t, onAnswer(func(q *request, a *answer) {
		if q.id() != "" && a.status == 404 {
			*a = *refusal(500, "", "<script>alert(1)</script>\x1b[31m\x00")
		}
		if a.json()["totalResults"] != nil {
			a.header.Set("Content-Type", "application/json")
		}
	})(), verify.Options{Only: []string{"entra/create", "okta-catalogue/unknown-id", "okta-catalogue/media-type", "security/tls"}})
}

func TestReport_JSON(t *testing.T) {
	rep := brokenReport(t)
	if rep.Passed != 1 || rep.Failed != 1 || rep.Warned != 1 || rep.Skipped != 1 || rep.OK() {
		t.Fatalf("%s\n%s", rep.Summary(), complaints(rep))
	}
	var b bytes.Buffer
	if err := rep.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	back, err := verify.ReadReport(&b)
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := back.WriteJSON(&again); err != nil {
		t.Fatal(err)
	}
	if again.String() != text {
		t.Errorf("a report that was read and written is another one")
	}
	for _, bad := range []string{"", "{}", `{"format":"something/9"}`, "[]"} {
		if _, err := verify.ReadReport(strings.NewReader(bad)); err == nil {
			t.Errorf("ReadReport(%q) has no error", bad)
		}
	}
}

func TestReport_JUnit(t *testing.T) {
	var b bytes.Buffer
	if err := brokenReport(t).WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
				Skipped *struct{} `xml:"skipped"`
				Out     string    `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	if got.Tests != 4 || got.Failures != 1 || len(got.Suites) != 3 {
		t.Errorf("%d tests, %d failures, %d suites, want 4, 1 and 3", got.Tests, got.Failures, len(got.Suites))
	}
	failure := got.Suites[1].Cases[1].Failure
	if failure == nil || !strings.Contains(failure.Message, "status 404") || !strings.Contains(failure.Text, "why") {
		t.Errorf("the failure is %+v", failure)
	}
	if got.Suites[2].Cases[0].Skipped == nil || !strings.Contains(got.Suites[1].Cases[0].Out, "warning") {
		t.Errorf("the skip or the warning is missing:\n%s", b.String())
	}
}

func TestReport_HTML(t *testing.T) {
	rep := brokenReport(t)
	var b bytes.Buffer
	if err := rep.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"1 case failed", "okta-catalogue/unknown-id", "usual remedy", "Okta catalogue app", "whole exchange", "&lt;script&gt;", rep.URL} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"<script", "src=", "<link", "@import", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q: it has to be one file without scripts", bad)
		}
	}
}

func TestPrinter(t *testing.T) {
	rep := brokenReport(t)
	show := func(p verify.Printer) string {
		var b bytes.Buffer
		p.Out = &b
		for i := range rep.Results {
			p.Result(&rep.Results[i])
		}
		p.Summary(rep)
		return b.String()
	}
	text := show(verify.Printer{})
	for _, want := range []string{"pass  create", "FAIL  unknown-id", "warn  media-type", "skip  tls", "expected  status 404", "exchange", "breaks", "fix", "1 of 4 passed, 1 failed, 1 with warnings, 1 skipped"} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\x00") {
		t.Error("control characters of the server reach the terminal")
	}
	if quiet := show(verify.Printer{Quiet: true}); strings.Contains(quiet, "pass  create") {
		t.Error("quiet prints what passed")
	}
	if !strings.Contains(show(verify.Printer{Colour: true}), "\x1b[31mFAIL") {
		t.Error("colour is missing")
	}
}

func TestDiff(t *testing.T) {
	result := func(name string, o verify.Outcome) verify.Result {
		r := verify.Result{Case: verify.Case{Name: name, Rule: "R", Title: "T"}, Outcome: o}
		if o == verify.Fail {
			r.Findings = []verify.Finding{{Level: verify.Must, Expected: "this", Got: "that"}}
		}
		return r
	}
	before := &verify.Report{Results: []verify.Result{result("a", verify.Pass), result("b", verify.Fail), result("c", verify.Pass), result("d", verify.Pass)}}
	after := &verify.Report{Results: []verify.Result{result("a", verify.Fail), result("b", verify.Pass), result("c", verify.Pass), result("e", verify.Pass)}}
	var b bytes.Buffer
	if !verify.WriteDiff(&b, verify.Diff(before, after)) {
		t.Error("the later run is not called worse")
	}
	want := "! pass    → fail     a (R)  T\n                       expected this, got that\n  fail    → pass     b (R)  T\n  -       → pass     e (R)  T\n  pass    → -        d (R)  T\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	if verify.WriteDiff(io.Discard, verify.Diff(after, before)) != true {
		t.Error("b fails again: that is worse")
	}
	if verify.WriteDiff(io.Discard, verify.Diff(before, before)) {
		t.Error("a run is worse than itself")
	}
}
