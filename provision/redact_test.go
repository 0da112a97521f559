package provision_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/provision"
	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// A value that the mapping redacts is in no line of a plan: not when the object is made, nor when it changes.
func TestDecide_Redacted(t *testing.T) {
	const secret = "s3cr3t-pin"
	wanted := func(pin string) provision.Wanted {
		return provision.Wanted{
			Resource: &scim.Resource{Type: "User", Attrs: scim.Object{"userName": "ann", "title": pin, "name": scim.Object{"givenName": pin, "familyName": "Doe"}}},
			Redacted: []string{"title", "name.givenName"},
		}
	}
	it := &provision.Item{Kind: source.Person, Key: "1", Record: &source.Record{Kind: source.Person, Key: "1"}}
	made := provision.Decide(it, wanted(secret), provision.Rules{}, time.Now())
	it.Link = &provision.Link{Kind: source.Person, Key: "1", Target: "t1", State: provision.Linked,
		Doc: scim.Object{"userName": "ann", "title": "old " + secret, "name": scim.Object{"givenName": secret, "familyName": "Doe"}}}
	changed := provision.Decide(it, wanted("new "+secret), provision.Rules{}, time.Now())
	for _, ch := range []provision.Change{made, changed} {
		if text := fmt.Sprint(ch.Values); strings.Contains(text, secret) || !strings.Contains(text, provision.Redacted) {
			t.Errorf("%s shows %s", ch.Verb, text)
		}
	}
}
