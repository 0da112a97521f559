package verify_test

import (
	"regexp"
	"strings"
	"time"
)

var memberFilter = regexp.MustCompile(`^members\[value eq "([^"]*)"\]$`)

// onGroupOps changes the operations of PATCH requests to groups.
func onGroupOps(change func(q *request, o object) object) func() middleware {
	return onOps(func(q *request, o object) object {
		if !q.groups() {
			return o
		}
		return change(q, o)
	})
}

// pathlessMembers are the members of an operation without a path.
func pathlessMembers(o object) ([]any, bool) {
	v, _ := o["value"].(object)
	m, ok := v["members"].([]any)
	return m, ok && opPath(o) == ""
}

func groupFaults() []fault {
	return []fault{
		{"a second group of a name is accepted", "V20", []string{"entra/group-duplicate", "entra-validator/v20-duplicate"}, "status 409", onAnswer(func(q *request, a *answer) {
			if o := q.json(); q.method == "POST" && a.status == 409 && q.groups() {
				name := o["displayName"].(string)
				o["displayName"] = name + "-again"
				*a = *q.ask("POST", "/Groups", o)
			}
		})},
		{"a group cannot be created with members", "ory/polis#3136", []string{"okta-custom/group-create-members", "pingfederate-put/group-create"}, "after the create", onSent(func(q *request, o object) {
			if q.groups() && q.method == "POST" {
				delete(o, "members")
			}
		})},
		{"a group cannot be created without members", "JumpCloud", []string{"okta-catalogue/group-create", "entra/group-create"}, "status 400", refuseSent(400, "invalidValue", "members is required", func(o object) bool {
			m, _ := o["members"].([]any)
			return o["userName"] == nil && strings.Contains(string(mustJSON(o["schemas"])), "core:2.0:Group") && len(m) == 0
		})},
		{"externalId of groups is lost", "V21", []string{"entra/group-create", "entra-validator/v21-replace-external-id"}, "externalId", onResource(func(q *request, o object) {
			if q.groups() {
				delete(o, "externalId")
			}
		})},
		{"a rename wipes the members", "Captain-P-Goldfish/scim-for-keycloak#90", []string{"entra/group-rename", "okta-catalogue/group-rename", "pingfederate-patch/group-patch-name", "entra-validator/v22-rename"}, "after the rename the group has 2 members", onRequest2(func(q *request, next func(*request) *answer) *answer {
			a := next(q)
			if q.method == "PATCH" && q.groups() && strings.Contains(string(q.body), "displayName") && !strings.Contains(string(q.body), "members") {
				q.ask("PATCH", q.path, patchOf(object{"op": "replace", "path": "members", "value": []any{}}))
			}
			return a
		})},
		{"id in the value of a rename is refused", "O-ISS, SCIM-SDK#757", []string{"okta-catalogue/group-rename"}, "status 400", refuseOp(400, "mutability", func(_ *request, o object) bool { v, _ := o["value"].(object); return v["id"] != nil })},
		{"PUT of a group ignores the members", "ory/polis#3136", []string{"okta-custom/group-put-members", "pingfederate-put/group-put", "rfc/group-put-set"}, "PUT the group has", onSent(func(q *request, o object) {
			if q.groups() && q.method == "PUT" {
				delete(o, "members")
			}
		})},
		{"PUT of a group adds members and removes none", "R-64", []string{"okta-custom/group-put-members", "pingfederate-put/group-put", "pingfederate-put/group-put-empty"}, "must not be there", onSent(func(q *request, o object) {
			if m, ok := o["members"].([]any); ok && q.groups() && q.method == "PUT" {
				old, _ := q.ask("GET", q.path, nil).json()["members"].([]any)
				o["members"] = append(m, old...)
			}
		})},
		{"PUT with an empty list keeps the members", "R-64", []string{"okta-custom/group-put-empty", "pingfederate-put/group-put-empty"}, "after a PUT with members []", onSent(func(q *request, o object) {
			if m, ok := o["members"].([]any); ok && len(m) == 0 && q.groups() && q.method == "PUT" {
				delete(o, "members")
			}
		})},
		{"PUT without members empties the group", "R-64", []string{"pingfederate-put/group-put-without-members"}, "does not mention members", onSent(func(q *request, o object) {
			if q.groups() && q.method == "PUT" && o["members"] == nil {
				o["members"] = []any{}
			}
		})},
		{"excludedAttributes=members is ignored", "R-54", []string{"entra/group-get-without-members", "entra/group-match", "entra-validator/v14-get-without-members"}, "no attribute", onRequest(func(q *request) { q.dropParam("excludedAttributes") })},
		{"reads of groups leave members out", "Netskope; authentik", []string{"entra/group-members"}, "no members", onResource(func(q *request, o object) {
			if q.groups() && q.param("attributes") == "" {
				delete(o, "members")
			}
		})},
		{"members are cut at two", "FusionAuth#2784", []string{"entra/member-add", "okta-catalogue/push-now"}, "3 members", onResource(func(q *request, o object) {
			if m, ok := o["members"].([]any); ok && len(m) > 2 {
				o["members"] = m[:2]
			}
		})},
		{"a list of groups shows fewer members than a read", "fleetdm/fleet#52501", []string{"rfc/group-list-equals-get"}, "3 members in the list", onList(func(q *request, _ object, items []any) {
			for _, e := range items {
				if m, ok := e.(object)["members"].([]any); ok && len(m) > 1 {
					e.(object)["members"] = m[:1]
				}
			}
		})},
		{"nested groups are refused", "keycloak#51078", []string{"rfc/group-nested"}, "status 2xx for a group as member", refuseOp(400, "invalidValue", func(_ *request, o object) bool { return strings.Contains(string(mustJSON(o)), `"type":"Group"`) })},
		{"users show no groups", "RFC 7643 §4.1.2", []string{"rfc/user-groups"}, "groups of the user has", onResource(func(q *request, o object) {
			if q.users() {
				delete(o, "groups")
			}
		})},
		{"deleting a group deletes its users", "O-PLAN", []string{"entra/group-delete", "okta-catalogue/group-delete"}, "404", onRequest2(func(q *request, next func(*request) *answer) *answer {
			if q.method == "DELETE" && q.groups() {
				m, _ := q.ask("GET", q.path, nil).json()["members"].([]any)
				for _, e := range m {
					q.ask("DELETE", "/Users/"+e.(object)["value"].(string), nil)
				}
			}
			return next(q)
		})},
		{"GET /Groups without paging takes longer than 600 ms", "Okta Spec test S10", []string{"okta-spec/s10-groups"}, "less than 600 ms", onRequest(func(q *request) {
			if q.path == "/Groups" && q.query == "" && q.method == "GET" {
				time.Sleep(650 * time.Millisecond)
			}
		})},
		{"groups cannot be listed beyond the first page", "wso2/product-is#11299", []string{"pagination/groups"}, "each of 3 groups", onRequest(func(q *request) {
			if q.groups() {
				q.dropParam("startIndex")
			}
		})},
	}
}

