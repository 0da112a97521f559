package scimserver

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/provost-scim/provost/directory"
)

// tags is a parsed If-Match or If-None-Match (RFC 9110 §13.1).
type tags struct {
	present  bool
	any      bool // "*"
	versions []int64
}

// parseTags reads the entity tags of a header. Tags are compared weakly, as RFC 7644 §3.14 needs; one that we
// did not make matches nothing.
func parseTags(lines []string) tags {
	var t tags
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			part = strings.TrimSpace(part)
			if part == "" {
				continue
			}
			t.present = true
			if part == "*" {
				t.any = true
				continue
			}
			if v, ok := parseTag(part); ok {
				t.versions = append(t.versions, v)
			}
		}
	}
	return t
}

// parseTag reads W/"12", "12" or, as some clients copy it, 12.
func parseTag(text string) (int64, bool) {
	text = strings.TrimPrefix(text, "W/")
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = text[1 : len(text)-1]
	}
	v, err := strconv.ParseInt(text, 10, 64)
	return v, err == nil && v > 0
}

func (t tags) matches(version int64) bool {
	if t.any {
		return true
	}
	for _, v := range t.versions {
		if v == version {
			return true
		}
	}
	return false
}

// noVersion is a version that no resource has: a condition that names only foreign tags fails.
const noVersion = -1

// condition is the If-Match of a write. "*" is no condition: a write to what does not exist is a 404 anyway.
func condition(h http.Header) directory.Condition {
	t := parseTags(h["If-Match"])
	if !t.present || t.any {
		return directory.Condition{}
	}
	if len(t.versions) == 0 {
		return directory.Condition{Match: []int64{noVersion}}
	}
	return directory.Condition{Match: t.versions}
}

// unlessCurrent refuses a write whose If-None-Match names the current version.
func unlessCurrent(t tags, version int64) error {
	if !t.matches(version) {
		return nil
	}
	return &statusError{status: http.StatusPreconditionFailed, detail: "The resource still has the version that If-None-Match names: " + etag(version) + "."}
}
