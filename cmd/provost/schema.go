package main

import (
	"context"
	"encoding/json"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/store"
)

type schemaCmd struct {
	Show schemaShowCmd `cmd:"" help:"Show a tenant's own schemas and resource types, as a file that schema set takes."`
	Set  schemaSetCmd  `cmd:"" help:"Give a tenant the schemas and resource types of a file (see docs/schemas.md)."`
}

// registryOf builds a tenant's registry from the schemas that are stored for it.
func registryOf(ctx context.Context, db *store.DB, tenant int64) (*scim.Registry, error) {
	text, _, err := db.Schemas(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return parseSchemas(text)
}

// parseSchemas builds the registry of a schema file; no text is the default registry.
func parseSchemas(text []byte) (*scim.Registry, error) {
	if len(text) == 0 {
		return scim.Default(), nil
	}
	definition, err := scim.ParseDefinition(text)
	if err != nil {
		return nil, err
	}
	return scim.NewRegistry(definition)
}

type schemaShowCmd struct {
	tenantFlags
}

func (c *schemaShowCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	text, version, err := r.db.Schemas(ctx, r.tenant.ID)
	if err != nil {
		return err
	}
	if len(text) == 0 {
		t.note("tenant %s has no schemas of its own: it has User with the Enterprise extension, and Group", c.Tenant)
		text = []byte(`{}`)
	} else {
		t.note("version %d", version)
	}
	if t.form == "table" {
		t.form = "json"
	}
	return t.show(json.RawMessage(text))
}

type schemaSetCmd struct {
	tenantFlags
	File  string `arg:"" help:"The file, - for standard input."`
	Check bool   `help:"Only check the file."`
}

// maxSchemaFile bounds a schema file, in bytes.
const maxSchemaFile = 1 << 20

func (c *schemaSetCmd) Run(ctx context.Context, t *terminal) error {
	text, err := t.readFile(c.File, maxSchemaFile)
	if err != nil {
		return err
	}
	if _, err := parseSchemas(text); err != nil {
		return &failure{what: "the schema file is refused", err: err, kept: "nothing was changed", next: "see docs/schemas.md"}
	}
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.grows(ctx, text); err != nil {
		return err
	}
	if c.Check {
		t.note("the file is good; nothing was changed")
		return nil
	}
	version, err := r.db.SaveSchemas(ctx, r.tenant.ID, text,
		audit.Event{Actor: actor(), Action: audit.Configure, Type: "Schema", ID: r.tenant.Name, Name: r.tenant.Name})
	if err != nil {
		return err
	}
	t.note("tenant %s has version %d of its schemas; a running server follows within a second", c.Tenant, version)
	return nil
}

// grows refuses a definition that does not hold all of the present one.
func (r *room) grows(ctx context.Context, text []byte) error {
	present, _, err := r.db.Schemas(ctx, r.tenant.ID)
	if err != nil || len(present) == 0 {
		return err
	}
	before, err := scim.ParseDefinition(present)
	if err != nil {
		return err
	}
	after, err := scim.ParseDefinition(text)
	if err != nil {
		return err
	}
	if err := scim.Compatible(before, after); err != nil {
		return &failure{what: "the schema file takes away or changes what resources may use", err: err, kept: "nothing was changed",
			next: "add to the present definition (provost schema show), see docs/schemas.md"}
	}
	return nil
}
