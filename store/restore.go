package store

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
)

// maxBackupLine bounds one row of a backup.
const maxBackupLine = 256 << 20

// restoreRows is how many rows go to the database at a time.
const restoreRows = 500

// ErrNotEmpty says that a store has data, so nothing is restored into it.
var ErrNotEmpty = errors.New("the store is not empty: a backup is restored into a new one only")

// VerifyBackup reads a backup to its end and checks that it is whole.
func VerifyBackup(r io.Reader) error {
	_, err := readBackup(r, func(backupTable, [][]any) error { return nil })
	return err
}

// Restore puts a backup into an empty store, of either engine: all of it or nothing.
func (db *DB) Restore(ctx context.Context, r io.Reader) error {
	version, err := db.schemaVersion(ctx)
	if err != nil {
		return err
	}
	err = db.restore(ctx, r, version)
	if err != nil {
		return db.fault(err)
	}
	return db.setClock(ctx)
}

func (db *DB) restore(ctx context.Context, r io.Reader, version int64) error {
	c, err := db.e.begin(ctx, false)
	if err != nil {
		return err
	}
	defer c.rollback()
	for _, t := range backupTables {
		found := false
		if err := c.do(ctx, stmt{sql: "select 1 from " + t.Table + " limit 1", each: func(scan func(...any) error) error {
			found = t.Table != "secret" // a server makes these by itself
			var one int
			return scan(&one)
		}}); err != nil {
			return err
		}
		if found {
			return ErrNotEmpty
		}
	}
	if err := c.do(ctx, stmt{sql: "delete from secret"}); err != nil {
		return err
	}
	head, err := readBackup(r, func(t backupTable, rows [][]any) error { return insertRows(ctx, c, t, rows) })
	if err != nil {
		return err
	}
	if head.Schema != version {
		return fmt.Errorf("the backup has version %d of the schema and this store version %d: restore it with the Provost that made it, then migrate", head.Schema, version)
	}
	if db.d.postgres {
		for _, table := range []string{"tenant", "channel"} {
			if err := c.do(ctx, stmt{sql: "select setval(pg_get_serial_sequence('" + table + "', 'id'), (select coalesce(max(id), 0) + 1 from " + table + "), false)"}); err != nil {
				return err
			}
		}
	}
	return c.commit(ctx)
}

func insertRows(ctx context.Context, c conn, t backupTable, rows [][]any) error {
	batch := make([]stmt, len(rows))
	places := make([]string, len(t.Columns))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	sql := "insert into " + t.Table + " (" + strings.Join(t.Columns, ", ") + ") values (" + strings.Join(places, ", ") + ")"
	for i, row := range rows {
		batch[i] = stmt{sql: sql, args: row}
	}
	if len(batch) == 0 {
		return nil
	}
	return c.do(ctx, batch...)
}

// readBackup reads a backup and hands its rows on in portions. An error at the end, such as a wrong checksum,
// comes after all rows were handed on.
func readBackup(r io.Reader, rows func(backupTable, [][]any) error) (head backupHeader, err error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return head, damaged("it is not compressed as backups are", err)
	}
	b := &backupReader{r: bufio.NewReaderSize(z, 1<<16), sum: sha256.New()}
	line, _, err := b.next()
	if err != nil {
		return head, err
	}
	if err := strict(line, &head); err != nil || head.Format == 0 {
		return head, damaged("its first line is no header", err)
	}
	if head.Format != backupFormat {
		return head, fmt.Errorf("the backup has form %d, this program reads form %d", head.Format, backupFormat)
	}
	if err := b.tables(rows); err != nil {
		return head, err
	}
	if _, _, err := b.next(); !errors.Is(err, io.EOF) {
		return head, damaged("something follows its end", nil)
	}
	return head, nil
}

func damaged(what string, err error) error {
	if err != nil {
		return fmt.Errorf("the backup is damaged: %s: %w", what, err)
	}
	return fmt.Errorf("the backup is damaged: %s", what)
}

type backupReader struct {
	r     *bufio.Reader
	sum   hash.Hash
	lines int64
}

// next reads a line; before is the checksum of everything in front of it.
func (b *backupReader) next() (line []byte, before string, err error) {
	for {
		part, err := b.r.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			break
		}
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil, "", fmt.Errorf("the backup is damaged: it ends too early: %w", io.EOF)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, "", damaged("it cannot be read on", err)
		}
		if len(line) > maxBackupLine {
			return nil, "", damaged("a line has no end", nil)
		}
	}
	before = hex.EncodeToString(b.sum.Sum(nil))
	b.sum.Write(line)
	b.lines++
	return line, before, nil
}

// tables reads up to the end mark. The tables come in the order of backupTables.
func (b *backupReader) tables(rows func(backupTable, [][]any) error) error {
	var table backupTable
	var pending [][]any
	done := 0
	for {
		line, before, err := b.next()
		if err != nil {
			return err
		}
		if line[0] == '[' {
			row, err := backupRow(line, len(table.Columns))
			if err != nil {
				return damaged("a row of "+table.Table, err)
			}
			if pending = append(pending, row); len(pending) < restoreRows {
				continue
			}
		}
		if err := rows(table, pending); err != nil {
			return err
		}
		pending = pending[:0]
		if line[0] == '[' {
			continue
		}
		var end backupEnd
		if strict(line, &end) == nil {
			return b.checkEnd(end, before, done)
		}
		if done == len(backupTables) || strict(line, &table) != nil || table.Table != backupTables[done].Table ||
			!slices.Equal(table.Columns, backupTables[done].Columns) {
			return damaged("a table is unknown, missing or out of order", nil)
		}
		done++
	}
}

func (b *backupReader) checkEnd(end backupEnd, sum string, tables int) error {
	switch {
	case tables != len(backupTables):
		return damaged("tables are missing", nil)
	case end.Lines != b.lines-1:
		return damaged(fmt.Sprintf("it has %d lines and should have %d", b.lines-1, end.Lines), nil)
	case end.SHA256 != sum:
		return damaged("its checksum is wrong", nil)
	}
	return nil
}

// strict decodes a line that has the fields of v and no others.
func strict(line []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func backupRow(line []byte, columns int) ([]any, error) {
	var row []any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&row); err != nil {
		return nil, err
	}
	if len(row) != columns {
		return nil, fmt.Errorf("%d values for %d columns", len(row), columns)
	}
	for i, v := range row {
		switch v := v.(type) {
		case nil, string:
		case json.Number:
			if n, err := v.Int64(); err == nil {
				row[i] = n
			} else if row[i], err = v.Float64(); err != nil {
				return nil, err
			}
		case map[string]any:
			text, _ := v["b64"].(string)
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return nil, err
			}
			row[i] = raw
		default:
			return nil, fmt.Errorf("a value of type %T", v)
		}
	}
	return row, nil
}
