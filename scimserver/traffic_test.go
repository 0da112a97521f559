package scimserver_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/provost-scim/provost/access"
)

const trafficFolder = "../testdata/traffic"

// leastExchanges is how many requests of clients the recorded traffic holds at least.
const leastExchanges = 400

func readTraffic(t *testing.T) map[string]trafficScenario {
	t.Helper()
	files, err := filepath.Glob(trafficFolder + "/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]trafficScenario{}
	exchanges := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := readScenario(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name, _ := filepath.Rel(trafficFolder, file)
		all[strings.TrimSuffix(filepath.ToSlash(name), ".json")] = s
		for _, st := range s.Steps {
			if st.By != "tester" {
				exchanges++
			}
		}
	}
	if exchanges < leastExchanges {
		t.Fatalf("found %d exchanges of clients in %d files, expected at least %d", exchanges, len(files), leastExchanges)
	}
	return all
}

// TestTraffic plays what the identity providers send, file by file, each in a tenant of its own and as a client with
// the profile of its product.
func TestTraffic(t *testing.T) {
	all := readTraffic(t)
	onBothStores(t, func(t *testing.T, s *site) {
		for _, name := range sortedKeys(asAny(all)) {
			t.Run(name, func(t *testing.T) {
				peer := s.newPeer(t, access.NewClient{Profile: access.Profile(all[name].Profile)})
				p := &trafficPlayer{base: peer.base, token: peer.token, http: plainClient(), run: runName(), vars: map[string]any{}}
				if wrong := p.play(t.Context(), all[name]); wrong != "" {
					t.Fatal(wrong)
				}
			})
		}
	})
}

// needsItsOwnTenant are the scenarios that say something about everybody in the tenant.
var needsItsOwnTenant = []string{"okta-spec/01-spec-test"}

// TestTrafficTogether plays the scenarios at the same time in one tenant, as several identity providers would: no one
// may notice the others.
func TestTrafficTogether(t *testing.T) {
	const atOnce = 16
	all := readTraffic(t)
	for _, name := range needsItsOwnTenant {
		delete(all, name)
	}
	if testing.Short() { // a third of them will do for the race detector
		for i, name := range sortedKeys(asAny(all)) {
			if i%3 > 0 {
				delete(all, name)
			}
		}
	}
	onBothStores(t, func(t *testing.T, s *site) {
		first := s.newPeer(t, access.NewClient{})
		room := make(chan struct{}, atOnce)
		var wait sync.WaitGroup
		for _, name := range sortedKeys(asAny(all)) {
			peer := s.peerOf(t, first.tenant, access.NewClient{Profile: access.Profile(all[name].Profile)})
			p := &trafficPlayer{base: peer.base, token: peer.token, http: modelHTTP, run: runName(), vars: map[string]any{}}
			room <- struct{}{}
			wait.Go(func() {
				defer func() { <-room }()
				if wrong := p.play(context.Background(), all[name]); wrong != "" {
					t.Errorf("%s: %s", name, wrong)
				}
			})
		}
		wait.Wait()
	})
}

// TestTrafficCoversTheWorkflows holds that every workflow of the field's catalogues has an exchange: Entra E, Okta O
// and S, PingFederate G, Microsoft's validator V and P. In O10 and O11 nothing is sent; E20 is sent by the validator
// alone, as V23.
func TestTrafficCoversTheWorkflows(t *testing.T) {
	seen := map[string]bool{"O10": true, "O11": true, "E20": true}
	for _, s := range readTraffic(t) {
		for _, ref := range strings.Fields(s.Ref) {
			seen[ref] = true
		}
		for _, st := range s.Steps {
			for _, ref := range strings.Fields(st.Ref) {
				seen[ref] = true
			}
		}
	}
	for letter, last := range map[string]int{"E": 22, "O": 19, "S": 12, "G": 12, "V": 25, "P": 7} {
		for i := 1; i <= last; i++ {
			if ref := fmt.Sprintf("%s%d", letter, i); !seen[ref] {
				t.Errorf("no exchange plays %s", ref)
			}
		}
	}
}

// plainClient is an HTTP client that follows nothing and decodes nothing.
func plainClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// runName is a text that no other run has: a letter, then digits and letters.
func runName() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return "r" + hex.EncodeToString(b[:])
}

func asAny[T any](m map[string]T) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// play plays a scenario up to the first answer that is wrong and describes it; "" if none is.
func (p *trafficPlayer) play(ctx context.Context, s trafficScenario) string {
	for i, st := range s.Steps {
		a, err := p.send(ctx, s, st.Request)
		if err != nil {
			return fmt.Sprintf("step %d %s: %v", i+1, st.Request.Path, err)
		}
		wrong := append(p.judge(st, a), manners(st, a)...)
		if len(wrong) == 0 {
			continue
		}
		sent, _ := p.payload(st.Request)
		return fmt.Sprintf("step %d (%s %s)\n%s %s\n%s\n→ %d %s\n%s\n\n  %s\n\nwhy: %s", i+1, st.Ref, st.Note, st.Request.Method, p.fill(st.Request.Path), sent,
			a.status, a.header.Get("Content-Type"), a.raw, strings.Join(wrong, "\n  "), s.Why)
	}
	return ""
}

// manners is what Provost promises beyond what the client needs: the answers of design.md where clients leave a
// choice, a request id and a media type on every answer, no secret in any.
func manners(st trafficStep, a trafficReply) []string {
	var out []string
	complain := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if a.header.Get("X-Request-Id") == "" {
		complain("no X-Request-Id")
	}
	if (a.status == http.StatusNoContent) != (len(a.raw) == 0) {
		complain("status %d with a body of %d bytes", a.status, len(a.raw))
	}
	if len(a.raw) > 0 {
		media, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
		if !slices.Contains([]string{"application/scim+json", "application/json"}, media) {
			complain("media type %q", media)
		}
	}
	if o, ok := a.doc.(map[string]any); ok && a.status >= 400 {
		out = append(out, differences("", o, map[string]any{"schemas": []any{errorSchema}, "status": fmt.Sprint(a.status), "detail": "{{any}}"})...)
	}
	if holdsKey(a.doc, "password") && !strings.Contains(st.Request.Path, "/Schemas") {
		complain("a password in the answer")
	}
	if st.Request.Method == http.MethodPatch && a.status < 300 {
		want := http.StatusOK
		if strings.HasPrefix(st.Request.Path, "/Groups/") && !strings.Contains(st.Request.Path, "ttributes=") {
			want = http.StatusNoContent
		}
		if a.status != want {
			complain("Provost answers this PATCH with %d, got %d", want, a.status)
		}
	}
	return out
}

const errorSchema = "urn:ietf:params:scim:api:messages:2.0:Error"

// holdsKey tells whether an object anywhere in v has the key, in any case.
func holdsKey(v any, key string) bool {
	switch t := v.(type) {
	case map[string]any:
		for k, e := range t {
			if strings.EqualFold(k, key) || holdsKey(e, key) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(t, func(e any) bool { return holdsKey(e, key) })
	}
	return false
}
