package store

import (
	"fmt"

	"github.com/provost-scim/provost/scim"
)

// compiler turns a bound filter into SQL over "resource r". What comes from outside becomes an argument; $1 is
// the tenant. The SQL matches exactly what scim.Match does.
type compiler struct {
	d      *dialect
	rtype  string
	rt     string // placeholder of rtype
	client string // whose externalId is meant
	a      *args
}

// A clause is a part of a filter. Text is made late, because making it adds arguments.
type clause struct {
	// pred makes a condition on r. It is true or false, never NULL, so that it can be negated.
	pred func() string

	// set makes a SELECT of the ids that match, through an index; nil if there is none. It may give more than
	// match if pred has to be asked too (recheck).
	set     func() string
	recheck bool
	rank    rank

	// single makes a condition on r that at most one resource of a tenant fulfils; nil if there is none.
	single func() string
}

// rank says how few rows a set can be expected to have.
type rank int

const (
	rankEq    rank = iota + 1 // one value of an attribute
	rankStart                 // the values with a beginning
	rankRange                 // the values on one side of a bound
	rankSlice                 // reads all values of one attribute, but no documents
)

// condition is the whole filter as a condition on r. seeks says that an index leads to few rows.
func (c *compiler) condition(f scim.Filter) (cond string, seeks bool) {
	if f == nil {
		return "true", false
	}
	cl := c.clause(f)
	if cl.set == nil {
		return cl.pred(), false
	}
	cond = "r.id in (" + cl.set() + ")"
	if cl.recheck {
		cond += " and " + cl.pred()
	}
	return cond, cl.rank <= rankStart
}

func (c *compiler) clause(f scim.Filter) clause {
	switch f := f.(type) {
	case *scim.And:
		return c.and(c.conjuncts(f, nil))
	case *scim.Or:
		return c.or(c.clause(f.Left), c.clause(f.Right))
	case *scim.Not:
		return c.not(c.clause(f.Filter))
	case *scim.ValuePath:
		return c.valuePath(f)
	case *scim.Compare:
		if f.Op == scim.Ne {
			eq := *f
			eq.Op = scim.Eq
			return c.not(c.compare(&eq))
		}
		return c.compare(f)
	}
	panic(fmt.Sprintf("store: filter of type %T", f))
}

func constant(v bool) clause {
	return clause{pred: func() string { return fmt.Sprint(v) }}
}

func (c *compiler) conjuncts(f *scim.And, list []clause) []clause {
	for _, side := range []scim.Filter{f.Left, f.Right} {
		if and, ok := side.(*scim.And); ok {
			list = c.conjuncts(and, list)
		} else {
			list = append(list, c.clause(side))
		}
	}
	return list
}

// and lets the most selective part find the rows and asks the others about each.
func (c *compiler) and(list []clause) clause {
	best := -1
	for i, cl := range list {
		if cl.set != nil && (best < 0 || cl.rank < list[best].rank) {
			best = i
		}
	}
	preds := func(without int) func() string {
		return func() string {
			s := ""
			for i, cl := range list {
				if i == without && !cl.recheck {
					continue
				}
				if s != "" {
					s += " and "
				}
				s += cl.pred()
			}
			return "(" + s + ")"
		}
	}
	if best < 0 {
		return clause{pred: preds(-1)}
	}
	// Sets of an "or" must be exact, so the other parts go into the set; at the top the planner sees through it.
	return clause{
		pred: preds(-1), rank: list[best].rank,
		set: func() string {
			ids := list[best].set()
			from := "resource r where r.tenant = $1 and r.rtype = " + c.rt + " and r.id in (" + ids + ") and "
			if list[best].rank == rankEq && c.d.postgres {
				// The offset keeps the planner from turning it round, see lister.hitsSQL.
				from = "(select distinct s.id from (" + ids + ") s offset 0) b" +
					c.d.lookup("resource", "r", "r.tenant = $1 and r.rtype = "+c.rt+" and r.id = b.id") + " where "
			}
			return "select r.id from " + from + preds(best)()
		},
	}
}

// or is a union if both sides are found through an index, else a condition.
func (c *compiler) or(l, r clause) clause {
	out := clause{pred: func() string { return "(" + l.pred() + " or " + r.pred() + ")" }}
	if l.set != nil && r.set != nil {
		out.rank = max(l.rank, r.rank)
		out.recheck = l.recheck || r.recheck
		out.set = func() string { return l.set() + " union " + r.set() }
	}
	return out
}

func (c *compiler) not(x clause) clause {
	return clause{pred: func() string { return "not " + x.pred() }}
}

// compare is a comparison outside of brackets.
func (c *compiler) compare(f *scim.Compare) clause {
	ref := f.Ref
	if ref.Ext == "" {
		switch ref.Attr.Name {
		case "id":
			return c.compareID(f)
		case "externalId":
			return c.compareExternal(f)
		case "meta":
			return c.compareMeta(f)
		case "userName":
			if c.rtype == userType && f.Op == scim.Eq {
				return c.compareUserName(f)
			}
		case "active":
			if c.rtype == userType && f.Op == scim.Eq {
				want := f.Value == true
				return clause{pred: func() string { return "r.active = " + c.a.add(flag(want)) }}
			}
		case "members":
			if c.rtype == groupType {
				return c.members(f, ref.Sub)
			}
		case "groups":
			if c.rtype == userType {
				return c.groups(f, ref.Sub)
			}
		}
	}
	if indexed(ref) {
		return c.indexCompare(f, pathOf(ref), "")
	}
	return clause{pred: func() string { return c.inDocument(f) }}
}

// compareID compares the id. Ids are found by the primary key.
func (c *compiler) compareID(f *scim.Compare) clause {
	if f.Op == scim.Pr {
		return constant(true)
	}
	cl := clause{pred: func() string { return c.test(f, f.Ref.Leaf(), column("r.id")) }}
	if want, ok := f.Value.(string); ok && f.Op == scim.Eq && f.Ref.Leaf().CaseExact && storable(want) {
		cl.rank = rankEq
		cl.set = func() string {
			return "select i.id from resource i where i.tenant = $1 and i.rtype = " + c.rt + " and i.id = " + c.a.add(want)
		}
	}
	return cl
}

// compareUserName finds the one user by the column that keeps user names unique.
func (c *compiler) compareUserName(f *scim.Compare) clause {
	want, _ := f.Value.(string)
	if want = scim.Fold(want); !storable(want) {
		return constant(false)
	}
	single := func() string { return "r.uniq = " + c.text(want) }
	return clause{rank: rankEq, single: single,
		pred: func() string { return "coalesce(" + single() + ", false)" },
		set: func() string {
			return "select r.id from resource r where r.tenant = $1 and r.rtype = " + c.rt + " and " + single()
		},
	}
}

// compareMeta compares created, lastModified and version.
func (c *compiler) compareMeta(f *scim.Compare) clause {
	return clause{pred: func() string {
		switch {
		case f.Op == scim.Pr:
			return "true"
		case f.Ref.Sub == nil:
			return "false"
		}
		switch f.Ref.Sub.Name {
		case "created":
			return c.millis(f, "r.created")
		case "lastModified":
			return c.millis(f, "r.modified")
		case "version":
			return c.test(f, f.Ref.Leaf(), column(`('W/"' || r.version || '"')`))
		}
		return "false"
	}}
}
