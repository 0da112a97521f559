package scim

import (
	"fmt"
	"testing"
)

// TestStream_IsAppendInParts: whatever is shown, the parts together are what Append makes, and none is much
// longer than streamPart.
func TestStream_IsAppendInParts(t *testing.T) {
	g := Default()
	r := &Resource{Type: "Group", ID: "g1", Attrs: Object{"displayName": "Everybody"}, HasMembers: true, Meta: Meta{Version: 7}}
	for i := range 3000 {
		r.Members = append(r.Members, Ref{Value: fmt.Sprintf("id-%d", i), Type: "User", Display: "Ann \"A\" é"})
	}
	for _, shown := range [][2][]string{
		{nil, nil}, {{"members"}, nil}, {{"members.value"}, nil}, {{"members.display"}, nil},
		{nil, {"displayName"}}, {nil, {"members"}}, {nil, {"members.$ref", "meta"}}, {nil, {"schemas", "displayName"}},
	} {
		p, err := g.Projection("Group", shown[0], shown[1])
		if err != nil {
			t.Fatal(err)
		}
		want := string(g.Append(nil, r, p, testBase))
		got, parts := "", 0
		keep := func(part []byte) []byte {
			if len(part) > streamPart+1024 {
				t.Errorf("attributes %v: a part of %d bytes", shown, len(part))
			}
			got += string(part)
			parts++
			return part[:0]
		}
		keep(g.Stream(nil, r, p, testBase, keep))
		if got != want {
			t.Errorf("attributes %v: %d parts make\n%.200s…\nwant\n%.200s…", shown, parts, got, want)
		}
		if len(want) > 2*streamPart && parts < 2 {
			t.Errorf("attributes %v: %d bytes came in one part", shown, len(want))
		}
	}
}
