package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writePair makes a self-signed certificate for 127.0.0.1 with a serial number.
func writePair(t *testing.T, dir string, serial int64, from time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "provost test"},
		NotBefore: from, NotAfter: from.Add(90 * 24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestCertificate_IsReadAgainWhenItChanges(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	cert, key := writePair(t, dir, 1, now)
	c, err := openCertificate(cert, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	clock := now
	c.now = func() time.Time { return clock }
	serial := func() int64 {
		pair, err := c.config().GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.SerialNumber.Int64()
	}
	writePair(t, dir, 2, now)
	for _, name := range []string{cert, key} {
		if err := os.Chtimes(name, now, now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if got := serial(); got != 1 {
		t.Errorf("before the next check certificate %d is served, want 1", got)
	}
	clock = clock.Add(2 * recheck)
	if got := serial(); got != 2 {
		t.Errorf("after the change certificate %d is served, want 2", got)
	}
	if err := os.WriteFile(cert, []byte("half written"), 0o600); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(2 * recheck)
	if got := serial(); got != 2 {
		t.Errorf("with a broken file certificate %d is served, want the old one", got)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(2 * recheck)
	if got := serial(); got != 2 {
		t.Errorf("without its file certificate %d is served, want the old one", got)
	}
}

// TestServe_TLS serves over TLS 1.2 and later, and nothing older.
func TestServe_TLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := writePair(t, dir, 1, time.Now().Add(-time.Hour))
	p := newProgram(t, "PROVOST_DATA="+filepath.Join(dir, "data"))
	s := p.serve("--tls-cert", cert, "--tls-key", key)
	client := func(version uint16) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MaxVersion: version, MinVersion: tls.VersionTLS10}}}
	}
	s.client = client(tls.VersionTLS12)
	if a := s.request("GET", s.url+"/t/acme/scim/v2/Users", "", "", ""); a.status != 401 {
		t.Errorf("TLS 1.2 is answered with %d, want 401", a.status)
	}
	if answer, err := client(tls.VersionTLS11).Get(s.url + "/t/acme/scim/v2/Users"); err == nil {
		answer.Body.Close()
		t.Error("TLS 1.1 is accepted")
	}
	s.stop()
}
