package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/provost-scim/provost/console"
)

type accountLinkCmd struct {
	storeFlags
	addressFlags
	Account string `arg:"" help:"Id or e-mail address of the administrator."`
}

func (c *accountLinkCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	account, err := findAccount(ctx, db, c.storeFlags, c.Account)
	if err != nil {
		return err
	}
	link, err := offlineAccess(db).CreateLink(ctx, actor(), account)
	if err != nil {
		return wrong(err, "provost account list "+c.flag())
	}
	t.note("Shown this once; it works once and for 24 hours. The present password of %s works until then:", account.Name)
	_, err = fmt.Fprintln(t.out, strings.TrimRight(c.PublicURL, "/")+console.LinkPath(link))
	return err
}
