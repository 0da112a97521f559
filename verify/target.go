package verify

import (
	"fmt"
	"strings"
)

// Target is a server whose deviations are documented and known to be tolerable: a case that fails on one of them
// becomes a warning that says so.
type Target struct {
	Name       string
	About      string
	Deviations []Deviation
}

// Deviation is one known deviation of a target.
type Deviation struct {
	Cases []string // patterns of case names or rules
	Why   string
}

// Targets returns the known targets.
func Targets() []Target {
	return []Target{{
		Name:  "netskope",
		About: "Netskope tenant, /api/v2/scim",
		Deviations: []Deviation{
			{[]string{"R-55", "*/group-members", "*/get-group"}, "Netskope leaves members out of group reads unless attributes=members is asked for"},
			{[]string{"R-05", "*/media-type", "*/error-media-type"}, "Netskope answers errors as application/json"},
			{[]string{"*/patch-returns-user", "entra-validator/*"}, "Netskope answers every PATCH with 204 and no body"},
			{[]string{"*/user-groups"}, "Netskope's users carry no groups"},
			{[]string{"*enterprise*", "*/manager*", "V10", "V11", "V12", "*/roles*", "*/add-verbose"}, "Netskope stores userName, names, e-mail and groups only"},
		},
	}}
}

func findTarget(name string) (*Target, error) {
	if name == "" {
		return nil, nil
	}
	var names []string
	for _, t := range Targets() {
		if strings.EqualFold(t.Name, name) {
			return &t, nil
		}
		names = append(names, t.Name)
	}
	return nil, fmt.Errorf("unknown target %q: known are %s", name, strings.Join(names, ", "))
}

// excuse says why a failure of the case is to be expected of the target, "" if it is not.
func (t *Target) excuse(c *Case) string {
	if t == nil {
		return ""
	}
	for _, d := range t.Deviations {
		if Match(d.Cases, c.Name) || Match(d.Cases, c.Rule) {
			return d.Why
		}
	}
	return ""
}
