package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/provost-scim/provost/access"
	"github.com/provost-scim/provost/scim"
)

// Bounds below which the doctor speaks up.
const (
	diskWarn        = 1 << 30 // bytes
	diskFail        = 100 << 20
	expiryWarn      = 14 * 24 * time.Hour
	certificateWarn = 30 * 24 * time.Hour
	oldestPostgres  = 150000 // server_version_num
)

// place looks at the data folder and the disk.
func (c *doctorCmd) place(context.Context) []finding {
	if c.Database != "" {
		return nil
	}
	there, err := c.exists()
	if err != nil {
		return []finding{bad("data folder", "run this as the user that runs provost serve", "%v", err)}
	}
	if !there {
		return []finding{bad("data folder", "name the server's folder with --data, or begin one: provost tenant create NAME "+c.flag(), "there is no store in %s", c.Data)}
	}
	found := []finding{c.permissions(), c.writable()}
	free, err := freeSpace(c.Data)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
	case err != nil:
		found = append(found, doubtful("disk space", "look at it yourself", "%v", err))
	case free < diskFail:
		found = append(found, bad("disk space", "make room now: with a full disk every write is refused", "%s free", bytesText(free)))
	case free < diskWarn:
		found = append(found, doubtful("disk space", "make room", "%s free", bytesText(free)))
	default:
		found = append(found, good("disk space", "%s free", bytesText(free)))
	}
	if info, err := os.Stat(filepath.Join(c.Data, databaseFile)); err == nil {
		if ahead := time.Until(info.ModTime()); ahead > stale {
			found = append(found, doubtful("clock", "synchronise the clock (NTP)", "the store was last written %s in the future", ahead.Round(time.Second)))
		} else {
			found = append(found, good("clock", "not behind the store's last write"))
		}
	}
	return found
}

