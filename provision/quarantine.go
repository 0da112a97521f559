package provision

import (
	"context"
	"errors"
	"time"
)

// The reasons of a quarantine.
const (
	QuarantineSource      = "source"      // the source cannot be read
	QuarantineTarget      = "target"      // the target does not answer
	QuarantineCredentials = "credentials" // the target does not accept the credentials
	QuarantineFailures    = "failures"    // too many objects fail
)

// When failures are a quarantine: more than failShare of what is linked, and failLeast at least.
const (
	failLeast = 50
	failShare = 0.4
)

// quarantineSteps is how long a channel in quarantine waits, by the number of cycles that failed.
var quarantineSteps = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

// quarantine says whether a channel waits longer than its interval after a cycle, and for how long. It is pure.
func quarantine(before *Quarantine, err error, failed int, t Totals, now time.Time, interval time.Duration) *Quarantine {
	reason, problem := "", ""
	_, unread := errors.AsType[*SourceError](err)
	te, atTarget := errors.AsType[*TargetError](err)
	switch {
	case errors.Is(err, ErrPaused), errors.Is(err, context.Canceled), errors.Is(err, ErrFenced), errors.Is(err, ErrHeld):
		return before // nothing was learnt
	case unread:
		reason, problem = QuarantineSource, err.Error()
	case atTarget && te.Trouble == Denied:
		reason, problem = QuarantineCredentials, err.Error()
	case atTarget && te.Trouble != Withheld:
		reason, problem = QuarantineTarget, err.Error()
	case err != nil:
		return before
	case failed >= failLeast && float64(failed) > failShare*float64(t.Objects+t.Disabled+failed):
		reason, problem = QuarantineFailures, "most of the objects fail; the provisioning log says why"
	default:
		return nil
	}
	q := Quarantine{Since: now, Reason: reason, Problem: problem}
	if before != nil {
		q.Since, q.Attempts, q.Told = before.Since, before.Attempts, before.Told
	}
	q.Attempts++
	wait := max(interval, quarantineSteps[min(q.Attempts, len(quarantineSteps))-1])
	q.Next = now.Add(wait)
	return &q
}
