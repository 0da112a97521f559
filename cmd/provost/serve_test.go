package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/provost-scim/provost/store/pgtest"
)

// TestEndToEnd is the day of an administrator, on both stores: make a tenant and a client, serve, provision over
// HTTP, look at the result beside the running server, rotate, revoke, delete, restore, restart.
func TestEndToEnd(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "data")
		endToEnd(t, newProgram(t, "PROVOST_DATA="+dir), func() string { return filesUnder(t, dir) })
	})
	t.Run("postgres", func(t *testing.T) {
		where := pgtest.URL(t)
		p := newProgram(t, "PROVOST_DATABASE="+where)
		p.run("migrate", "up")
		endToEnd(t, p, func() string { return rowsOf(t, where) })
	})
}

// Values that must never be found anywhere.
const (
	canaryPassword = "Canary-Passw0rd-7f3e"
	canarySecond   = "Canary-Passw0rd-9a1c"
)

func endToEnd(t *testing.T, p *program, dump func() string) {
	p.run("tenant", "create", "acme")
	token := strings.TrimSpace(p.run("client", "create", "entra", "--tenant", "acme", "--profile", "entra"))
	s := p.serve()
	s.base, s.bearer = s.url+"/t/acme/scim/v2", token
	secrets := []string{canaryPassword, canarySecond, token}

	ada, group := provisioned(t, s)
	beside(t, p, s, ada, group)
	observe(t, s)
	secrets = append(secrets, oauth(t, p, s)...)
	newSchema(t, p, s)
	probeSecrets(s, ada)

	// A rotation without overlap ends the old token within a second, on a running server.
	second := strings.TrimSpace(p.run("client", "rotate", "entra", "--tenant", "acme", "--overlap", "0s"))
	secrets = append(secrets, second)
	within(t, time.Second, "the old token is refused", func() bool {
		return s.request("GET", s.base+"/Users/"+ada, token, "", "").status == http.StatusUnauthorized
	})
	s.bearer = second
	s.send(200, "GET", "/Users/"+ada, "")

	s.stop()
	if show := p.run("client", "show", "entra", "--tenant", "acme", "-o", "json"); !strings.Contains(show, `"lastUsed"`) {
		t.Errorf("after the stop the last use is not recorded:\n%s", show)
	}
	log := s.logged()

	// Everything is still there after a restart.
	s = p.serve()
	s.base, s.bearer = s.url+"/t/acme/scim/v2", second
	if got := s.send(200, "GET", "/Groups/"+group, "").text; !strings.Contains(got, ada) {
		t.Errorf("after the restart the group has lost its member:\n%s", got)
	}
	backup := backUp(t, p, second, group)
	p.run("client", "revoke", "entra", "--tenant", "acme")
	within(t, time.Second, "the revoked client is refused", func() bool {
		return s.request("GET", s.base+"/Users/"+ada, second, "", "").status == http.StatusUnauthorized
	})
	s.stop()

	places := map[string]string{
		"the log of the server": log + s.logged(),
		"the request log":       p.run("log", "scim", "--tenant", "acme", "--limit", "1000", "-o", "jsonl"),
		"the change log":        p.run("log", "audit", "--tenant", "acme", "-o", "jsonl"),
		"the list of users":     p.run("user", "list", "--tenant", "acme", "-o", "json"),
		"the database":          dump(),
		"the backup":            backup,
	}
	if !strings.Contains(places["the database"], "ada.byron@acme.example") {
		t.Fatal("the dump of the database does not hold the users: it proves nothing")
	}
	for where, text := range places {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds the secret %s", where, secret)
			}
		}
	}
}