// permissions checks that only the owner reads the directory of people.
func (c *doctorCmd) permissions() finding {
	const name = "permissions"
	if runtime.GOOS == "windows" {
		return good(name, "not checked on Windows")
	}
	info, err := os.Stat(c.Data)
	if err != nil {
		return bad(name, "check the path", "%v", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return doubtful(name, "chmod 700 "+c.Data, "%s can be opened by others (mode %04o)", c.Data, mode)
	}
	return good(name, "%s is open to its owner alone", c.Data)
}

// writable checks that a file can be made beside the database, as SQLite must.
func (c *doctorCmd) writable() finding {
	f, err := os.CreateTemp(c.Data, ".doctor-*")
	if err != nil {
		return bad("writable", "run this as the user that runs provost serve", "%v", err)
	}
	defer os.Remove(f.Name())
	if err := f.Close(); err != nil {
		return bad("writable", "check the disk", "%v", err)
	}
	return good("writable", "files can be made in %s", c.Data)
}

// people looks for tokens that end soon and tenants nobody can reach.
func (c *doctorCmd) people(ctx context.Context, service *access.Service) []finding {
	now := time.Now()
	tenants, err := service.Tenants(ctx)
	if err != nil {
		return []finding{bad("tenants", "see the cause", "%v", err)}
	}
	if len(tenants) == 0 {
		return []finding{doubtful("tenants", "provost tenant create NAME "+c.flag(), "there is none yet")}
	}
	var soon, idle []string
	for _, t := range tenants {
		clients, err := service.Clients(ctx, t.ID)
		if err != nil {
			return []finding{bad("tenants", "see the cause", "%v", err)}
		}
		live := 0
		for _, client := range clients {
			if client.Revoked.IsZero() {
				live++
			}
			left, ends, err := lifetime(ctx, service, client, now)
			if err != nil {
				return []finding{bad("tokens", "see the cause", "%v", err)}
			}
			if ends && left < expiryWarn {
				soon = append(soon, fmt.Sprintf("%s of %s in %.0f days", client.Name, t.Name, left.Hours()/24))
			}
		}
		if live == 0 {
			idle = append(idle, t.Name)
		}
	}
	found := []finding{good("tenants", "%d", len(tenants))}
	if len(idle) > 0 {
		found[0] = doubtful("tenants", "provost client create NAME --tenant T "+c.flag(), "%d, without a client: %s", len(tenants), short(idle))
	}
	if len(soon) > 0 {
		return append(found, doubtful("tokens", "provost client rotate NAME --tenant T "+c.flag(), "they expire soon: %s", short(soon)))
	}
	return append(found, good("tokens", "none expires within 14 days"))
}

// postgres checks what the store needs of the server.
func (c *doctorCmd) postgres(ctx context.Context) []finding {
	conn, err := pgx.Connect(ctx, c.Database)
	if err != nil {
		return []finding{bad("PostgreSQL", "check the URL, the network and the password (PROVOST_DATABASE, PGPASSFILE)", "%v", err)}
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var version, collations int
	var now time.Time
	var commit, fsync, encoding string
	err = conn.QueryRow(ctx, `select current_setting('server_version_num')::int, now(), current_setting('synchronous_commit'),
		current_setting('fsync'), current_setting('server_encoding'),
		(select count(*) from pg_collation where collname = 'und-x-icu')`).Scan(&version, &now, &commit, &fsync, &encoding, &collations)
	if err != nil {
		return []finding{bad("PostgreSQL", "check that the user may connect and read", "%v", err)}
	}
	found := []finding{good("PostgreSQL", "version %d", version/10000), clock("clock", time.Now(), now)}
	if version < oldestPostgres {
		found[0] = bad("PostgreSQL", "use version 15 or later", "version %d is too old", version/10000)
	}
	if collations == 0 {
		found = append(found, bad("collation", "use a PostgreSQL that was built with ICU, as the packages of all distributions are", "und-x-icu is missing"))
	} else {
		found = append(found, good("collation", "und-x-icu is there"))
	}
	if encoding != "UTF8" {
		found = append(found, bad("encoding", "create the database with encoding UTF8", "the database has %s", encoding))
	}
	if fsync != "on" || commit == "off" {
		found = append(found, bad("durability", "set fsync = on and synchronous_commit = on", "fsync is %s and synchronous_commit is %s: a crash can lose acknowledged changes", fsync, commit))
	} else {
		found = append(found, good("durability", "fsync is on, synchronous_commit is %s", commit))
	}
	return found
}

// certificate checks the key pair.
func (c *doctorCmd) certificate(context.Context) []finding {
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return []finding{bad("TLS certificate", "give the whole chain and its own key, both in PEM", "%v", err)}
	}
	found := []finding{good("TLS certificate", "valid until %s", when(pair.Leaf.NotAfter))}
	switch left := time.Until(pair.Leaf.NotAfter); {
	case left <= 0:
		found[0] = bad("TLS certificate", "renew it; serve reads it again by itself", "expired on %s", when(pair.Leaf.NotAfter))
	case left < certificateWarn:
		found[0] = doubtful("TLS certificate", "renew it; serve reads it again by itself", "expires on %s", when(pair.Leaf.NotAfter))
	case len(pair.Certificate) < 2:
		found = append(found, doubtful("TLS chain", "append the issuer's certificate: identity providers refuse incomplete chains", "the file holds a single certificate"))
	}
	if u, err := url.Parse(c.PublicURL); err == nil && u.Hostname() != "" {
		if err := pair.Leaf.VerifyHostname(u.Hostname()); err != nil {
			found = append(found, bad("TLS name", "use a certificate for "+u.Hostname(), "%v", err))
		}
	}
	return found
}

// reach asks the public address for something that only a Provost server answers, without a token.
func (c *doctorCmd) reach(ctx context.Context) []finding {
	const name = "public URL"
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return []finding{bad(name, "for example https://scim.example.com", "%q is no URL with http or https and a host", c.PublicURL)}
	}
	var found []finding
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && !ip.IsLoopback() {
		found = append(found, bad("public URL is safe", "use TLS", "tokens travel in plain text over %s", u.Scheme))
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(c.PublicURL, "/")+"/t/doctor/scim/v2/Users", nil)
	if err != nil {
		return append(found, bad(name, "check the URL", "%v", err))
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return append(found, bad(name, "check DNS, firewall, proxy and certificate", "%v", err))
	}
	defer answer.Body.Close()
	var body struct {
		Schemas []string `json:"schemas"`
	}
	err = json.NewDecoder(http.MaxBytesReader(nil, answer.Body, 64<<10)).Decode(&body)
	if answer.StatusCode != http.StatusUnauthorized || err != nil || len(body.Schemas) == 0 || body.Schemas[0] != scim.ErrorMessage {
		return append(found, bad(name, "let the proxy pass /t/ on to provost serve without changing the path", "%s does not lead to Provost: it answered %s", c.PublicURL, answer.Status))
	}
	found = append(found, good(name, "%s leads to Provost", c.PublicURL))
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		found = append(found, clock("server clock", time.Now(), date))
	}
	return found
}
