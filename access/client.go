package access

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/provost-scim/provost/audit"
)

// NewClient is what is asked for a new SCIM client.
type NewClient struct {
	Name       string
	Profile    Profile   // "": Generic
	User       string    // see Client.User
	Rate       float64   // 0: DefaultRate; negative: no limit
	Burst      int       // 0: DefaultBurst
	Concurrent int       // 0: DefaultConcurrent; negative: no limit
	Expires    time.Time // of its first credential; zero: never
	OAuth      bool      // its first credential is a client secret, not a bearer token
}

// Bounds of a client's limits.
const (
	MaxRate       = 100_000
	MaxBurst      = 1_000_000
	MaxConcurrent = 10_000
)

// CreateClient makes a client with one credential and returns the credential's text, which is shown once and
// kept nowhere.
func (s *Service) CreateClient(ctx context.Context, by audit.Actor, tenant int64, n NewClient) (Client, string, error) {
	id, err := RandomID(s.Random)
	if err != nil {
		return Client{}, "", err
	}
	c := Client{
		ID: id, Tenant: tenant, Name: n.Name, Profile: n.Profile, User: n.User,
		Rate: n.Rate, Burst: n.Burst, Concurrent: n.Concurrent, Created: s.stamp(), CreatedBy: by.Name,
	}
	c.fill()
	if err := c.check(); err != nil {
		return Client{}, "", err
	}
	if err := s.checkExpiry(n.Expires); err != nil {
		return Client{}, "", err
	}
	if err := s.nameIsFree(ctx, c); err != nil {
		return Client{}, "", err
	}
	diff := audit.Diff{"name": {After: c.Name}, "profile": {After: string(c.Profile)}}
	if err := s.Keeper.SaveClient(ctx, c, s.event(by, audit.Configure, "Client", c.ID, c.Name, diff)); err != nil {
		return Client{}, "", err
	}
	kind := Static
	if n.OAuth {
		kind = Secret
	}
	_, text, err := s.CreateToken(ctx, by, c, kind, n.Expires)
	return c, text, err
}

// fill puts defaults where nothing was asked for.
func (c *Client) fill() {
	if c.Profile == "" {
		c.Profile = Generic
	}
	switch {
	case c.Rate == 0:
		c.Rate = DefaultRate
	case c.Rate < 0:
		c.Rate = 0
	}
	if c.Burst == 0 {
		c.Burst = DefaultBurst
	}
	switch {
	case c.Concurrent == 0:
		c.Concurrent = DefaultConcurrent
	case c.Concurrent < 0:
		c.Concurrent = 0
	}
}

func (c *Client) check() error {
	if err := checkName("name", c.Name); err != nil {
		return err
	}
	if !slices.Contains(Profiles, c.Profile) {
		names := make([]string, len(Profiles))
		for i, p := range Profiles {
			names[i] = string(p)
		}
		return invalid("profile", "one of %s", strings.Join(names, ", "))
	}
	if math.IsNaN(c.Rate) || c.Rate < 0 || c.Rate > MaxRate {
		return invalid("rate", "0 to %d requests per second", MaxRate)
	}
	if c.Burst < 1 || c.Burst > MaxBurst {
		return invalid("burst", "1 to %d requests", MaxBurst)
	}
	if c.Concurrent < 0 || c.Concurrent > MaxConcurrent {
		return invalid("concurrent", "0 to %d requests", MaxConcurrent)
	}
	if len(c.User) > MaxName {
		return invalid("user", "the id of a user, at most %d characters", MaxName)
	}
	return nil
}

// nameIsFree answers a friendly ErrExists early; the store has the last word.
func (s *Service) nameIsFree(ctx context.Context, c Client) error {
	all, err := s.Keeper.ClientList(ctx, c.Tenant)
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.ID != c.ID && o.Name == c.Name {
			return ErrExists
		}
	}
	return nil
}

// Clients lists the clients of a tenant, revoked ones included.
func (s *Service) Clients(ctx context.Context, tenant int64) ([]Client, error) {
	return s.Keeper.ClientList(ctx, tenant)
}

// Client finds a client of a tenant by id or by name; ErrNotFound if there is none.
func (s *Service) Client(ctx context.Context, tenant int64, nameOrID string) (Client, error) {
	all, err := s.Keeper.ClientList(ctx, tenant)
	if err != nil {
		return Client{}, err
	}
	for _, c := range all {
		if c.ID == nameOrID {
			return c, nil
		}
	}
	for _, c := range all {
		if c.Name == nameOrID {
			return c, nil
		}
	}
	return Client{}, ErrNotFound
}

// UpdateClient stores a client that was read and changed: its name, profile, user or limits (0 means no limit
// here).
func (s *Service) UpdateClient(ctx context.Context, by audit.Actor, before, after Client) error {
	after.ID, after.Tenant, after.Created, after.CreatedBy = before.ID, before.Tenant, before.Created, before.CreatedBy
	if err := after.check(); err != nil {
		return err
	}
	if after.Name != before.Name {
		if err := s.nameIsFree(ctx, after); err != nil {
			return err
		}
	}
	diff := audit.Diff{}
	compare(diff, "name", before.Name, after.Name)
	compare(diff, "profile", string(before.Profile), string(after.Profile))
	compare(diff, "user", before.User, after.User)
	compare(diff, "rate", before.Rate, after.Rate)
	compare(diff, "burst", before.Burst, after.Burst)
	compare(diff, "concurrent", before.Concurrent, after.Concurrent)
	compare(diff, "revoked", text(before.Revoked), text(after.Revoked))
	if len(diff) == 0 {
		return nil
	}
	s.seen.forget()
	defer s.seen.forget()
	return s.Keeper.SaveClient(ctx, after, s.event(by, audit.Configure, "Client", after.ID, after.Name, diff))
}

// RevokeClient ends a client with all its tokens, for good and on every node within a second.
func (s *Service) RevokeClient(ctx context.Context, by audit.Actor, c Client) error {
	if !c.Revoked.IsZero() {
		return nil
	}
	revoked := c
	revoked.Revoked = s.stamp()
	return s.UpdateClient(ctx, by, c, revoked)
}
