package ldap

import (
	"fmt"
	"strconv"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// usnMark is the state of the domain controller as the rootDSE showed it when the read began.
func (r *reading) usnMark() *mark {
	return &mark{Service: NormalDN(r.server.dsService), Invoked: r.server.invoked, USN: r.server.highest}
}

// sameController checks that a mark is of this domain controller and this life of it. Update sequence numbers are
// local to both: after a restore from a backup or a snapshot the invocation id is another one (MS-ADTS §3.1.1.1.9).
func (r *reading) sameController(since *mark) error {
	switch now := r.usnMark(); {
	case since.Service != now.Service:
		return &restart{fmt.Sprintf("full: another domain controller answers (%s, before %s)", now.Service, since.Service)}
	case since.Invoked != now.Invoked:
		return &restart{"full: the domain controller was restored or replaced (its invocation id changed)"}
	case since.USN > now.USN:
		return &restart{"full: the domain controller's update sequence number went back"}
	}
	return nil
}

// usn hands over what has a higher uSNChanged than the mark. What changed is listed first, over the whole naming
// context and with tombstones; what of it is in base and filter is read second. Only in this order is what is on
// the list and not among the records certainly gone.
func (r *reading) usn(since *mark) (change, error) {
	if err := r.sameController(since); err != nil {
		return change{}, err
	}
	next := r.usnMark()
	if next.USN == since.USN {
		return change{next: *next}, nil
	}
	found := change{next: *next}
	var err error
	if found.present, found.reason, err = r.sweepIfBlind(); err != nil {
		return change{}, err
	}
	newer := "(uSNChanged>=" + strconv.FormatInt(since.USN+1, 10) + ")"
	if found.gone, err = r.changedKeys(newer); err != nil {
		return change{}, err
	}
	if len(found.gone) == 0 {
		return found, nil
	}
	return found, r.changedEntries(newer)
}

// changedKeys lists the keys of everything, deleted or not, that the filter matches in the naming contexts of the
// bases.
func (r *reading) changedKeys(newer string) ([]string, error) {
	var keys []string
	err := r.contexts(func(base string) error {
		q := query{field: "feed", base: base, filter: newer, attrs: []string{r.key}, controls: []ldap.Control{ldap.NewControlMicrosoftShowDeleted()}}
		return r.pages(q, func(e *ldap.Entry) error {
			if len(keys) == MaxChanges {
				return &restart{fmt.Sprintf("full: more than %d entries changed", MaxChanges)}
			}
			if key, ok := r.entryKey(e); ok {
				keys = append(keys, key)
			}
			return nil
		})
	})
	return keys, err
}

// entryKey returns the key of an entry, as record does.
func (r *reading) entryKey(e *ldap.Entry) (string, bool) {
	rec, err := r.record("", &Search{}, &ldap.Entry{DN: e.DN, Attributes: e.Attributes})
	return rec.Key, err == nil
}

// contexts calls do once for each naming context that holds a base.
func (r *reading) contexts(do func(base string) error) error {
	done := map[string]bool{}
	return r.kinds(func(_ source.Kind, s *Search) error {
		base := r.server.context(NormalDN(s.Base))
		if base == "" {
			base = s.Base
		}
		if done[base] {
			return nil
		}
		done[base] = true
		return do(base)
	})
}

// changedEntries hands over the entries in base and filter that also match the filter newer.
func (r *reading) changedEntries(newer string) error {
	return r.kinds(func(kind source.Kind, s *Search) error {
		q := query{field: field(kind), base: s.Base, oneLevel: s.OneLevel, filter: "(&" + s.Filter + newer + ")", attrs: r.wanted(s, kind)}
		return r.pages(q, func(e *ldap.Entry) error { return r.changed(kind, s, e) })
	})
}

// changed hands over one entry of a delta.
func (r *reading) changed(kind source.Kind, s *Search, e *ldap.Entry) error {
	rec, err := r.record(kind, s, e)
	if err == nil {
		err = r.fillPrimary(kind, &rec)
	}
	if err != nil {
		return err
	}
	return r.emit(kind, rec)
}

// sweepIfBlind lists the keys of all that exists if the bind account cannot see tombstones. A domain controller
// hides them without a word, so that no deletion would ever be seen.
func (r *reading) sweepIfBlind() ([]string, string, error) {
	if !r.sweeps {
		return nil, "", nil
	}
	seen, err := r.seesTombstones()
	if err != nil || seen {
		return nil, "", err
	}
	keys, err := r.sweep()
	return keys, "the bind account sees no deleted objects, so all keys are compared", err
}

// seesTombstones reports whether the bind account sees a deleted object. That it sees their container proves
// nothing; where there is none to be seen yet it is taken to be blind.
func (r *reading) seesTombstones() (bool, error) {
	req := &ldap.SearchRequest{BaseDN: "CN=Deleted Objects," + r.server.domain, Scope: ldap.ScopeSingleLevel, Filter: "(isDeleted=TRUE)",
		SizeLimit: 1, Attributes: []string{"1.1"}, Controls: []ldap.Control{ldap.NewControlMicrosoftShowDeleted()}}
	done := r.ses.watch()
	res, err := r.ses.Search(req)
	done()
	switch c := code(err); {
	case err == nil || c == ldap.LDAPResultSizeLimitExceeded:
		return len(res.Entries) > 0, nil
	case c == ldap.LDAPResultNoSuchObject, c == ldap.LDAPResultInsufficientAccessRights:
		return false, nil
	}
	return false, r.ses.failed("feed", err)
}

// sweep lists the keys of everything in base and filter. It must come before the changed entries are read: an entry
// that a rename hides from the sweep is then among those.
func (r *reading) sweep() ([]string, error) {
	keys := []string{}
	err := r.kinds(func(kind source.Kind, s *Search) error {
		n := 0
		q := query{field: field(kind), base: s.Base, oneLevel: s.OneLevel, filter: s.Filter, attrs: []string{r.key}}
		err := r.pages(q, func(e *ldap.Entry) error {
			rec, err := r.record("", s, e)
			if err != nil {
				return err
			}
			if kind == source.Group || r.scope.holds(rec.Name) {
				keys = append(keys, rec.Key)
				n++
			}
			return nil
		})
		if err == nil && n == 0 && !s.AllowEmpty {
			return r.empty(kind, s)
		}
		return err
	})
	return keys, err
}
