package oidcauth_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
	"github.com/devicetokens/devicetokens/store"
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
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs256 := jose.JSONWebKey{Key: rsaKey, KeyID: "k", Algorithm: "RS256", Use: "sig"}
	eddsa := jose.JSONWebKey{Key: edKey, KeyID: "k", Algorithm: "EdDSA", Use: "sig"}
	keySet := func(keys ...jose.JSONWebKey) string {
		for i := range keys {
			keys[i] = keys[i].Public()
		}
		data, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	metadata := func(issuer, keys string) string {
		return `{"issuer":"` + issuer + `","jwks_uri":"` + keys + `","x":[]}`
	}
	no, later := httpapi.ErrUnauthenticated, store.ErrTryAgain
	type change struct {
		what string
		make func(*oidcauth.Config)
		want error
	}
	for _, test := range []struct {
		name    string
		config  oidcauth.Config
		network network
		typ     any
		claims  claims
		changes []change
	}{
		{
			name:   "Auth0",
			config: oidcauth.Config{Issuer: "https://app.eu.auth0.com/", Audience: "https://api.example", Kind: oidcauth.Standard},
			network: network{
				"https://app.eu.auth0.com/.well-known/openid-configuration": metadata("https://app.eu.auth0.com/", "https://app.eu.auth0.com/.well-known/jwks.json"),
				"https://app.eu.auth0.com/.well-known/jwks.json":            keySet(rs256),
			},
			typ:    "JWT",
			claims: claims{"iss": "https://app.eu.auth0.com/", "aud": []string{"https://api.example", "https://app.eu.auth0.com/userinfo"}, "azp": "client"},
			changes: []change{
				{"no trailing slash", func(c *oidcauth.Config) { c.Issuer = "https://app.eu.auth0.com" }, no},
				{"kind access", func(c *oidcauth.Config) { c.Kind = oidcauth.Access }, no},
			},
		},
		{
			name:   "Auth0, profile RFC 9068",
			config: oidcauth.Config{Issuer: "https://app.eu.auth0.com/", Audience: "https://api.example", Kind: oidcauth.Access},
			network: network{
				"https://app.eu.auth0.com/.well-known/openid-configuration": metadata("https://app.eu.auth0.com/", "https://app.eu.auth0.com/.well-known/jwks.json"),
				"https://app.eu.auth0.com/.well-known/jwks.json":            keySet(rs256),
			},
			typ:    "at+jwt",
			claims: claims{"iss": "https://app.eu.auth0.com/", "aud": "https://api.example", "client_id": "client", "jti": "1"},
		},
		{
			name: "metadata that differs by a trailing slash",
			config: oidcauth.Config{
				Issuer: "https://id.example/app", MetadataIssuer: "https://id.example/app/", Audience: "client", Kind: oidcauth.Standard,
			},
			network: network{
				"https://id.example/app/.well-known/openid-configuration": metadata("https://id.example/app/", "https://id.example/app/jwks/"),
				"https://id.example/app/jwks/":                            keySet(rs256),
			},
			typ:    "JWT",
			claims: claims{"iss": "https://id.example/app", "aud": "client"},
			changes: []change{
				{"no metadata issuer", func(c *oidcauth.Config) { c.MetadataIssuer = "" }, later},
				{"the metadata's issuer for the tokens'", func(c *oidcauth.Config) { c.Issuer, c.MetadataIssuer = "https://id.example/app/", "" }, no},
				{"another metadata issuer", func(c *oidcauth.Config) { c.MetadataIssuer = "https://id.example" }, later},
			},
		},
		{
			name: "Clerk",
			config: oidcauth.Config{
				Issuer: "https://clerk.app.example", Audience: "https://app.example", AudienceClaim: "azp", Kind: oidcauth.Standard,
			},
			network: network{
				"https://clerk.app.example/.well-known/openid-configuration": metadata("https://clerk.app.example", "https://clerk.app.example/.well-known/jwks.json"),
				"https://clerk.app.example/.well-known/jwks.json":            keySet(rs256),
			},
			typ:    "JWT",
			claims: claims{"iss": "https://clerk.app.example", "azp": "https://app.example", "sid": "sess_1", "v": 2, "fva": []int{7, -1}},
			changes: []change{
				{"no audience claim", func(c *oidcauth.Config) { c.AudienceClaim = "" }, no},
				{"another origin", func(c *oidcauth.Config) { c.Audience = "https://other.example" }, no},
			},
		},
		{
			name: "Keycloak behind an internal address",
			config: oidcauth.Config{
				Issuer: "https://sso.example/realms/app", Audience: "mobile", AudienceClaim: "azp", Kind: oidcauth.Standard,
				DiscoveryURL: "http://keycloak:8080/realms/app/.well-known/openid-configuration", AllowHTTP: true,
			},
			network: network{
				"http://keycloak:8080/realms/app/.well-known/openid-configuration": metadata("https://sso.example/realms/app", "http://keycloak:8080/realms/app/protocol/openid-connect/certs"),
				"http://keycloak:8080/realms/app/protocol/openid-connect/certs":    keySet(rs256, jose.JSONWebKey{Key: rsaKey, KeyID: "e", Algorithm: "RSA-OAEP", Use: "enc"}),
			},
			typ:    "JWT",
			claims: claims{"iss": "https://sso.example/realms/app", "aud": "account", "azp": "mobile", "typ": "Bearer"},
			changes: []change{
				{"no audience claim", func(c *oidcauth.Config) { c.AudienceClaim = "" }, no},
				{"another claim", func(c *oidcauth.Config) { c.AudienceClaim = "client_id" }, no},
				{"another client", func(c *oidcauth.Config) { c.Audience = "account" }, no},
				{"no discovery URL", func(c *oidcauth.Config) { c.DiscoveryURL = "" }, later},
				{"its keys alone", func(c *oidcauth.Config) {
					c.DiscoveryURL, c.KeysURL = "", "http://keycloak:8080/realms/app/protocol/openid-connect/certs"
				}, nil},
			},
		},
		{
			name: "keys over http, of metadata over https",
			config: oidcauth.Config{
				Issuer: "https://sso.example", Audience: "mobile", Kind: oidcauth.Standard, AllowHTTP: true,
			},
			network: network{
				"https://sso.example/.well-known/openid-configuration": metadata("https://sso.example", "http://keycloak:8080/certs"),
				"http://keycloak:8080/certs":                           keySet(rs256),
			},
			claims:  claims{"iss": "https://sso.example", "aud": "mobile"},
			changes: []change{{"http not allowed", func(c *oidcauth.Config) { c.AllowHTTP = false }, later}},
		},
		{
			name: "Azure AD B2C, the policy in the path",
			config: oidcauth.Config{
				Issuer: "https://app.b2clogin.com/8c1d/v2.0/", Audience: "client", Kind: oidcauth.Standard,
				DiscoveryURL: "https://app.b2clogin.com/app.onmicrosoft.com/B2C_1_signin/v2.0/.well-known/openid-configuration",
			},
			network: network{
				"https://app.b2clogin.com/app.onmicrosoft.com/B2C_1_signin/v2.0/.well-known/openid-configuration": metadata(
					"https://app.b2clogin.com/8c1d/v2.0/", "https://app.b2clogin.com/app.onmicrosoft.com/b2c_1_signin/discovery/v2.0/keys"),
				"https://app.b2clogin.com/app.onmicrosoft.com/b2c_1_signin/discovery/v2.0/keys": keySet(rs256),
			},
			typ:     "JWT",
			claims:  claims{"iss": "https://app.b2clogin.com/8c1d/v2.0/", "aud": "client", "tfp": "B2C_1_signin"},
			changes: []change{{"no discovery URL", func(c *oidcauth.Config) { c.DiscoveryURL = "" }, later}},
		},
		{
			name: "Azure AD B2C, the policy in the query",
			config: oidcauth.Config{
				Issuer: "https://app.b2clogin.com/8c1d/v2.0/", Audience: "client", Kind: oidcauth.Standard,
				DiscoveryURL: "https://app.b2clogin.com/app.onmicrosoft.com/v2.0/.well-known/openid-configuration?p=B2C_1_signin",
			},
			network: network{
				"https://app.b2clogin.com/app.onmicrosoft.com/v2.0/.well-known/openid-configuration?p=B2C_1_signin": metadata(
					"https://app.b2clogin.com/8c1d/v2.0/", "https://app.b2clogin.com/app.onmicrosoft.com/discovery/v2.0/keys?p=b2c_1_signin"),
				"https://app.b2clogin.com/app.onmicrosoft.com/discovery/v2.0/keys?p=b2c_1_signin": keySet(rs256),
			},
			typ:    "JWT",
			claims: claims{"iss": "https://app.b2clogin.com/8c1d/v2.0/", "aud": "client", "tfp": "B2C_1_signin"},
		},
		{
			name: "Cognito, two app clients",
			config: oidcauth.Config{
				Issuer: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_X", Audience: "ios", OtherAudiences: []string{"android"}, Kind: oidcauth.CognitoAccess,
			},
			network: network{
				"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_X/.well-known/openid-configuration": metadata(
					"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_X", "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_X/.well-known/jwks.json"),
				"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_X/.well-known/jwks.json": keySet(rs256),
			},
			claims: claims{"iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_X", "client_id": "android", "token_use": "access"},
			changes: []change{
				{"one app client", func(c *oidcauth.Config) { c.OtherAudiences = nil }, no},
				{"standard, by client_id", func(c *oidcauth.Config) { c.Kind, c.AudienceClaim = oidcauth.Standard, "client_id" }, nil},
				{"ID tokens", func(c *oidcauth.Config) { c.Kind = oidcauth.CognitoID }, no},
			},
		},
		{
			name:   "Okta, a custom authorization server",
			config: oidcauth.Config{Issuer: "https://app.okta.com/oauth2/default", Audience: "client", AudienceClaim: "cid", Kind: oidcauth.Standard},
			network: network{
				"https://app.okta.com/oauth2/default/.well-known/openid-configuration": metadata("https://app.okta.com/oauth2/default", "https://app.okta.com/oauth2/default/v1/keys"),
				"https://app.okta.com/oauth2/default/v1/keys":                          keySet(rs256),
			},
			claims: claims{"iss": "https://app.okta.com/oauth2/default", "aud": "api://default", "cid": "client", "ver": 1},
			changes: []change{
				{"by aud", func(c *oidcauth.Config) { c.AudienceClaim, c.Audience = "", "api://default" }, nil},
				{"the client in aud", func(c *oidcauth.Config) { c.AudienceClaim = "aud" }, no},
			},
		},
		{
			name: "EdDSA, and an issuer without metadata that is no URL",
			config: oidcauth.Config{
				Issuer: "app", Audience: "api", Kind: oidcauth.Standard, Algorithms: []string{"EdDSA"}, KeysURL: "https://app.example/api/auth/jwks",
			},
			network: network{"https://app.example/api/auth/jwks": keySet(eddsa)},
			claims:  claims{"iss": "app", "aud": "api"},
			changes: []change{
				{"no algorithms", func(c *oidcauth.Config) { c.Algorithms = nil }, no},
				{"another issuer", func(c *oidcauth.Config) { c.Issuer = "app/" }, no},
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			key, algorithm := rs256, jose.RS256
			if test.config.Algorithms != nil {
				key, algorithm = eddsa, jose.EdDSA
			}
			test.claims["sub"] = alice
			token := sign(t, algorithm, key, test.typ, lasting(t, test.claims))
			for _, c := range append(test.changes, change{"as it is", func(*oidcauth.Config) {}, nil}) {
				t.Run(c.what, func(t *testing.T) {
					config := test.config
					config.Client = &http.Client{Transport: test.network}
					c.make(&config)
					check(t, newAuthenticator(t, config), token, c.want)
				})
			}
		})
	}
}
