package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocs_CommandsExist parses every provost command in the documents: those on lines of their own and those in
// code spans. What the shell would take away (redirections, variables, remarks) is taken away first.
func TestDocs_CommandsExist(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../../README.md", "../../SECURITY.md", "../../CONTRIBUTING.md")
	line := regexp.MustCompile(`(?m)^(?: {4}|ExecStart=/usr/local/bin/|\$ (?:TOKEN=\$\()?)(?:\./)?(provost (?:[^\n\\]|\\\n)+)`)
	span := regexp.MustCompile("`(provost [^`\n]+)`")
	n := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range append(line.FindAllSubmatch(text, -1), span.FindAllSubmatch(text, -1)...) {
			n++
			parseDocumented(t, file, string(m[1]))
		}
	}
	if n < 50 {
		t.Errorf("only %d commands were found in %d files: the search is broken", n, len(files))
	}
}

func parseDocumented(t *testing.T, file, command string) {
	t.Helper()
	plain := strings.ReplaceAll(command, "\\\n", " ")
	plain, _, _ = strings.Cut(plain, " > ")
	plain, _, _ = strings.Cut(plain, "    ") // a remark stands four spaces behind
	plain = regexp.MustCompile(`\$\([^)]*\)`).ReplaceAllString(plain, "X")
	plain = strings.TrimRight(plain, " &)")
	args := strings.Fields(plain)[1:]
	if len(args) == 0 || args[0] == "…" {
		return
	}
	var table commands
	parser, err := newParser(&table)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil && !strings.Contains(err.Error(), "expected one of") && !strings.Contains(err.Error(), "missing flags") &&
		!strings.Contains(err.Error(), `expected "<`) {
		t.Errorf("%s: provost %s: %v", file, strings.Join(args, " "), err)
	}
}
