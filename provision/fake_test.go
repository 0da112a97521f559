package provision_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// directory is a source whose contents a test edits.
type directory struct {
	mu      sync.Mutex
	records map[string]source.Record
	cut     int   // fail after so many records; 0 for never
	err     error // what it fails with
	delta   bool  // answer with what changed since the last read
	touched map[string]bool
	gone    []string
	reads   int
}

func newDirectory() *directory {
	return &directory{records: map[string]source.Record{}, touched: map[string]bool{}}
}

// put adds or replaces a record.
func (d *directory) put(r source.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.records[r.Key] = r
	d.touched[r.Key] = true
}

func (d *directory) drop(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.records, key)
	d.gone = append(d.gone, key)
}

// person adds somebody called cn=name.
func (d *directory) person(key, name string, more ...string) {
	r := source.Record{Kind: source.Person, Key: key, Name: "cn=" + name, Attrs: map[string][]string{"uid": {name}, "title": {"Engineer"}}}
	for i := 0; i+1 < len(more); i += 2 {
		r.Attrs[more[i]] = []string{more[i+1]}
	}
	d.put(r)
}

// group adds a group with members by cn.
func (d *directory) group(key, name string, members ...string) {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = "cn=" + m
	}
	d.put(source.Record{Kind: source.Group, Key: key, Name: "cn=" + name, Attrs: map[string][]string{"cn": {name}}, Members: names})
}

func (d *directory) Test(context.Context) (source.Report, error) { return source.Report{}, nil }

func (d *directory) Read(_ context.Context, since source.Cursor, each func(source.Record) error) (source.Seal, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	n := 0
	full := since == nil || !d.delta
	for _, key := range slices.Sorted(maps.Keys(d.records)) {
		if !full && !d.touched[key] {
			continue
		}
		if n++; d.cut > 0 && n >= d.cut {
			return source.Seal{}, d.err
		}
		if err := each(d.records[key]); err != nil {
			return source.Seal{}, err
		}
	}
	if d.cut > 0 {
		return source.Seal{}, d.err
	}
	seal := source.Seal{Full: full, Next: source.Cursor(`"next"`), Feed: "test"}
	if !full {
		seal.Gone = d.gone
	}
	d.gone, d.touched = nil, map[string]bool{}
	return seal, nil
}

// mapper is a small mapping: everybody but those with the attribute "out" is in scope.
type mapper struct {
	print string
	only  func(source.Record) bool
}

func (m *mapper) Apply(ctx context.Context, rec source.Record, look provision.Look) (provision.Wanted, error) {
	if rec.Attrs["broken"] != nil {
		return provision.Wanted{Err: errors.New("title: no such function")}, nil
	}
	if rec.Attrs["out"] != nil || m.only != nil && !m.only(rec) {
		return provision.Wanted{Reason: "the scope leaves it out"}, nil
	}
	w := provision.Wanted{Reason: "it is in scope", Refs: map[string]string{}}
	if rec.Kind == source.Group {
		w.Resource = &scim.Resource{Type: "Group", Attrs: scim.Object{"displayName": rec.Attrs["cn"][0]}}
		return w, nil
	}
	w.Resource = &scim.Resource{Type: "User", Attrs: scim.Object{"userName": rec.Attrs["uid"][0], "active": rec.Attrs["disabled"] == nil,
		"name": scim.Object{"familyName": rec.Attrs["uid"][0]}}}
	if t := rec.Attrs["title"]; t != nil {
		w.Resource.Attrs["title"] = t[0]
	}
	if boss := rec.Attrs["manager"]; boss != nil {
		found, err := look.Named(ctx, boss)
		if err != nil {
			return w, err
		}
		w.Refs[scim.EnterpriseSchema+":manager.value"] = provision.Unresolved(boss[0])
		if r, ok := found[boss[0]]; ok {
			w.Refs[scim.EnterpriseSchema+":manager.value"] = r.Key
		}
	}
	return w, nil
}

func (m *mapper) Matches(k source.Kind) []string {
	if k == source.Group {
		return []string{"displayName"}
	}
	return []string{"userName"}
}

func (m *mapper) Membership() bool    { return false }
func (m *mapper) Fingerprint() string { return m.print }

// server is somebody else's SCIM server: it enforces unique names and can be told to misbehave.
type server struct {
	mu       sync.Mutex
	objects  map[string]*object // by id
	next     int
	writes   int            // requests that change something
	posts    map[string]int // creates by externalId
	log      []string
	chunk    int
	fail     func(verb, id string) error // before the request is carried out
	lose     func(verb, id string) error // after it was carried out
	noFilter bool                        // it does not know externalId in a filter and does not tell it
}

type object struct {
	scim.Resource
	members map[string]bool
}

func newServer() *server {
	return &server{objects: map[string]*object{}, posts: map[string]int{}, chunk: 3}
}

func (s *server) Limits() provision.Limits { return provision.Limits{Members: s.chunk, Parallel: 4} }

func (s *server) before(verb, id string) error {
	if s.fail != nil {
		return s.fail(verb, id)
	}
	return nil
}

