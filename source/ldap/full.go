package ldap

import (
	"fmt"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// full reads everything and seals it. A read page by page is no snapshot: an entry that is renamed meanwhile can
// slip past it and would be taken for gone. So the state of the change feed is noted before, and what changed since
// is handed over afterwards. The cursor stays at the state before, so that the next read reports what was deleted
// in between.
func (r *reading) full(why string) (source.Seal, error) {
	mark, err := r.mark()
	if err != nil {
		return source.Seal{}, err
	}
	clear(r.counts)
	r.emitted = nil
	err = r.kinds(func(kind source.Kind, s *Search) error {
		q := query{field: field(kind), base: s.Base, oneLevel: s.OneLevel, filter: s.Filter, attrs: r.wanted(s, kind)}
		err := r.pages(q, func(e *ldap.Entry) error {
			rec, err := r.record(kind, s, e)
			if err != nil {
				return err
			}
			r.notePrimary(kind, &rec)
			return r.emit(kind, rec)
		})
		if err == nil && r.counts[kind] == 0 && !s.AllowEmpty {
			err = r.empty(kind, s)
		}
		return err
	})
	if err == nil {
		err = r.catchUp(mark)
	}
	if err != nil {
		return source.Seal{}, err
	}
	r.stampMark(mark)
	return source.Seal{Full: true, Next: r.cursor(mark), Feed: feedFull, Reason: why + "; changes: " + r.feed + ", " + r.reason}, nil
}

// empty is the error of a kind of which nothing was found.
func (r *reading) empty(kind source.Kind, s *Search) error {
	return &source.Error{Fault: source.Partial, Field: field(kind) + ".filter",
		Msg:  fmt.Sprintf("nothing below %s matches %s, and an empty source is not believed", s.Base, s.Filter),
		Next: "check base, filter and the rights of the bind account; set " + field(kind) + ".allow_empty if it is meant to be empty"}
}

// catchUp hands over what changed during a full read, once more or for the first time.
func (r *reading) catchUp(mark *mark) error {
	if r.feed == feedFull || r.feed == feedTimestamp {
		return nil
	}
	r.sweeps = false // what is gone is the next delta's business
	var err error
	if r.server, err = r.ses.probe(); err == nil {
		_, err = r.delta(mark)
	}
	if again, ok := err.(*restart); ok {
		return &source.Error{Fault: source.Partial, Msg: "the server changed during the read: " + again.reason}
	}
	return err
}

// Count implements source.Counter.
func (r *reading) count(kind source.Kind) (int, error) {
	s := &r.people
	if kind == source.Group {
		s = &r.groups
	}
	if s.Base == "" {
		return 0, nil
	}
	n := 0
	q := query{field: field(kind), base: s.Base, oneLevel: s.OneLevel, filter: s.Filter, attrs: []string{"1.1"}}
	err := r.pages(q, func(e *ldap.Entry) error {
		if kind == source.Group || r.scope == nil || r.scope.holds(NormalDN(e.DN)) {
			n++
		}
		return nil
	})
	return n, err
}
