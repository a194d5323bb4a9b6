package oidcauth_test

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
)

// network has the documents by their addresses.
type network map[string]string

func (n network) RoundTrip(r *http.Request) (*http.Response, error) {
	document, ok := n[r.URL.String()]
	if !ok {
		return nil, errors.New("no such address")
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader([]byte(document)))}, nil
}

// TestProviders has tokens and documents as each provider documents them. Each setting is
// needed: without it, or with another value, the token is refused.
func TestProviders(t *testing.T) {
	type config = oidcauth.Config
	type change struct {
		name  string
		apply func(*config)
		want  error
	}
	const (
		auth0    = "https://app.eu.auth0.com/"
		keycloak = "http://keycloak:8080/realms/app"
		b2c      = "https://app.b2clogin.com/app.onmicrosoft.com"
		cognito  = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_X"
		okta     = "https://app.okta.com/oauth2/default"
	)
	for _, test := range []struct {
		name    string
		config  config
		keys    string // their address
		typ     string // of the token's header
		claims  claims // beside iss and sub
		changes []change
	}{
		{
			"Auth0", config{Issuer: auth0, Audience: "https://api.example"}, auth0 + ".well-known/jwks.json", "JWT",
			claims{"aud": []string{"https://api.example", auth0 + "userinfo"}, "azp": "client"},
			[]change{
				{"no trailing slash", func(c *config) { c.Issuer = strings.TrimSuffix(auth0, "/") }, no},
				{"kind access", func(c *config) { c.Kind = oidcauth.Access }, no},
			},
		},
		{
			"metadata that differs by a trailing slash",
			config{Issuer: "https://id.example/app", MetadataIssuer: "https://id.example/app/", Audience: "client"},
			"https://id.example/app/jwks/", "JWT", claims{"aud": "client"},
			[]change{
				{"no metadata issuer", func(c *config) { c.MetadataIssuer = "" }, later},
				{"the metadata's issuer for the tokens'", func(c *config) { c.Issuer, c.MetadataIssuer = "https://id.example/app/", "" }, no},
				{"another metadata issuer", func(c *config) { c.MetadataIssuer = "https://id.example" }, later},
			},
		},
		{
			"Clerk", config{Issuer: "https://clerk.app.example", Audience: "https://app.example", AudienceClaim: "azp"},
			"https://clerk.app.example/.well-known/jwks.json", "JWT",
			claims{"azp": "https://app.example", "sid": "sess_1", "v": 2, "fva": []int{7, -1}},
			[]change{
				{"no audience claim", func(c *config) { c.AudienceClaim = "" }, no},
				{"another origin", func(c *config) { c.Audience = "https://other.example" }, no},
			},
		},
		{
			"Keycloak behind an internal address", config{
				Issuer: "https://sso.example/realms/app", Audience: "mobile", AudienceClaim: "azp",
				DiscoveryURL: keycloak + "/.well-known/openid-configuration", AllowHTTP: true,
			},
			keycloak + "/certs", "JWT", claims{"aud": "account", "azp": "mobile", "typ": "Bearer"},
			[]change{
				{"no audience claim", func(c *config) { c.AudienceClaim = "" }, no},
				{"another claim", func(c *config) { c.AudienceClaim = "client_id" }, no},
				{"another client", func(c *config) { c.Audience = "account" }, no},
				{"no discovery URL", func(c *config) { c.DiscoveryURL = "" }, later},
				{"its keys alone", func(c *config) { c.DiscoveryURL, c.KeysURL = "", keycloak+"/certs" }, nil},
			},
		},
		{
			"keys over http, of metadata over https", config{Issuer: "https://sso.example", Audience: "mobile", AllowHTTP: true},
			"http://keycloak:8080/certs", "", claims{"aud": "mobile"},
			[]change{{"http not allowed", func(c *config) { c.AllowHTTP = false }, later}},
		},
		{
			"Azure AD B2C, the policy in the path", config{
				Issuer: "https://app.b2clogin.com/8c1d/v2.0/", Audience: "client",
				DiscoveryURL: b2c + "/B2C_1_signin/v2.0/.well-known/openid-configuration",
			},
			b2c + "/b2c_1_signin/discovery/v2.0/keys", "JWT", claims{"aud": "client", "tfp": "B2C_1_signin"},
			[]change{{"no discovery URL", func(c *config) { c.DiscoveryURL = "" }, later}},
		},
		{
			"Azure AD B2C, the policy in the query", config{
				Issuer: "https://app.b2clogin.com/8c1d/v2.0/", Audience: "client",
				DiscoveryURL: b2c + "/v2.0/.well-known/openid-configuration?p=B2C_1_signin",
			},
			b2c + "/discovery/v2.0/keys?p=b2c_1_signin", "JWT", claims{"aud": "client", "tfp": "B2C_1_signin"}, nil,
		},
		{
			"Cognito, two app clients",
			config{Issuer: cognito, Audience: "ios", OtherAudiences: []string{"android"}, Kind: oidcauth.CognitoAccess},
			cognito + "/.well-known/jwks.json", "", claims{"client_id": "android", "token_use": "access"},
			[]change{
				{"one app client", func(c *config) { c.OtherAudiences = nil }, no},
				{"standard, by client_id", func(c *config) { c.Kind, c.AudienceClaim = oidcauth.Standard, "client_id" }, nil},
				{"ID tokens", func(c *config) { c.Kind = oidcauth.CognitoID }, no},
			},
		},
		{
			"Okta, a custom authorization server", config{Issuer: okta, Audience: "client", AudienceClaim: "cid"},
			okta + "/v1/keys", "", claims{"aud": "api://default", "cid": "client", "ver": 1},
			[]change{
				{"by aud", func(c *config) { c.AudienceClaim, c.Audience = "", "api://default" }, nil},
				{"the client in aud", func(c *config) { c.AudienceClaim = "aud" }, no},
			},
		},
		{
			"EdDSA, and an issuer without metadata that is no URL",
			config{Issuer: "app", Audience: "api", Algorithms: []string{"EdDSA"}, KeysURL: "https://app.example/api/auth/jwks"},
			"https://app.example/api/auth/jwks", "", claims{"aud": "api"},
			[]change{
				{"no algorithms", func(c *config) { c.Algorithms = nil }, no},
				{"another issuer", func(c *config) { c.Issuer = "app/" }, no},
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			key, algorithm := rs256, jose.RS256
			if test.config.Algorithms != nil {
				key, algorithm = eddsa, jose.EdDSA
			}
			discovery := cmp.Or(test.config.DiscoveryURL, strings.TrimSuffix(test.config.Issuer, "/")+"/.well-known/openid-configuration")
			transport := network{
				discovery: metadata(cmp.Or(test.config.MetadataIssuer, test.config.Issuer), test.keys),
				test.keys: keySet(key.Public(), jose.JSONWebKey{Key: rsaKey.Public(), KeyID: "e", Algorithm: "RSA-OAEP", Use: "enc"}),
			}
			test.claims["sub"], test.claims["iss"] = alice, test.config.Issuer
			var options *jose.SignerOptions
			if test.typ != "" {
				options = header(jose.HeaderType, test.typ)
			}
			token := sign(algorithm, key, options, lasting(test.claims))
			for _, c := range append(test.changes, change{"as it is", func(*config) {}, nil}) {
				t.Run(c.name, func(t *testing.T) {
					changed := test.config
					changed.Client = &http.Client{Transport: transport}
					c.apply(&changed)
					check(t, newAuthenticator(t, changed), token, c.want)
				})
			}
		})
	}
}

