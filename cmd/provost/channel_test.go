package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/source/ldaptest"
	"github.com/provost-scim/provost/store/pgtest"
)

// sender is a Provost that sends to a tenant of its own.
type sender struct {
	*program
	service *service
	dir     string
}

func newSender(t *testing.T, p *program) *sender {
	p.run("tenant", "create", "target")
	s := &sender{program: p, dir: t.TempDir()}
	s.write("token", p.run("client", "create", "engine", "--tenant", "target"))
	s.service = p.serve()
	s.service.base, s.service.bearer = s.service.url+"/t/target/scim/v2", strings.TrimSpace(s.read("token"))
	return s
}

func (s *sender) path(name string) string { return filepath.Join(s.dir, name) }

func (s *sender) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sender) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// channel writes the file of a channel to the tenant.
func (s *sender) channel(source, mapping, more string) string {
	s.write(source+".yaml", fmt.Sprintf("source: %s\ntarget:\n  url: %s\n  allow: [loopback]\n  auth: {type: bearer, tokenFile: %s}\nmapping: %s\n%s",
		source, s.service.base, s.path("token"), mapping, more))
	return s.path(source + ".yaml")
}

// exit runs a command that must end with an exit code, and returns what it printed.
func (s *sender) exit(code int, args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	got := 0
	if err != nil {
		got = exitFailed
		for _, c := range []int{exitUsage, exitPending} {
			if strings.Contains(err.Error(), fmt.Sprintf("exit status %d", c)) {
				got = c
			}
		}
		if got != exitPending {
			out += err.Error()
		}
	}
	if got != code {
		s.t.Fatalf("provost %s exits with %d, want %d:\n%s", strings.Join(args, " "), got, code, out)
	}
	return out
}

// title is the title of a user at the target, "none" for nobody.
func (s *sender) user(name string) map[string]any {
	s.t.Helper()
	a := s.service.send(200, "GET", "/Users?filter=userName+eq+%22"+name+"%22", "")
	list, _ := a.member("Resources").([]any)
	if len(list) != 1 {
		return nil
	}
	o, _ := list[0].(map[string]any)
	return o
}

// members are the names of the members of a group at the target.
func (s *sender) members(group string) string {
	s.t.Helper()
	var shown struct {
		Members []struct{ Display string }
	}
	a := s.service.send(200, "GET", "/Groups?filter=displayName+eq+%22"+group+"%22", "")
	var list struct{ Resources []json.RawMessage }
	if err := json.Unmarshal([]byte(a.text), &list); err != nil || len(list.Resources) != 1 {
		return "no such group"
	}
	if err := json.Unmarshal(list.Resources[0], &shown); err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, m := range shown.Members {
		names = append(names, m.Display)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestChannel_FromFiles is the day of an administrator who sends two files to a tenant, on both stores.
func TestChannel_FromFiles(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fromFiles(t, newProgram(t, "PROVOST_DATA="+filepath.Join(t.TempDir(), "data")))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		p := newProgram(t, "PROVOST_DATABASE="+pgtest.URL(t))
		p.run("migrate", "up")
		fromFiles(t, p)
	})
}

const peopleFile = `id,username,givenName,familyName,title,email,manager
1,ann,Ann,Ash,Boss,ann@example.com,
2,bob,Bob,Birch,Developer,bob@example.com,1
3,cyd,Cyd,Cedar,,cyd@example.com,1
`

const groupsFile = `id,name,members
g1,Everybody,1;2;3
g2,Developers,2
`

