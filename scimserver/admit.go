package scimserver

import (
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/provost-scim/provost/access"
)

// maxLimited bounds the clients whose limits are remembered; beyond it, idle ones are forgotten.
const maxLimited = 10_000

// limits holds what clients have in work and how often they asked, on this node. The zero value is ready.
type limits struct {
	mu      sync.Mutex
	clients map[string]*limit
}

type limit struct {
	bucket *rate.Limiter
	inWork int
	last   time.Time
}

// admit lets a request of the client through, or answers 429 with the whole seconds to wait (RFC 6585 §4).
// release must be called when the request is done.
func (c *call) admit() (release func(), err error) {
	client := c.grant.Client
	wait, reason := c.limits.enter(client, c.start)
	if reason == "" {
		return func() { c.limits.leave(client.ID) }, nil
	}
	c.Metrics.Limited(reason)
	detail := "The client sends more requests per second than its limit. Wait as the header Retry-After says."
	if reason == limitConcurrency {
		detail = "The client has more requests in work at once than its limit. Wait as the header Retry-After says."
	}
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	return nil, &statusError{status: http.StatusTooManyRequests, detail: detail, header: retryAfter(seconds)}
}

const (
	limitRate        = "rate"
	limitConcurrency = "concurrency"
)

// enter counts a request in, or says which limit it would break and how long to wait.
func (l *limits) enter(client access.Client, now time.Time) (time.Duration, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.of(client, now)
	e.last = now
	if client.Concurrent > 0 && e.inWork >= client.Concurrent {
		return time.Second, limitConcurrency
	}
	if r := e.bucket.ReserveN(now, 1); r.OK() {
		if wait := r.DelayFrom(now); wait > 0 {
			r.CancelAt(now)
			return wait, limitRate
		}
	}
	e.inWork++
	return 0, ""
}

func (l *limits) leave(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.clients[id]; e != nil && e.inWork > 0 {
		e.inWork--
	}
}

// of returns the entry of a client with the limits that the client has now.
func (l *limits) of(client access.Client, now time.Time) *limit {
	each := rate.Limit(client.Rate)
	if client.Rate <= 0 {
		each = rate.Inf
	}
	burst := max(1, client.Burst)
	e := l.clients[client.ID]
	if e == nil {
		l.prune(now)
		e = &limit{bucket: rate.NewLimiter(each, burst)}
		l.clients[client.ID] = e
		return e
	}
	if e.bucket.Limit() != each {
		e.bucket.SetLimitAt(now, each)
	}
	if e.bucket.Burst() != burst {
		e.bucket.SetBurstAt(now, burst)
	}
	return e
}

// prune forgets clients that have nothing in work and a full bucket by now.
func (l *limits) prune(now time.Time) {
	if l.clients == nil {
		l.clients = make(map[string]*limit)
	}
	if len(l.clients) < maxLimited {
		return
	}
	for id, e := range l.clients {
		if e.inWork == 0 && now.Sub(e.last) > time.Minute {
			delete(l.clients, id)
		}
	}
}
