package scimclient

import (
	"fmt"
	"net/netip"
	"syscall"
)

// addressPolicy decides which addresses may be connected to. It looks at the address that is dialled, after the name
// was resolved, so that no name can lead to a place that its text does not show.
type addressPolicy struct {
	loopback, private bool
	networks          []netip.Prefix
}

func newAddressPolicy(allow []string) (*addressPolicy, error) {
	p := &addressPolicy{}
	for _, a := range allow {
		switch a {
		case "loopback":
			p.loopback = true
		case "private":
			p.private = true
		default:
			n, err := netip.ParsePrefix(a)
			if err != nil {
				addr, addrErr := netip.ParseAddr(a)
				if addrErr != nil {
					return nil, &ConfigError{"allow", fmt.Sprintf("%q is none of loopback, private, or a network such as 10.1.0.0/16", a)}
				}
				n = netip.PrefixFrom(addr, addr.BitLen())
			}
			p.networks = append(p.networks, n.Masked())
		}
	}
	return p, nil
}

// AddressError is a refused connection.
type AddressError struct {
	Address string
	Class   string // "loopback", "private", "link-local", …
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("the target's address %s is %s: such addresses are refused unless the target's allow names them", e.Address, e.Class)
}

// control is called before a socket connects (net.Dialer.Control).
func (p *addressPolicy) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return &AddressError{address, "not an IP address"}
	}
	return p.check(ap.Addr())
}

// refused are the networks of no public use that netip has no word for.
var refused = []struct {
	net   netip.Prefix
	class string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "of this network"},
	{netip.MustParsePrefix("100.64.0.0/10"), "private"}, // RFC 6598
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved"},
	{netip.MustParsePrefix("198.18.0.0/15"), "reserved"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
	{netip.MustParsePrefix("100::/64"), "reserved"},
	{netip.MustParsePrefix("fec0::/10"), "private"},
}

// translated are the networks that carry an IPv4 address in their last 32 bits (RFC 6052, RFC 4291 §2.5.5.1).
var translated = []netip.Prefix{netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("::/96")}

func (p *addressPolicy) check(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	for _, n := range p.networks {
		if n.Contains(a) {
			return nil
		}
	}
	class := classOf(a)
	if class == "" || class == "loopback" && p.loopback || class == "private" && p.private {
		return nil
	}
	return &AddressError{a.String(), class}
}

// classOf says why an address is not public, "" if it is.
func classOf(a netip.Addr) string {
	switch {
	case a.IsUnspecified():
		return "unspecified"
	case a.IsLoopback():
		return "loopback"
	case a.IsLinkLocalUnicast(), a.IsLinkLocalMulticast(), a.IsInterfaceLocalMulticast():
		return "link-local"
	case a.IsMulticast():
		return "multicast"
	case a.IsPrivate():
		return "private"
	}
	for _, r := range refused {
		if r.net.Contains(a) {
			return r.class
		}
	}
	for _, n := range translated {
		if n.Contains(a) {
			b := a.As16()
			return classOf(netip.AddrFrom4([4]byte(b[12:])))
		}
	}
	if netip.MustParsePrefix("2002::/16").Contains(a) { // 6to4, RFC 3056
		b := a.As16()
		return classOf(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return ""
}
