package scimclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/provost-scim/provost/scim"
)

// Report is what a Test found, in the order in which it asked.
type Report struct {
	Lines []Line `json:"lines"`
}

// Line is one question to the target and its answer. It holds no secret.
type Line struct {
	Asked    string  `json:"asked"`
	Answered string  `json:"answered"`
	Verdict  Verdict `json:"verdict"`
	Next     string  `json:"next,omitempty"` // what to do about it
}

// Verdict is what a Line means.
type Verdict string

// The verdicts.
const (
	Good    Verdict = "ok"
	Warning Verdict = "warning" // it works, but not as well as it could
	Bad     Verdict = "failed"  // provisioning will not work
)

func (r *Report) add(v Verdict, asked, answered, next string) {
	r.Lines = append(r.Lines, Line{asked, answered, v, next})
}

// Test asks the target what provisioning will ask, and changes nothing: its configuration, a user and a group that do
// not exist, a page of each. The error is the first finding that would make provisioning fail; the Report goes as far
// as it came.
func (c *Client) Test(ctx context.Context) (Report, error) {
	var r Report
	if !c.profile.NoDiscovery {
		p, err := c.Provider(ctx)
		asked := "GET /ServiceProviderConfig"
		switch {
		case err != nil:
			return r, c.fault(&r, asked, err)
		case !p.Known:
			r.add(Warning, asked, "there is none", "nothing, if the profile "+c.profile.Name+" fits; else choose one that does")
		default:
			c.aboutProvider(&r, asked, p)
		}
	}
	for _, typ := range []struct{ name, attr string }{{"User", "userName"}, {"Group", "displayName"}} {
		if err := c.testSearch(ctx, &r, typ.name, typ.attr); err != nil {
			return r, err
		}
		if err := c.testPage(ctx, &r, typ.name); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (c *Client) aboutProvider(r *Report, asked string, p Provider) {
	says := []string{"PATCH " + yes(p.Patch), "filters " + yes(p.Filter), "bulk " + yes(p.Bulk)}
	if p.MaxResults > 0 {
		says = append(says, fmt.Sprintf("lists of at most %d", p.MaxResults))
	}
	verdict, next := Good, ""
	switch {
	case !p.Filter:
		verdict, next = Warning, "the target says that it cannot filter: objects that exist already may not be found before they are created"
	case !p.Patch && c.profile.UserUpdate == Patch:
		verdict, next = Warning, "the target says that it has no PATCH: set override.userUpdate and override.groupUpdate to merge"
	}
	r.add(verdict, asked, strings.Join(says, ", "), next)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// testSearch looks for something that cannot be there, as Entra does to test a connection.
func (c *Client) testSearch(ctx context.Context, r *Report, typ, attr string) error {
	nobody := "provost-test-" + uuid.NewString()
	at, err := c.endpoint(typ)
	if err != nil {
		return err
	}
	asked := fmt.Sprintf("GET %s?filter=%s eq \"%s\"", at, attr, nobody)
	found, err := c.Find(ctx, typ, attr, nobody)
	switch {
	case err != nil:
		return c.fault(r, asked, err)
	case len(found) > 0:
		r.add(Warning, asked, fmt.Sprintf("%d resources for a name that nobody has: the filter is ignored", len(found)),
			"objects that exist already cannot be found by "+attr+": ask the target's maker for filters")
	default:
		r.add(Good, asked, "no match, as it must be", "")
	}
	return nil
}

func (c *Client) testPage(ctx context.Context, r *Report, typ string) error {
	at, err := c.endpoint(typ)
	if err != nil {
		return err
	}
	asked := "GET " + at + "?startIndex=1&count=1"
	var page []scim.Resource
	total := 0
	err = c.page(ctx, typ, "", 1, 1, func(res scim.Resource) { page = append(page, res) }, func(t, _ int) { total = t })
	if err != nil {
		return c.fault(r, asked, err)
	}
	for _, res := range page {
		if res.ID == "" {
			err := &Error{Method: http.MethodGet, Path: at, Detail: "a resource in the list has no id"}
			return c.fault(r, asked, err)
		}
	}
	r.add(Good, asked, fmt.Sprintf("%d in all", total), "")
	return nil
}

// fault adds the line of a failure with what to do about it, and returns err.
func (c *Client) fault(r *Report, asked string, err error) error {
	next := "see the target's own log"
	e, ok := errors.AsType[*Error](err)
	switch {
	case errors.As(err, new(*AddressError)):
		next = "if the target is meant to be there, set allow to loopback, private, or its network"
	case errors.As(err, new(*ConfigError)):
		next = "set the field to where the secret is"
	case !ok:
	case e.denied || e.Status == http.StatusUnauthorized:
		next = "check the token: is it the right one, of this tenant, and not expired?"
	case e.Status == http.StatusForbidden:
		next = "the token is known but may not do this: give it the right to read and write users and groups"
	case e.Status == http.StatusNotFound:
		next = "check the path of the URL: it must be the base below which /Users is"
	case e.Status == 0:
		next = "check host and port of the URL, the network, and the certificate (caFile)"
	case e.Status >= 200 && e.Status < 300:
		next = "check the URL: it must lead to the SCIM service, not to a page for people"
	case e.Status == http.StatusTooManyRequests:
		next = "try again later"
	}
	r.add(Bad, asked, err.Error(), next)
	return err
}
