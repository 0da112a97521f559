package main

import "fmt"

func (r shareResult) title() string {
	return fmt.Sprintf("%-12s %8s %8s %8s %8s %6s %13s %9s %9s %8s %8s %8s", "phase", "H/s", "D/s", "S/s", "rate/s", "share", "(low-high)",
		"p50 us", "p99 us", "CPU us", "DB us", "null us")
}

func (r shareResult) line() string {
	return fmt.Sprintf("%-12s %8.0f %8.0f %8.0f %8.0f %6.2f %6.2f-%-6.2f %9.0f %9.0f %8.0f %8.0f %8.0f", r.Phase, r.H, r.D, r.S, r.Rate, r.Share, r.Low, r.High,
		r.P50, r.P99, r.CPU, r.DBCPU, r.NullCPU)
}

func (r shareResult) label() string { return r.Store + " " + r.Phase }

func (r shareResult) verdict() string {
	switch {
	case r.Wrong != "":
		return r.Wrong
	case r.Share >= r.Aim:
		return verdictAim
	case r.Share >= r.Must:
		return verdictMust
	}
	return fmt.Sprintf("SHORT: share %.2f, must %.2f", r.Share, r.Must)
}
