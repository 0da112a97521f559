package directory

import (
	"bytes"
	"context"
	"slices"
	"strconv"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/scim"
)

// Replace is PUT (RFC 7644 §3.5.1): what the body omits is cleared, except active, password and members, which
// keep their state; a caller with KeepOmitted clears nothing.
func (d *Directory) Replace(ctx context.Context, by Caller, typ, id string, body scim.Object, c Condition, want Want) (Result, error) {
	sent, err := d.Registry.Decode(typ, body, scim.DecodeOptions{Strict: by.Strict})
	if err != nil {
		return Result{}, err
	}
	var members []scim.MemberOp
	if sent.Resource.HasMembers {
		members = []scim.MemberOp{{Kind: scim.SetMembers, Values: ids(sent.Resource.Members)}}
	}
	res, err := d.update(ctx, by, typ, id, c, want, func(rec *Record) (change, error) {
		attrs, err := d.Registry.Replace(rec.Resource, sent, by.KeepOmitted)
		return change{attrs: attrs, external: replacedExternal(by, sent, rec), members: members}, err
	}, members...)
	res.Tolerances = append(res.Tolerances, sent.Tolerances...)
	return res, err
}

// replacedExternal is the caller's externalId after a body replaced what was there.
func replacedExternal(by Caller, sent scim.Decoded, rec *Record) string {
	if sent.Resource.ExternalID == "" && by.KeepOmitted {
		return rec.ExternalID
	}
	return sent.Resource.ExternalID
}

// Patch applies the operations of a PATCH (RFC 7644 §3.5.2), all or none.
func (d *Directory) Patch(ctx context.Context, by Caller, typ, id string, ops []scim.Op, c Condition, want Want) (Result, error) {
	var tolerances []string
	decide := func(rec *Record) (change, error) {
		p, err := d.Registry.Patch(rec.Resource, ops, scim.PatchOptions{Strict: by.Strict})
		tolerances = p.Tolerances
		return change{attrs: p.Attrs, external: p.ExternalID, members: p.Members}, err
	}
	res, err := d.update(ctx, by, typ, id, c, want, decide)
	res.Tolerances = append(res.Tolerances, tolerances...)
	return res, err
}

// change is what a write makes of a record.
type change struct {
	attrs    scim.Object
	external string // the caller's externalId
	members  []scim.MemberOp
}

// update reads a record, lets decide compute what becomes of it, and writes that if the record is still the
// one that was read. A record that changed meanwhile, or a change of membership, is done again with the record
// locked: so member operations of many clients wait for each other in place of failing. decide is pure and may
// run more than once.
//
// members, if the caller knows them beforehand, save the first try.
func (d *Directory) update(ctx context.Context, by Caller, typ, id string, c Condition, want Want, decide func(*Record) (change, error), members ...scim.MemberOp) (Result, error) {
	if len(members) == 0 {
		res, err := d.tryUpdate(ctx, d.Store, by, typ, id, c, want, decide, false)
		if err != errLocked && (KindOf(err) != Stale || len(c.Match) > 0) {
			return res, explain(err, typ, id)
		}
	}
	var res Result
	err := d.Store.Tx(ctx, func(s Store) error {
		var err error
		res, err = d.tryUpdate(ctx, s, by, typ, id, c, want, decide, true)
		return err
	})
	return res, explain(err, typ, id)
}

// errLocked asks for the same update with the record locked.
var errLocked = &Error{Kind: Stale, Msg: "a change of membership needs the lock"}

