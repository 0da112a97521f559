package scim

// Op is one operation of a PATCH request as it came (RFC 7644 §3.5.2): Op in any case, Path "" if absent,
// Value the decoded JSON (nil if absent or null).
type Op struct {
	Op    string
	Path  string
	Value any
}

// MemberOp is a change of a group's membership. Membership is rows, so PATCH does not apply it: it says what
// is to be done, in the order of the request.
type MemberOp struct {
	Kind   MemberOpKind
	Values []string // ids, for Add, Remove and Set; no duplicates
	Where  Filter   // for RemoveWhere: bound to the sub-attributes of members
}

// MemberOpKind says what a MemberOp does.
type MemberOpKind int

// The kinds of membership changes.
const (
	AddMembers         MemberOpKind = iota // add Values; a value that is a member already stays
	RemoveMembers                          // remove Values; a value that is no member is no error
	SetMembers                             // make Values the whole membership; empty Values empties the group
	RemoveMembersWhere                     // remove the members that Where matches
)
