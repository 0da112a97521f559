package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// Response caps: what one server may make this process hold. A server that goes beyond them is cut off and the
// read fails.
const (
	// MaxMessage is the size in bytes of one LDAP message, that is of one entry.
	MaxMessage = 64 << 20
	// MaxPage is how many bytes may answer one request whose entries are collected, that is one page.
	MaxPage = 256 << 20
)

// The BER reader has one limit for the whole process; nothing else in it reads BER.
func init() { ber.MaxPacketLengthBytes = MaxMessage }

// session is one bound connection to one server, used by one read.
type session struct {
	*ldap.Conn
	wire    *wire
	server  string // the URL
	timeout time.Duration
	maxPage int64       // bytes, see MaxPage
	stop    func() bool // ends the watch over the context
	ctx     context.Context
}

// wire counts what comes in and remembers when, beneath TLS.
type wire struct {
	net.Conn
	last     atomic.Int64 // unix nanoseconds of the last bytes
	received atomic.Int64 // bytes since the last reset
	limit    atomic.Int64 // of received; 0 is none
	silent   atomic.Bool  // closed because nothing came
	tooLarge atomic.Bool  // cut off because too much came
}

var errTooLarge = errors.New("the answer is too large")

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.last.Store(time.Now().UnixNano())
	if limit := w.limit.Load(); w.received.Add(int64(n)) > limit && limit > 0 {
		w.tooLarge.Store(true)
		return 0, errTooLarge
	}
	return n, err
}

// connect returns a session with the first server that answers. A server that answers and refuses (a wrong
// password, an unknown certificate) ends the search: asking the others would lock the account or hide an attack.
func (s *Source) connect(ctx context.Context, report *source.Report) (*session, error) {
	var lost error
	for _, server := range s.config.Servers {
		ses, err := s.open(ctx, server, report)
		if err == nil {
			return ses, nil
		}
		if report != nil {
			err = report.Fail("connect to "+server, err)
		}
		if f := source.FaultOf(err); f != source.Unreachable && f != source.Busy {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		lost = errors.Join(lost, err)
	}
	if len(s.config.Servers) == 1 {
		return nil, lost
	}
	return nil, &source.Error{Fault: source.Unreachable, Field: "servers", Msg: "no server answers", Err: lost,
		Next: "check names, ports and firewalls"}
}

func (s *Source) open(ctx context.Context, server string, report *source.Report) (*session, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, wrong("servers", fmt.Sprintf("%q is no URL", server), "write it like ldaps://dc1.example.com")
	}
	dialed, cancel := context.WithTimeout(ctx, s.config.dialTimeout())
	defer cancel()
	port := u.Port()
	if port == "" {
		port = map[string]string{"ldap": ldap.DefaultLdapPort, "ldaps": ldap.DefaultLdapsPort}[u.Scheme]
	}
	raw, err := new(net.Dialer).DialContext(dialed, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, unreachable(server, err)
	}
	w := &wire{Conn: raw}
	w.last.Store(time.Now().UnixNano())
	// Until the bind is done, the whole of it has the time of one dial.
	early := context.AfterFunc(dialed, func() { raw.Close() })
	ses := &session{wire: w, server: server, timeout: s.config.timeout(), maxPage: s.maxPage, ctx: ctx}
	if ses.Conn, err = s.secure(dialed, u, w); err == nil {
		err = s.bind(ses)
	}
	if !early() && err == nil {
		err = dialed.Err()
	}
	if err != nil {
		if ses.Conn != nil {
			ses.Conn.Close()
		}
		raw.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, s.refused(server, err)
	}
	ses.stop = context.AfterFunc(ctx, func() { raw.Close() })
	if report != nil {
		report.Add("connect to "+server, s.greeting(u))
	}
	return ses, nil
}

func (s *Source) greeting(u *url.URL) string {
	how, who := "without encryption", "anonymously"
	if u.Scheme == "ldaps" {
		how = "over TLS"
	} else if s.config.StartTLS {
		how = "over StartTLS"
	}
	if s.config.BindDN != "" {
		who = "as " + s.config.BindDN
	}
	return "connected " + how + ", bound " + who
}

// secure starts LDAP on the wire, over TLS if the configuration says so.
func (s *Source) secure(ctx context.Context, u *url.URL, w *wire) (*ldap.Conn, error) {
	if u.Scheme == "ldap" && !s.config.StartTLS {
		c := ldap.NewConn(w, false)
		c.Start()
		return c, nil
	}
	conf, err := s.tlsConfig(u.Hostname())
	if err != nil {
		return nil, err
	}
	if u.Scheme == "ldaps" {
		t := tls.Client(w, conf)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, &handshakeError{err}
		}
		c := ldap.NewConn(t, true)
		c.Start()
		return c, nil
	}
	c := ldap.NewConn(w, false)
	c.Start()
	var bad error
	conf.VerifyConnection = func(cs tls.ConnectionState) error {
		bad = verify(cs, conf)
		return bad
	}
	conf.InsecureSkipVerify = true // verified by VerifyConnection, so that its error reaches us unchanged
	if err := c.StartTLS(conf); err != nil {
		if bad != nil {
			err = &handshakeError{bad}
		}
		return c, err
	}
	return c, nil
}

// verify does what crypto/tls does when it is not told to skip it.
func verify(cs tls.ConnectionState, conf *tls.Config) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	o := x509.VerifyOptions{Roots: conf.RootCAs, DNSName: conf.ServerName, Intermediates: x509.NewCertPool()}
	for _, c := range cs.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := cs.PeerCertificates[0].Verify(o)
	return err
}

func (s *Source) tlsConfig(host string) (*tls.Config, error) {
	conf := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if s.config.ServerName != "" {
		conf.ServerName = s.config.ServerName
	}
	if s.config.CAFile == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(s.config.CAFile)
	if err != nil {
		return nil, &source.Error{Fault: source.Misconfigured, Field: "ca_file", Msg: "cannot be read", Err: err, Next: "check the path and its permissions"}
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, wrong("ca_file", "holds no certificate", "write the certificate authority into it as PEM (-----BEGIN CERTIFICATE-----)")
	}
	return conf, nil
}

func (s *Source) bind(ses *session) error {
	if s.config.BindDN == "" {
		return ses.UnauthenticatedBind("")
	}
	password, err := s.config.password()
	if err != nil {
		return err
	}
	return ses.Bind(s.config.BindDN, password)
}

// Close ends the session.
func (ses *session) Close() {
	ses.stop()
	ses.wire.Conn.Close()
	ses.Conn.Close()
}

// watch closes the connection if the server is silent for the session's timeout before done is called.
func (ses *session) watch() (done func()) {
	ses.wire.last.Store(time.Now().UnixNano())
	var mu sync.Mutex // the timer may fire before it is known
	var t *time.Timer
	mu.Lock()
	defer mu.Unlock()
	t = time.AfterFunc(ses.timeout, func() {
		mu.Lock()
		defer mu.Unlock()
		quiet := time.Since(time.Unix(0, ses.wire.last.Load()))
		if quiet < ses.timeout {
			t.Reset(ses.timeout - quiet)
			return
		}
		ses.wire.silent.Store(true)
		ses.wire.Conn.Close()
	})
	return func() { t.Stop() }
}
