package verify

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

//go:embed report.html
var reportPage string

var reportTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"div": func(ms float64) float64 { return ms / 1000 }, "pretty": pretty, "source": sourceOf, "headers": sortedHeaders, "join": strings.Join,
	"short": func(s string) string { _, name, _ := strings.Cut(s, "/"); return name },
}).Parse(reportPage))

// htmlSection is the results of one profile in the page.
type htmlSection struct {
	Name                          string
	Passed, Failed, Warned, Skips int
	Results                       []*Result
}

// WriteHTML writes the report as one file that needs nothing else: what fails first, with exchanges and remedies, then
// every case.
func (r *Report) WriteHTML(w io.Writer) error {
	var b bytes.Buffer
	if err := reportTemplate.Execute(&b, r.page()); err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

type htmlPage struct {
	*Report
	Verdict  string
	Troubles []*Result // failures, then what could not be tried, then warnings
	Sections []*htmlSection
	Clients  []htmlClient
}

// htmlClient is a client with the number of failures that break it.
type htmlClient struct {
	Name   string
	Fails  int
	Passed int
}

func (r *Report) page() htmlPage {
	p := htmlPage{Report: r, Verdict: "The server passed every case that could be tried."}
	switch {
	case r.Failed > 0:
		p.Verdict = count(r.Failed, "case") + " failed: the clients named below would break."
	case r.Blocked > 0:
		p.Verdict = count(r.Blocked, "case") + " could not be tried, because what they need could not be made."
	case r.Stopped != "":
		p.Verdict = "The run ended early: " + r.Stopped + "."
	case r.Interrupted:
		p.Verdict = "The run was interrupted; what was tried did not fail."
	case r.Warned > 0:
		p.Verdict = "Nothing failed; " + count(r.Warned, "case") + " with warnings."
	}
	clients := map[string]*htmlClient{}
	for i := range r.Results {
		res := &r.Results[i]
		p.add(res)
		for _, name := range res.Breaks {
			c := clients[name]
			if c == nil {
				c = &htmlClient{Name: name}
				clients[name] = c
			}
			switch res.Outcome {
			case Fail:
				c.Fails++
			case Pass:
				c.Passed++
			}
		}
	}
	slices.SortStableFunc(p.Troubles, func(a, b *Result) int { return weight(b) - weight(a) })
	for _, c := range clients {
		p.Clients = append(p.Clients, *c)
	}
	slices.SortFunc(p.Clients, func(a, b htmlClient) int {
		if a.Fails != b.Fails {
			return b.Fails - a.Fails
		}
		return strings.Compare(a.Name, b.Name)
	})
	return p
}

func (p *htmlPage) add(res *Result) {
	profile, _, _ := strings.Cut(res.Name, "/")
	if len(p.Sections) == 0 || p.Sections[len(p.Sections)-1].Name != profile {
		p.Sections = append(p.Sections, &htmlSection{Name: profile})
	}
	s := p.Sections[len(p.Sections)-1]
	s.Results = append(s.Results, res)
	switch res.Outcome {
	case Pass:
		s.Passed++
	case Fail:
		s.Failed++
	case Warn:
		s.Warned++
	default:
		s.Skips++
	}
	if weight(res) > 0 {
		p.Troubles = append(p.Troubles, res)
	}
}

// pretty is a body for reading.
func pretty(body json.RawMessage, text string) string {
	if len(body) == 0 {
		return text
	}
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return string(body)
	}
	return b.String()
}

// sortedHeaders are headers as lines.
func sortedHeaders(h map[string]string) []string {
	var lines []string
	for k, v := range h {
		lines = append(lines, k+": "+v)
	}
	slices.Sort(lines)
	return lines
}
