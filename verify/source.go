package verify

import "strings"

// sources are the public texts behind the short keys in Case.Ref.
var sources = map[string]string{
	"E-DEV":    "Microsoft Entra documentation: develop and plan provisioning for a SCIM endpoint",
	"E-COMPAT": "Microsoft Entra documentation: known issues and resolutions with SCIM 2.0 protocol compliance",
	"E-HOW":    "Microsoft Entra documentation: how application provisioning works",
	"E-QUAR":   "Microsoft Entra documentation: application provisioning in quarantine status",
	"E-CUST":   "Microsoft Entra documentation: customize attribute mappings",
	"E-VAL":    "Microsoft Entra documentation: SCIM Validator",
	"E-REF":    "AzureAD/SCIMReferenceCode: Postman collection and issues",
	"E-OBS":    "published result files of Microsoft's SCIM Validator (pranems/SCIMServer)",
	"E-ISS":    "issues of SCIM servers about Entra's requests",
	"O-PROTO":  "Okta developer documentation: SCIM 2.0 protocol reference",
	"O-FAQ":    "Okta developer documentation: SCIM frequently asked questions",
	"O-CON":    "Okta developer documentation: understanding SCIM",
	"O-SPEC":   "Okta SCIM 2.0 Spec test file",
	"O-CRUD":   "Okta SCIM 2.0 CRUD test file",
	"O-PLAN":   "Okta Integration Network: SCIM test plan, version 2",
	"O-OBS":    "published request logs of an Okta custom app",
	"O-ISS":    "issues of SCIM servers about Okta's requests",
	"P-SET":    "Ping Identity documentation: SCIM Provisioner settings, limitations and changelog",
	"A1":       "attack class: routes without authorisation",
	"A2":       "attack class: path and header confusion",
	"A7":       "attack class: tokens in URLs and logs",
	"B1":       "attack class: identifiers chosen by clients",
	"B2":       "attack class: references across tenants",
	"B5":       "attack class: passwords through SCIM",
	"B6":       "attack class: mass assignment",
	"C1":       "attack class: nested and long filters",
	"C3":       "attack class: injection through filters",
	"C4":       "attack class: leaks and expressions in errors",
	"C5":       "attack class: oversized requests",
	"C7":       "attack class: differences between parsers",
	"G":        "attack class: browsers of administrators",
}

// sourceOf spells the keys of a reference out.
func sourceOf(ref string) string {
	parts := strings.Split(ref, ", ")
	for i, p := range parts {
		key, _, _ := strings.Cut(p, " ")
		if title := sources[key]; title != "" {
			parts[i] = p + " (" + title + ")"
		}
	}
	return strings.Join(parts, "; ")
}
