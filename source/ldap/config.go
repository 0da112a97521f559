// Package ldap reads people and groups from LDAP directories: Active Directory, OpenLDAP and what behaves like
// them. It turns entries into source records, follows changes with the feed that the server offers (dirsync.go,
// usn.go, syncrepl.go, timestamp.go) and seals a read only when nothing of it is missing (full.go). It never writes
// to a directory and knows nothing of mappings, targets or stores.
package ldap

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// Limits and defaults of a configuration.
const (
	DefaultPageSize    = 500              // entries per page
	GroupPageSize      = 100              // at most, of groups: their members make them large
	MaxPageSize        = 1000             // what Active Directory gives at most
	DefaultTimeout     = 60 * time.Second // without a single byte from the server
	DefaultDialTimeout = 10 * time.Second // connection, TLS handshake and bind of one server
	MaxServers         = 16
)

// Config says where the directory is and what is read from it. Its keys are those of the YAML of a source.
type Config struct {
	// Servers are URLs, ldap://host[:389] or ldaps://host[:636], in the order in which they are tried.
	Servers []string `json:"servers" yaml:"servers"`
	// StartTLS encrypts ldap:// connections before anything else is sent (RFC 4511 §4.14).
	StartTLS bool `json:"start_tls,omitempty" yaml:"start_tls,omitempty"`
	// CAFile is a PEM file. If it is set, only its certificates vouch for a server, not those of the system.
	CAFile string `json:"ca_file,omitempty" yaml:"ca_file,omitempty"`
	// ServerName is the name expected in the certificate if it is not the host of the URL.
	ServerName string `json:"server_name,omitempty" yaml:"server_name,omitempty"`
	// AllowPlaintext permits a bind with a password over a connection that is not encrypted.
	AllowPlaintext bool `json:"allow_plaintext,omitempty" yaml:"allow_plaintext,omitempty"`
	// BindDN is the account to bind as: a DN, or user@domain for Active Directory. Empty binds anonymously.
	BindDN string `json:"bind_dn,omitempty" yaml:"bind_dn,omitempty"`
	// PasswordFile or PasswordEnv says where the password is. It is read again for every connection.
	PasswordFile string `json:"password_file,omitempty" yaml:"password_file,omitempty"`
	PasswordEnv  string `json:"password_env,omitempty" yaml:"password_env,omitempty"`

	People Search `json:"people,omitzero" yaml:"people,omitempty"`
	Groups Search `json:"groups,omitzero" yaml:"groups,omitempty"`

	// Key is the attribute that identifies an entry for good. Empty: objectGUID or entryUUID, as the server has it.
	Key string `json:"key,omitempty" yaml:"key,omitempty"`
	// Member is the attribute of a group that holds the DNs of its members. Empty: member.
	Member string `json:"member,omitempty" yaml:"member,omitempty"`
	// Binary names further attributes whose values are base64 in a record.
	Binary []string `json:"binary,omitempty" yaml:"binary,omitempty"`
	// PrimaryGroup adds people to the members of their Active Directory primary group, which neither member nor
	// memberOf mentions.
	PrimaryGroup bool `json:"primary_group,omitempty" yaml:"primary_group,omitempty"`
	// Referrals is "refuse" (the default: a read that is referred to another server fails) or "ignore".
	Referrals string `json:"referrals,omitempty" yaml:"referrals,omitempty"`
	// Feed is "auto" (the default), or the change feed to use and none better: dirsync, usn, syncrepl, timestamp, full.
	Feed string `json:"feed,omitempty" yaml:"feed,omitempty"`

	PageSize    int           `json:"page_size,omitempty" yaml:"page_size,omitempty"`
	Timeout     time.Duration `json:"timeout,omitempty" yaml:"timeout,omitempty"`
	DialTimeout time.Duration `json:"dial_timeout,omitempty" yaml:"dial_timeout,omitempty"`
}

// Search says which entries are people or groups.
type Search struct {
	// Base is the DN below which they are. Empty: this kind is not read.
	Base string `json:"base,omitempty" yaml:"base,omitempty"`
	// Filter is an LDAP filter (RFC 4515). Empty: the usual one for the server.
	Filter string `json:"filter,omitempty" yaml:"filter,omitempty"`
	// OneLevel reads only the direct children of Base.
	OneLevel bool `json:"one_level,omitempty" yaml:"one_level,omitempty"`
	// Attributes are what is asked for. Empty: everything that is not operational.
	Attributes []string `json:"attributes,omitempty" yaml:"attributes,omitempty"`
	// MembersOf narrows people to the members of this group, given by its DN; Nested counts members of member
	// groups too.
	MembersOf string `json:"members_of,omitempty" yaml:"members_of,omitempty"`
	Nested    bool   `json:"nested,omitempty" yaml:"nested,omitempty"`
	// AllowEmpty lets a read be sealed that found nothing. Without it an empty answer is a failed read, because a
	// lost permission looks exactly the same.
	AllowEmpty bool `json:"allow_empty,omitempty" yaml:"allow_empty,omitempty"`
}

var feeds = []string{"", "auto", feedDirSync, feedUSN, feedSyncrepl, feedTimestamp, feedFull}

// wrong makes the error of a bad configuration.
func wrong(field, msg, next string) error {
	return &source.Error{Fault: source.Misconfigured, Field: field, Msg: msg, Next: next}
}

