// Package scim is the SCIM 2.0 data model and its pure functions: schemas (RFC 7643), filters, paths and
// PATCH (RFC 7644), projection, and the canonical JSON form in which a resource is kept and sent.
//
// It knows no HTTP, SQL, clock, randomness or logging, and imports the standard library only. Everything in
// it may be used concurrently once built.
package scim
