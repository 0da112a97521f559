package ldap

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

// binaryAttrs are attributes whose values are never text, even if they happen to look like it. Those that end in
// ";binary" (RFC 4522) need not be listed.
var binaryAttrs = map[string]bool{
	"usercertificate": true, "cacertificate": true, "usersmimecertificate": true, "userpkcs12": true,
	"jpegphoto": true, "photo": true, "thumbnailphoto": true, "thumbnaillogo": true, "audio": true,
	"ms-ds-consistencyguid": true, "msexchmailboxguid": true, "msexcharchiveguid": true, "logonhours": true,
	"ntsecuritydescriptor": true, "objectsid": false, "objectguid": false,
	"msds-generationid": true, "replpropertymetadata": true, "dsasignature": true, "userparameters": true,
	"sidhistory": false, "msexchmastersid": true, "msexchmailboxsecuritydescriptor": true, "parentguid": true,
}

// values turns the raw values of an attribute (name in lower case) into text: objectGUID as a GUID, SIDs in their
// S-1-… form, binary ones and those that are not UTF-8 as base64.
func (s *Source) values(name string, raw [][]byte) []string {
	out := make([]string, 0, len(raw))
	for _, v := range raw {
		out = append(out, s.value(name, v))
	}
	return out
}

func (s *Source) value(name string, v []byte) string {
	switch name {
	case "objectguid":
		if text, ok := guidText(v); ok {
			return text
		}
	case "objectsid", "sidhistory", "tokengroups":
		if text, ok := sidText(v); ok {
			return text
		}
	}
	if binaryAttrs[name] || s.binary[name] || strings.HasSuffix(name, ";binary") || !utf8.Valid(v) {
		return base64.StdEncoding.EncodeToString(v)
	}
	return string(v)
}

// guidText writes an objectGUID as Active Directory's tools show it: the first three fields are little-endian
// (MS-DTYP §2.3.4).
func guidText(b []byte) (string, bool) {
	if len(b) != 16 {
		return "", false
	}
	var x [16]byte
	copy(x[:], b)
	binary.BigEndian.PutUint32(x[0:], binary.LittleEndian.Uint32(b[0:]))
	binary.BigEndian.PutUint16(x[4:], binary.LittleEndian.Uint16(b[4:]))
	binary.BigEndian.PutUint16(x[6:], binary.LittleEndian.Uint16(b[6:]))
	h := hex.EncodeToString(x[:])
	return h[0:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32], true
}

// guidBytes is the inverse of guidText.
func guidBytes(text string) ([]byte, bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 16 {
		return nil, false
	}
	var x [16]byte
	copy(x[:], b)
	binary.LittleEndian.PutUint32(x[0:], binary.BigEndian.Uint32(b[0:]))
	binary.LittleEndian.PutUint16(x[4:], binary.BigEndian.Uint16(b[4:]))
	binary.LittleEndian.PutUint16(x[6:], binary.BigEndian.Uint16(b[6:]))
	return x[:], true
}

// sidText writes a security identifier in its S-1-… form (MS-DTYP §2.4.2.1): revision, a count of 32-bit
// little-endian parts, a 48-bit big-endian authority, the parts.
func sidText(b []byte) (string, bool) {
	if len(b) < 8 || len(b) != 8+4*int(b[1]) {
		return "", false
	}
	var authority uint64
	for _, c := range b[2:8] {
		authority = authority<<8 | uint64(c)
	}
	text := "S-" + strconv.Itoa(int(b[0])) + "-" + strconv.FormatUint(authority, 10)
	for i := 8; i < len(b); i += 4 {
		text += "-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32(b[i:])), 10)
	}
	return text, true
}

// escapeBytes writes raw bytes as the value of a filter (RFC 4515 §3).
func escapeBytes(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		out.WriteByte('\\')
		out.WriteString(hex.EncodeToString([]byte{c}))
	}
	return out.String()
}