// provisioned makes a user with a password and a group that holds it, and changes both.
func provisioned(t *testing.T, s *service) (ada, group string) {
	made := s.send(201, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada.byron@acme.example",
		"externalId":"a-1","active":true,"name":{"givenName":"Ada","familyName":"Byron"},"password":"`+canaryPassword+`",
		"emails":[{"value":"ada.byron@acme.example","type":"work","primary":true}]}`)
	ada, _ = made.member("id").(string)
	if location := made.header.Get("Location"); location != s.base+"/Users/"+ada {
		t.Errorf("Location is %q", location)
	}
	made = s.send(201, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Engineering","members":[{"value":"`+ada+`"}]}`)
	group, _ = made.member("id").(string)
	s.send(200, "PATCH", "/Users/"+ada, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
		{"op":"Replace","path":"active","value":"False"},{"op":"replace","path":"password","value":"`+canarySecond+`"},{"op":"replace","value":{"password":"`+canarySecond+`"}}]}`)
	found := s.send(200, "GET", "/Users?filter="+url.QueryEscape(`emails[type eq "work" and value sw "ADA"] and active eq false`), "")
	if found.member("totalResults") != 1.0 {
		t.Errorf("the filter finds %s", found.text)
	}
	return ada, group
}

// probeSecrets puts secrets where a careless server would keep them.
func probeSecrets(s *service, ada string) {
	s.request("GET", s.url+"/t/other/scim/v2/Users", s.bearer, "", "")
	s.request("GET", s.base+"/Users?access_token="+s.bearer, "", "", "")
	s.request("GET", s.base+"/Users?filter="+url.QueryEscape(`password eq "`+canaryPassword+`"`), s.bearer, "", "")
	s.request("POST", s.base+"/Users", s.bearer, "application/scim+json", `{"userName":"x","password":"`+canaryPassword+`"`)
	s.request("POST", s.base+"/Users", s.bearer, "application/scim+json", `{"userName":"x","PassWord":{"value":"`+canaryPassword+`"}}`)
	s.request("PATCH", s.base+"/Users/"+ada, s.bearer, "application/scim+json",
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:password","value":"`+canaryPassword+`"}]}`)
	s.request("POST", s.base+"/Bulk", s.bearer, "application/scim+json",
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"bulk","password":"`+canaryPassword+`"}}]}`)
}

// beside looks at the running server's data with the command line.
func beside(t *testing.T, p *program, s *service, ada, group string) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"user", "list"}, []string{"ada.byron@acme.example", "false", "Ada Byron", ada}},
		{[]string{"user", "list", "--filter", `active eq false`, "-o", "jsonl"}, []string{`"userName":"ada.byron@acme.example"`, ada}},
		{[]string{"user", "show", "ADA.byron@acme.example"}, []string{ada, "Engineering", "direct"}},
		{[]string{"user", "show", ada, "-o", "yaml"}, []string{"userName: ada.byron@acme.example", "display: Engineering"}},
		{[]string{"user", "show", ada, "--history"}, []string{"create", "deactivate", "client entra"}},
		{[]string{"group", "list"}, []string{"Engineering", group}},
		{[]string{"group", "show", "Engineering"}, []string{"members      1", ada, "User"}},
		{[]string{"log", "audit", "--type", "Group"}, []string{"create", "Engineering"}},
	} {
		out := p.run(append(c.args, "--tenant", "acme")...)
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("provost %s lacks %q:\n%s", strings.Join(c.args, " "), want, out)
			}
		}
	}
	within(t, 5*time.Second, "the request log has the PATCH with its tolerance", func() bool {
		out := p.run("log", "scim", "--tenant", "acme", "--client", "entra", "--status", "2", "-o", "jsonl")
		return strings.Contains(out, `"method":"PATCH"`) && strings.Contains(out, `"tolerances":[`)
	})

	if out := p.run("doctor"); strings.Contains(out, "fail") {
		t.Errorf("the doctor finds faults:\n%s", out)
	}
	followLogs(t, p, s)

	s.send(204, "DELETE", "/Users/"+ada, "")
	s.send(404, "GET", "/Users/"+ada, "")
	if out := p.run("user", "list", "--deleted", "--tenant", "acme"); !strings.Contains(out, ada) {
		t.Errorf("the deleted user cannot be restored:\n%s", out)
	}
	p.run("user", "restore", ada, "--tenant", "acme")
	s.send(200, "GET", "/Users/"+ada, "")
	if got := s.send(200, "GET", "/Groups/"+group, "").text; !strings.Contains(got, ada) {
		t.Errorf("the restored user has lost its membership:\n%s", got)
	}
	if _, err := p.try("user", "restore", ada, "--tenant", "acme"); err == nil {
		t.Error("a user that is there is restored once more")
	}
}

// backUp makes a backup beside the running server, restores it into a new folder and serves from there. It
// returns the content of the backup.
func backUp(t *testing.T, p *program, token, group string) string {
	dir := t.TempDir()
	file := filepath.Join(dir, "all.backup")
	p.run("backup", "create", file)
	p.run("backup", "verify", file)
	copied := newProgram(t, "PROVOST_DATA="+filepath.Join(dir, "copy"))
	copied.run("backup", "restore", file)
	s := copied.serve()
	s.base, s.bearer = s.url+"/t/acme/scim/v2", token
	s.send(200, "GET", "/Groups/"+group, "")
	s.send(200, "GET", "/Devices", "")
	s.stop()
	packed, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "ada.byron@acme.example") {
		t.Error("the backup does not hold the users")
	}
	return string(text)
}

// followLogs checks that followed logs show what comes, once.
func followLogs(t *testing.T, p *program, s *service) {
	requests := p.start("log", "scim", "--follow", "--limit", "1", "-o", "jsonl", "--tenant", "acme")
	changes := p.start("log", "audit", "--follow", "-o", "jsonl", "--tenant", "acme")
	within(t, 10*time.Second, "the logs are followed", func() bool {
		return strings.Contains(requests.String(), `"method"`) && strings.Contains(changes.String(), `"seq"`)
	})
	made := s.send(201, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"followed"}`)
	id, _ := made.member("id").(string)
	request := `"id":"` + made.header.Get("X-Request-Id") + `"`
	within(t, 10*time.Second, "the followed logs show the request and the change", func() bool {
		return strings.Contains(requests.String(), request) && strings.Contains(changes.String(), id)
	})
	time.Sleep(2 * followEvery)
	if n := strings.Count(requests.String(), request); n != 1 {
		t.Errorf("the followed request is shown %d times:\n%s", n, requests.String())
	}
	requests.stop()
	changes.stop()
}

