package scimserver

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// address is a request path taken apart: which tenant, and what below its SCIM base.
type address struct {
	tenant string
	host   bool   // by the host name, not by /t/{tenant}
	prefix string // the base's path as it came: "/t/acme/scim/v2", "/api/v2/scim"
	rest   string // below the base, without trailing slash: "", "/Users", "/Users/1"
	oauth  bool   // the token endpoint; rest is ""
}

// hostPrefixes are the bases under a host name of a tenant's own: ours and the spellings of the guides.
var hostPrefixes = []string{"/scim/v2", "/api/v2/scim", "/SCIM/V2"}

const (
	tenantRoot = "/t/"
	scimRoot   = "/scim/v2"
	oauthPath  = "/oauth/token"
)

// findAddress takes the path as it was sent, still percent-encoded: what was encoded there matches no route,
// with the one exception that the route table makes.
func (s *Server) findAddress(r *http.Request) (address, bool) {
	path := r.URL.EscapedPath()
	if strings.HasPrefix(path, tenantRoot) {
		tenant, _, ok := strings.Cut(path[len(tenantRoot):], "/")
		if !ok || tenant == "" {
			return address{}, false
		}
		root := len(tenantRoot) + len(tenant)
		rest := path[root:]
		if rest == oauthPath || rest == oauthPath+"/" {
			return address{tenant: tenant, prefix: path[:root] + scimRoot, oauth: true}, true
		}
		return below(address{tenant: tenant, prefix: path[:root] + scimRoot}, rest, scimRoot)
	}
	tenant := s.hostTenant(r.Host)
	if tenant == "" {
		return address{}, false
	}
	if path == oauthPath || path == oauthPath+"/" {
		return address{tenant: tenant, host: true, prefix: scimRoot, oauth: true}, true
	}
	for _, p := range hostPrefixes {
		if a, ok := below(address{tenant: tenant, host: true, prefix: p}, path, p); ok {
			return a, true
		}
	}
	return address{}, false
}

// below completes a if path is the base root or below it. One trailing slash is tolerated.
func below(a address, path, root string) (address, bool) {
	rest, ok := strings.CutPrefix(path, root)
	if !ok || rest != "" && rest[0] != '/' {
		return address{}, false
	}
	a.rest = strings.TrimSuffix(rest, "/")
	return a, true
}

// hostTenant returns the first label of a host directly under the domain, "" if it is not there.
func (s *Server) hostTenant(host string) string {
	if s.Domain == "" {
		return ""
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	label, domain, ok := strings.Cut(host, ".")
	if !ok || domain != s.Domain {
		return ""
	}
	return label
}

// Owns says whether a request is for this handler: anything at or below a SCIM base or a token endpoint.
func (s *Server) Owns(r *http.Request) bool {
	_, ok := s.findAddress(r)
	return ok
}

// publicURL is the scheme and host under which the outside reaches the server.
type publicURL struct{ scheme, host string }

func parsePublicURL(text string) (publicURL, error) {
	if text == "" {
		return publicURL{}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return publicURL{}, fmt.Errorf("scimserver: public URL %q is not of the form https://host[:port]", text)
	}
	return publicURL{u.Scheme, u.Host}, nil
}

// base is the URL of the SCIM base through which a request came, without trailing slash.
func (s *Server) base(r *http.Request, a address) string {
	scheme, host := s.public.scheme, s.public.host
	if scheme == "" {
		scheme = "http"
		if r.TLS != nil {
			scheme = "https"
		}
	}
	if host == "" || a.host {
		host = r.Host
	}
	return scheme + "://" + host + a.prefix
}
