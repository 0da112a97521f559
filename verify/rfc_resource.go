package verify

import (
	"strings"
	"time"
)

func rfcCreate() []Case {
	return []Case{
		rfc("create", "RFC 7644 §3.3", "a create answers 201 with resource, id, meta and Location",
			"clients keep the id and the location of the answer", "answer 201 with the whole resource and a Location header", func(s *Session) {
				u := s.post("/Users", s.person(s.mail("c"), nil))
				x := s.createdOK(u)
				s.storedUser(x)
				s.check(contains(x.object()["schemas"], userSchema), x, "schemas has "+userSchema, showAt("schemas", x.object()["schemas"], true))
				if s.check(x.header("Location") != "", x, "a Location header", "none") {
					x.want("meta.location", x.header("Location"))
				}
				y := s.get(pathOf("/Users", x.newID())).status(200)
				y.want("meta.location", x.text("meta.location"))
			}),
		rfc("meta-times", "RFC 7643 §3.1", "meta has created and lastModified as dateTimes; created stays, lastModified moves",
			"clients that synchronise by time miss changes or see everything as changed", "keep created, set lastModified with each change", metaTimes),
		should(rfc("create-without-user-name", "R-20", "a create without userName is 400 invalidValue",
			"the user could never be matched", "check required attributes", func(s *Session) {
				body := s.person(s.mail("x"), nil)
				delete(body, "userName")
				s.scimError(s.post("/Users", body), 400, "invalidValue")
			})),
		should(rfc("broken-json", "R-20", "a body that is not JSON is 400 invalidSyntax",
			"an error 500 is retried for ever", "answer 400 with scimType invalidSyntax", func(s *Session) {
				for _, body := range []string{`{"schemas":["` + userSchema + `"],"userName":`, `[]`, `"text"`, `{"userName":"a"} trailing`} {
					x := s.post("/Users", body)
					s.check(x.Response.Status == 400, x, "status 400 for a body that is no JSON object", x.describe())
				}
				s.scimError(s.post("/Users", `{"userName":`), 400, "invalidSyntax")
			})),
		rfc("uniqueness", "RFC 7644 §3.3", "a duplicate userName is 409 with scimType uniqueness",
			"clients tell by scimType what to do", "answer 409 with scimType uniqueness", func(s *Session) {
				u := s.user("un", nil)
				s.scimError(s.post("/Users", s.person(u.Name, nil)), 409, "uniqueness")
			}),
		rfc("mail-is-not-unique", "RFC 7643 §4.1.2", "two users may have the same e-mail address",
			"a false conflict: uniqueness of e-mail is not in the standard, and shared mailboxes cannot be provisioned", "key users by userName alone", func(s *Session) {
				s.needAttr("emails")
				shared := list(Object{"value": s.mail("shared"), "type": "work"})
				s.user("a", Object{"emails": shared})
				x := s.post("/Users", s.person(s.mail("b"), Object{"emails": shared}))
				s.check(x.Response.Status == 201, x, "status 201 for another user with the same address", x.describe())
			}),
		should(rfc("unknown-attribute-ignored", "R-18", "unknown attributes of a create are ignored and not returned",
			"clients send more than a server knows", "ignore what no schema names", func(s *Session) {
				x := s.post("/Users", s.person(s.mail("ua"), Object{"noSuchAttribute": Object{"a": 1}})).status(201)
				x.noKey("noSuchAttribute")
			})),
		rfc("boolean-type", "RFC 7643 §2.3.2", "active comes back as a JSON boolean",
			`"true" as text is not true for any client`, "store booleans as booleans", func(s *Session) {
				u := s.user("bt", Object{"active": false})
				x := s.again(u)
				x.want("active", false)
				x.want("emails[0].primary", true)
			}),
		should(rfc("extension-in-schemas", "RFC 7643 §3", "schemas lists the extension whose attributes are present",
			"clients look there for what a resource holds", "derive schemas from the data", func(s *Session) {
				s.needAttr(enterpriseSchema + ":department")
				u := s.user("es", Object{"schemas": list(userSchema, enterpriseSchema), enterpriseSchema: Object{"department": "Sales"}})
				x := s.again(u)
				s.check(contains(x.object()["schemas"], enterpriseSchema), x, "schemas has "+enterpriseSchema, showAt("schemas", x.object()["schemas"], true))
				x.want(enterpriseSchema+":department", "Sales")
			})),
		should(rfc("empty-equals-absent", "RFC 7643 §2.5", "null and empty lists are not stored as values",
			"a filter for present attributes would find nothing-valued ones", "treat null and [] as absent", func(s *Session) {
				s.needAttr("title", "phoneNumbers")
				x := s.post("/Users", s.person(s.mail("ea"), Object{"title": nil, "phoneNumbers": list()})).status(201)
				y := s.get(pathOf("/Users", x.newID())).status(200)
				y.absent("title")
				y.absent("phoneNumbers")
			})),
	}
}

func metaTimes(s *Session) {
	u := s.user("mt", nil)
	x := s.again(u)
	created, modified := x.time("meta.created"), x.time("meta.lastModified")
	x.want("meta.resourceType", "User")
	time.Sleep(1100 * time.Millisecond) // some servers keep whole seconds
	s.apply(u.Path, op("replace", "displayName", "Later"))
	y := s.again(u)
	s.check(y.time("meta.created").Equal(created), y, "meta.created unchanged by an update, "+show(x.text("meta.created")), "meta.created is "+show(y.text("meta.created")))
	s.check(y.time("meta.lastModified").After(modified), y, "meta.lastModified later than "+show(x.text("meta.lastModified")), "meta.lastModified is "+show(y.text("meta.lastModified")))
}

