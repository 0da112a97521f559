package access

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/provost-scim/provost/audit"
)

// Limits of names and settings.
const (
	MaxTenantName = 63   // characters: it is a host name label too
	MaxName       = 100  // characters of the name of a client, account or of a tenant's display name
	MaxDays       = 3650 // of RetentionDays and LogDays
)

// CheckTenantName returns an *InvalidError if name is no name for a tenant.
func CheckTenantName(name string) error {
	if name == "" || len(name) > MaxTenantName {
		return invalid("name", "a tenant's name has 1 to %d characters", MaxTenantName)
	}
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z'
		if i == 0 && !letter {
			return invalid("name", "a tenant's name begins with a letter a-z")
		}
		if !letter && (c < '0' || c > '9') && c != '-' {
			return invalid("name", "a tenant's name is made of a-z, 0-9 and \"-\"")
		}
	}
	if strings.HasSuffix(name, "-") {
		return invalid("name", "a tenant's name does not end with \"-\"")
	}
	return nil
}

// checkName checks the free-text name of a client or account.
func checkName(field, name string) error {
	if name == "" || utf8.RuneCountInString(name) > MaxName || !utf8.ValidString(name) {
		return invalid(field, "1 to %d characters", MaxName)
	}
	if strings.TrimSpace(name) != name {
		return invalid(field, "no spaces at the beginning or end")
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return invalid(field, "printable characters only")
		}
	}
	return nil
}

// Check returns an *InvalidError if a setting has a value that it cannot have.
func (s Settings) Check() error {
	if s.Rehire != RehireConflict && s.Rehire != RehireReactivate {
		return invalid("rehire", "%q or %q", RehireConflict, RehireReactivate)
	}
	if s.RetentionDays < 0 || s.RetentionDays > MaxDays {
		return invalid("retentionDays", "0 to %d", MaxDays)
	}
	if s.LogDays < 1 || s.LogDays > MaxDays {
		return invalid("logDays", "1 to %d", MaxDays)
	}
	return nil
}

// CreateTenant makes a tenant with the default settings. ErrExists if the name is taken.
func (s *Service) CreateTenant(ctx context.Context, by audit.Actor, name, display string) (Tenant, error) {
	if err := CheckTenantName(name); err != nil {
		return Tenant{}, err
	}
	if display == "" {
		display = name
	}
	if err := checkName("display", display); err != nil {
		return Tenant{}, err
	}
	t := Tenant{Name: name, Display: display, Created: s.stamp(), Settings: Defaults()}
	e := s.event(by, audit.Configure, "Tenant", name, display, audit.Diff{"name": {After: name}})
	return s.Keeper.CreateTenant(ctx, t, e)
}

// UpdateTenant stores a tenant that was read and changed: its name, display name, settings, or whether it is
// disabled. Disabling takes effect on every node within a second.
func (s *Service) UpdateTenant(ctx context.Context, by audit.Actor, before, after Tenant) error {
	if err := CheckTenantName(after.Name); err != nil {
		return err
	}
	if err := checkName("display", after.Display); err != nil {
		return err
	}
	if err := after.Settings.Check(); err != nil {
		return err
	}
	after.ID, after.Created = before.ID, before.Created
	diff := audit.Diff{}
	compare(diff, "name", before.Name, after.Name)
	compare(diff, "display", before.Display, after.Display)
	compare(diff, "disabled", before.Disabled, after.Disabled)
	compare(diff, "uniqueGroupNames", before.Settings.UniqueGroupNames, after.Settings.UniqueGroupNames)
	compare(diff, "rehire", before.Settings.Rehire, after.Settings.Rehire)
	compare(diff, "retentionDays", before.Settings.RetentionDays, after.Settings.RetentionDays)
	compare(diff, "logDays", before.Settings.LogDays, after.Settings.LogDays)
	if len(diff) == 0 {
		return nil
	}
	s.seen.forget()
	defer s.seen.forget()
	return s.Keeper.UpdateTenant(ctx, after, s.event(by, audit.Configure, "Tenant", after.Name, after.Display, diff))
}

// RenameTenant changes the name that stands in addresses. Tokens stay valid at the new address; the old one
// answers as if the tenant had never been.
func (s *Service) RenameTenant(ctx context.Context, by audit.Actor, from, to string) error {
	t, err := s.Keeper.Tenant(ctx, from)
	if err != nil {
		return err
	}
	renamed := t
	renamed.Name = to
	return s.UpdateTenant(ctx, by, t, renamed)
}

// DisableTenant refuses every request of a tenant from now on, or accepts them again.
func (s *Service) DisableTenant(ctx context.Context, by audit.Actor, name string, disabled bool) error {
	t, err := s.Keeper.Tenant(ctx, name)
	if err != nil {
		return err
	}
	changed := t
	changed.Disabled = disabled
	return s.UpdateTenant(ctx, by, t, changed)
}

// DeleteTenant removes a tenant with everything in it, for good.
func (s *Service) DeleteTenant(ctx context.Context, name string) error {
	t, err := s.Keeper.Tenant(ctx, name)
	if err != nil {
		return err
	}
	s.seen.forget()
	defer s.seen.forget()
	return s.Keeper.DeleteTenant(ctx, t.ID)
}

// Tenants lists all tenants.
func (s *Service) Tenants(ctx context.Context) ([]Tenant, error) { return s.Keeper.Tenants(ctx) }

// Tenant returns a tenant by name; ErrNotFound if there is none.
func (s *Service) Tenant(ctx context.Context, name string) (Tenant, error) {
	return s.Keeper.Tenant(ctx, name)
}
