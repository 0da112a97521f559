package scimclient

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-scim/provost/scim"
)

// fake is somebody else's server. It enforces documented limits and counts what it gets.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string    // "METHOD /path"
	times    []time.Time // of requests
	bodies   []string
	inFlight int
	most     int
}

// newFake starts a server that answers with handle; n is the number of the request, from 1.
func newFake(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, body scim.Object, n int)) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body scim.Object
		if r.ContentLength > 0 {
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Errorf("%s %s: body: %v", r.Method, r.URL, err)
			}
		}
		f.mu.Lock()
		f.requests = append(f.requests, r.Method+" "+r.URL.Path)
		f.times = append(f.times, time.Now())
		f.bodies = append(f.bodies, fmt.Sprint(body))
		n := len(f.requests)
		f.inFlight++
		f.most = max(f.most, f.inFlight)
		f.mu.Unlock()
		handle(w, r, body, n)
		f.mu.Lock()
		f.inFlight--
		f.mu.Unlock()
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) config(profile string) Config {
	return Config{URL: f.URL + "/scim/v2", Profile: profile, Auth: Auth{Type: "bearer", Token: "s3cret-canary"}, Allow: []string{"loopback"}}
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.requests)
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(status)
	if _, err := w.Write([]byte(body)); err != nil {
		return // the client went away, which some tests want
	}
}

