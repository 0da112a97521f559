package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The bounds of a run.
const (
	// DefaultTimeout is how long a request may take: what Okta waits.
	DefaultTimeout = 60 * time.Second
	// MaxAnswer is the most bytes of an answer that are read.
	MaxAnswer = 32 << 20
	// MaxThrottle is the longest that a run waits for one answer 429 to pass.
	MaxThrottle = 60 * time.Second
	// MaxLoadSeconds and MaxLoadRate bound the profile "load".
	MaxLoadSeconds = 300
	MaxLoadRate    = 200
)

// Options say what to play and at which server.
type Options struct {
	URL      string   // SCIM base URL; a query is cut off
	Profiles []string // names or patterns of profiles, or "all"; empty means all
	Files    []string // case files of the user, or folders of them; played beside the profiles

	Auth        Auth        // how to authenticate
	Header      http.Header // added to every request; values are struck out of reports
	SecondToken string      // token of another tenant, for the case of foreign tenants
	SecondURL   string      // base URL of that tenant; empty means URL

	Target   string   // name of a known server whose documented deviations become warnings (see Targets)
	Only     []string // names or patterns of cases or rules; empty means all
	Skip     []string
	ReadOnly bool // send no request that writes; cases that need one are skipped
	Keep     bool // leave the objects of the run on the server

	Seed    uint64        // of the random values; 0 draws one
	Rate    float64       // most requests per second; 0 means no bound
	Timeout time.Duration // of one request; 0 means DefaultTimeout

	LoadSeconds int // length of the profile load; 0 means 20
	LoadRate    int // requests per second of the profile load; 0 means 25

	Record   io.Writer        // gets every exchange as a line of JSON, in the format of case files
	Client   *http.Client     // nil: a client that follows no redirect and uses no proxy but the environment's
	Now      func() time.Time // nil: time.Now
	Progress func(Progress)   // told before and after each case; nil: nobody
}

// Progress tells how far a run is.
type Progress struct {
	Done, Total int
	Case        string  // the case that begins, if Result is nil
	Result      *Result // the case that ended
}

// Auth is how the run authenticates: with a bearer token, or with OAuth 2 client credentials.
type Auth struct {
	Token        string
	Scheme       string // word before the token; empty means Bearer, "none" the token alone
	TokenURL     string // OAuth 2 token endpoint; empty: Token is used
	ClientID     string
	ClientSecret string
	Scope        string
	BasicAuth    bool // send id and secret in the Authorization header instead of the body
}

// Run plays the chosen cases and returns what came of them. If ctx ends, the run stops after the request that is
// under way, removes what it made and reports what it has. An error means that nothing was played.
func Run(ctx context.Context, o Options) (*Report, error) {
	r, err := newRun(ctx, o)
	if err != nil {
		return nil, err
	}
	cases, profiles, err := plan(o)
	if err != nil {
		return nil, err
	}
	if err := r.connect(); err != nil {
		return nil, err
	}
	rep := &Report{
		Format: ReportFormat, URL: r.base, Target: o.Target, Profiles: profiles,
		Started: r.started.UTC(), Seed: r.o.Seed, Prefix: r.prefix, ReadOnly: o.ReadOnly, Server: r.facts.summary(),
	}
	for i, pc := range cases {
		if ctx.Err() != nil {
			rep.Interrupted = true
			break
		}
		if r.gone() {
			rep.Stopped = fmt.Sprintf("the server stopped answering at %s (%s); %d cases were not tried", r.silent[0], r.silent[0].Err, len(cases)-i)
			break
		}
		r.tell(Progress{Done: i, Total: len(cases), Case: pc.Case.Name})
		res := r.play(pc)
		rep.Results = append(rep.Results, res)
		r.tell(Progress{Done: i + 1, Total: len(cases), Case: pc.Case.Name, Result: &res})
	}
	if len(r.slow) > 0 && chosen(o, throttling) {
		rep.Results = append(rep.Results, r.play(planned{throttling, plain}))
	}
	rep.Leftovers = r.sweep()
	rep.Requests = r.sent
	rep.Millis = milliseconds(r.now().Sub(r.started))
	rep.count()
	return rep, nil
}

// planned is a case with the habits of the client that sends it.
type planned struct {
	Case    Case
	Dialect Dialect
}

// plan lists the cases to play, in order.
func plan(o Options) ([]planned, []string, error) {
	var profiles []Profile
	var err error
	if len(o.Profiles) > 0 || len(o.Files) == 0 {
		if profiles, err = choose(o.Profiles); err != nil {
			return nil, nil, err
		}
	}
	for _, f := range o.Files {
		p, err := LoadCases(f)
		if err != nil {
			return nil, nil, err
		}
		profiles = append(profiles, p...)
	}
	var cases []planned
	for _, p := range profiles {
		for _, c := range p.Cases {
			if chosen(o, c) {
				cases = append(cases, planned{c, p.Dialect})
			}
		}
	}
	if len(cases) == 0 && !chosen(o, throttling) {
		return nil, nil, errors.New("no case is left to play: look at the patterns for only and skip")
	}
	return cases, profileNames(profiles), nil
}

