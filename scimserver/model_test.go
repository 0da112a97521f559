package scimserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/provost-scim/provost/access"
)

// modelChecks is how many random sequences each store gets; PROVOST_MODEL asks for another number.
const modelChecks = 150

// modelSteps is the average length of a sequence.
const modelSteps = 25

// TestModel sends random sequences of requests to a server and to the reference model of this package, which knows
// the RFCs and the answers that Provost promises, and none of its code. What the server then shows must be what the
// model holds: after a success the change, after a refusal nothing.
func TestModel(t *testing.T) {
	setFlag(t, "rapid.checks", strconv.Itoa(sequences(t, modelChecks)))
	setFlag(t, "rapid.steps", strconv.Itoa(modelSteps))
	setFlag(t, "rapid.nofailfile", "true")
	onBothStores(t, func(t *testing.T, s *site) {
		rapid.Check(t, func(rt *rapid.T) { newWorld(t, rt, s).play() })
	})
}

// sequences is the number of checks: usual, a tenth of it in short mode, or what PROVOST_MODEL says.
func sequences(t *testing.T, usual int) int {
	t.Helper()
	if s := os.Getenv("PROVOST_MODEL"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("PROVOST_MODEL=%q is no number of sequences", s)
		}
		return n
	}
	if testing.Short() {
		return usual / 10
	}
	return usual
}

// setFlag sets a flag of the test binary until the test ends.
func setFlag(t *testing.T, name, value string) {
	t.Helper()
	f := flag.Lookup(name)
	if f == nil {
		t.Fatalf("no flag %s", name)
	}
	old := f.Value.String()
	if err := f.Value.Set(value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(old) })
}

// world is one sequence: a new tenant with two clients, and the model of it.
type world struct {
	*rapid.T
	site   *site
	base   string
	tokens [2]string
	keeps  [2]bool // a client whose PUT clears nothing by omission (PingFederate)
	http   *http.Client
	m      *refModel
	serial int
}

func newWorld(t *testing.T, rt *rapid.T, s *site) *world {
	first := s.newPeer(t, access.NewClient{Profile: access.Generic})
	profile := rapid.SampledFrom([]access.Profile{access.Generic, access.Entra, access.Okta, access.PingFederate}).Draw(rt, "profile")
	second := s.peerOf(t, first.tenant, access.NewClient{Profile: profile})
	w := &world{
		T: rt, site: s, base: first.base, tokens: [2]string{first.token, second.token}, http: modelHTTP, m: newRefModel(),
		keeps: [2]bool{false, profile == access.PingFederate},
	}
	w.m.oneName, w.m.rehire = !w.rarely(4, "group names repeat"), w.rarely(3, "rehire")
	after := first.tenant
	after.Settings.UniqueGroupNames = w.m.oneName
	if w.m.rehire {
		after.Settings.Rehire = access.RehireReactivate
	}
	if err := s.access.UpdateTenant(t.Context(), cli, first.tenant, after); err != nil {
		rt.Fatal(err)
	}
	return w
}

// modelHTTP keeps its connections over all sequences.
var modelHTTP = plainClient()

func (w *world) play() {
	w.Repeat(map[string]func(*rapid.T){
		"create user":    func(*rapid.T) { w.createUser() },
		"create another": func(*rapid.T) { w.createUser() },
		"create group":   func(*rapid.T) { w.createGroup() },
		"put user":       func(*rapid.T) { w.putUser() },
		"put group":      func(*rapid.T) { w.putGroup() },
		"patch user":     func(*rapid.T) { w.patchUser() },
		"patch user 2":   func(*rapid.T) { w.patchUser() },
		"patch group":    func(*rapid.T) { w.patchGroup() },
		"patch group 2":  func(*rapid.T) { w.patchGroup() },
		"bad patch":      func(*rapid.T) { w.badPatch() },
		"delete":         func(*rapid.T) { w.remove() },
		"read":           func(*rapid.T) { w.read() },
		"list users":     func(*rapid.T) { w.listUsers() },
		"list groups":    func(*rapid.T) { w.listGroups() },
		"walk":           func(*rapid.T) { w.walk() },
		"sort":           func(*rapid.T) { w.sorted() },
		"bulk":           func(*rapid.T) { w.bulk() },
		"search":         func(*rapid.T) { w.searchEverywhere() },
		"bad request":    func(*rapid.T) { w.badRequest() },
	})
	w.checkAll()
}

