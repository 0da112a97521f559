package ldaptest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// The limits of a large Active Directory, which Samba does not have.
const (
	ADPage  = 1000 // entries of a page; an unpaged search that finds more fails after them
	ADRange = 1500 // values of an attribute
)

// Rules are what a proxy does to what passes. The zero Rules change nothing. Pages are counted over all paged
// searches since the rules were set, from 1.
type Rules struct {
	Page  int // the largest page; 0 is no limit
	Range int // the most values of an attribute in one answer; 0 is no limit

	CutInPage  int               // lose the connection in the middle of this page
	CutAfter   int               // lose the connection right before the end of this page
	CutUnpaged bool              // lose the connection when an unpaged search of a subtree sends its first entry
	LimitPage  int               // end this page with sizeLimitExceeded
	BusyPage   int               // answer this page with busy
	ReferPage  int               // answer this page with a referral
	EmptyPage  int               // this page and all after: success, no entries, no cookie
	PlainPage  int               // answer this page without the paging control
	SilentPage int               // say nothing from this page on
	Reference  string            // add this continuation reference to every page
	LoseRange  bool              // answer requests for later ranges without the attribute
	RangeEdit  func()            // called before each request for a later range is passed on
	Hide       string            // drop this attribute from all entries
	Replace    map[string]string // show this value of an attribute instead of its own
	NoControl  string            // hide this control from the rootDSE
	RefuseExt  string            // answer searches that carry this control with insufficientAccessRights
	BusyBind   bool              // answer binds with busy
	EditInPage int               // call Edit before this page is asked for
	Edit       func()
	Delay      time.Duration // before each answer
}

// Proxy stands in front of a directory server.
type Proxy struct {
	URL      string
	target   string
	listener net.Listener
	mu       sync.Mutex
	rules    Rules
	pages    int
	searches int
	conns    map[net.Conn]bool
	closed   bool
}

// NewProxy starts a proxy in front of a directory for one test. It speaks LDAP without TLS.
func NewProxy(t testing.TB, d *Directory, rules Rules) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("LDAP proxy: %v", err)
	}
	target := strings.TrimPrefix(d.URL, "ldap://")
	if !strings.Contains(target, ":") {
		target += ":389"
	}
	p := &Proxy{URL: "ldap://" + l.Addr().String(), target: target, listener: l, rules: rules, conns: map[net.Conn]bool{}}
	go p.serve()
	t.Cleanup(p.Close)
	return p
}

// Set changes the rules and begins to count pages anew.
func (p *Proxy) Set(rules Rules) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules, p.pages, p.searches = rules, 0, 0
}

// Searches returns how many searches passed since the rules were set.
func (p *Proxy) Searches() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.searches
}

// Close ends the proxy and its connections; nothing listens at its address afterwards.
func (p *Proxy) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.listener.Close()
	for c := range p.conns {
		c.Close()
	}
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		if p.closed {
			client.Close()
			server.Close()
		}
		p.mu.Unlock()
		l := &link{Proxy: p, client: client, server: server, asked: map[int64]*asked{}}
		go l.requests()
		go l.answers()
	}
}

// link is one connection through the proxy.
type link struct {
	*Proxy
	client, server net.Conn
	mu             sync.Mutex
	asked          map[int64]*asked // searches under way, by message id
}

// asked is one search.
type asked struct {
	page    int  // 0 if it is not paged
	entries int  // passed so far
	subtree bool // it is not of one entry
	ranged  bool // it asks for a range
	start   int  // where the range begins
	limited bool // entries were held back
}

func (l *link) close() {
	l.client.Close()
	l.server.Close()
}

func (l *link) requests() {
	defer l.close()
	for {
		p, err := ber.ReadPacket(l.client)
		if err != nil || len(p.Children) < 2 {
			return
		}
		id, _ := p.Children[0].Value.(int64)
		rules := l.current()
		switch p.Children[1].Tag {
		case ldap.ApplicationBindRequest:
			if rules.BusyBind {
				l.answer(id, ldap.ApplicationBindResponse, ldap.LDAPResultBusy, "")
				continue
			}
		case ldap.ApplicationSearchRequest:
			if done := l.search(id, p, &rules); done {
				continue
			}
		}
		if _, err := l.server.Write(rebuild(p).Bytes()); err != nil {
			return
		}
	}
}

func (l *link) current() Rules {
	l.Proxy.mu.Lock()
	defer l.Proxy.mu.Unlock()
	return l.rules
}

