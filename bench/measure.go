package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// workers is the number of connections of every measurement.
const workers = 8

// sample is what one or several slices of one kind of work have shown.
type sample struct {
	Ops     int
	Elapsed time.Duration
	CPU     time.Duration   // of the server process
	DBCPU   time.Duration   // of the database's backends
	lat     []time.Duration // of each operation
}

// slice runs op on all workers in a closed loop for d, or until most operations are done (0: no such limit).
// The first error ends it.
func slice(ctx context.Context, d time.Duration, most int, op func(worker int) error) (sample, error) {
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	var begun atomic.Int64
	lats := make([][]time.Duration, workers)
	start := time.Now()
	for w := range workers {
		wg.Go(func() {
			lat := make([]time.Duration, 0, 4096)
			for t := time.Now(); t.Sub(start) < d && failed.Load() == nil && ctx.Err() == nil; {
				if most > 0 && begun.Add(1) > int64(most) {
					break
				}
				if err := op(w); err != nil {
					failed.CompareAndSwap(nil, &err)
					break
				}
				end := time.Now()
				lat = append(lat, end.Sub(t))
				t = end
			}
			lats[w] = lat
		})
	}
	wg.Wait()
	s := sample{Elapsed: time.Since(start), lat: slices.Concat(lats...)}
	s.Ops = len(s.lat)
	if err := failed.Load(); err != nil {
		return s, *err
	}
	return s, ctx.Err()
}

func (s *sample) add(t sample) {
	s.Ops += t.Ops
	s.Elapsed += t.Elapsed
	s.CPU += t.CPU
	s.DBCPU += t.DBCPU
	s.lat = append(s.lat, t.lat...)
}

// rate is operations per second.
func (s *sample) rate() float64 {
	if s.Elapsed == 0 {
		return 0
	}
	return float64(s.Ops) / s.Elapsed.Seconds()
}

// perOp is a duration per operation.
func (s *sample) perOp(d time.Duration) time.Duration {
	if s.Ops == 0 {
		return 0
	}
	return d / time.Duration(s.Ops)
}

// percentile returns the p-th percentile of the latencies, p from 0 to 100.
func (s *sample) percentile(p int) time.Duration {
	if len(s.lat) == 0 {
		return 0
	}
	slices.Sort(s.lat)
	return s.lat[min(len(s.lat)-1, len(s.lat)*p/100)]
}

// median of at least one value.
func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// wrong is an answer that is not what it must be: it voids the figure.
func wrong(format string, args ...any) error { return fmt.Errorf("WRONG: "+format, args...) }
