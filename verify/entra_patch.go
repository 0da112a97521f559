package verify

const (
	whyMulti  = "Entra sends one operation per changed attribute in one request; what is lost here differs from the source for good, because Entra believes the 2xx"
	fixValueP = `when no element matches, create one from the equality terms of the filter; never touch other elements`
)

func entraUpdate() []Case {
	return []Case{
		{Name: "multi-replace", Rule: "R-32", Ref: "E-DEV", Title: "several Replace operations in one request are all applied",
			Why: whyMulti, Fix: "apply the operations in order, on one copy, and store the result once", Run: multiReplace},
		{Name: "multi-replace-atomic", Rule: "R-32", Ref: "RFC 7644 §3.5.2",
			Title: "if one operation of a request fails, none is applied",
			Why:   "Entra repeats the whole request; half-applied changes make the repetition mean something else",
			Fix:   "work on a copy and store it only if every operation succeeded",
			Run: func(s *Session) {
				s.atomic("Replace")
			}},
		{Name: "value-path-add-mail", Rule: "R-34", Ref: "E-ISS, E-OBS", Title: `Add emails[type eq "work"].value creates the element`,
			Why: "this is how Entra writes an address that the user did not have; with noTarget the update fails in every cycle", Fix: fixValueP,
			Run: func(s *Session) { valuePathCreates(s, "Add", "emails", "work", "value", s.mail("vp")) }},
		{Name: "value-path-replace-mail", Rule: "R-34", Ref: "E-ISS, E-OBS", Title: `Replace emails[type eq "work"].value creates the element if there is none`,
			Why: "Entra sends Replace although the user has no work address; RFC 7644 allows noTarget here, and the update then fails in every cycle", Fix: fixValueP,
			Run: func(s *Session) { valuePathCreates(s, "Replace", "emails", "work", "value", s.mail("vp")) }},
		{Name: "value-path-phone", Rule: "R-34", Ref: "E-DEV", Title: `Add phoneNumbers[type eq "mobile"].value creates the element`,
			Why: "default mapping of the mobile number", Fix: fixValueP,
			Run: func(s *Session) { valuePathCreates(s, "Add", "phoneNumbers", "mobile", "value", "+1 555 0100") }},
		{Name: "value-path-address", Rule: "R-34", Ref: "E-DEV", Title: `Add addresses[type eq "work"].country creates the element`,
			Why: "default mapping of the postal address, one operation for each part", Fix: fixValueP,
			Run: func(s *Session) { valuePathCreates(s, "Add", "addresses", "work", "country", "SE") }},
		{Name: "value-path-update", Rule: "R-35", Ref: "E-DEV", Title: `Replace emails[type eq "work"].value changes that sub-attribute alone`,
			Why: "a lost type or primary makes the next match by emails[type eq \"work\"] fail; lost elements are lost data",
			Fix: "change the sub-attribute of the matching element in place", Run: valuePathUpdates},
		{Name: "roles-primary", Rule: "R-36", Ref: "V9, E-CUST", Severity: Should, Title: `Add roles[primary eq "True"].value creates a primary role`,
			Why: "this is Entra's mapping of a single application role; the literal is a string",
			Fix: "compare booleans with the strings True and False, create the element with primary true", Run: rolesPrimary},
		{Name: "op-case", Rule: "R-31", Ref: "E-COMPAT", Title: "operations are read in any case",
			Why: "Entra writes Add, Replace and Remove; a server that knows lower case alone refuses every update",
			Fix: "fold op before comparing it", Run: opCase},
		{Name: "patch-answer", Rule: "R-41", Ref: "E-DEV, RFC 7644 §3.5.2", Title: "a PATCH answers 200 with the user or 204 without a body",
			Why: "200 with an empty body is a protocol error: Entra reports the update as failed and repeats it",
			Fix: "return the resource with 200, or nothing with 204", Run: patchAnswer},
		{Name: "add-external-id", Rule: "R-32", Ref: "E-DEV", Title: "externalId can be changed by Replace",
			Why: "Entra adopts a user that it matched by name by writing its own externalId; unless it is kept, the next match by it fails",
			Fix: "make externalId writable in PATCH", Run: func(s *Session) {
				u := s.user("x", Object{"externalId": s.guid()})
				ext := s.guid()
				x := s.apply(u.Path, op("Replace", "externalId", ext))
				s.againIs(x, u, "externalId", ext, "after the Replace")
				s.search("/Users", eq("externalId", ext)).only("externalId eq", u.ID)
			}},
		{Name: "rename", Rule: "R-38", Ref: "E-DEV", Title: "userName can be changed; the new name finds the user and the old one is free",
			Why: "people marry; if the old name stays taken its next holder cannot be created, and if the new one is not found there will be two accounts",
			Fix: "update every index of userName in the transaction of the change", Run: func(s *Session) { rename(s, op("Replace", "userName", none)) }},
		{Name: "remove-attribute", Rule: "R-40", Ref: "E-DEV", Severity: Should, Title: "Remove clears an attribute, by path and by value path",
			Why: "a title or an address that was cleared in the source stays visible", Fix: "delete what the path selects, keep the rest", Run: removeAttribute},
		{Name: "remove-required", Rule: "R-40", Ref: "RFC 7644 §3.5.2.2", Severity: Should, Title: "Remove of userName is refused",
			Why: "a user without userName can never be matched again", Fix: "answer 400 with scimType mutability or invalidValue",
			Run: func(s *Session) {
				u := s.user("rr", nil)
				x := s.patch(u.Path, op("Remove", "userName", none))
				s.check(x.Response.Status >= 400 && x.Response.Status < 500, x, "status 400 for the removal of a required attribute", x.describe())
				s.againIs(x, u, "userName", u.Name, "after the refused removal")
			}},
	}
}

