package main

import (
	"context"
	"fmt"
	"time"

	"github.com/provost-scim/provost/access"
)

type clientSetCmd struct {
	tenantFlags
	limitFlags
	Name   string `arg:"" help:"Name or id of the client."`
	Rename string `placeholder:"NAME" help:"New name."`
}

func (c *clientSetCmd) Run(ctx context.Context, t *terminal) error {
	if err := c.check(); err != nil {
		return err
	}
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	before, err := r.client(ctx, c.tenantFlags, c.Name)
	if err != nil {
		return err
	}
	after := before
	c.apply(&after)
	if c.Rename != "" {
		after.Name = c.Rename
	}
	if after.User != before.User && after.User != "" {
		if err := r.userExists(ctx, after.User); err != nil {
			return err
		}
	}
	if after == before {
		t.note("nothing to change")
	}
	if err := r.access.UpdateClient(ctx, actor(), before, after); err != nil {
		return wrong(err, "provost client set --help")
	}
	return (&clientShowCmd{tenantFlags: c.tenantFlags, addressFlags: addressFlags{"http://127.0.0.1:8080"}, Name: before.ID}).Run(ctx, t)
}

type clientRotateCmd struct {
	tenantFlags
	addressFlags
	Name    string `arg:"" help:"Name or id of the client."`
	Expires span   `placeholder:"90d" help:"How long the new token works; without it, until it is revoked."`
	Overlap span   `default:"1h" placeholder:"1h" help:"How long the old tokens still work, at most 24h; 0s ends them now."`
	OAuth   bool   `name:"oauth" help:"Rotate the client secret of OAuth 2 client credentials."`
}

func (c *clientRotateCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	client, err := r.client(ctx, c.tenantFlags, c.Name)
	if err != nil {
		return err
	}
	kind := access.Static
	if c.OAuth {
		kind = access.Secret
	}
	token, text, err := r.access.RotateToken(ctx, actor(), client, kind, c.Expires.from(time.Now()), time.Duration(c.Overlap))
	if err != nil {
		return wrong(err, "provost client rotate --help")
	}
	if c.Overlap > 0 {
		t.note("the old ones work until %s", when(time.Now().Add(time.Duration(c.Overlap))))
	}
	return printCredential(t, client, text, c.OAuth, token.Expires, r.tenant.Name, c.addressFlags)
}

type clientRevokeCmd struct {
	tenantFlags
	Name  string `arg:"" help:"Name or id of the client."`
	Token string `placeholder:"ID" help:"Id of the one token to revoke (see client show); the client stays."`
}

func (c *clientRevokeCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	client, err := r.client(ctx, c.tenantFlags, c.Name)
	if err != nil {
		return err
	}
	if c.Token == "" {
		if err := r.access.RevokeClient(ctx, actor(), client); err != nil {
			return err
		}
		t.note("client %s is revoked with all its tokens", client.Name)
		return nil
	}
	tokens, err := r.access.TokenList(ctx, client)
	if err != nil {
		return err
	}
	for _, k := range tokens {
		if k.ID == c.Token {
			if err := r.access.RevokeToken(ctx, actor(), k); err != nil {
				return err
			}
			t.note("token %s of client %s is revoked", k.ID, client.Name)
			return nil
		}
	}
	return &failure{what: fmt.Sprintf("client %s has no token %q", client.Name, c.Token), kept: "nothing was changed",
		next: fmt.Sprintf("provost client show %s --tenant %s %s", c.Name, c.Tenant, c.flag())}
}
