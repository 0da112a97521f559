package main

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/provost-scim/provost/access"
)

// metrics are what the operations listener shows to Prometheus, in a registry of their own. docs/operations.md
// lists them; a test holds the two together.
type metrics struct {
	registry *prometheus.Registry
	byTenant bool // label by tenant; without it the label is empty

	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	limited  *prometheus.CounterVec
	dropped  prometheus.Counter
	expiring *prometheus.GaugeVec
	swept    prometheus.Gauge
}

// newMetrics makes and registers the metrics.
func newMetrics(byTenant bool) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		byTenant: byTenant,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "provost_scim_requests_total", Help: "SCIM requests answered.",
		}, []string{"tenant", "method", "route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "provost_scim_request_duration_seconds", Help: "Time from the arrival of a SCIM request to its answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "provost_scim_limited_total", Help: "Requests turned away by the limits of their client: rate or concurrency.",
		}, []string{"limit"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "provost_request_log_dropped_total", Help: "Entries of the request log that were lost because the store was too slow.",
		}),
		expiring: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "provost_tokens_expiring_days", Help: "Days until the last live token of a client expires; clients whose tokens do not expire are left out.",
		}, []string{"tenant", "client"}),
		swept: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "provost_sweep_last_success_timestamp_seconds", Help: "When expired data was last cleared away.",
		}),
	}
	b := thisBuild()
	about := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "provost_build_info", Help: "Always 1; the labels say which build runs.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "go": b.Go},
	})
	about.Set(1)
	m.registry.MustRegister(m.requests, m.duration, m.limited, m.dropped, m.expiring, m.swept, about,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// methods are those that SCIM knows.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}

// Answered implements scimserver.Metrics.
func (m *metrics) Answered(tenant, route, method string, status int, took time.Duration) {
	if !m.byTenant {
		tenant = ""
	}
	if !slices.Contains(methods, method) {
		method = "other" // anybody can make one up; each would be a series for ever
	}
	m.requests.WithLabelValues(tenant, method, route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(method, route).Observe(took.Seconds())
}

// Limited implements scimserver.Metrics.
func (m *metrics) Limited(limit string) { m.limited.WithLabelValues(limit).Inc() }

// LogDropped implements scimserver.Metrics.
func (m *metrics) LogDropped(n int) { m.dropped.Add(float64(n)) }

// tokens measures which tokens will expire when.
func (m *metrics) tokens(ctx context.Context, service *access.Service, now time.Time) error {
	tenants, err := service.Tenants(ctx)
	if err != nil {
		return err
	}
	days := map[[2]string]float64{}
	for _, tenant := range tenants {
		clients, err := service.Clients(ctx, tenant.ID)
		if err != nil {
			return err
		}
		for _, c := range clients {
			left, ends, err := lifetime(ctx, service, c, now)
			if err != nil {
				return err
			}
			if ends {
				days[[2]string{tenant.Name, c.Name}] = left.Hours() / 24
			}
		}
	}
	m.expiring.Reset()
	for key, n := range days {
		m.expiring.WithLabelValues(key[0], key[1]).Set(n)
	}
	return nil
}

// lifetime is how long a client has a live credential; ends is false if it is revoked, has none, or has one
// that does not expire.
func lifetime(ctx context.Context, service *access.Service, c access.Client, now time.Time) (left time.Duration, ends bool, err error) {
	if !c.Revoked.IsZero() {
		return 0, false, nil
	}
	tokens, err := service.TokenList(ctx, c)
	if err != nil {
		return 0, false, err
	}
	for _, k := range tokens {
		if !k.Live(now) {
			continue
		}
		if k.Expires.IsZero() {
			return 0, false, nil
		}
		left, ends = max(left, k.Expires.Sub(now)), true
	}
	return left, ends, nil
}
