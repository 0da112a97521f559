package verify

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Severity says what it means for a client if a case does not hold.
type Severity string

// The severities: the table of requirements calls them F, W and N.
const (
	Must   Severity = "fail" // a client stops, loses data or keeps access that it should have taken
	Should Severity = "warn" // a client copes, or only some configurations are hit
	Note   Severity = "note" // worth knowing; reported as a warning
)

// Outcome is what became of a case.
type Outcome string

// The outcomes.
const (
	Pass    Outcome = "pass"
	Fail    Outcome = "fail"
	Warn    Outcome = "warn"
	Skipped Outcome = "skipped"
)

// Case is one rule and the requests that prove it. Cases are independent: each makes its own objects, so any one
// can be played alone.
type Case struct {
	Name     string         `json:"name"`             // profile/slug
	Rule     string         `json:"rule"`             // "R-29", "V6", "S3", "RFC 7644 §3.5.2.2"
	Title    string         `json:"title"`            // what must hold, one line
	Why      string         `json:"why"`              // which product breaks, and how
	Ref      string         `json:"ref"`              // where the rule comes from
	Severity Severity       `json:"severity"`         // of a finding that does not say otherwise
	Fix      string         `json:"fix"`              // how servers usually repair it
	Breaks   []string       `json:"breaks,omitempty"` // the clients that would break
	Run      func(*Session) `json:"-"`
}

// Profile is a named list of cases and the transport habits of the client that it plays.
type Profile struct {
	Name    string
	About   string
	Client  string // the product, as reports name it
	Dialect Dialect
	Cases   []Case
	Heavy   bool // not part of "all"
}

// Dialect is how a client writes its requests.
type Dialect struct {
	ContentType string
	Accept      string
	Header      map[string]string
	PlusBlanks  bool // blanks in a query are "+", otherwise "%20"
}

// Profiles returns every built-in profile in the order in which "all" plays them.
func Profiles() []Profile {
	list := []Profile{
		entraProfile(), entraFlagProfile(), entraValidatorProfile(),
		oktaCatalogueProfile(), oktaCustomProfile(), oktaSpecProfile(),
		pingPutProfile(), pingPatchProfile(),
		rfcProfile(), paginationProfile(), securityProfile(),
		loadProfile(),
	}
	for i := range list {
		p := &list[i]
		for j := range p.Cases {
			c := &p.Cases[j]
			if !strings.Contains(c.Name, "/") {
				c.Name = p.Name + "/" + c.Name
			}
			if c.Severity == "" {
				c.Severity = Must
			}
			if len(c.Breaks) == 0 && p.Client != "" {
				c.Breaks = []string{p.Client}
			}
		}
	}
	return list
}

// choose picks profiles by name: a name, "all" (every profile that is not heavy), or the short forms "entra*".
func choose(names []string) ([]Profile, error) {
	every := Profiles()
	if len(names) == 0 {
		names = []string{"all"}
	}
	var chosen []Profile
	add := func(p Profile) {
		if !slices.ContainsFunc(chosen, func(q Profile) bool { return q.Name == p.Name }) {
			chosen = append(chosen, p)
		}
	}
	for _, name := range names {
		found := false
		for _, p := range every {
			if p.Name == name || name == "all" && !p.Heavy || strings.ContainsAny(name, "*?") && Match([]string{name}, p.Name) {
				add(p)
				found = true
			}
		}
		if !found {
			return nil, fmt.Errorf("unknown profile %q: choose from %s, all", name, strings.Join(profileNames(every), ", "))
		}
	}
	return chosen, nil
}

func profileNames(list []Profile) []string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.Name
	}
	return names
}

// Match tells whether name matches one of the patterns. "*" in a pattern also spans slashes; a pattern without
// any special character matches the name itself, a whole profile, or a rule.
func Match(patterns []string, name string) bool {
	for _, p := range patterns {
		if p == name || strings.HasPrefix(name, p+"/") {
			return true
		}
		flat := strings.ReplaceAll(name, "/", "\x00")
		if ok, err := path.Match(strings.ReplaceAll(p, "/", "\x00"), flat); err == nil && ok {
			return true
		}
	}
	return false
}
