package verify_test

import (
	"regexp"
	"strings"
)

// refilter is a bug that reads a filter as another one.
func refilter(change func(f string) string) func() middleware {
	return onRequest(func(q *request) {
		if f := q.param("filter"); f != "" {
			if g := change(f); g != f {
				q.setParam("filter", g)
			}
		}
	})
}

// refuseFilter is a server that does not support some filters.
func refuseFilter(when func(f string) bool) func() middleware {
	return refuse(400, "invalidFilter", "this filter is not supported", func(q *request) bool { return when(q.param("filter")) })
}

// noneFor is a server that finds nobody for some filters.
func noneFor(when func(f string) bool) func() middleware {
	return onList(func(q *request, l object, _ []any) {
		if when(q.param("filter")) {
			l["totalResults"], l["itemsPerPage"], l["Resources"] = 0, 0, []any{}
		}
	})
}

var (
	typedValue = regexp.MustCompile(`emails\[type eq "[a-z]+" and (value eq "[^"]*")\]`)
	eqLiteral  = regexp.MustCompile(`^(userName|displayName|externalId) eq "([^"]*)"$`)
	wildValue  = regexp.MustCompile(`( (?:co|sw|ew) ")([^"]*[%_][^"]*)"`)
)

func filterFaults() []fault {
	has := func(part string) func(string) bool { return func(f string) bool { return strings.Contains(f, part) } }
	swap := func(from, to string) func() middleware {
		return refilter(func(f string) string { return strings.ReplaceAll(f, from, to) })
	}
	badFilter := func(change func(a *answer)) func() middleware {
		return onAnswer(func(q *request, a *answer) {
			if a.json()["scimType"] == "invalidFilter" {
				change(a)
			}
		})
	}
	return []fault{
		{"filters are ignored: everybody is found", "eneo-ai/eneo#443, Cogtrix#124", []string{"entra/no-match", "okta-catalogue/no-match", "entra/match-user"}, "the filter was ignored", onRequest(func(q *request) { q.dropParam("filter") })},
		{"userName compares with case", "onyx-dot-app/onyx#14097", []string{"entra/match-user-case", "entra-validator/v5-filter-case"}, "in upper case finds 1 resource", caseSensitive("userName")},
		{"group names compare with case", "V18", []string{"entra/group-match-case", "entra-validator/v18-filter-case"}, "in upper case finds 1 resource", caseSensitive("displayName")},
		{"externalId cannot be searched: nobody is found", "better-auth#10420, langwatch#6973", []string{"entra/match-external-id", "rfc/filter-external-id-exact"}, "externalId eq finds 1 resource", noneFor(has("externalId eq"))},
		{"externalId compares without case", "RFC 7643 §3.1", []string{"rfc/filter-external-id-exact", "entra/match-external-id-case"}, "externalId eq in", foldExternal},
		{"an unknown attribute in a filter finds everybody", "Snowflake bcr-2276, Metatavu#46", []string{"rfc/bad-filter-unknown-attribute", "pingfederate-put/match-expression"}, "the filter was ignored",
			onRequest2(func(q *request, next func(*request) *answer) *answer {
				if a := next(q); a.json()["scimType"] != "invalidFilter" {
					return a
				}
				q.dropParam("filter")
				return next(q)
			})},
		{"a malformed filter finds nobody with 200", "NorthlandPositronics/Cogtrix#124", []string{"rfc/bad-filter-open-parenthesis", "rfc/bad-filter-unknown-operator"}, "status 400 invalidFilter",
			badFilter(func(a *answer) {
				a.status = 200
				a.set(object{"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": 0, "Resources": []any{}, "startIndex": 1, "itemsPerPage": 0})
			})},
		{"a malformed filter is 500", "wso2/product-is#7370, #11182", []string{"rfc/bad-filter-unknown-operator", "rfc/bad-filter-open-quote", "security/filter-depth"}, "status 500", badFilter(func(a *answer) { *a = *refusal(500, "", "internal error") })},
		{"a malformed filter is an HTML page", "wso2/product-is#7367", []string{"rfc/bad-filter-open-parenthesis"}, "not JSON",
			badFilter(func(a *answer) {
				a.body = []byte("<html>Bad Request</html>")
				a.header.Set("Content-Type", "text/html")
			})},
		{"a filter error has no scimType", "RFC 7644 §3.12", []string{"rfc/bad-filter-no-literal"}, "scimType invalidFilter", badFilter(func(a *answer) { o := a.json(); delete(o, "scimType"); a.set(o) })},
		{"and is done as or", "scim-servers §5", []string{"rfc/filter-and", "entra/reference-probe"}, "that must not be there", swap(" and ", " or ")},
		{"or binds tighter than and", "RFC 7644 §3.4.2.2", []string{"rfc/filter-precedence"}, "finds 1 resource",
			refilter(func(f string) string {
				if strings.ContainsAny(f, "()[") || !strings.Contains(f, " or ") {
					return f
				}
				parts := strings.Split(f, " and ")
				return "(" + strings.Join(parts, ") and (") + ")"
			})},
		{"parentheses are ignored", "wso2/product-is#11490", []string{"rfc/filter-grouping"}, "that must not be there",
			refilter(func(f string) string {
				if strings.Contains(f, "not (") {
					return f
				}
				return strings.NewReplacer("(", "", ")", "").Replace(f)
			})},
		{"not is ignored", "RFC 7644 §3.4.2.2", []string{"rfc/filter-not", "rfc/filter-not-pr"}, "not (userName eq", swap("not (", "(")},
		{"co is done as eq", "RFC 7644 §3.4.2.2", []string{"rfc/filter-co", "rfc/filter-co-middle"}, "1 missing", swap(" co ", " eq ")},
		{"sw is done as co", "RFC 7644 §3.4.2.2", []string{"rfc/filter-sw-not-co"}, "that must not be there", swap(" sw ", " co ")},
		{"ew is not supported", "RFC 7644 §3.4.2.2", []string{"rfc/filter-ew"}, "this filter is not supported", refuseFilter(has(" ew "))},
		{"ne is done as eq", "RFC 7644 §3.4.2.2", []string{"rfc/filter-ne"}, "finds 2 resources", swap(" ne ", " eq ")},
		{"pr is always true", "RFC 7644 §3.4.2.2", []string{"rfc/filter-pr", "rfc/filter-not-pr"}, "finds 2 resources", swap("title pr", "id pr")},
		{"gt is done as ge", "RFC 7644 §3.4.2.2", []string{"rfc/filter-gt"}, "gt", swap(" gt ", " ge ")},
		{"lt is done as le", "RFC 7644 §3.4.2.2", []string{"rfc/filter-lt"}, "lt", swap(" lt ", " le ")},
		{"booleans compare as texts: nobody is found", "scim-servers #7", []string{"rfc/filter-boolean"}, "active eq false", noneFor(has("active eq"))},
		{"dates cannot be compared", "Microsoft's collection", []string{"rfc/filter-date"}, "this filter is not supported", refuseFilter(has("meta.created"))},
		{"the type in a value path is ignored", "elimity-com/scim#105", []string{"rfc/filter-value-path-one-element"}, "finds 0 resources", refilter(func(f string) string { return typedValue.ReplaceAllString(f, "emails.$1") })},
		{"value paths are refused in filters", "FusionAuth#2456", []string{"entra/match-mail", "rfc/filter-value-path"}, "this filter is not supported", refuseFilter(has("emails["))},
		{"emails eq finds nobody", "PingFederate settings", []string{"pingfederate-put/match-mail"}, "emails eq finds 1 resource", noneFor(func(f string) bool { return strings.HasPrefix(f, "emails eq") })},
		{"attribute names in filters compare with case", "Microsoft's collection", []string{"entra/match-attribute-case", "rfc/filter-attribute-case"}, "this filter is not supported", refuseFilter(has("USERNAME"))},
		{"operators are read with case", "RFC 7644 §3.4.2.2", []string{"rfc/filter-operator-case"}, "this filter is not supported", refuseFilter(func(f string) bool { return has(" EQ ")(f) || has(" Eq ")(f) })},
		{"names with a URN are refused in filters", "ssoready#167", []string{"rfc/filter-qualified-name", "rfc/filter-extension"}, "this filter is not supported", refuseFilter(func(f string) bool { return strings.HasPrefix(f, "urn:") })},
		{"sub-attributes are refused in filters", "elimity-com/scim#105", []string{"rfc/filter-sub-attribute"}, "this filter is not supported", refuseFilter(has("name.familyName"))},
		{"escapes in literals are not read", "C3", []string{"rfc/filter-escapes"}, "the literal with escapes finds 1 resource", noneFor(has(`\"`))},
		{"a plus sign in the query is not a blank", "AzureAD/SCIMReferenceCode#63", []string{"rfc/query-encoding", "entra/match-user"}, "status 200",
			onRequest(func(q *request) { q.query = strings.ReplaceAll(q.query, "+", "%2B") })},
		{"unknown query keys are refused", "E-COMPAT", []string{"entra-flag/flag-in-query", "rfc/unknown-query-keys"}, "status 200", refuse(400, "invalidSyntax", "unknown parameter", func(q *request) bool { return q.has("aadOptscim062020") })},
		{"an unquoted literal is 500", "authentik", []string{"rfc/filter-unquoted"}, "status 400", refuse(500, "", "internal error", func(q *request) bool {
			f := q.param("filter")
			return strings.HasPrefix(f, "userName eq ") && !strings.Contains(f, `"`) && len(f) > 14
		})},
		{"% and _ are wildcards", "C3", []string{"security/filter-wildcards"}, "finds 0 resources",
			refilter(func(f string) string {
				return wildValue.ReplaceAllStringFunc(f, func(m string) string {
					return strings.NewReplacer("%", "", "_wild", "").Replace(strings.Replace(m, " ew ", " co ", 1))
				})
			})},
		{"a quote breaks out of the statement", "CVE-2022-24124", []string{"security/filter-injection"}, "OR '1'='1",
			refilter(func(f string) string {
				if strings.Contains(f, `'1'='1`) {
					return "id pr"
				}
				return f
			})},
		{"a nested filter ends the process", "GHSA-r5fr-9gmv-jggh", []string{"security/filter-depth"}, "levels", refuse(502, "", "", func(q *request) bool { return strings.Count(q.param("filter"), "(") > 100 })},
		{"passwords can be probed by filters", "B5", []string{"security/password-filter"}, "a refusal, or nobody", refilter(func(f string) string {
			_, rest, ok := strings.Cut(f, " and ")
			if strings.HasPrefix(f, "password ") && ok {
				return rest
			}
			return f
		})},
		{"groups cannot be found by member", "RFC 7643 §4.2", []string{"rfc/filter-group-members"}, "members.value eq finds 1 resource", noneFor(has("members.value"))},
		{".search ignores the filter", "RFC 7644 §3.4.3", []string{"rfc/search-users", "rfc/search-root"}, "the search", onRequest(func(q *request) {
			if strings.HasSuffix(q.path, "/.search") {
				b := q.json()
				delete(b, "filter")
				q.set(b)
			}
		})},
		{"the query id and manager finds nobody", "E-DEV", []string{"entra/reference-probe"}, "after the manager was set finds 1 resource", noneFor(has("manager eq"))},
	}
}

