package access

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"
	"time"
)

// Grant is what a valid credential gives.
type Grant struct {
	Tenant Tenant
	Client Client
	Token  Token
}

// Authenticate checks a bearer token that was presented at the address of a tenant. The error is a *Refusal
// or comes from the Keeper. With a *Refusal the Grant holds the tenant if there is an enabled one of that
// name, and nothing else.
//
// An answer may rest on what was read up to CacheFor ago.
func (s *Service) Authenticate(ctx context.Context, tenant, token string) (Grant, error) {
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return Grant{}, refusedIfMissing(err, "no such tenant")
	}
	if t.Disabled {
		return Grant{}, refuse("tenant disabled")
	}
	none := Grant{Tenant: t}
	prefix, id, ok := ParseToken(token)
	if !ok {
		return none, refuse("malformed token")
	}
	if prefix != ScimPrefix {
		return none, refuse("no bearer token of a SCIM client")
	}
	c, err := s.credential(ctx, id)
	if err != nil {
		return none, refusedIfMissing(err, "no such token")
	}
	if !sameHash(token, c.token.Hash) {
		return none, refuse("wrong secret")
	}
	if c.token.Kind == Secret {
		return none, refuse("a client secret is no bearer token")
	}
	if c.token.Tenant != t.ID {
		return none, refuse("token of another tenant")
	}
	if err := c.live(s.now()); err != nil {
		return none, err
	}
	return Grant{Tenant: t, Client: c.client, Token: c.token}, nil
}

// Exchange issues a bearer token for a client's id and secret (RFC 6749 §4.4). It lives IssuedFor and no
// longer than the secret. The errors are those of Authenticate.
func (s *Service) Exchange(ctx context.Context, tenant, clientID, secret string) (Grant, string, error) {
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return Grant{}, "", refusedIfMissing(err, "no such tenant")
	}
	if t.Disabled {
		return Grant{}, "", refuse("tenant disabled")
	}
	none := Grant{Tenant: t}
	prefix, id, ok := ParseToken(secret)
	if !ok || prefix != SecretPrefix {
		return none, "", refuse("malformed client secret")
	}
	c, err := s.credential(ctx, id)
	if err != nil {
		return none, "", refusedIfMissing(err, "no such client secret")
	}
	if !sameHash(secret, c.token.Hash) || c.token.Kind != Secret {
		return none, "", refuse("wrong client secret")
	}
	if c.token.Tenant != t.ID || subtle.ConstantTimeCompare([]byte(clientID), []byte(c.token.Client)) != 1 {
		return none, "", refuse("client secret of another client")
	}
	if err := c.live(s.now()); err != nil {
		return none, "", err
	}
	issued, text, err := s.issue(ctx, c.token)
	if err != nil {
		return none, "", err
	}
	return Grant{Tenant: t, Client: c.client, Token: issued}, text, nil
}

// issue makes the short-lived token. CreatedBy names the secret, whose end is its end.
func (s *Service) issue(ctx context.Context, secret Token) (Token, string, error) {
	text, id, err := makeToken(s.Random, ScimPrefix)
	if err != nil {
		return Token{}, "", err
	}
	t := Token{
		ID: id, Tenant: secret.Tenant, Client: secret.Client, Kind: Issued, Hash: hashOf(text), Hint: hint(text),
		Created: s.stamp(), CreatedBy: secret.ID, Expires: s.stamp().Add(IssuedFor),
	}
	if !secret.Expires.IsZero() && secret.Expires.Before(t.Expires) {
		t.Expires = secret.Expires
	}
	return t, text, s.Keeper.SaveToken(ctx, t, nil)
}

// Used records that a grant was used from that address (at most 200 bytes of the user agent are kept).
func (s *Service) Used(g Grant, addr, agent string) {
	s.uses.add(s, Use{Token: g.Token.ID, Addr: addr, Agent: clip(agent, maxAgent), At: s.now()})
}

const maxAgent = 200

// clip is the beginning of a text, at most most bytes, without what is no UTF-8: a header may hold any bytes, a
// database may not.
func clip(text string, most int) string {
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}

// credential is a token with what its validity rests on.
type credential struct {
	token  Token
	client Client
	secret *Token // of an Issued token: the secret it was issued for
}

// live returns a *Refusal if the credential has ended.
func (c credential) live(now time.Time) error {
	switch {
	case !c.client.Revoked.IsZero():
		return refuse("client revoked")
	case !c.token.Revoked.IsZero():
		return refuse("token revoked")
	case !c.token.Live(now):
		return refuse("token expired")
	case c.secret != nil && !c.secret.Live(now):
		return refuse("the client secret of this token has ended")
	}
	return nil
}

// credential reads a token with its client, or takes both from the cache.
func (s *Service) credential(ctx context.Context, id string) (credential, error) {
	if c, ok := s.seen.credential(id, s.now()); ok {
		return c, nil
	}
	epoch := s.seen.begin()
	at := s.now()
	token, err := s.Keeper.Token(ctx, id)
	if err != nil {
		return credential{}, err
	}
	c := credential{token: token}
	if c.client, err = s.Keeper.Client(ctx, token.Tenant, token.Client); err != nil {
		return credential{}, err
	}
	if token.Kind == Issued {
		secret, err := s.Keeper.Token(ctx, token.CreatedBy)
		if err != nil {
			return credential{}, err
		}
		c.secret = &secret
	}
	s.seen.putCredential(id, c, at, epoch)
	return c, nil
}

// tenant reads a tenant, or takes it from the cache.
func (s *Service) tenant(ctx context.Context, name string) (Tenant, error) {
	if t, ok := s.seen.tenant(name, s.now()); ok {
		return t, nil
	}
	if CheckTenantName(name) != nil {
		return Tenant{}, ErrNotFound
	}
	epoch := s.seen.begin()
	at := s.now()
	t, err := s.Keeper.Tenant(ctx, name)
	if err != nil {
		return Tenant{}, err
	}
	s.seen.putTenant(name, t, at, epoch)
	return t, nil
}

func refusedIfMissing(err error, reason string) error {
	if errors.Is(err, ErrNotFound) {
		return refuse(reason)
	}
	return err
}
