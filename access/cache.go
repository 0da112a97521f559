package access

import (
	"sync"
	"time"
)

// CacheFor is how long a tenant or token that was read may answer for itself: half of the second within which
// a revocation holds on every node.
const CacheFor = 500 * time.Millisecond

// maxCached bounds each of the two maps of a cache; a full one starts over.
const maxCached = 10_000

// cache holds what was read lately. The zero value is empty. An entry read before the last forget is never
// put in, so a change made here is seen here at once.
type cache struct {
	mu          sync.RWMutex
	epoch       uint64
	credentials map[string]cachedAt[credential]
	tenants     map[string]cachedAt[Tenant]
}

type cachedAt[T any] struct {
	value T
	at    time.Time
}

func (c cachedAt[T]) fresh(now time.Time) bool {
	age := now.Sub(c.at)
	return age >= 0 && age < CacheFor
}

// begin is called before a read whose result is to be put in.
func (c *cache) begin() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.epoch
}

// forget empties the cache.
func (c *cache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.credentials, c.tenants = nil, nil
}

func (c *cache) credential(id string, now time.Time) (credential, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.credentials[id]
	return e.value, ok && e.fresh(now)
}

func (c *cache) putCredential(id string, v credential, at time.Time, epoch uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch != epoch {
		return
	}
	if c.credentials == nil || len(c.credentials) >= maxCached {
		c.credentials = make(map[string]cachedAt[credential])
	}
	c.credentials[id] = cachedAt[credential]{v, at}
}

func (c *cache) tenant(name string, now time.Time) (Tenant, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.tenants[name]
	return e.value, ok && e.fresh(now)
}

func (c *cache) putTenant(name string, v Tenant, at time.Time, epoch uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch != epoch {
		return
	}
	if c.tenants == nil || len(c.tenants) >= maxCached {
		c.tenants = make(map[string]cachedAt[Tenant])
	}
	c.tenants[name] = cachedAt[Tenant]{v, at}
}
