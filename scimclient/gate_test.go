package scimclient

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-scim/provost/scim"
)

func TestAddressPolicy(t *testing.T) {
	tests := []struct {
		address string
		allow   []string
		class   string // "" if it may be connected to
	}{
		{"127.0.0.1", nil, "loopback"},
		{"127.8.8.8", nil, "loopback"},
		{"::1", nil, "loopback"},
		{"::ffff:127.0.0.1", nil, "loopback"},
		{"127.0.0.1", []string{"loopback"}, ""},
		{"10.1.2.3", nil, "private"},
		{"172.16.0.1", nil, "private"},
		{"192.168.1.1", nil, "private"},
		{"fd00::1", nil, "private"},
		{"100.64.0.1", nil, "private"},
		{"10.1.2.3", []string{"private"}, ""},
		{"10.1.2.3", []string{"loopback"}, "private"},
		{"10.1.2.3", []string{"10.1.0.0/16"}, ""},
		{"10.2.2.3", []string{"10.1.0.0/16"}, "private"},
		{"10.1.2.3", []string{"10.1.2.3"}, ""},
		{"169.254.169.254", []string{"private", "loopback"}, "link-local"},
		{"fe80::1%eth0", nil, "link-local"},
		{"0.0.0.0", nil, "unspecified"},
		{"::", nil, "unspecified"},
		{"0.1.2.3", nil, "of this network"},
		{"224.0.0.251", nil, "link-local"},
		{"239.1.1.1", nil, "multicast"},
		{"255.255.255.255", nil, "reserved"},
		{"198.18.0.1", nil, "reserved"},
		{"64:ff9b::7f00:1", nil, "loopback"},
		{"64:ff9b::a9fe:a9fe", nil, "link-local"},
		{"64:ff9b::808:808", nil, ""},
		{"::7f00:2", nil, "loopback"},
		{"2002:7f00:1::1", nil, "loopback"},
		{"2002:808:808::1", nil, ""},
		{"8.8.8.8", nil, ""},
		{"2606:4700::1111", nil, ""},
	}
	for _, tt := range tests {
		p, err := newAddressPolicy(tt.allow)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if e, ok := errors.AsType[*AddressError](p.check(netip.MustParseAddr(tt.address))); ok {
			got = e.Class
		}
		if got != tt.class {
			t.Errorf("%s with allow %v: %q, want %q", tt.address, tt.allow, got, tt.class)
		}
	}
	if _, err := newAddressPolicy([]string{"intranet"}); err == nil {
		t.Error("allow: intranet is taken")
	}
}

func TestAddressPolicy_HoldsWhereItIsDialled(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ scim.Object, _ int) { reply(w, 200, noMatch) })
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		config := f.config("entra")
		config.Allow = nil
		config.URL = "http://" + host + f.URL[strings.LastIndexByte(f.URL, ':'):]
		_, err := newClient(t, config).Create(t.Context(), user("x"))
		e := asError(t, err)
		if !errors.As(err, new(*AddressError)) || e.Unknown || e.Retryable() {
			t.Errorf("%s: %v, want a refused address", host, err)
		}
	}
	if f.count() != 0 {
		t.Errorf("%d requests came through", f.count())
	}
}

func TestUnreachable_IsNotUnknown(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ scim.Object, _ int) { reply(w, 200, noMatch) })
	config := f.config("")
	f.Close()
	c := newClient(t, config)
	c.jitter = func() float64 { return 0 }
	_, err := c.Create(t.Context(), user("x"))
	if e := asError(t, err); e.Unknown || !e.Retryable() {
		t.Errorf("nobody listens: %+v, want retryable and not unknown", e)
	}
	config.URL = "http://no-such-host.invalid/scim"
	_, err = newClient(t, config).Get(t.Context(), "User", "1")
	if e := asError(t, err); e.Unknown || !strings.Contains(e.Detail, "no-such-host.invalid") {
		t.Errorf("an unknown host: %v", err)
	}
}

func TestGate_WindowFollowsTheTarget(t *testing.T) {
	clock := time.Now()
	g := newGate(Profile{Parallel: 20}, func() time.Time { return clock })
	ctx := context.Background()
	round := func(b bearing) {
		n := int(g.window)
		for range n {
			if err := g.enter(ctx, false); err != nil {
				t.Fatal(err)
			}
		}
		for range n {
			g.leave(b)
		}
	}
	if g.window != firstWindow {
		t.Fatalf("the first window is %v", g.window)
	}
	for range 40 {
		round(well)
	}
	if g.window != 20 {
		t.Errorf("after 40 good rounds the window is %v, want the most, 20", g.window)
	}
	round(congested) // twenty complaints at once are one
	if g.window != 10 {
		t.Errorf("after a round of complaints: %v, want 10", g.window)
	}
	for range 10 {
		clock = clock.Add(2 * cutPause)
		round(congested)
	}
	if g.window != 1 {
		t.Errorf("after ten: %v, want 1, never 0", g.window)
	}
	round(idle)
	if g.window != 1 || g.used != 0 {
		t.Errorf("after an idle round: window %v, used %d", g.window, g.used)
	}
}