// againIs reads an object back and requires a value; the finding shows the request that should have made it.
func (s *Session) againIs(cause *Exchange, c created, path string, want any, when string) bool {
	x := s.again(c)
	v, ok := x.value(path)
	if ok && same(v, want) {
		return true
	}
	s.fail(cause, "a read "+when+" has "+path+" "+show(want), "the read has "+showOrNo(path, v, ok)+"; the request was answered "+cause.describe())
	return false
}

// againLacks reads an object back and requires that an attribute has no value.
func (s *Session) againLacks(cause *Exchange, c created, path, when string) bool {
	x := s.again(c)
	v, ok := x.value(path)
	if !ok || empty(v) {
		return true
	}
	s.fail(cause, "a read "+when+" has no "+path, "the read has "+path+" "+show(v)+"; the request was answered "+cause.describe())
	return false
}

func showOrNo(path string, v any, ok bool) string {
	if !ok {
		return "no " + path
	}
	return path + " " + show(v)
}

func multiReplace(s *Session) {
	ent := enterpriseSchema + ":"
	changes := [][2]string{
		{"displayName", "New Name"}, {"name.givenName", "Anna"}, {"name.familyName", "Kase"}, {"title", "Staff Engineer"},
		{`emails[type eq "work"].value`, s.mail("mr")}, {ent + "employeeNumber", "E-77"}, {ent + "department", "Research"},
	}
	reads := map[string]string{`emails[type eq "work"].value`: "emails[type=work].value"}
	u := s.user("mr", nil)
	var ops []Object
	for _, c := range changes {
		if s.has(bare(c[0])) {
			ops = append(ops, op("Replace", c[0], c[1]))
		}
	}
	x := s.apply(u.Path, ops...)
	for _, c := range changes {
		path := c[0]
		if reads[path] != "" {
			path = reads[path]
		}
		if s.has(bare(c[0])) {
			s.againIs(x, u, path, c[1], "after the Replace of "+c[0])
		}
	}
}

// bare is a path without its value filter.
func bare(path string) string {
	for i := range path {
		if path[i] == '[' {
			return path[:i]
		}
	}
	return path
}

// valuePathCreates writes into an element that is not there, beside one that must survive.
func valuePathCreates(s *Session, kind, attr, typ, sub, value string) {
	s.needAttr(attr + "." + sub)
	other := Object{"type": "other", sub: "keep-" + value}
	if attr == "emails" {
		other[sub] = s.mail("keep")
	}
	u := s.user("vc", Object{attr: list(other)})
	x := s.apply(u.Path, op(kind, attr+`[type eq "`+typ+`"].`+sub, value))
	s.againIs(x, u, attr+"[type="+typ+"]."+sub, value, "after "+kind+" by value path")
	s.againIs(x, u, attr+"[type=other]."+sub, other[sub], "after a change of another element")
}

