package scimserver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/access"
)

// walk follows cursors from an empty one to the last page and returns the userNames.
func (p *peer) walk(t *testing.T, path string) (names []string, pages int) {
	t.Helper()
	cursor := ""
	for {
		a := p.must(200, "GET", path+"&cursor="+cursor, "", "/startIndex", absent)
		pages++
		list, _ := a.at("/Resources")
		for i := range list.([]any) {
			names = append(names, a.text(fmt.Sprintf("/Resources/%d/userName", i)))
		}
		cursor = a.text("/nextCursor")
		if cursor == "" {
			return names, pages
		}
		if strings.Trim(cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != "" {
			t.Errorf("cursor %q has reserved characters", cursor)
		}
		if pages > 100 {
			t.Fatal("the walk does not end")
		}
	}
}

func TestCursors(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		for i := range 7 {
			p.create("u", "/Users", fmt.Sprintf(`{"userName":"u%d","title":"t%d"}`, i, i%3))
		}
		names, pages := p.walk(t, "/Users?count=3")
		if fmt.Sprint(names) != "[u0 u1 u2 u3 u4 u5 u6]" || pages != 3 {
			t.Errorf("walk: %v in %d pages", names, pages)
		}
		names, _ = p.walk(t, "/Users?count=2&sortBy=title&sortOrder=descending")
		if len(names) != 7 || names[0] != "u2" {
			t.Errorf("sorted walk: %v", names)
		}
		first := p.must(200, "GET", "/Users?count=3&cursor", "", "/totalResults", "7", "/itemsPerPage", "3")
		next := first.text("/nextCursor")
		p.must(200, "GET", "/Users?count=3&cursor="+next, "", "/totalResults", "7", "/Resources/0/userName", "u3")
		p.must(200, "POST", "/Users/.search", `{"count":3,"cursor":"`+next+`"}`, "/Resources/0/userName", "u3")
		p.must(200, "GET", "/Users?count=3", "", "/nextCursor", absent, "/startIndex", "1")
		p.must(200, "GET", "/Users?count=0&cursor", "", "/nextCursor", absent, "/totalResults", "7")

		for what, c := range map[string][2]string{
			"another count":     {"/Users?count=4&cursor=" + next, "invalidCount"},
			"count of no sort":  {"/Users?count=x&cursor=" + next, "invalidCount"},
			"another filter":    {`/Users?count=3&filter=title pr&cursor=` + next, "invalidCursor"},
			"another sort":      {`/Users?count=3&sortBy=title&cursor=` + next, "invalidCursor"},
			"another endpoint":  {`/Groups?count=3&cursor=` + next, "invalidCursor"},
			"the root":          {`/?count=3&cursor=` + next, "invalidCursor"},
			"nonsense":          {"/Users?count=3&cursor=abc", "invalidCursor"},
			"one letter":        {"/Users?count=3&cursor=" + flip(next), "invalidCursor"},
			"too long":          {"/Users?count=3&cursor=" + strings.Repeat("A", 9000), "invalidCursor"},
			"startIndex beside": {"/Users?count=3&startIndex=2&cursor=" + next, "invalidValue"},
		} {
			p.do("GET", c[0], "").expect(t, what, 400, "/scimType", c[1])
		}
		same := s.peerOf(t, p.tenant, access.NewClient{})
		same.do("GET", "/Users?count=3&cursor="+next, "").expect(t, "another client", 400, "/scimType", "invalidCursor")
		s.newPeer(t, access.NewClient{}).do("GET", "/Users?count=3&cursor="+next, "").expect(t, "another tenant", 400, "/scimType", "invalidCursor")
		s.clock.advance(time.Hour + time.Second)
		p.do("GET", "/Users?count=3&cursor="+next, "").expect(t, "an hour later", 400, "/scimType", "expiredCursor")
	})
}

func flip(text string) string {
	b := []byte(text)
	if b[20] == 'A' {
		b[20] = 'B'
	} else {
		b[20] = 'A'
	}
	return string(b)
}

func TestSortAndSearch(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{})
		p.create("b", "/Users", `{"userName":"bob","name":{"givenName":"Zed"},"displayName":"same"}`)
		p.create("a", "/Users", `{"userName":"Ann","name":{"givenName":"amy"}}`)
		p.create("c", "/Users", `{"userName":"cy"}`)
		p.group("same")
		for _, c := range []struct{ query, first, last string }{
			{"sortBy=userName", "Ann", "cy"},
			{"sortBy=userName&sortOrder=descending", "cy", "Ann"},
			{"sortBy=name.givenName", "Ann", "cy"},
			{"sortBy=name.givenName&sortOrder=DESCENDING", "cy", "Ann"},
			{"sortBy=meta.created", "bob", "cy"},
			{"sortBy=urn:ietf:params:scim:schemas:core:2.0:User:userName", "Ann", "cy"},
			{"sortOrder=descending", "bob", "cy"},
		} {
			p.must(200, "GET", "/Users?"+c.query, "", "/Resources/0/userName", c.first, "/Resources/2/userName", c.last)
		}
		for query, typ := range map[string]string{
			"sortBy=nothing": "invalidValue", "sortBy=name": "invalidValue", "sortBy=userName&sortOrder=up": "invalidValue",
			"sortBy=emails[type eq \"work\"]": "invalidPath",
		} {
			p.do("GET", "/Users?"+query, "").expect(t, query, 400, "/scimType", typ)
		}
		p.do("GET", "/Users?sortBy=password", "").expect(t, "sort by password", 403, "/scimType", "sensitive")

		p.must(200, "GET", "/", "", "/totalResults", "4")
		p.must(200, "GET", `/?filter=displayName eq "same"`, "", "/totalResults", "2")
		p.must(200, "GET", `/?filter=userName eq "ann"`, "", "/totalResults", "1", "/Resources/0/userName", "Ann")
		p.must(200, "GET", `/?filter=userName ne "ann"`, "", "/totalResults", "3")
		p.must(200, "GET", `/?filter=displayName eq "same" and not (userName pr)`, "", "/totalResults", "1", "/Resources/0/meta/resourceType", "Group")
		p.must(200, "GET", `/?filter=meta.resourceType eq "Group"`, "", "/totalResults", "1")
		p.must(200, "GET", `/?filter=members pr or emails[type eq "work"]`, "", "/totalResults", "0")
		p.must(400, "GET", `/?filter=nothing pr`, "", "/scimType", "invalidFilter")
		p.must(200, "POST", "/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"attributes":["userName","displayName"],"filter":"displayName sw \"sam\"","startIndex":1,"count":10}`,
			"/totalResults", "2", "/Resources/0/name", absent)
		p.must(200, "POST", "/Users/.search", `{"filter":"userName eq \"bob\"","excludedAttributes":"name"}`, "/totalResults", "1", "/Resources/0/name", absent, "/Resources/0/displayName", "same")
		p.must(200, "POST", "/Users/.search", `{}`, "/totalResults", "3")
		p.must(400, "POST", "/Users/.search", `{"filter":7.5}`)
		p.must(400, "POST", "/Users/.search", `{"attributes":[1]}`)
		p.must(404, "POST", "/Nothing/.search", `{}`)
		p.must(400, "GET", "/Users?count=1&count=2", "", "/scimType", "invalidValue")
	})
}
