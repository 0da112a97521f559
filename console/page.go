package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode"

	"github.com/provost-scim/provost/access"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static/*
var staticFiles embed.FS

// frame is what every page has around its content.
type frame struct {
	Title     string
	Section   string // the entry of the menu that this page belongs to
	Me        access.Account
	SignedIn  bool
	Tenant    access.Tenant // of a tenant's page
	Root      string        // "/t/{tenant}" on a tenant's page
	Whole     bool          // the administrator sees all tenants
	CanChange bool          // is at least administrator
	CanOwn    bool          // is owner
	Notice    string
	Problem   bool
}

// frame makes the frame of this request's page and takes the notice that waits for it.
func (c *call) frame(title, section string) frame {
	f := frame{Title: title, Section: section, Me: c.me, SignedIn: c.session != nil, Tenant: c.tenant,
		CanChange: c.may(access.Administrator), CanOwn: c.may(access.Owner), Whole: c.session != nil && c.me.Tenant == 0}
	if c.tenant.Name != "" {
		f.Root = c.path()
	}
	if c.session != nil {
		f.Notice, f.Problem = c.sessions.take(c.session)
	}
	return f
}

// loadTemplates parses each page with the layout. A page that cannot be parsed ends the start.
func (s *Console) loadTemplates() (map[string]*template.Template, error) {
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	out := map[string]*template.Template{}
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		if page == "layout" {
			continue
		}
		t := template.New(page).Funcs(s.functions()).Option("missingkey=error")
		if out[page], err = t.ParseFS(templateFiles, "templates/layout.html", name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Console) functions() template.FuncMap {
	return template.FuncMap{
		"ago":     func(t time.Time) string { return relative(t, s.Now()) },
		"stamp":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"asset":   func(name string) string { return "/static/" + name + "?v=" + s.assets[name].mark },
		"visible": visible,
		"ms":      func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) },
		"pair":    func(a, b any) []any { return []any{a, b} },
	}
}

// visible makes characters that steer or hide text readable: bidirectional controls, other format characters and
// controls stand as their code point.
func visible(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == '\t' || r == '\u200c' || r == '\u200d': // joiners belong to words and emoji
			out.WriteRune(r)
		case unicode.Is(unicode.Cf, r) || unicode.IsControl(r):
			fmt.Fprintf(&out, "[U+%04X]", r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// relative is a time as people say it.
func relative(t, now time.Time) string {
	d := now.Sub(t)
	text := "just now"
	switch abs := d.Abs(); {
	case abs < 45*time.Second:
		return text
	case abs < time.Hour:
		text = count(int(abs.Minutes()+0.5), "minute")
	case abs < 36*time.Hour:
		text = count(int(abs.Hours()+0.5), "hour")
	case abs < 60*24*time.Hour:
		text = count(int(abs.Hours()/24+0.5), "day")
	default:
		text = count(int(abs.Hours()/24/30+0.5), "month")
	}
	if d < 0 {
		return "in " + text
	}
	return text + " ago"
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// asset is a file of the pages; its mark changes with its content.
type asset struct {
	body []byte
	mark string
}

func loadAssets() (map[string]asset, error) {
	out := map[string]asset{}
	entries, err := fs.ReadDir(staticFiles, "static")
	for _, e := range entries {
		body, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		out[e.Name()] = asset{body, hex.EncodeToString(sum[:6])}
	}
	return out, err
}

func (s *Console) serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	a, ok := s.assets[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(a.body))
}
