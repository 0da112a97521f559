package scimserver

import (
	"net/http"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// resources answers at the endpoint of a resource type: create and list.
func resources(c *call) error {
	t, err := c.resourceType()
	if err != nil {
		return err
	}
	if c.r.Method == http.MethodPost {
		return c.create(t)
	}
	return c.list([]*scim.ResourceType{t}, c.query)
}

// resource answers at the address of one resource.
func resource(c *call) error {
	t, err := c.resourceType()
	if err != nil {
		return err
	}
	return c.one(t, c.key)
}

// one does what the verb says with one resource.
func (c *call) one(t *scim.ResourceType, id string) error {
	c.resource = id
	switch c.r.Method {
	case http.MethodPut:
		return c.put(t, id)
	case http.MethodPatch:
		return c.patch(t, id)
	case http.MethodDelete:
		return c.delete(t, id)
	}
	return c.get(t, id)
}

// resourceType is the type whose endpoint the path names.
func (c *call) resourceType() (*scim.ResourceType, error) {
	if t := c.dir.Registry.ByEndpoint(c.typ); t != nil {
		return t, nil
	}
	return nil, &statusError{status: http.StatusNotFound, detail: "There is no endpoint /" + quoteBare(c.typ) + " here. /ResourceTypes lists those that exist."}
}

// quoteBare is scim.Quote without the quotes.
func quoteBare(s string) string {
	q := scim.Quote(s)
	return q[1:max(1, len(q)-1)]
}

// projection is what the caller wants to see of a type.
func (c *call) projection(t *scim.ResourceType) (*scim.Projection, error) {
	if !c.query.projected() {
		return nil, nil
	}
	return c.dir.Registry.Projection(t.Name, c.query.attributes, c.query.excluded)
}

// want says which relations the answer needs.
func (c *call) want(t *scim.ResourceType, p *scim.Projection) directory.Want {
	return directory.Want{
		Members: p.Includes("members") && c.hasMembers(t),
		Groups:  p.Includes("groups") && c.hasGroups(t),
	}
}

// get answers GET and HEAD of one resource (RFC 7644 §3.4.1).
func (c *call) get(t *scim.ResourceType, id string) error {
	p, err := c.projection(t)
	if err != nil {
		return err
	}
	r, err := c.dir.Get(c.ctx(), c.caller, t.Name, id, c.want(t, p))
	if err != nil {
		return err
	}
	if none := c.r.Header["If-None-Match"]; none != nil && parseTags(none).matches(r.Meta.Version) {
		c.setETag(r.Meta.Version)
		c.writeEmpty(http.StatusNotModified)
		return nil
	}
	c.writeResource(http.StatusOK, t, &r, p)
	return nil
}

// create answers POST (RFC 7644 §3.3). A create that took an inactive user back (access.RehireReactivate) is 201
// as well: Entra and Okta link a user by that answer and by no other.
func (c *call) create(t *scim.ResourceType) error {
	p, err := c.projection(t)
	if err != nil {
		return err
	}
	body, err := c.readObject(c.bodyLimit(t))
	if err != nil {
		return err
	}
	res, err := c.dir.Create(c.ctx(), c.caller, t.Name, body)
	if err != nil {
		return err
	}
	c.tolerate(res.Tolerances...)
	c.writeResource(http.StatusCreated, t, &res.Resource, p)
	return nil
}

// put answers PUT (RFC 7644 §3.5.1).
func (c *call) put(t *scim.ResourceType, id string) error {
	p, err := c.projection(t)
	if err != nil {
		return err
	}
	body, err := c.readObject(c.bodyLimit(t))
	if err != nil {
		return err
	}
	want := c.want(t, p)
	res, err := c.conditional(t, id, func(d *directory.Directory) (directory.Result, error) {
		return d.Replace(c.ctx(), c.caller, t.Name, id, body, condition(c.r.Header), want)
	})
	if err != nil {
		return err
	}
	c.tolerate(res.Tolerances...)
	c.writeResource(http.StatusOK, t, &res.Resource, p)
	return nil
}

// delete answers DELETE (RFC 7644 §3.6).
func (c *call) delete(t *scim.ResourceType, id string) error {
	_, err := c.conditional(t, id, func(d *directory.Directory) (directory.Result, error) {
		return directory.Result{}, d.Delete(c.ctx(), c.caller, t.Name, id, condition(c.r.Header))
	})
	if err != nil {
		return err
	}
	c.writeEmpty(http.StatusNoContent)
	return nil
}

// conditional does a write; if the request has an If-None-Match, in one transaction with its check.
func (c *call) conditional(t *scim.ResourceType, id string, write func(*directory.Directory) (directory.Result, error)) (directory.Result, error) {
	none := parseTags(c.r.Header["If-None-Match"])
	if !none.present {
		return write(c.dir)
	}
	var res directory.Result
	err := c.dir.Tx(c.ctx(), func(d *directory.Directory) error {
		r, err := d.Get(c.ctx(), c.caller, t.Name, id, directory.Want{})
		if err != nil {
			return err
		}
		if err := unlessCurrent(none, r.Meta.Version); err != nil {
			return err
		}
		res, err = write(d)
		return err
	})
	return res, err
}
