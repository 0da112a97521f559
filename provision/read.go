package provision

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/provost-scim/provost/source"
)

const (
	// stageBatch is how many records are staged in one transaction, stageMembers how many memberships.
	stageBatch   = 500
	stageMembers = 20000
	// fullNoted is how old the note of the last full read may be: a read that found nothing new writes no more often.
	fullNoted = 10 * time.Minute
	// defaultFullEvery is how often a full read reconciles what a change feed may have missed.
	defaultFullEvery = 24 * time.Hour
)

// reader compares what a source hands over with the mirror, and stages what differs.
type reader struct {
	*cycle
	known   map[string][16]byte // hashes of the mirror; a key that was handed over is taken out of unseen
	unseen  map[string]struct{}
	staged  map[string]bool
	batch   []Staged
	members int
	n       int
}

// read brings the mirror up to date: law 1, only a sealed read is believed. A failed one leaves the mirror, the
// position and what is dirty as they were.
func (c *cycle) read(ctx context.Context) error {
	var err error
	if c.pos, err = c.State.Position(ctx, c.Channel.ID); err != nil {
		return err
	}
	if err := c.State.Discard(ctx, c.lease.fence); err != nil {
		return err
	}
	r := &reader{cycle: c, known: map[string][16]byte{}, unseen: map[string]struct{}{}, staged: map[string]bool{}}
	err = c.State.Hashes(ctx, c.Channel.ID, func(key string, _ source.Kind, hash string) {
		var h [16]byte
		if b, err := base64.RawStdEncoding.DecodeString(hash); err == nil {
			copy(h[:], b)
		}
		r.known[key], r.unseen[key] = h, struct{}{}
	})
	if err != nil {
		return err
	}
	seal, err := c.Source.Read(ctx, c.since(), func(rec source.Record) error { return r.each(ctx, rec) })
	if err != nil {
		return &SourceError{Err: err}
	}
	if err := c.at("read"); err != nil {
		return err
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	return r.publish(ctx, seal)
}

// since is where the source goes on: at the beginning if its configuration changed, or if a full read is due.
func (c *cycle) since() source.Cursor {
	every := time.Duration(c.Channel.Spec.FullEvery)
	if every == 0 {
		every = defaultFullEvery
	}
	if c.pos.Source != c.Origin || c.pos.FullAt.IsZero() || c.now.Sub(c.pos.FullAt) >= every {
		return nil
	}
	return c.pos.Cursor
}

func (r *reader) each(ctx context.Context, rec source.Record) error {
	if rec.Key == "" {
		return &source.Error{Fault: source.Malformed, Msg: fmt.Sprintf("%s %q has no key", rec.Kind, rec.Name)}
	}
	r.n++
	if r.n%1000 == 0 {
		r.progress("read", r.n, len(r.known))
	}
	delete(r.unseen, rec.Key)
	h := hash(rec)
	if known, ok := r.known[rec.Key]; ok && known == h && !r.staged[rec.Key] {
		return nil
	}
	r.staged[rec.Key] = true
	r.batch = append(r.batch, Staged{Record: rec, Hash: base64.RawStdEncoding.EncodeToString(h[:])})
	r.members += len(rec.Members)
	if len(r.batch) < stageBatch && r.members < stageMembers {
		return nil
	}
	return r.flush(ctx)
}

func (r *reader) flush(ctx context.Context) error {
	if len(r.batch) == 0 {
		return nil
	}
	err := r.State.Stage(ctx, r.lease.fence, r.batch)
	r.batch, r.members = r.batch[:0], 0
	return err
}

func (r *reader) publish(ctx context.Context, seal source.Seal) error {
	if err := validCursor(seal.Next); err != nil {
		return err
	}
	gone := r.gone(seal)
	next := Position{Cursor: seal.Next, Source: r.Origin, Mapping: r.fingerprint(), Feed: seal.Feed, Reason: seal.Reason,
		ReadAt: r.now, FullAt: r.pos.FullAt, Empty: r.pos.Empty}
	if seal.Full {
		next.FullAt = r.now
		// Once empty it stays suspicious until somebody is there again.
		next.Empty = r.n == 0 && (len(r.known) > 0 || r.pos.Empty)
	} else if r.n > 0 {
		next.Empty = false
	}
	all := ""
	if r.pos.Mapping != next.Mapping {
		all = "the mapping, scope or rules were changed"
	}
	moved := len(gone) > 0 || len(r.staged) > 0 || all != ""
	if !moved && next.Empty == r.pos.Empty && string(next.Cursor) == string(r.pos.Cursor) && next.Source == r.pos.Source &&
		(!seal.Full || r.now.Sub(r.pos.FullAt) < fullNoted) {
		return nil
	}
	err := r.State.Publish(ctx, r.lease.fence, Publication{Gone: gone, Position: next, Moved: moved, All: all,
		Nested: r.Channel.Spec.nested() == Flatten, Membership: r.Mapper.Membership()})
	if err != nil {
		return fmt.Errorf("publish what was read: %w", err)
	}
	r.Log.Debug("the source was read", "channel", r.Channel.Name, "cycle", r.cycle.n, "records", r.n, "changed", len(r.staged), "gone", len(gone), "feed", seal.Feed)
	if r.pos, err = r.State.Position(ctx, r.Channel.ID); err != nil {
		return err
	}
	return r.at("published")
}

// gone are the keys that the seal proves to be gone.
func (r *reader) gone(seal source.Seal) []string {
	var out []string
	switch {
	case seal.Full:
		out = slices.Sorted(maps.Keys(r.unseen))
	case seal.Present != nil:
		for _, key := range seal.Present {
			delete(r.unseen, key)
		}
		out = slices.Sorted(maps.Keys(r.unseen))
	}
	for _, key := range seal.Gone {
		if _, known := r.known[key]; known && !r.staged[key] {
			out = append(out, key)
		}
	}
	return out
}

// fingerprint changes when anything does that decides what is wanted.
func (c *cycle) fingerprint() string {
	spec := c.Channel.Spec
	text, err := json.Marshal([]any{c.Mapper.Fingerprint(), spec.Rules, spec.nested()})
	if err != nil {
		return err.Error() // never: the values are plain
	}
	sum := sha256.Sum256(text)
	return base64.RawStdEncoding.EncodeToString(sum[:16])
}

// hash is the fingerprint of a record; the order of values and members means nothing.
func hash(rec source.Record) (out [16]byte) {
	h := sha256.New()
	put := func(s string) {
		var n [8]byte
		for i := range n {
			n[i] = byte(len(s) >> (8 * i))
		}
		h.Write(n[:])
		h.Write([]byte(s))
	}
	put(string(rec.Kind))
	put(rec.Name)
	for _, name := range slices.Sorted(maps.Keys(rec.Attrs)) {
		put("a" + name)
		for _, v := range sorted(rec.Attrs[name]) {
			put("v" + v)
		}
	}
	for _, m := range sorted(rec.Members) {
		put("m" + m)
	}
	copy(out[:], h.Sum(nil))
	return out
}

func sorted(list []string) []string {
	if slices.IsSorted(list) {
		return list
	}
	out := slices.Clone(list)
	slices.Sort(out)
	return out
}

// SourceError is a read that came to nothing: nothing was changed by it.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return "the source was not read: " + e.Err.Error() }

func (e *SourceError) Unwrap() error { return e.Err }
