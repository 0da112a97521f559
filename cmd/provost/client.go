package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/provost-scim/provost/access"
)

type clientCmd struct {
	Create clientCreateCmd `cmd:"" help:"Make a SCIM client and print its token, once."`
	List   clientListCmd   `cmd:"" help:"List the SCIM clients of a tenant."`
	Show   clientShowCmd   `cmd:"" help:"Show a client and its tokens: when they were last used, when they expire."`
	Set    clientSetCmd    `cmd:"" help:"Change a client's profile, user or limits."`
	Rotate clientRotateCmd `cmd:"" help:"Make a new token and let the old ones end soon."`
	Revoke clientRevokeCmd `cmd:"" help:"End a client with all its tokens, or one token, now and for good."`
}

// limitFlags are the limits of a client; what is not given stays or is the default.
type limitFlags struct {
	Profile    string   `enum:",generic,strict,entra,okta,pingfederate" default:"" placeholder:"P" help:"Dialect of the client: generic (default), strict, entra, okta or pingfederate."`
	User       *string  `placeholder:"ID" help:"Id of the user that /Me means."`
	Rate       *float64 `placeholder:"N" help:"Requests per second, 0 for no limit (default 100)."`
	Burst      *int     `placeholder:"N" help:"Requests at once beyond the rate (default 200)."`
	Concurrent *int     `placeholder:"N" help:"Requests in work at the same time, 0 for no limit (default 32)."`
}

// apply changes c by what was given.
func (f limitFlags) apply(c *access.Client) {
	if f.Profile != "" {
		c.Profile = access.Profile(f.Profile)
	}
	if f.User != nil {
		c.User = *f.User
	}
	if f.Rate != nil {
		c.Rate = *f.Rate
	}
	if f.Burst != nil {
		c.Burst = *f.Burst
	}
	if f.Concurrent != nil {
		c.Concurrent = *f.Concurrent
	}
}

// check refuses what apply would turn into something else.
func (f limitFlags) check() error {
	if f.Rate != nil && *f.Rate < 0 || f.Burst != nil && *f.Burst < 1 || f.Concurrent != nil && *f.Concurrent < 0 {
		return usage("--rate 0 and --concurrent 0 mean no limit", "a limit must not be negative, and --burst at least 1")
	}
	return nil
}

// created is a new credential as it is printed.
type created struct {
	Client   string     `json:"client"`
	ClientID string     `json:"clientId"`
	Profile  string     `json:"profile"`
	SCIM     string     `json:"scimUrl"`
	TokenURL string     `json:"tokenUrl,omitempty"`
	Token    string     `json:"token,omitempty"`
	Secret   string     `json:"clientSecret,omitempty"`
	Expires  *time.Time `json:"expires,omitempty"`
}

// printCredential shows a new token or secret: the only time that it can be seen. The table form prints a
// token alone on out, so that it can be piped into a file.
func printCredential(t *terminal, c access.Client, text string, oauth bool, expires time.Time, tenant string, a addressFlags) error {
	item := created{Client: c.Name, ClientID: c.ID, Profile: string(c.Profile), SCIM: a.scim(tenant), Expires: optional(expires)}
	if oauth {
		item.TokenURL, item.Secret = a.token(tenant), text
	} else {
		item.Token = text
	}
	expiry := "never"
	if !expires.IsZero() {
		expiry = when(expires)
	}
	t.note("client    %s (%s, profile %s)", c.Name, c.ID, c.Profile)
	t.note("SCIM URL  %s", item.SCIM)
	t.note("expires   %s", expiry)
	switch {
	case oauth:
		t.note("The secret is shown this once; only its hash is kept.")
		return t.show(item, field{"client_id", c.ID}, field{"client_secret", text}, field{"token_url", item.TokenURL})
	case t.form == "table":
		t.note("The token is shown this once; only its hash is kept:")
		_, err := fmt.Fprintln(t.out, text)
		return err
	}
	return t.show(item)
}

type clientCreateCmd struct {
	tenantFlags
	addressFlags
	limitFlags
	Name    string `arg:"" help:"Name of the client, unique in the tenant."`
	Expires span   `placeholder:"90d" help:"How long its token works; without it, until it is revoked."`
	OAuth   bool   `name:"oauth" help:"OAuth 2 client credentials (id, secret and token URL) in place of a token to paste."`
}

func (c *clientCreateCmd) Run(ctx context.Context, t *terminal) error {
	if err := c.check(); err != nil {
		return err
	}
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	expires := c.Expires.from(time.Now())
	asked := access.Client{Rate: access.DefaultRate, Burst: access.DefaultBurst, Concurrent: access.DefaultConcurrent}
	c.apply(&asked)
	if asked.User != "" {
		if err := r.userExists(ctx, asked.User); err != nil {
			return err
		}
	}
	client, text, err := r.access.CreateClient(ctx, actor(), r.tenant.ID, access.NewClient{
		Name: c.Name, Profile: asked.Profile, User: asked.User,
		Rate: unlimited(asked.Rate), Burst: asked.Burst, Concurrent: unlimited(asked.Concurrent),
		Expires: expires, OAuth: c.OAuth,
	})
	if errors.Is(err, access.ErrExists) {
		return &failure{what: fmt.Sprintf("tenant %s has a client %q already", c.Tenant, c.Name), kept: "it was left as it is",
			next: fmt.Sprintf("provost client rotate %s --tenant %s %s makes a new token for it", c.Name, c.Tenant, c.flag())}
	}
	if err != nil {
		return wrong(err, "provost client create --help")
	}
	return printCredential(t, client, text, c.OAuth, expires, r.tenant.Name, c.addressFlags)
}

