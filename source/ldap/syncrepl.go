package ldap

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// synced reports whether the content sync operation works for every suffix that holds a base. That slapd lists the
// control proves nothing, it does so where the syncprov overlay is missing; and a contextCSN may be left over from
// a time when the overlay was there, and never move again. So it is tried.
func (r *reading) synced() (bool, error) {
	all := true
	err := r.contexts(func(base string) error {
		csn, err := r.contextCSN(base)
		if source.FaultOf(err) == source.Refused {
			all, err = false, nil // no such base: the read says so in its own words
		}
		if err != nil || len(csn) == 0 {
			all = false
			return err
		}
		nothing := &Search{Base: base, Filter: "(objectClass=provostMatchesNothing)"}
		_, err = r.refresh(source.Person, nothing, syncCookie(csn))
		if _, no := err.(*restart); no || source.FaultOf(err) == source.Refused || source.FaultOf(err) == source.Partial {
			all, err = false, nil
		}
		return err
	})
	return all, err
}

// syncCookie is the cookie that syncprov gives for the change sequence numbers of a suffix.
func syncCookie(csn []string) []byte { return []byte("rid=000,csn=" + strings.Join(csn, ";")) }

func (r *reading) contextCSN(base string) ([]string, error) {
	e, err := r.ses.entry("feed", base, "(objectClass=*)", "contextCSN")
	if err != nil || e == nil {
		return nil, err
	}
	return slices.Sorted(slices.Values(e.GetEqualFoldAttributeValues("contextCSN"))), nil
}

// syncMark writes the cookie that syncprov would give now: the change sequence numbers of the suffix.
func (r *reading) syncMark() (*mark, error) {
	m := &mark{Cookies: map[string][]byte{}}
	err := r.kinds(func(kind source.Kind, s *Search) error {
		csn, err := r.contextCSN(r.server.context(NormalDN(s.Base)))
		if err == nil && len(csn) == 0 {
			err = &source.Error{Fault: source.Partial, Field: "feed", Msg: "the suffix of " + s.Base + " shows no contextCSN any more"}
		}
		m.Cookies[string(kind)] = syncCookie(csn)
		return err
	})
	return m, err
}

// syncrepl hands over what changed since the mark with the content sync operation, refresh only (RFC 4533 §3.3.1).
// The next mark is taken before: what changes meanwhile comes again next time. A server that answers with a present
// phase has forgotten which entries were deleted, and a full read takes over.
func (r *reading) syncrepl(since *mark) (change, error) {
	next, err := r.syncMark()
	if err != nil {
		return change{}, err
	}
	found := change{next: *next}
	err = r.kinds(func(kind source.Kind, s *Search) error {
		cookie := since.Cookies[string(kind)]
		if string(cookie) == string(next.Cookies[string(kind)]) {
			return nil // nothing at all was written
		}
		gone, err := r.refresh(kind, s, cookie)
		found.gone = append(found.gone, gone...)
		return err
	})
	return found, err
}

// refresh runs one refresh and returns the keys of what left the content. It must end with a Sync Done control:
// the library reports a lost connection as a plain end.
func (r *reading) refresh(kind source.Kind, s *Search, cookie []byte) (gone []string, err error) {
	ctx, cancel := context.WithCancel(r.ses.ctx)
	defer cancel()
	q := query{field: field(kind), base: s.Base, oneLevel: s.OneLevel, filter: s.Filter, attrs: r.wanted(s, kind)}
	r.ses.wire.limit.Store(0)
	answers := r.ses.Syncrepl(ctx, q.request(), 64, ldap.SyncRequestModeRefreshOnly, cookie, false)
	ended := false
	for r.next(answers) {
		if ref := answers.Referral(); ref != "" {
			if err := r.referrals(q.field, []string{ref}); err != nil {
				return nil, err
			}
		}
		var state *ldap.ControlSyncState
		for _, c := range answers.Controls() {
			switch c := c.(type) {
			case *ldap.ControlSyncState:
				state = c
			case *ldap.ControlSyncDone:
				ended = true
			case *ldap.ControlSyncInfo:
				if c.RefreshPresent != nil || c.SyncIdSet != nil && !c.SyncIdSet.RefreshDeletes {
					return nil, &restart{"full: the server no longer knows all that was deleted since the last read"}
				}
				if c.SyncIdSet != nil {
					for _, id := range c.SyncIdSet.SyncUUIDs {
						gone = append(gone, id.String())
					}
				}
			}
		}
		if len(gone) > MaxChanges {
			return nil, &restart{"full: too many entries changed"}
		}
		e := answers.Entry()
		switch {
		case e == nil:
		case state == nil:
			return nil, &source.Error{Fault: source.Partial, Field: q.field, Msg: "an entry came without its sync state"}
		case state.State == ldap.SyncStateDelete:
			gone = append(gone, state.EntryUUID.String())
		case state.State == ldap.SyncStatePresent:
			return nil, &restart{"full: the server no longer knows all that was deleted since the last read"}
		default:
			if err := r.changed(kind, s, e); err != nil {
				return nil, err
			}
		}
	}
	return gone, r.refreshed(q.field, answers.Err(), ended)
}

// next waits for the next answer, as long as the server is not silent for too long.
func (r *reading) next(answers ldap.Response) bool {
	done := r.ses.watch()
	defer done()
	return answers.Next()
}

// refreshed judges the end of a refresh.
func (r *reading) refreshed(field string, err error, ended bool) error {
	switch code(err) {
	case ldap.LDAPResultSyncRefreshRequired, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded, ldap.LDAPResultProtocolError:
		return &restart{"full: the server cannot tell the changes since the last read: " + detail(err).Error()}
	}
	if err != nil {
		return r.ses.failed(field, err)
	}
	if !ended {
		return &source.Error{Fault: source.Partial, Field: field, Msg: "the refresh ended without saying so (no Sync Done control)"}
	}
	return nil
}
