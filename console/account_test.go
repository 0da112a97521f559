package console

import (
	"net/url"
	"strings"
	"testing"

	"github.com/provost-scim/provost/access"
)

func TestAccounts_OwnerOfATenantStaysInIt(t *testing.T) {
	s := newSite(t)
	whole := s.account(t, "whole@example.com", access.Owner, 0)
	b := s.as(t, "acme-owner@example.com", access.Owner, s.acme.ID)
	if a := b.get("/accounts"); strings.Contains(a.text(), "whole@example.com") || !strings.Contains(a.text(), "acme-owner@example.com") {
		t.Errorf("the list: %s", a.text())
	}
	if a := b.post("/accounts/" + whole.ID + "/disable"); a.status != 404 {
		t.Errorf("disabling an owner of all tenants: %d", a.status)
	}
	if a := b.post("/accounts/" + whole.ID + "/link"); a.status != 404 {
		t.Errorf("a link for an owner of all tenants: %d", a.status)
	}
	b.post("/accounts", "kind", "administrator", "name", "new@example.com", "role", "owner", "tenant", "")
	link, err := url.Parse(b.get("/accounts").id("secret"))
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.access.LinkAccount(t.Context(), strings.TrimPrefix(link.Path, "/link/"))
	if err != nil || made.Tenant != s.acme.ID {
		t.Errorf("made %+v, %v", made, err)
	}
	if a := b.get("/accounts"); a.id("secret") != "" {
		t.Error("the link is shown twice")
	}
	b.post("/accounts", "kind", "administrator", "name", "other@example.com", "role", "owner", "tenant", "globex")
	if a := b.get("/accounts"); strings.Contains(a.text(), "other@example.com") || len(a.all("p", "class", "notice problem")) != 1 {
		t.Errorf("an account in another tenant: %s", a.text())
	}
}
