package store

import (
	"database/sql/driver"
	"fmt"
	"time"

	"modernc.org/sqlite"

	"github.com/provost-scim/provost/scim"
)

// The functions that SQLite gets for filters on attributes that are not indexed. PostgreSQL has expressions of
// the same meaning, see dialect.fold and dialect.instant.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("fold", 1, func(_ *sqlite.FunctionContext, a []driver.Value) (driver.Value, error) {
		if s, ok := a[0].(string); ok {
			return scim.Fold(s), nil
		}
		return a[0], nil
	})
	sqlite.MustRegisterDeterministicScalarFunction("instant", 1, func(_ *sqlite.FunctionContext, a []driver.Value) (driver.Value, error) {
		s, ok := a[0].(string)
		if !ok {
			return nil, nil
		}
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return nil, nil // the document was checked when it came in; what is no dateTime equals none
		}
		return t.UnixMicro(), nil
	})
}

// fold is scim.Fold in SQL. lower of the root locale maps capital sigma by its place in the word and I with dot
// to two characters; Fold does neither.
func (d *dialect) fold(x string) string {
	if d.postgres {
		return fmt.Sprintf(`(replace(lower(replace(%s, 'İ', 'i') collate "und-x-icu"), 'ς', 'σ') collate "C")`, x)
	}
	return "fold(" + x + ")"
}

// instant is the microseconds since 1970 of an xsd:dateTime.
func (d *dialect) instant(x string) string {
	if d.postgres {
		return "floor(extract(epoch from (" + x + ")::timestamptz) * 1000000)::bigint"
	}
	return "instant(" + x + ")"
}
