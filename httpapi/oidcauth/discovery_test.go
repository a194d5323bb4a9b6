package oidcauth_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
	"github.com/devicetokens/devicetokens/store"
)

// TestDiscovery has unacceptable metadata, which is a fault of the operator and not of
// the caller. Each document leads to keys that would verify the token.
func TestDiscovery(t *testing.T) {
	const document = "/.well-known/openid-configuration"
	for name, answer := range map[string]func(issuer, keys string, w http.ResponseWriter, r *http.Request){
		"another issuer": func(issuer, keys string, w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"` + issuer + `/","jwks_uri":"` + keys + `"}`))
		},
		"keys over plain HTTP": func(issuer, _ string, w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"` + issuer + `","jwks_uri":"http://keys.example/keys"}`))
		},
		"no keys": func(issuer, _ string, w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"` + issuer + `"}`))
		},
		"not JSON": func(_, _ string, w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<html>"))
		},
		"endless": func(issuer, keys string, w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"` + issuer + `","jwks_uri":"` + keys + `"}` + strings.Repeat(" ", 1<<20)))
		},
		"server error": func(issuer, keys string, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"issuer":"` + issuer + `","jwks_uri":"` + keys + `"}`))
		},
		"redirect": func(issuer, keys string, w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == document {
				http.Redirect(w, r, issuer+"/elsewhere", http.StatusFound)
				return
			}
			_, _ = w.Write([]byte(`{"issuer":"` + issuer + `","jwks_uri":"` + keys + `"}`))
		},
		"connection cut": func(string, string, http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, signer := oidctest.New(t), oidctest.New(t)
			authenticate := newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL})
			good := claims{"sub": alice, "aud": audience, "iss": issuer.URL}
			issuer.Answer(func(w http.ResponseWriter, r *http.Request) { answer(issuer.URL, signer.URL+"/keys", w, r) })
			check(t, authenticate, signer.Token(t, good), store.ErrTryAgain)

			issuer.Answer(nil) // nothing was cached
			check(t, authenticate, issuer.Token(t, good), nil)
		})
	}
}

// TestKeysThatMoved has the keys at a new address, which the metadata names.
func TestKeysThatMoved(t *testing.T) {
	issuer := oidctest.New(t)
	authenticate := newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL})
	check(t, authenticate, issuer.Token(t, claims{"sub": alice, "aud": audience}), nil)

	moved := oidctest.New(t)
	issuer.Answer(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/openid-configuration" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"issuer":"` + issuer.URL + `","jwks_uri":"` + moved.URL + `/keys"}`))
	})
	moved.Rotate(t)
	token := moved.Token(t, claims{"sub": alice, "aud": audience, "iss": issuer.URL})
	check(t, authenticate, token, store.ErrTryAgain) // the old address has no keys any more
	check(t, authenticate, token, nil)
}

func TestConfig(t *testing.T) {
	good := oidcauth.Config{Issuer: "https://issuer.example/pool", Audience: "app", Kind: oidcauth.Standard}
	if _, err := oidcauth.New(good); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*oidcauth.Config)
		want   []string
	}{
		"nothing said":         {func(c *oidcauth.Config) { *c = oidcauth.Config{} }, []string{"Issuer", "Audience", "Kind"}},
		"plain HTTP":           {func(c *oidcauth.Config) { c.Issuer = "http://issuer.example" }, []string{"Issuer"}},
		"not a URL":            {func(c *oidcauth.Config) { c.Issuer = "issuer.example" }, []string{"Issuer"}},
		"a URL with a query":   {func(c *oidcauth.Config) { c.Issuer += "?a" }, []string{"Issuer"}},
		"an empty fragment":    {func(c *oidcauth.Config) { c.Issuer += "#" }, []string{"Issuer"}},
		"a port and no host":   {func(c *oidcauth.Config) { c.Issuer = "https://:443" }, []string{"Issuer"}},
		"a URL with a user":    {func(c *oidcauth.Config) { c.Issuer = "https://u@issuer.example" }, []string{"Issuer"}},
		"an unknown kind":      {func(c *oidcauth.Config) { c.Kind = "cognito" }, []string{"Kind"}},
		"a secret's algorithm": {func(c *oidcauth.Config) { c.Algorithms = []string{"RS256", "HS256"} }, []string{"Algorithms"}},
		"no signature":         {func(c *oidcauth.Config) { c.Algorithms = []string{"none"} }, []string{"Algorithms"}},
		"no algorithm":         {func(c *oidcauth.Config) { c.Algorithms = []string{} }, []string{"Algorithms"}},
		"an internal address":  {func(c *oidcauth.Config) { c.DiscoveryURL = "http://keycloak/.well-known" }, []string{"DiscoveryURL"}},
		"keys over plain HTTP": {func(c *oidcauth.Config) { c.KeysURL = "http://keycloak/keys" }, []string{"KeysURL"}},
		"keys of a file":       {func(c *oidcauth.Config) { c.KeysURL, c.AllowHTTP = "file:///keys", true }, []string{"KeysURL"}},
		"keys with a fragment": {func(c *oidcauth.Config) { c.KeysURL = "https://keys.example/?a#b" }, []string{"KeysURL"}},
		"two addresses":        {func(c *oidcauth.Config) { c.KeysURL, c.DiscoveryURL = "https://a.example", "https://b.example" }, []string{"KeysURL"}},
		"metadata not read":    {func(c *oidcauth.Config) { c.KeysURL, c.MetadataIssuer = "https://a.example", c.Issuer }, []string{"KeysURL"}},
		"keys of no issuer":    {func(c *oidcauth.Config) { c.KeysURL, c.Issuer = "https://a.example", "" }, []string{"Issuer"}},
		"an empty audience":    {func(c *oidcauth.Config) { c.OtherAudiences = []string{"app2", ""} }, []string{"OtherAudiences"}},
		"an unknown claim":     {func(c *oidcauth.Config) { c.AudienceClaim = "sub" }, []string{"AudienceClaim"}},
		"Cognito's by azp":     {func(c *oidcauth.Config) { c.Kind, c.AudienceClaim = oidcauth.CognitoAccess, "azp" }, []string{"AudienceClaim"}},
		"a day's leeway":       {func(c *oidcauth.Config) { c.Leeway = 24 * 3600e9 }, []string{"Leeway"}},
		"a negative leeway":    {func(c *oidcauth.Config) { c.Leeway = -1 }, []string{"Leeway"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			test.change(&cfg)
			authenticate, err := oidcauth.New(cfg)
			if err == nil || authenticate != nil {
				t.Fatal("accepted")
			}
			var fields []string
			for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
				var fault *oidcauth.FieldError
				if !errors.As(err, &fault) || !strings.Contains(err.Error(), "Config."+fault.Field+": ") {
					t.Fatalf("the error names no field: %v", err)
				}
				fields = append(fields, fault.Field)
			}
			if !slices.Equal(test.want, fields) {
				t.Errorf("the error names %q, want %q", fields, test.want)
			}
		})
	}
}
