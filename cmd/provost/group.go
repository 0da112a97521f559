package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/provost-scim/provost/scim"
)

type groupCmd struct {
	List    groupListCmd    `cmd:"" help:"List the groups of a tenant, all or those that a SCIM filter matches."`
	Show    groupShowCmd    `cmd:"" help:"Show a group with its members, and what happened to it."`
	Restore groupRestoreCmd `cmd:"" help:"Put a deleted group back under its id, with those of its members that still exist."`
}

type groupListCmd struct {
	tenantFlags
	listFlags
}

func (c *groupListCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	if c.Deleted {
		return c.deleted(ctx, t, r, "Group")
	}
	l := t.list("displayName", "id", "version", "modified")
	err = c.walk(ctx, r, "Group", func(g scim.Resource) error {
		return l.row(r.wire(&g), displayName(g), g.ID, strconv.FormatInt(g.Meta.Version, 10), when(g.Meta.LastModified))
	})
	if err != nil {
		return err
	}
	return l.end(fmt.Sprintf("no group of tenant %s matches", c.Tenant))
}

type groupShowCmd struct {
	tenantFlags
	Group   string `arg:"" help:"Id or displayName."`
	History bool   `help:"Show what happened to the group, oldest first."`
}

func (c *groupShowCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	g, err := r.find(ctx, "Group", "displayName", c.Group, c.tenantFlags)
	if err != nil {
		return err
	}
	if c.History {
		return r.history(ctx, t, "Group", g.ID)
	}
	err = t.show(r.wire(&g),
		field{"displayName", displayName(g)},
		field{"id", g.ID},
		field{"version", strconv.FormatInt(g.Meta.Version, 10)},
		field{"created", when(g.Meta.Created)},
		field{"modified", when(g.Meta.LastModified)},
		field{"members", strconv.Itoa(len(g.Members))},
	)
	if err != nil || t.form != "table" || len(g.Members) == 0 {
		return err
	}
	fmt.Fprintln(t.out)
	l := t.list("member", "type", "id")
	for _, m := range g.Members {
		if err := l.row(m, m.Display, m.Type, m.Value); err != nil {
			return err
		}
	}
	return l.end("")
}

type groupRestoreCmd struct {
	tenantFlags
	ID string `arg:"" help:"Id of the deleted group (see group list --deleted)."`
}

func (c *groupRestoreCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	return r.restore(ctx, t, "Group", c.ID, c.tenantFlags)
}