func valuePathUpdates(s *Session) {
	s.needAttr("emails")
	old, home, next := s.mail("w"), s.mail("h"), s.mail("n")
	u := s.user("vu", Object{"emails": list(
		Object{"type": "work", "value": old, "primary": true}, Object{"type": "home", "value": home})})
	x := s.apply(u.Path, op("Replace", `emails[type eq "work"].value`, next))
	s.againIs(x, u, "emails[type=work].value", next, "after the Replace")
	s.againIs(x, u, "emails[type=home].value", home, "after a change of another element")
	if s.has("emails.primary") {
		s.againIs(x, u, "emails[type=work].primary", true, "after a change of value")
	}
	y := s.again(u)
	v, _ := y.value("emails")
	items, _ := v.([]any)
	s.check(len(items) == 2, y, "still two e-mail addresses", count(len(items), "address"))
}

func rolesPrimary(s *Session) {
	s.needAttr("roles.primary", "roles.value")
	u := s.user("rp", nil)
	x := s.apply(u.Path, op("Add", `roles[primary eq "True"].value`, "Admin"))
	s.againIs(x, u, "roles[0].value", "Admin", "after Add by value path")
	s.againIs(x, u, "roles[0].primary", true, "after Add by value path")
}

func opCase(s *Session) {
	u := s.user("oc", nil)
	attr := "nickName"
	if !s.has(attr) {
		attr = "displayName"
	}
	for _, kind := range []string{"Add", "ADD", "add", "Replace", "REPLACE", "replace"} {
		x := s.patch(u.Path, op(kind, attr, "by "+kind))
		if s.check(x.ok(), x, "status 200 or 204 for the operation "+kind, x.describe()) {
			s.againIs(x, u, attr, "by "+kind, "after "+kind)
		}
	}
	x := s.patch(u.Path, op("Remove", attr, none))
	if s.check(x.ok(), x, "status 200 or 204 for the operation Remove", x.describe()) {
		s.againLacks(x, u, attr, "after Remove")
	}
}

func patchAnswer(s *Session) {
	u := s.user("pa", nil)
	x := s.patch(u.Path, op("Replace", "displayName", "Answered"))
	switch {
	case x.Response.Status == 204:
		s.check(x.Response.size == 0, x, "no body with status 204", "status 204 with a body of "+count(x.Response.size, "byte"))
	case x.Response.Status == 200 && x.object() == nil:
		s.fail(x, "status 200 with the whole user as body, or 204", x.describe())
	case x.Response.Status == 200:
		x.want("id", u.ID)
		x.want("userName", u.Name)
		x.want("displayName", "Answered")
	default:
		s.fail(x, "status 200 or 204", x.describe())
	}
}

// rename changes userName with the operation, whose value is put in: at the path, or in the object without path.
func rename(s *Session, o Object) {
	u := s.user("old", nil)
	next := s.mail("new")
	if o["path"] != nil {
		o["value"] = next
	} else {
		o["value"] = Object{"userName": next}
	}
	x := s.apply(u.Path, o)
	s.againIs(x, u, "userName", next, "after the rename")
	s.search("/Users", eq("userName", next)).only("the new userName", u.ID)
	s.search("/Users", eq("userName", u.Name)).only("the old userName")
	y := s.post("/Users", s.person(u.Name, nil))
	s.check(y.Response.Status == 201, y, "status 201: the old userName is free again", y.describe())
}

func removeAttribute(s *Session) {
	home := s.mail("h")
	u := s.user("ra", Object{"title": "Engineer", "emails": list(
		Object{"type": "work", "value": s.mail("w")}, Object{"type": "home", "value": home})})
	if s.has("title") {
		x := s.apply(u.Path, op("Remove", "title", none))
		s.againLacks(x, u, "title", "after the removal")
	}
	if s.has("emails") {
		x := s.apply(u.Path, op("Remove", `emails[type eq "work"]`, none))
		s.againLacks(x, u, "emails[type=work].value", "after the removal")
		s.againIs(x, u, "emails[type=home].value", home, "after the removal of another element")
	}
}

// atomic sends two operations of which the second must fail: it takes the userName of somebody else.
func (s *Session) atomic(kind string) {
	other, u := s.user("holder", nil), s.user("at", nil)
	x := s.patch(u.Path, op(kind, "displayName", "Half Applied"), op(kind, "userName", other.Name))
	if !s.check(x.Response.Status == 409 || x.Response.Status == 400, x, "status 409: the second operation takes the userName of another user", x.describe()) {
		return
	}
	s.againIs(x, u, "displayName", "Ann Case", "after the refused request (none of its operations may be applied)")
}
