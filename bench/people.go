package main

import "fmt"

// The generated people. Everything that differs between two of them is their number, ten digits wherever it
// stands, so that the stored rows of one can be turned into those of another by replacing it.

// number scatters the numbers, so that names do not arrive in the order in which they sort: the factor is prime
// to the modulus, so no two users share one.
func number(k int) string { return fmt.Sprintf("%010d", k*2654435761%1e10) }

func userName(k int) string { return "user-" + number(k) + "@example.com" }

// userBody is what an identity provider sends to create user k, about 1.5 KB.
func userBody(k int, title string) []byte {
	return fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],`+
		`"externalId":"ext-%[1]s","userName":"user-%[1]s@example.com","displayName":"Gwendolyn Family%[1]s",`+
		`"name":{"formatted":"Ms. Gwendolyn Family%[1]s","familyName":"Family%[1]s","givenName":"Gwendolyn","honorificPrefix":"Ms."},`+
		`"nickName":"Gwen","title":"%[2]s","userType":"Employee","preferredLanguage":"en-US","locale":"en-US","timezone":"America/Los_Angeles","active":true,`+
		`"profileUrl":"https://people.example.com/profiles/%[1]s",`+
		`"emails":[{"value":"user-%[1]s@example.com","type":"work","primary":true},{"value":"home-%[1]s@example.org","type":"home"}],`+
		`"phoneNumbers":[{"value":"+1-555-%[1]s","type":"work"},{"value":"+1-556-%[1]s","type":"mobile"}],`+
		`"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","locality":"Hollywood","region":"CA","postalCode":"91608","country":"US","formatted":"100 Universal City Plaza\nHollywood, CA 91608 US","primary":true}],`+
		`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%[1]s","costCenter":"4130","organization":"Universal Studios","division":"Theme Park","department":"Tour Operations","manager":{"value":"26118915-6090-4610-87e4-49d8ca9f808d"}}}`,
		number(k), title)
}

// patchBody is a change of one attribute as Entra sends it.
func patchBody(title string) []byte {
	return fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"title","value":"%s"}]}`, title)
}

// The titles have one length, so that documents keep their size. Each write has a title of its own.
func patchTitle(k int) string { return "Guide " + number(k) }

const firstTitle = "Guide of tours  "
