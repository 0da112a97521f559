package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/provost-scim/provost/audit"
)

// LinkPrefix begins the secret of a one-time link with which an administrator sets a password. Its id is the id
// of the administrator.
const LinkPrefix = "pvst_link_"

// LinkFor is how long a one-time link can be used.
const LinkFor = 24 * time.Hour

// Bounds of a password. There is no rule about kinds of characters: length is what counts.
const (
	MinPassword = 12   // characters
	MaxPassword = 1024 // bytes
)

// Cost of argon2id (RFC 9106 §4): 19 MiB and two passes take a fraction of a second of one core.
const (
	argonMemory = 19 << 10 // KiB
	argonPasses = 2
	argonKey    = 32 // bytes
	argonSalt   = 16 // bytes
)

// hashing bounds how many passwords are hashed at a time: each takes argonMemory.
var hashing = make(chan struct{}, 2)

// secrets is the form of Account.Hash of an administrator, as JSON. Nothing in it opens anything by itself.
type secrets struct {
	Salt     []byte    `json:"salt,omitempty"`
	Password []byte    `json:"argon2id,omitempty"`
	Link     string    `json:"link,omitempty"` // SHA-256 of the one-time link in hexadecimal
	LinkEnds time.Time `json:"linkEnds,omitzero"`
}

func (a Account) secrets() (k secrets) {
	if !a.Service && len(a.Hash) > 0 {
		_ = json.Unmarshal(a.Hash, &k) // what is unreadable opens nothing
	}
	return k
}

func (a *Account) setSecrets(k secrets) error {
	text, err := json.Marshal(k)
	a.Hash = text
	return err
}

// HasPassword says whether an administrator has set a password.
func (a Account) HasPassword() bool { return len(a.secrets().Password) > 0 }

// PasswordMark changes whenever the password does; it tells nothing about it. Sessions that began under another
// mark are over.
func (a Account) PasswordMark() string {
	k := a.secrets()
	sum := sha256.Sum256(append(append([]byte("mark "), k.Salt...), k.Password...))
	return hex.EncodeToString(sum[:8])
}

// CreateLink makes a one-time link secret, valid for LinkFor, with which an administrator sets a password. An
// earlier link ends; the present password works until the new one is set.
func (s *Service) CreateLink(ctx context.Context, by audit.Actor, a Account) (string, error) {
	if a.Service {
		return "", invalid("account", "%s is a service account: it has a token, not a password", a.Name)
	}
	if !a.Live(s.now()) {
		return "", invalid("account", "%s is disabled or expired", a.Name)
	}
	secret, err := randomText(s.Random, secretLength)
	if err != nil {
		return "", err
	}
	text := LinkPrefix + a.ID + "_" + secret
	text += checksum(text)
	k := a.secrets()
	k.Link, k.LinkEnds = hex.EncodeToString(hashOf(text)), s.stamp().Add(LinkFor)
	if err := a.setSecrets(k); err != nil {
		return "", err
	}
	diff := audit.Diff{"link": {After: "valid until " + k.LinkEnds.Format(time.RFC3339)}}
	return text, s.Accounts.SaveAccount(ctx, a, s.event(by, audit.Configure, a.kind(), a.ID, a.Name, diff))
}

// LinkAccount returns whose one-time link this is, without using it up. The error is a *Refusal or comes from
// Accounts.
func (s *Service) LinkAccount(ctx context.Context, link string) (Account, error) {
	prefix, id, ok := ParseToken(link)
	if !ok || prefix != LinkPrefix {
		return Account{}, refuse("malformed link")
	}
	a, err := s.Accounts.Account(ctx, id)
	if err != nil {
		return Account{}, refusedIfMissing(err, "no such account")
	}
	k := a.secrets()
	want := []byte(hex.EncodeToString(hashOf(link)))
	if k.Link == "" || subtle.ConstantTimeCompare(want, []byte(k.Link)) != 1 {
		return Account{}, refuse("link was used or replaced")
	}
	if !s.now().Before(k.LinkEnds) {
		return Account{}, refuse("link expired")
	}
	if !a.Live(s.now()) {
		return Account{}, refuse("account disabled or expired")
	}
	return a, nil
}

