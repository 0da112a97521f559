// Package verify plays the traffic of identity providers at a SCIM 2.0 server and says what would break and why.
//
// A [Case] is one rule with its reason: the requests of a client, what must come back, which products break when
// it does not, and how servers usually repair it. [Run] plays the cases of some profiles (see [Profiles]) and
// returns a [Report], which prints itself as a table, JSON, JUnit XML or one HTML file.
//
// The package knows the wire alone. It imports no server code of this project, because it must be able to find
// fault with it.
package verify
