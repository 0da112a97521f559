package store

import (
	"context"
)

// A stmt is one SQL statement of a batch.
type stmt struct {
	sql  string
	args []any
	each func(scan func(dest ...any) error) error // called for every row; nil if no rows are wanted
	n    *int64                                   // receives the number of rows affected; may be nil
}

// conn runs statements in order. PostgreSQL gets them in one round trip; the first that fails ends the batch.
type conn interface {
	do(ctx context.Context, batch ...stmt) error
}

// txConn is a conn within a transaction.
type txConn interface {
	conn
	commit(ctx context.Context) error
	rollback()
}

// engine is what differs between SQLite and PostgreSQL: how statements reach the database, and the few pieces
// of SQL that are not the same.
type engine interface {
	// reader runs statements outside a transaction. For a scan of a whole tenant it hands out few connections, so that
	// indexed reads always find a free one; done gives it back.
	reader(ctx context.Context, scan bool) (c conn, done func(), err error)

	// once runs the batch as a transaction of its own, in one round trip.
	once(ctx context.Context, batch ...stmt) error

	// begin starts a transaction that writes. A short one does little and waits for nothing.
	begin(ctx context.Context, short bool) (txConn, error)

	// snapshot starts a transaction that reads one consistent state, without the limit on time.
	snapshot(ctx context.Context) (txConn, error)

	classify(err error) fault
	dialect() *dialect
	ping(ctx context.Context) error
	migrator() (migrator, error)
	close() error
}

// fault is what an error of the engine means, by its code.
type fault int

const (
	faultOther       fault = iota
	faultPrimary           // a primary key is taken
	faultUnique            // a unique value is taken
	faultForeign           // a row that is referred to is missing, or still referred to
	faultRetry             // serialization failure or deadlock: the transaction can be tried again
	faultGuard             // a guard of a batch failed, see dialect.guard
	faultTimeout           // the statement took too long
	faultText              // text that the database cannot hold
	faultUnavailable       // no connection, disk full, too many connections, shutting down
)

// one reads the first row of a query.
func one(ctx context.Context, c conn, sql string, args []any, dest ...any) (found bool, err error) {
	err = c.do(ctx, stmt{sql: sql, args: args, each: func(scan func(...any) error) error {
		if found {
			return nil
		}
		found = true
		return scan(dest...)
	}})
	return found, err
}
