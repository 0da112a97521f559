package source

import (
	"errors"
	"fmt"
	"testing"
)

func TestError(t *testing.T) {
	cause := errors.New("connection refused")
	err := fmt.Errorf("read: %w", &Error{Fault: Unreachable, Field: "servers", Msg: "dc1 does not answer", Err: cause, Next: "check the port"})
	if want := "read: servers: dc1 does not answer: connection refused; next: check the port"; err.Error() != want {
		t.Errorf("Error() = %q, want %q", err, want)
	}
	if FaultOf(err) != Unreachable || !errors.Is(err, cause) {
		t.Errorf("FaultOf = %q, cause found %v", FaultOf(err), errors.Is(err, cause))
	}
	if got := FaultOf(cause); got != "" {
		t.Errorf("FaultOf of a foreign error = %q", got)
	}
	for fault, want := range map[Fault]bool{Misconfigured: false, Unreachable: true, Untrusted: false, Refused: false, Busy: true, Partial: true, Malformed: false} {
		if got := (&Error{Fault: fault}).Retryable(); got != want {
			t.Errorf("Retryable of %s = %v, want %v", fault, got, want)
		}
	}
}

func TestReport(t *testing.T) {
	var r Report
	r.Add("connect", "connected")
	bad := errors.New("no")
	if err := r.Fail("bind", bad); err != bad {
		t.Errorf("Fail returned %v", err)
	}
	if len(r.Lines) != 2 || !r.Lines[0].OK || r.Lines[1].OK || r.Lines[1].Answered != "no" {
		t.Errorf("lines = %+v", r.Lines)
	}
}
