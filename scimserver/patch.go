package scimserver

import (
	"net/http"
	"strings"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// patch answers PATCH (RFC 7644 §3.5.2). A group is answered with 204, so that the cost is that of the change;
// with the resource only if the caller asks for attributes of it.
func (c *call) patch(t *scim.ResourceType, id string) error {
	p, err := c.projection(t)
	if err != nil {
		return err
	}
	body, err := c.readObject(c.bodyLimit(t))
	if err != nil {
		return err
	}
	ops, err := parsePatch(body, c.caller.Strict)
	if err != nil {
		return err
	}
	silent := c.hasMembers(t) && !c.query.projected()
	var want directory.Want
	if !silent {
		want = c.want(t, p)
	}
	res, err := c.conditional(t, id, func(d *directory.Directory) (directory.Result, error) {
		return d.Patch(c.ctx(), c.caller, t.Name, id, ops, condition(c.r.Header), want)
	})
	if err != nil {
		return err
	}
	c.tolerate(res.Tolerances...)
	if silent {
		c.setETag(res.Resource.Meta.Version)
		c.writeEmpty(http.StatusNoContent)
		return nil
	}
	c.writeResource(http.StatusOK, t, &res.Resource, p)
	return nil
}

// parsePatch reads a PatchOp message. Its schemas are asked for in strict mode only.
func parsePatch(body scim.Object, strict bool) ([]scim.Op, error) {
	if strict && !names(field(body, "schemas"), scim.PatchMessage) {
		return nil, scim.Errorf(scim.InvalidSyntax, "schemas of a PATCH must name %s", scim.PatchMessage)
	}
	return parseOps(field(body, "Operations"))
}

// names says whether a list of schemas holds that URN.
func names(schemas any, urn string) bool {
	list, _ := schemas.([]any)
	for _, v := range list {
		if s, ok := v.(string); ok && strings.EqualFold(s, urn) {
			return true
		}
	}
	return false
}

// parseOps reads the Operations of a PATCH.
func parseOps(v any) ([]scim.Op, error) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, scim.Errorf(scim.InvalidSyntax, "a PATCH needs Operations, a list with at least one operation")
	}
	if len(list) > MaxPatchOps {
		return nil, tooLarge("A PATCH with so many Operations", "operations of a PATCH", MaxPatchOps)
	}
	ops := make([]scim.Op, len(list))
	for i, e := range list {
		o, ok := e.(scim.Object)
		if !ok {
			return nil, scim.Errorf(scim.InvalidSyntax, "Operations[%d] must be an object", i)
		}
		if ops[i].Op, ok = field(o, "op").(string); !ok {
			return nil, scim.Errorf(scim.InvalidSyntax, "Operations[%d].op must be \"add\", \"remove\" or \"replace\"", i)
		}
		switch path := field(o, "path").(type) {
		case nil:
		case string:
			ops[i].Path = path
		default:
			return nil, scim.Errorf(scim.InvalidPath, "Operations[%d].path must be a string", i)
		}
		ops[i].Value = field(o, "value")
	}
	return ops, nil
}