// time reads a dateTime; anything else is a finding and the zero time.
func (x *Exchange) time(path string) time.Time {
	t, err := time.Parse(time.RFC3339, x.text(path))
	if err != nil {
		x.s.fail(x, path+" is a dateTime", showAt(path, x.text(path), true))
	}
	return t
}

// scimError requires an error with its body; a scimType is required if given.
func (s *Session) scimError(x *Exchange, status int, scimType string) bool {
	if !s.check(x.Response.Status == status, x, "status "+orList([]int{status})+" "+scimType, x.describe()) {
		return false
	}
	s.errorBody(x, status)
	if scimType == "" {
		return true
	}
	return s.check(x.text("scimType") == scimType, x, "scimType "+scimType, "scimType "+show(x.text("scimType"))+": "+clip(x.text("detail"), 100))
}

func rfcReplace() []Case {
	return []Case{
		rfc("put", "RFC 7644 §3.5.1", "a PUT replaces the attributes and answers 200 with the resource",
			"PingFederate, authentik, Pocket ID and Okta's custom apps update by PUT", "support PUT, answer with the resource", func(s *Session) {
				u := s.user("p", nil)
				x := s.put(u.Path, s.person(u.Name, Object{"displayName": "Replaced", "name": Object{"givenName": "Anna", "familyName": "Kase"}})).status(200)
				x.want("id", u.ID)
				x.want("displayName", "Replaced")
				s.againIs(x, u, "name.givenName", "Anna", "after the PUT")
			}),
		rfc("put-read-only", "RFC 7644 §3.5.1", "read-only attributes in a PUT are ignored",
			"clients send back what they read; refused, no update succeeds; believed, identity can be forged", "ignore id and meta in bodies", func(s *Session) {
				u := s.user("pr", nil)
				before := s.again(u)
				x := s.put(u.Path, s.person(u.Name, Object{"id": s.guid(), "meta": Object{"created": "2001-01-01T00:00:00Z", "resourceType": "Group"}, "displayName": "Ro"})).status(200)
				x.want("id", u.ID)
				s.againIs(x, u, "meta.created", before.text("meta.created"), "after a PUT with another meta.created")
				s.againIs(x, u, "displayName", "Ro", "after the PUT")
			}),
		rfc("put-unknown", "RFC 7644 §3.5.1", "a PUT to an unknown id is 404 and creates nothing",
			"authentik takes 404 for gone and creates the user; a PUT that creates makes duplicates", "answer 404", func(s *Session) {
				name := s.mail("pu")
				x := s.put(pathOf("/Users", s.guid()), s.person(name, nil))
				s.check(x.Response.Status == 404, x, "status 404", x.describe())
				s.search("/Users", eq("userName", name)).only("the userName of the refused PUT")
			}),
		should(rfc("put-without-user-name", "R-20", "a PUT without userName is 400",
			"a user without userName can never be matched", "check required attributes", func(s *Session) {
				u := s.user("pw", nil)
				x := s.put(u.Path, Object{"schemas": list(userSchema), "displayName": "No Name"})
				s.check(x.Response.Status == 400, x, "status 400 for a PUT without the required userName", x.describe())
				s.againIs(x, u, "userName", u.Name, "after the refused PUT")
			})),
		rfc("put-conflict", "RFC 7644 §3.5.1", "a PUT that takes the userName of somebody else is 409",
			"two people become one account", "check uniqueness on updates too", func(s *Session) {
				other, u := s.user("o", nil), s.user("pc", nil)
				s.scimError(s.put(u.Path, s.person(other.Name, nil)), 409, "uniqueness")
				x := s.again(u)
				x.want("userName", u.Name)
			}),
		rfc("put-removes-elements", "RFC 7644 §3.5.1", "a PUT with fewer addresses leaves exactly those",
			"an address that was withdrawn stays", "replace multi-valued attributes as a whole", func(s *Session) {
				s.needAttr("emails")
				u := s.user("pe", Object{"emails": list(Object{"type": "work", "value": s.mail("w")}, Object{"type": "home", "value": s.mail("h")})})
				only := s.mail("only")
				x := s.put(u.Path, s.person(u.Name, Object{"emails": list(Object{"type": "work", "value": only})})).success()
				s.againIs(x, u, "emails[0].value", only, "after the PUT")
				s.againLacks(x, u, "emails[1].value", "after the PUT")
			}),
		rfc("delete", "RFC 7644 §3.6", "a delete is 204, then the resource is 404 everywhere",
			"who was deleted still shows up", "leave deleted resources out of reads and queries", func(s *Session) { deleteTwice(s, s.user("d", nil), "userName") }),
		rfc("case-of-keys", "RFC 7643 §2.1", "attribute names in bodies are read without case",
			"names are case-insensitive; clients write username or DisplayName", "fold names before looking them up", func(s *Session) {
				name := s.mail("ck")
				x := s.post("/Users", Object{"schemas": list(userSchema), "USERNAME": name, "displayname": "Folded", "active": true}).status(201)
				x.want("userName", name)
				x.want("displayName", "Folded")
				for key := range x.object() {
					if strings.EqualFold(key, "userName") && key != "userName" {
						s.warn(x, "the key userName in the spelling of the schema", "the key "+show(key))
					}
				}
			}),
	}
}