// unlimited turns the 0 of the command line (no limit) into what access.NewClient takes for it.
func unlimited[T int | float64](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

type clientListCmd struct {
	tenantFlags
}

// clientItem is a client as it is printed.
type clientItem struct {
	Name       string      `json:"name"`
	ID         string      `json:"id"`
	Profile    string      `json:"profile"`
	State      string      `json:"state"`
	User       string      `json:"user,omitempty"`
	Rate       float64     `json:"rate"`
	Burst      int         `json:"burst"`
	Concurrent int         `json:"concurrent"`
	Created    time.Time   `json:"created"`
	CreatedBy  string      `json:"createdBy,omitempty"`
	Revoked    *time.Time  `json:"revoked,omitempty"`
	LastUsed   *time.Time  `json:"lastUsed,omitempty"`
	Tokens     []tokenItem `json:"tokens"`
}

// tokenItem is a token as it is printed; its text is not known.
type tokenItem struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Hint      string     `json:"hint"`
	State     string     `json:"state"`
	Created   time.Time  `json:"created"`
	CreatedBy string     `json:"createdBy,omitempty"`
	Expires   *time.Time `json:"expires,omitempty"`
	Revoked   *time.Time `json:"revoked,omitempty"`
	LastUsed  *time.Time `json:"lastUsed,omitempty"`
	LastAddr  string     `json:"lastAddress,omitempty"`
	LastAgent string     `json:"lastAgent,omitempty"`
}

// describe gathers what is printed of a client.
func (r *room) describe(ctx context.Context, c access.Client, now time.Time) (clientItem, error) {
	item := clientItem{
		Name: c.Name, ID: c.ID, Profile: string(c.Profile), State: "live", User: c.User, Rate: c.Rate, Burst: c.Burst,
		Concurrent: c.Concurrent, Created: c.Created, CreatedBy: c.CreatedBy, Revoked: optional(c.Revoked), Tokens: []tokenItem{},
	}
	if !c.Revoked.IsZero() {
		item.State = "revoked"
	}
	tokens, err := r.access.TokenList(ctx, c)
	if err != nil {
		return item, err
	}
	var last time.Time
	for _, k := range tokens {
		if k.LastUsed.After(last) {
			last = k.LastUsed
		}
		item.Tokens = append(item.Tokens, tokenItem{
			ID: k.ID, Kind: string(k.Kind), Hint: "…" + k.Hint, State: stateOf(c, k, now), Created: k.Created, CreatedBy: k.CreatedBy,
			Expires: optional(k.Expires), Revoked: optional(k.Revoked), LastUsed: optional(k.LastUsed), LastAddr: k.LastAddr, LastAgent: k.LastAgent,
		})
	}
	item.LastUsed = optional(last)
	return item, nil
}

// stateOf says in a word whether a token works.
func stateOf(c access.Client, k access.Token, now time.Time) string {
	switch {
	case !c.Revoked.IsZero() || !k.Revoked.IsZero():
		return "revoked"
	case !k.Live(now):
		return "expired"
	}
	return "live"
}

// orZero is the time that t points to.
func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func (c *clientListCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	all, err := r.access.Clients(ctx, r.tenant.ID)
	if err != nil {
		return err
	}
	l := t.list("name", "id", "profile", "state", "live tokens", "next expiry", "last used")
	for _, client := range all {
		item, err := r.describe(ctx, client, time.Now())
		if err != nil {
			return err
		}
		live, next := 0, time.Time{}
		for _, k := range item.Tokens {
			if k.State != "live" {
				continue
			}
			live++
			if at := orZero(k.Expires); !at.IsZero() && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		if err := l.row(item, item.Name, item.ID, item.Profile, item.State, strconv.Itoa(live), when(next), when(orZero(item.LastUsed))); err != nil {
			return err
		}
	}
	return l.end(fmt.Sprintf("tenant %s has no client yet; next: provost client create NAME --tenant %s %s", c.Tenant, c.Tenant, c.flag()))
}

type clientShowCmd struct {
	tenantFlags
	addressFlags
	Name string `arg:"" help:"Name or id of the client."`
}

func (c *clientShowCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	client, err := r.client(ctx, c.tenantFlags, c.Name)
	if err != nil {
		return err
	}
	item, err := r.describe(ctx, client, time.Now())
	if err != nil {
		return err
	}
	err = t.show(item,
		field{"client", item.Name},
		field{"id", item.ID},
		field{"profile", item.Profile},
		field{"state", item.State},
		field{"SCIM URL", c.scim(r.tenant.Name)},
		field{"user of /Me", item.User},
		field{"limits", fmt.Sprintf("%g requests/s, %d at once beyond, %d at the same time", item.Rate, item.Burst, item.Concurrent)},
		field{"created", when(item.Created) + " by " + item.CreatedBy},
		field{"revoked", when(orZero(item.Revoked))},
	)
	if err != nil || t.form != "table" {
		return err
	}
	fmt.Fprintln(t.out)
	l := t.list("token", "kind", "ends in", "state", "created", "expires", "last used", "from", "agent")
	for _, k := range item.Tokens {
		err := l.row(k, k.ID, k.Kind, k.Hint, k.State, when(k.Created), when(orZero(k.Expires)), when(orZero(k.LastUsed)), k.LastAddr, k.LastAgent)
		if err != nil {
			return err
		}
	}
	return l.end("it has no token")
}

// client finds a client of the tenant by name or id.
func (r *room) client(ctx context.Context, f tenantFlags, name string) (access.Client, error) {
	c, err := r.access.Client(ctx, r.tenant.ID, name)
	if errors.Is(err, access.ErrNotFound) {
		return c, &failure{what: fmt.Sprintf("tenant %s has no client %q", f.Tenant, name), next: "provost client list --tenant " + f.Tenant + " " + f.flag()}
	}
	return c, err
}
