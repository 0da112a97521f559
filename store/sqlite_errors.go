package store

import (
	"context"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

func (e *sqliteEngine) classify(err error) fault {
	if errors.Is(err, context.DeadlineExceeded) {
		return faultTimeout
	}
	if errors.Is(err, errLost) {
		return faultUnavailable
	}
	se, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return faultOther
	}
	switch se.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return faultPrimary
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return faultUnique
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return faultForeign
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_INTERRUPT:
		return faultTimeout
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL:
		return faultUnavailable
	}
	return faultOther
}
