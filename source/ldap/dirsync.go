package ldap

import (
	"regexp"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// Flags of the DirSync control (MS-ADTS §3.1.1.3.4.1.3) and sizes of this file.
const (
	dirSyncOwnRights = 0x1     // see with the rights of the bind account instead of those of replication
	dirSyncBytes     = 1 << 20 // of an answer; the server may send less
	maxDirSyncRounds = 100_000
	keysPerFetch     = 50 // entries fetched by their keys with one filter
)

// dirSyncMark has the server write a cookie for now: a DirSync search that matches nothing goes over all changes
// and returns where they end.
func (r *reading) dirSyncMark() (*mark, error) {
	m := &mark{Service: NormalDN(r.server.dsService), Invoked: r.server.invoked, Cookies: map[string][]byte{}}
	err := r.contexts(func(base string) error {
		cookie, err := r.dirSyncFrom(base, nil, "(objectClass=provostMatchesNothing)", func(*ldap.Entry) error { return nil })
		m.Cookies[base] = cookie
		return err
	})
	return m, err
}

// dirSync uses DirSync to learn which entries changed or were deleted since the mark, and fetches those in base and
// filter whole: DirSync itself sends changed attributes only, and knows naming contexts but no bases. An answer of
// many parts is followed to its end; only then the cookie counts.
func (r *reading) dirSync(since *mark) (change, error) {
	if now := NormalDN(r.server.dsService); now != since.Service || since.Invoked != r.server.invoked {
		return change{}, &restart{"full: another domain controller answers, or this one was restored"}
	}
	found := change{next: mark{Service: since.Service, Invoked: since.Invoked, Cookies: map[string][]byte{}}}
	var err error
	err = r.contexts(func(base string) error {
		cookie := since.Cookies[base]
		if len(cookie) == 0 {
			return &restart{"full: there is no DirSync cookie for " + base}
		}
		next, err := r.dirSyncFrom(base, cookie, "(objectClass=*)", func(e *ldap.Entry) error {
			if len(found.gone) == MaxChanges {
				return &restart{"full: too many entries changed"}
			}
			if key, ok := guidText(e.GetEqualFoldRawAttributeValue("objectGUID")); ok {
				found.gone = append(found.gone, key)
			}
			return nil
		})
		found.next.Cookies[base] = next
		return err
	})
	switch f := source.FaultOf(err); {
	case f == source.Refused:
		return change{}, &restart{"full: the server does not accept the DirSync cookie: " + err.Error()}
	case err != nil:
		return change{}, err
	}
	if found.present, found.reason, err = r.sweepIfBlind(); err != nil {
		return change{}, err
	}
	return found, r.fetch(found.gone)
}

// dirSyncFrom follows DirSync in one naming context from a cookie to the end and returns the cookie there. With the
// rights of replication everything is seen; without them, what the bind account may read.
func (r *reading) dirSyncFrom(base string, cookie []byte, filter string, each func(*ldap.Entry) error) ([]byte, error) {
	flags, attrs := int64(0), r.noticed()
	for range maxDirSyncRounds {
		control := ldap.NewRequestControlDirSync(flags, dirSyncBytes, cookie)
		q := query{field: "feed", base: base, filter: filter, attrs: attrs, controls: []ldap.Control{control}}
		res, err := r.ses.ask(q.field, q.request())
		if err != nil && flags == 0 && source.FaultOf(err) == source.Refused {
			flags = dirSyncOwnRights
			continue
		}
		if err == nil {
			err = r.referrals(q.field, res.Referrals)
		}
		if err != nil {
			return nil, err
		}
		answer, ok := ldap.FindControl(res.Controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync)
		if !ok || len(answer.Cookie) == 0 {
			return nil, &source.Error{Fault: source.Partial, Field: q.field, Msg: "DirSync answered without a cookie"}
		}
		if err := handOver(res.Entries, each); err != nil {
			return nil, err
		}
		cookie = answer.Cookie
		if answer.Flags == 0 {
			return cookie, nil
		}
	}
	return nil, &source.Error{Fault: source.Partial, Field: "feed", Msg: "DirSync does not come to an end"}
}

// filterName finds the attributes of a filter (RFC 4515 §3; values have no bare parenthesis).
var filterName = regexp.MustCompile(`\(\s*([A-Za-z0-9.-]+)[A-Za-z0-9.;-]*(?::[^=()]*)?[~<>]?=`)

// noticed is the list of attributes whose changes matter: those of the records, those that base and filter look at.
// Nil stands for all.
func (r *reading) noticed() []string {
	attrs := []string{"objectGUID", "isDeleted", "name", "objectClass", "primaryGroupID", "userAccountControl", r.src.config.memberAttr()}
	all := false
	r.kinds(func(_ source.Kind, s *Search) error {
		all = all || len(s.Attributes) == 0 || slices.Contains(s.Attributes, "*")
		attrs = append(attrs, s.Attributes...)
		for _, m := range filterName.FindAllStringSubmatch(s.Filter, -1) {
			attrs = append(attrs, m[1])
		}
		return nil
	})
	if all {
		return nil
	}
	return attrs
}

// fetch hands over those of the entries with the keys that are in base and filter.
func (r *reading) fetch(keys []string) error {
	for len(keys) > 0 {
		n := min(len(keys), keysPerFetch)
		var any strings.Builder
		for _, k := range keys[:n] {
			if raw, ok := guidBytes(k); ok {
				any.WriteString("(objectGUID=" + escapeBytes(raw) + ")")
			}
		}
		if err := r.changedEntries("(|" + any.String() + ")"); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}
