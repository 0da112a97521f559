package scimclient

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Config says where a target is, how to sign in, and where it differs from its profile. Secrets are named by the file
// or environment variable that holds them; they are read when they are needed and never written.
type Config struct {
	URL     string `json:"url"`               // base of the SCIM service: https://host/scim/v2
	Profile string `json:"profile,omitempty"` // see Profiles; "" is generic
	Auth    Auth   `json:"auth"`
	// Headers go with every request, beside what the client sets itself. They are no place for secrets.
	Headers map[string]string `json:"headers,omitempty"`
	// CAFile is a PEM file. If it is set, only its certificates vouch for the target, not those of the system.
	CAFile string `json:"caFile,omitempty"`
	// Allow permits addresses that are refused otherwise: "loopback", "private", or networks such as 10.1.0.0/16.
	Allow []string `json:"allow,omitempty"`
	// Timeout bounds one attempt; 0 is DefaultTimeout.
	Timeout Duration `json:"timeout,omitempty"`
	// Override replaces fields of the profile.
	Override *Override `json:"override,omitempty"`
}

// Override replaces fields of a profile; nil and "" leave them.
type Override struct {
	Rate        *float64 `json:"rate,omitempty"`
	Burst       *int     `json:"burst,omitempty"`
	WriteRate   *float64 `json:"writeRate,omitempty"`
	WriteBurst  *int     `json:"writeBurst,omitempty"`
	Parallel    *int     `json:"parallel,omitempty"`
	Members     *int     `json:"members,omitempty"`
	PageSize    *int     `json:"pageSize,omitempty"`
	UserUpdate  string   `json:"userUpdate,omitempty"`
	GroupUpdate string   `json:"groupUpdate,omitempty"`
	Remove      string   `json:"remove,omitempty"`
}

// Auth says how to sign in.
type Auth struct {
	Type string `json:"type"` // bearer, oauth2, basic, header, none
	// Of bearer and header: the secret.
	TokenFile string `json:"tokenFile,omitempty"`
	TokenEnv  string `json:"tokenEnv,omitempty"`
	// Of basic: user and password; of oauth2: client id and client secret (RFC 6749 §4.4).
	User         string `json:"user,omitempty"`
	PasswordFile string `json:"passwordFile,omitempty"`
	PasswordEnv  string `json:"passwordEnv,omitempty"`
	// Of oauth2.
	TokenURL string `json:"tokenUrl,omitempty"`
	Scope    string `json:"scope,omitempty"`
	InBody   bool   `json:"inBody,omitempty"` // send id and secret in the body rather than as Basic authentication
	// Of header: its name, and what stands before the secret ("SSWS " for instance).
	Header string `json:"header,omitempty"`
	Prefix string `json:"prefix,omitempty"`
	// Token and Password are the secrets themselves, for callers that keep them elsewhere. They are never written.
	Token    string `json:"-"`
	Password string `json:"-"`
}

// Duration is a time.Duration that is written as text: "10s".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is no duration such as 10s", string(text))
	}
	*d = Duration(v)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// ConfigError is a fault of a configuration; Field is its JSON name.
type ConfigError struct {
	Field string
	Msg   string
}

func (e *ConfigError) Error() string { return e.Field + ": " + e.Msg }

// ParseConfig reads a configuration from JSON. Unknown keys are errors.
func ParseConfig(data []byte) (Config, error) {
	var c Config
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("the configuration of the target: %w", err)
	}
	return c, nil
}

// maxTimeout is the most that Timeout may be.
const maxTimeout = 5 * time.Minute

// own are the headers that the client sets itself.
var own = []string{"Accept", "Authorization", "Content-Length", "Content-Type", "Host", "Transfer-Encoding"}

func (c *Config) check() (*url.URL, error) {
	base, err := checkURL("url", c.URL)
	if err != nil {
		return nil, err
	}
	base.Path = strings.TrimRight(base.Path, "/")
	if t := time.Duration(c.Timeout); t > maxTimeout {
		return nil, &ConfigError{"timeout", fmt.Sprintf("%s is more than %s", t, maxTimeout)}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if slices.Contains(own, textproto.CanonicalMIMEHeaderKey(name)) {
			return nil, &ConfigError{"headers", name + " is set by the client itself"}
		}
		if !validHeader(name, c.Headers[name]) {
			return nil, &ConfigError{"headers", fmt.Sprintf("%q is no header that can be sent", name)}
		}
	}
	return base, c.Auth.check(base)
}

func checkURL(field, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, &ConfigError{field, "missing; it looks like https://host/scim/v2"}
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, &ConfigError{field, fmt.Sprintf("%q is no http or https URL with a host", text)}
	case u.User != nil:
		return nil, &ConfigError{field, "a user or password in the URL is not taken: use auth"}
	case u.Fragment != "":
		return nil, &ConfigError{field, "a URL with a # part is not taken"}
	}
	return u, nil
}

func validHeader(name, value string) bool {
	for _, r := range name {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune("()<>@,;:\\\"/[]?={}", r) {
			return false
		}
	}
	for i := range len(value) {
		if b := value[i]; b < ' ' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return name != ""
}

func (a *Auth) check(base *url.URL) error {
	token := a.Token != "" || a.TokenFile != "" || a.TokenEnv != ""
	password := a.Password != "" || a.PasswordFile != "" || a.PasswordEnv != ""
	switch a.Type {
	case "none":
		return nil
	case "bearer":
		if !token {
			return &ConfigError{"auth.tokenFile", "bearer needs tokenFile or tokenEnv"}
		}
	case "header":
		if !token {
			return &ConfigError{"auth.tokenFile", "header needs tokenFile or tokenEnv"}
		}
		if !validHeader(a.Header, a.Prefix) || http.CanonicalHeaderKey(a.Header) == "Content-Type" {
			return &ConfigError{"auth.header", fmt.Sprintf("%q is no header that can be sent", a.Header)}
		}
	case "basic", "oauth2":
		if a.User == "" {
			return &ConfigError{"auth.user", a.Type + " needs a user (of oauth2: the client id)"}
		}
		if !password {
			return &ConfigError{"auth.passwordFile", a.Type + " needs passwordFile or passwordEnv (of oauth2: the client secret)"}
		}
		if a.Type == "oauth2" {
			u, err := checkURL("auth.tokenUrl", a.TokenURL)
			if err != nil {
				return err
			}
			if u.Scheme == "http" && base.Scheme == "https" {
				return &ConfigError{"auth.tokenUrl", "the client secret would go over a connection that is not encrypted: use https"}
			}
		}
	default:
		return &ConfigError{"auth.type", fmt.Sprintf("%q is none of bearer, oauth2, basic, header, none", a.Type)}
	}
	return nil
}
