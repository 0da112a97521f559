package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// healthTimeout is how long a readiness check may take: a hanging database makes a node unready, not silent.
const healthTimeout = 3 * time.Second

// check is the outcome of one readiness check.
type check struct {
	Status string `json:"status"` // ok or fail
	Detail string `json:"detail,omitempty"`
	Millis int64  `json:"millis"`
}

// operations is the handler of the operations listener: health and metrics, no secrets, no authentication.
func operations(checks map[string]func(context.Context) error, m *metrics) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz/live", func(w http.ResponseWriter, _ *http.Request) {
		writeHealth(w, http.StatusOK, map[string]any{"status": "ok"})
	})
	mux.HandleFunc("GET /healthz/ready", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
		defer cancel()
		status, code := "ok", http.StatusOK
		results := make(map[string]check, len(checks))
		for name, probe := range checks {
			start := time.Now()
			result := check{Status: "ok"}
			if err := probe(ctx); err != nil {
				result = check{Status: "fail", Detail: err.Error()}
				status, code = "fail", http.StatusServiceUnavailable
			}
			result.Millis = time.Since(start).Milliseconds()
			results[name] = result
		}
		writeHealth(w, code, map[string]any{"status": status, "checks": results})
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry}))
	return mux
}

func writeHealth(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the client went away: nobody is left to tell
}
