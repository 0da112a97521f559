package scim

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// sample returns the bytes of testdata/user.json, a full user with the enterprise extension, about 1.9 KB.
func sample(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/user.json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sampleUser returns that user as it is stored.
func sampleUser(t testing.TB) *Resource {
	t.Helper()
	body := parse(t, string(sample(t)))
	d, err := Default().Decode("User", body, DecodeOptions{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	r := d.Resource
	r.ID = "0198f2a4-7c11-7d2e-9f11-3a7e8d1b2c44"
	r.Meta = Meta{Created: time.UnixMilli(1_700_000_000_000), LastModified: time.UnixMilli(1_700_000_000_123), Version: 3}
	r.Doc = Default().Encode(&r)
	return &r
}

func parse(t testing.TB, text string) Object {
	t.Helper()
	v, err := ParseJSON([]byte(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	o, ok := v.(Object)
	if !ok {
		t.Fatalf("%s is no object", text)
	}
	return o
}

func BenchmarkParseJSON(b *testing.B) {
	data := sample(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseJSON(data, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStandardJSON is the standard library on the same bytes, for comparison.
func BenchmarkStandardJSON(b *testing.B) {
	data := sample(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	body := parse(b, string(sample(b)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Default().Decode("User", body, DecodeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReplace(b *testing.B) {
	old := sampleUser(b)
	sent, err := Default().Decode("User", parse(b, string(sample(b))), DecodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Default().Replace(*old, sent, false); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	r := sampleUser(b)
	b.SetBytes(int64(len(r.Doc)))
	b.ReportAllocs()
	for b.Loop() {
		Default().Encode(r)
	}
}

func BenchmarkDecodeDoc(b *testing.B) {
	r := sampleUser(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := Default().DecodeDoc(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	r := sampleUser(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Default().Index(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	r := sampleUser(b)
	b.Run("whole", func(b *testing.B) { benchAppend(b, r, nil) })
	p, err := Default().Projection("User", []string{"userName", "emails.value"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("projected", func(b *testing.B) { benchAppend(b, r, p) })
}

func benchAppend(b *testing.B, r *Resource, p *Projection) {
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = Default().Append(dst[:0], r, p, "https://provost.example.com/t/acme/scim/v2")
	}
}

func BenchmarkResolve(b *testing.B) {
	path := AttrPath{URN: "URN:ietf:params:scim:schemas:extension:enterprise:2.0:user", Name: "Manager", Sub: "VALUE"}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Default().Resolve("User", path); !ok {
			b.Fatal("not found")
		}
	}
}
