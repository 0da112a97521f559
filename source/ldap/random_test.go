package ldap

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/provost-scim/provost/source/ldaptest"
)

// editor makes random changes below one directory's bases and keeps track of what is where.
type editor struct {
	*directory
	rnd    *rand.Rand
	inside []string // cns of people in the base
	out    []string // cns of people outside
	n      int
}

// step makes one change and says which.
func (e *editor) step() string {
	pick := func(from []string) int { return e.rnd.IntN(len(from)) }
	a := e.admin
	switch k := e.rnd.IntN(10); {
	case k < 3 || len(e.inside) < 3:
		e.n++
		cn := fmt.Sprintf("P%03d", e.n)
		e.hire(cn)
		e.inside = append(e.inside, cn)
		return "hire " + cn
	case k < 5:
		cn := e.inside[pick(e.inside)]
		a.Set(e.person(cn), "mail", fmt.Sprintf("m%d@example.test", e.rnd.IntN(1000)))
		return "mail of " + cn
	case k == 5:
		cn := e.inside[pick(e.inside)]
		value := []string{"leaver"}
		if e.rnd.IntN(2) == 0 {
			value = nil
		}
		a.Set(e.person(cn), "employeeType", value...)
		return fmt.Sprint("employeeType of ", cn, " ", value)
	case k == 6:
		i := pick(e.inside)
		e.n++
		old, cn := e.inside[i], fmt.Sprintf("R%03d", e.n)
		a.Move(e.person(old), e.rdn+"="+cn, "")
		e.inside[i] = cn
		return "rename " + old + " to " + cn
	case k == 7:
		i := pick(e.inside)
		cn := e.inside[i]
		a.Move(e.person(cn), e.rdn+"="+cn, e.outside)
		e.inside = append(e.inside[:i], e.inside[i+1:]...)
		e.out = append(e.out, cn)
		return "move out " + cn
	case k == 8 && len(e.out) > 0:
		i := pick(e.out)
		cn := e.out[i]
		a.Move(e.rdn+"="+cn+","+e.outside, e.rdn+"="+cn, e.people)
		e.out = append(e.out[:i], e.out[i+1:]...)
		e.inside = append(e.inside, cn)
		return "move in " + cn
	default:
		i := pick(e.inside)
		cn := e.inside[i]
		a.Delete(e.person(cn))
		e.inside = append(e.inside[:i], e.inside[i+1:]...)
		return "delete " + cn
	}
}

// TestFeeds_RandomEdits follows random changes with deltas at random moments: what is known by them is always what
// a first read finds. PROVOST_LDAP_EDITS sets how many changes each feed sees, PROVOST_SEED which.
func TestFeeds_RandomEdits(t *testing.T) {
	edits, seed := number(t, "PROVOST_LDAP_EDITS", 60), number(t, "PROVOST_SEED", rand.IntN(1<<30))
	run := func(t *testing.T, d *directory, c Config, feed string) {
		t.Logf("PROVOST_SEED=%d", seed)
		c.Feed = feed
		e := &editor{directory: d, rnd: rand.New(rand.NewPCG(uint64(seed), 1))}
		d.hire("Stays")
		f := following(t, c, feed)
		for i := range edits {
			what := e.step()
			if e.rnd.IntN(3) == 0 {
				f.next(false)
				if i%10 == 0 {
					f.equal(fmt.Sprintf("edit %d, %s", i, what))
				}
			}
			if t.Failed() {
				return
			}
		}
		f.next(false)
		f.equal("at the end")
	}
	samba := ldaptest.Samba(t)
	for _, feed := range []string{feedDirSync, feedUSN, feedTimestamp} {
		t.Run("Active Directory "+feed, func(t *testing.T) {
			d, c := sambaDirectory(t, samba)
			run(t, d, c, feed)
		})
	}
	for _, feed := range []string{feedSyncrepl, feedTimestamp} {
		t.Run("OpenLDAP "+feed, func(t *testing.T) {
			d, c := slapdDirectory(t, ldaptest.Slapd(t, ldaptest.SlapdOptions{}))
			run(t, d, c, feed)
		})
	}
}

func number(t *testing.T, variable string, otherwise int) int {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}
