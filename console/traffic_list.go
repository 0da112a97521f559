package console

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
)

// trafficPage shows the request log, newest first.
type trafficPage struct {
	frame
	Filter  audit.RequestFilter
	Status  string
	Clients []access.Client
	Rows    []audit.Request
	Next    string
	First   string
}

func listTraffic(c *call) error {
	page := trafficPage{frame: c.frame("Traffic", "traffic"), Status: c.query("status")}
	page.Filter = audit.RequestFilter{Client: c.query("client"), Resource: c.query("resource"), Tolerance: c.query("tolerance"), ID: c.query("id")}
	page.Filter.Status, _ = strconv.Atoi(page.Status) // anything else matches every status
	var before time.Time
	if nanos, err := strconv.ParseInt(c.query("before"), 10, 64); err == nil && nanos > 0 {
		before = time.Unix(0, nanos)
	}
	var err error
	if page.Clients, err = c.Access.Clients(c.r.Context(), c.tenant.ID); err != nil {
		return err
	}
	rows, err := c.Requests.Requests(c.r.Context(), c.tenant.ID, page.Filter, before, pageSize+1)
	if err != nil {
		return err
	}
	v := url.Values{}
	for _, name := range []string{"client", "resource", "tolerance", "id", "status"} {
		if value := c.query(name); value != "" {
			v.Set(name, value)
		}
	}
	if !before.IsZero() {
		page.First = c.path("traffic") + "?" + v.Encode()
	}
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		v.Set("before", strconv.FormatInt(rows[pageSize-1].Time.UnixNano(), 10))
		page.Next = c.path("traffic") + "?" + v.Encode()
	}
	page.Rows = rows
	return c.show(http.StatusOK, "traffic", page)
}

// requestPage shows one request whole.
type requestPage struct {
	frame
	R audit.Request
}

func showRequest(c *call) error {
	rows, err := c.Requests.Requests(c.r.Context(), c.tenant.ID, audit.RequestFilter{ID: c.r.PathValue("request")}, time.Time{}, 1)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return missing
	}
	return c.show(http.StatusOK, "request", requestPage{c.frame("Request "+rows[0].ID, "traffic"), rows[0]})
}