const noMatch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}`

// aws is AWS IAM Identity Center as its developer guide documents it: PatchGroup with at most 100 changes of membership
// and without replace or remove-all, lists of at most 50.
func aws(t *testing.T) (*fake, map[string]bool) {
	members := map[string]bool{}
	refuse := func(w http.ResponseWriter) {
		reply(w, 400, `{"schema":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"Request is unparsable, syntactically incorrect, or violates schema.","status":"400"}`)
	}
	return newFake(t, func(w http.ResponseWriter, r *http.Request, body scim.Object, _ int) {
		if r.Method == http.MethodGet {
			count, err := strconv.Atoi(r.URL.Query().Get("count"))
			if err != nil || count > 50 {
				refuse(w)
				return
			}
			reply(w, 200, noMatch)
			return
		}
		ops, _ := body["Operations"].([]any)
		changes := 0
		for _, o := range ops {
			op := o.(scim.Object)
			path, _ := op["path"].(string)
			list, _ := op["value"].([]any)
			changes += max(1, len(list))
			if op["op"] == "replace" && path == "members" || op["op"] == "remove" && path == "members" {
				refuse(w)
				return
			}
		}
		if changes > 100 {
			refuse(w)
			return
		}
		for _, o := range ops {
			op := o.(scim.Object)
			if list, ok := op["value"].([]any); ok {
				for _, m := range list {
					members[m.(scim.Object)["value"].(string)] = true
				}
				continue
			}
			id := strings.TrimSuffix(strings.TrimPrefix(op["path"].(string), `members[value eq "`), `"]`)
			delete(members, id)
		}
		w.WriteHeader(204)
	}), members
}

func TestAWS_MembershipsFitItsLimits(t *testing.T) {
	f, members := aws(t)
	c := newClient(t, f.config("aws"))
	if got := c.Limits().Members; got != 100 {
		t.Fatalf("Limits.Members = %d, want 100", got)
	}
	var ids []string
	for i := range 250 {
		ids = append(ids, fmt.Sprint("user-", i))
	}
	for from := 0; from < len(ids); from += 100 {
		if err := c.Members(t.Context(), "g1", ids[from:min(from+100, len(ids))], nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Members(t.Context(), "g1", ids[:50], ids[200:]); err != nil {
		t.Fatal(err)
	}
	if len(members) != 200 || f.count() != 4 {
		t.Errorf("%d members after %d requests, want 200 after 4", len(members), f.count())
	}
	err := c.Members(t.Context(), "g1", ids[:101], nil)
	if e, ok := err.(*TooManyError); !ok || e.Limit != 100 || f.count() != 4 {
		t.Errorf("101 changes: %v after %d requests, want a TooManyError and nothing sent", err, f.count())
	}
	if _, err := c.Find(t.Context(), "User", "userName", "nobody"); err != nil {
		t.Errorf("Find: %v", err)
	}
	if err := c.List(t.Context(), "User", "", func(scim.Resource) error { return nil }); err != nil {
		t.Errorf("List: %v", err)
	}
	more := 200
	config := f.config("aws")
	config.Override = &Override{Members: &more}
	if _, err := New(config, Options{}); err == nil || !strings.HasPrefix(err.Error(), "override.members") {
		t.Errorf("an override beyond a documented limit: %v", err)
	}
}

// TestSlack_BucketIsNeverEmptied runs against Slack's limit for writes, 180 a minute with bursts of 20, at twenty times
// its speed: 60 a second.
func TestSlack_BucketIsNeverEmptied(t *testing.T) {
	const perSecond, burst = 60.0, 20.0
	var mu sync.Mutex
	tokens, last, refused := burst, time.Now(), 0
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ scim.Object, n int) {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		tokens = min(burst, tokens+now.Sub(last).Seconds()*perSecond)
		last = now
		if tokens < 1 {
			refused++
			w.Header().Set("Retry-After", "1")
			reply(w, 429, `{"Errors":{"description":"ratelimited","code":429}}`)
			return
		}
		tokens--
		reply(w, 201, fmt.Sprintf(`{"id":"U%d"}`, n))
	})
	config := f.config("slack")
	fast, all := perSecond, 1000.0
	config.Override = &Override{WriteRate: &fast, Rate: &all}
	c := newClient(t, config)
	if p := Profiles()[indexOf("slack")]; p.WriteRate != 3 || p.WriteBurst != 20 {
		t.Errorf("slack: %v writes a second in bursts of %d, documented are 180 a minute and 20", p.WriteRate, p.WriteBurst)
	}
	const creates = 80
	began := time.Now()
	var wg sync.WaitGroup
	for i := range creates {
		wg.Go(func() {
			if _, err := c.Create(t.Context(), user(fmt.Sprint("u", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	ideal := time.Duration((creates - burst) / perSecond * float64(time.Second))
	if refused > 1 || f.count() > creates+1 {
		t.Errorf("%d of %d requests were refused, the client should keep to the rate by itself", refused, f.count())
	}
	if took < ideal*9/10 || took > ideal*3/2+time.Second {
		t.Errorf("%d creates took %s, the limit allows %s", creates, took, ideal)
	}
	if f.most > 4 {
		t.Errorf("%d requests at the same time, the profile says 4", f.most)
	}
}

func indexOf(name string) int {
	for i, p := range Profiles() {
		if p.Name == name {
			return i
		}
	}
	return -1
}

func TestRetryAfter_NothingIsSentBefore(t *testing.T) {
	for name, header := range map[string]func(time.Time) string{
		"seconds": func(time.Time) string { return "1" },
		"date":    func(at time.Time) string { return at.Add(2 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var refusedAt time.Time
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ scim.Object, n int) {
				mu.Lock()
				defer mu.Unlock()
				if n == 1 {
					refusedAt = time.Now()
					// The server's clock is a day ahead; a date is to be held against its own.
					ahead := refusedAt.Add(24 * time.Hour)
					w.Header().Set("Date", ahead.UTC().Format(http.TimeFormat))
					w.Header().Set("Retry-After", header(ahead))
					reply(w, 429, `{}`)
					return
				}
				reply(w, 200, noMatch)
			})
			c := newClient(t, f.config(""))
			// One request is refused; while it waits, a second one must wait too. POST and GET alike.
			first := make(chan error, 1)
			go func() {
				_, err := c.Find(t.Context(), "User", "userName", "x")
				first <- err
			}()
			for f.count() == 0 {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(20 * time.Millisecond)
			if _, err := c.Find(t.Context(), "User", "userName", "y"); err != nil {
				t.Error(err)
			}
			if err := <-first; err != nil {
				t.Error(err)
			}
			for i, at := range f.times[1:] {
				if early := time.Second - at.Sub(refusedAt); early > 0 {
					t.Errorf("request %d came %s early", i+2, early)
				}
			}
			if f.count() != 3 {
				t.Errorf("%d requests, want 3", f.count())
			}
		})
	}
}

func TestRetryAfter_LongerThanTheCallerWaits(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ scim.Object, _ int) {
		w.Header().Set("Retry-After", "3600")
		reply(w, 429, `{"detail":"slow down"}`)
	})
	c := newClient(t, f.config(""))
	for i := range 3 {
		ctx, cancel := withTimeout(t, time.Second)
		_, err := c.Create(ctx, user("x"))
		cancel()
		e := asError(t, err)
		if e.Status != 429 || e.Unknown || !e.Retryable() || e.RetryAfter < 59*time.Minute {
			t.Errorf("call %d: %+v, want 429 with an hour to wait", i, e)
		}
	}
	if f.count() != 1 {
		t.Errorf("%d requests, want 1: the others were made in the forbidden hour", f.count())
	}
}
