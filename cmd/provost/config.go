package main

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// settings answers for flags that neither the command line nor the environment sets: from the file named by
// PROVOST_<FLAG>_FILE, else from the configuration file.
type settings struct {
	path   string
	values map[string]any
}

// readSettings finds --config in args (or PROVOST_CONFIG) and reads that file. Without one it has no values.
func readSettings(args []string) (*settings, error) {
	// An empty variable is as good as none.
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); value == "" && strings.HasPrefix(name, "PROVOST_") {
			if err := os.Unsetenv(name); err != nil {
				return nil, err
			}
		}
	}
	s := &settings{path: os.Getenv("PROVOST_CONFIG")}
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if value, ok := strings.CutPrefix(arg, "--config="); ok {
			s.path = value
		} else if arg == "--config" && i+1 < len(args) {
			s.path = args[i+1]
		}
	}
	if s.path == "" {
		return s, nil
	}
	text, err := os.ReadFile(s.path)
	if err != nil {
		return nil, &failure{what: "the configuration file cannot be read", err: err, code: exitUsage}
	}
	if err := yaml.Unmarshal(text, &s.values); err != nil {
		return nil, &failure{what: "the configuration file " + s.path + " is no YAML mapping of flag names to values",
			err: err, code: exitUsage}
	}
	return s, nil
}

// Validate refuses keys that are no flag of any command (kong.Resolver).
func (s *settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	var walk func(*kong.Node)
	walk = func(n *kong.Node) {
		for _, flag := range n.Flags {
			known[flag.Name] = flag.Name != "help" && flag.Name != "config"
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(app.Node)
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		if !known[key] {
			return fmt.Errorf("%s: unknown key %q%s", s.path, key, suggestion(key, known))
		}
	}
	return nil
}

// Resolve gives the value of a flag, nil if it has none here (kong.Resolver).
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		_, inEnv := os.LookupEnv(name)
		file := os.Getenv(name + "_FILE")
		switch {
		case inEnv && file != "":
			return nil, fmt.Errorf("both %s and %s_FILE are set: unset one", name, name)
		case inEnv:
			return nil, nil
		case file != "":
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("%s_FILE: %w", name, err)
			}
			return strings.TrimRight(string(text), "\r\n"), nil
		}
	}
	switch value := s.values[flag.Name].(type) {
	case nil:
		return nil, nil
	case []any:
		parts := make([]string, len(value))
		for i, v := range value {
			parts[i] = fmt.Sprint(v)
		}
		return strings.Join(parts, ","), nil
	case map[string]any:
		return nil, fmt.Errorf("%s: the value of %q must be a scalar or a list", s.path, flag.Name)
	default:
		return fmt.Sprint(value), nil
	}
}

// suggestion names the known key closest to what was typed, "" if none is close.
func suggestion(typed string, known map[string]bool) string {
	best, least := "", 3
	for _, key := range slices.Sorted(maps.Keys(known)) {
		if d := distance(typed, key); known[key] && d < least {
			best, least = key, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance is the number of single-character edits between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		above := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := above
			if a[i] != b[j] {
				change++
			}
			above = row[j+1]
			row[j+1] = min(change, row[j]+1, above+1)
		}
	}
	return row[len(b)]
}

// refuseVisibleSecrets refuses a database password on the command line, where every user of the machine reads it.
func refuseVisibleSecrets(args []string) error {
	for _, arg := range args {
		i := strings.Index(arg, "postgres")
		if i < 0 {
			continue
		}
		u, err := url.Parse(arg[i:])
		if err != nil {
			continue
		}
		_, inUser := u.User.Password() // works on nil
		if inUser || u.Query().Has("password") {
			return usage("leave the password out and set PROVOST_DATABASE, PROVOST_DATABASE_FILE or PGPASSFILE",
				"the database URL on the command line holds a password, which everybody on this machine can read")
		}
	}
	return nil
}
