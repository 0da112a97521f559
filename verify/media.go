package verify

import (
	"mime"
	"strings"
)

// isMedia tells whether a Content-Type is the media type, with any parameters.
func isMedia(contentType, want string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		t, _, _ = strings.Cut(contentType, ";")
		t = strings.TrimSpace(t)
	}
	return strings.EqualFold(t, want)
}
