package scim

// Query is a list request that was checked and bound; a store executes it.
type Query struct {
	Targets    []Target // the types to search, one for /Users, several for a search at the root
	Client     string   // whose externalId a filter or sort on externalId means; "" for none
	Sort       *AttrRef // nil: by id, which is the order of creation
	Descending bool
	Offset     int  // resources to skip (startIndex - 1); 0 with After
	Count      int  // at most so many resources; 0 asks for the total alone
	After      *Key // continue behind this key (cursor paging)
	Total      bool // the total is wanted
	Members    bool // load the members of groups
	Groups     bool // load the groups of users
}

// Target is one resource type of a query with the filter bound to it; a nil Filter matches everything.
type Target struct {
	Type   string
	Filter Filter
}

// Key is the position of a resource in the order of a query.
type Key struct {
	Sort    string // encoded sort value; "" when sorted by id
	Missing bool   // the resource has no value for the sort attribute: last when ascending, first when descending (RFC 7644 §3.4.2.3)
	ID      string
}

// Page is the answer to a Query.
type Page struct {
	Resources []Resource
	Total     int  // meaningful if Query.Total
	Next      *Key // key of the last resource here; nil if nothing follows
}
