package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"
)

// Definition is a mapping as an administrator writes it, in YAML or JSON.
type Definition struct {
	// Profile names rows and match attributes to start from: activedirectory, openldap, csv. Rows for the same target
	// replace those of the profile.
	Profile string `json:"profile,omitempty"`
	People  *Part  `json:"people,omitempty"`
	Groups  *Part  `json:"groups,omitempty"`
}

// Part is what is done with people, or with groups.
type Part struct {
	Off   bool  `json:"off,omitempty"` // this kind is not provisioned
	Rows  []Row `json:"rows,omitempty"`
	Scope Scope `json:"scope,omitzero"`
	// Match are the target attributes by which an existing object is found, in order.
	Match []string `json:"match,omitempty"`
}

// Row fills one attribute of the target. Exactly one of From, Value, Template, Expression and Entra says with what.
type Row struct {
	// To is the target attribute: userName, name.givenName, emails[type eq "work"].value, emails,
	// urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department.
	To string `json:"to"`
	// From names source attributes; the first that has a value counts. "$key" and "$name" are the record's own.
	From Names `json:"from,omitempty"`
	// Value is a constant: text, a number, true or false, or a list of text.
	Value any `json:"value,omitempty"`
	// Template is text with source attributes in braces: "{givenname} {sn}". If one of them has no value there is no
	// result; "{initials?}" may be absent. A brace is written twice to stand for itself.
	Template string `json:"template,omitempty"`
	// Expression is in the Common Expression Language, see docs/mapping.md.
	Expression string `json:"expression,omitempty"`
	// Entra is an expression in the syntax of Microsoft Entra: Switch([IsSoftDeleted], , "False", "True", "True", "False").
	Entra string `json:"entra,omitempty"`

	Default string `json:"default,omitempty"` // used if there is no value
	Apply   string `json:"apply,omitempty"`   // "always" (default) or "create"
	Empty   string `json:"empty,omitempty"`   // "clear" (default) or "keep": what an absent value does at the target
	Primary bool   `json:"primary,omitempty"` // of a list: marks the (first) element as primary
	Type    string `json:"type,omitempty"`    // of a whole list: the type of every element
	Off     bool   `json:"off,omitempty"`     // takes a row of the profile away
}

// Names is one name or a list of names.
type Names []string

// UnmarshalJSON takes a text or a list of texts.
func (n *Names) UnmarshalJSON(data []byte) error {
	var one string
	if err := json.Unmarshal(data, &one); err == nil {
		*n = Names{one}
		return nil
	}
	var list []string
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("from: a name or a list of names is expected")
	}
	*n = list
	return nil
}

// Scope says which records are provisioned. A record that Exclude names is not, one that Include names is. Of the others
// those are that are in one of Groups (if there are any) and for which Where holds (if there is one). With an Include
// alone nothing else is in scope, with an empty Scope everything.
type Scope struct {
	Include []string     `json:"include,omitempty"` // keys or names of records
	Exclude []string     `json:"exclude,omitempty"` // keys or names of records: stronger than everything else
	Groups  []GroupScope `json:"groups,omitempty"`
	Where   *Condition   `json:"where,omitempty"`
}

// GroupScope puts the members of a group in scope.
type GroupScope struct {
	Group  string `json:"group"`            // key or name (DN)
	Nested bool   `json:"nested,omitempty"` // members of groups in the group too
}

// Condition is a comparison (Attribute, Operator, Value), an Expression, or a group of conditions.
type Condition struct {
	All        []Condition `json:"all,omitempty"`
	Any        []Condition `json:"any,omitempty"`
	Not        *Condition  `json:"not,omitempty"`
	Attribute  string      `json:"attribute,omitempty"`
	Operator   string      `json:"operator,omitempty"` // one of Operators
	Value      string      `json:"value,omitempty"`
	Expression string      `json:"expression,omitempty"` // true or false, in the Common Expression Language
}

// MaxDefinition is the most bytes that a definition may have.
const MaxDefinition = 1 << 20

// Parse reads a definition from YAML or JSON. Unknown keys are errors.
func Parse(data []byte) (Definition, error) {
	var d Definition
	if len(data) > MaxDefinition {
		return d, fmt.Errorf("the mapping has %d bytes, the limit is %d", len(data), MaxDefinition)
	}
	if !json.Valid(data) {
		converted, err := yaml.YAMLToJSON(data)
		if err != nil {
			return d, fmt.Errorf("the mapping is no YAML: %w", err)
		}
		data = converted
	}
	reader := json.NewDecoder(bytes.NewReader(data))
	reader.DisallowUnknownFields()
	if err := reader.Decode(&d); err != nil {
		return d, fmt.Errorf("the mapping: %w", err)
	}
	return d, nil
}
