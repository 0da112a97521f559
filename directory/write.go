package directory

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/scim"
)

const (
	userType  = "User"
	groupType = "Group"
)

// now is the clock at the resolution that is stored and sent.
func (d *Directory) now() time.Time { return d.Now().UTC().Truncate(time.Millisecond) }

// write makes what the store keeps of a record. oldDoc, if given, is the document that the record had.
func (d *Directory) write(rec Record, expect int64, oldDoc []byte) (Write, error) {
	rec.Doc = d.Registry.Encode(&rec.Resource)
	rows, err := d.index(&rec)
	if err != nil {
		return Write{}, err
	}
	return Write{
		Record:  rec,
		Unique:  d.unique(&rec.Resource),
		Active:  isActive(&rec.Resource),
		Display: display(&rec.Resource),
		Index:   rows,
		Expect:  expect,
	}, nil
}

// index returns the search index of a record.
func (d *Directory) index(rec *Record) ([]scim.IndexRow, error) {
	rows, err := d.Registry.Index(&rec.Resource)
	for client, value := range rec.External {
		rows = append(rows, scim.IndexRow{Path: "externalid", Value: client + "\x1f" + value})
	}
	return rows, err
}

// unique returns the value that nobody else of the type may have, folded unless its attribute is caseExact.
func (d *Directory) unique(r *scim.Resource) map[string]string {
	name, caseExact := "", false
	switch r.Type {
	case userType:
		name = "userName"
	case groupType:
		if d.Policy.UniqueGroupNames {
			name = "displayName"
		}
	default:
		if a := d.uniqueAttribute(r.Type); a != nil {
			name, caseExact = a.Name, a.CaseExact
		}
	}
	value, ok := r.Attrs[name].(string)
	if !ok || name == "" {
		return nil
	}
	if !caseExact {
		value = scim.Fold(value)
	}
	return map[string]string{name: value}
}

// uniqueAttribute is the attribute of a tenant's own resource type that is declared unique; a definition may
// declare one.
func (d *Directory) uniqueAttribute(typ string) *scim.Attribute {
	t := d.Registry.Type(typ)
	if t == nil {
		return nil
	}
	for _, a := range d.Registry.Schema(t.Schema).Attributes {
		if a.Uniqueness != "" && a.Uniqueness != "none" {
			return a
		}
	}
	return nil
}

// isActive: a user is active unless it says otherwise; everything else always is.
func isActive(r *scim.Resource) bool {
	return r.Type != userType || r.Attrs["active"] != false
}

// display is the name under which others show a resource.
func display(r *scim.Resource) string {
	if s, ok := r.Attrs["displayName"].(string); ok && s != "" {
		return s
	}
	if name, ok := r.Attrs["name"].(scim.Object); ok {
		if s, ok := name["formatted"].(string); ok && s != "" {
			return s
		}
	}
	s, _ := r.Attrs["userName"].(string)
	return s
}

// withExternal returns the externalIds with the one of client set, or taken away if value is "".
func withExternal(old map[string]string, client, value string) map[string]string {
	if old[client] == value {
		return old
	}
	out := maps.Clone(old)
	if out == nil {
		out = map[string]string{}
	}
	if value == "" {
		delete(out, client)
	} else {
		out[client] = value
	}
	return out
}

// action names what a change of a resource was.
func action(old, new *scim.Resource, same bool, added, removed int) string {
	switch was, is := isActive(old), isActive(new); {
	case was && !is:
		return audit.Deactivate
	case !was && is:
		return audit.Activate
	case same && removed == 0:
		return audit.AddMembers
	case same && added == 0:
		return audit.RemoveMembers
	}
	return audit.Update
}

func (d *Directory) event(by Caller, action string, w Write, diff audit.Diff) audit.Event {
	e := audit.Event{
		Actor: by.Actor, Action: action,
		Type: w.Record.Type, ID: w.Record.ID, Name: w.Display, Version: w.Record.Meta.Version,
	}
	return withChange(e, diff)
}

func withChange(e audit.Event, diff audit.Diff) audit.Event {
	// A Diff is made of JSON values: it cannot fail to marshal.
	e.Change, _ = json.Marshal(diff)
	return e
}
