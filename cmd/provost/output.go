package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml"
)

// terminal is where a command reads and writes: data on out, everything else on err.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	form     string // table, json, jsonl or yaml
}

// note writes a line of progress or advice to err.
func (t *terminal) note(format string, args ...any) {
	fmt.Fprintln(t.err, printable(fmt.Sprintf(format, args...)))
}

// list prints items one after the other, in constant memory.
type list struct {
	t       *terminal
	columns []string
	tab     *tabwriter.Writer
	n       int
}

// flushEvery is after how many rows a table is laid out: columns of a longer one may shift between the parts.
const flushEvery = 1000

// list begins a list with these columns (of the table form).
func (t *terminal) list(columns ...string) *list {
	return &list{t: t, columns: columns, tab: tabwriter.NewWriter(t.out, 0, 8, 2, ' ', 0)}
}

// row adds an item: its cells for the table, item itself for the other forms.
func (l *list) row(item any, cells ...string) error {
	defer func() { l.n++ }()
	switch l.t.form {
	case "table":
		if l.n == 0 {
			fmt.Fprintln(l.tab, strings.ToUpper(strings.Join(l.columns, "\t")))
		}
		for i, cell := range cells {
			cells[i] = strings.ReplaceAll(printable(cell), "\n", `\n`)
			if cell == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(l.tab, strings.Join(cells, "\t"))
		if l.n%flushEvery == flushEvery-1 {
			return l.tab.Flush()
		}
		return nil
	case "json":
		open := ",\n  "
		if l.n == 0 {
			open = "[\n  "
		}
		return writeJSON(l.t.out, open, item, "")
	case "jsonl":
		return writeJSON(l.t.out, "", item, "\n")
	default:
		return writeYAML(l.t.out, []any{item})
	}
}

// flush shows the rows so far, for lists that grow as they are watched.
func (l *list) flush() error { return l.tab.Flush() }

// end finishes the list. An empty table prints nothing on out and says so on err.
func (l *list) end(nothing string) error {
	switch {
	case l.t.form == "json" && l.n == 0:
		fmt.Fprintln(l.t.out, "[]")
	case l.t.form == "json":
		fmt.Fprintln(l.t.out, "\n]")
	case l.t.form == "yaml" && l.n == 0:
		fmt.Fprintln(l.t.out, "[]")
	case l.t.form == "table" && l.n == 0:
		l.t.note("%s", nothing)
	}
	return l.tab.Flush()
}

// field is one line of a single thing that is shown.
type field struct{ name, value string }

// show prints one thing: its fields as lines of a table, item itself in the other forms.
func (t *terminal) show(item any, fields ...field) error {
	switch t.form {
	case "json":
		text, err := json.MarshalIndent(item, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.out, "%s\n", text)
		return err
	case "jsonl":
		return writeJSON(t.out, "", item, "\n")
	case "yaml":
		return writeYAML(t.out, item)
	}
	tab := tabwriter.NewWriter(t.out, 0, 8, 2, ' ', 0)
	for _, f := range fields {
		if f.value != "" {
			fmt.Fprintf(tab, "%s\t%s\n", f.name, strings.ReplaceAll(printable(f.value), "\n", `\n`))
		}
	}
	return tab.Flush()
}

func writeJSON(w io.Writer, before string, item any, after string) error {
	var b strings.Builder
	b.WriteString(before)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(item); err != nil {
		return err
	}
	_, err := io.WriteString(w, strings.TrimSuffix(b.String(), "\n")+after)
	return err
}

func writeYAML(w io.Writer, item any) error {
	text, err := json.Marshal(item)
	if err != nil {
		return err
	}
	if text, err = yaml.JSONToYAML(text); err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// clip shortens text to most characters; the forms other than table have all of it.
func clip(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + " …"
}

// when formats a time for a table, "" for the zero time.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// optional is t for JSON: null instead of the zero time.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// colourful says whether w is a terminal whose user did not ask for plain text (no-color.org).
func colourful(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	return isTerminal(w)
}

// isTerminal says whether w is a character device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
