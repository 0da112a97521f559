package scimserver_test

import (
	"testing"

	"github.com/provost-scim/provost/access"
)

// TestRehireKeepsWhatWasOmitted holds that a client whose PUT clears nothing by omission clears nothing either when
// its POST brings an inactive user back.
func TestRehireKeepsWhatWasOmitted(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *site) {
		p := s.newPeer(t, access.NewClient{Profile: access.PingFederate})
		after := p.tenant
		after.Settings.Rehire = access.RehireReactivate
		if err := s.access.UpdateTenant(t.Context(), cli, p.tenant, after); err != nil {
			t.Fatal(err)
		}
		p.create("ann", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann","externalId":"x1","title":"Boss","active":false}`)
		p.must(201, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ANN","nickName":"A"}`,
			"/id", p.vars["ann"], "/active", "true", "/externalId", "x1", "/title", "Boss", "/nickName", "A")
	})
}
