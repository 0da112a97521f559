package ldap

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-scim/provost/source"
)

// handshakeError is a TLS handshake that failed.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

func unreachable(server string, err error) error {
	return &source.Error{Fault: source.Unreachable, Field: "servers", Msg: server + " does not answer", Err: err,
		Next: "check the name, the port and the firewall"}
}

// refused explains why a connection could not be used.
func (s *Source) refused(server string, err error) error {
	if source.FaultOf(err) != "" {
		return err
	}
	if h, ok := errors.AsType[*handshakeError](err); ok {
		if isCertificate(h.err) {
			return &source.Error{Fault: source.Untrusted, Field: "ca_file", Msg: "the certificate of " + server + " is not trusted", Err: h.err,
				Next: "put the authority that issued it into ca_file, or the name it was issued for into server_name"}
		}
		return &source.Error{Fault: source.Unreachable, Field: "servers", Msg: "no TLS with " + server, Err: h.err,
			Next: "check that the port speaks TLS (636); for 389 use ldap:// with start_tls"}
	}
	switch code(err) {
	case ldap.LDAPResultInvalidCredentials:
		return &source.Error{Fault: source.Refused, Field: "bind_dn", Msg: fmt.Sprintf("%s refuses the password of %s", server, s.config.BindDN), Err: detail(err),
			Next: "check the account and the password; nothing is tried again until then"}
	case ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired:
		return &source.Error{Fault: source.Refused, Field: "servers", Msg: server + " wants an encrypted connection", Err: detail(err),
			Next: "use ldaps:// or set start_tls"}
	case ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultUnwillingToPerform:
		return &source.Error{Fault: source.Refused, Field: "bind_dn", Msg: server + " refuses the bind", Err: detail(err), Next: "check the account"}
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		return &source.Error{Fault: source.Busy, Msg: server + " is busy", Err: detail(err)}
	case ldap.LDAPResultProtocolError:
		if s.config.StartTLS {
			return &source.Error{Fault: source.Refused, Field: "start_tls", Msg: server + " does not offer StartTLS", Err: detail(err), Next: "use ldaps://"}
		}
	}
	return unreachable(server, err)
}

// isCertificate reports whether a handshake failed because of the server's certificate.
func isCertificate(err error) bool {
	text := err.Error()
	return strings.Contains(text, "x509:") || strings.Contains(text, "certificate")
}

// code returns the LDAP result code of an error, ErrorNetwork and above for those of the library, 0 for others.
func code(err error) uint16 {
	if e, ok := errors.AsType[*ldap.Error](err); ok {
		return e.ResultCode
	}
	return 0
}

// detail is an LDAP error without the library's own words: code, name and what the server said.
func detail(err error) error {
	e, ok := errors.AsType[*ldap.Error](err)
	if !ok || e.ResultCode >= ldap.ErrorNetwork {
		return err
	}
	text := fmt.Sprintf("LDAP result %d %s", e.ResultCode, ldap.LDAPResultCodeMap[e.ResultCode])
	if said := strings.Trim(fmt.Sprint(e.Err), " \x00\n"); said != "" && said != "<nil>" {
		text += ": " + said
	}
	return errors.New(text)
}

// failed explains why a search gave no complete answer. field is the part of the configuration that asked.
func (ses *session) failed(field string, err error) error {
	if ctxErr := ses.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if source.FaultOf(err) != "" {
		return err
	}
	fault := &source.Error{Fault: source.Partial, Field: field, Err: detail(err)}
	switch c := code(err); {
	case ses.wire.silent.Load():
		fault.Fault, fault.Field, fault.Err = source.Unreachable, "servers", nil
		fault.Msg = fmt.Sprintf("%s sent nothing for %v", ses.server, ses.timeout)
	case ses.wire.tooLarge.Load():
		fault.Err, fault.Msg = nil, fmt.Sprintf("one answer of %s has more than %d bytes", ses.server, ses.maxPage)
		fault.Next = "make page_size smaller, or ask for fewer attributes"
	case c == ldap.LDAPResultSizeLimitExceeded, c == ldap.LDAPResultAdminLimitExceeded, c == ldap.LDAPResultTimeLimitExceeded:
		fault.Msg = "the server stopped before the end at a limit of its own"
		fault.Next = "raise the limit for the bind account, or narrow base and filter"
	case c == ldap.LDAPResultReferral:
		fault.Msg = "the server refers to another one" + referredTo(err)
		fault.Next = "name the server that holds the base in servers"
	case c == ldap.LDAPResultNoSuchObject:
		fault.Fault, fault.Msg = source.Refused, "the base does not exist or may not be read by the bind account"
		fault.Next = "check the DN; nothing is believed to be gone"
	case c == ldap.LDAPResultInsufficientAccessRights:
		fault.Fault, fault.Msg, fault.Next = source.Refused, "the bind account may not read this", "grant it read access"
	case c == ldap.LDAPResultBusy, c == ldap.LDAPResultUnavailable:
		fault.Fault, fault.Msg = source.Busy, ses.server+" is busy"
	case c == ldap.LDAPResultUnwillingToPerform, c == ldap.LDAPResultUnavailableCriticalExtension, c == ldap.LDAPResultOperationsError, c == ldap.LDAPResultInappropriateMatching, c == ldap.LDAPResultInvalidDNSyntax:
		fault.Fault, fault.Msg = source.Refused, "the server refuses the search"
	case c == ldap.ErrorFilterCompile:
		fault.Fault, fault.Msg = source.Misconfigured, "the filter is not valid"
	case c == 0 || c >= ldap.ErrorNetwork:
		fault.Fault, fault.Field, fault.Msg = source.Unreachable, "servers", "the connection to "+ses.server+" was lost in the middle of a read"
	default:
		fault.Msg = "the server gave no complete answer"
	}
	return fault
}

func referredTo(err error) string {
	e, ok := errors.AsType[*ldap.Error](err)
	if !ok || e.Packet == nil || len(e.Packet.Children) < 2 {
		return ""
	}
	for _, c := range e.Packet.Children[1].Children {
		if c.Tag == 3 && len(c.Children) > 0 {
			if target, ok := c.Children[0].Value.(string); ok {
				return ", " + target
			}
		}
	}
	return ""
}
