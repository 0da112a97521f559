package ldap

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// maxEmptyPages is how many pages without an entry may follow each other before a server is taken to be stuck.
const maxEmptyPages = 1000

// query is one search.
type query struct {
	field    string // the part of the configuration that asks
	base     string
	oneLevel bool
	filter   string
	attrs    []string
	controls []ldap.Control
}

func (q query) request(extra ...ldap.Control) *ldap.SearchRequest {
	scope := ldap.ScopeWholeSubtree
	if q.oneLevel {
		scope = ldap.ScopeSingleLevel
	}
	return &ldap.SearchRequest{BaseDN: q.base, Scope: scope, DerefAliases: ldap.NeverDerefAliases,
		Filter: q.filter, Attributes: q.attrs, Controls: append(extra, q.controls...)}
}

// ask sends one request and collects its answer. It fails on every result but success.
func (ses *session) ask(field string, req *ldap.SearchRequest) (*ldap.SearchResult, error) {
	ses.wire.received.Store(0)
	ses.wire.limit.Store(ses.maxPage)
	done := ses.watch()
	res, err := ses.Search(req)
	done()
	if err != nil {
		return nil, ses.failed(field, err)
	}
	return res, nil
}

// entry reads one entry by its DN, nil if the server shows none.
func (ses *session) entry(field, dn, filter string, attrs ...string) (*ldap.Entry, error) {
	req := &ldap.SearchRequest{BaseDN: dn, Scope: ldap.ScopeBaseObject, Filter: filter, Attributes: attrs}
	res, err := ses.ask(field, req)
	if err != nil || len(res.Entries) == 0 {
		return nil, err
	}
	return res.Entries[0], nil
}

// page is a part of an answer.
type page struct {
	entries []*ldap.Entry
	err     error
}

// pages searches page by page (RFC 2696) and hands over each entry. The next page is asked for while the last one
// is handed over. An error of each ends the search and is returned as it is; the session must be closed then.
func (r *reading) pages(q query, each func(*ldap.Entry) error) error {
	if !r.server.supports(oidPaging) {
		res, err := r.ses.ask(q.field, q.request())
		if err == nil {
			err = r.referrals(q.field, res.Referrals)
		}
		if err != nil {
			return err
		}
		return handOver(res.Entries, each)
	}
	ch, quit := make(chan page, 1), make(chan struct{})
	defer close(quit)
	go func() {
		defer close(ch)
		r.produce(q, func(p page) bool {
			select {
			case ch <- p:
				return true
			case <-quit:
				return false
			}
		})
	}()
	for p := range ch {
		if p.err != nil {
			return p.err
		}
		if err := handOver(p.entries, each); err != nil {
			return err
		}
	}
	return nil
}

func handOver(entries []*ldap.Entry, each func(*ldap.Entry) error) error {
	for i, e := range entries {
		if err := each(e); err != nil {
			return err
		}
		entries[i] = nil // a page of large entries need not live until its end
	}
	return nil
}

// produce asks for page after page until the server gives no cookie, or send returns false.
func (r *reading) produce(q query, send func(page) bool) {
	paging := ldap.NewControlPaging(r.src.config.pageSize(q.field))
	for n, empty := 1, 0; ; n++ {
		res, err := r.ses.ask(q.field, q.request(criticalPaging{paging}))
		if err == nil {
			err = r.referrals(q.field, res.Referrals)
		}
		if err != nil {
			send(page{err: atPage(err, n)})
			return
		}
		answer, ok := ldap.FindControl(res.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok {
			send(page{err: &source.Error{Fault: source.Partial, Field: q.field, Msg: fmt.Sprintf("page %d came without saying whether it is the last one", n)}})
			return
		}
		if empty++; len(res.Entries) > 0 {
			empty = 0
		}
		if empty > maxEmptyPages {
			send(page{err: &source.Error{Fault: source.Partial, Field: q.field, Msg: fmt.Sprintf("%d pages without an entry followed each other", empty)}})
			return
		}
		if !send(page{entries: res.Entries}) || len(answer.Cookie) == 0 {
			return
		}
		paging.SetCookie(answer.Cookie)
	}
}

// atPage says at which page of a read an error came.
func atPage(err error, n int) error {
	if e, ok := errors.AsType[*source.Error](err); ok && n > 1 {
		with := *e
		with.Msg = fmt.Sprintf("page %d: %s", n, e.Msg)
		return &with
	}
	return err
}

// criticalPaging is a paging control that a server must honour or refuse: without it an unpaged answer, cut at a
// limit, could pass for the whole.
type criticalPaging struct{ *ldap.ControlPaging }

// Encode is that of the control with its criticality set.
func (c criticalPaging) Encode() *ber.Packet {
	plain := c.ControlPaging.Encode()
	p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "Control")
	p.AppendChild(plain.Children[0])
	p.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, "Criticality"))
	p.AppendChild(plain.Children[len(plain.Children)-1])
	return p
}

// referrals judges the continuation references of an answer (RFC 4511 §4.5.3). The partitions that every Active
// Directory domain names below itself hold no people or groups; any other reference means that a part of what was
// asked for is kept elsewhere.
func (r *reading) referrals(field string, refs []string) error {
	if r.src.config.Referrals == "ignore" {
		return nil
	}
	for _, ref := range refs {
		if r.server.product == activeDirectory && partition(ref) {
			continue
		}
		return &source.Error{Fault: source.Partial, Field: field, Msg: "a part of the subtree is kept on another server, " + ref,
			Next: "make it a source of its own, and narrow the base or set referrals: ignore here"}
	}
	return nil
}

func partition(ref string) bool {
	u, err := url.Parse(ref)
	if err != nil {
		return false
	}
	dn := NormalDN(strings.TrimPrefix(u.Path, "/"))
	for _, p := range []string{"cn=configuration,", "dc=domaindnszones,", "dc=forestdnszones,", "cn=schema,cn=configuration,"} {
		if strings.HasPrefix(dn, p) {
			return true
		}
	}
	return false
}
