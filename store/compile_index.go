package store

import (
	"strings"
	"unicode/utf8"

	"github.com/provost-scim/provost/scim"
)

// indexed says whether the values of an attribute have rows in the search index.
func indexed(ref scim.AttrRef) bool { return ref.Leaf().Indexed && isText(ref.Leaf()) }

func isText(a *scim.Attribute) bool { return a.Type == scim.String || a.Type == scim.Reference }

// pathOf is the path of an attribute in the search index.
func pathOf(ref scim.AttrRef) string { return strings.ToLower(ref.Name()) }

// compareExternal compares the externalId that the asking client set. Its rows in the index are case-exact.
func (c *compiler) compareExternal(f *scim.Compare) clause {
	if c.client == "" || !storable(c.client) {
		return constant(false)
	}
	return c.indexCompare(f, externalPath, c.client+"\x1f")
}

// externalPath is the path of externalIds in the search index; their values are client, U+001F, externalId.
const externalPath = "externalid"

// indexCompare compares an indexed attribute with the rows of its path. Their values begin with a prefix that
// is not part of what is compared.
func (c *compiler) indexCompare(f *scim.Compare, path, prefix string) clause {
	want, _ := f.Value.(string)
	if !f.Ref.Leaf().CaseExact && f.Op != scim.Pr {
		want = scim.Fold(want)
	}
	where := func() string {
		return c.rowsOf("a", path) + " and " + c.rowTest(f.Op, "a.val", want, prefix)
	}
	cl := clause{pred: func() string {
		if f.Op == scim.Eq {
			return "exists (select 1 from attr a where " + where() + " and a.id = r.id)"
		}
		return "exists (select 1 from attr a" + c.hint() + " where " + c.rowsOfID("a", path, "r.id") + " and " +
			c.rowTest(f.Op, "a.val", want, prefix) + ")"
	}}
	if cl.rank = rankOf(f.Op, want); cl.rank != 0 {
		cl.set = func() string { return "select a.id from attr a where " + where() }
	}
	return cl
}

// rowsOf is the condition for the index rows of a path, which lead to resources.
func (c *compiler) rowsOf(alias, path string) string {
	return alias + ".tenant = $1 and " + alias + ".rtype = " + c.rt + " and " + alias + ".path = " + c.text(path)
}

// rowsOfID is the condition for the index rows of a path that one resource has.
func (c *compiler) rowsOfID(alias, path, id string) string {
	col := alias + ".path"
	if c.d.postgres {
		col += " || ''"
	}
	return c.d.ofResource(alias, "$1", c.rt, id) + " and " + col + " = " + c.text(path)
}

// hint makes SQLite look at the few index rows of one resource, not at all rows of an attribute, when a
// condition is asked about each resource. It has no statistics to know better.
func (c *compiler) hint() string {
	if c.d.postgres {
		return ""
	}
	return " indexed by attr_id"
}

func rankOf(op scim.Operator, want string) rank {
	switch op {
	case scim.Eq:
		return rankEq
	case scim.Sw:
		if want == "" {
			return 0
		}
		return rankStart
	case scim.Gt, scim.Ge, scim.Lt, scim.Le:
		return rankRange
	case scim.Co, scim.Ew:
		return rankSlice
	}
	return 0 // pr matches nearly all: better asked about each
}

// rowTest is the condition on the value of an index row, in a form that seeks where one exists.
func (c *compiler) rowTest(op scim.Operator, val, want, prefix string) string {
	switch {
	case prefix == "":
		return c.seekTest(op, val, want)
	case op == scim.Eq, op == scim.Sw:
		return c.seekTest(op, val, prefix+want)
	}
	slice := c.seekTest(scim.Sw, val, prefix)
	if op == scim.Pr {
		return slice
	}
	begin := c.a.add(utf8.RuneCountInString(prefix) + 1)
	if c.d.postgres {
		begin += "::int"
	}
	return slice + " and " + c.testText(op, c.d.exact("substr("+val+", "+begin+")"), want)
}

func (c *compiler) seekTest(op scim.Operator, val, want string) string {
	switch {
	case op == scim.Pr:
		return "true"
	case op == scim.Sw && storable(want):
		if want == "" {
			return "true"
		}
		cond := val + " >= " + c.text(want)
		if next, ok := successor(want); ok {
			cond += " and " + val + " < " + c.text(next)
		}
		return cond
	}
	return c.testText(op, val, want)
}

