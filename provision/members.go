package provision

import (
	"context"
	"slices"

	"github.com/provost-scim/provost/source"
)

// emptied says whether a group loses all its members because it left the scope: that is what disabling means for it.
func emptied(it *Item, w Wanted, ch Change) bool {
	if ch.Verb == Disable {
		return ch.removal
	}
	return (it.Record == nil || w.Resource == nil && w.Err == nil) && it.Link != nil && it.Link.State == Disabled
}

// memberDiff is who is to be added to and removed from a group, by key.
type memberDiff struct {
	add, remove []string
	size        int // members that the ledger holds
}

// membership compares the members of a group, before anybody looks at the removals.
func (c *cycle) membership(ctx context.Context, it *Item, w Wanted, ch Change) (d memberDiff, err error) {
	rules := c.Channel.Spec.Rules.Groups
	if rules.NoMemberships || w.Err != nil || it.Link == nil && ch.Verb != Create {
		return d, nil
	}
	m := Membership{Open: openMembers(it.Open)}
	if it.Link != nil {
		if m.Have, err = c.State.LinkMembers(ctx, c.Channel.ID, it.Key); err != nil {
			return d, err
		}
	}
	switch {
	case emptied(it, w, ch):
	case w.Resource == nil || it.Record == nil:
		return d, nil // out of scope, and kept
	default:
		if m.Want, err = c.eligible(ctx, it.Key); err != nil {
			return d, err
		}
	}
	d.add, d.remove = decideMembers(m)
	d.size = len(m.Have)
	return d, nil
}

// eligible are the members that the source has and the target has or will have.
func (c *cycle) eligible(ctx context.Context, group string) ([]string, error) {
	keys, err := c.sourceMembers(ctx, group)
	if err != nil {
		return nil, err
	}
	links, err := c.State.Links(ctx, c.Channel.ID, keys)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(keys, func(key string) bool {
		_, linked := links[key]
		return !linked && !c.planned[key]
	}), nil
}

// sourceMembers are the members of a group in the mirror as the channel counts them: with those of its groups, with
// its groups, or without. A group that holds itself, in whatever way, is no member of itself.
func (c *cycle) sourceMembers(ctx context.Context, group string) ([]string, error) {
	seen := map[string]bool{group: true}
	var out []string
	for level := []string{group}; len(level) > 0; {
		members, err := c.State.MemberKeys(ctx, c.Channel.ID, level)
		if err != nil {
			return nil, err
		}
		level = nil
		for _, list := range members {
			for _, m := range list {
				if seen[m.Key] {
					continue
				}
				seen[m.Key] = true
				switch {
				case m.Kind == source.Person || c.Channel.Spec.nested() == Keep:
					out = append(out, m.Key)
				case c.Channel.Spec.nested() == Flatten:
					level = append(level, m.Key)
				}
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// memberChanges are the lines of a plan about the members of a group: those that can go, and those that wait. What
// becomes of a membership follows what becomes of the member.
func (c *cycle) memberChanges(ctx context.Context, it *Item, w Wanted, ch Change) ([]Change, error) {
	if ch.Verb == Disable && ch.Held != "" || ch.Verb == Delete {
		return nil, nil
	}
	d, err := c.membership(ctx, it, w, ch)
	if err != nil || len(d.add)+len(d.remove) == 0 {
		return nil, err
	}
	line := Change{Verb: RemoveMembers, Kind: it.Kind, Key: it.Key, Target: ch.Target, Title: ch.Title, Reason: it.Reason}
	if emptied(it, w, ch) {
		line.Remove, line.Reason = d.remove, ch.Reason
		return []Change{line}, nil
	}
	pass, held, rule, own := c.sift(it, d)
	var out []Change
	if len(d.add)+len(pass) > 0 {
		goes := line
		goes.Add, goes.Remove, goes.own = d.add, pass, own
		if len(d.add) > 0 {
			goes.Verb = AddMembers
		}
		out = append(out, goes)
	}
	if len(held) > 0 {
		line.Remove, line.Held, line.removal = held, rule, true
		out = append(out, line)
	}
	return out, nil
}

// sift parts removals from a group into those that pass and those that are held; count is how many pass that are not
// the consequence of another removal and that nobody was asked about.
func (c *cycle) sift(it *Item, d memberDiff) (pass, held []string, rule string, count int) {
	var own []string
	for _, key := range d.remove {
		said := saidOf(it, key)
		switch heldBack, follows := c.fate[key]; {
		case follows && heldBack:
			held, rule = append(held, key), "the removal of the member itself waits"
		case follows, said == Approved:
			pass = append(pass, key)
		case said == Rejected:
			held, rule = append(held, key), "it was rejected"
		default:
			own = append(own, key)
		}
	}
	if len(own) == 0 {
		return pass, held, rule, 0
	}
	why := c.verdict.Memberships
	if why == "" {
		why = c.Channel.Spec.Guard.judgeGroup(d.size, len(own))
	}
	if why == "" && waits(it, RemoveMembers) {
		why = "it was asked about and not answered yet"
	}
	if why == "" {
		return append(pass, own...), held, rule, len(own)
	}
	return pass, append(held, own...), why, 0
}

// openMembers are the members of a request whose outcome is not known.
func openMembers(in *Intent) map[string]bool {
	if in == nil || in.Verb != AddMembers && in.Verb != RemoveMembers {
		return nil
	}
	out := map[string]bool{}
	for _, name := range []string{"add", "remove"} {
		list, _ := in.Doc[name].([]any)
		for _, v := range list {
			if key, ok := v.(string); ok {
				out[key] = true
			}
		}
	}
	return out
}
