package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/store"
)

// channelsStop is how long the end of a server waits for requests to targets that are under way. One that is cut off
// is settled by the next cycle.
const channelsStop = 5 * time.Second

// runChannels runs the channels of a store until stop is called. alone says that no other process may.
func runChannels(ctx context.Context, db *store.DB, alone bool, f noticeFlags, log *slog.Logger) (stop func()) {
	who := holder()
	tell := f.teller()
	r := &provision.Runner{
		State: db, Holder: who, Now: time.Now, Log: log, Exclusive: alone,
		Build: func(ctx context.Context, c provision.Channel) (*provision.Engine, func(), error) {
			e, done, err := engineOf(ctx, db, c, who, log)
			if e != nil {
				e.Notify = tell
			}
			return e, done, err
		},
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	return func() {
		cancel()
		select {
		case <-done:
		case <-time.After(channelsStop):
			log.Warn("requests of channels were cut off; the next cycle settles them")
		}
	}
}