// caseSensitive keeps of the results of an eq filter those that are equal letter by letter.
func caseSensitive(attr string) func() middleware {
	return onList(func(q *request, l object, items []any) {
		m := eqLiteral.FindStringSubmatch(q.param("filter"))
		if m == nil || m[1] != attr {
			return
		}
		kept := []any{}
		for _, e := range items {
			if e.(object)[attr] == m[2] {
				kept = append(kept, e)
			}
		}
		l["Resources"], l["totalResults"], l["itemsPerPage"] = kept, len(kept), len(kept)
	})
}

// foldExternal finds externalId in any case.
func foldExternal() middleware {
	return func(q *request, next func(*request) *answer) *answer {
		m := eqLiteral.FindStringSubmatch(q.param("filter"))
		if m == nil || m[1] != "externalId" {
			return next(q)
		}
		q.dropParam("filter")
		a := next(q)
		l := a.json()
		items, _ := l["Resources"].([]any)
		kept := []any{}
		for _, e := range items {
			if ext, _ := e.(object)["externalId"].(string); strings.EqualFold(ext, m[2]) {
				kept = append(kept, e)
			}
		}
		l["Resources"], l["totalResults"], l["itemsPerPage"] = kept, len(kept), len(kept)
		a.set(l)
		return a
	}
}
