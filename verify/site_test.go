package verify_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/audit"
	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/scimserver"
	"github.com/provost-scim/provost/store"
	"github.com/provost-scim/provost/verify"
)

// site is a Provost over a real store, reached over real HTTP.
type site struct {
	db     *store.DB
	access *access.Service
	http   *httptest.Server
}

func newSite(t testing.TB, where string) *site {
	t.Helper()
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := store.Open(ctx, where, store.Options{Migrate: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{db: db, access: &access.Service{Keeper: db, Accounts: db, Log: log}}
	key, err := db.Key(ctx, "cursor")
	if err != nil {
		t.Fatal(err)
	}
	server, err := scimserver.New(scimserver.Config{Access: s.access, Directory: s.directory, Key: key, Requests: db, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	s.http = httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		s.http.Close()
		if err := server.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := s.access.Close(ctx); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	return s
}

func (s *site) directory(_ context.Context, t access.Tenant) (*directory.Directory, error) {
	return &directory.Directory{
		Store: s.db.Directory(t.ID), Registry: scim.Default(), Now: time.Now,
		Policy: directory.Policy{UniqueGroupNames: t.Settings.UniqueGroupNames},
		NewID:  func() string { return uuid.Must(uuid.NewV7()).String() },
	}, nil
}

var tenants atomic.Int64

// peer is a tenant with one client.
type peer struct {
	tenant access.Tenant
	client access.Client
	base   string
	token  string
}

func (s *site) newPeer(t testing.TB, profile access.Profile) peer {
	t.Helper()
	by := audit.Actor{Kind: "cli"}
	tenant, err := s.access.CreateTenant(t.Context(), by, fmt.Sprintf("v%d", tenants.Add(1)), "")
	if err != nil {
		t.Fatal(err)
	}
	client, token, err := s.access.CreateClient(t.Context(), by, tenant.ID, access.NewClient{Name: "verify", Profile: profile, Rate: -1, Concurrent: -1})
	if err != nil {
		t.Fatal(err)
	}
	return peer{tenant, client, s.http.URL + "/t/" + tenant.Name + "/scim/v2", token}
}

// quick is a folder in memory where there is one: what is tested here is not the disk.
func quick(t testing.TB) string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		dir, err := os.MkdirTemp("/dev/shm", "provost-verify-")
		if err == nil {
			t.Cleanup(func() { os.RemoveAll(dir) })
			return dir
		}
	}
	return t.TempDir()
}

func play(t testing.TB, o verify.Options) *verify.Report {
	t.Helper()
	rep, err := verify.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// complaints are the findings of a report, for messages of tests.
func complaints(rep *verify.Report) string {
	var b strings.Builder
	for _, r := range rep.Results {
		if r.Outcome == verify.Pass || r.Outcome == verify.Skipped && !r.Blocked {
			continue
		}
		fmt.Fprintf(&b, "%s %s (%s) %s\n", r.Outcome, r.Name, r.Rule, r.Reason)
		for _, f := range r.Findings {
			fmt.Fprintf(&b, "    expected %s\n    got      %s\n", f.Expected, f.Got)
			for _, x := range r.Exchanges {
				if x.N == f.Exchange {
					fmt.Fprintf(&b, "    %s %s %s → %d %s%s\n", x.Request.Method, x.Request.Path, clip(x.Request.Body), x.Response.Status, clip(x.Response.Body), x.Err)
				}
			}
		}
	}
	return b.String()
}

func clip(b []byte) string { return string(b[:min(len(b), 700)]) }
