package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"strings"
	"time"

	"github.com/provost-scim/provost/verify"
)

type verifyCmd struct {
	Run   verifyRunCmd   `cmd:"" default:"withargs" help:"Play the cases of some profiles at a server."`
	Diff  verifyDiffCmd  `cmd:"" help:"Compare two reports made with -o json or --report."`
	Cases verifyCasesCmd `cmd:"" help:"List the cases with their rules."`
}

type verifyRunCmd struct {
	URL string `arg:"" env:"-" help:"SCIM base URL: what /Users is appended to."`

	As    []string `env:"-" placeholder:"PROFILE,…" help:"Profiles to play: entra, entra-flag, entra-validator, okta-catalogue, okta-custom, okta-spec, pingfederate-put, pingfederate-patch, rfc, pagination, security, load, or all (every one but load). Patterns like entra* work."`
	Cases []string `env:"-" placeholder:"FILE" help:"Also play case files, or folders of them."`
	Only  []string `env:"-" placeholder:"CASE,…" help:"Only these cases or rules: entra/disable-string, rfc/filter-*, R-29."`
	Skip  []string `env:"-" placeholder:"CASE,…" help:"Leave these cases or rules out."`

	TokenFile       string   `placeholder:"FILE" help:"File with the bearer token, - for standard input. The environment variable PROVOST_VERIFY_TOKEN does too."`
	Scheme          string   `env:"-" default:"Bearer" help:"Word before the token in the Authorization header; none sends the token alone."`
	SecondTokenFile string   `placeholder:"FILE" help:"File with the token of another tenant: tries whether tenants are kept apart."`
	SecondURL       string   `env:"-" placeholder:"URL" help:"Base URL of that tenant, if it has its own."`
	OauthURL        string   `placeholder:"URL" help:"OAuth 2 token endpoint, for client credentials instead of a token."`
	OauthID         string   `placeholder:"ID" help:"OAuth 2 client id."`
	OauthSecretFile string   `placeholder:"FILE" help:"File with the OAuth 2 client secret. The environment variable PROVOST_VERIFY_SECRET does too."`
	OauthScope      string   `placeholder:"SCOPE" help:"OAuth 2 scope."`
	OauthBasic      bool     `env:"-" help:"Send id and secret in the Authorization header instead of the body."`
	Header          []string `env:"-" sep:"none" placeholder:"NAME:VALUE" help:"Header for every request."`
	HeaderFile      string   `placeholder:"FILE" help:"File with such headers, one on each line, for those that are secret."`
	CaFile          string   `placeholder:"FILE" help:"Trust the certificate authorities in this PEM file too."`

	Target   string        `env:"-" placeholder:"NAME" help:"Known server whose documented deviations count as warnings: netskope."`
	ReadOnly bool          `env:"-" help:"Send no request that writes, for production servers."`
	Keep     bool          `env:"-" help:"Leave the objects of the run on the server."`
	Seed     uint64        `env:"-" help:"Seed of the random values, to repeat a run."`
	Rate     float64       `env:"-" placeholder:"N" help:"At most so many requests per second."`
	Timeout  time.Duration `env:"-" default:"60s" help:"Longest time for one answer."`

	LoadSeconds int `env:"-" default:"20" help:"Length of the profile load, at most 300."`
	LoadRate    int `env:"-" default:"25" help:"Requests per second of the profile load, at most 200."`

	Quiet  bool   `short:"q" env:"-" help:"Print only what did not pass."`
	Report string `env:"-" placeholder:"FILE" help:"Write the report as JSON."`
	HTML   string `env:"-" placeholder:"FILE" help:"Write the report as one HTML file, to send to somebody."`
	JUnit  string `name:"junit" env:"-" placeholder:"FILE" help:"Write the report as JUnit XML, for CI."`
	Record string `env:"-" placeholder:"FILE" help:"Keep every exchange, a line of JSON each, in the format of case files."`
}

func (c *verifyRunCmd) Run(ctx context.Context, t *terminal) (err error) {
	o, err := c.options(t)
	if err != nil {
		return err
	}
	files, err := c.create()
	if err != nil {
		return err
	}
	defer func() {
		for _, f := range files {
			if closed := f.Close(); err == nil && closed != nil {
				err = &failure{what: "the report could not be written whole", err: closed}
			}
		}
	}()
	if f := files[c.Record]; f != nil {
		o.Record = f
	}
	watch := newVerifyWatch(t, c.Quiet)
	o.Progress = watch.progress
	rep, err := verify.Run(ctx, o)
	if err != nil {
		return &failure{what: err.Error(), kept: "no case was played", next: "provost verify --help", code: exitFailed}
	}
	if err := watch.finish(rep); err != nil {
		return err
	}
	for name, write := range map[string]func(io.Writer) error{c.Report: rep.WriteJSON, c.HTML: rep.WriteHTML, c.JUnit: rep.WriteJUnit} {
		if f := files[name]; f != nil {
			if err := write(f); err != nil {
				return &failure{what: "the report " + name + " could not be written", err: err}
			}
		}
	}
	if !rep.OK() {
		return &failure{what: rep.Summary(), code: exitPending, next: c.advice(rep)}
	}
	return nil
}

