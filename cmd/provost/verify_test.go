package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// code is the exit code behind an error of try.
func code(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatal(err)
	}
	return exit.ExitCode()
}

// verifySite is a running server with a token in a file.
func verifySite(t *testing.T) (p *program, base, tokenFile string) {
	p = newProgram(t, "PROVOST_DATA="+filepath.Join(t.TempDir(), "data"))
	p.run("tenant", "create", "acme")
	token := p.run("client", "create", "verify", "--tenant", "acme")
	tokenFile = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	s := p.serve()
	t.Cleanup(s.stop)
	return p, s.url + "/t/acme/scim/v2", tokenFile
}

func TestVerify(t *testing.T) {
	p, base, tokenFile := verifySite(t)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	out := p.run("verify", base, "--token-file", tokenFile, "--as", "entra-flag,okta-spec",
		"--report", file("a.json"), "--html", file("a.html"), "--junit", file("a.xml"), "--record", file("a.jsonl"))
	for _, want := range []string{"entra-flag", "pass  disable ", "s12-unknown-id", "passed"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a.json": `"format"`, "a.html": "Who would break", "a.xml": "<testsuites", "a.jsonl": `"request"`} {
		text, err := os.ReadFile(file(name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q (%v)", name, want, err)
		}
		if strings.Contains(string(text), strings.TrimSpace(string(token))) {
			t.Errorf("%s contains the token", name)
		}
	}

	// A case that cannot hold: exit code 3, and diff calls the later run worse.
	bad := `{"name":"impossible","client":"Nobody","why":"to fail","ref":"none","steps":[{"request":{"method":"GET","path":"/Users?count=1"},"answer":{"status":418}}]}`
	if err := os.WriteFile(file("impossible.json"), []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = p.try("verify", base, "--token-file", tokenFile, "--cases", file("impossible.json"), "--report", file("b.json"))
	if code(t, err) != exitPending || !strings.Contains(out, "expected  step 1: status 418") {
		t.Errorf("a failing case: %v\n%s", err, out)
	}
	if out, err = p.try("verify", "diff", file("a.json"), file("b.json")); code(t, err) != exitPending || !strings.Contains(out, "! ") {
		t.Errorf("diff: %v\n%s", err, out)
	}
	if out, err = p.try("verify", "diff", file("a.json"), file("a.json")); err != nil || !strings.Contains(out, "no difference") {
		t.Errorf("diff with itself: %v\n%s", err, out)
	}

	// The machine-readable forms.
	var rep struct{ Passed, Failed int }
	if err := json.Unmarshal([]byte(p.run("verify", base, "--token-file", tokenFile, "--only", "entra/create", "-o", "json")), &rep); err != nil || rep.Passed != 1 {
		t.Errorf("-o json: %v %+v", err, rep)
	}
	lines := strings.Split(strings.TrimSpace(p.run("verify", base, "--token-file", tokenFile, "--as", "okta-spec", "-o", "jsonl")), "\n")
	if len(lines) != 12 {
		t.Errorf("-o jsonl: %d lines, want 12", len(lines))
	}
}

func TestVerify_Refuses(t *testing.T) {
	p, base, tokenFile := verifySite(t)
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("wrong-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		code int
		want string
	}{
		{[]string{base}, exitUsage, "nothing to authenticate with"},
		{[]string{base, "--token-file", wrong}, exitFailed, "refuses the credentials"},
		{[]string{base + "/x", "--token-file", tokenFile}, exitFailed, "/Users is not there"},
		{[]string{base, "--token-file", "no-such-file"}, exitUsage, "cannot be read"},
		{[]string{base, "--token-file", tokenFile, "--as", "entraid"}, exitFailed, `unknown profile "entraid"`},
		{[]string{base, "--token-file", tokenFile, "--header", "nonsense"}, exitUsage, "header line"},
		{[]string{base, "--oauth-url", base}, exitUsage, "an id and a secret"},
		{[]string{base, "--token-file", tokenFile, "--html", "/no/such/folder/x.html"}, exitUsage, "cannot be written"},
		{[]string{"diff", tokenFile, tokenFile}, exitUsage, "no report"},
		{[]string{"diff", tokenFile}, exitUsage, "next: provost verify diff --help"},
	}
	for _, tt := range tests {
		_, err := p.try(append([]string{"verify"}, tt.args...)...)
		if got := code(t, err); got != tt.code || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: exit code %d, %v; want %d, %q", tt.args, got, err, tt.code, tt.want)
		}
	}
}

// TestVerify_Interrupted sends an interrupt in the middle: nothing may stay on the server.
func TestVerify_Interrupted(t *testing.T) {
	p, base, tokenFile := verifySite(t)
	b := p.start("verify", base, "--token-file", tokenFile, "--as", "entra", "--rate", "100")
	within(t, 20*time.Second, "a case is done", func() bool { return strings.Contains(b.String(), "duplicate") })
	if err := b.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Wait(); code(t, err) != exitPending {
		t.Errorf("interrupted: %v\n%s", err, b.String())
	}
	if !strings.Contains(b.String(), "interrupted") {
		t.Errorf("the summary does not say that the run was interrupted:\n%s", b.String())
	}
	for _, what := range []string{"user", "group"} {
		if out := p.run(what, "list", "--tenant", "acme", "-o", "json"); strings.TrimSpace(out) != "[]" {
			t.Errorf("left behind: %s", out)
		}
	}
}
