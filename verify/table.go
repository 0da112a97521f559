package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Printer writes results as lines while a run goes on, and the summary at its end.
type Printer struct {
	Out     io.Writer
	Quiet   bool // leave out what passed
	Colour  bool
	profile string
}

// Result prints one result. What failed is followed by what was expected, what came, the exchange and the remedy.
func (p *Printer) Result(r *Result) {
	if r.Outcome == Pass && p.Quiet {
		return
	}
	profile, name, _ := strings.Cut(r.Name, "/")
	if profile != p.profile {
		p.profile = profile
		fmt.Fprintf(p.Out, "\n%s\n", p.paint("1", profile))
	}
	fmt.Fprintf(p.Out, "  %s  %-34s %-22s %6.0f ms  %s\n", p.mark(r.Outcome), clip(name, 40), clip(r.Rule, 24), r.Millis, r.Title)
	if r.Reason != "" {
		fmt.Fprintf(p.Out, "        %s\n", plainText(r.Reason))
	}
	if r.Outcome == Fail || r.Outcome == Warn {
		p.findings(r)
	}
}

// maxShown is how many findings of one case are printed; the report holds all.
const maxShown = 4

func (p *Printer) findings(r *Result) {
	for i, f := range r.Findings {
		if i == maxShown {
			fmt.Fprintf(p.Out, "        and %d more findings\n", len(r.Findings)-i)
			break
		}
		fmt.Fprintf(p.Out, "        expected  %s\n        got       %s\n", plainText(f.Expected), plainText(f.Got))
		if x := r.exchange(f.Exchange); x != nil {
			fmt.Fprintf(p.Out, "        exchange  #%d %s %s → %s\n", x.N, x.Request.Method, plainText(clip(x.Request.Path, 160)), x.outcome())
			if b := x.Request.content(); b != "" {
				fmt.Fprintf(p.Out, "                  sent %s\n", plainText(clip(b, 300)))
			}
			if b := x.Response.content(); b != "" {
				fmt.Fprintf(p.Out, "                  came %s\n", plainText(clip(b, 300)))
			}
		}
	}
	for _, line := range [][2]string{{"breaks", strings.Join(r.Breaks, ", ")}, {"why", r.Why}, {"fix", r.Fix}, {"source", sourceOf(r.Ref)}} {
		if line[1] != "" {
			fmt.Fprintf(p.Out, "        %-9s %s\n", line[0], plainText(line[1]))
		}
	}
}

// Summary prints the end of a report.
func (p *Printer) Summary(r *Report) {
	fmt.Fprintf(p.Out, "\n%s\n", r.Summary())
	for _, l := range r.Leftovers {
		fmt.Fprintf(p.Out, "left on the server: %s %s (%s)\n", plainText(l.Path), plainText(l.Name), plainText(l.Why))
	}
}

func (p *Printer) mark(o Outcome) string {
	switch o {
	case Pass:
		return p.paint("32", "pass")
	case Fail:
		return p.paint("31", "FAIL")
	case Warn:
		return p.paint("33", "warn")
	}
	return p.paint("2", "skip")
}

func (p *Printer) paint(code, s string) string {
	if !p.Colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// plainText makes what a server sent safe to print: no control characters, no line breaks.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}

// exchange finds one of the kept exchanges by its number.
func (r *Result) exchange(n int) *Exchange {
	for _, x := range r.Exchanges {
		if x.N == n && n > 0 {
			return x
		}
	}
	return nil
}

// outcome is the status of an exchange, or why there is none.
func (x *Exchange) outcome() string {
	if x.Err != "" {
		return plainText(x.Err)
	}
	return fmt.Sprint(x.Response.Status)
}

func (r Request) content() string  { return content(r.Body, r.Text) }
func (r Response) content() string { return content(r.Body, r.Text) }

func content(body json.RawMessage, text string) string {
	if len(body) > 0 {
		return string(body)
	}
	return text
}
