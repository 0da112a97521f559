package scimserver

import (
	"errors"
	"net/http"
	"strings"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/scim"
)

// authenticate finds the grant of the bearer token. Every refusal gives the same answer (RFC 6750 §3): the
// reason is in the log alone.
func (c *call) authenticate() error {
	token, bare, ok := bearer(c.r.Header)
	g, err := c.Access.Authenticate(c.ctx(), c.at.tenant, token)
	c.grant.Tenant = g.Tenant
	if _, refused := errors.AsType[*access.Refusal](err); refused {
		return unauthorized(ok, err)
	}
	if err != nil {
		return unavailable(err)
	}
	c.grant = g
	c.Access.Used(g, remoteAddr(c.r), c.r.UserAgent())
	if bare {
		c.tolerate("token without the scheme Bearer")
	}
	return nil
}

// bearer reads the Authorization header. A token without scheme is taken too: it is what Okta sends in its
// "HTTP header" mode. Two headers, another scheme or anything more is no token.
func bearer(h http.Header) (token string, bare, ok bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false, false
	}
	scheme, rest, has := strings.Cut(values[0], " ")
	switch {
	case has && strings.EqualFold(scheme, "Bearer"):
		token = strings.TrimLeft(rest, " ")
		return token, false, token != ""
	case !has && strings.HasPrefix(scheme, access.ScimPrefix):
		return scheme, true, true
	}
	return "", false, false
}

// unauthorized is the one 401. RFC 6750 §3.1: no error code if no token was presented.
func unauthorized(presented bool, err error) error {
	challenge := `Bearer realm="Provost"`
	if presented {
		challenge += `, error="invalid_token"`
	}
	return &statusError{
		status: http.StatusUnauthorized,
		detail: "The request needs a valid bearer token for this tenant: Authorization: Bearer pvst_scim_…",
		header: http.Header{"Www-Authenticate": {challenge}},
		err:    err,
	}
}

// refuseTokenInQuery refuses a credential in the address, where proxies and logs would keep it (RFC 6750
// §2.3, §5.3), whether or not it is valid.
func (c *call) refuseTokenInQuery() error {
	q := c.r.URL.RawQuery
	if q == "" || !strings.Contains(q, "pvst_") && !strings.Contains(q, "access_token=") {
		return nil
	}
	c.secretive = true
	return scim.Errorf(scim.InvalidValue, "A token must not be sent in the address: send it in the Authorization header, and replace this one, because addresses are kept in logs.")
}
