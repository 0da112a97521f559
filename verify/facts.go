package verify

import (
	"fmt"
	"strings"
)

// facts is what the server says about itself, read once before the first case.
type facts struct {
	config  Object // ServiceProviderConfig; nil if there is none
	schemas map[string]Object
	types   []Object
	groups  bool   // /Groups answers
	why     string // why groups is false
}

// plain is the dialect of requests that play no particular client.
var plain = Dialect{ContentType: "application/scim+json", Accept: "application/scim+json"}

// connect checks that the server answers and that the credentials are good, and reads what it announces.
func (r *run) connect() error {
	s := &Session{run: r, c: &Case{Name: "connect"}, dialect: plain}
	x := s.get("/Users" + s.query("startIndex", "1", "count", "1"))
	switch {
	case x.Err != "":
		return fmt.Errorf("%s does not answer: %s. Nothing was tested", r.base, x.Err)
	case x.Response.Status == 401 || x.Response.Status == 403:
		return fmt.Errorf("%s refuses the credentials (%s). Nothing was tested; check the token and the tenant", r.base, x.describe())
	case x.Response.Status == 404 && !s.get("/ServiceProviderConfig").ok(): // an empty list that is 404 is for a case to find
		return fmt.Errorf("%s/Users is not there (%s). Nothing was tested; give the URL to which /Users is appended", r.base, x.describe())
	}
	f := facts{schemas: map[string]Object{}}
	if x := s.get("/ServiceProviderConfig"); x.Response.Status == 200 {
		f.config = x.object()
	}
	if x := s.get("/Schemas"); x.Response.Status == 200 {
		for _, o := range resources(x) {
			id, _ := lookup(o, "id")
			if t, ok := id.(string); ok {
				f.schemas[strings.ToLower(t)] = o
			}
		}
	}
	if x := s.get("/ResourceTypes"); x.Response.Status == 200 {
		f.types = resources(x)
	}
	x = s.get("/Groups" + s.query("startIndex", "1", "count", "1"))
	f.groups = x.Response.Status != 404 && x.Response.Status != 501 && x.Response.Status != 405
	if !f.groups {
		f.why = "the server has no /Groups (" + x.describe() + ")"
	}
	r.facts = f
	return nil
}

// resources are the objects of a list, or of a bare array, which some servers send.
func resources(x *Exchange) []Object {
	v, ok := x.value("Resources")
	if !ok {
		v = x.doc
	}
	items, _ := v.([]any)
	var out []Object
	for _, e := range items {
		if o, ok := e.(Object); ok {
			out = append(out, o)
		}
	}
	return out
}

// summary is the announcement in words, for reports.
func (f facts) summary() map[string]string {
	m := map[string]string{}
	for _, name := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag"} {
		if v, ok := lookup(f.config, name+".supported"); ok {
			m[name] = show(v)
		}
	}
	for _, path := range []string{"filter.maxResults", "bulk.maxOperations", "pagination.cursor", "pagination.index"} {
		if v, ok := lookup(f.config, path); ok {
			m[path] = show(v)
		}
	}
	if f.config == nil {
		m["ServiceProviderConfig"] = "none"
	}
	m["groups"] = fmt.Sprint(f.groups)
	return m
}

// announced tells whether ServiceProviderConfig says true at a path such as "bulk.supported".
func (s *Session) announced(path string) bool {
	v, _ := lookup(s.run.facts.config, path)
	return v == true
}

// need ends the case as skipped unless the server announces a feature.
func (s *Session) need(path string) {
	if !s.announced(path) {
		s.skip("ServiceProviderConfig does not announce %s", path)
	}
}

// needGroups ends the case as skipped if the server has no groups.
func (s *Session) needGroups() {
	if !s.run.facts.groups {
		s.skip("%s", s.run.facts.why)
	}
}

// limit reads a number that the server announces; 0 if there is none.
func (s *Session) limit(path string) int {
	v, _ := lookup(s.run.facts.config, path)
	return max(integer(v), 0)
}

// has tells whether the published schema describes an attribute ("nickName", "name.formatted", or with the URN of
// an extension before it). A server that publishes no such schema is taken to have the standard's.
func (s *Session) has(path string) bool { return s.attribute(path) != nil || !s.described(path) }

func (s *Session) described(path string) bool {
	urn, _ := splitURN(path)
	return s.run.facts.schemas[urn] != nil || len(s.run.facts.schemas) > 0 && urn == strings.ToLower(enterpriseSchema)
}

// attribute is the published definition at a path, nil if there is none.
func (s *Session) attribute(path string) Object {
	urn, name := splitURN(path)
	at := s.run.facts.schemas[urn]
	for i, part := range strings.Split(name, ".") {
		key := "attributes"
		if i > 0 {
			key = "subAttributes"
		}
		v, _ := lookup(at, key)
		items, _ := v.([]any)
		at = nil
		for _, e := range items {
			n, _ := lookup(e, "name")
			if t, ok := n.(string); ok && strings.EqualFold(t, part) {
				at, _ = e.(Object)
			}
		}
	}
	return at
}

// splitURN cuts the schema off a path and folds it; a path without one is of the core user.
func splitURN(path string) (urn, name string) {
	low := strings.ToLower(path)
	if strings.HasPrefix(low, "urn:") {
		i := strings.LastIndexByte(path, ':')
		return low[:i], path[i+1:]
	}
	return strings.ToLower(userSchema), path
}

// needAttr ends the case as skipped unless the schema of users has all the attributes.
func (s *Session) needAttr(paths ...string) {
	for _, p := range paths {
		if !s.has(p) {
			s.skip("the published schema has no %s", p)
		}
	}
}
