package ldap

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// Object identifiers found in a rootDSE.
const (
	oidActiveDirectory = "1.2.840.113556.1.4.800" // supportedCapabilities
	oidDirSync         = ldap.ControlTypeDirSync
	oidSync            = ldap.ControlTypeSyncRequest
	oidPaging          = ldap.ControlTypePaging
)

// product is a family of directory servers.
type product string

const (
	activeDirectory product = "Active Directory"
	openLDAP        product = "OpenLDAP"
	otherDirectory  product = "LDAP directory"
)

// server is what a rootDSE says (RFC 4512 §5.1).
type server struct {
	product  product
	vendor   string
	contexts []string // naming contexts, normal DNs
	controls []string
	// Active Directory only:
	domain    string // the domain's naming context as it is written
	dsService string // the DN of this domain controller's settings
	dnsName   string
	highest   int64  // highestCommittedUSN when it was read
	invoked   string // invocationId, "" if it may not be read
}

func (v *server) supports(control string) bool { return slices.Contains(v.controls, control) }

// context returns the naming context that holds a normal DN, the longest if several do, "" if none does.
func (v *server) context(dn string) string {
	best := ""
	for _, c := range v.contexts {
		if within(dn, c) && len(c) > len(best) {
			best = c
		}
	}
	return best
}

// key is the attribute that identifies entries of this server for good.
func (v *server) key() string {
	if v.product == activeDirectory {
		return "objectGUID"
	}
	return "entryUUID"
}

// probe reads the rootDSE and, of a domain controller, its invocation id.
func (ses *session) probe() (*server, error) {
	e, err := ses.entry("servers", "", "(objectClass=*)", "*", "+", "supportedCapabilities", "supportedControl", "namingContexts",
		"defaultNamingContext", "dsServiceName", "dnsHostName", "highestCommittedUSN", "isSynchronized", "vendorName", "vendorVersion", "objectClass", "structuralObjectClass")
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, &source.Error{Fault: source.Refused, Field: "servers", Msg: ses.server + " shows no rootDSE",
			Next: "permit the bind account to read the entry with the empty DN"}
	}
	get := func(name string) []string { return e.GetEqualFoldAttributeValues(name) }
	first := func(name string) string { return e.GetEqualFoldAttributeValue(name) }
	v := &server{product: otherDirectory, controls: get("supportedControl"), vendor: strings.TrimSpace(first("vendorName") + " " + first("vendorVersion"))}
	for _, c := range get("namingContexts") {
		v.contexts = append(v.contexts, NormalDN(c))
	}
	switch {
	case slices.Contains(get("supportedCapabilities"), oidActiveDirectory):
		v.product = activeDirectory
	case slices.Contains(get("objectClass"), "OpenLDAProotDSE") || first("structuralObjectClass") == "OpenLDAProotDSE":
		v.product = openLDAP
	}
	if v.product != activeDirectory {
		return v, nil
	}
	if strings.EqualFold(first("isSynchronized"), "FALSE") {
		return nil, &source.Error{Fault: source.Busy, Field: "servers", Msg: ses.server + " has not yet received all of the directory (isSynchronized is FALSE)",
			Next: "wait for its first replication, or name another domain controller first"}
	}
	v.domain, v.dsService, v.dnsName = first("defaultNamingContext"), first("dsServiceName"), first("dnsHostName")
	v.highest, _ = strconv.ParseInt(first("highestCommittedUSN"), 10, 64)
	settings, err := ses.entry("servers", v.dsService, "(objectClass=*)", "invocationId")
	switch {
	case err != nil && source.FaultOf(err) != source.Refused:
		return nil, err
	case err == nil && settings != nil:
		if raw := settings.GetEqualFoldRawAttributeValue("invocationId"); len(raw) > 0 {
			v.invoked, _ = guidText(raw)
		}
	}
	return v, nil
}
