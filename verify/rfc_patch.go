package verify

const (
	patchWhy = "clients believe the 2xx and never ask again: what was not applied as asked differs for good"
	patchFix = "apply operations as RFC 7644 §3.5.2 says, on a copy, and test what is stored, not the status"
)

// change is a PATCH case: operations on a user with known data, and what a read must show afterwards.
type change struct {
	name, rule, title string
	user              Object
	ops               []Object
	want              map[string]any // by path
	lacks             []string
	needs             []string
}

func changes(table []change) []Case {
	var cases []Case
	for _, c := range table {
		cases = append(cases, rfc("patch-"+c.name, c.rule, c.title, patchWhy, patchFix, func(s *Session) {
			s.needAttr(c.needs...)
			u := s.user("pt", clone(c.user))
			x := s.apply(u.Path, c.ops...)
			for path, v := range c.want {
				s.againIs(x, u, path, v, "after the PATCH")
			}
			for _, path := range c.lacks {
				s.againLacks(x, u, path, "after the PATCH")
			}
			s.againIs(x, u, "userName", u.Name, "of what was not named")
		}))
	}
	return cases
}

// twoMails are a work and a home address for the PATCH cases.
func twoMails() []any {
	return list(Object{"type": "work", "value": "w@verify.example", "primary": true}, Object{"type": "home", "value": "h@verify.example"})
}

func rfcPatchAdd() []Case {
	const rule = "RFC 7644 §3.5.2.1"
	mails := Object{"emails": twoMails()}
	return changes([]change{
		{"add-simple", rule, "add sets a single-valued attribute", nil, []Object{op("add", "title", "Lead")}, map[string]any{"title": "Lead"}, nil, []string{"title"}},
		{"add-replaces-single", rule, "add to a single-valued attribute that has a value replaces it", nil, []Object{op("add", "displayName", "Second")}, map[string]any{"displayName": "Second"}, nil, nil},
		{"add-complex", rule, "add to a complex attribute sets the named sub-attributes and keeps the others", nil,
			[]Object{op("add", "name", Object{"middleName": "Q"})}, map[string]any{"name.middleName": "Q", "name.givenName": "Ann", "name.familyName": "Case"}, nil, []string{"name.middleName"}},
		{"add-sub-attribute", rule, "add to name.middleName sets that sub-attribute", nil,
			[]Object{op("add", "name.middleName", "R")}, map[string]any{"name.middleName": "R", "name.givenName": "Ann"}, nil, []string{"name.middleName"}},
		{"add-element", rule, "add to a multi-valued attribute appends", mails, []Object{op("add", "emails", list(Object{"type": "other", "value": "o@verify.example"}))},
			map[string]any{"emails[type=other].value": "o@verify.example", "emails[type=work].value": "w@verify.example", "emails[type=home].value": "h@verify.example"}, nil, []string{"emails"}},
		{"add-no-path", rule, "add without a path merges the object into the resource", mails,
			[]Object{op("add", "", Object{"title": "Merged", "emails": list(Object{"type": "other", "value": "o@verify.example"})})},
			map[string]any{"title": "Merged", "emails[type=other].value": "o@verify.example", "emails[type=work].value": "w@verify.example"}, nil, []string{"emails", "title"}},
		{"add-value-path", rule, "add by value path sets a sub-attribute of the element", mails, []Object{op("add", `emails[type eq "home"].display`, "At home")},
			map[string]any{"emails[type=home].display": "At home", "emails[type=home].value": "h@verify.example"}, []string{"emails[type=work].display"}, []string{"emails.display"}},
		{"add-extension", rule, "add to an attribute of the extension by its URN", nil, []Object{op("add", enterpriseSchema+":department", "Tours")},
			map[string]any{enterpriseSchema + ":department": "Tours"}, nil, []string{enterpriseSchema + ":department"}},
		{"add-extension-object", rule, "add of an extension as an object under its URN", nil, []Object{op("add", "", Object{enterpriseSchema: Object{"department": "Tours"}})},
			map[string]any{enterpriseSchema + ":department": "Tours"}, nil, []string{enterpriseSchema + ":department"}},
		{"add-primary-demotes", "RFC 7644 §3.5.2", "a new primary value takes primary from the others", mails,
			[]Object{op("add", "emails", list(Object{"type": "other", "value": "o@verify.example", "primary": true}))},
			map[string]any{"emails[primary=true].value": "o@verify.example", "emails[type=work].value": "w@verify.example"}, nil, []string{"emails.primary"}},
		{"attribute-case", "RFC 7643 §2.1", "names in paths are read without case", nil, []Object{op("add", "DISPLAYNAME", "Folded")}, map[string]any{"displayName": "Folded"}, nil, nil},
		{"qualified-path", "RFC 7644 §3.10", "paths may carry the URN of the core schema", nil, []Object{op("replace", userSchema+":displayName", "Qualified")}, map[string]any{"displayName": "Qualified"}, nil, nil},
		{"sequence", "R-39", "operations are applied one after the other", nil,
			[]Object{op("add", "title", "One"), op("replace", "title", "Two"), op("remove", "title", none), op("add", "title", "Three")}, map[string]any{"title": "Three"}, nil, []string{"title"}},
	})
}

