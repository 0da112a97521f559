package directory

import (
	"context"
	"slices"
	"strings"

	"github.com/provost-scim/provost/scim"
)

// MaxNesting is the most levels of groups within groups.
const MaxNesting = 32

// changeMembers carries out the member operations of one request in their order, and returns what they changed
// taken together: a member that came and went is in neither list.
func (d *Directory) changeMembers(ctx context.Context, s Store, typ, group string, ops []scim.MemberOp) (added, removed []string, err error) {
	in, out := map[string]bool{}, map[string]bool{}
	note := func(refs []scim.Ref, to, from map[string]bool) {
		for _, r := range refs {
			if from[r.Value] {
				delete(from, r.Value)
			} else {
				to[r.Value] = true
			}
		}
	}
	for _, op := range ops {
		add, remove, err := d.resolve(ctx, s, typ, group, op)
		if err != nil {
			return nil, nil, err
		}
		if op.Kind != scim.AddMembers && (remove == nil || len(remove) > 0) {
			gone, err := s.RemoveMembers(ctx, group, remove)
			if err != nil {
				return nil, nil, err
			}
			note(gone, out, in)
		}
		if len(add) > 0 {
			came, err := d.addMembers(ctx, s, group, add)
			if err != nil {
				return nil, nil, err
			}
			note(came, in, out)
		}
	}
	return keys(in), keys(out), nil
}

// resolve turns an operation into ids to add and to remove; a nil remove means all members.
func (d *Directory) resolve(ctx context.Context, s Store, typ, group string, op scim.MemberOp) (add, remove []string, err error) {
	switch op.Kind {
	case scim.AddMembers:
		return op.Values, []string{}, nil
	case scim.RemoveMembers:
		return nil, append([]string{}, op.Values...), nil
	case scim.SetMembers:
		if len(op.Values) == 0 {
			return nil, nil, nil
		}
	}
	rec, err := s.Get(ctx, typ, group, Load{Members: true})
	if err != nil {
		return nil, nil, err
	}
	remove = []string{}
	if op.Kind == scim.RemoveMembersWhere {
		for _, m := range rec.Members {
			if scim.MatchMember(op.Where, m) {
				remove = append(remove, m.Value)
			}
		}
		return nil, remove, nil
	}
	wanted := make(map[string]bool, len(op.Values))
	for _, id := range op.Values {
		wanted[id] = true
	}
	for _, m := range rec.Members {
		if !wanted[m.Value] {
			remove = append(remove, m.Value)
		}
		delete(wanted, m.Value)
	}
	for _, id := range op.Values {
		if wanted[id] {
			add = append(add, id)
		}
	}
	return add, remove, nil
}

// addMembers adds members to a group: users and groups of this tenant, without making a circle.
func (d *Directory) addMembers(ctx context.Context, s Store, group string, ids []string) ([]scim.Ref, error) {
	added, missing, err := s.AddMembers(ctx, group, ids)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, unknownMembers(missing)
	}
	var nested []string
	for _, r := range added {
		switch r.Type {
		case userType:
		case groupType:
			nested = append(nested, r.Value)
		default:
			return nil, &Error{Kind: Invalid, Attr: "members", Msg: "members: " + scim.Quote(r.Value) + " is a " + r.Type + ": only users and groups can be members"}
		}
	}
	if len(nested) > 0 {
		return added, d.refuseCircle(ctx, s, group, nested)
	}
	return added, nil
}

func unknownMembers(missing []string) *Error {
	const most = 5
	list := make([]string, 0, most)
	for _, id := range missing[:min(len(missing), most)] {
		list = append(list, scim.Quote(id))
	}
	msg := "members: no user or group has the id " + strings.Join(list, ", ")
	if len(missing) > most {
		msg += " and others"
	}
	return &Error{Kind: Invalid, Attr: "members", Msg: msg + "; nothing was changed"}
}

// refuseCircle walks up from the group over the groups that hold it, directly or not, and refuses if one of
// the new members is among them. It locks what it walks over, and the new members: two requests that would
// close a circle together meet in a lock, and the second one sees the work of the first.
func (d *Directory) refuseCircle(ctx context.Context, s Store, group string, nested []string) error {
	slices.Sort(nested)
	for _, id := range nested {
		if _, err := s.Get(ctx, groupType, id, Load{Lock: true}); err != nil {
			return err
		}
	}
	seen, level := map[string]bool{group: true}, []string{group}
	for depth := 0; len(level) > 0; depth++ {
		if depth >= MaxNesting {
			return &Error{Kind: Invalid, Attr: "members", Msg: "members: groups may be nested 32 levels deep at most"}
		}
		for _, id := range level {
			if slices.Contains(nested, id) {
				return &Error{Kind: Invalid, Attr: "members", Msg: "members: group " + scim.Quote(id) + " holds this group already: a group cannot be a member of itself, directly or through others"}
			}
		}
		up, err := s.GroupsOf(ctx, level)
		if err != nil {
			return err
		}
		level = level[:0:0]
		for _, refs := range up {
			for _, r := range refs {
				if !seen[r.Value] {
					seen[r.Value] = true
					level = append(level, r.Value)
				}
			}
		}
		slices.Sort(level)
		for _, id := range level {
			if _, err := s.Get(ctx, groupType, id, Load{Lock: true}); err != nil {
				return err
			}
		}
	}
	return nil
}

func ids(refs []scim.Ref) []string {
	out := make([]string, 0, len(refs))
	seen := make(map[string]bool, len(refs))
	for _, r := range refs {
		if !seen[r.Value] {
			seen[r.Value] = true
			out = append(out, r.Value)
		}
	}
	return out
}

func keys(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
