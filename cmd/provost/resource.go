package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// pageSize is how many resources a list reads at a time.
const pageSize = 500

// caller is the command line as the directory sees it.
func caller() directory.Caller { return directory.Caller{Actor: actor()} }

// listFlags choose what of a type is listed.
type listFlags struct {
	Filter  string `placeholder:"FILTER" help:"A SCIM filter, for example 'userName sw \"a\" and active eq true'."`
	Deleted bool   `help:"List what was deleted and can still be restored."`
	Limit   int    `placeholder:"N" help:"At most so many; without it, all."`
}

// walk calls each for every resource of the type that the filter matches, in the order of creation and page by
// page, so that the size of the directory does not matter.
func (f listFlags) walk(ctx context.Context, r *room, typ string, each func(scim.Resource) error) error {
	if f.Limit < 0 {
		return usage("leave --limit out to list all", "--limit must not be negative")
	}
	target := scim.Target{Type: typ}
	if f.Filter != "" {
		filter, err := scim.ParseFilter(f.Filter)
		if err == nil {
			target.Filter, err = r.directory.Registry.Bind(typ, filter)
		}
		if err != nil {
			return wrongFilter(f.Filter, err)
		}
	}
	q := scim.Query{Targets: []scim.Target{target}, Count: pageSize}
	for seen := 0; ; {
		if f.Limit > 0 {
			q.Count = min(pageSize, f.Limit-seen)
		}
		page, err := r.directory.List(ctx, caller(), q)
		if err != nil {
			return err
		}
		for i := range page.Resources {
			if err := r.directory.Registry.DecodeDoc(&page.Resources[i]); err != nil {
				return err
			}
			if err := each(page.Resources[i]); err != nil {
				return err
			}
		}
		seen += len(page.Resources)
		if page.Next == nil || f.Limit > 0 && seen >= f.Limit {
			return nil
		}
		q.After, q.Offset = page.Next, 0
	}
}

// wrongFilter points at the place in the filter.
func wrongFilter(filter string, err error) error {
	f := &failure{what: "the filter cannot be used", err: err, next: "see RFC 7644 §3.4.2.2; strings stand in double quotes", code: exitUsage}
	if e, ok := errors.AsType[*scim.Error](err); ok {
		f.err = errors.New(e.Detail)
		if e.Offset >= 0 && e.Offset <= len(filter) {
			f.kept = filter + "\n  " + strings.Repeat(" ", len([]rune(filter[:e.Offset]))) + "^"
		}
	}
	return f
}

// deleted lists what can be restored.
func (f listFlags) deleted(ctx context.Context, t *terminal, r *room, typ string) error {
	if f.Filter != "" {
		return usage("leave --filter out", "--filter does not apply to what was deleted")
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 1000
	}
	all, err := r.directory.Deleted(ctx, typ, limit)
	if err != nil {
		return err
	}
	l := t.list("unique name", "name", "id", "deleted", "gone for good")
	for _, d := range all {
		item := map[string]any{"type": d.Type, "id": d.ID, "display": d.Display, "unique": d.Unique, "deleted": d.Deleted, "purge": d.Purge}
		if err := l.row(item, d.Unique, d.Display, d.ID, when(d.Deleted), when(d.Purge)); err != nil {
			return err
		}
	}
	return l.end("nothing can be restored")
}

// find returns a resource with its relations by its id or by the value of attribute name.
func (r *room) find(ctx context.Context, typ, name, value string, f tenantFlags) (scim.Resource, error) {
	want := directory.Want{Members: typ == "Group", Groups: typ == "User"}
	found, err := r.directory.Get(ctx, caller(), typ, value, want)
	if directory.KindOf(err) == directory.NotFound {
		quoted, quoteErr := json.Marshal(value)
		if quoteErr != nil {
			return found, quoteErr
		}
		list := listFlags{Filter: name + " eq " + string(quoted), Limit: 2}
		var ids []string
		if err = list.walk(ctx, r, typ, func(x scim.Resource) error { ids = append(ids, x.ID); return nil }); err != nil {
			return found, err
		}
		switch len(ids) {
		case 1:
			found, err = r.directory.Get(ctx, caller(), typ, ids[0], want)
		case 0:
			kind := strings.ToLower(typ)
			return found, &failure{what: fmt.Sprintf("tenant %s has no %s with the id or %s %q", f.Tenant, kind, name, value),
				next: fmt.Sprintf("provost %s list --tenant %s %s, with --deleted for what can be restored", kind, f.Tenant, f.flag())}
		default:
			return found, usage("use the id", "more than one %s has the %s %q", strings.ToLower(typ), name, value)
		}
	}
	if err != nil {
		return found, err
	}
	return found, r.directory.Registry.DecodeDoc(&found)
}

// restore puts a deleted resource back.
func (r *room) restore(ctx context.Context, t *terminal, typ, id string, f tenantFlags) error {
	kind := strings.ToLower(typ)
	back, err := r.directory.Restore(ctx, caller(), typ, id)
	switch directory.KindOf(err) {
	case directory.NotFound:
		return &failure{what: fmt.Sprintf("no deleted %s has the id %q", kind, id), kept: "nothing was changed",
			next: fmt.Sprintf("provost %s list --deleted --tenant %s %s", kind, f.Tenant, f.flag())}
	case directory.Conflict:
		return &failure{what: "the " + kind + " cannot be restored: its name was taken meanwhile", err: err, kept: "nothing was changed",
			next: "rename or delete the one that has the name now, then restore again"}
	}
	if err != nil {
		return err
	}
	t.note("%s %s is back, version %d", kind, id, back.Meta.Version)
	return nil
}

// wire is the resource as a SCIM client sees it, for the machine-readable forms.
func (r *room) wire(x *scim.Resource) json.RawMessage {
	return r.directory.Registry.Append(nil, x, nil, "")
}

// attr is the text of a simple attribute, "" if it is absent.
func attr(x scim.Resource, name string) string {
	switch v := x.Attrs[name].(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// displayName is the best name for people.
func displayName(x scim.Resource) string {
	if s := attr(x, "displayName"); s != "" {
		return s
	}
	name, _ := x.Attrs["name"].(scim.Object)
	if s, _ := name["formatted"].(string); s != "" {
		return s
	}
	given, _ := name["givenName"].(string)
	family, _ := name["familyName"].(string)
	return strings.TrimSpace(given + " " + family)
}
