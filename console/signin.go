package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/provost-scim/provost/access"
)

// signInPage is the page with the form to sign in.
type signInPage struct {
	frame
	Next    string
	Name    string
	Failure string
}

func showSignIn(c *call) error {
	if c.session != nil {
		return c.done("/", "")
	}
	return c.show(http.StatusOK, "signin", signInPage{frame: c.frame("Sign in", ""), Next: localPath(c.query("next"))})
}

// signIn begins a session. The answer does not tell an unknown name from a wrong password.
func signIn(c *call) error {
	name := strings.ToLower(c.form("name"))
	page := signInPage{frame: c.frame("Sign in", ""), Next: localPath(c.form("next")), Name: clip(name, access.MaxName)}
	if !c.attempts.allow(c.remote(), clip(name, access.MaxName)) {
		page.Failure = "Too many attempts. Wait a minute and try again."
		return c.show(http.StatusTooManyRequests, "signin", page)
	}
	a, err := c.Access.SignIn(c.r.Context(), name, c.r.PostFormValue("password"))
	if _, refused := errors.AsType[*access.Refusal](err); refused {
		c.Log.Warn("sign-in refused", "request", c.id, "addr", c.remote())
		page.Failure = "The e-mail address or the password is wrong, or the account has ended."
		return c.show(http.StatusUnauthorized, "signin", page)
	}
	if err != nil {
		return err
	}
	c.setCookie(c.sessions.begin(a))
	return c.done(page.Next, "")
}

func signOut(c *call) error {
	if cookie, err := c.r.Cookie(c.cookieName()); err == nil {
		c.sessions.end(cookie.Value)
	}
	c.setCookie("")
	return c.done("/signin", "")
}

// localPath is a path of this server, "/" for anything else: a link must not lead elsewhere after the sign-in.
func localPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t") {
		return "/"
	}
	return p
}

// clip is the beginning of a text, at most most runes.
func clip(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}