// Fatalf ends the sequence. The failure itself is the format alone: a sequence is made smaller only while it fails in
// the same words, and the values, ids among them, differ from run to run.
func (w *world) Fatalf(format string, args ...any) {
	w.Logf(format, args...)
	w.Fatal(format)
}

// call sends one request as one of the clients.
func (w *world) call(client int, method, path string, body any, header ...string) trafficReply {
	var data []byte
	if body != nil {
		data, _ = json.Marshal(body)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, w.base+path, bytes.NewReader(data))
	if err != nil {
		w.Fatalf("%s %s: %v", method, path, err)
	}
	req.Header.Set("Authorization", "Bearer "+w.tokens[client])
	if body != nil {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	a, err := exchange(w.http, req)
	if err != nil {
		w.Fatalf("%s %s: %v", method, path, err)
	}
	w.Logf("client %d: %s %s %v %s → %d %s", client, method, path, header, data, a.status, clip(a.raw))
	if a.bad != nil {
		w.Fatalf("the answer is not JSON: %v", a.bad)
	}
	if a.status >= 500 {
		w.Fatalf("status %d; the log ends with: %s", a.status, lastLines(w.site.log.String()))
	}
	if a.status >= 400 && a.status != http.StatusNotModified {
		if diff := differences("", a.doc, map[string]any{"schemas": []any{errorSchema}, "status": fmt.Sprint(a.status), "detail": "{{any}}"}); diff != nil && method != http.MethodHead {
			w.Fatalf("error body: %v", diff)
		}
	}
	return a
}

// lastLines is the end of a log.
func lastLines(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "\n")
}

func clip(b []byte) string {
	if len(b) > 1000 {
		return string(b[:1000]) + "…"
	}
	return string(b)
}

// want requires one of the statuses.
func (w *world) want(a trafficReply, status ...int) {
	if !slices.Contains(status, a.status) {
		w.Fatalf("want status %v, got %d", status, a.status)
	}
}

func (w *world) object(a trafficReply) map[string]any {
	o, ok := a.doc.(map[string]any)
	if !ok {
		w.Fatalf("want an object, got %s", clip(a.raw))
	}
	return o
}

// equal requires what the server shows to be what the model holds.
func (w *world) equal(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		w.Fatalf("%s\n server %s\n model  %s", what, showJSON(got), showJSON(want))
	}
}

func (w *world) client() int { return rapid.IntRange(0, 1).Draw(w.T, "client") }

func (w *world) maybe(label string) bool { return rapid.Bool().Draw(w.T, label) }

// rarely is true once in n times, and false when a failure is made small.
func (w *world) rarely(n int, label string) bool {
	return rapid.IntRange(1, n).Draw(w.T, label) == n
}

func (w *world) pick(label string, options ...string) string {
	return rapid.SampledFrom(options).Draw(w.T, label)
}

// checkUser reads a user as a client and compares everything that is promised about it.
func (w *world) checkUser(client int, id string) {
	a := w.call(client, "GET", "/Users/"+id, nil)
	u := w.m.users[id]
	if u == nil {
		w.want(a, 404)
		return
	}
	w.want(a, 200)
	w.sameUser(client, u, w.object(a))
}

func (w *world) sameUser(client int, u *refUser, got map[string]any) {
	w.equal("user "+u.id, shownAttributes(got), normal(u.doc))
	w.equal("id", got["id"], u.id)
	w.equal("externalId of user "+u.id, orEmpty(got["externalId"]), u.external[client])
	w.equal("groups of user "+u.id, relations(got["groups"]), w.m.groupsOf(u.id))
	schemas := []any{userSchema}
	if normal(u.doc)[enterprise] != nil {
		schemas = append(schemas, enterprise)
	}
	w.equal("schemas of user "+u.id, sortedList(got["schemas"]), sortedList(schemas))
	u.version = w.meta(got, "User", "/Users/"+u.id)
	created, err := time.Parse(time.RFC3339Nano, orEmpty(objectOf(got["meta"])["created"]))
	if err != nil || !u.created.IsZero() && !u.created.Equal(created) {
		w.Fatalf("user %s was created at %v, then at %v (%v)", u.id, u.created, created, err)
	}
	u.created = created
}

