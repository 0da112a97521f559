package scimclient

import (
	"context"
	"errors"
	"net/http"

	"github.com/provost-scim/provost/scim"
)

// Provider is what a target says about itself in its ServiceProviderConfig (RFC 7643 §5).
type Provider struct {
	Known             bool // false: the target has none, or the profile says that it need not be asked
	Patch, Bulk, ETag bool
	Filter, Sort      bool
	MaxResults        int // of a list; 0 if it does not say
	MaxOperations     int // of a bulk request
	MaxPayload        int // bytes of a bulk request
}

// Provider asks the target about itself, once. A target without a ServiceProviderConfig is no error.
func (c *Client) Provider(ctx context.Context) (Provider, error) {
	if c.profile.NoDiscovery {
		return Provider{}, nil
	}
	c.mu.Lock()
	known := c.provider
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	p, err := c.discover(ctx)
	if err != nil {
		return p, err
	}
	c.mu.Lock()
	c.provider = &p
	c.mu.Unlock()
	return p, nil
}

func (c *Client) discover(ctx context.Context) (Provider, error) {
	a, err := c.send(ctx, request{method: http.MethodGet, path: "/ServiceProviderConfig"})
	if e, ok := errors.AsType[*Error](err); ok && !e.Retryable() && !e.Denied() && e.Status >= 400 {
		return Provider{}, nil
	}
	if err != nil {
		return Provider{}, err
	}
	o := a.body
	p := Provider{Known: true, Patch: supported(o, "patch"), Bulk: supported(o, "bulk"), ETag: supported(o, "etag"),
		Filter: supported(o, "filter"), Sort: supported(o, "sort")}
	p.MaxResults = part(o, "filter", "maxResults")
	p.MaxOperations = part(o, "bulk", "maxOperations")
	p.MaxPayload = part(o, "bulk", "maxPayloadSize")
	return p, nil
}

func supported(o scim.Object, name string) bool {
	f, _ := o[name].(scim.Object)
	yes, _ := f["supported"].(bool)
	return yes
}

func part(o scim.Object, name, sub string) int {
	f, _ := o[name].(scim.Object)
	n, _ := number(f[sub])
	return max(n, 0)
}
