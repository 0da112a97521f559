package store_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/store"
	"github.com/provost-scim/provost/store/storetest"
)

// TestBackup carries data from each engine to each.
func TestBackup(t *testing.T) {
	engines := map[string]func(*testing.T) *store.DB{"SQLite": openSQLite, "Postgres": openPostgres}
	for from, openFrom := range engines {
		source := openFrom(t)
		want := storetest.Fill(t, source)
		var file bytes.Buffer
		if err := source.Backup(t.Context(), &file); err != nil {
			t.Fatal(err)
		}
		if err := store.VerifyBackup(bytes.NewReader(file.Bytes())); err != nil {
			t.Fatal(err)
		}
		if err := source.Restore(t.Context(), bytes.NewReader(file.Bytes())); !errors.Is(err, store.ErrNotEmpty) {
			t.Errorf("restore into a full store: got %v, want ErrNotEmpty", err)
		}
		for to, openTo := range engines {
			t.Run(from+" to "+to, func(t *testing.T) {
				target := openTo(t)
				if err := target.Restore(t.Context(), bytes.NewReader(file.Bytes())); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, storetest.Contents(t, target)); d != "" {
					t.Errorf("restored (-want +got):\n%s", d)
				}
				storetest.UseRestored(t, target)
			})
		}
	}
}

// TestDamagedBackup cuts and changes a backup in every place that has a meaning of its own.
func TestDamagedBackup(t *testing.T) {
	source := openSQLite(t)
	want := storetest.Fill(t, source)
	var file bytes.Buffer
	if err := source.Backup(t.Context(), &file); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(raw), "\n")
	lines = lines[:len(lines)-1]
	last := len(lines) - 1
	for name, damage := range map[string][]string{
		"nothing":          {},
		"no header":        lines[1:],
		"no end":           lines[:last],
		"half":             lines[:last/2],
		"a row less":       append(append([]string(nil), lines[:last/2]...), lines[last/2+1:]...),
		"a row twice":      append(append([]string(nil), lines[:last]...), lines[last-1], lines[last]),
		"something behind": append(append([]string(nil), lines...), lines[1]),
		"other form":       append([]string{strings.Replace(lines[0], `"provostBackup":1`, `"provostBackup":9`, 1)}, lines[1:]...),
		"other schema":     append([]string{strings.Replace(lines[0], `"schema":`, `"schema":9`, 1)}, lines[1:]...),
		"changed letter":   {strings.Replace(strings.Join(lines, ""), "userName", "userNane", 1)},
		"column less":      {strings.Replace(strings.Join(lines, ""), `,"settings"`, ``, 1)},
	} {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		for _, l := range damage {
			_, _ = io.WriteString(w, l)
		}
		w.Close()
		if err := store.VerifyBackup(bytes.NewReader(b.Bytes())); err == nil && name != "other schema" {
			t.Errorf("%s: verified", name)
		}
		target := openSQLite(t)
		if err := target.Restore(t.Context(), bytes.NewReader(b.Bytes())); err == nil {
			t.Errorf("%s: restored", name)
		}
		if err := target.Restore(t.Context(), bytes.NewReader(file.Bytes())); err != nil {
			t.Errorf("%s left something behind: %v", name, err)
		}
		if d := cmp.Diff(want, storetest.Contents(t, target)); d != "" {
			t.Errorf("%s: the good backup restored later (-want +got):\n%s", name, d)
		}
	}
	for name, text := range map[string]string{"no gzip": "hello", "cut gzip": file.String()[:file.Len()/2]} {
		if err := store.VerifyBackup(strings.NewReader(text)); err == nil {
			t.Errorf("%s: verified", name)
		}
	}
}
