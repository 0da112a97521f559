package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/provost-scim/provost/provision"
)

type logProvisioningCmd struct {
	channelFlags
	Key    string `placeholder:"KEY" help:"Only the object with this key of the source."`
	Status string `enum:",success,failure,skipped,held" default:"" placeholder:"S" help:"Only entries with this status: success, failure, skipped or held."`
	Action string `placeholder:"VERB" help:"Only this action: create, update, disable, enable, delete, adopt, add-members, remove-members, park."`
	Limit  int    `default:"100" placeholder:"N" help:"Begin with the newest so many; 0 for all."`
	Follow bool   `short:"f" help:"Go on with what comes, until interrupted."`
}

// logPage is how many entries are read at once.
const logPage = 1000

func (c *logProvisioningCmd) Run(ctx context.Context, t *terminal) error {
	db, ch, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	q := provision.EntryQuery{Key: c.Key, Status: c.Status, Action: c.Action}
	l := t.list("time", "cycle", "status", "action", "object", "reason", "detail")
	newest := int64(0)
	for limit := c.Limit; ; limit = 0 {
		var entries []provision.Entry
		for before := int64(0); ; {
			want := logPage
			if limit > 0 {
				want = min(logPage, limit-len(entries))
			}
			page, err := db.Entries(ctx, ch.ID, q, before, want)
			if err != nil {
				return err
			}
			for _, e := range page {
				if e.Seq > newest {
					entries = append(entries, e)
				}
			}
			if len(page) < want || limit > 0 && len(entries) >= limit || page[len(page)-1].Seq <= newest {
				break
			}
			before = page[len(page)-1].Seq
		}
		for _, e := range slices.Backward(entries) {
			newest = max(newest, e.Seq)
			if err := l.row(e, when(e.Time), fmt.Sprint(e.Cycle), e.Status, string(e.Action), e.Title, e.Reason, entryDetail(e)); err != nil {
				return err
			}
		}
		if !c.Follow {
			return l.end("nothing was logged yet that matches")
		}
		if err := l.flush(); err != nil {
			return err
		}
		if !wait(ctx, followEvery) {
			return l.end("")
		}
	}
}

// entryDetail is what an entry changed, or what went wrong.
func entryDetail(e provision.Entry) string {
	if e.Error != "" {
		return e.Error
	}
	return detail(provision.Change{Verb: e.Action, Values: e.Changes, Add: e.Added, Remove: e.Removed})
}
