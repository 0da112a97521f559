package verify

import "strings"

func entraMatch() []Case {
	const fixFold = "compare userName without case (RFC 7643 §4.1.1 says caseExact false), for example by a folded column with an index"
	return []Case{
		{Name: "match-user", Rule: "R-23", Ref: "E-HOW, E-REF #63",
			Title: "a user is found by userName",
			Why:   "Entra matches before it creates; if the user is not found it creates a second one, or stops at a conflict for ever",
			Fix:   "support userName eq and decode + and %22 in the query",
			Run: func(s *Session) {
				s.decoy("/Users")
				u := s.user("m", nil)
				s.search("/Users", eq("userName", u.Name)).only("userName eq", u.ID)
			}},
		{Name: "match-user-case", Rule: "R-23", Ref: "V5",
			Title: "a user is found by userName in another case",
			Why:   "addresses come in any case; with a comparison by case Entra does not find the user and its create ends in a conflict",
			Fix:   fixFold,
			Run: func(s *Session) {
				u := s.user("m", nil)
				s.search("/Users", eq("userName", strings.ToUpper(u.Name))).only("userName eq in upper case", u.ID)
			}},
		{Name: "match-attribute-case", Rule: "R-24", Ref: "E-REF",
			Title: "attribute names of a filter are read without case",
			Why:   "Microsoft's own collection writes DisplayName and UserName; RFC 7644 §3.4.2.2 makes names case-insensitive",
			Fix:   "fold attribute names before looking them up",
			Run: func(s *Session) {
				u := s.user("m", nil)
				s.search("/Users", eq("USERNAME", u.Name)).only("USERNAME eq", u.ID)
			}},
		{Name: "match-external-id", Rule: "R-24", Ref: "E-DEV",
			Title: "a user is found by externalId",
			Why:   "tenants that match by object id never find a user, and create duplicates or stop",
			Fix:   "store externalId as it was sent and make it filterable",
			Run: func(s *Session) {
				ext := s.guid()
				u := s.user("m", Object{"externalId": ext})
				s.search("/Users", eq("externalId", ext)).only("externalId eq", u.ID)
			}},
		{Name: "match-external-id-case", Rule: "R-24", Ref: "RFC 7643 §3.1", Severity: Should,
			Title: "externalId compares with case",
			Why:   "externalId is caseExact: two people of a source that tells case apart become one",
			Fix:   "do not fold externalId",
			Run: func(s *Session) {
				ext := "Ext-" + s.guid()
				s.user("m", Object{"externalId": ext})
				s.search("/Users", eq("externalId", strings.ToUpper(ext))).only("externalId eq in another case")
			}},
		{Name: "match-mail", Rule: "R-24", Ref: "E-DEV",
			Title: `a user is found by emails[type eq "work"].value`,
			Why:   "it is the usual second matching attribute; a 400 stops the job, an ignored filter links the wrong person",
			Fix:   "accept a value path followed by a sub-attribute and read it as one condition on one element",
			Run: func(s *Session) {
				s.needAttr("emails")
				u := s.user("m", nil)
				s.search("/Users", `emails[type eq "work"].value eq "`+u.Name+`"`).only("the filter", u.ID)
				s.search("/Users", `emails[type eq "home"].value eq "`+u.Name+`"`).only("the filter for a home address")
			}},
		{Name: "match-display-name", Rule: "R-24", Ref: "E-DEV", Severity: Should,
			Title: "a user is found by displayName",
			Why:   "it can be chosen as matching attribute",
			Fix:   "make displayName filterable",
			Run: func(s *Session) {
				s.needAttr("displayName")
				name := s.name("Dn")
				u := s.user("m", Object{"displayName": name})
				s.search("/Users", eq("displayName", name)).only("displayName eq", u.ID)
			}},
		{Name: "reference-probe", Rule: "R-26", Ref: "E-DEV", Severity: Should,
			Title: "id and manager can be asked in one filter",
			Why:   "Entra checks by it whether a manager has to be set again; an error is retried in every cycle",
			Fix:   "support and, id eq and manager eq (read as manager.value)",
			Run:   referenceProbe},
		{Name: "get-by-id", Rule: "R-21", Ref: "E-DEV",
			Title: "a user is read by id with all that was stored",
			Why:   "Entra reads the user before it updates; attributes that are missing are sent again in every cycle",
			Fix:   "return everything that the create stored",
			Run:   func(s *Session) { s.storedUser(s.again(s.user("g", nil))) }},
		{Name: "attributes", Rule: "R-45", Ref: "E-DEV", Severity: Should,
			Title: "attributes=id returns id and schemas and leaves the rest out",
			Why:   "probes ask for id alone; a server that ignores it sends whole users",
			Fix:   "honour attributes and excludedAttributes, always keep id and schemas",
			Run: func(s *Session) {
				u := s.user("a", nil)
				x := s.get(u.Path + s.query("attributes", "id")).status(200)
				x.want("id", u.ID)
				x.present("schemas")
				x.noKey("emails")
				x.noKey("userName")
				y := s.get(u.Path + s.query("attributes", "userName,emails")).status(200)
				y.want("id", u.ID)
				y.want("userName", u.Name)
				y.want("emails[0].value", u.Name)
				y.noKey("name")
			}},
	}
}

