package directory

import (
	"context"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/scim"
)

// Create makes a resource of the type from a body as a client sent it (RFC 7644 §3.3).
//
// Conflict if its unique value is taken; Invalid or a *scim.Error if the body breaks a rule. Where the policy
// says so, a userName held by an inactive user reactivates that user under its old id, with its memberships:
// Result.Created is false then.
func (d *Directory) Create(ctx context.Context, by Caller, typ string, body scim.Object) (Result, error) {
	sent, err := d.Registry.Decode(typ, body, scim.DecodeOptions{Strict: by.Strict})
	if err != nil {
		return Result{}, err
	}
	now := d.now()
	rec := Record{Resource: sent.Resource}
	rec.Type, rec.ID = typ, d.NewID()
	rec.Meta = scim.Meta{Created: now, LastModified: now, Version: 1}
	if typ == userType && rec.Attrs["active"] == nil {
		rec.Attrs["active"] = true
	}
	rec.External = withExternal(nil, by.Client, rec.ExternalID)
	w, err := d.write(rec, 0, nil)
	if err != nil {
		return Result{}, err
	}
	w.Events = []audit.Event{d.event(by, audit.Create, w, d.diff(typ, nil, &rec.Resource))}

	switch {
	case len(sent.Resource.Members) > 0:
		err = d.Store.Tx(ctx, func(s Store) error { return d.insertGroup(ctx, s, w, ids(sent.Resource.Members)) })
	case d.within: // a savepoint: PostgreSQL gives up the whole transaction after a conflict
		err = d.Store.Tx(ctx, func(s Store) error { return s.Insert(ctx, w) })
	default:
		err = d.Store.Insert(ctx, w)
	}
	if KindOf(err) == Conflict {
		return d.rehire(ctx, by, typ, sent, w, err)
	}
	if err != nil {
		return Result{}, err
	}
	res := w.Record.Resource
	res.HasGroups, res.HasMembers = true, len(sent.Resource.Members) == 0
	if !res.HasMembers {
		r, err := d.Store.Get(ctx, typ, res.ID, Load{Client: by.Client, Members: true})
		if err != nil {
			return Result{}, err
		}
		res = r.Resource
	}
	return Result{Resource: res, Created: true, Changed: true, Tolerances: sent.Tolerances}, nil
}

// insertGroup inserts a new group together with its members.
func (d *Directory) insertGroup(ctx context.Context, s Store, w Write, members []string) error {
	diff := d.diff(w.Record.Type, nil, &w.Record.Resource)
	diff["members"] = audit.Values{Added: members}
	w.Events = []audit.Event{withChange(w.Events[0], diff)}
	if err := s.Insert(ctx, w); err != nil {
		return err
	}
	_, err := d.addMembers(ctx, s, w.Record.ID, members)
	return err
}

// rehire answers a create whose unique value is taken: it reactivates an inactive user if the policy says so,
// and otherwise explains the conflict, which conflict is.
func (d *Directory) rehire(ctx context.Context, by Caller, typ string, sent scim.Decoded, w Write, conflict error) (Result, error) {
	holder, attr, err := d.holder(ctx, by, w)
	if err != nil {
		return Result{}, err
	}
	if holder == nil {
		return Result{}, conflict
	}
	active := true
	if typ == userType {
		if err := d.Registry.DecodeDoc(holder); err != nil {
			return Result{}, err
		}
		active = isActive(holder)
	}
	if active || !d.Policy.Reactivate {
		return Result{}, taken(typ, attr, w.Unique[attr], holder.ID, active, conflict)
	}
	sent.Resource.Attrs["active"], sent.ActiveSent = true, true
	res, err := d.update(ctx, by, typ, holder.ID, Condition{}, Want{Groups: true}, func(rec *Record) (change, error) {
		if isActive(&rec.Resource) {
			return change{}, taken(typ, attr, w.Unique[attr], rec.ID, true, conflict)
		}
		attrs, err := d.Registry.Replace(rec.Resource, sent, by.KeepOmitted)
		return change{attrs: attrs, external: replacedExternal(by, sent, rec)}, err
	})
	res.Tolerances = append(append(sent.Tolerances, res.Tolerances...), "rehire")
	return res, err
}

// holder finds who holds the unique value of w, and which attribute that is.
func (d *Directory) holder(ctx context.Context, by Caller, w Write) (*scim.Resource, string, error) {
	for attr, value := range w.Unique {
		f, err := d.Registry.Bind(w.Record.Type, &scim.Compare{Path: scim.AttrPath{Name: attr}, Op: scim.Eq, Value: value})
		if err != nil {
			return nil, "", err
		}
		page, err := d.Store.List(ctx, scim.Query{Targets: []scim.Target{{Type: w.Record.Type, Filter: f}}, Client: by.Client, Count: 1})
		if err != nil {
			return nil, "", err
		}
		if len(page.Resources) > 0 {
			return &page.Resources[0], attr, nil
		}
	}
	return nil, "", nil
}

func taken(typ, attr, value, id string, active bool, err error) *Error {
	msg := attr + " " + scim.Quote(value) + " is taken by " + typ + " " + id
	if !active {
		msg += ", which is inactive: activate that user, or set the tenant's rehire policy to reactivate"
	}
	return &Error{Kind: Conflict, Attr: attr, Msg: msg, Err: err}
}