func (d *Directory) tryUpdate(ctx context.Context, s Store, by Caller, typ, id string, c Condition, want Want, decide func(*Record) (change, error), locked bool) (Result, error) {
	old, err := s.Get(ctx, typ, id, Load{Client: by.Client, Groups: want.Groups, Lock: locked})
	if err != nil {
		return Result{}, err
	}
	if err := c.check(typ, old.Meta.Version); err != nil {
		return Result{}, err
	}
	if err := d.Registry.DecodeDoc(&old.Resource); err != nil {
		return Result{}, err
	}
	ch, err := decide(&old)
	if err != nil {
		return Result{}, err
	}
	if len(ch.members) > 0 && !locked {
		return Result{}, errLocked
	}
	added, removed, err := d.changeMembers(ctx, s, typ, id, ch.members)
	if err != nil {
		return Result{}, err
	}
	rec := old
	rec.Attrs, rec.ExternalID = ch.attrs, ch.external
	rec.External = withExternal(old.External, by.Client, ch.external)
	rec.Meta.Version++
	rec.Meta.LastModified = d.now()
	w, err := d.write(rec, old.Meta.Version, old.Doc)
	if err != nil {
		return Result{}, err
	}
	same := bytes.Equal(w.Record.Doc, old.Doc) && ch.external == old.ExternalID
	if same && len(added)+len(removed) == 0 {
		return d.result(ctx, s, by, old, want, false)
	}
	diff := d.diff(typ, &old.Resource, &rec.Resource)
	if len(added)+len(removed) > 0 {
		diff["members"] = audit.Values{Added: added, Removed: removed}
	}
	w.Events = []audit.Event{d.event(by, action(&old.Resource, &rec.Resource, same, len(added), len(removed)), w, diff)}
	if was, err := d.index(&old); err == nil { // else the store looks
		w.Was = was
	}
	if err := s.Update(ctx, w); err != nil {
		return Result{}, d.conflict(ctx, by, w, err)
	}
	return d.result(ctx, s, by, w.Record, want, true)
}

// result is the answer to a write; the members of a group are read only where they are wanted.
func (d *Directory) result(ctx context.Context, s Store, by Caller, rec Record, want Want, changed bool) (Result, error) {
	if want.Members {
		full, err := s.Get(ctx, rec.Type, rec.ID, Load{Client: by.Client, Members: true, Groups: want.Groups})
		return Result{Resource: full.Resource, Changed: changed}, err
	}
	return Result{Resource: rec.Resource, Changed: changed}, nil
}

// conflict names the holder of a unique value that an update wanted.
func (d *Directory) conflict(ctx context.Context, by Caller, w Write, err error) error {
	if KindOf(err) != Conflict {
		return err
	}
	attr := ""
	if e, ok := err.(*Error); ok {
		attr = e.Attr
	}
	if attr == "" {
		return err
	}
	return &Error{Kind: Conflict, Attr: attr, Msg: attr + " " + scim.Quote(w.Unique[attr]) + " is taken by another " + w.Record.Type, Err: err}
}

// Delete removes a resource (RFC 7644 §3.6): it is gone on the wire at once, out of every group, and kept in the
// trash for the tenant's retention.
func (d *Directory) Delete(ctx context.Context, by Caller, typ, id string, c Condition) error {
	err := d.Store.Tx(ctx, func(s Store) error {
		rec, err := s.Get(ctx, typ, id, Load{Client: by.Client, Lock: true})
		if err != nil {
			return err
		}
		if err := c.check(typ, rec.Meta.Version); err != nil {
			return err
		}
		if err := d.Registry.DecodeDoc(&rec.Resource); err != nil {
			return err
		}
		w := Write{Record: rec, Display: display(&rec.Resource)}
		return s.Delete(ctx, typ, id, rec.Meta.Version, d.event(by, audit.Delete, w, d.diff(typ, &rec.Resource, nil)))
	})
	return explain(err, typ, id)
}

// check compares the stored version with the precondition.
func (c Condition) check(typ string, version int64) error {
	if len(c.Match) == 0 || slices.Contains(c.Match, version) {
		return nil
	}
	return &Error{Kind: Stale, Msg: typ + " has version W/\"" + strconv.FormatInt(version, 10) + "\", not the one in If-Match: read it again and repeat the change"}
}
