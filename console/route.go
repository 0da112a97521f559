package console

import (
	"net/http"

	"github.com/provost-scim/provost/access"
)

// scope says for whom a route is, apart from the role.
type scope int

const (
	public scope = iota // anybody, signed in or not
	anyone              // any administrator; the handler shows what the administrator's scope holds
	whole               // administrators of all tenants only
	tenant              // administrators of the tenant in the path, or of all
)

// route is one line of the site map.
type route struct {
	pattern string // of http.ServeMux
	scope   scope
	need    access.Role // the least role; "" if the route is public
	handle  func(*call) error
}

// routes is the site map. GET shows and POST acts.
var routes = []route{
	// Signing in
	{"GET /signin", public, "", showSignIn},
	{"POST /signin", public, "", signIn},
	{"GET /link/{link}", public, "", showLink},
	{"POST /link/{link}", public, "", usePasswordLink},
	{"POST /signout", anyone, access.ReadOnly, signOut},

	// Tenants
	{"GET /{$}", anyone, access.ReadOnly, listTenants},
	{"POST /tenants", whole, access.Administrator, createTenant},
	{"GET /t/{tenant}", tenant, access.ReadOnly, openTenant},

	// SCIM integration
	{"GET /t/{tenant}/integration", tenant, access.ReadOnly, listClients},
	{"POST /t/{tenant}/clients", tenant, access.Administrator, createClient},
	{"GET /t/{tenant}/clients/{client}", tenant, access.ReadOnly, showClient},
	{"POST /t/{tenant}/clients/{client}/rotate", tenant, access.Administrator, rotateClient},
	{"POST /t/{tenant}/clients/{client}/revoke", tenant, access.Administrator, revokeClient},
	{"POST /t/{tenant}/clients/{client}/tokens/{token}/revoke", tenant, access.Administrator, revokeToken},

	// Users and groups
	{"GET /t/{tenant}/users", tenant, access.ReadOnly, users.of(listResources)},
	{"GET /t/{tenant}/users/deleted", tenant, access.ReadOnly, users.of(listDeleted)},
	{"GET /t/{tenant}/users/{id}", tenant, access.ReadOnly, users.of(showResource)},
	{"POST /t/{tenant}/users/{id}/activate", tenant, access.Administrator, users.of(activate)},
	{"POST /t/{tenant}/users/{id}/deactivate", tenant, access.Administrator, users.of(deactivate)},
	{"POST /t/{tenant}/users/{id}/delete", tenant, access.Administrator, users.of(deleteResource)},
	{"POST /t/{tenant}/users/{id}/restore", tenant, access.Administrator, users.of(restoreResource)},
	{"GET /t/{tenant}/groups", tenant, access.ReadOnly, groups.of(listResources)},
	{"GET /t/{tenant}/groups/deleted", tenant, access.ReadOnly, groups.of(listDeleted)},
	{"GET /t/{tenant}/groups/{id}", tenant, access.ReadOnly, groups.of(showResource)},
	{"POST /t/{tenant}/groups/{id}/delete", tenant, access.Administrator, groups.of(deleteResource)},
	{"POST /t/{tenant}/groups/{id}/restore", tenant, access.Administrator, groups.of(restoreResource)},

	// What came and what it changed
	{"GET /t/{tenant}/traffic", tenant, access.ReadOnly, listTraffic},
	{"GET /t/{tenant}/traffic/{request}", tenant, access.ReadOnly, showRequest},
	{"GET /t/{tenant}/audit", tenant, access.ReadOnly, listTenantEvents},
	{"GET /audit", whole, access.ReadOnly, listWholeEvents},

	// Administrators and service accounts
	{"GET /accounts", anyone, access.ReadOnly, listAccounts},
	{"POST /accounts", anyone, access.Owner, createAccount},
	{"POST /accounts/{account}/disable", anyone, access.Owner, disableAccount},
	{"POST /accounts/{account}/enable", anyone, access.Owner, enableAccount},
	{"POST /accounts/{account}/link", anyone, access.Owner, createLink},
}

// mux joins the routes and the files of pages.
func (s *Console) mux() http.Handler {
	m := http.NewServeMux()
	for _, r := range routes {
		m.Handle(r.pattern, s.serve(r))
	}
	m.HandleFunc("GET /static/{file}", s.serveAsset)
	m.Handle("/", s.serve(route{scope: public, handle: func(*call) error { return missing }}))
	return m
}
