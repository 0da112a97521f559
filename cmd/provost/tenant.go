package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/provost-scim/provost/access"
)

type tenantCmd struct {
	Create tenantCreateCmd `cmd:"" help:"Make a tenant; the first one makes the store too."`
	List   tenantListCmd   `cmd:"" help:"List the tenants."`
	Show   tenantShowCmd   `cmd:"" help:"Show a tenant, its address and its policies."`
	Set    tenantSetCmd    `cmd:"" help:"Change a tenant's policies, rename it, or turn it off and on."`
	Delete tenantDeleteCmd `cmd:"" help:"Delete a tenant with everything in it, for good."`
}

// addressFlags say how clients reach the server; they only change what is printed.
type addressFlags struct {
	PublicURL string `name:"public-url" placeholder:"URL" default:"http://127.0.0.1:8080" help:"Address under which clients reach the server."`
}

// scim is the address to paste into an identity provider.
func (f addressFlags) scim(tenant string) string {
	return strings.TrimRight(f.PublicURL, "/") + "/t/" + tenant + "/scim/v2"
}

// token is where an OAuth 2 client asks for tokens.
func (f addressFlags) token(tenant string) string {
	return strings.TrimRight(f.PublicURL, "/") + "/t/" + tenant + "/oauth/token"
}

// policyFlags change the policies of a tenant; what is not given stays.
type policyFlags struct {
	UniqueGroupNames *bool  `negatable:"" help:"Refuse a second group of the same name (default)."`
	Rehire           string `enum:",conflict,reactivate" default:"" placeholder:"POLICY" help:"A create whose userName an inactive user holds: conflict (409, default) or reactivate (the same user comes back)."`
	RetentionDays    *int   `placeholder:"DAYS" help:"How long deleted users and groups can be restored (default 30)."`
	LogDays          *int   `placeholder:"DAYS" help:"How long the request log is kept (default 30)."`
}

func (f policyFlags) apply(s *access.Settings) {
	if f.UniqueGroupNames != nil {
		s.UniqueGroupNames = *f.UniqueGroupNames
	}
	if f.Rehire != "" {
		s.Rehire = f.Rehire
	}
	if f.RetentionDays != nil {
		s.RetentionDays = *f.RetentionDays
	}
	if f.LogDays != nil {
		s.LogDays = *f.LogDays
	}
}

// tenantItem is a tenant as it is printed.
type tenantItem struct {
	Name     string          `json:"name"`
	Display  string          `json:"display"`
	SCIM     string          `json:"scimUrl"`
	Created  time.Time       `json:"created"`
	Disabled bool            `json:"disabled"`
	Settings access.Settings `json:"settings"`
}

func showTenant(t *terminal, tenant access.Tenant, a addressFlags) error {
	state := "on"
	if tenant.Disabled {
		state = "off"
	}
	s := tenant.Settings
	return t.show(tenantItem{tenant.Name, tenant.Display, a.scim(tenant.Name), tenant.Created, tenant.Disabled, s},
		field{"tenant", tenant.Name},
		field{"display", tenant.Display},
		field{"state", state},
		field{"SCIM URL", a.scim(tenant.Name)},
		field{"created", when(tenant.Created)},
		field{"unique group names", strconv.FormatBool(s.UniqueGroupNames)},
		field{"rehire", s.Rehire},
		field{"retention", fmt.Sprintf("%d days", s.RetentionDays)},
		field{"request log", fmt.Sprintf("%d days", s.LogDays)},
	)
}

type tenantCreateCmd struct {
	storeFlags
	addressFlags
	policyFlags
	Name    string `arg:"" help:"1 to 63 of a-z, 0-9 and -, beginning with a letter; stands in addresses."`
	Display string `placeholder:"TEXT" help:"Name for people."`
}

