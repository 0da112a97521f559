// Package rig runs the real parts that measurements and fault tests need: the built provost binary as a process
// of its own, its command line, private PostgreSQL clusters, and lean HTTP connections. It knows Provost from
// the outside only: command line, HTTP and /proc.
package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build compiles cmd/provost of the module in the working directory (or above it) into dir and returns the path
// of the binary. If PROVOST_BIN is set it names a binary that is used as it is. Tags are build tags, "" for none.
func Build(ctx context.Context, dir, tags string) (string, error) {
	if bin := os.Getenv("PROVOST_BIN"); bin != "" {
		return bin, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "provost")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", tags, "-o", bin, "./cmd/provost")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build provost: %w\n%s", err, out)
	}
	return bin, nil
}

// moduleRoot is the nearest folder with a go.mod, upwards from the working directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod here or above: run this inside the repository")
		}
		dir = up
	}
}

// CLI runs one provost command against the store at where (a folder or a postgres URL) and returns its standard
// output. The error carries what the command said on standard error.
func CLI(ctx context.Context, bin, where string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, bin, append(args, storeFlag(where)...)...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("provost %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// storeFlag names the store for a command.
func storeFlag(where string) []string {
	if strings.HasPrefix(where, "postgres://") {
		return []string{"--database", where}
	}
	return []string{"--data", where}
}

// freePorts returns n free loopback ports. All are held open until the last is known, so they differ.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
