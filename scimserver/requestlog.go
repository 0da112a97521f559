package scimserver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/provost-scim/provost/audit"
)

// How the request log is written: behind the answers, in batches.
const (
	DefaultLogFlush = 200 * time.Millisecond // longest wait of an entry
	logQueue        = 4096                   // entries that may wait
	logBatch        = 512                    // entries that are stored without waiting longer
	logPatience     = 250 * time.Millisecond // how long a request waits for a place before its entry is lost
	logTimeout      = 10 * time.Second       // of one attempt to store
)

// requestWriter stores entries in the background. A store that is slow slows requests down a little; one that
// is stuck costs entries, which are counted.
type requestWriter struct {
	store   audit.RequestLog
	flush   time.Duration
	log     *slog.Logger
	metrics Metrics

	queue chan requestEntry
	done  chan struct{}

	mu     sync.RWMutex // held for reading while adding, for writing while closing
	closed bool
}

type requestEntry struct {
	tenant int64
	audit.Request
}

func newRequestWriter(store audit.RequestLog, flush time.Duration, log *slog.Logger, m Metrics) *requestWriter {
	w := &requestWriter{
		store: store, flush: flush, log: log, metrics: m,
		queue: make(chan requestEntry, logQueue), done: make(chan struct{}),
	}
	go w.run()
	return w
}

// add puts an entry into the queue, waiting a moment if it is full.
func (w *requestWriter) add(tenant int64, r audit.Request) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		w.metrics.LogDropped(1)
		return
	}
	e := requestEntry{tenant, r}
	select {
	case w.queue <- e:
		return
	default:
	}
	wait := time.NewTimer(logPatience)
	defer wait.Stop()
	select {
	case w.queue <- e:
	case <-wait.C:
		w.metrics.LogDropped(1)
	}
}

// run collects entries and stores them until the queue is closed and empty.
func (w *requestWriter) run() {
	defer close(w.done)
	batch := make([]requestEntry, 0, logBatch)
	for {
		first, ok := <-w.queue
		if !ok {
			return
		}
		batch = append(batch[:0], first)
		wait := time.NewTimer(w.flush)
	collect:
		for len(batch) < logBatch {
			select {
			case e, more := <-w.queue:
				if !more {
					break collect
				}
				batch = append(batch, e)
			case <-wait.C:
				break collect
			}
		}
		wait.Stop()
		w.write(batch)
	}
}

// write stores a batch tenant by tenant.
func (w *requestWriter) write(batch []requestEntry) {
	byTenant := make(map[int64][]audit.Request)
	for _, e := range batch {
		byTenant[e.tenant] = append(byTenant[e.tenant], e.Request)
	}
	for tenant, entries := range byTenant {
		if err := w.append(tenant, entries); err != nil {
			w.log.Error("request log not written", "tenant", tenant, "entries", len(entries), "err", err)
			w.metrics.LogDropped(len(entries))
		}
	}
}

// append tries twice: the second time the store may have come back.
func (w *requestWriter) append(tenant int64, entries []audit.Request) error {
	var err error
	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
		err = w.store.AppendRequests(ctx, tenant, entries)
		cancel()
		if err == nil {
			return nil
		}
		time.Sleep(w.flush)
	}
	return err
}

// close stores what is queued. It may be called more than once.
func (w *requestWriter) close(ctx context.Context) error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
