package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// cursors walks the big tenant page by page, checks that everybody came exactly once, and compares the last full
// page with the first.
func (g *growth) cursors(ctx context.Context) error {
	const name = "cursor: last page against first"
	if !g.o.wants(name) {
		return nil
	}
	last, err := g.walk(ctx)
	if err != nil {
		g.o.show(growthResult{Store: g.store, Phase: name, Must: mustGrow, Wrong: err.Error()})
		return ctx.Err()
	}
	return compare(ctx, g.o, g.store, name, side{cursorOp(last), &g.big}, side{cursorOp(""), &g.big}, mustGrow)
}

// walk returns the cursor of the last full page.
func (g *growth) walk(ctx context.Context) (string, error) {
	seen := make(map[string]bool, len(g.big.people.ids))
	cursor, lastFull := "", ""
	for ctx.Err() == nil {
		l, err := g.big.t.list(cursorPath(cursor))
		if err != nil {
			return "", err
		}
		for _, r := range l.Resources {
			if seen[r.ID] {
				return "", wrong("user %s came twice in one walk", r.ID)
			}
			seen[r.ID] = true
		}
		if len(l.Resources) == pageSize {
			lastFull = cursor
		}
		if l.NextCursor == "" {
			break
		}
		cursor = l.NextCursor
	}
	for _, id := range g.big.people.ids {
		if !seen[id] {
			return "", wrong("user %s is missing from a walk of %d", id, len(seen))
		}
	}
	return lastFull, ctx.Err()
}

func cursorPath(cursor string) string {
	return "/Users?count=" + strconv.Itoa(pageSize) + "&cursor=" + url.QueryEscape(cursor)
}

func cursorOp(cursor string) op {
	return op{name: "cursor", do: func(p *place, w, _ int) error {
		a, err := p.t.call(w, http.StatusOK, "GET", cursorPath(cursor), nil)
		if err != nil {
			return err
		}
		return fullPage(&a)
	}}
}
