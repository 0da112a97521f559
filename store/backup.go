package store

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"
)

// A backup is gzip of lines of JSON: a header, then for each table a line that names it and its columns and one
// array per row, and at the end the number of lines and the SHA-256 of everything before. Bytes are
// {"b64": "…"}. It is the same for both engines.

// backupFormat is the version of this form.
const backupFormat = 1

type backupHeader struct {
	Format  int       `json:"provostBackup"`
	Schema  int64     `json:"schema"` // the newest migration that the data has
	Created time.Time `json:"created"`
}

type backupTable struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

type backupEnd struct {
	Lines  int64  `json:"lines"`
	SHA256 string `json:"sha256"`
}

type backupBytes struct {
	B64 []byte `json:"b64"`
}

// backupTables are all tables with their columns, in the order in which rows can be inserted. The first columns
// of each are its key.
var backupTables = []backupTable{
	{"tenant", split("id name display created disabled settings")},
	{"client", split("tenant id name profile me rate burst concurrent created created_by revoked")},
	{"token", split("id tenant client kind hash hint created created_by expires revoked last_used last_addr last_agent")},
	{"account", split("id tenant service name role created created_by expires disabled hash last_used")},
	{"secret", split("name value")},
	{"schema_version", split("tenant version at definition")},
	{"resource", split("tenant rtype id uniq display active external created modified version doc")},
	{"attr", split("tenant rtype path val id elem typ")},
	{"member", split("tenant gid mid gtype mtype")},
	{"counter", split("tenant rtype slot n")},
	{"change", split("tenant seq at actor_kind actor_id actor_name request action rtype rid name version diff")},
	{"trash", split("tenant rtype id uniq display active external created modified version doc attrs members deleted purge")},
	{"request", split("tenant at id client resource status entry")},
	{"gone", split("tenant")},
	{"source", split("name spec created modified version")},
	{"channel", split("id name source spec paused created modified version generation position status")},
	{"lease", split("channel fence holder expires")},
	{"mirror", split("channel okey kind name hash attrs")},
	{"mirror_member", split("channel gkey name mkey")},
	{"staged", split("channel okey kind name hash attrs")},
	{"staged_member", split("channel gkey name")},
	{"dirty", split("channel kind okey reason since attempts retry problem")},
	{"link", split("channel okey kind target state provenance doc since changed expires version")},
	{"link_member", split("channel gkey mkey")},
	{"reference", split("channel okey path rkey")},
	{"journal", split("channel okey part kind verb target doc looked fence at")},
	{"held", split("channel okey verb kind title reason rule members state since decided by_whom")},
	{"removal", split("channel at objects memberships")},
	{"provisioning_log", split("channel seq at cycle okey target action status entry")},
}

func split(s string) []string { return strings.Fields(s) }

// Backup writes everything, as it is at one moment, while others go on working. The backup holds the hashes of
// tokens and the secrets of the server: keep it as safe as the database.
func (db *DB) Backup(ctx context.Context, w io.Writer) error {
	version, err := db.schemaVersion(ctx)
	if err != nil {
		return err
	}
	c, err := db.e.snapshot(ctx)
	if err != nil {
		return db.fault(err)
	}
	defer c.rollback()
	z := gzip.NewWriter(w)
	b := &backupWriter{w: bufio.NewWriter(z), sum: sha256.New()}
	if err := b.line(backupHeader{backupFormat, version, db.now().UTC()}); err != nil {
		return err
	}
	for _, table := range backupTables {
		if err := b.table(ctx, c, table); err != nil {
			return db.fault(fmt.Errorf("back up %s: %w", table.Table, err))
		}
	}
	if err := b.line(backupEnd{b.lines, hex.EncodeToString(b.sum.Sum(nil))}); err != nil {
		return err
	}
	if err := b.w.Flush(); err != nil {
		return err
	}
	return z.Close()
}

func (db *DB) schemaVersion(ctx context.Context) (version int64, err error) {
	list, err := db.Migrations(ctx)
	for _, m := range list {
		if m.Applied {
			version = m.Version
		}
	}
	return version, err
}

type backupWriter struct {
	w     *bufio.Writer
	sum   hash.Hash
	lines int64
}

func (b *backupWriter) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	b.sum.Write(text)
	b.lines++
	_, err = b.w.Write(text)
	return err
}

func (b *backupWriter) table(ctx context.Context, c conn, t backupTable) error {
	if err := b.line(t); err != nil {
		return err
	}
	row, dest := make([]any, len(t.Columns)), make([]any, len(t.Columns))
	for i := range row {
		dest[i] = &row[i]
	}
	return c.do(ctx, stmt{sql: "select " + strings.Join(t.Columns, ", ") + " from " + t.Table, each: func(scan func(...any) error) error {
		if err := scan(dest...); err != nil {
			return err
		}
		for i, v := range row {
			if bytes, ok := v.([]byte); ok {
				row[i] = backupBytes{bytes}
			}
		}
		return b.line(row)
	}})
}
