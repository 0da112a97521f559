package mapping

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed profiles.yaml
var profilesYAML []byte

// namedProfile is one entry of profiles.yaml.
type namedProfile struct {
	name       string
	definition Definition
}

var profiles = sync.OnceValue(func() []namedProfile {
	var ordered yaml.MapSlice
	if err := yaml.Unmarshal(profilesYAML, &ordered); err != nil {
		panic("mapping: profiles.yaml: " + err.Error()) // a defect of the build, held by a test
	}
	var list []namedProfile
	for _, item := range ordered {
		text, err := yaml.Marshal(item.Value)
		if err != nil {
			panic("mapping: profiles.yaml: " + err.Error())
		}
		d, err := Parse(text)
		if err != nil {
			panic("mapping: profiles.yaml: " + err.Error())
		}
		list = append(list, namedProfile{fmt.Sprint(item.Key), d})
	}
	return list
})

// Profiles returns the names of the profiles.
func Profiles() []string {
	var names []string
	for _, p := range profiles() {
		names = append(names, p.name)
	}
	return names
}

// Profile returns the definition behind a name.
func Profile(name string) (Definition, bool) {
	for _, p := range profiles() {
		if p.name == name {
			return p.definition, true
		}
	}
	return Definition{}, false
}

// withProfile lays a definition over its profile: rows for the same target replace those of the profile, in their
// place, and an own list of match attributes replaces the profile's. A scope is always the definition's own.
func (d Definition) withProfile() (Definition, error) {
	if d.Profile == "" {
		return d, nil
	}
	base, ok := Profile(d.Profile)
	if !ok {
		return d, &Error{"profile", fmt.Sprintf("%q is none of %s", d.Profile, strings.Join(Profiles(), ", "))}
	}
	var err error
	d.People, err = overlay("people", base.People, d.People)
	if err == nil {
		d.Groups, err = overlay("groups", base.Groups, d.Groups)
	}
	return d, err
}

func overlay(where string, base, own *Part) (*Part, error) {
	if own == nil || base == nil {
		if own == nil {
			return base, nil
		}
		return own, nil
	}
	out := Part{Off: own.Off, Scope: own.Scope, Match: own.Match, Rows: slices.Clone(base.Rows)}
	if len(out.Match) == 0 {
		out.Match = base.Match
	}
	for i, r := range own.Rows {
		at := slices.IndexFunc(out.Rows, func(b Row) bool { return sameTarget(b.To, r.To) })
		switch {
		case r.Off && at < 0:
			return nil, &Error{fmt.Sprintf("%s.rows[%d] (%s)", where, i, r.To), "off: the profile has no row for it"}
		case r.Off:
			out.Rows = slices.Delete(out.Rows, at, at+1)
		case at >= 0:
			out.Rows[at] = r
		default:
			out.Rows = append(out.Rows, r)
		}
	}
	return &out, nil
}

// sameTarget compares targets as they are written: without regard to case and spaces.
func sameTarget(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}
