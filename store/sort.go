package store

import (
	"fmt"
	"math"
	"strconv"

	"github.com/provost-scim/provost/scim"
)

// sortKey is the value by which a query sorts. Ties are broken by id, in rising order. A missing value comes
// last when ascending and first when descending (RFC 7644 §3.4.2.3).
type sortKey struct {
	ref    scim.AttrRef
	number bool // compared as a number, not as text
	client string
}

// sortKey returns nil if the order is that of ids.
func (l *lister) sortKey() *sortKey {
	if l.q.Sort == nil || l.q.Sort.Ext == "" && l.q.Sort.Attr.Name == "id" {
		return nil
	}
	k := &sortKey{ref: *l.q.Sort, client: l.q.Client}
	if k.ref.Sub == nil && k.ref.Attr.Type == scim.Complex {
		for _, sub := range k.ref.Attr.SubAttributes {
			if sub.Name == "value" {
				k.ref.Sub = sub
			}
		}
	}
	switch k.ref.Leaf().Type {
	case scim.Boolean, scim.Integer, scim.Decimal:
		k.number = true
	case scim.DateTime:
		// SQLite has instants as text, PostgreSQL as numbers; columns are numbers in both.
		k.number = l.t.db.d.postgres || k.isMeta()
	}
	if k.isMeta() && k.ref.Sub != nil && k.ref.Sub.Name == "version" {
		k.number = true
	}
	return k
}

func (k *sortKey) isMeta() bool { return k.ref.Ext == "" && k.ref.Attr.Name == "meta" }

// expr is the value in SQL, over "resource r".
func (k *sortKey) expr(c *compiler) string {
	if k.ref.Ext == "" {
		switch k.ref.Attr.Name {
		case "externalId":
			if k.client == "" || !storable(k.client) {
				return "cast(null as text)"
			}
			if c.d.postgres {
				return c.d.exact("(r.external::jsonb ->> " + c.text(k.client) + ")")
			}
			return "(select x.value from json_each(r.external) x where x.key = " + c.text(k.client) + ")"
		case "meta":
			return k.meta()
		case "members":
			if c.rtype == groupType {
				return k.relation(c, "m.gid = r.id", memberColumn, " left join resource d on d.tenant = m.tenant and d.rtype = m.mtype and d.id = m.mid", "m.mid")
			}
		case "groups":
			if c.rtype == userType {
				return k.relation(c, "m.mid = r.id", directColumn, " left join resource g on g.tenant = m.tenant and g.rtype = m.gtype and g.id = m.gid", "m.gid")
			}
		}
	}
	return k.typed(c, k.document(c))
}

func (k *sortKey) meta() string {
	if k.ref.Sub != nil {
		switch k.ref.Sub.Name {
		case "created":
			return "r.created"
		case "lastModified":
			return "r.modified"
		case "version":
			return "r.version"
		case "resourceType":
			return "r.rtype"
		}
	}
	return "cast(null as text)"
}

// relation takes the first row, as the relation is shown.
func (k *sortKey) relation(c *compiler, where string, col func(*scim.Attribute) value, join, order string) string {
	if k.ref.Sub == nil {
		return "cast(null as text)"
	}
	x := "(select " + col(k.ref.Sub).text + " from member m" + join + " where m.tenant = $1 and " + where + " order by " + order + " limit 1)"
	return k.typed(c, value{text: x})
}

// directColumn is groupColumn for a row of member.
func directColumn(sub *scim.Attribute) value {
	switch sub.Name {
	case "value":
		return column("m.gid")
	case "type":
		return column("'direct'")
	case "display":
		return column("nullif(g.display, '')")
	}
	return column("cast(null as text)")
}