func TestConfig(t *testing.T) {
	type config = oidcauth.Config
	good := config{Issuer: "https://issuer.example/pool", Audience: "app", Kind: oidcauth.Standard}
	if _, err := oidcauth.New(good); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*config)
		want   string // the fields of the error
	}{
		"nothing said":         {func(c *config) { *c = config{} }, "Issuer Audience Kind"},
		"plain HTTP":           {func(c *config) { c.Issuer = "http://issuer.example" }, "Issuer"},
		"not a URL":            {func(c *config) { c.Issuer = "issuer.example" }, "Issuer"},
		"a URL with a query":   {func(c *config) { c.Issuer += "?a" }, "Issuer"},
		"an empty fragment":    {func(c *config) { c.Issuer += "#" }, "Issuer"},
		"a port and no host":   {func(c *config) { c.Issuer = "https://:443" }, "Issuer"},
		"a URL with a user":    {func(c *config) { c.Issuer = "https://u@issuer.example" }, "Issuer"},
		"an unknown kind":      {func(c *config) { c.Kind = "cognito" }, "Kind"},
		"a secret's algorithm": {func(c *config) { c.Algorithms = []string{"RS256", "HS256"} }, "Algorithms"},
		"no signature":         {func(c *config) { c.Algorithms = []string{"none"} }, "Algorithms"},
		"no algorithm":         {func(c *config) { c.Algorithms = []string{} }, "Algorithms"},
		"an internal address":  {func(c *config) { c.DiscoveryURL = "http://keycloak/.well-known" }, "DiscoveryURL"},
		"keys over plain HTTP": {func(c *config) { c.KeysURL = "http://keycloak/keys" }, "KeysURL"},
		"keys of a file":       {func(c *config) { c.KeysURL, c.AllowHTTP = "file:///keys", true }, "KeysURL"},
		"keys with a fragment": {func(c *config) { c.KeysURL = "https://keys.example/?a#b" }, "KeysURL"},
		"two addresses":        {func(c *config) { c.KeysURL, c.DiscoveryURL = "https://a.example", "https://b.example" }, "KeysURL"},
		"metadata not read":    {func(c *config) { c.KeysURL, c.MetadataIssuer = "https://a.example", c.Issuer }, "KeysURL"},
		"keys of no issuer":    {func(c *config) { c.KeysURL, c.Issuer = "https://a.example", "" }, "Issuer"},
		"an empty audience":    {func(c *config) { c.OtherAudiences = []string{"app2", ""} }, "OtherAudiences"},
		"an unknown claim":     {func(c *config) { c.AudienceClaim = "sub" }, "AudienceClaim"},
		"Cognito's by azp":     {func(c *config) { c.Kind, c.AudienceClaim = oidcauth.CognitoAccess, "azp" }, "AudienceClaim"},
		"a day's leeway":       {func(c *config) { c.Leeway = 24 * 3600e9 }, "Leeway"},
		"a negative leeway":    {func(c *config) { c.Leeway = -1 }, "Leeway"},
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
			if got := strings.Join(fields, " "); got != test.want {
				t.Errorf("the error names %q, want %q", got, test.want)
			}
		})
	}
}
