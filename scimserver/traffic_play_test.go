package scimserver_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// trafficScenario is one file of testdata/traffic; README.md there explains the members.
type trafficScenario struct {
	Name       string             `json:"name"`
	Client     string             `json:"client"`
	Profile    string             `json:"profile"`
	Ref        string             `json:"ref"`
	Confidence string             `json:"confidence"`
	Why        string             `json:"why"`
	Headers    map[string]*string `json:"headers"`
	Steps      []trafficStep      `json:"steps"`
}

type trafficStep struct {
	Ref        string            `json:"ref"`
	By         string            `json:"by"`
	Confidence string            `json:"confidence"`
	Note       string            `json:"note"`
	Request    trafficRequest    `json:"request"`
	Answer     trafficAnswer     `json:"answer"`
	Save       map[string]string `json:"save"`
}

type trafficRequest struct {
	Method  string             `json:"method"`
	Path    string             `json:"path"`
	Headers map[string]*string `json:"headers"`
	Base    string             `json:"base"`
	Body    any                `json:"body"`
	Text    string             `json:"text"`
}

type trafficAnswer struct {
	Status  trafficStatus     `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
	Absent  []string          `json:"absent"`
	NoKeys  []string          `json:"noKeys"`
	Count   map[string]int    `json:"count"`
	Within  int               `json:"within"`
}

// trafficStatus is one status or a list of them.
type trafficStatus []int

func (s *trafficStatus) UnmarshalJSON(data []byte) error {
	var one int
	if json.Unmarshal(data, &one) == nil {
		*s = trafficStatus{one}
		return nil
	}
	return json.Unmarshal(data, (*[]int)(s))
}

// readScenario reads a file strictly: a member that is not in the format is a mistake in the file.
func readScenario(data []byte) (trafficScenario, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	d.DisallowUnknownFields()
	var s trafficScenario
	if err := d.Decode(&s); err != nil {
		return s, err
	}
	if s.Name == "" || s.Client == "" || s.Profile == "" || s.Why == "" || len(s.Steps) == 0 || !strings.Contains("DCRI", s.Confidence) {
		return s, fmt.Errorf("name, client, profile, why, confidence or steps are missing")
	}
	for i, st := range s.Steps {
		if len(st.Answer.Status) == 0 || st.Request.Method == "" || !strings.HasPrefix(st.Request.Path, "/") || st.By != "tester" && st.Ref == "" {
			return s, fmt.Errorf("step %d: ref, method, path or status is missing", i+1)
		}
	}
	return s, nil
}

// trafficPlayer plays one scenario at one server.
type trafficPlayer struct {
	base, token string
	http        *http.Client
	run         string
	vars        map[string]any
}

// trafficReply is an answer as it came.
type trafficReply struct {
	status int
	header http.Header
	raw    []byte
	doc    any
	bad    error // why raw is no JSON
	took   time.Duration
}

var placeholder = regexp.MustCompile(`\{\{([A-Za-z0-9]+)\}\}`)

// fill puts values in the place of placeholders; those that only answers have stay.
func (p *trafficPlayer) fill(s string) string {
	return placeholder.ReplaceAllStringFunc(s, func(m string) string {
		switch name := m[2 : len(m)-2]; name {
		case "run":
			return p.run
		case "RUN":
			return strings.ToUpper(p.run)
		case "guid":
			return uuid.NewString()
		default:
			if v, ok := p.vars[name].(string); ok {
				return v
			}
			return m
		}
	})
}

func (p *trafficPlayer) fillAll(v any) any {
	switch t := v.(type) {
	case string:
		return p.fill(t)
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = p.fillAll(t[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			out[p.fill(k)] = p.fillAll(e)
		}
		return out
	}
	return v
}

// payload is the body of a request, nil if it has none.
func (p *trafficPlayer) payload(r trafficRequest) ([]byte, error) {
	if r.Text != "" {
		return []byte(p.fill(r.Text)), nil
	}
	body := p.fillAll(r.Body)
	if r.Base != "" {
		saved, ok := p.vars[r.Base].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("no document was saved as %q", r.Base)
		}
		whole := maps.Clone(saved)
		changes, _ := body.(map[string]any)
		for k, v := range changes {
			if v == nil {
				delete(whole, k)
			} else {
				whole[k] = v
			}
		}
		body = whole
	}
	if body == nil {
		return nil, nil
	}
	return json.Marshal(body)
}

// send plays one request. The error is about the exchange itself, not about what was answered.
func (p *trafficPlayer) send(ctx context.Context, s trafficScenario, r trafficRequest) (trafficReply, error) {
	data, err := p.payload(r)
	if err != nil {
		return trafficReply{}, err
	}
	path := p.fill(r.Path)
	if rest := placeholder.FindString(path + string(data)); rest != "" {
		return trafficReply{}, fmt.Errorf("%s has no value", rest)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, p.base+path, bytes.NewReader(data))
	if err != nil {
		return trafficReply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.Header.Set("User-Agent", "")
	if data == nil {
		req.Body, req.ContentLength = nil, 0
	} else {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	for _, set := range []map[string]*string{s.Headers, r.Headers} {
		for k, v := range set {
			_, own := r.Headers[k]
			switch {
			case v == nil:
				req.Header.Del(k)
			case k != "Content-Type" || data != nil || own:
				req.Header.Set(k, p.fill(*v))
			}
		}
	}
	return exchange(p.http, req)
}

// exchange sends a request and reads the answer.
func exchange(c *http.Client, req *http.Request) (trafficReply, error) {
	start := time.Now()
	resp, err := c.Do(req)
	if err != nil {
		return trafficReply{}, err
	}
	defer resp.Body.Close()
	from := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if from, err = gzip.NewReader(resp.Body); err != nil {
			return trafficReply{}, err
		}
	}
	a := trafficReply{status: resp.StatusCode, header: resp.Header}
	if a.raw, err = io.ReadAll(from); err != nil {
		return trafficReply{}, err
	}
	a.took = time.Since(start)
	if len(a.raw) > 0 {
		a.doc, a.bad = decodeExactly(a.raw)
	}
	return a, nil
}

// judge says what is wrong with an answer, and keeps what the step saves of it.
func (p *trafficPlayer) judge(st trafficStep, a trafficReply) []string {
	want := st.Answer
	if !slices.Contains(want.Status, a.status) {
		return []string{fmt.Sprintf("status: want %v, got %d", want.Status, a.status)}
	}
	if a.bad != nil {
		return []string{fmt.Sprintf("the body is not JSON: %v", a.bad)}
	}
	var out []string
	for k, v := range want.Headers {
		got := a.header.Get(k)
		if k == "Content-Type" {
			got, _, _ = strings.Cut(got, ";")
		}
		if !fits(got, p.fill(v)) {
			out = append(out, fmt.Sprintf("header %s: want %q, got %q", k, v, got))
		}
	}
	if a.status == http.StatusNoContent {
		return out
	}
	if want.Body != nil {
		out = append(out, differences("", a.doc, p.fillAll(want.Body))...)
	}
	for _, path := range want.Absent {
		if v, ok := findPath(a.doc, path); ok && !isEmpty(v) {
			out = append(out, fmt.Sprintf("%s: want nothing, got %s", path, showJSON(v)))
		}
	}
	for _, path := range want.NoKeys {
		if hasKey(a.doc, path) {
			out = append(out, fmt.Sprintf("%s: the key must not be there", path))
		}
	}
	for path, n := range want.Count {
		v, _ := findPath(a.doc, path)
		if l, ok := v.([]any); !ok || len(l) != n {
			out = append(out, fmt.Sprintf("%s: want %d elements, got %s", path, n, showJSON(v)))
		}
	}
	if want.Within > 0 && a.took > time.Duration(want.Within)*time.Millisecond {
		out = append(out, fmt.Sprintf("want an answer within %d ms, got it after %v", want.Within, a.took))
	}
	for name, path := range st.Save {
		v, ok := findPath(a.doc, path)
		if !ok {
			out = append(out, fmt.Sprintf("%s: nothing to save as %s", path, name))
		}
		p.vars[name] = v
	}
	return out
}

func hasKey(doc any, path string) bool {
	if literal, ok := strings.CutPrefix(path, `"`); ok {
		o, _ := doc.(map[string]any)
		_, has := o[strings.TrimSuffix(literal, `"`)]
		return has
	}
	_, ok := findPath(doc, path)
	return ok
}