func (w *world) checkGroup(client int, id string) {
	a := w.call(client, "GET", "/Groups/"+id, nil)
	g := w.m.groups[id]
	if g == nil {
		w.want(a, 404)
		return
	}
	w.want(a, 200)
	w.sameGroup(client, g, w.object(a), true)
}

func (w *world) sameGroup(client int, g *refGroup, got map[string]any, members bool) {
	w.equal("name of group "+g.id, got["displayName"], g.name)
	w.equal("id", got["id"], g.id)
	w.equal("externalId of group "+g.id, orEmpty(got["externalId"]), g.external[client])
	if members {
		w.equal("members of group "+g.id, relations(got["members"]), w.m.membersOf(g))
	} else if _, there := got["members"]; there {
		w.Fatalf("members of group %s although they were excluded", g.id)
	}
	g.version = w.meta(got, "Group", "/Groups/"+g.id)
}

// meta checks the meta attribute and returns the version.
func (w *world) meta(got map[string]any, typ, path string) string {
	if diff := differences("meta", got["meta"], map[string]any{"resourceType": typ, "created": "{{time}}", "lastModified": "{{time}}", "location": w.base + path, "version": `W/"{{any}}"`}); diff != nil {
		w.Fatalf("%v", diff)
	}
	meta, _ := got["meta"].(map[string]any)
	version, _ := meta["version"].(string)
	return version
}

// checkAll compares every resource, one by one and in the lists.
func (w *world) checkAll() {
	for _, client := range []int{0, 1} {
		got := w.list(client, "/Users?count=1000")
		w.equal("all users", ids(got), sortedKeys(asAny(w.m.users)))
		for _, r := range got {
			w.sameUser(client, w.m.users[r["id"].(string)], r)
		}
		got = w.list(client, "/Groups?count=1000")
		w.equal("all groups", ids(got), sortedKeys(asAny(w.m.groups)))
		for _, r := range got {
			w.sameGroup(client, w.m.groups[r["id"].(string)], r, true)
		}
	}
	for _, id := range sortedKeys(asAny(w.m.users)) {
		w.checkUser(0, id)
	}
	for _, id := range sortedKeys(asAny(w.m.groups)) {
		w.checkGroup(1, id)
	}
	for _, id := range w.m.gone {
		w.want(w.call(0, "GET", "/Users/"+id, nil), 404)
		w.want(w.call(0, "GET", "/Groups/"+id, nil), 404)
	}
}

// list reads a list and checks its envelope.
func (w *world) list(client int, path string) []map[string]any {
	a := w.call(client, "GET", path, nil)
	w.want(a, 200)
	return w.resources(a)
}

func (w *world) resources(a trafficReply) []map[string]any {
	o := w.object(a)
	if diff := differences("", o, map[string]any{"schemas": []any{listSchema}, "Resources": "{{list}}"}); diff != nil {
		w.Fatalf("%v", diff)
	}
	var out []map[string]any
	for _, r := range o["Resources"].([]any) {
		out = append(out, r.(map[string]any))
	}
	if n, ok := o["itemsPerPage"].(json.Number); ok && string(n) != strconv.Itoa(len(out)) {
		w.Fatalf("itemsPerPage %s with %d resources", n, len(out))
	}
	return out
}

func ids(list []map[string]any) []string {
	out := []string{}
	for _, r := range list {
		id, _ := r["id"].(string)
		out = append(out, id)
	}
	return out
}

func orEmpty(v any) string {
	s, _ := v.(string)
	return s
}

// userPath and groupPath are the addresses of the resource types.
const (
	userPath  = "/Users"
	groupPath = "/Groups"
)

// precondition draws an If-Match header for a resource with that version; stale says that it names another one.
func (w *world) precondition(version string) (header []string, stale bool) {
	switch w.pick("if-match", "none", "none", "none", "current", "any", "stale") {
	case "current":
		return []string{"If-Match", version}, false
	case "any":
		return []string{"If-Match", "*"}, false
	case "stale":
		n, _ := strconv.Atoi(strings.Trim(version, `W/"`))
		return []string{"If-Match", fmt.Sprintf(`W/"%d"`, n+1000)}, true
	}
	return nil, false
}