func fromFiles(t *testing.T, p *program) {
	s := newSender(t, p)
	s.write("people.csv", peopleFile)
	s.write("groups.csv", groupsFile)
	s.write("hr-source.yaml", fmt.Sprintf("kind: csv\npeople_file: %s\ngroups_file: %s\n", s.path("people.csv"), s.path("groups.csv")))
	file := s.channel("hr", "{profile: csv}", "interval: 1s\n")

	// Nothing is saved that does not work.
	s.exit(exitFailed, "channel", "create", "out", "-f", file)
	s.write("bad.yaml", "kind: csv\npeople_file: "+s.path("missing.csv")+"\n")
	s.exit(exitFailed, "source", "add", "hr", "-f", s.path("bad.yaml"))
	s.write("unknown.yaml", "kind: csv\npeople_fil: x\n")
	s.exit(exitUsage, "source", "add", "hr", "-f", s.path("unknown.yaml"))
	s.run("source", "add", "hr", "-f", s.path("hr-source.yaml"))
	if out := s.run("source", "count", "hr"); !strings.Contains(out, "people  3") || !strings.Contains(out, "groups  2") {
		t.Errorf("count: %s", out)
	}
	s.write("html.yaml", strings.ReplaceAll(s.read("hr.yaml"), "/t/target/scim/v2", "/t/nobody/scim/v2"))
	s.exit(exitFailed, "channel", "create", "out", "-f", s.path("html.yaml"))
	if out := s.exit(exitUsage, "channel", "create", "out", "-f", s.path("hr-source.yaml")); !strings.Contains(out, "kind") {
		t.Errorf("an unknown key is not named: %s", out)
	}
	s.run("channel", "create", "out", "-f", file)

	// The plan shows everything and sends nothing; the plan file is carried out as it is.
	if out := s.exit(exitPending, "plan", "out"); !strings.Contains(out, "bob@example.com") || s.user("bob") != nil {
		t.Errorf("plan: %s", out)
	}
	s.write("plan.json", s.exit(exitPending, "plan", "out", "-o", "json"))
	s.run("sync", "out", "--plan", s.path("plan.json"))
	s.exit(exitFailed, "sync", "out", "--plan", s.path("plan.json"))
	s.run("sync", "out")
	if got := s.members("Everybody"); got != "ann bob cyd" && got != "Ann Ash Bob Birch Cyd Cedar" {
		t.Errorf("members: %q", got)
	}
	ann, bob := s.user("ann"), s.user("bob")
	enterprise, _ := bob["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"].(map[string]any)
	if manager, _ := enterprise["manager"].(map[string]any); ann == nil || manager["value"] != ann["id"] {
		t.Errorf("bob: %v", bob)
	}
	if out := s.exit(exitDone, "plan", "out"); out != "" {
		t.Errorf("nothing is to be done, and still: %s", out)
	}
	s.onSchedule(t)
	s.removals(t)
	s.service.stop()
}

// onSchedule lets the server run the channel: a change arrives by itself, a pause stops it.
func (s *sender) onSchedule(t *testing.T) {
	s.run("channel", "resume", "out")
	s.write("people.csv", strings.Replace(peopleFile, "Developer", "Architect", 1))
	within(t, 20*time.Second, "the change arrives", func() bool { return s.user("bob")["title"] == "Architect" })
	s.run("channel", "pause", "out")
	time.Sleep(5 * time.Second) // what a pause may take
	s.write("people.csv", peopleFile)
	time.Sleep(3 * time.Second)
	if title := s.user("bob")["title"]; title != "Architect" {
		t.Errorf("a paused channel sent %v", title)
	}
	out := s.run("log", "provisioning", "out", "--action", "update", "-o", "jsonl")
	if !strings.Contains(out, `"path":"title"`) || !strings.Contains(out, "Developer") {
		t.Errorf("log: %s", out)
	}
	if out := s.exit(exitDone, "try", "out", "bob"); !strings.Contains(out, "Architect → Developer") || strings.Count(out, "\n") < 6 {
		t.Errorf("try: %s", out)
	}
	if out := s.exit(exitPending, "try", "out", "nobody-at-all"); !strings.Contains(out, "the source has no object") {
		t.Errorf("try: %s", out)
	}
	s.run("try", "out", "bob", "--live")
	if title := s.user("bob")["title"]; title != "Developer" {
		t.Errorf("after try --live: %v", title)
	}
}