// search looks at a search request. It reports whether it answered itself.
func (l *link) search(id int64, p *ber.Packet, rules *Rules) bool {
	a := &asked{}
	scope, _ := p.Children[1].Children[1].Value.(int64)
	a.subtree = scope != ldap.ScopeBaseObject
	for i, attr := range p.Children[1].Children[7].Children {
		name, _ := attr.Value.(string)
		if plain, ranged, ok := strings.Cut(name, ";range="); ok && rules.Range > 0 {
			first, _, _ := strings.Cut(ranged, "-")
			a.ranged = true
			a.start, _ = strconv.Atoi(first)
			p.Children[1].Children[7].Children[i] = ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, plain, "")
		}
	}
	refused := false
	if len(p.Children) > 2 {
		for _, c := range p.Children[2].Children {
			oid, _ := c.Children[0].Value.(string)
			refused = refused || oid == rules.RefuseExt && oid != ""
			if oid == ldap.ControlTypePaging {
				a.page = l.countPage()
				capPage(c, rules.Page)
			}
		}
	}
	l.Proxy.mu.Lock()
	l.searches++
	l.Proxy.mu.Unlock()
	l.mu.Lock()
	l.asked[id] = a
	l.mu.Unlock()
	if a.start > 0 && rules.RangeEdit != nil {
		rules.RangeEdit()
	}
	page := func(n int) bool { return n > 0 && a.page == n }
	switch {
	case page(rules.EditInPage) && rules.Edit != nil:
		rules.Edit()
	case refused:
		l.answer(id, ldap.ApplicationSearchResultDone, ldap.LDAPResultInsufficientAccessRights, "")
		return true
	case page(rules.BusyPage):
		l.answer(id, ldap.ApplicationSearchResultDone, ldap.LDAPResultBusy, "")
		return true
	case page(rules.ReferPage):
		l.answer(id, ldap.ApplicationSearchResultDone, ldap.LDAPResultReferral, "ldap://elsewhere.example.test/")
		return true
	case page(rules.SilentPage):
		return true
	}
	return false
}

func (l *link) countPage() int {
	l.Proxy.mu.Lock()
	defer l.Proxy.mu.Unlock()
	l.pages++
	return l.pages
}

// capPage lowers the size in a paging control, as a server does silently.
func capPage(control *ber.Packet, most int) {
	value := control.Children[len(control.Children)-1]
	seq, err := ber.DecodePacketErr(value.Data.Bytes())
	size, ok := int64(0), false
	if err == nil && len(seq.Children) == 2 {
		size, ok = seq.Children[0].Value.(int64)
	}
	if !ok || most == 0 || size <= int64(most) {
		return
	}
	lower := ber.NewSequence("")
	lower.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, most, ""))
	lower.AppendChild(seq.Children[1])
	value.Data = bytes.NewBuffer(lower.Bytes())
}

// answer sends a result of the proxy's own.
func (l *link) answer(id int64, tag ber.Tag, code uint16, referral string) {
	m := ber.NewSequence("")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	m.AppendChild(result(tag, code, referral))
	l.client.Write(m.Bytes())
}

func result(tag ber.Tag, code uint16, referral string) *ber.Packet {
	r := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	r.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), ""))
	r.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	r.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "said by the test proxy", ""))
	if referral != "" {
		refs := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "")
		refs.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, referral, ""))
		r.AppendChild(refs)
	}
	return r
}

func (l *link) answers() {
	defer l.close()
	for {
		p, err := ber.ReadPacket(l.server)
		if err != nil || len(p.Children) < 2 {
			return
		}
		rules := l.current()
		time.Sleep(rules.Delay)
		out, err := l.rewrite(p, &rules)
		if err != nil {
			return
		}
		for _, m := range out {
			if _, err := l.client.Write(m.Bytes()); err != nil {
				return
			}
		}
	}
}

var errCut = errors.New("cut by a rule")

// rewrite returns what goes to the client instead of a message of the server.
func (l *link) rewrite(p *ber.Packet, rules *Rules) ([]*ber.Packet, error) {
	id, _ := p.Children[0].Value.(int64)
	l.mu.Lock()
	a := l.asked[id]
	l.mu.Unlock()
	if a == nil {
		return []*ber.Packet{rebuild(p)}, nil
	}
	switch p.Children[1].Tag {
	case ldap.ApplicationSearchResultEntry:
		a.entries++
		switch {
		case rules.CutInPage > 0 && a.page == rules.CutInPage && a.entries == 2:
			return nil, errCut
		case rules.CutUnpaged && a.page == 0 && a.subtree:
			return nil, errCut
		case rules.EmptyPage > 0 && a.page >= rules.EmptyPage:
			return nil, nil
		case a.page == 0 && rules.Page > 0 && a.entries > rules.Page:
			a.limited = true
			return nil, nil
		}
		return []*ber.Packet{entry(p, rules, a)}, nil
	case ldap.ApplicationSearchResultDone:
		return l.done(id, p, rules, a)
	}
	return []*ber.Packet{rebuild(p)}, nil
}

