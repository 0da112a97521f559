package console

import (
	"errors"
	"net/http"

	"github.com/provost-scim/provost/access"
)

// linkPage is where an administrator chooses a password.
type linkPage struct {
	frame
	Link    string
	Account access.Account
	Least   int
	Failure string
}

var deadLink = &fault{http.StatusNotFound, "This link has ended", "A link works once and for 24 hours. Ask an owner for another, or make one on the server: provost account link NAME."}

func showLink(c *call) error {
	if !c.attempts.allow(c.remote(), "") {
		return tooMany
	}
	a, err := c.Access.LinkAccount(c.r.Context(), c.r.PathValue("link"))
	if err != nil {
		return linkError(err)
	}
	return c.show(http.StatusOK, "link", linkPage{frame: c.frame("Choose a password", ""), Link: c.r.PathValue("link"), Account: a, Least: access.MinPassword})
}

var tooMany = &fault{http.StatusTooManyRequests, "Too many attempts", "Wait a minute and try again."}

// usePasswordLink sets the password and begins a session.
func usePasswordLink(c *call) error {
	if !c.attempts.allow(c.remote(), "") {
		return tooMany
	}
	link := c.r.PathValue("link")
	password := c.r.PostFormValue("password")
	var err error
	var a access.Account
	if password != c.r.PostFormValue("again") {
		err = &access.InvalidError{Field: "password", Reason: "the two are not the same"}
	} else {
		a, err = c.Access.SetPassword(c.r.Context(), link, password)
	}
	if invalid, ok := errors.AsType[*access.InvalidError](err); ok {
		a, err := c.Access.LinkAccount(c.r.Context(), link)
		if err != nil {
			return linkError(err)
		}
		page := linkPage{frame: c.frame("Choose a password", ""), Link: link, Account: a, Least: access.MinPassword, Failure: invalid.Reason}
		return c.show(http.StatusUnprocessableEntity, "link", page)
	}
	if err != nil {
		return linkError(err)
	}
	c.setCookie(c.sessions.begin(a))
	return c.done("/", "")
}

// linkError makes all dead links look alike.
func linkError(err error) error {
	if _, refused := errors.AsType[*access.Refusal](err); refused {
		return deadLink
	}
	return err
}
