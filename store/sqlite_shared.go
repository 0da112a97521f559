package store

import (
	"context"
	"errors"
	"fmt"
)

// Writers of a SQLite file take turns, and each commit waits for the disk. So short transactions that wait at
// the same time share one commit: each does its part, behind a savepoint, in the transaction that the first has
// begun, and hands the connection on. Whoever gets it back with nobody left in front commits for all, and only
// then is any of them told that its part is done. Those that wait for the connection get it in the order in
// which they came, so a transaction is shared by those who waited when its first part was finished, and by
// nobody who came later. Alone, a writer commits at once.

// sharedTx is a transaction with the parts of one or several writers.
type sharedTx struct {
	parts int           // finished parts
	done  chan struct{} // closed when the transaction has ended
	err   error         // why nothing of it is stored; read it once done is closed
}

// errLost says that SQLite rolled the whole transaction back because of another part.
var errLost = errors.New("the transaction was lost with another one that shared its commit")

// begin starts a transaction on the connection that writes. A short one may share its commit with others; one
// that is not short has a transaction for itself, so that nobody waits for it.
func (e *sqliteEngine) begin(ctx context.Context, short bool) (txConn, error) {
	var c *sqliteConn
	select {
	case c = <-e.write:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c.shared != nil && !short {
		c.end(c.do(context.Background(), stmt{sql: "commit"}))
	}
	p := &sqlitePart{sqliteConn: c, e: e, short: short, first: c.shared == nil}
	start := "savepoint part"
	if p.first {
		start = "begin immediate"
	}
	if err := c.do(ctx, stmt{sql: start}); err != nil {
		e.write <- c
		return nil, err
	}
	if p.first {
		c.shared = &sharedTx{done: make(chan struct{})}
	}
	return p, nil
}

// end tells all who took part how the transaction ended. A failed one is rolled back, if SQLite has not done
// that already.
func (c *sqliteConn) end(err error) {
	if err != nil {
		_ = c.do(context.Background(), stmt{sql: "rollback"}) // nothing may be open any more
	}
	c.shared.err = err
	close(c.shared.done)
	c.shared = nil
}

// sqlitePart is one writer's part of a transaction.
type sqlitePart struct {
	*sqliteConn
	e     *sqliteEngine
	short bool
	first bool // of the transaction: there is nothing else to be undone
	over  bool
	lost  error // what made SQLite roll back the whole transaction
}

// do runs statements. After an error with which SQLite rolls the whole transaction back, statements would take
// effect one by one: none is run any more.
func (p *sqlitePart) do(ctx context.Context, batch ...stmt) error {
	if p.lost != nil {
		return p.lost
	}
	err := p.sqliteConn.do(ctx, batch...)
	if err != nil && p.e.classify(err) == faultUnavailable {
		p.lost = err
	}
	return err
}

func (p *sqlitePart) commit(context.Context) error {
	if p.lost != nil {
		return p.lost
	}
	own := p.shared
	if !p.first {
		if err := p.do(context.Background(), stmt{sql: "release savepoint part"}); err != nil {
			return err
		}
	}
	p.over = true
	own.parts++
	if !p.short {
		p.end(p.sqliteConn.do(context.Background(), stmt{sql: "commit"}))
		p.e.write <- p.sqliteConn
		return own.err
	}
	p.e.write <- p.sqliteConn // to the one who waits longest
	return p.e.await(own)
}

// await returns when the transaction has ended, and ends it if the connection comes back first.
func (e *sqliteEngine) await(t *sharedTx) error {
	select {
	case <-t.done:
	case c := <-e.write:
		if c.shared == t {
			c.end(c.do(context.Background(), stmt{sql: "commit"}))
		}
		e.write <- c
		<-t.done
	}
	return t.err
}

// rollback undoes the part. If others have a part in the transaction it waits for their commit, so that nobody
// is told of a conflict with something that is not stored.
func (p *sqlitePart) rollback() {
	if p.over {
		return
	}
	p.over = true
	own := p.shared
	switch {
	case p.first:
		p.end(errLost) // nobody else was told of it yet
	case p.undo() != nil:
		p.end(fmt.Errorf("%w: %w", errLost, p.lost))
	default:
		p.e.write <- p.sqliteConn
		_ = p.e.await(own) // those whose parts it holds are told
		return
	}
	p.e.write <- p.sqliteConn
}

// undo takes back this part alone.
func (p *sqlitePart) undo() error {
	err := p.lost
	for _, sql := range []string{"rollback to savepoint part", "release savepoint part"} {
		if err == nil {
			err = p.sqliteConn.do(context.Background(), stmt{sql: sql})
		}
	}
	if err != nil && p.lost == nil {
		p.lost = err
	}
	return err
}