func rfcPatchReplace() []Case {
	const rule = "RFC 7644 §3.5.2.3"
	mails := Object{"emails": twoMails()}
	return changes([]change{
		{"replace-simple", rule, "replace sets a single-valued attribute", nil, []Object{op("replace", "displayName", "Replaced")}, map[string]any{"displayName": "Replaced"}, nil, nil},
		{"replace-absent", rule, "replace of an attribute without a value adds it", nil, []Object{op("replace", "title", "New")}, map[string]any{"title": "New"}, nil, []string{"title"}},
		{"replace-sub-attribute", rule, "replace of name.familyName keeps the rest of the name", nil, []Object{op("replace", "name.familyName", "Kase")}, map[string]any{"name.familyName": "Kase", "name.givenName": "Ann"}, nil, []string{"name.familyName"}},
		{"replace-complex", rule, "replace of a complex attribute sets the named sub-attributes", nil, []Object{op("replace", "name", Object{"givenName": "Anna", "familyName": "Kase"})},
			map[string]any{"name.givenName": "Anna", "name.familyName": "Kase"}, nil, nil},
		{"replace-multi", rule, "replace of a multi-valued attribute replaces all values", mails, []Object{op("replace", "emails", list(Object{"type": "other", "value": "o@verify.example"}))},
			map[string]any{"emails[0].value": "o@verify.example"}, []string{"emails[1].value"}, []string{"emails"}},
		{"replace-element", rule, "replace by value path replaces that element alone", mails, []Object{op("replace", `emails[type eq "work"]`, Object{"type": "work", "value": "n@verify.example"})},
			map[string]any{"emails[type=work].value": "n@verify.example", "emails[type=home].value": "h@verify.example"}, nil, []string{"emails"}},
		{"replace-value-path", rule, "replace by value path and sub-attribute changes that alone", mails, []Object{op("replace", `emails[type eq "home"].value`, "n@verify.example")},
			map[string]any{"emails[type=home].value": "n@verify.example", "emails[type=work].value": "w@verify.example", "emails[type=work].primary": true}, nil, []string{"emails"}},
		{"replace-value-path-and", rule, "a value path may hold a whole filter", mails, []Object{op("replace", `emails[type eq "work" and value ew "verify.example"].value`, "n@verify.example")},
			map[string]any{"emails[type=work].value": "n@verify.example", "emails[type=home].value": "h@verify.example"}, nil, []string{"emails"}},
		{"replace-no-path", rule, "replace without a path replaces the named attributes alone", nil, []Object{op("replace", "", Object{"displayName": "Many", "name": Object{"givenName": "Anna", "familyName": "Kase"}, "active": false})},
			map[string]any{"displayName": "Many", "name.givenName": "Anna", "active": false, "emails[0].type": "work"}, nil, nil},
		{"replace-primary-demotes", "RFC 7644 §3.5.2", "primary true on one value takes it from the others", mails, []Object{op("replace", `emails[type eq "home"].primary`, true)},
			map[string]any{"emails[primary=true].type": "home"}, nil, []string{"emails.primary"}},
	})
}

func rfcPatchRemove() []Case {
	const rule = "RFC 7644 §3.5.2.2"
	mails := Object{"emails": twoMails()}
	return changes([]change{
		{"remove-simple", rule, "remove clears a single-valued attribute", Object{"title": "Old"}, []Object{op("remove", "title", none)}, nil, []string{"title"}, []string{"title"}},
		{"remove-sub-attribute", rule, "remove clears a sub-attribute and keeps the others", Object{"name": Object{"givenName": "Ann", "familyName": "Case", "middleName": "Q"}},
			[]Object{op("remove", "name.middleName", none)}, map[string]any{"name.givenName": "Ann", "name.familyName": "Case"}, []string{"name.middleName"}, []string{"name.middleName"}},
		{"remove-multi", rule, "remove without a filter clears a multi-valued attribute", mails, []Object{op("remove", "emails", none)}, nil, []string{"emails"}, []string{"emails"}},
		{"remove-element", rule, "remove by value path removes that element alone", mails, []Object{op("remove", `emails[type eq "home"]`, none)},
			map[string]any{"emails[type=work].value": "w@verify.example"}, []string{"emails[type=home].value"}, []string{"emails"}},
		{"remove-element-filter", rule, "remove by a filter on value removes what it matches", mails, []Object{op("remove", `emails[type eq "work" and value ew "verify.example"]`, none)},
			map[string]any{"emails[type=home].value": "h@verify.example"}, []string{"emails[type=work].value"}, []string{"emails"}},
		{"remove-extension", rule, "remove clears an attribute of the extension", Object{"schemas": list(userSchema, enterpriseSchema), enterpriseSchema: Object{"department": "D", "costCenter": "C"}},
			[]Object{op("remove", enterpriseSchema+":department", none)}, map[string]any{enterpriseSchema + ":costCenter": "C"}, []string{enterpriseSchema + ":department"}, []string{enterpriseSchema + ":department", enterpriseSchema + ":costCenter"}},
	})
}

