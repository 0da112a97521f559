package scimclient

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// How resources are changed.
const (
	Auto  = "auto"  // patch, or merge if the target says that it has no PATCH
	Patch = "patch" // PATCH with the difference
	Put   = "put"   // PUT with the wanted attributes; of a group: merge
	Merge = "merge" // GET, then PUT of what was there with the difference applied
)

// How members are removed by PATCH.
const (
	RemoveFilter = "filter" // path members[value eq "id"], one operation each (RFC 7644 §3.5.2.2)
	RemoveValues = "values" // path members with a list of values (Entra's default, Netskope, Okta)
)

// Profile is what is known about a kind of target. Rates are requests per second, 0 for no limit of ours.
type Profile struct {
	Name  string `json:"name"`
	About string `json:"about"`

	Rate       float64 `json:"rate,omitempty"` // of all requests together
	Burst      int     `json:"burst,omitempty"`
	WriteRate  float64 `json:"writeRate,omitempty"` // of POST, PUT, PATCH and DELETE
	WriteBurst int     `json:"writeBurst,omitempty"`
	Parallel   int     `json:"parallel"` // requests at the same time, at most
	Members    int     `json:"members"`  // changes of membership in one request
	PageSize   int     `json:"pageSize"` // resources asked for in one page of a list

	UserUpdate  string `json:"userUpdate"`
	GroupUpdate string `json:"groupUpdate"`
	Remove      string `json:"remove"`
	TitleOps    bool   `json:"titleOps,omitempty"`    // "Add" rather than "add"
	BooleanText bool   `json:"booleanText,omitempty"` // "False" rather than false in PATCH

	ContentType     string `json:"contentType"`
	NoExclude       bool   `json:"noExclude,omitempty"`       // excludedAttributes is not understood
	AskMembers      bool   `json:"askMembers,omitempty"`      // members come only if they are asked for
	NoDiscovery     bool   `json:"noDiscovery,omitempty"`     // there is no ServiceProviderConfig
	NotFoundIsEmpty bool   `json:"notFoundIsEmpty,omitempty"` // 404 to a search means no match
	// Bounds of Members and PageSize are the target's own: an override cannot pass them.
	HardMembers bool `json:"hardMembers,omitempty"`
}

//go:embed profiles.json
var profilesJSON []byte

var profiles = sync.OnceValue(func() []Profile {
	var list []Profile
	d := json.NewDecoder(strings.NewReader(string(profilesJSON)))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		panic("scimclient: profiles.json: " + err.Error()) // a defect of the build, held by a test
	}
	return list
})

// Profiles returns all profiles, generic first.
func Profiles() []Profile { return slices.Clone(profiles()) }

func profileNamed(name string) (Profile, error) {
	if name == "" {
		name = "generic"
	}
	var names []string
	for _, p := range profiles() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Profile{}, &ConfigError{"profile", fmt.Sprintf("%q is none of %s", name, strings.Join(names, ", "))}
}

// The bounds of what an Override may say.
const (
	maxRate     = 100_000
	maxParallel = 256
	maxMembers  = 10_000
	maxPage     = 10_000
)

// effective is the profile of a configuration with its overrides.
func (c *Config) effective() (Profile, error) {
	p, err := profileNamed(c.Profile)
	o := c.Override
	if err != nil || o == nil {
		return p, err
	}
	hard := p.Members
	for _, f := range []struct {
		name  string
		value *float64
		to    *float64
	}{{"rate", o.Rate, &p.Rate}, {"writeRate", o.WriteRate, &p.WriteRate}} {
		if f.value == nil {
			continue
		}
		if !(*f.value >= 0 && *f.value <= maxRate) {
			return p, &ConfigError{"override." + f.name, fmt.Sprintf("%v is not between 0 and %d requests a second", *f.value, maxRate)}
		}
		*f.to = *f.value
	}
	for _, f := range []struct {
		name      string
		value     *int
		to        *int
		low, high int
	}{{"burst", o.Burst, &p.Burst, 0, maxRate}, {"writeBurst", o.WriteBurst, &p.WriteBurst, 0, maxRate}, {"parallel", o.Parallel, &p.Parallel, 1, maxParallel},
		{"members", o.Members, &p.Members, 1, maxMembers}, {"pageSize", o.PageSize, &p.PageSize, 1, maxPage}} {
		if f.value == nil {
			continue
		}
		if *f.value < f.low || *f.value > f.high {
			return p, &ConfigError{"override." + f.name, fmt.Sprintf("%d is not between %d and %d", *f.value, f.low, f.high)}
		}
		*f.to = *f.value
	}
	if p.HardMembers && p.Members > hard {
		return p, &ConfigError{"override.members", fmt.Sprintf("%d is more than the %d that %s documents", p.Members, hard, p.Name)}
	}
	return p, o.modes(&p)
}

func (o *Override) modes(p *Profile) error {
	for _, f := range []struct {
		name, value string
		to          *string
		allowed     []string
	}{{"userUpdate", o.UserUpdate, &p.UserUpdate, []string{Auto, Patch, Put, Merge}}, {"groupUpdate", o.GroupUpdate, &p.GroupUpdate, []string{Auto, Patch, Put, Merge}},
		{"remove", o.Remove, &p.Remove, []string{RemoveFilter, RemoveValues}}} {
		if f.value == "" {
			continue
		}
		if !slices.Contains(f.allowed, f.value) {
			return &ConfigError{"override." + f.name, fmt.Sprintf("%q is none of %s", f.value, strings.Join(f.allowed, ", "))}
		}
		*f.to = f.value
	}
	return nil
}
