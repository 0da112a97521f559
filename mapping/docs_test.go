package mapping

import (
	"os"
	"strings"
	"testing"

	"github.com/provost-scim/provost/scim"
)

// TestDocs_ExampleCompiles holds the guide to what the compiler takes.
func TestDocs_ExampleCompiles(t *testing.T) {
	text, err := os.ReadFile("../docs/mapping.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```yaml\n")
	example, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("docs/mapping.md has no example")
	}
	d, err := Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(d, scim.Default(), options); err != nil {
		t.Error(err)
	}
	for _, name := range append(entraFunctions, Operators...) {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/mapping.md does not mention %s", name)
		}
	}
}