func memberFaults() []fault {
	return []fault{
		{"remove with a list of values empties the group", "MicrosoftDocs/azure-docs#30826, scimitar#43", []string{"entra/member-remove-values", "entra/member-remove-several", "entra/member-remove-stranger"}, "after Remove of 1 member", onGroupOps(func(_ *request, o object) object {
			if opKind(o) == "remove" && opPath(o) == "members" {
				delete(o, "value")
			}
			return o
		})},
		{"remove with a list of values is ignored", "R-57", []string{"entra/member-remove-values"}, "after Remove of 1 member", dropOp(func(o object) bool { return opKind(o) == "remove" && opPath(o) == "members" && o["value"] != nil })},
		{"remove with several values removes the first alone", "R-57", []string{"entra/member-remove-several"}, "after Remove of 2 members", onGroupOps(func(_ *request, o object) object {
			if v, ok := o["value"].([]any); ok && opKind(o) == "remove" && len(v) > 1 {
				o["value"] = v[:1]
			}
			return o
		})},
		{"remove by filter is answered with success and ignored", "goauthentik/authentik#24173, #25686", []string{"entra-flag/member-remove-filter", "okta-catalogue/member-delta", "entra-validator/v24-remove-member", "rfc/group-members-shapes"}, "must not be there", dropOp(func(o object) bool { return memberFilter.MatchString(opPath(o)) })},
		{"remove by filter empties the group", "SCIM-SDK#419", []string{"entra-flag/member-remove-filter", "entra-validator/v24-remove-member"}, "2 missing", onGroupOps(func(_ *request, o object) object {
			if memberFilter.MatchString(opPath(o)) {
				o["path"] = "members"
			}
			return o
		})},
		{"remove of somebody who is no member is 404", "RFC 7644 §3.5.2.2", []string{"entra/member-remove-stranger", "entra-flag/member-remove-filter-stranger"}, "status 404", refuseOp(404, "", func(q *request, o object) bool {
			id := ""
			if m := memberFilter.FindStringSubmatch(opPath(o)); m != nil {
				id = m[1]
			} else if v, ok := o["value"].([]any); ok && opKind(o) == "remove" && len(v) == 1 {
				id, _ = v[0].(object)["value"].(string)
			}
			return id != "" && q.groups() && !strings.Contains(string(q.ask("GET", q.path, nil).body), id)
		})},
		{"remove of all members is refused", "AWS IAM Identity Center", []string{"entra/member-remove-all", "rfc/group-members-shapes"}, "status 400", refuseOp(400, "noTarget", func(q *request, o object) bool {
			return q.groups() && opKind(o) == "remove" && opPath(o) == "members" && o["value"] == nil
		})},
		{"add of a member who is there is 409", "R-56", []string{"entra/member-add-again", "rfc/group-members-shapes"}, "status 409", refuseOp(409, "uniqueness", func(q *request, o object) bool {
			v, _ := o["value"].([]any)
			return q.groups() && opKind(o) == "add" && opPath(o) == "members" && len(v) == 1 && strings.Contains(string(q.ask("GET", q.path, nil).body), memberOf(v[0]))
		})},
		{"add replaces the members", "R-56", []string{"entra/member-add", "entra-flag/member-add", "rfc/group-members-shapes"}, "missing", onGroupOps(func(_ *request, o object) object {
			if opKind(o) == "add" && opPath(o) == "members" {
				o["op"] = "replace"
			}
			return o
		})},
		{"add takes the first of several members", "R-56", []string{"entra/member-add", "rfc/group-members-shapes"}, "1 missing", onGroupOps(func(_ *request, o object) object {
			if v, ok := o["value"].([]any); ok && opKind(o) == "add" && len(v) > 1 {
				o["value"] = v[:1]
			}
			return o
		})},
		{"members with $ref null are refused", "E-DEV", []string{"entra/member-add"}, "status 400", refuseOp(400, "invalidValue", func(_ *request, o object) bool { return strings.Contains(string(mustJSON(o)), `"$ref":null`) })},
		{"replace of members with [] is ignored", "jelhub/scimgateway#113", []string{"okta-catalogue/push-empty", "pingfederate-patch/group-patch-members"}, "after replace members []", dropOp(func(o object) bool {
			v, ok := o["value"].([]any)
			return opPath(o) == "members" && ok && len(v) == 0
		})},
		{"members [] without a path is ignored", "SCIM-SDK#757", []string{"okta-catalogue/push-empty-no-path"}, "after replace without a path", onGroupOps(func(_ *request, o object) object {
			if m, ok := pathlessMembers(o); ok && len(m) == 0 {
				delete(o["value"].(object), "members")
			}
			return o
		})},
		{"members without a path are ignored", "Metatavu/keycloak-scim-server PR 113", []string{"okta-catalogue/push-list-no-path", "okta-catalogue/push-empty-no-path"}, "after replace without a path", onGroupOps(func(_ *request, o object) object {
			if _, ok := pathlessMembers(o); ok {
				delete(o["value"].(object), "members")
			}
			return o
		})},
		{"replace of members adds to them", "R-60", []string{"okta-catalogue/push-now", "pingfederate-patch/group-patch-members"}, "must not be there", onGroupOps(func(_ *request, o object) object {
			if v, _ := o["value"].([]any); opKind(o) == "replace" && opPath(o) == "members" && len(v) > 0 {
				o["op"] = "add"
			}
			return o
		})},
		{"of remove and add in one request only the first is done", "BerriAI/litellm#34162", []string{"okta-catalogue/member-delta", "rfc/group-remove-and-add", "entra-validator/p5-multi-members"}, "member", onRequest(func(q *request) {
			b := q.json()
			if ops, _ := b["Operations"].([]any); q.method == "PATCH" && q.groups() && len(ops) > 1 {
				b["Operations"] = ops[:1]
				q.set(b)
			}
		})},
		{"an unknown member is accepted and forgotten", "R-65", []string{"entra/member-unknown", "rfc/group-unknown-member"}, "status 400 or 404", onAnswer(func(q *request, a *answer) {
			if q.groups() && a.status == 400 && strings.Contains(string(a.body), "invalidValue") && q.method != "GET" {
				*a = answer{status: 204, header: a.header}
				a.header.Del("Content-Type")
			}
		})},
		{"members written as texts are refused", "Microsoft's collection", []string{"entra/member-bare-string"}, "status 400", refuseOp(400, "invalidValue", func(_ *request, o object) bool {
			v, _ := o["value"].([]any)
			return opPath(o) == "members" && len(v) > 0 && isText(v[0])
		})},
		{"PATCH of a group answers with all members", "SimpleIdServer#570, wso2/product-is#11824", []string{"entra/member-answer"}, "no attribute members", onAnswer(func(q *request, a *answer) {
			if q.method == "PATCH" && q.groups() && a.ok() {
				*a = *q.ask("GET", q.path, nil)
			}
		})},
		{"a deleted user stays a member", "scim-servers §5", []string{"entra/member-delete-user", "rfc/member-gone-with-user"}, "was deleted the group has 1 member", dangling},
		{"members added at the same moment are lost", "fleetdm/fleet#50724", []string{"rfc/concurrent-members"}, "eight adds at the same moment", readModifyWrite},
	}
}

