package openapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/internal/httpexchanges"
)

func newValidator(t testing.TB, opts ...config.Option) validator.Validator {
	t.Helper()
	document, err := libopenapi.NewDocument(httpapi.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(document, append(opts, config.WithFormatAssertions())...)
	if errs != nil {
		t.Fatal(errs)
	}
	return v
}

// explain returns what the validator found, one line each.
func explain(found []*errors.ValidationError) string {
	var b strings.Builder
	for _, e := range found {
		fmt.Fprintf(&b, "%s: %s\n", e.Message, e.Reason)
		for _, s := range e.SchemaValidationErrors {
			fmt.Fprintf(&b, "  %s: %s\n", s.FieldPath, s.Reason)
		}
	}
	return b.String()
}

func TestDocument(t *testing.T) {
	v := newValidator(t)
	if ok, found := v.ValidateDocument(); !ok {
		t.Error(explain(found))
	}
}

// TestExchanges checks that each answer is one that the document has for the
// request, and that the document refuses just those requests that the server
// refuses for what a schema can see.
func TestExchanges(t *testing.T) {
	requests := newValidator(t)
	answers := newValidator(t, config.WithStrictMode()) // nothing that is not declared; requests may have more
	for _, e := range httpexchanges.All() {
		t.Run(e.Name, func(t *testing.T) {
			req, resp := do(t, e)
			switch e.Want.Status {
			case http.StatusNotFound, http.StatusMethodNotAllowed:
				return // the document says nothing of other paths and methods
			}
			if ok, found := answers.ValidateHttpResponse(req, resp); !ok {
				t.Errorf("the answer is not as documented:\n%s", explain(found))
			}
			if e.Want.Status >= 400 && e.Blind {
				return
			}
			ok, found := requests.ValidateHttpRequestSync(req)
			if accepted := e.Want.Status < 400; ok != accepted {
				t.Errorf("server accepts: %v, document: %v\n%s", accepted, ok, explain(found))
			}
		})
	}
}

func do(t testing.TB, e httpexchanges.Exchange) (*http.Request, *http.Response) {
	t.Helper()
	req, resp, err := e.Do(t.Context(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	return req, resp
}
