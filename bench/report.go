package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// report prints results as they come and remembers what falls short.
type report struct {
	json  *os.File
	title string // of the table under way
	short []string
}

// result is one line of the report.
type result interface {
	title() string   // column names
	line() string    // the values
	verdict() string // "ok", "aim", "SHORT …" or "WRONG …"
	label() string   // what it is about, for the summary
}

// head begins a table.
func (r *report) head(store, part string) {
	fmt.Printf("\n%s: %s\n", store, part)
	r.title = ""
}

func (r *report) show(x result) {
	if t := x.title(); t != r.title {
		fmt.Println(t)
		r.title = t
	}
	v := x.verdict()
	fmt.Printf("%s  %s\n", x.line(), v)
	if v != verdictMust && v != verdictAim && v != verdictNone {
		r.short = append(r.short, x.label()+": "+v)
	}
	if r.json == nil {
		return
	}
	line, err := json.Marshal(struct {
		Result  result `json:"result"`
		Verdict string `json:"verdict"`
	}{x, v})
	if err == nil {
		_, err = r.json.Write(append(line, '\n'))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: the JSON file:", err)
	}
}

// The verdicts that are not a complaint.
const (
	verdictMust = "must"
	verdictAim  = "aim"
	verdictNone = ""
)

// finish prints the summary; errShort if something is short or wrong.
func (r *report) finish() error {
	if len(r.short) == 0 {
		fmt.Println("\neverything that must be reached was reached")
		return nil
	}
	fmt.Println("\nfalls short:")
	for _, s := range r.short {
		fmt.Println("  " + s)
	}
	return errShort
}