// TestServe_AsksForMigrations starts on a PostgreSQL database that was never used.
func TestServe_AsksForMigrations(t *testing.T) {
	p := newProgram(t, "PROVOST_DATABASE="+pgtest.URL(t))
	for _, args := range [][]string{{"serve"}, {"tenant", "create", "acme"}, {"migrate", "status"}} {
		_, err := p.try(args...)
		if err == nil || !strings.Contains(err.Error(), "next: provost backup create FILE") || !strings.Contains(err.Error(), "provost migrate up") {
			t.Errorf("provost %s on an unprepared database: %v", strings.Join(args, " "), err)
		}
		if err != nil && strings.Contains(err.Error(), "provost:") {
			t.Errorf("the password of the database is shown: %v", err)
		}
	}
	s := p.serve("--migrate")
	s.stop()
	p.run("migrate", "status")
}

// observe looks at the operations listener.
func observe(t *testing.T, s *service) {
	for path, want := range map[string]string{
		"/healthz/live":  `"status":"ok"`,
		"/healthz/ready": `"migrations":{"status":"ok"`,
		"/metrics":       `provost_scim_requests_total{code="201",method="POST",route="`,
	} {
		a := s.request("GET", s.opsURL+path, "", "", "")
		if a.status != 200 || !strings.Contains(a.text, want) {
			t.Errorf("%s answers %d without %s:\n%.500s", path, a.status, want, a.text)
		}
	}
	if a := s.request("GET", s.url+"/metrics", "", "", ""); a.status == 200 {
		t.Error("metrics are served to everybody")
	}
}

// oauth uses client credentials and returns the secrets it saw.
func oauth(t *testing.T, p *program, s *service) []string {
	var id, secret, tokenURL string
	for line := range strings.Lines(p.run("client", "create", "okta", "--tenant", "acme", "--oauth", "--public-url", s.url)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch value = strings.TrimSpace(value); name {
		case "client_id":
			id = value
		case "client_secret":
			secret = value
		case "token_url":
			tokenURL = value
		}
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	got := s.request("POST", tokenURL, "", "application/x-www-form-urlencoded", form.Encode())
	issued, _ := got.member("access_token").(string)
	if got.status != 200 || issued == "" {
		t.Fatalf("%s answers %d:\n%s", tokenURL, got.status, got.text)
	}
	if a := s.request("GET", s.base+"/Users?count=1", issued, "", ""); a.status != 200 {
		t.Errorf("an issued token is answered with %d", a.status)
	}
	if a := s.request("GET", s.base+"/Users?count=1", secret, "", ""); a.status != 401 {
		t.Errorf("a client secret as a bearer token is answered with %d", a.status)
	}
	return []string{secret, issued}
}

// newSchema gives the tenant a resource type while the server runs.
func newSchema(t *testing.T, p *program, s *service) {
	s.send(404, "GET", "/Devices", "")
	file := filepath.Join(t.TempDir(), "device.json")
	definition := `{"schemas":[{"id":"urn:acme:device:1.0:Device","name":"Device","attributes":[{"name":"serial","indexed":true}]}],
		"resourceTypes":[{"name":"Device","endpoint":"/Devices","schema":"urn:acme:device:1.0:Device"}]}`
	if err := os.WriteFile(file, []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run("schema", "set", file, "--tenant", "acme")
	within(t, 3*time.Second, "the new resource type answers", func() bool {
		return s.request("GET", s.base+"/Devices", s.bearer, "", "").status == 200
	})
	s.send(201, "POST", "/Devices", `{"schemas":["urn:acme:device:1.0:Device"],"serial":"x-1"}`)
	if a := s.send(200, "GET", "/Devices?filter="+url.QueryEscape(`serial eq "X-1"`), ""); a.member("totalResults") != 1.0 {
		t.Errorf("the new attribute is not found by a filter: %s", a.text)
	}
}

// filesUnder is the content of all files of a folder.
func filesUnder(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// rowsOf is every row of every table of a database.
func rowsOf(t *testing.T, where string) string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, where)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "select quote_ident(table_name) from information_schema.tables where table_schema = 'public'")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, table := range tables {
		rows, err := conn.Query(ctx, fmt.Sprintf("select coalesce(row_to_json(t)::text, '') from %s t", table))
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(strings.Join(lines, "\n"))
	}
	return all.String()
}
