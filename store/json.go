package store

import "encoding/json"

// jsonText encodes what the store keeps as JSON beside documents: values of its own types, which always encode.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("store: " + err.Error())
	}
	return string(b)
}
