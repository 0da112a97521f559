package main

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMetrics_AreDocumented holds docs/operations.md and the metrics to each other.
func TestMetrics_AreDocumented(t *testing.T) {
	m := newMetrics(true)
	m.Answered("acme", "Users", "GET", 200, time.Millisecond)
	m.Limited("rate")
	m.expiring.WithLabelValues("acme", "entra").Set(1)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]bool{}
	name := regexp.MustCompile(`provost_[a-z_]+`)
	for _, f := range families {
		if name.MatchString(f.GetName()) {
			ours[f.GetName()] = true
		}
	}
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `provost_[a-z_]+").FindAll(text, -1) {
		documented[name.FindString(string(row))] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(ours))); diff != "" {
		t.Errorf("docs/operations.md (-) and the metrics (+) differ:\n%s", diff)
	}
}

// TestMetrics_StayBounded checks that strangers cannot make new series.
func TestMetrics_StayBounded(t *testing.T) {
	m := newMetrics(false)
	for _, method := range []string{"GET", "BREW", "BREW2", "get"} {
		m.Answered("acme", "Users", method, 200, time.Millisecond)
	}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "provost_scim_requests_total" {
			continue
		}
		if n := len(f.GetMetric()); n != 2 {
			t.Errorf("%d series, want GET and other", n)
		}
		for _, label := range f.GetMetric()[0].GetLabel() {
			if label.GetName() == "tenant" && label.GetValue() != "" {
				t.Errorf("the tenant label is %q, want it off", label.GetValue())
			}
		}
	}
}

// TestTraced_SendsSpans checks that a request reaches an OTLP collector, without its query.
func TestTraced_SendsSpans(t *testing.T) {
	var got, bodies []string
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		got, bodies = append(got, r.URL.Path), append(bodies, string(body))
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	handler, stop, err := traced(context.Background(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("GET", "/t/acme/scim/v2/Users?filter=canary", nil))
	if err := stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if answer.Code != 204 || !slices.Equal(got, []string{"/v1/traces"}) {
		t.Errorf("answered %d, the collector got %v", answer.Code, got)
	}
	if text := strings.Join(bodies, ""); !strings.Contains(text, "provost") || strings.Contains(text, "canary") {
		t.Errorf("the spans must name the service and hold no query: %q", text)
	}
}

// TestTraced_OffByDefault checks that nothing is wrapped without an endpoint.
func TestTraced_OffByDefault(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
	inner := http.NewServeMux()
	handler, stop, err := traced(context.Background(), inner)
	if err != nil {
		t.Fatal(err)
	}
	if handler != http.Handler(inner) {
		t.Error("requests are traced without an endpoint")
	}
	if err := stop(context.Background()); err != nil {
		t.Error(err)
	}
}
