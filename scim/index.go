package scim

// IndexRow is one entry of the search index: one value of one indexed attribute.
type IndexRow struct {
	Path  string // canonical path in lower case: "emails.value"
	Value string // folded unless the attribute is caseExact; at most MaxIndexed bytes
	Elem  int    // which element of a multi-valued attribute, from 0
	Type  string // folded "type" of that element, "" if it has none
}

// MaxIndexed is the most bytes that a value of an indexed attribute may have (after folding): a longer value is
// refused with invalidValue, so that the index holds every value whole.
const MaxIndexed = 2048
