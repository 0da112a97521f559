package scimserver

import (
	"net/http"
	"net/url"
	"strings"
)

// Guard says what a route asks of the caller before anything else happens.
type Guard string

// The guards. A route without one cannot be served.
const (
	Bearer      Guard = "bearer" // a live bearer token of the tenant in the address
	Credentials Guard = "client credentials"
)

// Route is one line of the route table.
type Route struct {
	Name    string   // of the action, in metrics and traces
	Pattern string   // below the SCIM base; {type} is the endpoint of a resource type, {id} one segment
	Methods []string // all others are answered with 405
	Guard   Guard
	handle  func(*call) error
}

var (
	reads  = []string{http.MethodGet, http.MethodHead}
	posts  = []string{http.MethodPost}
	single = []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete}
)

// routes is the whole interface. The first line whose pattern fits the path is taken.
var routes = []Route{
	{"root", "/", reads, Bearer, listRoot},
	{"search", "/.search", posts, Bearer, searchRoot},
	{"bulk", "/Bulk", posts, Bearer, bulk},
	{"me", "/Me", append([]string{http.MethodPost}, single...), Bearer, me},
	{"config", "/ServiceProviderConfig", reads, Bearer, showConfig},
	{"types", "/ResourceTypes", reads, Bearer, listTypes},
	{"type", "/ResourceTypes/{id}", reads, Bearer, showType},
	{"schemas", "/Schemas", reads, Bearer, listSchemas},
	{"schema", "/Schemas/{id}", reads, Bearer, showSchema},
	{"resources", "/{type}", []string{http.MethodGet, http.MethodHead, http.MethodPost}, Bearer, resources},
	{"resources.search", "/{type}/.search", posts, Bearer, searchType},
	{"resource", "/{type}/{id}", single, Bearer, resource},
}

// tokenRoute stands beside the SCIM base, not below it.
var tokenRoute = Route{"token", "/oauth/token", posts, Credentials, exchange}

// Routes returns the route table, the token endpoint last.
func Routes() []Route { return append(append([]Route(nil), routes...), tokenRoute) }

// match finds the route of a path below the base ("" or "/Users/1", no trailing slash) and the two parts that
// it names. Segments are compared as they were sent. Only the id of a schema may be percent-encoded: clients
// encode the colons of a URN.
func match(rest string) (route *Route, typ, id string) {
	if rest == "" {
		return &routes[0], "", ""
	}
	first, second, two := strings.Cut(rest[1:], "/")
	if first == "" || two && second == "" || strings.Contains(second, "/") {
		return nil, "", ""
	}
	for i := range routes[1:] {
		r := &routes[i+1]
		head, tail, has := strings.Cut(r.Pattern[1:], "/")
		if has != two || !fits(head, first) || two && !fits(tail, second) {
			continue
		}
		if head == "{type}" {
			typ = first
		}
		if tail == "{id}" {
			id = second
		}
		return decodeID(r, typ, id)
	}
	return nil, "", ""
}

func fits(pattern, segment string) bool {
	return pattern == segment || pattern == "{type}" && segment[0] != '.' || pattern == "{id}"
}

func decodeID(r *Route, typ, id string) (*Route, string, string) {
	if strings.Contains(typ, "%") {
		return nil, "", ""
	}
	if !strings.Contains(id, "%") {
		return r, typ, id
	}
	plain, err := url.PathUnescape(id)
	if r.Name != "schema" || err != nil || strings.ContainsAny(plain, "/%") {
		return nil, "", ""
	}
	return r, typ, plain
}
