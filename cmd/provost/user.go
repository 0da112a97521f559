package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

type userCmd struct {
	List    userListCmd    `cmd:"" help:"List the users of a tenant, all or those that a SCIM filter matches."`
	Show    userShowCmd    `cmd:"" help:"Show a user as a SCIM client sees it, and what happened to it."`
	Restore userRestoreCmd `cmd:"" help:"Put a deleted user back under its id, with its memberships."`
}

type userListCmd struct {
	tenantFlags
	listFlags
}

func (c *userListCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	if c.Deleted {
		return c.deleted(ctx, t, r, "User")
	}
	l := t.list("userName", "active", "name", "id", "version", "modified")
	err = c.walk(ctx, r, "User", func(u scim.Resource) error {
		return l.row(r.wire(&u), attr(u, "userName"), attr(u, "active"), displayName(u), u.ID,
			strconv.FormatInt(u.Meta.Version, 10), when(u.Meta.LastModified))
	})
	if err != nil {
		return err
	}
	return l.end(fmt.Sprintf("no user of tenant %s matches", c.Tenant))
}

type userShowCmd struct {
	tenantFlags
	User    string `arg:"" help:"Id or userName."`
	History bool   `help:"Show what happened to the user, oldest first."`
}

func (c *userShowCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	u, err := r.find(ctx, "User", "userName", c.User, c.tenantFlags)
	if err != nil {
		return err
	}
	if c.History {
		return r.history(ctx, t, "User", u.ID)
	}
	err = t.show(r.wire(&u),
		field{"userName", attr(u, "userName")},
		field{"name", displayName(u)},
		field{"active", attr(u, "active")},
		field{"id", u.ID},
		field{"version", strconv.FormatInt(u.Meta.Version, 10)},
		field{"created", when(u.Meta.Created)},
		field{"modified", when(u.Meta.LastModified)},
		field{"attributes", string(u.Doc)},
	)
	if err != nil || t.form != "table" || len(u.Groups) == 0 {
		return err
	}
	fmt.Fprintln(t.out)
	l := t.list("group", "id", "membership")
	for _, g := range u.Groups {
		if err := l.row(g, g.Display, g.Value, g.Type); err != nil {
			return err
		}
	}
	return l.end("")
}

type userRestoreCmd struct {
	tenantFlags
	ID string `arg:"" help:"Id of the deleted user (see user list --deleted)."`
}

func (c *userRestoreCmd) Run(ctx context.Context, t *terminal) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	return r.restore(ctx, t, "User", c.ID, c.tenantFlags)
}

// userExists refuses the id of a user that the tenant does not have.
func (r *room) userExists(ctx context.Context, id string) error {
	_, err := r.directory.Get(ctx, caller(), "User", id, directory.Want{})
	if directory.KindOf(err) == directory.NotFound {
		return usage("provost user list --tenant "+r.tenant.Name+" shows the ids", "tenant %s has no user with the id %q", r.tenant.Name, id)
	}
	return err
}
