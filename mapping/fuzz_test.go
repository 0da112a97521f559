package mapping

import (
	"testing"
	"time"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// FuzzEntra holds that no text makes the translator, the compiler or an evaluation panic, and that what Entra's parser
// takes, the compiler can at least read.
func FuzzEntra(f *testing.F) {
	for _, tt := range entraCases {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, err := fromEntra(text)
		if err != nil {
			return
		}
		m := &Mapping{registry: scim.Default(), options: options}
		c := compiler{mapping: m, part: &part{use: map[string]bool{}}}
		p, err := c.compileExpression(out)
		if err != nil {
			return
		}
		if v, err := p.run(m.evaluation(source.Record{Attrs: attrs{"a": {"x", "y"}}})); err == nil && printed(v) == "" {
			t.Errorf("%s has no printable result", text)
		}
	})
}

// FuzzDate holds that what is written in a format is read back from it, if the format has all of the date.
func FuzzDate(f *testing.F) {
	f.Add(int64(1325458800), "yyyy-MM-dd HH:mm:ss zzz")
	f.Add(int64(0), "dddd d MMMM yyyy h:m:s tt 'o''clock'")
	f.Add(int64(253402300799), "yyyyMMddHHmmss.fffK")
	f.Fuzz(func(t *testing.T, seconds int64, format string) {
		if seconds < -62135596800 || seconds > 253402300799 {
			return
		}
		at := time.Unix(seconds, 0).UTC()
		text, err := formatNet(at, format)
		if err != nil {
			return
		}
		_, _ = parseNet(text, format)
		whole := "yyyy-MM-dd HH:mm:ss '" + "x' zzz"
		text, err = formatNet(at, whole)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := parseNet(text, whole); err != nil || !back.Equal(at) {
			t.Errorf("%s = %s, %v, want %s", text, back, err, at)
		}
	})
}
