package oidcauth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/httpapi"
)

// FuzzAuthorization presents what anybody can send: nobody signed it, so it is
// refused, without a request to the issuer and without an echo.
func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{
		"", "Bearer ", "Bearer a.b.c", "Bearer eyJhbGciOiJFUzI1NiJ9.e30.AA",
		"Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIn0.",
	} {
		f.Add(seed)
	}
	authenticate, err := New(Config{Issuer: "https://issuer.example", Audience: "app", Kind: Standard, Client: &http.Client{Transport: offline{}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, authorization string) {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Header["Authorization"] = []string{authorization}
		user, err := authenticate(r)
		if user != "" || !errors.Is(err, httpapi.ErrUnauthenticated) {
			t.Fatalf("got %q, %v", user, err)
		}
		if token := strings.TrimSpace(authorization); len(token) > 32 && strings.Contains(err.Error(), token) {
			t.Errorf("the error echoes the header: %v", err)
		}
	})
}

type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("offline") }

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AA"},{"kty":"RSA","n":"AQ","e":"AQAB"},null,[]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := parseKeys(data)
		if (len(keys) == 0) != (err != nil) {
			t.Fatalf("%d keys and the error %v", len(keys), err)
		}
		for _, key := range keys {
			if !key.IsPublic() {
				t.Errorf("took a %T", key.Key)
			}
		}
	})
}
