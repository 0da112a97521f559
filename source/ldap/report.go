package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// Test implements source.Source.
func (s *Source) Test(ctx context.Context) (source.Report, error) {
	var report source.Report
	r, err := s.start(ctx, &report)
	if err != nil {
		if len(report.Lines) == 0 || report.Lines[len(report.Lines)-1].OK {
			report.Lines = append(report.Lines, source.Line{Asked: "rootDSE", Answered: err.Error()})
		}
		return report, err
	}
	defer r.ses.Close()
	report.Add("rootDSE", r.introduction())
	if err := r.bases(); err != nil {
		return report, report.Fail("base", err)
	}
	err = r.kinds(func(kind source.Kind, s *Search) error {
		report.Add(field(kind)+".base", s.Base+" exists")
		return nil
	})
	if err == nil {
		err = r.narrow()
	}
	if err != nil {
		return report, report.Fail("people.members_of", err)
	}
	if r.scope != nil {
		report.Add("people.members_of", fmt.Sprintf("%d members of %s", len(r.scope.names), r.people.MembersOf))
	}
	if _, err := r.mark(); err != nil {
		return report, report.Fail("change feed", err)
	}
	report.Feed, report.Reason = r.feed, r.reason
	report.Add("change feed", r.feed+": "+r.reason)
	return report, r.testTombstones(&report)
}

func (r *reading) introduction() string {
	v := r.server
	text := string(v.product)
	if v.dnsName != "" {
		text += ", " + v.dnsName
	}
	if v.vendor != "" {
		text += ", " + v.vendor
	}
	text += ", keys are " + r.key
	if len(v.contexts) > 0 {
		text += ", naming contexts " + strings.Join(v.contexts, " ")
	}
	return text
}

func (r *reading) testTombstones(report *source.Report) error {
	if r.feed != feedUSN && r.feed != feedDirSync {
		return nil
	}
	seen, err := r.seesTombstones()
	switch {
	case err != nil:
		return report.Fail("deleted objects", err)
	case !seen:
		report.Add("deleted objects", "none is seen: until one is, reads with changes compare all keys to find deletions; the bind account may lack the right to list the container Deleted Objects")
	default:
		report.Add("deleted objects", "visible")
	}
	return nil
}

// with runs do on a connection whose bases and scope are known.
func (s *Source) with(ctx context.Context, do func(*reading) error) error {
	r, err := s.start(ctx, nil)
	if err != nil {
		return err
	}
	defer r.ses.Close()
	if err = r.bases(); err == nil {
		err = r.narrow()
	}
	if err == nil {
		err = do(r)
	}
	return err
}

// Count implements source.Counter.
func (s *Source) Count(ctx context.Context, kind source.Kind) (n int, err error) {
	err = s.with(ctx, func(r *reading) error {
		n, err = r.count(kind)
		return err
	})
	return n, err
}

var errEnough = errors.New("enough")

// Browse implements source.Browser. The filter is an LDAP filter.
func (s *Source) Browse(ctx context.Context, kind source.Kind, filter string, limit int, each func(source.Record) error) error {
	if filter != "" {
		if _, err := ldap.CompileFilter(filter); err != nil {
			return wrong("filter", fmt.Sprintf("%q is not an LDAP filter: %v", filter, err), "write it like (mail=*@example.com)")
		}
	}
	err := s.with(ctx, func(r *reading) error {
		search := &r.people
		if kind == source.Group {
			search = &r.groups
		}
		if search.Base == "" || limit <= 0 {
			return nil
		}
		q := query{field: field(kind), base: search.Base, oneLevel: search.OneLevel, filter: "(&" + search.Filter + filter + ")", attrs: r.wanted(search, kind)}
		n := 0
		r.each = func(rec source.Record) error {
			if err := each(rec); err != nil {
				return err
			}
			if n++; n == limit {
				return errEnough
			}
			return nil
		}
		return r.pages(q, func(e *ldap.Entry) error { return r.changed(kind, search, e) })
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
