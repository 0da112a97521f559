package scimserver

import (
	"mime"
	"net/http"
	"strings"

	"github.com/provost-scim/provost/scim"
)

// The two media types (RFC 7644 §3.8, §8.1), without charset: JSON is always UTF-8.
var (
	scimJSON  = []string{"application/scim+json"}
	plainJSON = []string{"application/json"}
)

// mediaType is the Content-Type of an answer: application/scim+json, unless Accept takes application/json and
// not that. An Accept that takes neither is no reason to refuse.
func mediaType(accept []string) []string {
	if len(accept) == 0 {
		return scimJSON
	}
	plain := false
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			name, weight, _ := strings.Cut(part, ";")
			if unwanted(weight) {
				continue
			}
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "application/scim+json", "application/*", "*/*":
				return scimJSON
			case "application/json":
				plain = true
			}
		}
	}
	if plain {
		return plainJSON
	}
	return scimJSON
}

// unwanted says whether media type parameters give the weight 0.
func unwanted(parameters string) bool {
	for p := range strings.SplitSeq(parameters, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(k, "q") && strings.Trim(v, "0.") == "" {
			return true
		}
	}
	return false
}

// checkContent refuses a body that is not JSON in UTF-8, plain. Without a Content-Type it is taken for that.
func checkContent(h http.Header) error {
	if enc := h.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return &statusError{status: http.StatusUnsupportedMediaType, detail: "Send the body without Content-Encoding: " + scim.Quote(enc) + " is not supported.",
			header: http.Header{"Accept-Encoding": {"identity"}}}
	}
	text := h.Get("Content-Type")
	if text == "" || text == "application/scim+json" || text == "application/json" {
		return nil
	}
	name, parameters, err := mime.ParseMediaType(text)
	if err != nil || name != "application/scim+json" && name != "application/json" {
		return &statusError{status: http.StatusUnsupportedMediaType, detail: "Send application/scim+json or application/json, not " + scim.Quote(text) + "."}
	}
	if set := parameters["charset"]; set != "" && !strings.EqualFold(set, "utf-8") {
		return &statusError{status: http.StatusUnsupportedMediaType, detail: "Send the body in UTF-8, not in " + scim.Quote(set) + "."}
	}
	return nil
}
