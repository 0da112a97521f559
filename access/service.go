package access

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"github.com/provost-scim/provost/audit"
)

// Service holds the rules of access. Set the exported fields before its first use and do not change them
// after; it may then be used concurrently. Close it, so that the last uses of tokens are recorded.
type Service struct {
	Keeper   Keeper
	Accounts Accounts
	Now      func() time.Time // nil: time.Now
	Random   io.Reader        // nil: crypto/rand
	Log      *slog.Logger     // nil: silent; says when uses could not be recorded

	seen cache
	uses recorder
}

// Close records the uses that are not recorded yet.
func (s *Service) Close(ctx context.Context) error { return s.uses.close(ctx, s.Keeper) }

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now().UTC()
	}
	return s.Now().UTC()
}

// stamp is now in the resolution that is stored.
func (s *Service) stamp() time.Time { return s.now().Truncate(time.Millisecond) }

// event makes an entry of the change log.
func (s *Service) event(by audit.Actor, action, typ, id, name string, diff audit.Diff) audit.Event {
	e := audit.Event{Time: s.stamp(), Actor: by, Action: action, Type: typ, ID: id, Name: name}
	if len(diff) > 0 {
		e.Change, _ = json.Marshal(diff) // a Diff of strings, numbers and booleans always encodes
	}
	return e
}

// compare adds to diff what differs between two values.
func compare[T comparable](diff audit.Diff, path string, before, after T) {
	if before != after {
		diff[path] = audit.Values{Before: before, After: after}
	}
}

// text is a time for the change log: "" if there is none.
func text(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