// advice is what to do about a report that is not good.
func (c *verifyRunCmd) advice(rep *verify.Report) string {
	switch {
	case rep.Interrupted && rep.Failed == 0:
		return "run it again to the end; what was tried did not fail"
	case c.HTML == "":
		return "read the findings above, or write them to a file with --html report.html"
	}
	return "open " + c.HTML
}

// options turns flags into the options of a run.
func (c *verifyRunCmd) options(t *terminal) (verify.Options, error) {
	o := verify.Options{
		URL: c.URL, Profiles: c.As, Files: c.Cases, Only: c.Only, Skip: c.Skip,
		SecondURL: c.SecondURL, Target: c.Target, ReadOnly: c.ReadOnly, Keep: c.Keep, Seed: c.Seed, Rate: c.Rate,
		Timeout: c.Timeout, LoadSeconds: c.LoadSeconds, LoadRate: c.LoadRate,
		Auth: verify.Auth{Scheme: c.Scheme, TokenURL: c.OauthURL, ClientID: c.OauthID, Scope: c.OauthScope, BasicAuth: c.OauthBasic},
	}
	var err error
	if o.Auth.Token, err = t.secret(c.TokenFile, "PROVOST_VERIFY_TOKEN"); err != nil {
		return o, err
	}
	if o.SecondToken, err = t.secret(c.SecondTokenFile, "PROVOST_VERIFY_SECOND_TOKEN"); err != nil {
		return o, err
	}
	if o.Auth.ClientSecret, err = t.secret(c.OauthSecretFile, "PROVOST_VERIFY_SECRET"); err != nil {
		return o, err
	}
	if c.OauthURL != "" && (c.OauthID == "" || o.Auth.ClientSecret == "") {
		return o, usage("add --oauth-id and --oauth-secret-file", "OAuth 2 client credentials need an id and a secret")
	}
	if o.Header, err = c.headers(t); err != nil {
		return o, err
	}
	if o.Auth.Token == "" && c.OauthURL == "" && len(o.Header) == 0 {
		return o, usage("add --token-file FILE, or --oauth-url with an id and a secret, or --header-file", "there is nothing to authenticate with")
	}
	o.Client, err = c.client(t)
	return o, err
}

// maxSecret bounds the files that hold secrets and headers.
const maxSecret = 64 << 10

// secret reads a file, or the environment if no file is named.
func (t *terminal) secret(file, env string) (string, error) {
	if file == "" {
		return strings.TrimSpace(os.Getenv(env)), nil
	}
	text, err := t.readFile(file, maxSecret)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" || strings.ContainsAny(secret, "\r\n") {
		return "", usage("put the secret on the first line, alone", "%s does not hold exactly one line", file)
	}
	return secret, nil
}

// headers reads the extra headers of flags and file.
func (c *verifyRunCmd) headers(t *terminal) (http.Header, error) {
	lines := c.Header
	if c.HeaderFile != "" {
		text, err := t.readFile(c.HeaderFile, maxSecret)
		if err != nil {
			return nil, err
		}
		lines = append(lines, strings.Split(string(text), "\n")...)
	}
	h := http.Header{}
	for _, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, usage("write it like X-Api-Key: value", "a header line is not of the form Name: value")
		}
		h.Add(textproto.CanonicalMIMEHeaderKey(name), strings.TrimSpace(value))
	}
	return h, nil
}

// client makes the HTTP client: the usual transport, with more certificate authorities if asked.
func (c *verifyRunCmd) client(t *terminal) (*http.Client, error) {
	if c.CaFile == "" {
		return nil, nil
	}
	pem, err := t.readFile(c.CaFile, 1<<20)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, usage("give a PEM file", "%s holds no certificate", c.CaFile)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}, nil
}

// create opens the files to write before anything is sent, so that a run is not lost on a wrong name.
func (c *verifyRunCmd) create() (map[string]*os.File, error) {
	files := map[string]*os.File{}
	for _, name := range []string{c.Report, c.HTML, c.JUnit, c.Record} {
		if name == "" {
			continue
		}
		if files[name] != nil {
			return nil, usage("give each its own name", "the file %s is named twice", name)
		}
		f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return nil, &failure{what: fmt.Sprintf("the file %s cannot be written", name), err: err, kept: "nothing was sent", code: exitUsage}
		}
		files[name] = f
	}
	return files, nil
}
