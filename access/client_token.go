package access

import (
	"context"
	"slices"
	"time"

	"github.com/provost-scim/provost/audit"
)

// Durations of tokens.
const (
	IssuedFor      = time.Hour      // life of a token issued for a client secret
	DefaultOverlap = time.Hour      // how long the old tokens still work after a rotation
	MaxOverlap     = 24 * time.Hour // the longest such time
)

// CreateToken makes one more credential of a client, of kind Static or Secret, and returns its text, which is
// shown once and kept nowhere. Others stay as they are.
func (s *Service) CreateToken(ctx context.Context, by audit.Actor, c Client, kind TokenKind, expires time.Time) (Token, string, error) {
	prefix := ScimPrefix
	switch kind {
	case Static:
	case Secret:
		prefix = SecretPrefix
	default:
		return Token{}, "", invalid("kind", "%q or %q", Static, Secret)
	}
	if !c.Revoked.IsZero() {
		return Token{}, "", invalid("client", "the client %q is revoked", c.Name)
	}
	if err := s.checkExpiry(expires); err != nil {
		return Token{}, "", err
	}
	plain, id, err := makeToken(s.Random, prefix)
	if err != nil {
		return Token{}, "", err
	}
	t := Token{
		ID: id, Tenant: c.Tenant, Client: c.ID, Kind: kind, Hash: hashOf(plain), Hint: hint(plain),
		Created: s.stamp(), CreatedBy: by.Name, Expires: expires.UTC().Truncate(time.Millisecond),
	}
	if expires.IsZero() {
		t.Expires = time.Time{}
	}
	diff := audit.Diff{"client": {After: c.ID}, "kind": {After: string(kind)}}
	compare(diff, "expires", "", text(t.Expires))
	e := s.event(by, audit.Configure, "Token", t.ID, c.Name, diff)
	if err := s.Keeper.SaveToken(ctx, t, &e); err != nil {
		return Token{}, "", err
	}
	return t, plain, nil
}

func (s *Service) checkExpiry(expires time.Time) error {
	if !expires.IsZero() && !expires.After(s.now()) {
		return invalid("expires", "a time in the future")
	}
	return nil
}

// TokenList lists the credentials of a client, newest first, without the short-lived issued ones.
func (s *Service) TokenList(ctx context.Context, c Client) ([]Token, error) {
	return s.Keeper.TokenList(ctx, c.Tenant, c.ID)
}

// RotateToken makes a new credential of that kind and lets the client's older ones of the same kind end after
// overlap (at most MaxOverlap; 0 revokes them now). One that ends sooner anyway keeps its end. With a zero expires
// the new one lives as long as the newest of the old ones was made to: a rotation does not turn a credential that
// expires into one that never does.
func (s *Service) RotateToken(ctx context.Context, by audit.Actor, c Client, kind TokenKind, expires time.Time, overlap time.Duration) (Token, string, error) {
	if overlap < 0 || overlap > MaxOverlap {
		return Token{}, "", invalid("overlap", "0 to %v", MaxOverlap)
	}
	old, err := s.Keeper.TokenList(ctx, c.Tenant, c.ID)
	if err != nil {
		return Token{}, "", err
	}
	if i := slices.IndexFunc(old, func(o Token) bool { return o.Kind == kind && o.Live(s.now()) }); expires.IsZero() && i >= 0 && !old[i].Expires.IsZero() {
		expires = s.stamp().Add(old[i].Expires.Sub(old[i].Created))
	}
	t, plain, err := s.CreateToken(ctx, by, c, kind, expires)
	if err != nil {
		return Token{}, "", err
	}
	for _, o := range old {
		if o.Kind != kind || !o.Live(s.now()) {
			continue
		}
		if overlap == 0 {
			err = s.RevokeToken(ctx, by, o)
		} else {
			err = s.endToken(ctx, by, o, s.stamp().Add(overlap))
		}
		if err != nil {
			return t, plain, err
		}
	}
	return t, plain, nil
}

// endToken brings the end of a token forward to at.
func (s *Service) endToken(ctx context.Context, by audit.Actor, t Token, at time.Time) error {
	if !t.Expires.IsZero() && t.Expires.Before(at) {
		return nil
	}
	diff := audit.Diff{"expires": {Before: text(t.Expires), After: text(at)}}
	t.Expires = at
	return s.saveToken(ctx, by, t, diff)
}

// RevokeToken ends a credential, on every node within a second. What was issued for a client secret ends with
// it.
func (s *Service) RevokeToken(ctx context.Context, by audit.Actor, t Token) error {
	if !t.Revoked.IsZero() {
		return nil
	}
	t.Revoked = s.stamp()
	return s.saveToken(ctx, by, t, audit.Diff{"revoked": {After: text(t.Revoked)}})
}

func (s *Service) saveToken(ctx context.Context, by audit.Actor, t Token, diff audit.Diff) error {
	s.seen.forget()
	defer s.seen.forget()
	e := s.event(by, audit.Configure, "Token", t.ID, t.Hint, diff)
	return s.Keeper.SaveToken(ctx, t, &e)
}

// Live says whether a token is neither revoked nor expired.
func (t Token) Live(now time.Time) bool {
	return t.Revoked.IsZero() && (t.Expires.IsZero() || now.Before(t.Expires))
}
