package ldap

import (
	"context"
	"strings"
	"time"

	"github.com/provost-scim/provost/source"
)

// Source reads one directory. It is safe for concurrent use; each read has a connection of its own.
type Source struct {
	config  Config
	binary  map[string]bool // lower-case names of further binary attributes
	maxPage int64           // MaxPage; tests set less
}

var (
	_ source.Source  = (*Source)(nil)
	_ source.Counter = (*Source)(nil)
	_ source.Browser = (*Source)(nil)
)

// New checks the configuration and returns its source. It does not connect.
func New(c Config) (*Source, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	s := &Source{config: c, binary: map[string]bool{}, maxPage: MaxPage}
	for _, a := range c.Binary {
		s.binary[strings.ToLower(a)] = true
	}
	return s, nil
}

// reading is one read, on one connection to one server.
type reading struct {
	src      *Source
	ses      *session
	server   *server
	key      string // the attribute that identifies entries
	lowerKey string
	feed     string // the change feed that the server offers
	reason   string // why this feed
	people   Search
	groups   Search
	lower    map[string]string // attribute names as sent → lower case
	names    map[string]string // keys of a configured key attribute → names, to see duplicates
	scope    *members          // people.members_of, nil if there is none
	started  time.Time
	newest   time.Time           // latest modification time seen
	primary  map[string][]string // primary group ids → names of people who have it
	each     func(source.Record) error
	emitted  map[string]bool // keys handed over; kept by deltas only
	counts   map[source.Kind]int
	sweeps   bool // list all keys where deletions cannot be seen
}

// start connects and finds out what the server is and which feed it offers.
func (s *Source) start(ctx context.Context, report *source.Report) (*reading, error) {
	ses, err := s.connect(ctx, report)
	if err != nil {
		return nil, err
	}
	r := &reading{src: s, ses: ses, people: s.config.People, groups: s.config.Groups, lower: map[string]string{},
		names: map[string]string{}, counts: map[source.Kind]int{}, started: time.Now(), sweeps: true}
	if r.server, err = ses.probe(); err == nil {
		r.settle()
		r.feed, r.reason, err = r.choose()
	}
	if err != nil {
		ses.Close()
		return nil, err
	}
	return r, nil
}

// settle fills in what the configuration leaves to the kind of server.
func (r *reading) settle() {
	if r.key = r.src.config.Key; r.key == "" {
		r.key = r.server.key()
	}
	r.lowerKey = strings.ToLower(r.key)
	people, groups := "(objectClass=person)", "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers))"
	switch r.server.product {
	case activeDirectory:
		people, groups = "(&(objectCategory=person)(objectClass=user))", "(objectClass=group)"
	case openLDAP:
		people = "(objectClass=inetOrgPerson)"
	}
	if r.people.Filter == "" {
		r.people.Filter = people
	}
	if r.groups.Filter == "" {
		r.groups.Filter = groups
	}
}

// kinds calls do for each kind that is configured, people first.
func (r *reading) kinds(do func(source.Kind, *Search) error) error {
	if r.people.Base != "" {
		if err := do(source.Person, &r.people); err != nil {
			return err
		}
	}
	if r.groups.Base != "" {
		return do(source.Group, &r.groups)
	}
	return nil
}

func field(kind source.Kind) string {
	if kind == source.Group {
		return "groups"
	}
	return "people"
}

// Read implements source.Source.
func (s *Source) Read(ctx context.Context, since source.Cursor, each func(source.Record) error) (source.Seal, error) {
	r, err := s.start(ctx, nil)
	if err != nil {
		return source.Seal{}, err
	}
	defer r.ses.Close()
	r.each = each
	if err := r.bases(); err != nil {
		return source.Seal{}, err
	}
	if err := r.narrow(); err != nil {
		return source.Seal{}, err
	}
	c, why := r.resume(since)
	if why == "" {
		seal, err := r.changes(c)
		again, ok := err.(*restart)
		if !ok {
			return seal, err
		}
		why = again.reason
	}
	return r.full(why)
}

// restart is the error of a delta that cannot be believed: a full read must follow.
type restart struct{ reason string }

func (e *restart) Error() string { return e.reason }

// bases makes sure that every base exists and may be read: a search below a base that is out of sight can end in
// success without an entry.
func (r *reading) bases() error {
	seen := map[string]bool{}
	return r.kinds(func(kind source.Kind, s *Search) error {
		if seen[s.Base] {
			return nil
		}
		seen[s.Base] = true
		e, err := r.ses.entry(field(kind)+".base", s.Base, "(objectClass=*)", "1.1")
		if err == nil && e == nil {
			err = &source.Error{Fault: source.Refused, Field: field(kind) + ".base", Msg: s.Base + " may not be read by the bind account",
				Next: "grant it read access; nothing is believed to be gone"}
		}
		return err
	})
}

// emit hands over one entry as a record, if it is in scope.
func (r *reading) emit(kind source.Kind, rec source.Record) error {
	if kind == source.Person && !r.scope.holds(rec.Name) {
		return nil
	}
	r.counts[kind]++
	if r.emitted != nil {
		r.emitted[rec.Key] = true
	}
	return r.each(rec)
}
