package scimclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/provost-scim/provost/scim"
)

// Get returns one resource; a group without its members if the target can leave them out.
func (c *Client) Get(ctx context.Context, typ, id string) (scim.Resource, error) {
	return c.get(ctx, typ, id, false)
}

// GetWithMembers returns a group with its direct members.
func (c *Client) GetWithMembers(ctx context.Context, id string) (scim.Resource, error) {
	return c.get(ctx, "Group", id, true)
}

func (c *Client) get(ctx context.Context, typ, id string, members bool) (scim.Resource, error) {
	at, err := c.one(typ, id)
	if err != nil {
		return scim.Resource{}, err
	}
	a, err := c.send(ctx, request{method: http.MethodGet, path: at, query: c.view(typ, members)})
	if err != nil {
		return scim.Resource{}, err
	}
	r := c.decode(typ, a.body)
	if r.ID == "" {
		return scim.Resource{}, &Error{Method: http.MethodGet, Path: at, Status: a.status, Detail: "the answer has no id: it is no " + typ}
	}
	return r, nil
}

// view asks for a group with or without its members, in the words that the target understands.
func (c *Client) view(typ string, members bool) url.Values {
	switch {
	case typ != "Group":
		return nil
	case !members && !c.profile.NoExclude:
		return url.Values{"excludedAttributes": {"members"}}
	case members && c.profile.AskMembers:
		return url.Values{"attributes": {"id,externalId,displayName,members"}}
	}
	return nil
}

// Create makes a resource and returns it with its id. A lost answer is an *Error with Unknown set: look for the
// resource before creating it again. Members beyond what the target takes in one request must be added afterwards.
func (c *Client) Create(ctx context.Context, r scim.Resource) (scim.Resource, error) {
	at, err := c.endpoint(r.Type)
	if err != nil {
		return scim.Resource{}, err
	}
	r.ID = ""
	a, err := c.send(ctx, request{method: http.MethodPost, path: at, body: c.encode(&r)})
	if err != nil {
		return scim.Resource{}, err
	}
	made := r
	if a.body != nil {
		made = c.decode(r.Type, a.body)
	}
	if made.ID = madeID(a); made.ID == "" {
		return scim.Resource{}, &Error{Method: http.MethodPost, Path: at, Status: a.status, Unknown: true, Detail: "the answer to the create has no id"}
	}
	return made, nil
}

// Replace makes the resource r.ID what r says (PUT). What the target does with attributes and members that r leaves
// out differs from target to target (RFC 7644 §3.5.1 clears them).
func (c *Client) Replace(ctx context.Context, r scim.Resource) error {
	at, err := c.one(r.Type, r.ID)
	if err != nil {
		return err
	}
	_, err = c.send(ctx, request{method: http.MethodPut, path: at, body: c.encode(&r)})
	return err
}

// Delete removes a resource. One that is not there is no error.
func (c *Client) Delete(ctx context.Context, typ, id string) error {
	at, err := c.one(typ, id)
	if err != nil {
		return err
	}
	_, err = c.send(ctx, request{method: http.MethodDelete, path: at})
	if e, ok := errors.AsType[*Error](err); ok && e.Missing() && e.Type != string(scim.InvalidPath) {
		return nil
	}
	return err
}

// Find returns the resources whose attribute equals the value, two of them at least if there are more. attr is a path:
// userName, externalId, emails[type eq "work"].value. A target that ignores filters may return others.
func (c *Client) Find(ctx context.Context, typ, attr, value string) ([]scim.Resource, error) {
	filter := attr + " eq " + quote(value)
	var found []scim.Resource
	err := c.page(ctx, typ, filter, 1, min(c.profile.PageSize, 10), func(r scim.Resource) { found = append(found, r) }, nil)
	// OneLogin's guide lets a server answer 404 to a search without a match.
	if e, ok := errors.AsType[*Error](err); ok && e.Missing() && c.profile.NotFoundIsEmpty {
		return nil, nil
	}
	return found, err
}

// List hands over all resources of a type that the filter matches, page by page; an empty filter matches all. Groups
// come without members if the target can leave them out. The list is complete if the error is nil: every page came and
// the total was reached. An error of each ends the list and is returned as it is.
func (c *Client) List(ctx context.Context, typ, filter string, each func(scim.Resource) error) error {
	at, err := c.endpoint(typ)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for start := 1; ; {
		var page []scim.Resource
		var total, size int
		if err := c.page(ctx, typ, filter, start, c.profile.PageSize, func(r scim.Resource) { page = append(page, r) }, func(t, n int) { total, size = t, n }); err != nil {
			return err
		}
		fresh := 0
		for _, r := range page {
			if seen[r.ID] {
				continue
			}
			seen[r.ID] = true
			fresh++
			if err := each(r); err != nil {
				return err
			}
		}
		start += size
		switch {
		case start > total:
			if len(seen) < total {
				return &Error{Method: http.MethodGet, Path: at, Detail: "the list is not complete: the target counts " + strconv.Itoa(total) + " resources and sent " + strconv.Itoa(len(seen))}
			}
			return nil
		case fresh == 0:
			return &Error{Method: http.MethodGet, Path: at, Detail: "the list does not go on: page at startIndex " + strconv.Itoa(start-size) + " brought nothing new"}
		case len(seen) > MaxListed:
			return &Error{Method: http.MethodGet, Path: at, Detail: "the target lists more than " + strconv.Itoa(MaxListed) + " resources"}
		}
	}
}

// page asks for one page of a list (RFC 7644 §3.4.2.4) and hands over what it holds; about is told the total and how
// many were sent.
func (c *Client) page(ctx context.Context, typ, filter string, start, count int, each func(scim.Resource), about func(total, sent int)) error {
	at, err := c.endpoint(typ)
	if err != nil {
		return err
	}
	query := c.view(typ, false)
	if query == nil {
		query = url.Values{}
	}
	query.Set("startIndex", strconv.Itoa(start))
	query.Set("count", strconv.Itoa(count))
	if filter != "" {
		query.Set("filter", filter)
	}
	a, err := c.send(ctx, request{method: http.MethodGet, path: at, query: query})
	if err != nil {
		return err
	}
	total, hasTotal := number(a.body["totalResults"])
	list, isList := a.body["Resources"].([]any)
	if !isList {
		list, isList = a.body["resources"].([]any)
	}
	if !hasTotal && !isList {
		return &Error{Method: http.MethodGet, Path: at, Status: a.status, Detail: "the answer is JSON but no SCIM list: it has neither totalResults nor Resources. Does the URL lead to the SCIM service?"}
	}
	for _, e := range list {
		if o, ok := e.(scim.Object); ok {
			each(c.decode(typ, o))
		}
	}
	if about != nil {
		if !hasTotal {
			total = start - 1 + len(list)
		}
		about(total, len(list))
	}
	return nil
}

func number(v any) (int, bool) {
	switch v := v.(type) {
	case int64:
		return int(v), true
	case string:
		n, err := strconv.Atoi(v)
		return n, err == nil
	}
	return 0, false
}
