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
		s, _ := a[0].(string)
		if t, ok := scim.ParseDateTime(s); ok {
			return instantKey(t), nil
		}
		return nil, nil // absent
	})
}

// instantKey is text that sorts like the instants of the years 0001 to 9999.
func instantKey(t time.Time) string {
	const year0 = 62200000000 // seconds, a little more than 1970 years
	return fmt.Sprintf("%012d%09d", t.Unix()+year0, t.Nanosecond())
}

// fold is scim.Fold in SQL. lower of the root locale maps capital sigma by its place in the word and I with dot
// to two characters; Fold does neither.
func (d *dialect) fold(x string) string {
	if d.postgres {
		return fmt.Sprintf(`(replace(lower(replace(%s, 'İ', 'i') collate "und-x-icu"), 'ς', 'σ') collate "C")`, x)
	}
	return "fold(" + x + ")"
}

// exact is text compared by byte.
func (d *dialect) exact(x string) string {
	if d.postgres {
		return "(" + x + ` collate "C")`
	}
	return x
}

// instant is an xsd:dateTime in a form that compares like the instants. A timestamptz has microseconds, so the
// fraction is taken apart.
func (d *dialect) instant(x string) string {
	if d.postgres {
		return `(case when ` + x + ` ~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-4]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-](0\d|1[0-4]):[0-5]\d)?$'` +
			` then extract(epoch from regexp_replace(` + x + `, '\.\d+', '')::timestamptz)` +
			` + coalesce(('0' || substring(` + x + ` from '\.\d{1,9}'))::numeric, 0) end)`
	}
	return "instant(" + x + ")"
}