// chosen tells whether a case is among those to play.
func chosen(o Options, c Case) bool {
	if len(o.Only) > 0 && !Match(o.Only, c.Name) && !Match(o.Only, c.Rule) {
		return false
	}
	return !Match(o.Skip, c.Name) && !Match(o.Skip, c.Rule)
}

// throttling judges the answers 429 of a whole run; it is played at the end if there were any.
var throttling = Case{Name: "run/retry-after", Rule: "R-15", Ref: "O-CON", Severity: Should, Breaks: []string{"Okta", "PingFederate"},
	Title: "an answer 429 carries Retry-After in whole seconds and a SCIM error",
	Why:   "Okta ignores dates and waits five minutes instead; after ten tries the task fails for good",
	Fix:   "send Retry-After as a number of seconds",
	Run: func(s *Session) {
		for _, x := range s.run.slow {
			s.exchanges = append(s.exchanges, x)
			s.check(retryAfter(x.header("Retry-After")) >= 0, x, "Retry-After in whole seconds", "Retry-After "+show(x.header("Retry-After")))
			x.s = s
			s.errorBody(x, 429)
		}
	}}

// run is the state of one Run.
type run struct {
	o       Options
	ctx     context.Context
	base    string
	prefix  string
	client  *http.Client
	now     func() time.Time
	started time.Time
	random  *rand.Rand
	target  *Target
	auth    *credentials
	facts   facts
	objects []tracked // what the run made, in order
	doubts  []doubt   // requests that may have made something
	serials int
	sent    int
	pace    time.Time   // when the next request may leave
	silent  []*Exchange // the last requests, if none of them was answered
	slow    []*Exchange
}

func newRun(ctx context.Context, o Options) (*run, error) {
	base, err := cleanURL(o.URL)
	if err != nil {
		return nil, err
	}
	r := &run{o: o, ctx: ctx, base: base, client: o.Client, now: o.Now}
	if r.now == nil {
		r.now = time.Now
	}
	if r.o.Timeout <= 0 {
		r.o.Timeout = DefaultTimeout
	}
	if r.o.Seed == 0 {
		r.o.Seed = rand.Uint64()>>11 | 1 // fits a JSON number
	}
	if err := loadBounds(&r.o); err != nil {
		return nil, err
	}
	if r.target, err = findTarget(o.Target); err != nil {
		return nil, err
	}
	if r.client == nil {
		r.client = &http.Client{}
	}
	c := *r.client // follow nothing: a redirect is an answer to judge
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r.client = &c
	r.started = r.now()
	r.random = rand.New(rand.NewPCG(r.o.Seed, 4))
	r.prefix = "pv" + strconv.FormatInt(r.started.UnixMilli(), 36) + strconv.FormatUint(uint64(rand.Uint32()%1296), 36)
	r.auth = &credentials{Auth: o.Auth, client: r.client, now: r.now}
	return r, nil
}

// cleanURL checks the base URL and brings it to the form to which "/Users" is appended.
func cleanURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%q is no SCIM base URL: give one like https://host/scim/v2", s)
	}
	if u.User != nil {
		return "", errors.New("the URL holds credentials: give them as a token file or OAuth client instead")
	}
	u.RawQuery, u.Fragment, u.ForceQuery = "", "", false
	return strings.TrimRight(u.String(), "/"), nil
}

func loadBounds(o *Options) error {
	if o.LoadSeconds == 0 {
		o.LoadSeconds = 20
	}
	if o.LoadRate == 0 {
		o.LoadRate = 25
	}
	if o.LoadSeconds < 1 || o.LoadSeconds > MaxLoadSeconds || o.LoadRate < 1 || o.LoadRate > MaxLoadRate {
		return fmt.Errorf("load is bounded to %d seconds and %d requests per second", MaxLoadSeconds, MaxLoadRate)
	}
	return nil
}

func (r *run) tell(p Progress) {
	if r.o.Progress != nil {
		r.o.Progress(p)
	}
}

// serial numbers names within the run.
func (r *run) serial() int {
	r.serials++
	return r.serials
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// play runs one case and removes what it made.
func (r *run) play(p planned) Result {
	s := &Session{run: r, c: &p.Case, dialect: p.Dialect}
	begun := r.now()
	mark := len(r.objects)
	skipped := s.perform()
	if !r.o.Keep {
		r.remove(mark)
	}
	return r.judge(s, skipped, r.now().Sub(begun))
}

// perform runs the case to its end and returns why it was skipped, if it was.
func (s *Session) perform() (skipped string) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case halt:
			skipped = e.skip
		default: // an answer that no case reckoned with must not end the run, nor count as good
			s.blocked = true
			skipped = fmt.Sprintf("the case itself broke on an answer: %v", e)
		}
	}()
	s.c.Run(s)
	return ""
}
