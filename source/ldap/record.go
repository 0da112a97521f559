package ldap

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// Limits of one entry.
const (
	// MaxValues is how many values one attribute may have, that is how many direct members a group.
	MaxValues = 2_000_000
	// versionAttr tells whether an entry of Active Directory changed between two ranges of its values.
	versionAttr = "uSNChanged"
	// rangeTries is how often an attribute is read again from its start because it changed while it was read.
	rangeTries = 3
)

// secretAttrs never leave the directory, whatever is asked for.
var secretAttrs = map[string]bool{
	"userpassword": true, "unicodepwd": true, "dbcspwd": true, "ntpwdhistory": true, "lmpwdhistory": true,
	"supplementalcredentials": true, "sambantpassword": true, "sambalmpassword": true, "krbprincipalkey": true,
	"ms-mcs-admpwd": true, "mslaps-password": true, "mslaps-encryptedpassword": true, "msds-managedpassword": true,
	"msds-keycredentiallink": true, "pwdhistory": true, "authpassword": true,
}

// restlessAttrs change with every logon or write. They are left out unless asked for by name, so that a person who
// only logged on is not a changed person.
var restlessAttrs = map[string]bool{
	"usnchanged": true, "usncreated": true, "whenchanged": true, "dscorepropagationdata": true, "lastlogon": true,
	"lastlogontimestamp": true, "logoncount": true, "badpwdcount": true, "badpasswordtime": true, "lastlogoff": true,
}

