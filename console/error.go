package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// fault is an error with a page of its own.
type fault struct {
	status int
	title  string
	text   string
}

func (f *fault) Error() string { return f.title }

var (
	missing   = &fault{http.StatusNotFound, "Nothing is here", "There is no such page, or it is not yours to see."}
	forbidden = &fault{http.StatusForbidden, "Not allowed", "Your role does not allow this. Ask an owner."}
)

// errorPage is the page of an error.
type errorPage struct {
	frame
	Text    string
	Request string
}

// fail turns an error into a page. What is not the administrator's doing is logged and not shown.
func (c *call) fail(err error) {
	var f *fault
	text, known := explained(err)
	switch {
	case errors.As(err, &f):
	case errors.Is(err, access.ErrNotFound), directory.KindOf(err) == directory.NotFound:
		f = missing
	case known:
		f = &fault{http.StatusBadRequest, "That did not work", text}
	case directory.KindOf(err) == directory.Unavailable, directory.KindOf(err) == directory.Exhausted:
		f = &fault{http.StatusServiceUnavailable, "Not now", "The store cannot answer at the moment. Nothing was changed; try again."}
	case errors.Is(err, context.Canceled):
		return
	default:
		f = &fault{http.StatusInternalServerError, "Something broke", "The error is in the log of the server under the request id below."}
	}
	if f.status >= http.StatusInternalServerError {
		c.Log.Error("console request failed", "request", c.id, "method", c.r.Method, "err", err)
	}
	if err := c.show(f.status, "error", errorPage{frame: c.frame(f.title, ""), Text: f.text, Request: c.id}); err != nil {
		c.Log.Error("the error page failed", "request", c.id, "err", err)
		http.Error(c.w, f.title, f.status)
	}
}

// explained is the text of an error that the administrator can do something about.
func explained(err error) (string, bool) {
	var invalid *access.InvalidError
	var wire *scim.Error
	var rule *directory.Error
	switch {
	case errors.As(err, &invalid):
		return "Not done. " + invalid.Error() + ".", true
	case errors.Is(err, access.ErrExists):
		return "Not done. The name is taken.", true
	case errors.As(err, &wire):
		return "Not done. " + wire.Detail, true
	case errors.As(err, &rule) && (rule.Kind == directory.Conflict || rule.Kind == directory.Invalid || rule.Kind == directory.Stale || rule.Kind == directory.Denied):
		return "Not done. " + rule.Msg + ".", true
	}
	return "", false
}

// crossOrigin answers a form that another site sent.
func (s *Console) crossOrigin(w http.ResponseWriter, r *http.Request) {
	c := &call{Console: s, w: w, r: r, id: requestID()}
	c.fail(&fault{http.StatusForbidden, "Not allowed", "The request came from another site. Open the console and try again."})
}
