package scim

// patchMembers turns an operation on the members of a group into MemberOps.
func (p *patcher) patchMembers(v verb, t target, raw any) error {
	switch {
	case t.filter != nil:
		return p.patchMembersWhere(v, t, raw)
	case t.ref.Sub == nil:
	case t.ref.Sub.Name == "value" && v != verbReplace && raw != nil: // "members.value": the ids themselves
		if err := p.tolerate(ToleratedMemberValue, InvalidPath, "members.value cannot be changed: use members"); err != nil {
			return err
		}
	default:
		return Errorf(Mutability, "%s cannot be changed: add and remove members", t.ref.Name())
	}
	if raw == nil {
		return p.nullMembers(v, t)
	}
	if v == verbRemove {
		if err := p.tolerate(ToleratedRemoveValue, InvalidValue, `a remove has no value: write members[value eq "…"]`); err != nil {
			return err
		}
	}
	ids, err := p.memberIDs(raw)
	if err != nil {
		return err
	}
	switch v {
	case verbAdd:
		p.memberOp(AddMembers, ids)
	case verbRemove:
		p.memberOp(RemoveMembers, ids)
	default:
		p.members = append(p.members, MemberOp{Kind: SetMembers, Values: ids})
	}
	return nil
}

// nullMembers answers an operation on members without a value. Only a remove empties the group so: a replace with
// null is a known defect of connectors, and to empty a group by mistake takes access away.
func (p *patcher) nullMembers(v verb, t target) error {
	switch {
	case v == verbRemove:
		p.members = append(p.members, MemberOp{Kind: SetMembers})
		return nil
	case v == verbAdd:
		return p.tolerate(ToleratedNullAdd, InvalidValue, "add needs a value")
	case t.loose:
		return p.tolerate(ToleratedNullMembers, InvalidValue, "members is null; send [] to empty the group")
	}
	return Errorf(InvalidValue, "replace of members needs a value; send [] to empty the group")
}

// memberOp adds an operation unless it would do nothing.
func (p *patcher) memberOp(kind MemberOpKind, ids []string) {
	if len(ids) > 0 {
		p.members = append(p.members, MemberOp{Kind: kind, Values: ids})
	}
}

// joined returns the operations with neighbours of one kind made one: some clients send each member in an operation
// of its own.
func joined(ops []MemberOp) []MemberOp {
	var out []MemberOp
	for _, op := range ops {
		if last := len(out) - 1; last >= 0 && out[last].Kind == op.Kind && (op.Kind == AddMembers || op.Kind == RemoveMembers) {
			out[last].Values = append(out[last].Values, op.Values...)
			continue
		}
		out = append(out, op)
	}
	for i, op := range out {
		if op.Kind == AddMembers || op.Kind == RemoveMembers {
			out[i].Values = unique(op.Values)
		}
	}
	return out
}

// unique returns the strings of a list, each once.
func unique(list []string) []string {
	out := make([]string, 0, len(list))
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// patchMembersWhere handles members[…] and members[…].sub.
func (p *patcher) patchMembersWhere(v verb, t target, raw any) error {
	if sub := t.ref.Sub; sub != nil && sub.Name != "value" {
		// RFC 7644 §3.5.2 has members[…].displayName among its examples; here these follow from the member.
		return p.tolerate(ToleratedMemberSub, Mutability, "%s follows from the member and cannot be changed", t.ref.Name())
	}
	ids, exact := wantedIDs(t.filter)
	if v == verbRemove {
		if raw != nil {
			return p.removeListed(t, ids, exact, raw)
		}
		if exact {
			p.memberOp(RemoveMembers, ids)
		} else {
			p.members = append(p.members, MemberOp{Kind: RemoveMembersWhere, Where: t.filter})
		}
		return nil
	}
	if !exact {
		return Errorf(InvalidPath, `members%s: add and replace take members, or members[value eq "…"]`, "["+t.filter.String()+"]")
	}
	given := ids
	if raw != nil {
		var err error
		if given, err = p.memberIDsOr(raw, ids); err != nil {
			return err
		}
	}
	if v == verbReplace {
		p.memberOp(RemoveMembers, without(ids, given))
	}
	p.memberOp(AddMembers, given)
	return nil
}

// removeListed is remove members[value eq "x"] with a value on top: what both name goes.
func (p *patcher) removeListed(t target, ids []string, exact bool, raw any) error {
	if err := p.tolerate(ToleratedRemoveValue, InvalidValue, "a remove has no value"); err != nil {
		return err
	}
	listed, err := p.memberIDs(raw)
	if err != nil {
		return err
	}
	if !exact {
		return Errorf(InvalidValue, "a remove by %s has no value", "members["+t.filter.String()+"]")
	}
	p.memberOp(RemoveMembers, without(listed, without(listed, ids)))
	return nil
}

// wantedIDs returns the ids that a filter names if it is value eq "x", or several of these joined by "or".
func wantedIDs(f Filter) (ids []string, ok bool) {
	switch f := f.(type) {
	case *Or:
		left, ok := wantedIDs(f.Left)
		if !ok {
			return nil, false
		}
		right, ok := wantedIDs(f.Right)
		return append(left, without(right, left)...), ok
	case *Compare:
		id, isText := f.Value.(string)
		if f.Op == Eq && f.Ref.Attr.Name == "value" && isText {
			return []string{id}, true
		}
	}
	return nil, false
}

// without returns the strings of list that are not in drop.
func without(list, drop []string) []string {
	gone := make(map[string]bool, len(drop))
	for _, s := range drop {
		gone[s] = true
	}
	var kept []string
	for _, s := range list {
		if !gone[s] {
			kept = append(kept, s)
		}
	}
	return kept
}

// memberIDs reads the ids of members, each once: a list or one member, each an object with a value (what else
// is in it is ignored: $ref, display, type and keys that some clients add) or a bare id.
func (p *patcher) memberIDs(raw any) ([]string, error) {
	return p.memberIDsOr(raw, nil)
}

// memberIDsOr is memberIDs where a member that does not give its id has the one that the path names.
func (p *patcher) memberIDsOr(raw any, named []string) ([]string, error) {
	list, ok := raw.([]any)
	if !ok {
		if err := p.tolerate(ToleratedSingleForList, InvalidValue, "members must be a list"); err != nil {
			return nil, err
		}
		list = []any{raw}
	}
	ids := make([]string, 0, len(list))
	for i, v := range list {
		id, err := p.memberID(i, v, named)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return unique(ids), nil
}

func (p *patcher) memberID(i int, v any, named []string) (string, error) {
	if o, ok := v.(Object); ok {
		value, sent := lookupKey(o, "value")
		if !sent && len(named) == 1 {
			return named[0], nil
		}
		v = value
	} else if _, ok := v.(string); ok {
		if err := p.tolerate(ToleratedPlainValue, InvalidValue, "members[%d] must be an object with a value", i); err != nil {
			return "", err
		}
	}
	id, _ := v.(string)
	if id == "" {
		return "", Errorf(InvalidValue, "members[%d].value is required and must be a string", i)
	}
	return id, nil
}
