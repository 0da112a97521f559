package ldap

import (
	"fmt"
	"strings"
	"time"

	"github.com/provost-scim/provost/source"
)

// stampOverlap is how far before its mark the timestamp feed looks again: stamps count seconds, and servers that
// replicate deliver a change after its time.
const stampOverlap = time.Minute

// stampLayout is generalized time (RFC 4517 §3.3.13) as servers write these stamps; fractions are cut off.
const stampLayout = "20060102150405"

// stampAttr is the attribute with the time of the last change.
func (r *reading) stampAttr() string {
	if r.server.product == activeDirectory {
		return "whenChanged"
	}
	return "modifyTimestamp"
}

// hasStamp reports whether the first base shows a time of its last change.
func (r *reading) hasStamp() (bool, error) {
	shown := false
	err := r.kinds(func(kind source.Kind, s *Search) error {
		e, err := r.ses.entry(field(kind)+".base", s.Base, "(objectClass=*)", r.stampAttr())
		shown = shown || e != nil && e.GetEqualFoldAttributeValue(r.stampAttr()) != ""
		return err
	})
	return shown, err
}

// stamp notes the value of a timestamp attribute.
func (r *reading) stamp(name string, raw [][]byte) {
	if r.feed != feedTimestamp || len(raw) != 1 || name != strings.ToLower(r.stampAttr()) || len(raw[0]) < len(stampLayout) {
		return
	}
	if t, err := time.Parse(stampLayout, string(raw[0][:len(stampLayout)])); err == nil && t.After(r.newest) {
		r.newest = t
	}
}

// stampMark sets the time of a mark to the newest change that was seen, less the time that the read took: by the
// server's own clock that is before the read began, whatever ours says.
func (r *reading) stampMark(m *mark) {
	if r.feed != feedTimestamp || r.newest.IsZero() {
		return
	}
	if t := r.newest.Add(-time.Since(r.started)).Truncate(time.Second); t.After(m.Stamp) {
		m.Stamp = t
	}
}

// timestamps hands over what was changed at or after the mark. Deletions leave no stamp, so the keys of everything
// are listed before.
func (r *reading) timestamps(since *mark) (change, error) {
	if since.Stamp.IsZero() {
		return change{}, &restart{"full: no entry showed " + r.stampAttr()}
	}
	found := change{next: *since, reason: "deletions found by comparing all keys"}
	var err error
	if found.present, err = r.sweep(); err != nil {
		return change{}, err
	}
	from := since.Stamp.Add(-stampOverlap).UTC().Format(stampLayout)
	suffix := map[bool]string{true: ".0Z", false: "Z"}[r.server.product == activeDirectory]
	if err := r.changedEntries(fmt.Sprintf("(%s>=%s%s)", r.stampAttr(), from, suffix)); err != nil {
		return change{}, err
	}
	r.stampMark(&found.next)
	return found, nil
}
