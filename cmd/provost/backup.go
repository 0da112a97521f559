package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/provost-scim/provost/store"
)

type backupCmd struct {
	Create  backupCreateCmd  `cmd:"" help:"Write a consistent copy of everything into a file, beside a running server."`
	Verify  backupVerifyCmd  `cmd:"" help:"Check that a backup is whole."`
	Restore backupRestoreCmd `cmd:"" help:"Fill an empty store from a backup, of SQLite or PostgreSQL alike."`
}

type backupCreateCmd struct {
	storeFlags
	File string `arg:"" help:"File to write, which must not exist yet; - for standard output."`
}

func (c *backupCreateCmd) Run(ctx context.Context, t *terminal) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.File == "-" {
		return db.Backup(ctx, t.out)
	}
	size, err := writeWhole(c.File, func(w io.Writer) error { return db.Backup(ctx, w) })
	if err != nil {
		return &failure{what: "no backup was made", err: err, kept: "the store is as it was and no file is left behind", next: "put right what is named here and try again"}
	}
	t.note("wrote %s, %s; check it with: provost backup verify %s", c.File, bytesText(size), c.File)
	return nil
}

// writeWhole makes a file that is either whole and on the disk, or not there. It refuses to replace one.
func writeWhole(name string, write func(io.Writer) error) (size int64, err error) {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return 0, err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err = write(f); err != nil {
		return 0, err
	}
	if err = f.Sync(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if err = f.Close(); err != nil {
		return 0, err
	}
	return info.Size(), os.Rename(f.Name(), name)
}

type backupVerifyCmd struct {
	File string `arg:"" help:"The backup, - for standard input."`
}

func (c *backupVerifyCmd) Run(t *terminal) error {
	in, closer, err := t.openInput(c.File)
	if err != nil {
		return err
	}
	defer closer()
	if err := store.VerifyBackup(in); err != nil {
		return &failure{what: c.File + " is no whole backup", err: err, next: "make a new one: provost backup create FILE", code: exitPending}
	}
	t.note("%s is whole", c.File)
	return nil
}

type backupRestoreCmd struct {
	storeFlags
	File string `arg:"" help:"The backup, - for standard input."`
}

func (c *backupRestoreCmd) Run(ctx context.Context, t *terminal) error {
	in, closer, err := t.openInput(c.File)
	if err != nil {
		return err
	}
	defer closer()
	db, err := c.openAny(ctx, true, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Restore(ctx, in); err != nil {
		return &failure{what: "the backup was not restored", err: err, kept: "the store at " + c.name() + " is as it was",
			next: "provost backup verify " + c.File + ", and restore into an empty store"}
	}
	t.note("restored into %s; tokens work as before", c.name())
	return nil
}
