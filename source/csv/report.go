package csv

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/provost-scim/provost/source"
)

// Test implements source.Source: it reads both files to the end.
func (s *Source) Test(ctx context.Context) (source.Report, error) {
	report := source.Report{Feed: "full", Reason: "a file tells no changes: it is read whole when its content differs"}
	seen := map[string]string{}
	for _, kind := range []source.Kind{source.Person, source.Group} {
		path, _ := s.path(kind)
		if path == "" {
			continue
		}
		n, columns := 0, map[string]bool{}
		err := s.file(ctx, kind, "", seen, func(r source.Record) error {
			for name := range r.Attrs {
				columns[name] = true
			}
			n++
			return nil
		})
		if err != nil {
			return report, report.Fail("read "+path, err)
		}
		report.Add("read "+path, fmt.Sprintf("%d of kind %s, values in %d columns", n, kind, len(columns)))
	}
	return report, nil
}

// Count implements source.Counter.
func (s *Source) Count(ctx context.Context, kind source.Kind) (int, error) {
	n := 0
	err := s.file(ctx, kind, "", map[string]string{}, func(source.Record) error { n++; return nil })
	return n, err
}

var errEnough = errors.New("enough")

// Browse implements source.Browser. The filter is a text that one of the values must contain, in any case.
func (s *Source) Browse(ctx context.Context, kind source.Kind, filter string, limit int, each func(source.Record) error) error {
	if limit <= 0 {
		return nil
	}
	filter = strings.ToLower(filter)
	n := 0
	err := s.file(ctx, kind, "", map[string]string{}, func(r source.Record) error {
		if !contains(r, filter) {
			return nil
		}
		if err := each(r); err != nil {
			return err
		}
		if n++; n == limit {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func contains(r source.Record, text string) bool {
	for _, values := range r.Attrs {
		for _, v := range values {
			if strings.Contains(strings.ToLower(v), text) {
				return true
			}
		}
	}
	return text == ""
}
