package provision_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provost-scim/provost/provision"
)

// runner starts a runner on a rig's channel and returns how many cycles it built.
func (r *rig) runner(name string, exclusive bool) (built *atomic.Int64, stop func()) {
	r.t.Helper()
	db := r.reopened()
	built = &atomic.Int64{}
	run := &provision.Runner{State: db, Holder: name, Now: time.Now, Log: slog.New(slog.DiscardHandler), Exclusive: exclusive,
		Build: func(_ context.Context, c provision.Channel) (*provision.Engine, func(), error) {
			if c.ID != r.engine.Channel.ID {
				return nil, nil, context.Canceled
			}
			built.Add(1)
			e := *r.engine
			e.SetFault(nil)
			e.State, e.Holder, e.Channel, e.Now = db, name, c, time.Now
			return &e, func() {}, nil
		}}
	ctx, cancel := context.WithCancel(r.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { run.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	r.t.Cleanup(stop)
	return built, stop
}

func eventually(t *testing.T, within time.Duration, what string, check func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !check(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

// TestRunner_PauseAndResume lets the runner run a channel, pauses it in the middle of a cycle and lets it go on.
func TestRunner_PauseAndResume(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir())
	for i := range 200 {
		r.dir.person(string(rune('a'+i%26))+string(rune('a'+i/26)), string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	slow := func(string, string) error { time.Sleep(50 * time.Millisecond); return nil }
	r.srv.mu.Lock()
	r.srv.fail = slow
	r.srv.mu.Unlock()
	r.runner("one", true)
	eventually(t, 10*time.Second, "the first requests", func() bool { n, _ := r.srv.written(); return n > 5 })
	ch := r.engine.Channel
	ch.Paused = true
	if _, err := r.db.SaveChannel(t.Context(), ch, configuredEvent); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Second)
	before, _ := r.srv.written()
	time.Sleep(time.Second)
	if after, _ := r.srv.written(); after != before || after >= 200 {
		t.Fatalf("%d requests 5 s after the pause, %d a second later", before, after)
	}
	ch.Paused = false
	if _, err := r.db.SaveChannel(t.Context(), ch, configuredEvent); err != nil {
		t.Fatal(err)
	}
	r.srv.mu.Lock()
	r.srv.fail = nil
	r.srv.mu.Unlock()
	eventually(t, 20*time.Second, "everybody is there", func() bool { return len(r.srv.state()) == 200 })
	for key, n := range r.srv.posts {
		if n != 1 {
			t.Errorf("%s was created %d times", key, n)
		}
	}
}

// TestRunner_OneEngine starts a second engine on the same store: it waits, and takes over when the first ends.
func TestRunner_OneEngine(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir())
	r.company(3)
	r.engine.Channel.Spec.Interval = provision.Duration(time.Second)
	if _, err := r.db.SaveChannel(t.Context(), r.engine.Channel, configuredEvent); err != nil {
		t.Fatal(err)
	}
	first, stop := r.runner("one", true)
	eventually(t, 10*time.Second, "the first cycle", func() bool { return first.Load() > 0 })
	second, _ := r.runner("two", true)
	time.Sleep(4 * time.Second)
	if second.Load() != 0 {
		t.Fatal("two engines ran on one store")
	}
	stop()
	eventually(t, 15*time.Second, "the second takes over", func() bool { return second.Load() > 0 })
}
