package scimserver_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
)

// over TLS 1.2 with ECDHE and GCM, as the identity providers ask.
func TestRequirementTLS(t *testing.T) {
	s := newSite(t, t.TempDir())
	p := s.newPeer(t, access.NewClient{})
	front := httptest.NewUnstartedServer(s.server.Handler())
	front.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	front.StartTLS()
	defer front.Close()
	config := front.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.MaxVersion = tls.VersionTLS12
	config.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	req, _ := http.NewRequest("POST", front.URL+"/t/"+p.tenant.Name+"/scim/v2/Users", strings.NewReader(`{"userName":"u"}`))
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 201 || !strings.HasPrefix(resp.Header.Get("Location"), "https://") {
		t.Errorf("status %d, Location %q", resp.StatusCode, resp.Header.Get("Location"))
	}
}

// in bounded form: a client with the limits of every new client sends 25 mixed requests per
// second for some seconds and sees no 429 and no 5xx; a list of groups without count comes within 600 ms, most of
// the time: the machine that runs the tests may be busy with others.
func TestRequirementThroughput(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{Rate: access.DefaultRate, Burst: access.DefaultBurst, Concurrent: access.DefaultConcurrent})
		for i := range 150 {
			p.group(fmt.Sprintf("g%d", i))
		}
		const seconds = 3
		tick := time.NewTicker(time.Second / 25)
		defer tick.Stop()
		var wg sync.WaitGroup
		var mu sync.Mutex
		var lists []time.Duration
		for i := range 25 * seconds {
			<-tick.C
			wg.Go(func() {
				var a answer
				switch i % 3 {
				case 0:
					a = p.do("POST", "/Users", fmt.Sprintf(`{"userName":"load%d"}`, i))
				case 1:
					a = p.do("GET", `/Users?filter=userName eq "load0"`, "")
				default:
					begin := time.Now()
					a = p.do("GET", "/Groups", "")
					mu.Lock()
					lists = append(lists, time.Since(begin))
					mu.Unlock()
				}
				if a.status == 429 || a.status >= 500 {
					t.Errorf("request %d: %d %s", i, a.status, a.raw)
				}
			})
		}
		wg.Wait()
		slices.Sort(lists)
		if typical, worst := lists[len(lists)/2], lists[len(lists)-1]; typical > 600*time.Millisecond || worst > 60*time.Second {
			t.Errorf("GET /Groups took %v, at worst %v", typical, worst)
		}
	})
}

// 1,000 members in one operation.
func TestRequirementLargePatch(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		ops := make([]string, 1000)
		for i := range ops {
			ops[i] = fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"b%d","data":{"userName":"m%d"}}`, i, i)
		}
		a := p.must(200, "POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`+strings.Join(ops, ",")+`]}`, "/Operations/#", "1000")
		members := make([]string, len(ops))
		for i := range ops {
			at := a.text(fmt.Sprintf("/Operations/%d/location", i))
			members[i] = `{"value":"` + at[strings.LastIndexByte(at, '/')+1:] + `"}`
		}
		p.group("g")
		begin := time.Now()
		p.must(204, "PATCH", "/Groups/{g}", patchOp(`{"op":"Add","path":"members","value":[`+strings.Join(members, ",")+`]}`))
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("1,000 members took %v", took)
		}
		p.must(200, "GET", "/Groups/{g}", "", "/members/#", "1000")
		p.must(200, "GET", "/Groups?attributes=displayName", "", "/Resources/0/members", absent)
	})
}
