package csv

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/provost-scim/provost/source"
)

// membersColumn names the column of the groups file with the keys of the members, separated by memberSeparator.
const (
	membersColumn   = "members"
	memberSeparator = ";"
)

// table is one file while it is read.
type table struct {
	*Source
	kind  source.Kind
	path  string
	field string            // of the configuration
	seen  map[string]string // keys → where they were, across both files
	rows  *csv.Reader
	names []string // columns, lower case
	keyAt int
}

// at is the error of a place in the file. Lines and columns count from 1, columns in bytes.
func (t *table) at(line, column int, format string, args ...any) error {
	return &source.Error{Fault: source.Malformed, Field: t.field, Msg: fmt.Sprintf("%s line %d column %d: %s", t.path, line, column, fmt.Sprintf(format, args...)),
		Next: "correct the file; nothing of it was used"}
}

// fieldAt is at for a field of the row that was read last.
func (t *table) fieldAt(i int, format string, args ...any) error {
	line, column := t.rows.FieldPos(i)
	return t.at(line, column, format, args...)
}

func (t *table) read(in *input, each func(source.Record) error) error {
	t.rows = csv.NewReader(in)
	t.rows.Comma, t.rows.ReuseRecord = t.comma, true
	if err := t.header(); err != nil {
		return err
	}
	var open *source.Record // the group that the next line may continue
	var where string
	count := 0
	for {
		row, err := t.rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t.broken(err)
		}
		rec, err := t.record(row)
		if err != nil {
			return err
		}
		line, _ := t.rows.FieldPos(0)
		if open != nil && open.Key == rec.Key && t.kind == source.Group {
			if err := t.join(open, rec, row); err != nil {
				return err
			}
			continue
		}
		if first, again := t.seen[rec.Key]; again {
			return t.fieldAt(t.keyAt, "%s %q is taken by %s", t.key, rec.Key, first)
		}
		where = fmt.Sprintf("%s line %d", t.path, line)
		t.seen[rec.Key] = where
		count++
		if open != nil {
			if err := each(*open); err != nil {
				return err
			}
		}
		open = &rec
	}
	if open == nil && !t.config.AllowEmpty {
		return &source.Error{Fault: source.Partial, Field: t.field, Msg: t.path + " has no row below the column names, and an empty source is not believed",
			Next: "set allow_empty if it is meant to be empty"}
	}
	if in.last != '\n' {
		return &source.Error{Fault: source.Partial, Field: t.field, Msg: t.path + " does not end with a line break: its end may be missing",
			Next: "end the last line with a line break"}
	}
	if open != nil {
		return each(*open)
	}
	return nil
}

func (t *table) broken(err error) error {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		switch {
		case errors.Is(p.Err, csv.ErrFieldCount):
			line, _ := t.rows.FieldPos(0)
			return t.at(line, 1, "the row has another number of fields than there are columns (%d)", len(t.names))
		case errors.Is(p.Err, csv.ErrQuote):
			return t.at(p.Line, p.Column, "a quote is missing or not doubled (the row begins at line %d)", p.StartLine)
		case errors.Is(p.Err, csv.ErrBareQuote):
			return t.at(p.Line, p.Column, "a quote stands in a field that does not begin with one")
		}
		return t.at(p.Line, p.Column, "%v", p.Err)
	}
	return t.unreadable(t.kind, err)
}

func (t *table) header() error {
	row, err := t.rows.Read()
	if errors.Is(err, io.EOF) {
		return t.at(1, 1, "the file is empty: its first line must name the columns")
	}
	if err != nil {
		return t.broken(err)
	}
	if len(row) > MaxColumns {
		return t.at(1, 1, "%d columns, at most %d are allowed", len(row), MaxColumns)
	}
	t.keyAt = -1
	for i, name := range row {
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case name == "" || !utf8.ValidString(name):
			return t.fieldAt(i, "the column has no name")
		case name == t.key && t.keyAt >= 0:
			return t.fieldAt(i, "a second column %s: the key has one value", t.key)
		case name == t.key:
			t.keyAt = i
		}
		t.names = append(t.names, name)
	}
	if t.keyAt < 0 {
		return t.at(1, 1, "there is no column %q, which identifies each row", t.key)
	}
	if t.kind == source.Group && !slices.Contains(t.names, membersColumn) {
		return t.at(1, 1, "there is no column %q with the keys of the members", membersColumn)
	}
	return nil
}

func (t *table) record(row []string) (source.Record, error) {
	rec := source.Record{Kind: t.kind, Attrs: make(map[string][]string, len(row))}
	for i, value := range row {
		if !utf8.ValidString(value) {
			return rec, t.fieldAt(i, "%s is not UTF-8 text", t.names[i])
		}
		if len(value) > MaxField {
			return rec, t.fieldAt(i, "%s is longer than %d MiB", t.names[i], MaxField>>20)
		}
		if value = strings.TrimSpace(strings.Clone(value)); value == "" {
			continue
		}
		if name := t.names[i]; t.kind == source.Group && name == membersColumn {
			for m := range strings.SplitSeq(value, memberSeparator) {
				if m = strings.TrimSpace(m); m != "" {
					rec.Members = append(rec.Members, m)
				}
			}
		} else {
			rec.Attrs[name] = append(rec.Attrs[name], value)
		}
	}
	if len(rec.Attrs[t.key]) == 0 {
		return rec, t.fieldAt(t.keyAt, "%s is empty, but it identifies the row", t.key)
	}
	rec.Key = rec.Attrs[t.key][0]
	rec.Name = rec.Key
	return rec, nil
}

// join adds a further line of a group to its record.
func (t *table) join(open *source.Record, more source.Record, row []string) error {
	for i, name := range t.names {
		if name == membersColumn || strings.TrimSpace(row[i]) == "" {
			continue
		}
		if !slices.Contains(open.Attrs[name], strings.TrimSpace(row[i])) {
			return t.fieldAt(i, "%s differs from the line before, which has the same %s", name, t.key)
		}
	}
	open.Members = append(open.Members, more.Members...)
	return nil
}
