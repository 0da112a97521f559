// Package audit says what happened to whom, when, by whom and on which request. It is data only: the rooms
// that change something make an Event, the store writes it in the transaction of the change.
package audit

import (
	"encoding/json"
	"time"
)

// Actor is who asked for a change.
type Actor struct {
	Kind    string // "client" (a SCIM client), "admin", "service" (a service account), "cli" or "system"
	ID      string // id of the client, administrator or account; "" for cli and system
	Name    string // its name when it acted
	Request string // request id, the same as in the answer's header and in the log; "" outside a request
}

// The actions of an Event.
const (
	Create        = "create"
	Update        = "update"
	Activate      = "activate"
	Deactivate    = "deactivate"
	Delete        = "delete"
	Restore       = "restore"
	Purge         = "purge"
	AddMembers    = "members.add"
	RemoveMembers = "members.remove"
	SignIn        = "sign-in"   // of an administrator to the console
	Configure     = "configure" // a change of a tenant, client, token, administrator or schema
)

// Event is one entry of a tenant's change log.
type Event struct {
	Seq     int64     // position in the tenant's log: grows in the order of commit, may have gaps
	Time    time.Time // UTC
	Actor   Actor
	Action  string          // one of the actions above
	Type    string          // resource type, or "Tenant", "Client", "Token", "Administrator", "ServiceAccount", "Schema"
	ID      string          // id of what changed
	Name    string          // its display name after the change (before it, if it is gone)
	Version int64           // version of the resource after the change; 0 if it has none
	Change  json.RawMessage // what changed, see Diff; never a secret
}

// Diff is the form of Event.Change: a JSON object from attribute path ("emails", "name.givenName",
// "urn:…:User:department") to its values. A value that was or became absent is left out. Members are listed by
// id under "members" with "added" and "removed" in place of before and after.
type Diff map[string]Values

// Values are the two sides of a changed attribute.
type Values struct {
	Before  any      `json:"before,omitempty"`
	After   any      `json:"after,omitempty"`
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
}