func rfcPatchRefuse() []Case {
	const rule = "RFC 7644 §3.5.2"
	refuse := func(name, title, scimType string, ops ...Object) Case {
		return rfc("patch-"+name, rule, title, "a request that was not understood and yet answered 2xx is lost in silence", "answer 400 with scimType "+scimType, func(s *Session) {
			u := s.user("rf", nil)
			x := s.patch(u.Path, ops...)
			s.check(x.Response.Status == 400, x, "status 400 "+scimType, x.describe())
			if x.Response.Status == 400 && x.text("scimType") != scimType {
				s.warn(x, "scimType "+scimType, "scimType "+show(x.text("scimType")))
			}
			s.againIs(x, u, "userName", u.Name, "after the refused PATCH")
			s.againIs(x, u, "displayName", "Ann Case", "after the refused PATCH")
		})
	}
	return []Case{
		rfc("patch-atomic", rule, "if one operation fails, none is applied", "half-applied changes make the repetition mean something else", "work on a copy and store it only if every operation succeeded", func(s *Session) { s.atomic("replace") }),
		refuse("remove-no-path", "remove without a path is 400 noTarget", "noTarget", op("remove", "", none)),
		refuse("unknown-op", "an unknown operation is 400 invalidSyntax", "invalidSyntax", op("merge", "displayName", "x")),
		refuse("bad-path", "a path that cannot be read is 400 invalidPath", "invalidPath", op("replace", `emails[type eq "work`, "x")),
		should(refuse("unknown-attribute", "a path to an attribute that no schema has is 400 invalidPath", "invalidPath", op("replace", "noSuchAttribute", "x"))),
		refuse("wrong-type", "a value of the wrong type is 400 invalidValue", "invalidValue", op("replace", "active", "perhaps")),
		should(refuse("read-only", "a path to a read-only attribute is 400 mutability", "mutability", op("replace", "meta.created", "2001-01-01T00:00:00Z"))),
		rfc("patch-id", "RFC 7643 §3.1", "the id cannot be changed", "a client could take over another resource", "id is read-only", func(s *Session) {
			u := s.user("pi", nil)
			x := s.patch(u.Path, op("replace", "id", s.guid()))
			s.againIs(x, u, "id", u.ID, "after a PATCH of id")
		}),
		rfc("patch-unknown-id", rule, "a PATCH of an unknown id is 404", "clients tell by it that the user is gone", "answer 404", func(s *Session) {
			s.scimError(s.patch(pathOf("/Users", s.guid()), op("replace", "displayName", "x")), 404, "")
		}),
		rfc("patch-conflict", "RFC 7644 §3.12", "a PATCH that takes the userName of somebody else is 409 uniqueness", "two people become one account", "check uniqueness on updates too", func(s *Session) {
			other, u := s.user("o", nil), s.user("pc", nil)
			x := s.patch(u.Path, op("replace", "userName", other.Name))
			s.scimError(x, 409, "uniqueness")
			s.againIs(x, u, "userName", u.Name, "after the refused PATCH")
		}),
		should(rfc("patch-no-change", "RFC 7644 §3.5.2.1", "a PATCH that changes nothing leaves lastModified alone", "clients that read changes by time see changes that are none", "compare before storing", func(s *Session) {
			u := s.user("nc", nil)
			before := s.again(u)
			x := s.apply(u.Path, op("replace", "displayName", "Ann Case"))
			s.againIs(x, u, "meta.lastModified", before.text("meta.lastModified"), "after a PATCH that changes nothing")
		})),
		rfc("patch-answer", "R-41", "a PATCH answers 200 with the resource or 204 without a body", "200 with an empty body is a protocol error for Entra and Okta", "return the resource with 200, or nothing with 204", patchAnswer),
	}
}
