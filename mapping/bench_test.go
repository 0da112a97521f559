package mapping

import (
	"testing"

	"github.com/provost-scim/provost/scim"
)

func BenchmarkApply_ActiveDirectory(b *testing.B) {
	m, err := Compile(Definition{Profile: "activedirectory"}, scim.Default(), options)
	if err != nil {
		b.Fatal(err)
	}
	rec := person(attrs{"userPrincipalName": {"ann@example.com"}, "userAccountControl": {"512"}, "cn": {"Ann Lee"}, "givenName": {"Ann"}, "sn": {"Lee"},
		"mail": {"ann.lee@example.com"}, "telephoneNumber": {"+1 555 0100"}, "department": {"Sales"}, "l": {"Paris"}})
	b.ReportAllocs()
	for b.Loop() {
		if w, err := m.Apply(b.Context(), rec, nil); err != nil || w.Err != nil {
			b.Fatal(err, w.Err)
		}
	}
}