// removals takes everybody away: nothing is removed until somebody approves.
func (s *sender) removals(t *testing.T) {
	s.write("hr-source.yaml", s.read("hr-source.yaml")+"allow_empty: true\n")
	s.run("source", "add", "hr", "-f", s.path("hr-source.yaml"))
	s.write("people.csv", peopleFile[:strings.Index(peopleFile, "\n")+1])
	s.run("sync", "out")
	if s.user("ann")["active"] != true {
		t.Fatal("somebody was disabled without a question")
	}
	var held []provision.Held
	if err := json.Unmarshal([]byte(s.run("removals", "list", "out", "-o", "json")), &held); err != nil || len(held) == 0 {
		t.Fatalf("held: %v, %v", held, err)
	}
	s.exit(exitUsage, "removals", "approve", "out")
	s.exit(exitFailed, "removals", "approve", "out", "no-such-key")
	s.run("removals", "approve", "out", "2")
	s.run("sync", "out")
	if s.user("bob")["active"] != false || s.user("ann")["active"] != true {
		t.Errorf("after approving bob: %v, %v", s.user("bob")["active"], s.user("ann")["active"])
	}
	s.write("people.csv", peopleFile)
	s.run("sync", "out")
	if s.user("bob")["active"] != true {
		t.Error("bob did not come back")
	}
	if got := s.exit(exitDone, "removals", "list", "out", "-o", "json"); strings.TrimSpace(got) != "[]" {
		t.Errorf("still held: %s", got)
	}
}

// TestChannel_FromSlapd sends a real directory: hire, change, rename, leave, group changes.
func TestChannel_FromSlapd(t *testing.T) {
	t.Parallel()
	d := ldaptest.Slapd(t, ldaptest.SlapdOptions{})
	a := d.Dial(t)
	person := func(uid, title string) string {
		dn := "uid=" + uid + ",ou=people," + d.Base
		a.Add(dn, "objectClass", "inetOrgPerson", "cn", uid, "sn", strings.ToUpper(uid), "title", title, "mail", uid+"@example.com")
		return dn
	}
	ann, bob := person("ann", "Boss"), person("bob", "Developer")
	team := "cn=team,ou=groups," + d.Base
	a.Add(team, "objectClass", "groupOfNames", "member", ann, "member", bob)

	s := newSender(t, newProgram(t, "PROVOST_DATA="+filepath.Join(t.TempDir(), "data")))
	s.write("ldap-source.yaml", fmt.Sprintf("kind: ldap\nservers: [%s]\nallow_plaintext: true\nbind_dn: %q\npassword_file: %s\npeople: {base: %q}\ngroups: {base: %q}\n",
		d.URL, d.BindDN, d.PasswordFile, "ou=people,"+d.Base, "ou=groups,"+d.Base))
	s.run("source", "add", "ldap", "-f", s.path("ldap-source.yaml"))
	s.run("channel", "create", "out", "-f", s.channel("ldap", "{profile: openldap}", ""))
	s.run("sync", "out")
	if s.user("ann")["title"] != "Boss" || s.members("team") == "no such group" || len(strings.Fields(s.members("team"))) != 2 {
		t.Fatalf("ann: %v, team: %s", s.user("ann"), s.members("team"))
	}
	id := s.user("bob")["id"]

	a.Set(ann, "title", "Chair")
	cyd := person("cyd", "Designer")
	a.Grow(team, "member", cyd)
	a.Move(bob, "uid=robert", "ou=people,"+d.Base)
	s.run("sync", "out")
	if s.user("ann")["title"] != "Chair" || s.user("robert")["id"] != id || len(strings.Fields(s.members("team"))) != 3 {
		t.Fatalf("ann: %v, robert: %v, team: %s", s.user("ann")["title"], s.user("robert"), s.members("team"))
	}
	a.Delete(cyd)
	s.run("sync", "out")
	if s.user("cyd")["active"] != false || len(strings.Fields(s.members("team"))) != 2 {
		t.Errorf("cyd: %v, team: %s", s.user("cyd")["active"], s.members("team"))
	}
	if out := s.exit(exitDone, "plan", "out"); out != "" {
		t.Errorf("nothing is to be done, and still: %s", out)
	}
}
