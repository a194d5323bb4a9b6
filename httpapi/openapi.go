package httpapi

import (
	"bytes"
	_ "embed"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the description of the API as an OpenAPI 3.1 document in YAML,
// as of the version of this package: to serve, to generate clients from, or to
// test against. Its paths are those without a BasePath. The slice is the
// caller's.
func OpenAPI() []byte { return bytes.Clone(openAPI) }