func memberOf(v any) string {
	if o, ok := v.(object); ok {
		id, _ := o["value"].(string)
		return id
	}
	return ""
}

// dangling shows deleted users as members.
func dangling() middleware {
	ghosts := map[string][]any{}
	return func(q *request, next func(*request) *answer) *answer {
		if q.method == "DELETE" && q.users() {
			in := groupsOf(q, q.id())
			a := next(q)
			q.p.mu.Lock()
			for _, g := range in {
				id := g["id"].(string)
				ghosts[id] = append(ghosts[id], object{"value": q.id()})
			}
			q.p.mu.Unlock()
			return a
		}
		a := next(q)
		o := a.json()
		q.p.mu.Lock()
		defer q.p.mu.Unlock()
		if gone := ghosts[q.id()]; len(gone) > 0 && a.ok() && o["id"] != nil {
			m, _ := o["members"].([]any)
			o["members"] = append(m, gone...)
			a.set(o)
		}
		return a
	}
}

// readModifyWrite adds members by reading the group, waiting a moment, and writing it back.
func readModifyWrite() middleware {
	return func(q *request, next func(*request) *answer) *answer {
		ops, _ := q.json()["Operations"].([]any)
		if q.method != "PATCH" || !q.groups() || len(ops) != 1 || opKind(ops[0].(object)) != "add" {
			return next(q)
		}
		g := q.ask("GET", q.path, nil).json()
		time.Sleep(30 * time.Millisecond)
		m, _ := g["members"].([]any)
		v, _ := ops[0].(object)["value"].([]any)
		g["members"] = append(m, v...)
		q.ask("PUT", q.path, g)
		return &answer{status: 204}
	}
}
