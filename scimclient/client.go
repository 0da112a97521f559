// Package scimclient speaks SCIM 2.0 (RFC 7644) to somebody else's server: it finds, reads, creates, changes and
// deletes users and groups, keeps to what the server can take (rates, Retry-After, list limits, memberships per
// request), and never repeats a request whose repetition could do something twice. It knows neither directories nor
// channels: what to send, and what an unknown outcome means, is for its caller to decide.
package scimclient

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/provost-scim/provost/scim"
)

// The limits of every client, whatever its profile says.
const (
	DefaultTimeout  = 10 * time.Second // one attempt, from connecting to the last byte
	MaxResponse     = 32 << 20         // bytes of one answer
	MaxDepth        = 32               // levels of JSON in an answer
	MaxAttempts     = 4                // of one request that is safe to repeat
	MaxRetryAfter   = 24 * time.Hour   // a longer wait asked for counts as this
	MaxRedirects    = 3                // all on the same host
	DefaultPage     = 100              // resources per list request
	MaxListed       = 1_000_000        // resources that one List goes through
	userAgent       = "Provost"
	connectTimeout  = 5 * time.Second
	idleConnections = 64
)

// Options are what a client takes from its process rather than from its configuration.
type Options struct {
	Registry *scim.Registry   // schemas of the target; nil: scim.Default
	Now      func() time.Time // nil: time.Now
	// Observe is told about every attempt when it has ended; nil for nobody. It must be quick and safe for
	// concurrent use.
	Observe func(Exchange)
}

// Exchange is one attempt at a request. It holds no credentials and no bodies.
type Exchange struct {
	Method   string
	Path     string // below the base URL, with its query
	Attempt  int    // 1 for the first
	Status   int    // 0 if no answer came
	Duration time.Duration
	Err      string // "" if the answer was a success
}

// Client is a connection to one target. It is safe for concurrent use; all its users share its limits.
type Client struct {
	config   Config
	profile  Profile
	registry *scim.Registry
	base     *url.URL
	http     *http.Client
	now      func() time.Time
	observe  func(Exchange)
	gate     *gate
	auth     authorizer
	jitter   func() float64

	mu       sync.Mutex
	provider *Provider // what the target says about itself, once it was asked
}

// New checks a configuration and makes a client of it. It connects to nothing. The error names the field.
func New(c Config, o Options) (*Client, error) {
	base, err := c.check()
	if err != nil {
		return nil, err
	}
	profile, err := c.effective()
	if err != nil {
		return nil, err
	}
	policy, err := newAddressPolicy(c.Allow)
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(c, policy)
	if err != nil {
		return nil, err
	}
	cl := &Client{config: c, profile: profile, registry: o.Registry, base: base, now: o.Now, observe: o.Observe, jitter: rand.Float64}
	if cl.registry == nil {
		cl.registry = scim.Default()
	}
	if cl.now == nil {
		cl.now = time.Now
	}
	cl.http = &http.Client{Transport: transport, CheckRedirect: checkRedirect}
	cl.gate = newGate(profile, cl.now)
	if cl.auth, err = newAuthorizer(c.Auth, cl); err != nil {
		return nil, err
	}
	return cl, nil
}

// Close gives idle connections back.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Profile returns the profile in force: that of the configuration with its overrides.
func (c *Client) Profile() Profile { return c.profile }

// Limits are what the target takes from this client.
type Limits struct {
	Members  int // changes of membership in one call of Members
	Parallel int // requests at the same time
}

// Limits returns what the target takes. Calls beyond Parallel wait for their turn.
func (c *Client) Limits() Limits {
	return Limits{Members: c.profile.Members, Parallel: c.profile.Parallel}
}

func newTransport(c Config, policy *addressPolicy) (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, &ConfigError{"caFile", err.Error()}
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &ConfigError{"caFile", "the file holds no PEM certificate"}
		}
	}
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second, Control: policy.control}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    connectTimeout,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    idleConnections,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}, nil
}

// redirectError is a redirect that was not followed.
type redirectError string

func (e redirectError) Error() string { return string(e) }

// checkRedirect follows a redirect only where it can neither carry the credentials elsewhere nor repeat a write.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > MaxRedirects:
		return redirectError(fmt.Sprintf("the target redirected more than %d times", MaxRedirects))
	case first.Method != http.MethodGet:
		return redirectError(fmt.Sprintf("the target redirected a %s to %s: set the URL to where it leads", first.Method, req.URL.Redacted()))
	case !strings.EqualFold(req.URL.Host, first.URL.Host) || req.URL.Scheme != first.URL.Scheme:
		return redirectError(fmt.Sprintf("the target redirected to another place, %s://%s: set the URL to it if it is right", req.URL.Scheme, req.URL.Host))
	}
	return nil
}
