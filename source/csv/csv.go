// Package csv reads people and groups from two comma-separated files (RFC 4180).
//
// The first line of a file names its columns; the names, in lower case, are the attributes of the records. A column
// name that comes twice makes one attribute of two values. An empty field is no value. One column, "id" unless the
// configuration names another, is the key: it identifies the person or group for good, is never empty and unique
// across both files. The groups file has a column "members" with the keys of people or groups, separated by ";". A
// group with many members may take several lines with the same key: each adds members, and the other columns hold
// the same values again or nothing.
//
// A read is sealed only if both files were read to their last line break and did not change meanwhile. A file that
// cannot be understood in one place is not read at all.
package csv

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/provost-scim/provost/source"
)

// Limits.
const (
	MaxFile    = 1 << 30 // bytes of one file
	MaxColumns = 1_000
	MaxField   = 16 << 20 // bytes of one field
)

// Config names the files.
type Config struct {
	PeopleFile string `json:"people_file,omitempty" yaml:"people_file,omitempty"`
	GroupsFile string `json:"groups_file,omitempty" yaml:"groups_file,omitempty"`
	// Key is the column that identifies a row for good. Empty: "id".
	Key string `json:"key,omitempty" yaml:"key,omitempty"`
	// Delimiter stands between fields, one character. Empty: a comma.
	Delimiter string `json:"delimiter,omitempty" yaml:"delimiter,omitempty"`
	// AllowEmpty lets a file without a single row be believed.
	AllowEmpty bool `json:"allow_empty,omitempty" yaml:"allow_empty,omitempty"`
}

// Source reads the files anew for every Read. It is safe for concurrent use.
type Source struct {
	config Config
	key    string
	comma  rune
}

var (
	_ source.Source  = (*Source)(nil)
	_ source.Counter = (*Source)(nil)
	_ source.Browser = (*Source)(nil)
)

func wrong(field, msg, next string) error {
	return &source.Error{Fault: source.Misconfigured, Field: field, Msg: msg, Next: next}
}

// New checks the configuration and returns its source. It opens no file.
func New(c Config) (*Source, error) {
	if c.PeopleFile == "" && c.GroupsFile == "" {
		return nil, wrong("people_file", "no file is named", "set people_file, groups_file or both")
	}
	s := &Source{config: c, key: strings.ToLower(strings.TrimSpace(c.Key)), comma: ','}
	if s.key == "" {
		s.key = "id"
	}
	if s.key == membersColumn {
		return nil, wrong("key", "the column members cannot be the key", "name another one")
	}
	if c.Delimiter != "" {
		r, size := utf8.DecodeRuneInString(c.Delimiter)
		if size != len(c.Delimiter) || r == utf8.RuneError || strings.ContainsRune("\"\r\n", r) {
			return nil, wrong("delimiter", fmt.Sprintf("%q is not one character that can separate fields", c.Delimiter), "use , or ; or a tab")
		}
		s.comma = r
	}
	return s, nil
}

// cursor holds digests of what was read.
type cursor struct {
	People string `json:"people,omitempty"`
	Groups string `json:"groups,omitempty"`
	Config string `json:"config"`
}

// Read implements source.Source. Files that are the same as at the cursor make an empty delta, others a full read.
func (s *Source) Read(ctx context.Context, since source.Cursor, each func(source.Record) error) (source.Seal, error) {
	now, err := s.digests()
	if err != nil {
		return source.Seal{}, err
	}
	next, err := json.Marshal(now)
	if err != nil {
		return source.Seal{}, err
	}
	if bytes.Equal(since, next) {
		return source.Seal{Next: next, Feed: "file", Reason: "the files are the same as before"}, nil
	}
	seen := map[string]string{}
	if err := s.file(ctx, source.Person, now.People, seen, each); err != nil {
		return source.Seal{}, err
	}
	if err := s.file(ctx, source.Group, now.Groups, seen, each); err != nil {
		return source.Seal{}, err
	}
	reason := "full: the files or the configuration changed"
	if len(since) == 0 {
		reason = "full: the first read"
	}
	return source.Seal{Full: true, Next: next, Feed: "full", Reason: reason}, nil
}

func (s *Source) path(kind source.Kind) (path, field string) {
	if kind == source.Group {
		return s.config.GroupsFile, "groups_file"
	}
	return s.config.PeopleFile, "people_file"
}

func (s *Source) digests() (cursor, error) {
	config, err := json.Marshal(s.config)
	if err != nil {
		return cursor{}, err
	}
	sum := sha256.Sum256(config)
	c := cursor{Config: hex.EncodeToString(sum[:8])}
	if c.People, err = s.digest(source.Person); err == nil {
		c.Groups, err = s.digest(source.Group)
	}
	return c, err
}

func (s *Source) digest(kind source.Kind) (string, error) {
	f, err := s.open(kind)
	if f == nil || err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", s.unreadable(kind, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// open opens a file, nil if none is configured for the kind.
func (s *Source) open(kind source.Kind) (*os.File, error) {
	path, field := s.path(kind)
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, s.unreadable(kind, err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		err = s.unreadable(kind, err)
	case !info.Mode().IsRegular():
		err = wrong(field, path+" is not a file", "name a comma-separated file")
	case info.Size() > MaxFile:
		err = &source.Error{Fault: source.Malformed, Field: field, Msg: fmt.Sprintf("%s is larger than %d MiB", path, MaxFile>>20)}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (s *Source) unreadable(kind source.Kind, err error) error {
	_, field := s.path(kind)
	return &source.Error{Fault: source.Unreachable, Field: field, Msg: "cannot be read", Err: err, Next: "check the path and its permissions"}
}

// file hands over the records of one file and makes sure that it was the one with the digest, to its end.
func (s *Source) file(ctx context.Context, kind source.Kind, digest string, seen map[string]string, each func(source.Record) error) error {
	f, err := s.open(kind)
	if f == nil || err != nil {
		return err
	}
	defer f.Close()
	path, field := s.path(kind)
	in := &input{r: f, hash: sha256.New(), ctx: ctx}
	t := &table{Source: s, kind: kind, path: path, field: field, seen: seen}
	if err := t.read(in, each); err != nil {
		return err
	}
	if digest != "" && hex.EncodeToString(in.hash.Sum(nil)) != digest {
		return &source.Error{Fault: source.Partial, Field: field, Msg: path + " changed while it was read", Next: "write to another file and rename it when it is complete"}
	}
	return nil
}

// input is a file with a digest and without a byte order mark; it ends when the context does.
type input struct {
	r     io.Reader
	hash  hash.Hash
	ctx   context.Context
	begun bool
	last  byte
}

func (in *input) Read(p []byte) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := in.r.Read(p)
	in.hash.Write(p[:n])
	if n > 0 {
		in.last = p[n-1]
	}
	if !in.begun && n > 0 {
		in.begun = true
		if mark := []byte("\uFEFF"); bytes.HasPrefix(p[:n], mark) {
			n = copy(p, p[len(mark):n])
		}
	}
	return n, err
}