// document is the value in the JSON document. Of several values it is that of the primary element, else of the
// first.
func (k *sortKey) document(c *compiler) value {
	path := []string{k.ref.Attr.Name}
	if k.ref.Ext != "" {
		path = []string{k.ref.Ext, k.ref.Attr.Name}
	}
	if !k.ref.Attr.MultiValued {
		if k.ref.Sub != nil {
			path = append(path, k.ref.Sub.Name)
		}
		return c.at("r.doc", path)
	}
	sub := ""
	if k.ref.Sub != nil {
		sub = k.ref.Sub.Name
	}
	return c.firstElement(path, sub)
}

// firstElement is the value of the primary element of a list, else of its first.
func (c *compiler) firstElement(path []string, sub string) value {
	if c.d.postgres {
		v := "e.value"
		if sub != "" {
			v = "(e.value -> " + c.text(sub) + ")"
		}
		x := "(select " + v + " from " + c.elements("r.doc", path) + " with ordinality e (value, n)" +
			" order by coalesce(e.value @> '{\"primary\": true}', false) desc, e.n limit 1)"
		return value{text: "(" + x + " #>> '{}')", json: x}
	}
	v := "e.value"
	if sub != "" {
		v = "json_extract(e.value, " + c.a.add(sqlitePath([]string{sub})) + ")"
	}
	primary := "case e.type when 'object' then coalesce(json_extract(e.value, '$.primary'), 0) else 0 end"
	return value{text: "(select " + v + " from " + c.elements("r.doc", path) + " e order by " + primary + " desc, e.key limit 1)"}
}

// typed makes a value comparable.
func (k *sortKey) typed(c *compiler, v value) string {
	leaf := k.ref.Leaf()
	switch leaf.Type {
	case scim.Boolean:
		if c.d.postgres {
			return "(case " + v.text + " when 'true' then 1 when 'false' then 0 end)"
		}
		return v.text
	case scim.Integer, scim.Decimal:
		if c.d.postgres {
			return "(case when jsonb_typeof(" + v.json + ") = 'number' then (" + v.text + ")::numeric end)"
		}
		return v.text
	case scim.DateTime:
		return c.d.instant(v.text)
	case scim.Complex:
		return "cast(null as text)"
	}
	if leaf.CaseExact {
		return c.d.exact(v.text)
	}
	return c.d.fold(v.text)
}

// shown is the value as it is read, for keyText.
func (k *sortKey) shown(d *dialect) string {
	if d.postgres {
		return "r.k::text"
	}
	return "r.k"
}

// keyText is the form of a value in scim.Key.
func keyText(shown any) (text string, missing bool) {
	switch v := shown.(type) {
	case nil:
		return "", true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), false
	case []byte:
		return string(v), false
	}
	return fmt.Sprint(shown), false
}

// after is the condition for what comes behind q.After.
func (k *sortKey) after(d *dialect, a *args, q scim.Query) string {
	if q.After == nil {
		return ""
	}
	if q.After.Missing {
		if q.Descending {
			return " where (r.k is null and r.id > " + a.add(q.After.ID) + " or r.k is not null)"
		}
		return " where r.k is null and r.id > " + a.add(q.After.ID)
	}
	v := k.arg(d, a, q.After.Sort)
	if q.Descending {
		return " where (r.k < " + v + " or r.k = " + v + " and r.id > " + a.add(q.After.ID) + ")"
	}
	return " where (r.k > " + v + " or r.k = " + v + " and r.id > " + a.add(q.After.ID) + " or r.k is null)"
}

// arg adds the value of a key as an argument.
func (k *sortKey) arg(d *dialect, a *args, text string) string {
	switch {
	case d.postgres && k.number:
		return a.add(text) + "::text::numeric"
	case d.postgres:
		return a.add(text) + "::text"
	case !k.number:
		return a.add(text)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return a.add(n)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		f = math.Inf(1)
	}
	return a.add(f)
}

func (k *sortKey) order(descending bool) string {
	if descending {
		return "(r.k is null) desc, r.k desc, r.id"
	}
	return "(r.k is null), r.k, r.id"
}