func (s *server) wrote(verb, id string) error {
	s.writes++
	s.log = append(s.log, verb+" "+id)
	if s.lose != nil {
		return s.lose(verb, id)
	}
	return nil
}

func unknownAnswer(verb string) error {
	return &provision.TargetError{Trouble: provision.Unknown, Msg: verb + ": the connection was cut"}
}

func (s *server) Find(_ context.Context, typ, attr, value string) ([]scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.before("find", value); err != nil {
		return nil, err
	}
	var out []scim.Resource
	for _, id := range slices.Sorted(maps.Keys(s.objects)) {
		o := s.objects[id]
		if o.Type != typ {
			continue
		}
		if attr == "externalId" {
			if s.noFilter || o.ExternalID == value {
				out = append(out, s.shown(o))
			}
			continue
		}
		if text, _ := o.Attrs[attr].(string); strings.EqualFold(text, value) {
			out = append(out, s.shown(o))
		}
	}
	return out, nil
}

func (s *server) shown(o *object) scim.Resource {
	r := o.Resource
	r.Attrs = maps.Clone(r.Attrs)
	if s.noFilter {
		r.ExternalID = ""
	}
	return r
}

func (s *server) Get(_ context.Context, _, id string) (scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.before("get", id); err != nil {
		return scim.Resource{}, err
	}
	o, ok := s.objects[id]
	if !ok {
		return scim.Resource{}, &provision.TargetError{Trouble: provision.Missing, Msg: "404"}
	}
	return s.shown(o), nil
}

func (s *server) Create(_ context.Context, r scim.Resource) (scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.before("create", r.ExternalID); err != nil {
		return r, err
	}
	for _, o := range s.objects {
		if o.Type == r.Type && strings.EqualFold(label(o.Attrs), label(r.Attrs)) {
			return r, &provision.TargetError{Trouble: provision.Conflict, Msg: "409 uniqueness"}
		}
	}
	s.next++
	s.posts[r.ExternalID]++
	r.ID = fmt.Sprintf("id%d", s.next)
	s.objects[r.ID] = &object{Resource: r, members: map[string]bool{}}
	return r, s.wrote("create", r.ExternalID)
}

func label(attrs scim.Object) string {
	if s, ok := attrs["userName"].(string); ok {
		return s
	}
	s, _ := attrs["displayName"].(string)
	return s
}

func (s *server) Update(_ context.Context, r scim.Resource, ops []scim.Op) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.before("update", r.ID); err != nil {
		return err
	}
	o, ok := s.objects[r.ID]
	if !ok {
		return &provision.TargetError{Trouble: provision.Missing, Msg: "404"}
	}
	patched, err := scim.Default().Patch(o.Resource, ops, scim.PatchOptions{Strict: true})
	if err != nil {
		return &provision.TargetError{Trouble: provision.Invalid, Msg: "400", Err: err}
	}
	o.Attrs = patched.Attrs
	if patched.ExternalID != "" {
		o.ExternalID = patched.ExternalID
	}
	return s.wrote("update", r.ID)
}

func (s *server) Members(_ context.Context, group string, add, remove []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.before("members", group); err != nil {
		return err
	}
	o, ok := s.objects[group]
	if !ok {
		return &provision.TargetError{Trouble: provision.Missing, Msg: "404"}
	}
	if n := len(add) + len(remove); n > s.chunk || n == 0 {
		return &provision.TargetError{Trouble: provision.Invalid, Msg: fmt.Sprintf("%d members in one request", n)}
	}
	for _, id := range add {
		if s.objects[id] == nil {
			return &provision.TargetError{Trouble: provision.Invalid, Msg: "no such member " + id}
		}
		o.members[id] = true
	}
	for _, id := range remove {
		delete(o.members, id)
	}
	return s.wrote("members", group)
}

func (s *server) Delete(_ context.Context, _, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.before("delete", id); err != nil {
		return err
	}
	if s.objects[id] == nil {
		return &provision.TargetError{Trouble: provision.Missing, Msg: "404"}
	}
	delete(s.objects, id)
	for _, o := range s.objects {
		delete(o.members, id)
	}
	return s.wrote("delete", id)
}

// state is what the server holds, by name: attributes that a test looks at, and the names of members.
func (s *server) state() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for _, o := range s.objects {
		var members []string
		for id := range o.members {
			members = append(members, label(s.objects[id].Attrs))
		}
		slices.Sort(members)
		manager := ""
		if e, ok := o.Attrs[scim.EnterpriseSchema].(scim.Object); ok {
			if m, ok := e["manager"].(scim.Object); ok {
				id, _ := m["value"].(string)
				manager = "dangling"
				if o := s.objects[id]; o != nil {
					manager = label(o.Attrs)
				}
			}
		}
		out[o.Type+" "+label(o.Attrs)] = fmt.Sprintf("active=%v title=%v manager=%s members=%v", o.Attrs["active"], o.Attrs["title"], manager, members)
	}
	return out
}

func (s *server) reset() { s.mu.Lock(); s.writes, s.log = 0, nil; s.mu.Unlock() }

func (s *server) written() (int, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes, slices.Clone(s.log)
}
