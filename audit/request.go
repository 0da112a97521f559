package audit

import (
	"context"
	"time"
)

// Request is one line of a tenant's request log: what came over SCIM and what was answered.
type Request struct {
	Time       time.Time
	ID         string // request id
	Client     string // id of the SCIM client, "" if none was recognised
	ClientName string
	Method     string
	Path       string // below the SCIM base, with the query; values of sensitive filters removed
	Status     int
	Duration   time.Duration
	Resource   string // id of the resource the request was about, if it was about one
	Addr       string
	Agent      string
	Tolerances []string // the tolerances that fired, by name
	Error      string   // what the log may know and the client need not
	Body       string   // request body of a write, secrets removed, at most 16 KiB
	Answer     string   // body of an error answer, at most 4 KiB
}

// RequestLog keeps the request log.
type RequestLog interface {
	// AppendRequests stores entries of one tenant, in one transaction.
	AppendRequests(ctx context.Context, tenant int64, entries []Request) error

	// Requests returns at most limit entries, newest first, older than before (zero: the newest), of those that
	// match f.
	Requests(ctx context.Context, tenant int64, f RequestFilter, before time.Time, limit int) ([]Request, error)
}

// RequestFilter narrows the request log; zero fields match everything.
type RequestFilter struct {
	Client    string
	Resource  string
	ID        string // request id
	Status    int    // a status, or 4 or 5 for its class
	Tolerance string
}