func (c *tenantCreateCmd) Run(ctx context.Context, t *terminal) error {
	if err := access.CheckTenantName(c.Name); err != nil {
		return wrong(err, "provost tenant create --help")
	}
	settings := access.Defaults()
	c.apply(&settings)
	if err := settings.Check(); err != nil {
		return wrong(err, "provost tenant create --help")
	}
	there, err := c.exists()
	if err != nil {
		return err
	}
	db, err := c.openAny(ctx, !there, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer db.Close()
	if !there {
		t.note("began a store in %s", c.Data)
	}
	service := offlineAccess(db)
	tenant, err := service.CreateTenant(ctx, actor(), c.Name, c.Display)
	if err != nil {
		if errors.Is(err, access.ErrExists) {
			return &failure{what: fmt.Sprintf("there is a tenant %q already", c.Name), kept: "it was left as it is", next: "provost tenant show " + c.Name + " " + c.flag()}
		}
		return wrong(err, "provost tenant create --help")
	}
	if changed := tenant; settings != tenant.Settings {
		changed.Settings = settings
		if err := service.UpdateTenant(ctx, actor(), tenant, changed); err != nil {
			return wrong(err, "provost tenant set "+c.Name+" --help")
		}
		tenant = changed
	}
	if err := showTenant(t, tenant, c.addressFlags); err != nil {
		return err
	}
	t.note("next: provost client create NAME --tenant %s %s", c.Name, c.flag())
	return nil
}

type tenantListCmd struct {
	storeFlags
	addressFlags
}

func (c *tenantListCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	all, err := offlineAccess(db).Tenants(ctx)
	if err != nil {
		return err
	}
	l := t.list("name", "state", "created", "SCIM URL", "display")
	for _, tenant := range all {
		state := "on"
		if tenant.Disabled {
			state = "off"
		}
		item := tenantItem{tenant.Name, tenant.Display, c.scim(tenant.Name), tenant.Created, tenant.Disabled, tenant.Settings}
		if err := l.row(item, tenant.Name, state, when(tenant.Created), c.scim(tenant.Name), tenant.Display); err != nil {
			return err
		}
	}
	return l.end("there is no tenant yet; next: provost tenant create NAME " + c.flag())
}

type tenantShowCmd struct {
	storeFlags
	addressFlags
	Name string `arg:"" help:"The tenant."`
}

func (c *tenantShowCmd) Run(ctx context.Context, t *terminal) error {
	r, err := tenantFlags{c.storeFlags, c.Name}.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	return showTenant(t, r.tenant, c.addressFlags)
}

type tenantSetCmd struct {
	storeFlags
	addressFlags
	policyFlags
	Name    string  `arg:"" help:"The tenant."`
	Display *string `placeholder:"TEXT" help:"Name for people."`
	Rename  string  `placeholder:"NAME" help:"New name. The old address answers no more; tokens work at the new one."`
	Off     bool    `xor:"state" help:"Refuse every request of the tenant until it is turned on."`
	On      bool    `xor:"state" help:"Accept requests again."`
}

func (c *tenantSetCmd) Run(ctx context.Context, t *terminal) error {
	r, err := tenantFlags{c.storeFlags, c.Name}.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	after := r.tenant
	c.apply(&after.Settings)
	if c.Display != nil {
		after.Display = *c.Display
	}
	if c.Rename != "" {
		after.Name = c.Rename
	}
	if c.Off || c.On {
		after.Disabled = c.Off
	}
	if after == r.tenant {
		t.note("nothing to change")
	}
	if err := r.access.UpdateTenant(ctx, actor(), r.tenant, after); err != nil {
		if errors.Is(err, access.ErrExists) {
			return &failure{what: fmt.Sprintf("there is a tenant %q already", after.Name), kept: "nothing was changed", next: "provost tenant list " + c.flag()}
		}
		return wrong(err, "provost tenant set --help")
	}
	return showTenant(t, after, c.addressFlags)
}

type tenantDeleteCmd struct {
	storeFlags
	Name string `arg:"" help:"The tenant."`
	Yes  bool   `help:"Do not ask."`
}

func (c *tenantDeleteCmd) Run(ctx context.Context, t *terminal) error {
	r, err := tenantFlags{c.storeFlags, c.Name}.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	if !c.Yes {
		question := fmt.Sprintf("This deletes tenant %s with its users, groups, clients and logs, for good. Type its name to go on: ", c.Name)
		if answer, err := t.ask(question); err != nil || answer != c.Name {
			return &failure{what: "the tenant was not deleted: its name was not typed", kept: "nothing was changed", next: "type the name when asked, or use --yes"}
		}
	}
	if err := r.access.DeleteTenant(ctx, c.Name); err != nil {
		return err
	}
	t.note("tenant %s is deleted", c.Name)
	return nil
}

// wrong turns what a rule refuses into a usage error; other errors stay what they are.
func wrong(err error, next string) error {
	if invalid, ok := errors.AsType[*access.InvalidError](err); ok {
		return &failure{what: invalid.Error(), kept: "nothing was changed", next: next, code: exitUsage}
	}
	return err
}
