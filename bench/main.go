// Command bench measures Provost side by side with what its stack can do, in one run, and prints ratios: against
// a net/http server that does no work (H) and the bare database driver with the same rows (D), and against
// itself at other sizes. It says what falls short of the project's goals. See -help.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/provost-scim/provost/bench/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// errShort says that a must was missed or an answer was wrong.
var errShort = errors.New("not everything that must be reached was reached, see above")

// options are the flags.
type options struct {
	stores []string
	parts  []string // share, growth
	phase  string
	users  int
	big    int
	rounds int
	slice  time.Duration
	json   *os.File
	r      *report
}

func run(ctx context.Context, args []string) error {
	if len(args) == 1 && args[0] == "null" {
		return nullServer()
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	e, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer e.remove()
	for _, store := range o.stores {
		if err := measure(ctx, o, e, store); err != nil {
			return fmt.Errorf("%s: %w", store, err)
		}
	}
	return o.r.finish()
}

func parse(args []string) (options, error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	store := f.String("store", "sqlite,postgres", "stores to measure, separated by commas")
	part := f.String("part", "share,growth", "parts to run, separated by commas")
	phase := f.String("phase", "", "only phases whose name contains this")
	users := f.Int("n", 10_000, "users in the tenant of the share part")
	big := f.Int("big", 1_000_000, "users in the big tenant of the growth part")
	rounds := f.Int("rounds", 20, "slices of each kind of work")
	d := f.Duration("slice", 300*time.Millisecond, "length of a slice")
	quick := f.Bool("quick", false, "about a minute: short slices, a big tenant of 20,000; too rough for a verdict on growth")
	jsonFile := f.String("json", "", "also write one JSON line per result to this file")
	if err := f.Parse(args); err != nil {
		return options{}, err
	}
	o := options{stores: strings.Split(*store, ","), parts: strings.Split(*part, ","), phase: *phase, users: *users, big: *big, rounds: *rounds, slice: *d}
	if *quick {
		o.users, o.big, o.rounds, o.slice = 2_000, 20_000, 3, 200*time.Millisecond
	}
	for _, s := range o.stores {
		if s != "sqlite" && s != "postgres" {
			return options{}, fmt.Errorf("-store %s: it is sqlite or postgres", s)
		}
	}
	if o.users < 1_000 || o.big < o.users || o.rounds < 1 || f.NArg() > 0 {
		return options{}, errors.New("-n is at least 1000, -big at least -n, -rounds at least 1, and there are no arguments")
	}
	if *jsonFile != "" {
		var err error
		if o.json, err = os.Create(*jsonFile); err != nil {
			return options{}, err
		}
	}
	o.r = &report{json: o.json}
	return o, nil
}

// wants reports whether a phase was asked for.
func (o *options) wants(phase string) bool { return strings.Contains(phase, o.phase) }

func (o *options) show(r result) { o.r.show(r) }

// prepare builds Provost and starts what all measurements share.
func prepare(ctx context.Context, o options) (*env, error) {
	dir, err := os.MkdirTemp("", "provost-bench-")
	if err != nil {
		return nil, err
	}
	e := &env{dir: dir}
	if e.log, err = os.Create(dir + "/servers.log"); err != nil {
		return e, err
	}
	if e.bin, err = rig.Build(ctx, dir, ""); err != nil {
		return e, errors.Join(err, e.remove())
	}
	if slices.Contains(o.stores, "postgres") {
		e.cluster, err = rig.NewCluster(ctx, dir, "shared_buffers = 4GB", "max_wal_size = 4GB", "maintenance_work_mem = 512MB", "max_connections = 120")
		if err != nil {
			return e, errors.Join(err, e.remove())
		}
	}
	if e.null, err = startNull(); err != nil {
		return e, errors.Join(err, e.remove())
	}
	return e, nil
}

// remove ends and deletes everything.
func (e *env) remove() error {
	if e.null != nil {
		e.null.stop()
	}
	var err error
	if e.cluster != nil {
		err = e.cluster.Remove()
	}
	return errors.Join(err, os.RemoveAll(e.dir))
}

// measure runs the parts that were asked for on one store.
func measure(ctx context.Context, o options, e *env, store string) error {
	parts := []struct {
		name string
		run  func(context.Context, options, *env, string) error
	}{{"share", runShare}, {"growth", runGrowth}}
	for _, p := range parts {
		if !slices.Contains(o.parts, p.name) {
			continue
		}
		o.r.head(store, p.name)
		if err := p.run(ctx, o, e, store); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}
