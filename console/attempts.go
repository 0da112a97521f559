package console

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits on attempts to sign in or to use a link. An account's is wider than an address's, so that one address
// cannot lock an administrator out.
const (
	AddressBurst = 10
	AddressEvery = 6 * time.Second
	AccountBurst = 40
	AccountEvery = 15 * time.Second
	maxLimiters  = 10_000 // remembered; beyond it all begin anew
)

// attempts counts attempts by address and by account.
type attempts struct {
	mu  sync.Mutex
	now func() time.Time
	by  map[string]*rate.Limiter
}

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, by: map[string]*rate.Limiter{}}
}

// allow counts one attempt from an address at an account ("" for none).
func (a *attempts) allow(address, account string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.by) >= maxLimiters {
		clear(a.by)
	}
	if !a.limiter("address "+address, AddressEvery, AddressBurst).AllowN(a.now(), 1) {
		return false
	}
	return account == "" || a.limiter("account "+account, AccountEvery, AccountBurst).AllowN(a.now(), 1)
}

func (a *attempts) limiter(key string, every time.Duration, burst int) *rate.Limiter {
	l := a.by[key]
	if l == nil {
		l = rate.NewLimiter(rate.Every(every), burst)
		a.by[key] = l
	}
	return l
}
