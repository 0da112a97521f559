package scimserver

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/provost-scim/provost/scim"
)

// config is the ServiceProviderConfig (RFC 7643 §5, RFC 9865 §4).
type config struct {
	Schemas    []string       `json:"schemas"`
	Patch      supported      `json:"patch"`
	Bulk       bulkConfig     `json:"bulk"`
	Filter     filterConfig   `json:"filter"`
	Password   supported      `json:"changePassword"`
	Sort       supported      `json:"sort"`
	ETag       supported      `json:"etag"`
	Pagination pagingConfig   `json:"pagination"`
	Schemes    []schemeConfig `json:"authenticationSchemes"`
	Meta       discoveryMeta  `json:"meta"`
}

type supported struct {
	Supported bool `json:"supported"`
}

type bulkConfig struct {
	Supported     bool `json:"supported"`
	MaxOperations int  `json:"maxOperations"`
	MaxPayload    int  `json:"maxPayloadSize"`
}

type filterConfig struct {
	Supported  bool `json:"supported"`
	MaxResults int  `json:"maxResults"`
}

type pagingConfig struct {
	Cursor  bool   `json:"cursor"`
	Index   bool   `json:"index"`
	Method  string `json:"defaultPaginationMethod"`
	Default int    `json:"defaultPageSize"`
	Max     int    `json:"maxPageSize"`
	Timeout int    `json:"cursorTimeout"`
}

type schemeConfig struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Spec        string `json:"specUri"`
	Primary     bool   `json:"primary"`
}

type discoveryMeta struct {
	Type     string `json:"resourceType"`
	Location string `json:"location"`
}

func showConfig(c *call) error {
	return c.show(config{
		Schemas:  []string{scim.SPCSchema},
		Patch:    supported{true},
		Bulk:     bulkConfig{true, MaxBulkOps, MaxBulkBody},
		Filter:   filterConfig{true, MaxPage},
		Password: supported{false},
		Sort:     supported{true},
		ETag:     supported{true},
		Pagination: pagingConfig{
			Cursor: true, Index: true, Method: "index",
			Default: DefaultPage, Max: MaxPage, Timeout: int(CursorTimeout / time.Second),
		},
		Schemes: []schemeConfig{
			{"oauthbearertoken", "OAuth Bearer Token", "A token made by an administrator, in the Authorization header.", "https://www.rfc-editor.org/info/rfc6750", true},
			{"oauth2", "OAuth 2.0 client credentials", "A short-lived bearer token from the token endpoint, for a client id and secret.", "https://www.rfc-editor.org/info/rfc6749", false},
		},
		Meta: discoveryMeta{"ServiceProviderConfig", c.base + "/ServiceProviderConfig"},
	})
}

// wireType is a ResourceType with what the wire adds (RFC 7643 §6).
type wireType struct {
	Schemas []string `json:"schemas"`
	*scim.ResourceType
	Meta discoveryMeta `json:"meta"`
}

// wireSchema is a Schema with what the wire adds (RFC 7643 §7).
type wireSchema struct {
	Schemas []string `json:"schemas"`
	*scim.Schema
	Meta discoveryMeta `json:"meta"`
}

func (c *call) wireType(t *scim.ResourceType) wireType {
	return wireType{[]string{scim.TypeSchema}, t, discoveryMeta{"ResourceType", c.base + "/ResourceTypes/" + t.ID}}
}

func (c *call) wireSchema(s *scim.Schema) wireSchema {
	return wireSchema{[]string{scim.SchemaSchema}, s, discoveryMeta{"Schema", c.base + "/Schemas/" + s.ID}}
}

func listTypes(c *call) error {
	var all []wireType
	for _, t := range c.dir.Registry.Types() {
		all = append(all, c.wireType(t))
	}
	return showAll(c, all)
}

func showType(c *call) error {
	for _, t := range c.dir.Registry.Types() {
		if strings.EqualFold(t.ID, c.key) || strings.EqualFold(t.Name, c.key) {
			return c.show(c.wireType(t))
		}
	}
	return &statusError{status: http.StatusNotFound, detail: "There is no resource type " + scim.Quote(c.key) + "."}
}

func listSchemas(c *call) error {
	var all []wireSchema
	for _, s := range c.dir.Registry.Schemas() {
		all = append(all, c.wireSchema(s))
	}
	return showAll(c, all)
}

func showSchema(c *call) error {
	s := c.dir.Registry.Schema(c.key)
	if s == nil {
		return &statusError{status: http.StatusNotFound, detail: "There is no schema " + scim.Quote(c.key) + "."}
	}
	return c.show(c.wireSchema(s))
}

// showAll answers with all of a discovery endpoint. Paging and sorting are ignored there (RFC 7644 §4).
func showAll[T any](c *call, all []T) error {
	return c.show(struct {
		Schemas []string `json:"schemas"`
		Total   int      `json:"totalResults"`
		Start   int      `json:"startIndex"`
		Items   int      `json:"itemsPerPage"`
		All     []T      `json:"Resources"`
	}{[]string{scim.ListMessage}, len(all), 1, len(all), all})
}

// show answers at a discovery endpoint. A filter is refused, so that nobody believes it was applied (RFC 7644
// §4).
func (c *call) show(v any) error {
	if c.query.filter != "" {
		return &statusError{status: http.StatusForbidden, detail: "A filter cannot be used at this endpoint."}
	}
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.write(http.StatusOK, body)
	return nil
}
