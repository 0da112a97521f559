package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// caseFile is a scenario in a file: the format is documented in docs/verify.md.
type caseFile struct {
	Name       string             `json:"name"`
	Client     string             `json:"client"`
	Profile    string             `json:"profile"`
	Ref        string             `json:"ref"`
	Confidence string             `json:"confidence"`
	Why        string             `json:"why"`
	Rule       string             `json:"rule"`
	Title      string             `json:"title"`
	Severity   Severity           `json:"severity"`
	Fix        string             `json:"fix"`
	Headers    map[string]*string `json:"headers"`
	Steps      []fileStep         `json:"steps"`
}

type fileStep struct {
	By         string            `json:"by"`
	Ref        string            `json:"ref"`
	Note       string            `json:"note"`
	Confidence string            `json:"confidence"`
	Request    fileRequest       `json:"request"`
	Answer     fileAnswer        `json:"answer"`
	Save       map[string]string `json:"save"`

	// What a recorded exchange has beside; it makes lines of --record steps of a file.
	N    int     `json:"n"`
	Case string  `json:"case"`
	At   string  `json:"at"`
	MS   float64 `json:"ms"`
	Err  string  `json:"error"`
}

type fileRequest struct {
	Method  string             `json:"method"`
	Path    string             `json:"path"`
	Headers map[string]*string `json:"headers"`
	Body    any                `json:"body"`
	Text    string             `json:"text"`
	Base    string             `json:"base"`
}

type fileAnswer struct {
	Status  any               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
	Text    string            `json:"text"`
	Absent  []string          `json:"absent"`
	NoKeys  []string          `json:"noKeys"`
	Count   map[string]int    `json:"count"`
	Within  float64           `json:"within"`
}

// maxCaseFile bounds one case file.
const maxCaseFile = 4 << 20

// LoadCases reads a case file, or every *.json below a folder. Each folder becomes a profile of its name; the files
// of a folder are its cases, in the order of their names.
func LoadCases(path string) ([]Profile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	files := []string{path}
	if info.IsDir() {
		files = nil
		err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(name, ".json") {
				files = append(files, name)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read cases: %w", err)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no case file (*.json)", path)
	}
	slices.Sort(files)
	var profiles []Profile
	for _, name := range files {
		c, err := loadCase(name)
		if err != nil {
			return nil, err
		}
		folder := filepath.Base(filepath.Dir(name))
		if len(profiles) == 0 || profiles[len(profiles)-1].Name != folder {
			profiles = append(profiles, Profile{Name: folder, Client: c.Breaks[0], Dialect: Dialect{ContentType: "application/scim+json"}})
		}
		p := &profiles[len(profiles)-1]
		c.Name = folder + "/" + c.Name
		p.Cases = append(p.Cases, c)
	}
	return profiles, nil
}

// loadCase reads one file and checks it: unknown members are errors, since they are misspelt ones.
func loadCase(name string) (Case, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return Case{}, fmt.Errorf("read cases: %w", err)
	}
	if len(text) > maxCaseFile {
		return Case{}, fmt.Errorf("%s: larger than %d bytes", name, maxCaseFile)
	}
	var f caseFile
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Case{}, fmt.Errorf("%s: %w", name, err)
	}
	if f.Name == "" || len(f.Steps) == 0 {
		return Case{}, fmt.Errorf("%s: a case needs a name and steps", name)
	}
	switch f.Severity {
	case "":
		f.Severity = Must
	case Must, Should, Note:
	default:
		return Case{}, fmt.Errorf("%s: severity is fail, warn or note, not %q", name, f.Severity)
	}
	for i, st := range f.Steps {
		if st.Request.Method == "" || !strings.HasPrefix(st.Request.Path, "/") {
			return Case{}, fmt.Errorf("%s: step %d needs a method and a path that begins with a slash", name, i+1)
		}
		if _, err := statuses(st.Answer.Status); err != nil {
			return Case{}, fmt.Errorf("%s: step %d: %w", name, i+1, err)
		}
	}
	c := Case{Name: f.Name, Rule: f.Rule, Title: f.Title, Why: f.Why, Ref: f.Ref, Severity: f.Severity, Fix: f.Fix, Breaks: []string{f.Client}}
	if c.Rule == "" {
		c.Rule = f.Ref
	}
	if c.Title == "" {
		c.Title = strings.ReplaceAll(f.Name, "-", " ")
	}
	c.Run = func(s *Session) { f.play(s) }
	return c, nil
}