// Check returns the first thing that is wrong with the configuration in itself, without connecting.
func (c *Config) Check() error {
	if err := c.checkServers(); err != nil {
		return err
	}
	if c.PasswordFile != "" && c.PasswordEnv != "" {
		return wrong("password_file", "password_env is set too", "keep one of them")
	}
	hasPassword := c.PasswordFile != "" || c.PasswordEnv != ""
	if hasPassword != (c.BindDN != "") {
		return wrong("bind_dn", "a bind needs an account and a password", "set bind_dn and password_file or password_env, or none of them to bind anonymously")
	}
	if c.People.Base == "" && c.Groups.Base == "" {
		return wrong("people.base", "nothing to read", "set people.base, groups.base or both to the DN below which they are")
	}
	if err := c.People.check("people"); err != nil {
		return err
	}
	if err := c.Groups.check("groups"); err != nil {
		return err
	}
	if c.Groups.MembersOf != "" {
		return wrong("groups.members_of", "only people can be narrowed to the members of a group", "use groups.filter")
	}
	if c.Referrals != "" && c.Referrals != "refuse" && c.Referrals != "ignore" {
		return wrong("referrals", fmt.Sprintf("%q is neither refuse nor ignore", c.Referrals), "leave it out to refuse")
	}
	if !slices.Contains(feeds, c.Feed) {
		return wrong("feed", fmt.Sprintf("there is no feed %q", c.Feed), "use one of "+strings.Join(feeds[1:], ", "))
	}
	if c.PageSize < 0 || c.PageSize > MaxPageSize {
		return wrong("page_size", fmt.Sprintf("%d is not between 1 and %d", c.PageSize, MaxPageSize), "leave it out")
	}
	if c.Timeout < 0 || c.DialTimeout < 0 {
		return wrong("timeout", "a timeout cannot be negative", "leave it out")
	}
	return nil
}

func (c *Config) checkServers() error {
	if len(c.Servers) == 0 {
		return wrong("servers", "no server is named", "set it to something like ldaps://dc1.example.com")
	}
	if len(c.Servers) > MaxServers {
		return wrong("servers", fmt.Sprintf("%d servers, at most %d are allowed", len(c.Servers), MaxServers), "keep the nearest ones")
	}
	for _, s := range c.Servers {
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "ldap" && u.Scheme != "ldaps" || u.Hostname() == "" {
			return wrong("servers", fmt.Sprintf("%q is not ldap://host or ldaps://host", s), "write it like ldaps://dc1.example.com:636")
		}
		if p := u.Port(); p == "3268" || p == "3269" {
			return wrong("servers", fmt.Sprintf("%q is a global catalog, which does not know the members of every group", s), "use port 389 or 636 of a domain controller")
		}
		if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return wrong("servers", fmt.Sprintf("%q holds more than a host and a port", u.Redacted()), "put the base into people.base and the account into bind_dn")
		}
		if c.BindDN != "" && u.Scheme == "ldap" && !c.StartTLS && !c.AllowPlaintext {
			return wrong("servers", fmt.Sprintf("the password would cross the network to %q readable for everyone", s), "use ldaps://, set start_tls, or accept it with allow_plaintext")
		}
	}
	return nil
}

func (s *Search) check(kind string) error {
	if s.Base == "" {
		return nil
	}
	if _, err := ldap.ParseDN(s.Base); err != nil {
		return wrong(kind+".base", fmt.Sprintf("%q is not a DN: %v", s.Base, err), "write it like OU=People,DC=example,DC=com")
	}
	if s.Filter != "" {
		if _, err := ldap.CompileFilter(s.Filter); err != nil {
			return wrong(kind+".filter", fmt.Sprintf("%q is not an LDAP filter: %v", s.Filter, err), "write it like (&(objectClass=person)(mail=*))")
		}
	}
	if s.MembersOf != "" {
		if _, err := ldap.ParseDN(s.MembersOf); err != nil {
			return wrong(kind+".members_of", fmt.Sprintf("%q is not a DN: %v", s.MembersOf, err), "give the DN of the group")
		}
	}
	for _, a := range s.Attributes {
		if a == "" || strings.ContainsAny(a, " ,()=*+") && a != "*" && a != "+" {
			return wrong(kind+".attributes", fmt.Sprintf("%q is not the name of an attribute", a), "list names one by one")
		}
	}
	return nil
}

// password reads the password where the configuration says it is. A final line break is not part of it.
func (c *Config) password() (string, error) {
	if c.PasswordEnv != "" {
		p, ok := os.LookupEnv(c.PasswordEnv)
		if !ok || p == "" {
			return "", wrong("password_env", fmt.Sprintf("the environment has no %s", c.PasswordEnv), "set it for the process, or use password_file")
		}
		return p, nil
	}
	data, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", &source.Error{Fault: source.Misconfigured, Field: "password_file", Msg: "cannot be read", Err: err, Next: "check the path and its permissions"}
	}
	p := strings.TrimRight(string(data), "\r\n")
	if p == "" {
		return "", wrong("password_file", "holds no password", "write the password of the bind account into it")
	}
	return p, nil
}

// pageSize is the size of the pages of a search for the part of the configuration that field names.
func (c *Config) pageSize(field string) uint32 {
	size := c.PageSize
	if size == 0 {
		size = DefaultPageSize
	}
	if field == "groups" {
		size = min(size, GroupPageSize)
	}
	return uint32(size)
}

func (c *Config) timeout() time.Duration {
	if c.Timeout == 0 {
		return DefaultTimeout
	}
	return c.Timeout
}

func (c *Config) dialTimeout() time.Duration {
	if c.DialTimeout == 0 {
		return DefaultDialTimeout
	}
	return c.DialTimeout
}

func (c *Config) memberAttr() string {
	if c.Member == "" {
		return "member"
	}
	return c.Member
}
