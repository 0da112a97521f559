// Package access decides who may talk to Provost: tenants, SCIM clients and their tokens, administrators and
// service accounts with their roles. Administrators and service accounts live apart from the users of a
// directory: nothing that arrives over SCIM can create, read, match or change them.
//
// It knows no HTTP and no SQL; a Keeper stores what it decides.
package access

import (
	"context"
	"time"

	"github.com/provost-scim/provost/audit"
)

// Tenant is one customer: a directory of its own, with its own clients, settings and logs.
type Tenant struct {
	ID       int64  // key in the store, never shown
	Name     string // in addresses: 1 to 63 of a-z 0-9 and "-", begins with a letter, does not end with "-"
	Display  string
	Created  time.Time
	Disabled bool // every request is refused as if the token were wrong
	Settings Settings
}

// Settings are the policies of a tenant. The zero value of each field is not its default: see Defaults.
type Settings struct {
	UniqueGroupNames bool   `json:"uniqueGroupNames"` // refuse a second group of the same displayName (default true)
	Rehire           string `json:"rehire"`           // a create whose userName an inactive user holds: "conflict" (default) or "reactivate"
	RetentionDays    int    `json:"retentionDays"`    // how long deleted resources can be restored (default 30)
	LogDays          int    `json:"logDays"`          // how long the request log is kept (default 30)
}

// Defaults are the settings of a new tenant.
func Defaults() Settings {
	return Settings{UniqueGroupNames: true, Rehire: RehireConflict, RetentionDays: 30, LogDays: 30}
}

// The re-hire policies. A deleted user never takes part: a create with its userName makes a new user.
const (
	RehireConflict   = "conflict"   // 409, as RFC 7644 §3.3 says; the default
	RehireReactivate = "reactivate" // the inactive user gets the new attributes and is activated under the same id
)

// Profile is the dialect of a SCIM client. It widens or narrows what is tolerated; what is not about a dialect
// is the same for all.
type Profile string

// The profiles.
const (
	Generic      Profile = "generic" // every tolerance (default)
	Strict       Profile = "strict"  // the RFC to the letter, for diagnosis
	Entra        Profile = "entra"
	Okta         Profile = "okta"
	PingFederate Profile = "pingfederate" // PUT clears nothing by omission
)

// Profiles lists the profiles in the order in which they are shown.
var Profiles = []Profile{Generic, Strict, Entra, Okta, PingFederate}

// Client is a SCIM client of a tenant, usually one application of one identity provider.
type Client struct {
	ID         string // 12 characters of base62
	Tenant     int64
	Name       string // unique in the tenant
	Profile    Profile
	User       string  // id of the user that /Me means, "" for none
	Rate       float64 // requests per second, 0 for no limit
	Burst      int     // requests at once beyond Rate
	Concurrent int     // requests in work at the same time, 0 for no limit
	Created    time.Time
	CreatedBy  string
	Revoked    time.Time // zero: live
}

// The limits of a new client, unless it is given others.
const (
	DefaultRate       = 100
	DefaultBurst      = 200
	DefaultConcurrent = 32
)

// TokenKind says what a Token is for.
type TokenKind string

// The kinds of tokens.
const (
	Static TokenKind = "static" // a bearer token that an administrator pastes into an identity provider
	Secret TokenKind = "secret" // the client_secret of OAuth 2 client credentials; no bearer token
	Issued TokenKind = "issued" // a short-lived bearer token issued for a Secret
)

// Token is what is kept of a token or secret. The text itself is shown once and never stored.
type Token struct {
	ID        string // the <id> in pvst_scim_<id>_…, 12 characters of base62, unique over all tenants
	Tenant    int64
	Client    string // id of its client
	Kind      TokenKind
	Hash      []byte // SHA-256 of the whole text
	Hint      string // the last four characters
	Created   time.Time
	CreatedBy string
	Expires   time.Time // zero: never
	Revoked   time.Time // zero: live
	LastUsed  time.Time // zero: never used; at most 60 s late
	LastAddr  string    // remote address of that use
	LastAgent string    // its User-Agent, at most 200 characters
}

// Role is what an administrator or a service account may do.
type Role string

// The roles.
const (
	Owner         Role = "owner"         // everything, administrators included
	Administrator Role = "administrator" // everything but administrators and service accounts
	ReadOnly      Role = "read-only"
)

// Account is an administrator (a person, by e-mail) or a service account (a program, by name and token).
type Account struct {
	ID        string
	Tenant    int64  // 0: all tenants
	Service   bool   // service account; else administrator
	Name      string // e-mail address of an administrator, name of a service account; unique among its kind
	Role      Role
	Created   time.Time
	CreatedBy string
	Expires   time.Time // zero: never
	Disabled  bool
	Hash      []byte // service account: SHA-256 of its token (pvst_svc_…); administrator: what a password and a one-time link are checked against, see secrets; nil until set
	LastUsed  time.Time
}

// Keeper stores tenants, clients and tokens. Every change is written with its event, in one transaction.
// A missing row is ErrNotFound, a name that is taken ErrExists.
type Keeper interface {
	CreateTenant(ctx context.Context, t Tenant, e audit.Event) (Tenant, error) // gives it an ID
	UpdateTenant(ctx context.Context, t Tenant, e audit.Event) error
	DeleteTenant(ctx context.Context, id int64) error // with everything in it
	Tenants(ctx context.Context) ([]Tenant, error)
	Tenant(ctx context.Context, name string) (Tenant, error)

	Clients
	Tokens
}

// Clients stores the SCIM clients of tenants.
type Clients interface {
	SaveClient(ctx context.Context, c Client, e audit.Event) error // inserts or replaces by (Tenant, ID)
	Client(ctx context.Context, tenant int64, id string) (Client, error)
	ClientList(ctx context.Context, tenant int64) ([]Client, error)
}

// Tokens stores tokens.
type Tokens interface {
	SaveToken(ctx context.Context, t Token, e *audit.Event) error // inserts or replaces by ID; nil event for Issued tokens
	Token(ctx context.Context, id string) (Token, error)
	TokenList(ctx context.Context, tenant int64, client string) ([]Token, error) // newest first, Issued ones left out
	TouchTokens(ctx context.Context, used []Use) error                           // records uses; never moves LastUsed back
}

// Use is one use of a token.
type Use struct {
	Token, Addr, Agent string
	At                 time.Time
}

// Accounts stores administrators and service accounts.
type Accounts interface {
	SaveAccount(ctx context.Context, a Account, e audit.Event) error // inserts or replaces by ID
	Account(ctx context.Context, id string) (Account, error)
	AccountList(ctx context.Context) ([]Account, error)
	DeleteAccount(ctx context.Context, id string, e audit.Event) error
}
