// Package scimserver speaks SCIM 2.0 (RFC 7643, 7644, 9865) over HTTP for all tenants: addresses, bearer
// tokens, limits, media types, entity tags, paging, bulk, discovery, and the translation of errors.
//
// It holds no rules about users and groups and knows no SQL: a handler decodes, calls one method of a
// directory.Directory and writes the answer.
package scimserver

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// Config is what a Server needs. Access, Directory and Key must be set.
type Config struct {
	Access *access.Service

	// Directory returns the directory of a tenant, with the registry of its schemas. It is called for every
	// request, so it should keep what it makes.
	Directory func(ctx context.Context, t access.Tenant) (*directory.Directory, error)

	Key       []byte           // 32 bytes, the same on all nodes: seals cursors
	Requests  audit.RequestLog // nil: no request log
	Log       *slog.Logger     // nil: silent
	PublicURL string           // "https://scim.example.com": scheme and host of locations; "": as the request came
	Domain    string           // "example.com" for addresses https://{tenant}.example.com; "": none
	Now       func() time.Time // nil: time.Now
	NewID     func() string    // makes request ids; nil: 16 random hexadecimal digits
	Metrics   Metrics          // nil: none
	LogFlush  time.Duration    // longest wait before an entry of the request log is stored; 0: DefaultLogFlush
}

// Metrics is told what happens. Its methods must be quick and safe for concurrent use.
type Metrics interface {
	// Answered is called once for each request. Tenant is the name of a tenant that exists or "", route the name
	// of the matched route or "" if none matched; method is what the client sent, whatever that is.
	Answered(tenant, route, method string, status int, took time.Duration)
	// Limited is called when a request was turned away by a client's limit: "rate" or "concurrency".
	Limited(limit string)
	// LogDropped is called when n entries of the request log were lost because the store could not keep up.
	LogDropped(n int)
}

// Server answers SCIM requests. Make it with New; close it when its Handler is no longer called.
type Server struct {
	Config
	aead   cipher.AEAD
	limits limits
	log    *requestWriter
	public publicURL

	secretMu   sync.Mutex
	secretSets map[*scim.Registry]secrets
	refusals   *rate.Limiter // of log entries for requests without a valid token
}

// New checks a configuration and makes a server of it.
func New(c Config) (*Server, error) {
	if c.Access == nil || c.Directory == nil {
		return nil, errors.New("scimserver: Access and Directory are required")
	}
	aead, err := newSeal(c.Key)
	if err != nil {
		return nil, err
	}
	public, err := parsePublicURL(c.PublicURL)
	if err != nil {
		return nil, err
	}
	c.Domain = strings.ToLower(strings.Trim(c.Domain, "."))
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = randomRequestID
	}
	if c.Metrics == nil {
		c.Metrics = noMetrics{}
	}
	if c.LogFlush <= 0 {
		c.LogFlush = DefaultLogFlush
	}
	s := &Server{Config: c, aead: aead, public: public, refusals: rate.NewLimiter(refusalsLogged, refusalsLogged)}
	if c.Requests != nil {
		s.log = newRequestWriter(c.Requests, c.LogFlush, c.Log, c.Metrics)
	}
	return s, nil
}

// Close stores what is left of the request log. Requests that are answered after it leave no entry.
func (s *Server) Close(ctx context.Context) error {
	if s.log == nil {
		return nil
	}
	return s.log.close(ctx)
}

// Handler returns the handler. It must see the path as it came: a mux that cleans paths or redirects must not
// stand before it. It answers 404 to what is no SCIM address (see Owns).
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func randomRequestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}

type noMetrics struct{}

func (noMetrics) Answered(string, string, string, int, time.Duration) {}
func (noMetrics) Limited(string)                                      {}
func (noMetrics) LogDropped(int)                                      {}
