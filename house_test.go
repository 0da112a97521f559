// Package provost holds no code: its tests keep the house rules of ARCHITECTURE.md and CONTRIBUTING.md. They
// read the source files themselves, because what a tool prints about packages is cached wrongly by go test.
package provost

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/provost-scim/provost"

// maxLines is where a file becomes an error; CONTRIBUTING.md asks for about 300.
const maxLines = 500

// source is one Go file of the repository.
type source struct {
	path  string // from the root, with slashes
	text  string
	tree  *ast.File
	lines int
}

func (s source) dir() string  { return path.Dir(s.path) }
func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// sources reads all Go files of the repository but those of other modules and of testdata.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	root := os.DirFS(".")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name == "." {
				return nil
			}
			if strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin" || d.Name() == "dist" {
				return fs.SkipDir
			}
			if _, err := fs.Stat(root, name+"/go.mod"); err == nil {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{name, string(text), tree, strings.Count(string(text), "\n")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("found only %d Go files: the walk is broken", len(all))
	}
	return all
}

// importMap reads the map of allowed imports from ARCHITECTURE.md: lines of the form "room → room room" between
// the markers of the import map.
func importMap(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```imports\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("ARCHITECTURE.md has no ```imports block")
	}
	rooms := map[string][]string{}
	for line := range strings.Lines(block) {
		room, to, ok := strings.Cut(strings.TrimSpace(line), "→")
		if !ok {
			t.Fatalf("import map: no arrow in %q", line)
		}
		rooms[strings.TrimSpace(room)] = strings.Fields(to)
	}
	return rooms
}

func TestImports_FollowTheMap(t *testing.T) {
	rooms := importMap(t)
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if s.dir() == "." || s.isTest() {
			continue
		}
		allowed, onMap := rooms[s.dir()]
		if !onMap {
			t.Errorf("%s: package %s is not on the import map in ARCHITECTURE.md", s.path, s.dir())
			continue
		}
		seen[s.dir()] = true
		for _, spec := range s.tree.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			room, ours := strings.CutPrefix(name, module+"/")
			if ours && !slices.Contains(allowed, room) && !slices.Contains(allowed, "*") {
				t.Errorf("%s imports %s: the import map in ARCHITECTURE.md allows %s only %v", s.path, room, s.dir(), allowed)
			}
		}
	}
	for room := range rooms {
		if !seen[room] {
			t.Errorf("the import map in ARCHITECTURE.md has a row for %s, which does not exist", room)
		}
	}
}

// impure is what package scim must not reach for: the world outside its arguments.
var impure = []string{"net/http", "database/sql", "log", "log/slog", "os", "math/rand", "math/rand/v2", "crypto/rand", "context"}

func TestPure_RoomsStayPure(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || s.dir() != "scim" && s.dir() != "audit" {
			continue
		}
		for _, spec := range s.tree.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			first, _, _ := strings.Cut(name, "/")
			if strings.Contains(first, ".") {
				t.Errorf("%s imports %s: %s uses the standard library only", s.path, name, s.dir())
			}
			if s.dir() == "scim" && slices.Contains(impure, name) {
				t.Errorf("%s imports %s: scim is pure", s.path, name)
			}
		}
		if s.dir() == "scim" && strings.Contains(s.text, "time.Now(") {
			t.Errorf("%s reads the clock: scim is pure", s.path)
		}
	}
}

func TestPackages_AreExplained(t *testing.T) {
	comments := map[string][]string{}
	for _, s := range sources(t) {
		if s.isTest() && s.dir() != "." {
			continue
		}
		if _, known := comments[s.dir()]; !known {
			comments[s.dir()] = nil
		}
		if s.tree.Doc != nil {
			comments[s.dir()] = append(comments[s.dir()], s.path)
			want := "Package " + s.tree.Name.Name + " "
			if s.tree.Name.Name == "main" {
				want = "Command "
			}
			if !strings.HasPrefix(s.tree.Doc.Text(), want) {
				t.Errorf("%s: the package comment must begin with %q", s.path, want)
			}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(comments)) {
		if files := comments[dir]; len(files) != 1 {
			t.Errorf("package %s needs exactly one package comment, has %d: %v", dir, len(files), files)
		}
	}
}

func TestFiles_StayShort(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > maxLines {
			t.Errorf("%s has %d lines, at most %d are allowed: two ideas share this file", s.path, s.lines, maxLines)
		}
	}
}

// vague are names under which anything fits.
var vague = []string{"util", "utils", "common", "helper", "helpers", "misc", "models", "types", "base", "shared"}

func TestNames_SaySomething(t *testing.T) {
	for _, s := range sources(t) {
		parts := strings.Split(strings.TrimSuffix(strings.TrimSuffix(s.path, ".go"), "_test"), "/")
		for _, part := range append(parts, s.tree.Name.Name) {
			if slices.Contains(vague, part) {
				t.Errorf("%s: %q says nothing about what lives there", s.path, part)
			}
		}
	}
}

func TestCode_LeavesNothingOpen(t *testing.T) {
	open := regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)
	for _, s := range sources(t) {
		if s.path == "house_test.go" {
			continue
		}
		for i, line := range strings.Split(s.text, "\n") {
			if open.MatchString(line) {
				t.Errorf("%s:%d: do it or file an issue: %s", s.path, i+1, strings.TrimSpace(line))
			}
			if s.isTest() && regexp.MustCompile(`\bt\.Skip`).MatchString(line) {
				t.Errorf("%s:%d: a test that cannot run must fail and say what is missing", s.path, i+1)
			}
		}
	}
}

// TestDocs_LinksLead checks that relative links in the Markdown files lead to files.
func TestDocs_LinksLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	files := 0
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".md") {
			return err
		}
		files++
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if _, err := os.Stat(path.Join(path.Dir(name), m[1])); err != nil {
				t.Errorf("%s: dead link %s", name, m[1])
			}
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Fatal(fmt.Errorf("%d Markdown files read: %w", files, err))
	}
}
