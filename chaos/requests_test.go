//go:build chaos

package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	userSchema  = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group"
	patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	bulkSchema  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
)

// next chooses the writer's next request. Each changes several attributes, rows or resources at once, so that a
// half-applied one shows.
func (one *writer) next() request {
	users := one.users()
	team := one.name + "-team"
	if _, ok := one.known[team]; !ok {
		return one.createTeam(team)
	}
	if len(users) < 4 {
		return one.createUser()
	}
	any := users[one.rng.IntN(len(users))]
	switch n := one.rng.IntN(100); {
	case n < 25 && len(users) < mostUsers:
		return one.createUser()
	case n < 30 && len(users) < mostUsers:
		return one.bulk()
	case n < 50:
		return one.patchUser(any)
	case n < 65:
		return one.putUser(any)
	case n < 75:
		return one.deleteUser(team, any)
	case n < 90:
		return one.addMembers(team, users)
	default:
		return one.removeMembers(team)
	}
}

// value is a new value for a user's attributes.
func (one *writer) value() string {
	one.serial++
	return fmt.Sprintf("v%d", one.serial)
}

func userJSON(name, value string) string {
	return fmt.Sprintf(`{"schemas":["%s"],"userName":"%s","title":"%[3]s","nickName":"%[3]s","emails":[{"value":"%[2]s@example.com","type":"work"}]}`, userSchema, name, value)
}

func (one *writer) newUser() (name, value string) {
	value = one.value()
	return one.name + "-user" + value, value
}

// with is the known state with one name changed.
func (one *writer) with(name, value string) state {
	s := maps.Clone(one.known)
	s[name] = value
	return s
}

func (one *writer) createUser() request {
	name, value := one.newUser()
	return request{"POST", "/Users", userJSON(name, value), 201, one.with(name, value), []string{name}}
}

// bulk creates three users in one request.
func (one *writer) bulk() request {
	after := maps.Clone(one.known)
	var made, ops []string
	for i := range 3 {
		name, value := one.newUser()
		after[name] = value
		made = append(made, name)
		ops = append(ops, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"b%d","data":%s}`, i, userJSON(name, value)))
	}
	body := fmt.Sprintf(`{"schemas":["%s"],"failOnErrors":1,"Operations":[%s]}`, bulkSchema, strings.Join(ops, ","))
	return request{"POST", "/Bulk", body, 200, after, made}
}

func (one *writer) patchUser(name string) request {
	value := one.value()
	body := fmt.Sprintf(`{"schemas":["%s"],"Operations":[{"op":"Replace","path":"title","value":"%[2]s"},{"op":"Replace","path":"nickName","value":"%[2]s"}]}`, patchSchema, value)
	return request{"PATCH", "/Users/" + one.ids[name], body, 200, one.with(name, value), nil}
}

func (one *writer) putUser(name string) request {
	value := one.value()
	return request{"PUT", "/Users/" + one.ids[name], userJSON(name, value), 200, one.with(name, value), nil}
}

// deleteUser also takes the user out of the team.
func (one *writer) deleteUser(team, name string) request {
	after := maps.Clone(one.known)
	delete(after, name)
	label, members := splitTeam(one.known[team])
	after[team] = joinTeam(label, slices.DeleteFunc(members, func(m string) bool { return m == name }))
	return request{"DELETE", "/Users/" + one.ids[name], "", 204, after, nil}
}

func (one *writer) createTeam(team string) request {
	body := fmt.Sprintf(`{"schemas":["%s"],"externalId":"%s","displayName":"%s v0"}`, groupSchema, team, team)
	return request{"POST", "/Groups", body, 201, one.with(team, joinTeam("v0", nil)), []string{team}}
}

// A team's state is its label (the end of its display name) and the sorted names of its members.

func joinTeam(label string, members []string) string {
	slices.Sort(members)
	return label + ":" + strings.Join(members, ",")
}

func splitTeam(s string) (label string, members []string) {
	label, list, _ := strings.Cut(s, ":")
	if list != "" {
		members = strings.Split(list, ",")
	}
	return label, members
}

// addMembers puts up to five users into the team and renames it, in one request.
func (one *writer) addMembers(team string, users []string) request {
	_, members := splitTeam(one.known[team])
	var values []string
	for range 5 {
		u := users[one.rng.IntN(len(users))]
		values = append(values, fmt.Sprintf(`{"value":"%s"}`, one.ids[u]))
		if !slices.Contains(members, u) {
			members = append(members, u)
		}
	}
	return one.patchTeam(team, fmt.Sprintf(`{"op":"Add","path":"members","value":[%s]}`, strings.Join(values, ",")), members)
}

// removeMembers takes half of the members out and renames the team, in one request.
func (one *writer) removeMembers(team string) request {
	_, members := splitTeam(one.known[team])
	half := len(members) / 2
	var ops []string
	for _, m := range members[:half] {
		ops = append(ops, fmt.Sprintf(`{"op":"Remove","path":"members[value eq \"%s\"]"}`, one.ids[m]))
	}
	return one.patchTeam(team, strings.Join(ops, ","), members[half:])
}

func (one *writer) patchTeam(team, ops string, members []string) request {
	value := one.value()
	if ops != "" {
		ops += ","
	}
	body := fmt.Sprintf(`{"schemas":["%s"],"Operations":[%s{"op":"Replace","path":"displayName","value":"%s %s"}]}`, patchSchema, ops, team, value)
	return request{"PATCH", "/Groups/" + one.ids[team], body, 204, one.with(team, joinTeam(value, slices.Clone(members))), nil}
}
