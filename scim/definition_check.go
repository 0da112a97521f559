package scim

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of a definition.
const (
	MaxDefinedSchemas = 50
	MaxDefinedTypes   = 20
	MaxAttributes     = 200 // of one schema
	MaxSubAttributes  = 50  // of one attribute
	MaxCanonical      = 100 // canonical values or reference types of one attribute
	MaxNameLength     = 64  // bytes of the name of an attribute, schema or resource type, and of an endpoint
	MaxURNLength      = 200 // bytes of the URN of a schema
)

// reservedNames are attribute names with a meaning of their own in every resource. A password is among them:
// Provost keeps none.
var reservedNames = []string{"id", "externalId", "schemas", "meta", "members", "groups", "password"}

// reservedEndpoints are the addresses of the protocol itself.
var reservedEndpoints = []string{"/Users", "/Groups", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Bulk", "/Me", "/.search"}

func invalidAt(at, format string, args ...any) error {
	return Errorf(InvalidValue, "%s: %s", at, fmt.Sprintf(format, args...))
}

// check tells what is wrong with a definition, nil if nothing is.
func (d Definition) check() error {
	if len(d.Schemas) > MaxDefinedSchemas {
		return invalidAt("schemas", "there are %d, more than %d", len(d.Schemas), MaxDefinedSchemas)
	}
	if len(d.ResourceTypes) > MaxDefinedTypes {
		return invalidAt("resourceTypes", "there are %d, more than %d", len(d.ResourceTypes), MaxDefinedTypes)
	}
	uses := map[string]string{} // lower-case URN of a defined schema: "", "core" or "extension"
	for i := range d.Schemas {
		s, at := &d.Schemas[i], fmt.Sprintf("schemas[%d]", i)
		if err := checkSchema(s, at); err != nil {
			return err
		}
		if _, twice := uses[strings.ToLower(s.ID)]; twice {
			return invalidAt(at+".id", "%s is defined twice", Quote(s.ID))
		}
		uses[strings.ToLower(s.ID)] = ""
	}
	if err := d.checkTypes(uses); err != nil {
		return err
	}
	if err := d.checkExtend(uses); err != nil {
		return err
	}
	for i, s := range d.Schemas {
		use := uses[strings.ToLower(s.ID)]
		if use == "" {
			return invalidAt(fmt.Sprintf("schemas[%d]", i), "no resource type uses %s: name it in resourceTypes or extend", Quote(s.ID))
		}
		if err := checkUnique(s, fmt.Sprintf("schemas[%d]", i), use == "core"); err != nil {
			return err
		}
	}
	return nil
}

// checkUnique holds uniqueness to what a store can promise: one value of a resource type, kept by a unique key.
func checkUnique(s Schema, at string, core bool) error {
	first := ""
	for i, a := range s.Attributes {
		at := fmt.Sprintf("%s.attributes[%d]", at, i)
		for _, sub := range a.SubAttributes {
			if sub.Uniqueness != "none" {
				return invalidAt(at, "sub-attribute %s cannot be unique", sub.Name)
			}
		}
		if a.Uniqueness == "none" {
			continue
		}
		if !core || a.Type != String || a.MultiValued {
			return invalidAt(at, "%s cannot be unique: only a single-valued string in the core schema of a resource type can", a.Name)
		}
		if first != "" {
			return invalidAt(at, "%s cannot be unique beside %s: a resource type has one unique attribute", a.Name, first)
		}
		first = a.Name
	}
	return nil
}

// useSchema marks a schema as used and checks that it is defined and used in one way only.
func useSchema(uses map[string]string, urn, as, at string) error {
	before, defined := uses[strings.ToLower(urn)]
	switch {
	case !defined:
		return invalidAt(at, "schema %s is not in this definition", Quote(urn))
	case before == "core" || before == "extension" && as == "core":
		return invalidAt(at, "schema %s is in use already", Quote(urn))
	}
	uses[strings.ToLower(urn)] = as
	return nil
}

func (d Definition) checkTypes(uses map[string]string) error {
	names, endpoints := []string{"User", "Group"}, slices.Clone(reservedEndpoints)
	same := func(s string) func(string) bool { return func(other string) bool { return equalName(s, other) } }
	for i, t := range d.ResourceTypes {
		at := fmt.Sprintf("resourceTypes[%d]", i)
		switch {
		case !validName(t.Name):
			return invalidAt(at+".name", "%s is no name: a letter, then letters, digits, '-' and '_', at most %d", Quote(t.Name), MaxNameLength)
		case slices.ContainsFunc(names, same(t.Name)):
			return invalidAt(at+".name", "there is a resource type %s already", Quote(t.Name))
		case t.ID != "" && t.ID != t.Name:
			return invalidAt(at+".id", "must be the name or left out")
		case len(t.Endpoint) < 2 || t.Endpoint[0] != '/' || !validName(t.Endpoint[1:]):
			return invalidAt(at+".endpoint", "%s is no endpoint: '/' and a name, as in /Devices", Quote(t.Endpoint))
		case slices.ContainsFunc(endpoints, same(t.Endpoint)):
			return invalidAt(at+".endpoint", "%s is taken", Quote(t.Endpoint))
		}
		names, endpoints = append(names, t.Name), append(endpoints, t.Endpoint)
		if err := useSchema(uses, t.Schema, "core", at+".schema"); err != nil {
			return err
		}
		var seen []string
		for j, x := range t.Extensions {
			at := fmt.Sprintf("%s.schemaExtensions[%d]", at, j)
			if slices.ContainsFunc(seen, same(x.Schema)) {
				return invalidAt(at, "%s is there twice", Quote(x.Schema))
			}
			seen = append(seen, x.Schema)
			if err := useSchema(uses, x.Schema, "extension", at+".schema"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d Definition) checkExtend(uses map[string]string) error {
	seen := map[string]bool{}
	for i, x := range d.Extend {
		at := fmt.Sprintf("extend[%d]", i)
		if x.Type != "User" && x.Type != "Group" {
			return invalidAt(at+".type", "%s cannot be extended: User and Group can, a resource type of this definition lists its schemaExtensions", Quote(x.Type))
		}
		key := x.Type + " " + strings.ToLower(x.Schema)
		if seen[key] {
			return invalidAt(at, "%s is there twice", Quote(x.Schema))
		}
		seen[key] = true
		if err := useSchema(uses, x.Schema, "extension", at+".schema"); err != nil {
			return err
		}
	}
	return nil
}

func checkSchema(s *Schema, at string) error {
	switch {
	case !validURN(s.ID):
		return invalidAt(at+".id", "%s is no schema URN: \"urn:\" and parts of letters, digits, '.', '-' and '_', at most %d", Quote(s.ID), MaxURNLength)
	case reservedURN(s.ID):
		return invalidAt(at+".id", "%s belongs to the standard", Quote(s.ID))
	case s.Name != "" && len(s.Name) > MaxNameLength:
		return invalidAt(at+".name", "is longer than %d bytes", MaxNameLength)
	case len(s.Attributes) == 0:
		return invalidAt(at+".attributes", "a schema needs attributes")
	case len(s.Attributes) > MaxAttributes:
		return invalidAt(at+".attributes", "there are %d, more than %d", len(s.Attributes), MaxAttributes)
	}
	return checkAttributes(s.Attributes, at+".attributes", nil)
}

// reservedURN reports whether the standard owns the URN: the core schemas, the messages, the enterprise
// extension. Everything else under urn:ietf:params:scim:schemas:extension: is used by products for their own
// extensions, Entra's and PingFederate's among them.
func reservedURN(urn string) bool {
	lower := strings.ToLower(urn)
	return lower == strings.ToLower(EnterpriseSchema) ||
		strings.HasPrefix(lower, "urn:ietf:params:scim:schemas:core:") ||
		strings.HasPrefix(lower, "urn:ietf:params:scim:api:")
}

// checkAttributes checks a list of attributes; parent is the attribute whose sub-attributes they are.
func checkAttributes(list []*Attribute, at string, parent *Attribute) error {
	seen := map[string]bool{}
	for i, a := range list {
		at := fmt.Sprintf("%s[%d]", at, i)
		name := a.Name
		if parent != nil && name == "$ref" {
			name = "ref"
		}
		switch {
		case !validName(name):
			return invalidAt(at+".name", "%s is no attribute name: a letter, then letters, digits, '-' and '_', at most %d", Quote(a.Name), MaxNameLength)
		case seen[strings.ToLower(a.Name)]:
			return invalidAt(at+".name", "%s is there twice", a.Name)
		case parent == nil && slices.ContainsFunc(reservedNames, func(r string) bool { return equalName(r, a.Name) }):
			return invalidAt(at+".name", "%s is reserved", a.Name)
		}
		seen[strings.ToLower(a.Name)] = true
		if err := checkCharacteristics(a, at, parent); err != nil {
			return err
		}
		if err := checkValues(a, at); err != nil {
			return err
		}
		if a.Type == Complex {
			if err := checkAttributes(a.SubAttributes, at+".subAttributes", a); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkCharacteristics(a *Attribute, at string, parent *Attribute) error {
	types := []DataType{String, Boolean, Decimal, Integer, DateTime, Binary, Reference, Complex}
	switch {
	case !slices.Contains(types, a.Type):
		return invalidAt(at+".type", "%s is no data type; there are %v", Quote(string(a.Type)), types)
	case !slices.Contains([]string{"readOnly", "readWrite", "immutable"}, a.Mutability):
		if a.Mutability == "writeOnly" {
			return invalidAt(at+".mutability", "writeOnly is not supported: Provost keeps no secrets of users")
		}
		return invalidAt(at+".mutability", "%s is neither readOnly nor readWrite nor immutable", Quote(a.Mutability))
	case !slices.Contains([]string{"always", "never", "default", "request"}, a.Returned):
		return invalidAt(at+".returned", "%s is neither always nor never nor default nor request", Quote(a.Returned))
	case !slices.Contains([]string{"none", "server", "global"}, a.Uniqueness):
		return invalidAt(at+".uniqueness", "%s is neither none nor server nor global", Quote(a.Uniqueness))
	case a.Required && a.Mutability == "readOnly":
		return invalidAt(at, "%s cannot be required: no client can set a readOnly attribute", a.Name)
	case a.Indexed && a.Type != String && a.Type != Reference:
		return invalidAt(at+".indexed", "%s cannot be indexed: only strings and references can", a.Name)
	case parent != nil && a.Type == Complex:
		return invalidAt(at+".type", "%s cannot be complex: sub-attributes have no sub-attributes (RFC 7643 §2.3.8)", a.Name)
	case parent != nil && a.MultiValued:
		return invalidAt(at+".multiValued", "%s cannot be multi-valued within %s", a.Name, parent.Name)
	case parent != nil && a.Name == "primary" && a.Type != Boolean:
		return invalidAt(at+".type", "primary must be boolean (RFC 7643 §2.4)")
	case parent != nil && a.Name == "$ref" && a.Type != Reference:
		return invalidAt(at+".type", "$ref must be a reference (RFC 7643 §2.4)")
	case a.Type == Complex && len(a.SubAttributes) == 0:
		return invalidAt(at+".subAttributes", "%s is complex and needs sub-attributes", a.Name)
	case a.Type != Complex && len(a.SubAttributes) > 0:
		return invalidAt(at+".subAttributes", "%s is not complex and cannot have sub-attributes", a.Name)
	case len(a.SubAttributes) > MaxSubAttributes:
		return invalidAt(at+".subAttributes", "there are %d, more than %d", len(a.SubAttributes), MaxSubAttributes)
	}
	return nil
}

func checkValues(a *Attribute, at string) error {
	switch {
	case len(a.CanonicalValues) > 0 && a.Type != String:
		return invalidAt(at+".canonicalValues", "%s is no string", a.Name)
	case len(a.ReferenceTypes) > 0 && a.Type != Reference:
		return invalidAt(at+".referenceTypes", "%s is no reference", a.Name)
	case len(a.CanonicalValues) > MaxCanonical || len(a.ReferenceTypes) > MaxCanonical:
		return invalidAt(at, "%s has more than %d canonical values or reference types", a.Name, MaxCanonical)
	}
	seen := map[string]bool{}
	for _, v := range a.CanonicalValues {
		key := v
		if !a.CaseExact {
			key = Fold(v)
		}
		if v == "" || seen[key] {
			return invalidAt(at+".canonicalValues", "%s is empty or there twice", Quote(v))
		}
		seen[key] = true
	}
	return nil
}

func validName(s string) bool {
	if s == "" || len(s) > MaxNameLength || !isLetter(s[0]) {
		return false
	}
	for i := 1; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && !('0' <= c && c <= '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= lowerByte(c) && lowerByte(c) <= 'z' }

func validURN(s string) bool {
	if len(s) > MaxURNLength || len(s) < 5 || !equalName(s[:4], "urn:") {
		return false
	}
	parts := strings.Split(s[4:], ":")
	for _, part := range parts {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != "" {
			return false
		}
	}
	return len(parts) >= 2
}
