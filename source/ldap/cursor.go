package ldap

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provost-scim/provost/source"
)

// cursorVersion changes when an older cursor can no longer be understood.
const cursorVersion = 1

// cursor is what a source.Cursor holds.
type cursor struct {
	Version int      `json:"v"`
	Feed    string   `json:"feed"`
	Server  string   `json:"server"`            // the URL that was read
	Asked   string   `json:"asked"`             // digest of what was asked for
	Scope   string   `json:"scope,omitempty"`   // digest of the members of people.members_of
	Primary []string `json:"primary,omitempty"` // ids of the primary groups in use
	Mark    mark     `json:"mark"`
}

// mark is how far a feed has been read; each feed uses fields of its own.
type mark struct {
	Service string            `json:"service,omitempty"` // dirsync, usn: the DN of the domain controller's settings
	Invoked string            `json:"invoked,omitempty"` // usn: its invocation id
	USN     int64             `json:"usn,omitempty"`
	Cookies map[string][]byte `json:"cookies,omitempty"` // dirsync: by naming context; syncrepl: by kind
	Stamp   time.Time         `json:"stamp,omitzero"`
}

func (r *reading) cursor(m *mark) source.Cursor {
	c := cursor{Version: cursorVersion, Feed: r.feed, Server: r.ses.server, Asked: r.asked(), Scope: r.scope.digest(), Mark: *m}
	for id := range r.primary {
		c.Primary = append(c.Primary, id)
	}
	slices.Sort(c.Primary)
	data, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("a cursor is plain data: %v", err))
	}
	return data
}

// resume returns the cursor to go on from, or why a full read is needed.
func (r *reading) resume(since source.Cursor) (*cursor, string) {
	if len(since) == 0 {
		return nil, "full: the first read"
	}
	c := new(cursor)
	switch err := json.Unmarshal(since, c); {
	case err != nil || c.Version != cursorVersion:
		return nil, "full: the cursor is not one of this version"
	case c.Server != r.ses.server:
		return nil, fmt.Sprintf("full: the last read was from %s, this one is from %s", c.Server, r.ses.server)
	case c.Asked != r.asked():
		return nil, "full: base, filter, attributes or key changed"
	case c.Scope != r.scope.digest():
		return nil, "full: the members of people.members_of changed"
	case r.feed == feedFull:
		return nil, "full: " + r.reason
	case c.Feed != r.feed && !r.fallBack(c.Feed):
		return nil, fmt.Sprintf("full: the last read used %s, now it is %s", c.Feed, r.feed)
	}
	for _, id := range c.Primary {
		r.primaryUsed(id)
	}
	return c, ""
}

// asked is a digest of everything that decides what a read hands over.
func (r *reading) asked() string {
	c := r.src.config
	data, err := json.Marshal([]any{r.people, r.groups, r.key, c.memberAttr(), c.Binary, c.PrimaryGroup})
	if err != nil {
		panic(fmt.Sprintf("a configuration is plain data: %v", err))
	}
	return digest(string(data))
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}