// successor is the least text that is greater than all texts with the beginning s. In UTF-8 the order of bytes
// is the order of code points.
func successor(s string) (string, bool) {
	for s != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
		switch {
		case r == 0xD7FF:
			return s + "\uE000", true // surrogates are no characters
		case r < utf8.MaxRune:
			return s + string(r+1), true
		}
	}
	return "", false
}

// valuePath is a filter in brackets. The comparisons of indexed sub-attributes that must all hold find the
// element in the index; type is part of each index row.
func (c *compiler) valuePath(f *scim.ValuePath) clause {
	if f.Ref.Ext == "" {
		switch {
		case f.Ref.Attr.Name == "members" && c.rtype == groupType:
			return c.memberPath(f)
		case f.Ref.Attr.Name == "groups" && c.rtype == userType:
			return c.groupPath(f)
		}
	}
	whole := func() string { return c.valuePathInDocument(f) }
	seek, all := c.elementSeek(f)
	if seek == nil {
		return clause{pred: whole}
	}
	cl := clause{pred: whole, rank: seek.rank, recheck: !all}
	cl.set = func() string { return "select a.id from attr a where " + seek.where("") }
	switch {
	case all && seek.rank == rankEq:
		cl.pred = func() string { return "exists (select 1 from attr a where " + seek.where("") + " and a.id = r.id)" }
	case all:
		cl.pred = func() string { return "exists (select 1 from attr a" + c.hint() + " where " + seek.where("r.id") + ")" }
	}
	return cl
}

// elementSeek is a way to find elements in the index.
type elementSeek struct {
	rank  rank
	where func(id string) string // condition on attr a, of the resource id unless that is ""
}

// elementSeek returns nil if the index does not help; all says that nothing else has to be asked.
func (c *compiler) elementSeek(f *scim.ValuePath) (seek *elementSeek, all bool) {
	var lead *scim.Compare
	var types, others []*scim.Compare
	all = true
	for _, part := range elementConjuncts(f.Filter, nil) {
		cmp, ok := part.(*scim.Compare)
		switch {
		case ok && cmp.Ref.Attr.Name == "type" && cmp.Op == scim.Eq && isText(cmp.Ref.Attr) && !cmp.Ref.Attr.CaseExact:
			types = append(types, cmp)
		case ok && cmp.Ref.Attr.Indexed && isText(cmp.Ref.Attr) && !cmp.Ref.Attr.MultiValued && c.elementRank(cmp) != 0:
			if lead == nil || c.elementRank(cmp) < c.elementRank(lead) {
				cmp, lead = lead, cmp
			}
			if cmp != nil {
				others = append(others, cmp)
			}
		default:
			all = false
		}
	}
	if lead == nil {
		return nil, false
	}
	return &elementSeek{rank: c.elementRank(lead), where: func(id string) string {
		s := c.rowOf(f, "a", lead, id)
		for _, t := range types {
			want, _ := t.Value.(string)
			s += " and " + c.testText(scim.Eq, "a.typ", scim.Fold(want))
		}
		for _, o := range others {
			s += " and exists (select 1 from attr b" + c.hint() + " where " + c.rowOf(f, "b", o, "a.id") + " and b.elem = a.elem)"
		}
		return s
	}}, all
}

func (c *compiler) elementRank(f *scim.Compare) rank {
	want, _ := f.Value.(string)
	return rankOf(f.Op, want)
}

// rowOf is the condition on an index row of a sub-attribute, of one resource unless id is "".
func (c *compiler) rowOf(f *scim.ValuePath, alias string, cmp *scim.Compare, id string) string {
	want, _ := cmp.Value.(string)
	if !cmp.Ref.Attr.CaseExact {
		want = scim.Fold(want)
	}
	path := strings.ToLower(f.Ref.Name() + "." + cmp.Ref.Attr.Name)
	if id == "" {
		return c.rowsOf(alias, path) + " and " + c.seekTest(cmp.Op, alias+".val", want)
	}
	return c.rowsOfID(alias, path, id) + " and " + c.seekTest(cmp.Op, alias+".val", want)
}

// elementConjuncts are the filters that must all hold.
func elementConjuncts(f scim.Filter, list []scim.Filter) []scim.Filter {
	if and, ok := f.(*scim.And); ok {
		return elementConjuncts(and.Right, elementConjuncts(and.Left, list))
	}
	return append(list, f)
}
