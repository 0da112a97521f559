package scimserver

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/provost-scim/provost/access"
)

// exchange answers the token endpoint: client credentials of OAuth 2 (RFC 6749 §4.4), with the client's id and
// secret in the Authorization header or in the form (§2.3.1).
func exchange(c *call) error {
	form, err := c.readForm()
	if err != nil {
		return err
	}
	if form.Get("grant_type") != "client_credentials" {
		return oauthError(http.StatusBadRequest, "unsupported_grant_type", "grant_type must be client_credentials.")
	}
	id, secret, basic := c.r.BasicAuth()
	if basic {
		// RFC 6749 §2.3.1: both are form-encoded before they are joined; ours have no character that would change.
		if form.Get("client_secret") != "" {
			return oauthError(http.StatusBadRequest, "invalid_request", "Send the client secret once, in the header or in the form.")
		}
	} else {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	g, token, err := c.Access.Exchange(c.ctx(), c.at.tenant, id, secret)
	c.grant.Tenant = g.Tenant
	if _, refused := errors.AsType[*access.Refusal](err); refused {
		e := oauthError(http.StatusUnauthorized, "invalid_client", "The client id and secret are not valid here.")
		e.header = http.Header{"Www-Authenticate": {`Basic realm="Provost"`}}
		e.err = err
		return e
	}
	if err != nil {
		return unavailable(err)
	}
	c.grant = g
	release, err := c.admit()
	if err != nil {
		return err
	}
	defer release()
	lifetime := int(g.Token.Expires.Sub(c.Now()).Seconds())
	body := append([]byte(nil), `{"access_token":"`...)
	body = append(body, token...)
	body = append(body, `","token_type":"Bearer","expires_in":`...)
	body = strconv.AppendInt(body, int64(max(lifetime, 0)), 10)
	c.writeJSON(http.StatusOK, append(body, '}'))
	return nil
}

// readForm reads the form of a token request. It is never logged.
func (c *call) readForm() (url.Values, error) {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, oauthError(http.StatusBadRequest, "invalid_request", "Send application/x-www-form-urlencoded.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, MaxFormBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, tooLarge("The body", "bytes of a token request", MaxFormBody)
		}
		return nil, oauthError(http.StatusBadRequest, "invalid_request", "The body could not be read to its end.")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, oauthError(http.StatusBadRequest, "invalid_request", "The form is not encoded correctly.")
	}
	for _, values := range form {
		if len(values) > 1 {
			return nil, oauthError(http.StatusBadRequest, "invalid_request", "A parameter is given twice.")
		}
	}
	return form, nil
}

// oauthError is an error of RFC 6749 §5.2.
func oauthError(status int, code, detail string) *statusError {
	return &statusError{status: status, oauth: code, detail: detail}
}

// failOAuth writes an error in the form of RFC 6749 §5.2.
func (c *call) failOAuth(e *statusError) {
	code := e.oauth
	if code == "" {
		code = "invalid_request"
		if e.status >= 500 || e.status == http.StatusTooManyRequests {
			code = "temporarily_unavailable"
		}
	}
	body := append([]byte(nil), `{"error":`...)
	body = appendString(body, code)
	body = append(body, `,"error_description":`...)
	body = appendString(body, e.detail)
	c.writeJSON(e.status, append(body, '}'))
}

// writeJSON sends an answer that is no SCIM message.
func (c *call) writeJSON(status int, body []byte) {
	h := c.w.Header()
	h["Content-Type"] = plainJSON
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["Cache-Control"] = noStore
	h["Pragma"] = []string{"no-cache"}
	c.status = status
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body)
}
