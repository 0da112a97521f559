package scim

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exchange is a request of the recorded traffic (see testdata/traffic/README.md) with the statuses that answer it.
type exchange struct {
	where, method, path string
	body                Object
	built               bool // body changes a document that was read before
	status              []any
	answer              Object // what the body of the answer must have, nil if nothing is said
}

// exchanges reads all requests of the recorded traffic.
func exchanges(tb testing.TB) []exchange {
	tb.Helper()
	files, err := filepath.Glob("../testdata/traffic/*/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no recorded traffic: %v", err)
	}
	var out []exchange
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for _, step := range object(tb, string(data))["steps"].([]any) {
			request := step.(Object)["request"].(Object)
			x := exchange{where: strings.TrimPrefix(file, "../testdata/traffic/")}
			x.method, _ = request["method"].(string)
			x.path, _ = request["path"].(string)
			x.body, _ = request["body"].(Object)
			_, x.built = request["base"]
			answer, _ := step.(Object)["answer"].(Object)
			x.status = listOf(answer["status"])
			x.answer, _ = answer["body"].(Object)
			out = append(out, x)
		}
	}
	return out
}

// accepted reports whether the traffic expects success.
func (x exchange) accepted() bool {
	return slices.ContainsFunc(x.status, func(s any) bool { n, _ := s.(int64); return n >= 200 && n < 300 })
}

// resourceType returns the type that the path is about.
func (x exchange) resourceType() *ResourceType {
	segment, _, _ := strings.Cut(strings.TrimPrefix(x.path, "/"), "?")
	segment, _, _ = strings.Cut(segment, "/")
	return Default().ByEndpoint(segment)
}

// TestTraffic_Filters parses and binds every filter that the clients send.
func TestTraffic_Filters(t *testing.T) {
	seen := 0
	for _, x := range exchanges(t) {
		u, err := url.Parse(x.path)
		typ := x.resourceType()
		if err != nil || typ == nil || !u.Query().Has("filter") || slices.Contains(x.status, any(int64(401))) {
			continue
		}
		seen++
		s := u.Query().Get("filter")
		f, err := ParseFilter(s)
		if err == nil {
			_, err = Default().Bind(typ.Name, f)
		}
		if x.accepted() != (err == nil) {
			t.Errorf("%s: filter %s: %v, want status %v", x.where, s, err, x.status)
		}
	}
	if seen < 20 {
		t.Errorf("only %d filters in the traffic", seen)
	}
}

// TestTraffic_Patches applies every PATCH that the clients send and expect to succeed, to a resource that has
// nothing and to one that has much.
func TestTraffic_Patches(t *testing.T) {
	seen := 0
	for _, x := range exchanges(t) {
		typ := x.resourceType()
		list, _ := x.body["Operations"].([]any)
		if x.method != "PATCH" || typ == nil || !x.accepted() || len(list) == 0 {
			continue
		}
		seen++
		resources := []Resource{{Type: "User", Attrs: Object{"userName": "u"}}, {Type: "User", Attrs: object(t, base)}}
		if typ.Name == "Group" {
			resources = []Resource{{Type: "Group", Attrs: Object{"displayName": "g"}}}
		}
		for _, r := range resources {
			ops := operations(t, asJSON(t, list))
			got, err := Default().Patch(r, ops, PatchOptions{})
			if err != nil {
				t.Errorf("%s: %s: %v", x.where, asJSON(t, list), err)
				continue
			}
			checkObject(t, Default(), r.Type, "", got.Attrs)
		}
	}
	if seen < 50 {
		t.Errorf("only %d PATCH requests in the traffic", seen)
	}
}
