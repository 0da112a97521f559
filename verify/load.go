package verify

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// loadProfile tries throughput and size within bounds. It is played only when it is asked for by name.
func loadProfile() Profile {
	return Profile{Name: "load", Dialect: plain, Heavy: true,
		About: "bounded load: requests per second, latency, a thousand members in one request",
		Cases: []Case{
			{Name: "throughput", Rule: "R-13", Ref: "E-DEV", Severity: Should, Breaks: []string{"Microsoft Entra ID gallery"},
				Title: "25 requests per second are answered without 429 and 5xx",
				Why:   "Microsoft asks it of gallery apps; slower servers fall behind in the initial cycle", Fix: "index userName and externalId; do not verify tokens with a slow hash", Run: throughput},
			{Name: "latency", Rule: "R-14", Ref: "O-FAQ, O-SPEC S10", Breaks: []string{"Okta"},
				Title: "GET /Groups answers in less than 600 ms, anything in less than 60 s",
				Why:   "Okta closes the socket after 60 s; its Spec test asserts 600 ms", Fix: "page by default, look members up by an index", Run: latency},
			{Name: "thousand-members", Rule: "R-66", Ref: "E-DEV", Severity: Should, Breaks: []string{"Microsoft Entra ID"},
				Title: "a PATCH with 1,000 members succeeds within 60 s",
				Why:   "large groups time out, are retried and never finish", Fix: "keep membership as rows; do not load the group to add to it", Run: thousandMembers},
		}}
}

// throughput sends a mix of reads at the asked rate for the asked time.
func throughput(s *Session) {
	o := s.run.o
	path := "/Users" + s.query("filter", eq("userName", s.guid()))
	if !o.ReadOnly {
		path = "/Users" + s.query("filter", eq("userName", s.user("tp", nil).Name))
	}
	paths := []string{path, "/Users?startIndex=1&count=10", path}
	total := o.LoadRate * o.LoadSeconds
	took := make([]float64, 0, total)
	bad := map[int]int{}
	var first *Exchange
	var mu sync.Mutex
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(o.LoadRate))
	defer tick.Stop()
	for i := 0; i < total && s.run.ctx.Err() == nil; i++ {
		<-tick.C
		x := &Exchange{N: s.run.sent + 1, Case: s.c.Name, At: time.Now().UTC(), s: s}
		s.run.sent++
		req, err := s.request(s.run.ctx, call{method: "GET", path: paths[i%len(paths)]}, x)
		if err != nil {
			s.stop(nil, "a request", err.Error())
		}
		wg.Go(func() {
			begun := time.Now()
			x.exchange(s.run, req)
			x.Millis = milliseconds(time.Since(begun))
			mu.Lock()
			defer mu.Unlock()
			took = append(took, x.Millis)
			if x.Response.Status != 200 {
				bad[x.Response.Status]++
				if first == nil {
					first = x
				}
			}
		})
	}
	wg.Wait()
	if first != nil {
		s.exchanges = append(s.exchanges, first)
	}
	slices.Sort(took)
	p95 := took[len(took)*95/100]
	s.check(len(bad) == 0, first, fmt.Sprintf("status 200 for all of %d requests at %d per second", len(took), o.LoadRate), fmt.Sprintf("other statuses (status: times) %v; p95 %.0f ms", bad, p95))
	s.check(p95 < 2000, nil, "95 of 100 answers within 2 s", fmt.Sprintf("p95 %.0f ms", p95))
}

func latency(s *Session) {
	paths := []string{"/Users?count=100", "/ServiceProviderConfig"}
	if s.run.facts.groups {
		paths = append(paths, "/Groups")
	}
	for _, p := range paths {
		x := s.get(p)
		s.check(x.Err == "" && x.Millis < 60_000, x, "an answer within 60 s", x.describe())
		if strings.HasPrefix(p, "/Groups") && x.Millis >= 600 {
			s.warn(x, "an answer to GET /Groups within 600 ms", fmt.Sprintf("%.0f ms", x.Millis))
		}
	}
}

func thousandMembers(s *Session) {
	s.needGroups()
	const n = 1000
	var ids []string
	for len(ids) < n {
		ids = append(ids, s.user("tm", nil).ID)
		if s.run.ctx.Err() != nil {
			s.skip("interrupted")
		}
	}
	g := s.group("tm")
	x := s.patch(g.Path, op("Add", "members", refs(ids...)))
	s.check(x.ok(), x, "status 2xx for 1,000 members in one request", x.describe())
	s.check(x.Millis < 60_000, x, "an answer within 60 s", fmt.Sprintf("%.0f ms", x.Millis))
	s.members(g, "after the add of 1,000 members", ids...)
	y := s.patch(g.Path, op("Remove", "members", refs(ids[0])))
	s.check(y.ok() && y.Millis < 5000, y, "the removal of one of 1,000 within 5 s", fmt.Sprintf("%s, %.0f ms", y.describe(), y.Millis))
}
