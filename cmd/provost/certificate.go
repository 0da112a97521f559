package main

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate serves a TLS key pair from two files and reads them again when one of them changes.
type certificate struct {
	cert, key string
	log       *slog.Logger
	now       func() time.Time

	mu      sync.Mutex
	pair    *tls.Certificate
	changed [2]time.Time // modification times of the files that pair was read from
	checked time.Time
}

// recheck is how often a handshake looks whether the files changed.
const recheck = 5 * time.Second

// openCertificate reads the pair once, so that a wrong one is refused at the start.
func openCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log, now: time.Now}
	_, err := c.load()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// config is the TLS configuration that serves the pair.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.load()
		},
	}
}

// load returns the pair. Once it was read, files that cannot be read any more leave the old one in use.
func (c *certificate) load() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pair != nil && c.now().Sub(c.checked) < recheck {
		return c.pair, nil
	}
	c.checked = c.now()
	times, err := modified(c.cert, c.key)
	if err == nil && c.pair != nil && times == c.changed {
		return c.pair, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(c.cert, c.key)
	}
	if err != nil {
		if c.pair == nil {
			return nil, err
		}
		c.log.Warn("the TLS certificate cannot be read again, the old one stays in use", "err", err)
		return c.pair, nil
	}
	if c.pair != nil {
		c.log.Info("TLS certificate read again", "expires", pair.Leaf.NotAfter)
	}
	c.pair, c.changed = &pair, times
	return c.pair, nil
}

func modified(files ...string) (times [2]time.Time, err error) {
	for i, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			return times, err
		}
		times[i] = info.ModTime()
	}
	return times, nil
}
