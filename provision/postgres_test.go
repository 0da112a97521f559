package provision_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/provost-scim/provost/store"
	"github.com/provost-scim/provost/store/pgtest"
)

// sharedPostgres is one migrated database for all tests of this package, each of which has channels of its own in it:
// making a database takes longer than most tests. It goes with the process.
var sharedPostgres = sync.OnceValues(func() (string, error) {
	where := pgtest.URL(&process{})
	db, err := store.Open(context.Background(), where, store.Options{Migrate: true})
	if err != nil {
		return "", err
	}
	return where, db.Close()
})

// process stands for the whole test process where pgtest wants a test.
type process struct{ testing.TB }

func (p *process) Helper()        {}
func (p *process) Cleanup(func()) {}

func (p *process) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