// SetPassword uses a one-time link up. An *InvalidError says what is wrong with the password and leaves the link
// as it is; the other errors are those of LinkAccount.
func (s *Service) SetPassword(ctx context.Context, link, password string) (Account, error) {
	a, err := s.LinkAccount(ctx, link)
	if err != nil {
		return Account{}, err
	}
	if n := utf8.RuneCountInString(password); n < MinPassword || len(password) > MaxPassword || !utf8.ValidString(password) {
		return Account{}, invalid("password", "at least %d characters and at most %d bytes of text", MinPassword, MaxPassword)
	}
	if strings.EqualFold(password, a.Name) {
		return Account{}, invalid("password", "not the e-mail address")
	}
	random := s.Random
	if random == nil {
		random = rand.Reader
	}
	k := secrets{Salt: make([]byte, argonSalt)}
	if _, err := io.ReadFull(random, k.Salt); err != nil {
		return Account{}, err
	}
	if k.Password, err = argon(ctx, password, k.Salt); err != nil {
		return Account{}, err
	}
	if err := a.setSecrets(k); err != nil {
		return Account{}, err
	}
	by := audit.Actor{Kind: "admin", ID: a.ID, Name: a.Name}
	diff := audit.Diff{"password": {After: "set with a one-time link"}}
	return a, s.Accounts.SaveAccount(ctx, a, s.event(by, audit.Configure, a.kind(), a.ID, a.Name, diff))
}

// SignIn checks the password of an administrator and records the sign-in. Whatever is wrong, the work done is the
// same and the error a *Refusal; other errors come from Accounts or ctx.
func (s *Service) SignIn(ctx context.Context, name, password string) (Account, error) {
	a, known, err := s.administrator(ctx, name)
	if err != nil {
		return Account{}, err
	}
	k := a.secrets()
	usable := known && len(k.Salt) == argonSalt && len(k.Password) == argonKey && a.Live(s.now())
	if !usable {
		k = secrets{Salt: make([]byte, argonSalt), Password: make([]byte, argonKey)}
	}
	if len(password) > MaxPassword {
		password, usable = "", false
	}
	got, err := argon(ctx, password, k.Salt)
	if err != nil {
		return Account{}, err
	}
	if same := subtle.ConstantTimeCompare(got, k.Password) == 1; !same || !usable {
		return Account{}, refuse("wrong name or password, or an account that is disabled, expired or without password")
	}
	a.LastUsed = s.stamp()
	by := audit.Actor{Kind: "admin", ID: a.ID, Name: a.Name}
	return a, s.Accounts.SaveAccount(ctx, a, s.event(by, audit.SignIn, a.kind(), a.ID, a.Name, nil))
}

// administrator finds a person by e-mail address.
func (s *Service) administrator(ctx context.Context, name string) (Account, bool, error) {
	all, err := s.Accounts.AccountList(ctx)
	if err != nil {
		return Account{}, false, err
	}
	for _, a := range all {
		if !a.Service && a.Name == strings.ToLower(strings.TrimSpace(name)) {
			return a, true, nil
		}
	}
	return Account{}, false, nil
}

// AccountByID returns an account; ErrNotFound if there is none.
func (s *Service) AccountByID(ctx context.Context, id string) (Account, error) {
	return s.Accounts.Account(ctx, id)
}

// FirstLink makes sure that somebody can sign in: if no owner of all tenants has a password, it returns a new
// one-time link of the one named name, who is made if need be. Otherwise the link is "".
func (s *Service) FirstLink(ctx context.Context, by audit.Actor, name string) (Account, string, error) {
	all, err := s.Accounts.AccountList(ctx)
	if err != nil {
		return Account{}, "", err
	}
	var first Account
	for _, a := range all {
		if a.Service {
			continue
		}
		if a.Name != name || a.HasPassword() {
			return Account{}, "", nil // administrators are made already; the command line makes links for them
		}
		first = a
	}
	if first.ID == "" {
		if first, err = s.CreateAdministrator(ctx, by, NewAccount{Name: name, Role: Owner}); err != nil {
			if errors.Is(err, ErrExists) { // another node was quicker
				return Account{}, "", nil
			}
			return Account{}, "", err
		}
	}
	link, err := s.CreateLink(ctx, by, first)
	return first, link, err
}

// argon hashes a password when its turn has come.
func argon(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case hashing <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to check a password: %w", ctx.Err())
	}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, 1, argonKey), nil
}
