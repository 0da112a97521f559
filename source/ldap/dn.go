package ldap

import (
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// shortNames maps other spellings of the attribute types of RFC 4514 §3 to the short ones.
var shortNames = map[string]string{
	"commonname": "cn", "2.5.4.3": "cn",
	"localityname": "l", "2.5.4.7": "l",
	"stateorprovincename": "st", "2.5.4.8": "st",
	"organizationname": "o", "2.5.4.10": "o",
	"organizationalunitname": "ou", "2.5.4.11": "ou",
	"countryname": "c", "2.5.4.6": "c",
	"streetaddress": "street", "2.5.4.9": "street",
	"domaincomponent": "dc", "0.9.2342.19200300.100.1.25": "dc",
	"userid": "uid", "0.9.2342.19200300.100.1.1": "uid",
	"surname": "sn", "2.5.4.4": "sn",
}

// NormalDN returns the one spelling by which a DN is known in records: lower case, short attribute names, no
// spaces around separators, runs of spaces as one (RFC 4518 §2.6.1), and the escapes of RFC 4514 §2.4. A string
// that is no DN is only lower-cased.
func NormalDN(dn string) string {
	if plainDN(dn) {
		return strings.ToLower(dn)
	}
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return strings.ToLower(dn)
	}
	rdns := make([]string, len(parsed.RDNs))
	for i, rdn := range parsed.RDNs {
		parts := ldap.RelativeDN{}
		for _, a := range rdn.Attributes {
			parts.Attributes = append(parts.Attributes, &ldap.AttributeTypeAndValue{
				Type:  shortName(strings.ToLower(a.Type)),
				Value: oneSpaced(strings.ToLower(a.Value)),
			})
		}
		rdns[i] = parts.String()
	}
	return strings.Join(rdns, ",")
}

func shortName(name string) string {
	if short, ok := shortNames[name]; ok {
		return short
	}
	return name
}

func oneSpaced(s string) string {
	if !strings.Contains(s, "  ") {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// plainDN reports whether lower-casing is all that a DN needs. It is what nearly every DN of a directory is, and
// saves parsing a million of them.
func plainDN(dn string) bool {
	start := true // of an attribute type
	for i := 0; i < len(dn); i++ {
		switch c := dn[i]; {
		case c >= 0x80 || c < ' ' || c == '\\' || c == '+' || c == '#' || c == '"' || c == ';' || c == '<' || c == '>':
			return false
		case c == ' ':
			if start || i == len(dn)-1 || dn[i+1] == ' ' || dn[i+1] == ',' || dn[i+1] == '=' || dn[i-1] == '=' || dn[i-1] == ',' {
				return false
			}
		case c == '=' && start:
			if !plainType(dn[:i]) {
				return false
			}
			start = false
		case c == ',':
			start = true
		}
	}
	return !start
}

// plainType reports whether the last attribute type of a prefix of a DN has no shorter spelling.
func plainType(prefix string) bool {
	name := prefix[strings.LastIndexByte(prefix, ',')+1:]
	switch name {
	case "CN", "OU", "DC", "cn", "ou", "dc", "uid", "UID", "o", "O", "c", "C", "l", "L":
		return true
	}
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	_, long := shortNames[strings.ToLower(name)]
	return !long
}

// within reports whether a normal DN is base (also normal) or below it.
func within(dn, base string) bool {
	return base == "" || dn == base || strings.HasSuffix(dn, ","+base)
}
