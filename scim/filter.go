package scim

// Filter is a parsed filter (RFC 7644 §3.4.2.2): *And, *Or, *Not, *Compare or *ValuePath. String prints it so
// that it parses to the same tree.
type Filter interface {
	String() string
	isFilter()
}

// Operator is a comparison operator, in lower case.
type Operator string

// The ten operators.
const (
	Eq Operator = "eq"
	Ne Operator = "ne"
	Co Operator = "co"
	Sw Operator = "sw"
	Ew Operator = "ew"
	Gt Operator = "gt"
	Ge Operator = "ge"
	Lt Operator = "lt"
	Le Operator = "le"
	Pr Operator = "pr"
)

// And matches what both sides match; it binds tighter than Or.
type And struct{ Left, Right Filter }

// Or matches what either side matches.
type Or struct{ Left, Right Filter }

// Not matches what its filter does not.
type Not struct{ Filter Filter }

// Compare compares the values of one attribute. On a multi-valued attribute it matches if any value does.
// Ne is the exception to "any value": it matches exactly what Eq does not, an absent attribute included.
type Compare struct {
	Path  AttrPath
	Op    Operator
	Value any     // string, bool, int64, float64 or nil as written; after Bind also time.Time for a dateTime. Unused by Pr
	Ref   AttrRef // set by Bind. Within a ValuePath Attr is the sub-attribute and Sub is nil
}

// ValuePath matches if one element of a complex multi-valued attribute matches the whole inner filter.
type ValuePath struct {
	Path   AttrPath
	Filter Filter
	Ref    AttrRef // set by Bind; Sub is nil
}

func (*And) isFilter()       {}
func (*Or) isFilter()        {}
func (*Not) isFilter()       {}
func (*Compare) isFilter()   {}
func (*ValuePath) isFilter() {}

// AttrPath is an attribute path as written: [URN:]name[.sub].
type AttrPath struct {
	URN  string // schema URN before the name, "" if none
	Name string
	Sub  string
}
