package mapping

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"github.com/go-ldap/ldap/v3"
)

// directoryFunctions read what directories write: distinguished names (RFC 4514), account flags, addresses.
func directoryFunctions() []cel.EnvOption {
	one := sig(dyn)
	return []cel.EnvOption{
		declare("cn", nullable, ofText(func(s string, _ []ref.Val) (any, error) {
			list, err := dnValues(s, "cn")
			if err != nil || len(list) == 0 {
				return nil, err
			}
			return list[0], nil
		}), one),
		declare("rdn", nullable, ofText(func(s string, _ []ref.Val) (any, error) {
			dn, err := parseDN(s)
			if err != nil || len(dn.RDNs) == 0 {
				return nil, err
			}
			return dn.RDNs[0].Attributes[0].Value, nil
		}), one),
		declare("parentDN", nullable, ofText(func(s string, _ []ref.Val) (any, error) {
			dn, err := parseDN(s)
			if err != nil || len(dn.RDNs) < 2 {
				return nil, err
			}
			return (&ldap.DN{RDNs: dn.RDNs[1:]}).String(), nil
		}), one),
		declare("dnValues", texts, func(a []ref.Val) (any, error) {
			if absent(a[0]) {
				return []string{}, nil
			}
			return dnValues(asText(a[0]), asText(a[1]))
		}, sig(dyn, cel.StringType)),
		declare("hasFlag", truth, func(a []ref.Val) (any, error) {
			n, err := bitAnd(a)
			if err != nil {
				return nil, err
			}
			return n.(int64) != 0, nil
		}, sig(dyn, whole)),
		declare("accountEnabled", truth, func(a []ref.Val) (any, error) {
			if absent(a[0]) {
				return nil, fmt.Errorf("there is no userAccountControl: it may not be readable for the account that reads the directory")
			}
			n, err := asInt(a[0])
			return n&accountDisable == 0, err
		}, one),
		declare("localPart", nullable, ofText(func(s string, _ []ref.Val) (any, error) {
			if i := strings.LastIndexByte(s, '@'); i >= 0 {
				return s[:i], nil
			}
			return s, nil
		}), one),
		declare("domainPart", nullable, ofText(func(s string, _ []ref.Val) (any, error) {
			if i := strings.LastIndexByte(s, '@'); i >= 0 {
				return s[i+1:], nil
			}
			return nil, nil
		}), one),
	}
}

// accountDisable is the bit of userAccountControl that disables an account (ADS_UF_ACCOUNTDISABLE).
const accountDisable = 0x2

func parseDN(s string) (*ldap.DN, error) {
	dn, err := ldap.ParseDN(s)
	if err != nil {
		return nil, fmt.Errorf("%q is no distinguished name: %w", s, err)
	}
	return dn, nil
}

// dnValues are the values of an attribute in a DN, from its left end: dnValues(dn, "ou").
func dnValues(s, name string) ([]string, error) {
	dn, err := parseDN(s)
	if err != nil {
		return nil, err
	}
	list := []string{}
	for _, rdn := range dn.RDNs {
		for _, a := range rdn.Attributes {
			if strings.EqualFold(a.Type, name) {
				list = append(list, a.Value)
			}
		}
	}
	return list, nil
}
