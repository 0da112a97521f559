package provision

import (
	"fmt"
	"math"
)

// Guard holds removals that look like an accident. Its zero value is the default: more than 5 objects and more than
// 10 % of what is managed, in one cycle together with the 24 hours before it; the same for memberships; and more than
// half of a group.
type Guard struct {
	Count   int     `json:"count,omitempty"`   // removals that are always allowed; default 5
	Percent float64 `json:"percent,omitempty"` // of what is managed; default 10
	Group   float64 `json:"group,omitempty"`   // per cent of the members of one group; default 50
}

// The defaults of a Guard.
const (
	DefaultGuardCount   = 5
	DefaultGuardPercent = 10
	DefaultGuardGroup   = 50
)

func (g Guard) check() error {
	if g.Count < 0 || g.Percent < 0 || g.Percent > 100 || g.Group < 0 || g.Group > 100 {
		return fmt.Errorf("guard: count must not be negative, percent and group must be between 0 and 100")
	}
	return nil
}

func (g Guard) withDefaults() Guard {
	if g.Count == 0 {
		g.Count = DefaultGuardCount
	}
	if g.Percent == 0 {
		g.Percent = DefaultGuardPercent
	}
	if g.Group == 0 {
		g.Group = DefaultGuardGroup
	}
	return g
}

// limit is how many of n managed things may be removed.
func (g Guard) limit(n int) int {
	return max(g.Count, int(math.Floor(g.Percent/100*float64(n))))
}

// Sums are the removals of a plan that nobody was asked about.
type Sums struct {
	Objects     int `json:"objects"`
	Memberships int `json:"memberships"`
}

// Verdict is what the guard makes of a plan. The two rules say why removals are held, "" if they are not.
type Verdict struct {
	Objects     string `json:"objects,omitempty"`
	Memberships string `json:"memberships,omitempty"`
	Sums        Sums   `json:"removals"`
	DaySums     Sums   `json:"removedToday"`
	Limits      Sums   `json:"limits"`
}

// Alarms are circumstances in which the guard holds every removal.
type Alarms struct {
	Empty   bool // the source has nobody although it had somebody
	Changed bool // the configuration was changed since the last cycle
}

// Judge looks at all removals of a plan together. It is pure.
func (g Guard) Judge(t Totals, s Sums, a Alarms) Verdict {
	g = g.withDefaults()
	v := Verdict{Sums: s, DaySums: Sums{t.DayObjects, t.DayMembers},
		Limits: Sums{g.limit(t.Objects), g.limit(t.Memberships)}}
	switch {
	case a.Empty:
		v.Objects = "the source is empty, which it was not before"
	case a.Changed:
		v.Objects = "the configuration was changed: look at the removals first"
	case s.Objects+t.DayObjects > v.Limits.Objects:
		v.Objects = excess("objects", s.Objects, t.DayObjects, t.Objects, v.Limits.Objects, g)
	}
	switch {
	case a.Empty || a.Changed:
		v.Memberships = v.Objects
	case s.Memberships+t.DayMembers > v.Limits.Memberships:
		v.Memberships = excess("memberships", s.Memberships, t.DayMembers, t.Memberships, v.Limits.Memberships, g)
	}
	return v
}

func excess(what string, now, day, managed, limit int, g Guard) string {
	return fmt.Sprintf("%d %s now and %d in the last 24 hours are more than %d, the larger of %d and %g %% of %d managed",
		now, what, day, limit, g.Count, g.Percent, managed)
}

// judgeGroup looks at the removals from one group with size members.
func (g Guard) judgeGroup(size, removed int) string {
	g = g.withDefaults()
	if removed > g.Count && float64(removed)*100 > g.Group*float64(size) {
		return fmt.Sprintf("%d of its %d members are more than %g %%", removed, size, g.Group)
	}
	return ""
}