func eq(attr, value string) string { return attr + ` eq "` + value + `"` }

func referenceProbe(s *Session) {
	s.needAttr(enterpriseSchema + ":manager")
	boss, u := s.user("boss", nil), s.user("rp", nil)
	filters := []string{
		eq("id", u.ID) + " and " + eq("manager", boss.ID),
		eq("manager", boss.ID) + " and " + eq("id", u.ID),
	}
	for _, f := range filters {
		s.search("/Users", f, "attributes", "id").only("the probe before a manager is set")
	}
	s.apply(u.Path, op("Add", enterpriseSchema+":manager", boss.ID))
	for _, f := range filters {
		s.search("/Users", f, "attributes", "id").only("the probe after the manager was set", u.ID)
	}
}

// storedUser checks the fields that every client relies on against what person sends.
func (s *Session) storedUser(x *Exchange) {
	for path, v := range map[string]any{"name.givenName": "Ann", "name.familyName": "Case", "active": true} {
		if s.has(path) {
			x.want(path, v)
		}
	}
	x.present("userName")
	x.present("id")
	if s.has("emails") {
		x.want("emails[0].value", x.text("userName"))
	}
}

func entraCreate() []Case {
	return []Case{
		{Name: "create", Rule: "R-16", Ref: "E-DEV",
			Title: "a create answers 201 with the stored user",
			Why:   "Entra keeps the id of the answer for good; without it the user is created again or lost",
			Fix:   "answer 201 with the whole resource, id, meta and Location",
			Run:   func(s *Session) { createEntra(s, nil) }},
		{Name: "create-nulls", Rule: "R-18", Ref: "E-DEV",
			Title: "nulls and empty lists in a create count as absent",
			Why:   "Microsoft documents creates with null attributes; a server that refuses them never gets a user",
			Fix:   "treat null and [] as absent (RFC 7643 §2.5)",
			Run: func(s *Session) {
				createEntra(s, Object{"addresses": nil, "phoneNumbers": nil, "title": nil, "roles": list(), "nickName": nil})
			}},
		{Name: "create-foreign-schema", Rule: "R-18", Ref: "E-DEV",
			Title: "an unknown schema URI in a create is ignored",
			Why:   "a documented sample has a misspelt extension URN, and tenants send custom ones",
			Fix:   "ignore schema URIs that are not known instead of refusing the user",
			Run: func(s *Session) {
				createEntra(s, Object{"schemas": list(userSchema, "urn:ietf:params:scim:schemas:extension:custom:2.0:Unheard")})
			}},
		{Name: "create-undeclared-extension", Rule: "R-18", Ref: "E-CUST",
			Title: "extension attributes are accepted although schemas does not list the extension",
			Why:   "Entra sends mapped extension attributes without declaring their URN",
			Fix:   "take the schemas of a resource from what it holds",
			Run: func(s *Session) {
				s.needAttr(enterpriseSchema + ":department")
				x := createEntra(s, Object{"schemas": list(userSchema), enterpriseSchema: Object{"department": "Sales"}})
				x.want(enterpriseSchema+":department", "Sales")
			}},
		{Name: "create-string-primary", Rule: "R-36", Ref: "E-OBS", Severity: Should,
			Title: `"primary":"True" in a create is stored as a boolean`,
			Why:   "Entra's validator sends the role with a string; stored as text it no longer reads as true",
			Fix:   "convert the strings True and False where the schema says boolean",
			Run: func(s *Session) {
				s.needAttr("roles.primary")
				x := createEntra(s, Object{"roles": list(Object{"primary": "True", "value": "admin", "display": "Admin", "type": "app"})})
				x.want("roles[0].primary", true)
			}},
		{Name: "create-string-active", Rule: "R-29", Ref: "E-REF", Severity: Should,
			Title: `"active":"True" in a create is stored as a boolean`,
			Why:   "Microsoft's collection sends it; stored as a string, later comparisons with true fail",
			Fix:   "convert the strings True and False where the schema says boolean",
			Run:   func(s *Session) { createEntra(s, Object{"active": "True"}).want("active", true) }},
		{Name: "duplicate", Rule: "R-17", Ref: "E-DEV, O-SPEC S8",
			Title: "a second create with the same userName is 409 uniqueness",
			Why:   "accepted, there are two accounts for one person; with another status Entra does not know that it has to match again",
			Fix:   "unique key on the folded userName, 409 with scimType uniqueness",
			Run: func(s *Session) {
				u := s.user("d", nil)
				s.conflict(s.post("/Users", s.person(u.Name, nil)), "the same userName")
			}},
		{Name: "duplicate-case", Rule: "R-17", Ref: "RFC 7643 §4.1.1",
			Title: "a create that differs in the case of userName alone is 409",
			Why:   "the same person gets two accounts when the source changes the case of an address",
			Fix:   "make the unique key the folded userName",
			Run: func(s *Session) {
				u := s.user("d", nil)
				s.conflict(s.post("/Users", s.person(strings.ToUpper(u.Name), nil)), "the userName in upper case")
			}},
		{Name: "value-fidelity", Rule: "R-48", Ref: "E-DEV", Severity: Should,
			Title: "phone numbers and names come back as they were sent",
			Why:   "Entra compares what it reads with what it wants; a reformatted number is written again in every cycle",
			Fix:   "store values unmodified",
			Run: func(s *Session) {
				s.needAttr("phoneNumbers")
				u := s.user("f", Object{"phoneNumbers": list(Object{"type": "work", "value": "55555555555"}), "displayName": "Zoë  O'Hara-Łuk 漢字"})
				x := s.again(u)
				x.want("phoneNumbers[type=work].value", "55555555555")
				x.want("displayName", "Zoë  O'Hara-Łuk 漢字")
			}},
	}
}