// done rewrites the end of a search.
func (l *link) done(id int64, p *ber.Packet, rules *Rules, a *asked) ([]*ber.Packet, error) {
	page := func(n int) bool { return n > 0 && a.page == n }
	out := rebuild(p)
	head := func() *ber.Packet {
		m := ber.NewSequence("")
		m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
		return m
	}
	switch {
	case page(rules.CutAfter):
		return nil, errCut
	case page(rules.LimitPage), a.limited:
		out = head()
		out.AppendChild(result(ldap.ApplicationSearchResultDone, ldap.LDAPResultSizeLimitExceeded, ""))
	case page(rules.PlainPage):
		out = head()
		out.AppendChild(rebuild(p.Children[1]))
	case rules.EmptyPage > 0 && a.page >= rules.EmptyPage:
		out = head()
		out.AppendChild(rebuild(p.Children[1]))
		end := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		end.AppendChild(ldap.NewControlPaging(0).Encode())
		out.AppendChild(end)
	}
	if rules.Reference != "" && a.page > 0 {
		m := head()
		ref := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultReference, nil, "")
		ref.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, rules.Reference, ""))
		m.AppendChild(ref)
		return []*ber.Packet{m, out}, nil
	}
	return []*ber.Packet{out}, nil
}

// entry rewrites the attributes of an entry.
func entry(p *ber.Packet, rules *Rules, a *asked) *ber.Packet {
	attrs := ber.NewSequence("")
	dn, _ := p.Children[1].Children[0].Value.(string)
	for _, attr := range p.Children[1].Children[1].Children {
		name, _ := attr.Children[0].Value.(string)
		values := attr.Children[1].Children
		long := rules.Range > 0 && len(values) > rules.Range && dn != ""
		switch {
		case strings.EqualFold(name, rules.Hide), rules.LoseRange && a.start > 0 && long:
		case rules.Replace[name] != "":
			attrs.AppendChild(attribute(name, []*ber.Packet{ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, rules.Replace[name], "")}))
		case rules.NoControl != "" && strings.EqualFold(name, "supportedControl"):
			attrs.AppendChild(attribute(name, slices.DeleteFunc(values, func(v *ber.Packet) bool { return v.Value == rules.NoControl })))
		case long:
			attrs.AppendChild(rangeOf(name, values, a.start, rules.Range))
			if !a.ranged {
				attrs.AppendChild(attribute(name, nil)) // empty beside it, as Active Directory has it
			}
		default:
			attrs.AppendChild(attribute(name, values))
		}
	}
	e := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	e.AppendChild(rebuild(p.Children[1].Children[0]))
	e.AppendChild(attrs)
	m := ber.NewSequence("")
	m.AppendChild(rebuild(p.Children[0]))
	m.AppendChild(e)
	for _, controls := range p.Children[2:] {
		m.AppendChild(rebuild(controls))
	}
	return m
}

// rangeOf is a part of many values, as Active Directory writes it.
func rangeOf(name string, values []*ber.Packet, start, most int) *ber.Packet {
	start = min(start, len(values))
	end, last := min(start+most, len(values)), "*"
	if end < len(values) {
		last = strconv.Itoa(end - 1)
	}
	return attribute(name+";range="+strconv.Itoa(start)+"-"+last, values[start:end])
}

func attribute(name string, values []*ber.Packet) *ber.Packet {
	set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
	for _, v := range values {
		set.AppendChild(rebuild(v))
	}
	a := ber.NewSequence("")
	a.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, name, ""))
	a.AppendChild(set)
	return a
}

// rebuild copies a packet so that changes to its parts are encoded.
func rebuild(p *ber.Packet) *ber.Packet {
	c := ber.Encode(p.ClassType, p.TagType, p.Tag, nil, "")
	if p.TagType == ber.TypePrimitive {
		io.Copy(c.Data, bytes.NewReader(p.Data.Bytes()))
		return c
	}
	for _, child := range p.Children {
		c.AppendChild(rebuild(child))
	}
	return c
}