// statuses reads a status or a list of them.
func statuses(v any) ([]int, error) {
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	var codes []int
	for _, e := range items {
		n := integer(e)
		if n < 100 || n > 599 {
			return nil, fmt.Errorf("answer.status %s is no status", show(v))
		}
		codes = append(codes, n)
	}
	return codes, nil
}

// play sends the steps in order.
func (f *caseFile) play(s *Session) {
	run := s.run.prefix + "x" + orList([]int{s.run.serial()})
	vars := map[string]any{"run": run, "RUN": strings.ToUpper(run)}
	for i := range f.Steps {
		f.step(s, &f.Steps[i], i+1, vars)
	}
}

func (f *caseFile) step(s *Session, st *fileStep, n int, vars map[string]any) {
	c := call{method: st.Request.Method, path: s.fillText(st.Request.Path, vars, s.escape), header: map[string]string{}}
	for _, set := range []map[string]*string{f.Headers, st.Request.Headers} {
		for k, v := range set {
			switch {
			case v == nil:
				c.header[k] = ""
			case *v != struck: // a recorded secret: the run's own is sent
				c.header[k] = s.fillText(*v, vars, nil)
			}
		}
	}
	c.body = f.body(s, st, vars)
	if _, own := st.Request.Headers["Content-Type"]; c.body == nil && !own {
		c.header["Content-Type"] = ""
	}
	x := s.send(c)
	step := fmt.Sprintf("step %d", n)
	codes, _ := statuses(st.Answer.Status)
	if !slices.Contains(codes, x.Response.Status) {
		if st.By == "tester" && c.method != "GET" {
			s.block(x, "%s, the set-up request %s %s,", step, c.method, clip(c.path, 80))
		}
		s.stop(x, step+": status "+orList(codes), x.describe())
	}
	if st.N > 0 {
		st.Answer.Headers = nil // a recorded exchange: its headers (date, length) are of that moment
	}
	st.Answer.check(s, x, step, vars)
	for name, path := range st.Save {
		v, ok := x.value(path)
		if !ok {
			s.stop(x, step+": "+path+" in the answer, which later steps need", "no "+path)
		}
		vars[name] = v
	}
}

// body builds the body of a step: text, a document, or a saved one with changes.
func (f *caseFile) body(s *Session, st *fileStep, vars map[string]any) any {
	if st.Request.Text != "" {
		return s.fillText(st.Request.Text, vars, nil)
	}
	body := s.fill(st.Request.Body, vars)
	if st.Request.Base == "" {
		return body
	}
	base, ok := vars[st.Request.Base].(Object)
	if !ok {
		s.skip("the case file wants a document saved as %q, but there is none", st.Request.Base)
	}
	whole := clone(base)
	changes, _ := body.(Object)
	for k, v := range changes {
		if v == nil {
			delete(whole, k)
		} else {
			whole[k] = v
		}
	}
	return whole
}

// fill puts saved values into a document.
func (s *Session) fill(v any, vars map[string]any) any {
	switch t := v.(type) {
	case string:
		if name, ok := placeholder(t); ok && vars[name] != nil {
			return vars[name]
		}
		return s.fillText(t, vars, nil)
	case Object:
		o := make(Object, len(t))
		for k, e := range t {
			o[s.fillText(k, vars, nil)] = s.fill(e, vars)
		}
		return o
	case []any:
		l := make([]any, len(t))
		for i, e := range t {
			l[i] = s.fill(e, vars)
		}
		return l
	}
	return v
}

// placeholder is the name in a string that is one placeholder.
func placeholder(t string) (string, bool) {
	name, ok := strings.CutPrefix(t, "{{")
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, "}}")
	return name, ok && !strings.Contains(name, "{{")
}

// fillText puts saved values into a text; unknown placeholders stay. A quote function is applied to what is put in.
func (s *Session) fillText(t string, vars map[string]any, quote func(string) string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(t, "{{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return b.String() + "{{" + rest
		}
		v, known := vars[name]
		if name == "guid" {
			v, known = s.guid(), true
		}
		text, isText := v.(string)
		switch {
		case known && isText && quote != nil:
			b.WriteString(quote(text))
		case known && isText:
			b.WriteString(text)
		case known:
			b.WriteString(fmt.Sprint(v))
		default:
			b.WriteString("{{" + name + "}}")
		}
		t = after
	}
}