func TestGate_CancelledWaitersLeaveNothing(t *testing.T) {
	g := newGate(Profile{Parallel: 1}, time.Now)
	if err := g.enter(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if err := g.enter(ctx, true); err == nil {
				g.leave(well)
			}
		})
	}
	time.Sleep(10 * time.Millisecond)
	cancel()
	g.leave(well)
	wg.Wait()
	if g.used != 0 || len(g.waiting) != 0 {
		t.Errorf("used %d, %d waiting, want none", g.used, len(g.waiting))
	}
	if err := g.enter(t.Context(), true); err != nil {
		t.Error(err)
	}
}

func TestConfig_EachFaultNamesItsField(t *testing.T) {
	good := Config{URL: "https://scim.example.com/v2", Auth: Auth{Type: "bearer", TokenEnv: "X"}}
	if _, err := New(good, Options{}); err != nil {
		t.Fatal(err)
	}
	big, none := 1_000_000, 0
	negative := -1.0
	for field, spoil := range map[string]func(*Config){
		"url":                  func(c *Config) { c.URL = "scim.example.com" },
		"url:":                 func(c *Config) { c.URL = "" },
		"url: a user":          func(c *Config) { c.URL = "https://u:p@host/" },
		"profile":              func(c *Config) { c.Profile = "azure" },
		"timeout":              func(c *Config) { c.Timeout = Duration(time.Hour) },
		"allow":                func(c *Config) { c.Allow = []string{"everything"} },
		"caFile":               func(c *Config) { c.CAFile = "/does/not/exist" },
		"headers":              func(c *Config) { c.Headers = map[string]string{"authorization": "x"} },
		"headers:":             func(c *Config) { c.Headers = map[string]string{"X": "a\r\nb"} },
		"auth.type":            func(c *Config) { c.Auth.Type = "" },
		"auth.tokenFile":       func(c *Config) { c.Auth.TokenEnv = "" },
		"auth.user":            func(c *Config) { c.Auth = Auth{Type: "basic", PasswordEnv: "X"} },
		"auth.passwordFile":    func(c *Config) { c.Auth = Auth{Type: "oauth2", User: "x", TokenURL: "https://x/"} },
		"auth.tokenUrl":        func(c *Config) { c.Auth = Auth{Type: "oauth2", User: "x", PasswordEnv: "X"} },
		"auth.tokenUrl:":       func(c *Config) { c.Auth = Auth{Type: "oauth2", User: "x", PasswordEnv: "X", TokenURL: "http://x/"} },
		"auth.header":          func(c *Config) { c.Auth = Auth{Type: "header", TokenEnv: "X", Header: "a b"} },
		"override.rate":        func(c *Config) { c.Override = &Override{Rate: &negative} },
		"override.members":     func(c *Config) { c.Override = &Override{Members: &big} },
		"override.parallel":    func(c *Config) { c.Override = &Override{Parallel: &none} },
		"override.userUpdate":  func(c *Config) { c.Override = &Override{UserUpdate: "post"} },
		"override.groupUpdate": func(c *Config) { c.Override = &Override{GroupUpdate: "x"} },
		"override.remove":      func(c *Config) { c.Override = &Override{Remove: "x"} },
	} {
		c := good
		spoil(&c)
		_, err := New(c, Options{})
		if err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%s: error = %v", field, err)
		}
	}
	if _, err := ParseConfig([]byte(`{"url":"https://x","auth":{"type":"bearer","token":"inline"}}`)); err == nil {
		t.Error("a secret in the configuration itself is taken")
	}
	c, err := ParseConfig([]byte(`{"url":"https://x","timeout":"30s","auth":{"type":"none"},"override":{"members":7}}`))
	if err != nil || time.Duration(c.Timeout) != 30*time.Second || *c.Override.Members != 7 {
		t.Errorf("ParseConfig = %+v, %v", c, err)
	}
}

func TestProfiles_AreComplete(t *testing.T) {
	if Profiles()[0].Name != "generic" {
		t.Error("generic is not the first profile")
	}
	for _, p := range Profiles() {
		if p.About == "" || p.Parallel < 1 || p.Members < 1 || p.PageSize < 1 || p.ContentType == "" || p.UserUpdate == "" || p.GroupUpdate == "" || p.Remove == "" {
			t.Errorf("profile %+v lacks something", p)
		}
		o := Override{UserUpdate: p.UserUpdate, GroupUpdate: p.GroupUpdate, Remove: p.Remove}
		if err := o.modes(&p); err != nil {
			t.Errorf("profile %s: %v", p.Name, err)
		}
	}
}