// createEntra creates a user with the body that Microsoft documents and checks the answer and what is stored.
func createEntra(s *Session, more Object) *Exchange {
	name := s.mail("e")
	ext := s.guid()
	body := s.person(name, Object{
		"schemas": list(userSchema, enterpriseSchema), "externalId": ext, "roles": list(),
		"meta": Object{"resourceType": "User"},
		"name": Object{"formatted": "Ann Case", "familyName": "Case", "givenName": "Ann"},
	})
	x := s.createdOK(s.post("/Users", over(body, more)))
	y := s.get(pathOf("/Users", x.newID())).status(200)
	y.want("userName", name)
	y.want("externalId", ext)
	s.storedUser(y)
	return y
}

// createdOK checks the answer to a create: 201, the resource, id, meta and Location.
func (s *Session) createdOK(x *Exchange) *Exchange {
	x.status(201)
	if x.object() == nil {
		s.stop(x, "status 201 with the new resource as body", x.describe())
	}
	id, ok := x.value("id")
	t, isText := id.(string)
	switch {
	case !ok || !isText || t == "":
		s.stop(x, "id is a string that is not empty", showAt("id", id, ok))
	case strings.Contains(t, "bulkId"):
		s.fail(x, `id does not contain "bulkId"`, "id is "+show(t))
	}
	x.want("meta.resourceType", map[bool]string{true: "Group", false: "User"}[strings.HasPrefix(x.Request.Path, "/Groups")])
	if loc := x.header("Location"); loc == "" || lastSegment(loc) != t { // the products take the id of the body
		s.warn(x, "a Location header that ends in the id", "Location "+show(loc))
	}
	return x
}

// conflict requires 409; a missing scimType is a warning, since clients read the status.
func (s *Session) conflict(x *Exchange, what string) {
	if !s.check(x.Response.Status == 409, x, "status 409 for "+what, x.describe()) {
		return
	}
	if t := x.text("scimType"); t != "uniqueness" {
		s.warn(x, "scimType is uniqueness", "scimType is "+show(t))
	}
}