// wanted is the list of attributes to ask for.
func (r *reading) wanted(s *Search, kind source.Kind) []string {
	attrs := slices.Clone(s.Attributes)
	if len(attrs) == 0 {
		attrs = []string{"*"}
	}
	attrs = append(attrs, r.key)
	if kind == source.Group {
		attrs = append(attrs, r.src.config.memberAttr(), "objectClass")
	}
	if r.src.config.PrimaryGroup {
		attrs = append(attrs, map[source.Kind]string{source.Person: "primaryGroupID", source.Group: "objectSid"}[kind])
	}
	if r.server.product == activeDirectory {
		attrs = append(attrs, versionAttr)
	}
	if r.feed == feedTimestamp {
		attrs = append(attrs, r.stampAttr())
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(attrs, func(a string) bool {
		a = strings.ToLower(a)
		again := seen[a]
		seen[a] = true
		return again
	})
}

// record makes a record of an entry and makes sure that it has a key.
func (r *reading) record(kind source.Kind, s *Search, e *ldap.Entry) (source.Record, error) {
	rec, err := r.fill(kind, s, e)
	if err == nil {
		err = r.identified(&rec, e)
	}
	if err == nil && kind == source.Group {
		err = r.shown(&rec, e)
	}
	return rec, err
}

// shown refuses a group without a member whose class demands one (RFC 4519 §3.5, §3.6): the bind account may not
// read its members, and the server does not say so.
func (r *reading) shown(rec *source.Record, e *ldap.Entry) error {
	if len(rec.Members) > 0 {
		return nil
	}
	demands := map[string]string{"groupofnames": "member", "groupofuniquenames": "uniquemember"}
	for _, class := range rec.Attrs["objectclass"] {
		if demands[strings.ToLower(class)] == strings.ToLower(r.src.config.memberAttr()) {
			return &source.Error{Fault: source.Partial, Field: "groups", Msg: fmt.Sprintf("%s shows no %s, although every %s has one", e.DN, r.src.config.memberAttr(), class),
				Next: "permit the bind account to read it"}
		}
	}
	return nil
}

// fill makes a record of an entry, reading what is left of ranged attributes.
func (r *reading) fill(kind source.Kind, s *Search, e *ldap.Entry) (source.Record, error) {
	rec := source.Record{Kind: kind, Name: NormalDN(e.DN), Attrs: make(map[string][]string, len(e.Attributes))}
	member := strings.ToLower(r.src.config.memberAttr())
	for _, a := range e.Attributes {
		name, ranged := r.attrName(a.Name)
		if secretAttrs[name] {
			continue
		}
		raw := a.ByteValues
		if ranged != "" {
			var err error
			if raw, err = r.ranges(e, name, a); err != nil {
				return rec, err
			}
		} else if len(raw) == 0 && hasRange(e, name) {
			continue // Active Directory sends the plain attribute empty beside the ranged one
		}
		if len(raw) > MaxValues {
			return rec, &source.Error{Fault: source.Malformed, Msg: fmt.Sprintf("%s of %s has more than %d values", name, e.DN, MaxValues)}
		}
		switch {
		case kind == source.Group && name == member:
			rec.Members = make([]string, len(raw))
			for i, m := range raw {
				rec.Members[i] = NormalDN(string(m))
			}
		case name == r.lowerKey:
			if len(raw) == 1 && len(raw[0]) > 0 {
				rec.Key = r.src.value(name, raw[0])
			}
			rec.Attrs[name] = r.src.values(name, raw)
		case restlessAttrs[name] && !asked(s, name):
			r.stamp(name, raw)
		default:
			r.stamp(name, raw)
			rec.Attrs[name] = r.src.values(name, raw)
		}
	}
	return rec, nil
}

// identified checks that a record has the key that everything else relies on.
func (r *reading) identified(rec *source.Record, e *ldap.Entry) error {
	if rec.Key == "" {
		return &source.Error{Fault: source.Malformed, Field: "key", Msg: fmt.Sprintf("%s has no single value of %s", e.DN, r.key),
			Next: "permit the bind account to read it, or name another attribute that every entry has"}
	}
	if r.src.config.Key == "" {
		rec.Key = strings.ToLower(rec.Key)
		return nil
	}
	if other, taken := r.names[rec.Key]; taken && other != rec.Name {
		return &source.Error{Fault: source.Malformed, Field: "key", Msg: fmt.Sprintf("%s and %s have the same %s %q", e.DN, other, r.key, rec.Key),
			Next: "name an attribute whose values are unique"}
	}
	r.names[rec.Key] = rec.Name
	return nil
}

// attrName returns the lower-case name of an attribute without its range option, and the range, "" if it has none.
func (r *reading) attrName(name string) (string, string) {
	lower, ok := r.lower[name]
	if !ok {
		lower = strings.ToLower(name)
		if len(r.lower) < 10_000 {
			r.lower[name] = lower
		}
	}
	base, ranged, ok := strings.Cut(lower, ";range=")
	if !ok {
		return lower, ""
	}
	return base, ranged
}

func hasRange(e *ldap.Entry, name string) bool {
	return slices.ContainsFunc(e.Attributes, func(a *ldap.EntryAttribute) bool {
		return len(a.Name) > len(name) && strings.HasPrefix(strings.ToLower(a.Name), name+";range=")
	})
}

func asked(s *Search, name string) bool {
	return slices.ContainsFunc(s.Attributes, func(a string) bool { return strings.EqualFold(a, name) })
}

// ranges returns all values of an attribute of which an entry brought the first range (MS-ADTS §3.1.1.3.1.3.3).
// The reads of the ranges are not one snapshot: when the entry changes meanwhile, all begins again.
func (r *reading) ranges(e *ldap.Entry, name string, first *ldap.EntryAttribute) ([][]byte, error) {
	dn := e.DN
	if raw := e.GetEqualFoldRawAttributeValue("objectGUID"); r.server.product == activeDirectory && len(raw) == 16 {
		text, _ := guidText(raw)
		dn = "<GUID=" + text + ">" // a rename in between does not matter then
	}
	for range rangeTries {
		all, same, err := r.rangesOnce(dn, name, first, e.GetEqualFoldAttributeValue(versionAttr))
		if err != nil {
			return nil, err
		}
		if same {
			return all, nil
		}
		first = nil
	}
	return nil, &source.Error{Fault: source.Partial, Msg: fmt.Sprintf("%s of %s changed %d times while it was read", name, e.DN, rangeTries)}
}

// rangesOnce reads from the range after first, or from the start, to the end, and reports whether the entry was the
// same all the time. version is the one that first came with.
func (r *reading) rangesOnce(dn, name string, first *ldap.EntryAttribute, version string) (all [][]byte, same bool, err error) {
	next, same := 0, true
	if first != nil {
		all = slices.Clone(first.ByteValues)
		if next, err = afterRange(first, 0); err != nil {
			return nil, false, err
		}
	}
	for next >= 0 {
		e, err := r.ses.entry("", dn, "(objectClass=*)", name+";range="+strconv.Itoa(next)+"-*", versionAttr)
		if err != nil {
			return nil, false, err
		}
		part := rangePart(e, name)
		if part == nil {
			return nil, false, lostRange(dn, name, next)
		}
		now := e.GetEqualFoldAttributeValue(versionAttr)
		if next == 0 {
			version = now
		}
		same = same && version == now
		if next, err = afterRange(part, next); err != nil {
			return nil, false, err
		}
		if all = append(all, part.ByteValues...); len(all) > MaxValues {
			return nil, false, &source.Error{Fault: source.Malformed, Msg: fmt.Sprintf("%s of %s has more than %d values", name, dn, MaxValues)}
		}
	}
	return all, same, nil
}

func lostRange(dn, name string, from int) error {
	return &source.Error{Fault: source.Partial, Msg: fmt.Sprintf("the values of %s from %d on are missing from %s", name, from, dn)}
}

func rangePart(e *ldap.Entry, name string) *ldap.EntryAttribute {
	if e == nil {
		return nil
	}
	for _, a := range e.Attributes {
		if strings.HasPrefix(strings.ToLower(a.Name), name+";range=") {
			return a
		}
	}
	return nil
}

// afterRange returns where the range after this one begins, -1 if this is the last. A range that does not begin at
// start, or holds another number of values than it says, is an error.
func afterRange(a *ldap.EntryAttribute, start int) (int, error) {
	_, ranged, _ := strings.Cut(strings.ToLower(a.Name), ";range=")
	from, to, _ := strings.Cut(ranged, "-")
	begin, err := strconv.Atoi(from)
	if err == nil && begin == start && to == "*" {
		return -1, nil
	}
	end, err2 := strconv.Atoi(to)
	if err != nil || err2 != nil || begin != start || end < begin || end-begin+1 != len(a.ByteValues) {
		return 0, &source.Error{Fault: source.Partial, Msg: fmt.Sprintf("the range %s with %d values does not continue at %d", a.Name, len(a.ByteValues), start)}
	}
	return end + 1, nil
}
