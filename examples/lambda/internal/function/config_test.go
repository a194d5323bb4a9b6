package function

import (
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
	"github.com/devicetokens/devicetokens/store"
)

var (
	minimal = map[string]string{envTable: "device-tokens", envStage: "prod", envAuth: "claims"}
	oidc    = map[string]string{
		envTable: "device-tokens", envStage: "prod", envAuth: "oidc",
		envIssuer: "https://issuer.example", envAudience: "app", envToken: "cognito-access",
	}
)

func TestConfig(t *testing.T) {
	for _, test := range []struct {
		name   string
		base   map[string]string
		change map[string]string
		faults []string // the variables that are named; nil if all is well
	}{
		{"the least", minimal, nil, nil},
		{"nothing", nil, nil, []string{envTable, envStage, envAuth}},
		{"everything at once", nil, map[string]string{envTTL: "90", envMaxDevices: "0", envLogLevel: "loud", envAuth: "oidc", envIssuer: "issuer", envToken: "jwt"},
			[]string{envTable, envStage, envTTL, envMaxDevices, envLogLevel, envIssuer, envAudience, envToken}},
		{"TTL too short", minimal, map[string]string{envTTL: "24h"}, []string{envTTL}},
		{"TTL of half seconds", minimal, map[string]string{envTTL: "200h500ms"}, []string{envTTL}},
		{"TTL of nothing", minimal, map[string]string{envTTL: "0"}, []string{envTTL}},
		{"too many devices", minimal, map[string]string{envMaxDevices: "1001"}, []string{envMaxDevices}},
		{"devices in words", minimal, map[string]string{envMaxDevices: "ten"}, []string{envMaxDevices}},
		{"a base path", minimal, map[string]string{envBasePath: "/push/api.v2"}, nil},
		{"a base path without a slash", minimal, map[string]string{envBasePath: "push"}, []string{envBasePath}},
		{"a base path that ends with one", minimal, map[string]string{envBasePath: "/push/"}, []string{envBasePath}},
		{"a base path that leads up", minimal, map[string]string{envBasePath: "/push/.."}, []string{envBasePath}},
		{"no such authentication", minimal, map[string]string{envAuth: "none"}, []string{envAuth}},
		{"claims, and an issuer", minimal, map[string]string{envIssuer: "https://issuer.example"}, []string{envIssuer}},
		{"OIDC", oidc, nil, nil},
		{"OIDC, plain HTTP", oidc, map[string]string{envIssuer: "http://issuer.example"}, []string{envIssuer}},
		{"OIDC, no such kind", oidc, map[string]string{envToken: "cognito"}, []string{envToken}},
		{"OIDC, no kind", oidc, map[string]string{envToken: ""}, []string{envToken}},
		{"claims, and keys", minimal, map[string]string{envKeysURL: "https://issuer.example", envAllowHTTP: "false"}, []string{envAllowHTTP, envKeysURL}},
		{"OIDC, everything", oidc, map[string]string{
			envIssuer: "name", envToken: "access", envOtherAudiences: " web  tv ", envAudienceClaim: "azp", envAlgorithms: "EdDSA ES256",
			envDiscoveryURL: "http://keycloak:8080/metadata", envMetadataIssuer: "name/", envAllowHTTP: "true",
		}, nil},
		{"OIDC, every fault", oidc, map[string]string{
			envAllowHTTP: "yes", envKeysURL: "http://keycloak/keys", envDiscoveryURL: "keycloak", envAudienceClaim: "azp", envAlgorithms: "HS256",
		}, []string{envAllowHTTP, envDiscoveryURL, envKeysURL, envKeysURL, envAudienceClaim, envAlgorithms}},
		{"OIDC, no audience", oidc, map[string]string{envAudience: ""}, []string{envAudience}},
	} {
		t.Run(test.name, func(t *testing.T) {
			env := maps.Clone(test.base)
			if env == nil {
				env = map[string]string{}
			}
			maps.Copy(env, test.change)
			cfg, err := ConfigFromEnv(func(name string) string { return env[name] })
			if len(test.faults) == 0 {
				if err != nil || cfg.Authenticate == nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			var named []string
			for _, line := range strings.Split(err.Error(), "\n") {
				name, _, _ := strings.Cut(line, ":")
				named = append(named, name)
			}
			if diff := cmp.Diff(test.faults, named); diff != "" {
				t.Errorf("faults (-want +got):\n%s\n%v", diff, err)
			}
		})
	}
}

func TestConfigValues(t *testing.T) {
	env := maps.Clone(minimal)
	read := func() Config {
		t.Helper()
		cfg, err := ConfigFromEnv(func(name string) string { return env[name] })
		if err != nil {
			t.Fatal(err)
		}
		cfg.Authenticate = nil
		return cfg
	}
	want := Config{
		Table: "device-tokens", Stage: "prod", LogLevel: slog.LevelInfo,
		Policy: store.Policy{TTL: store.DefaultTTL, MaxDevices: store.DefaultMaxDevices},
	}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("default (-want +got):\n%s", diff)
	}
	maps.Copy(env, map[string]string{envTTL: "720h", envMaxDevices: "5", envLogLevel: "debug"})
	want.Policy = store.Policy{TTL: 30 * 24 * time.Hour, MaxDevices: 5}
	want.LogLevel = slog.LevelDebug
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("as set (-want +got):\n%s", diff)
	}
}

// TestOIDCSettings has tokens that are accepted with a setting, and not without.
func TestOIDCSettings(t *testing.T) {
	issuer := oidctest.New(t)
	token := func(change map[string]any) string {
		claims := map[string]any{"sub": "alice", "aud": "app"}
		maps.Copy(claims, change)
		return issuer.Token(t, claims)
	}
	for name, test := range map[string]struct{ settings, claims map[string]any }{
		"keys at another address":      {map[string]any{envIssuer: "name", envKeysURL: issuer.URL + "/keys"}, map[string]any{"iss": "name"}},
		"discovery at another address": {map[string]any{envIssuer: "name", envMetadataIssuer: issuer.URL, envDiscoveryURL: issuer.URL + "/.well-known/openid-configuration"}, map[string]any{"iss": "name"}},
		"two more audiences":           {map[string]any{envOtherAudiences: "tv  web"}, map[string]any{"aud": "web"}},
		"the app's id":                 {map[string]any{envAudienceClaim: "azp"}, map[string]any{"aud": nil, "azp": "app"}},
		"kind":                         {map[string]any{envToken: "cognito-access"}, map[string]any{"aud": nil, "client_id": "app", "token_use": "access"}},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]any{envTable: "device-tokens", envStage: "prod", envAuth: "oidc", envIssuer: issuer.URL, envAudience: "app", envToken: "standard"}
			for _, with := range []bool{false, true} {
				if with {
					maps.Copy(env, test.settings)
				}
				cfg, err := ConfigFromEnv(func(name string) string { value, _ := env[name].(string); return value })
				if err != nil {
					t.Fatal(err)
				}
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
				r.Header.Set("Authorization", "Bearer "+token(test.claims))
				user, err := cfg.Authenticate(r)
				if with != (user == "alice") || with == errors.Is(err, httpapi.ErrUnauthenticated) {
					t.Errorf("with the setting: %t; got %q, %v", with, user, err)
				}
			}
		})
	}
}

// TestDeployments holds the variables that Terraform and SST set to those that are
// read here. They do not allow http: their function is not in a VPC.
func TestDeployments(t *testing.T) {
	read := append([]string{envTable, envStage, envTTL, envMaxDevices, envLogLevel, envBasePath, envAuth}, slices.Collect(maps.Values(oidcFields))...)
	read = slices.DeleteFunc(read, func(name string) bool { return name == envAllowHTTP })
	slices.Sort(read)
	for file, variable := range map[string]string{
		"function.tf":            `(?m)^\s+(DEVICE_TOKEN_\w+)\s+=`,
		"sst/stacks/function.ts": `(DEVICE_TOKEN_\w+):`,
	} {
		text, err := os.ReadFile("../../../../infrastructure/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, match := range regexp.MustCompile(variable).FindAllStringSubmatch(string(text), -1) {
			names = append(names, match[1])
		}
		slices.Sort(names)
		if diff := cmp.Diff(read, slices.Compact(names)); diff != "" {
			t.Errorf("variables (-read +set by %s):\n%s", file, diff)
		}
	}
}

// FuzzConfig checks with any environment that the error names the invalid variables,
// and that an accepted configuration is valid.
func FuzzConfig(f *testing.F) {
	f.Add("2160h", "20", "info", "claims", "", "", "")
	f.Add("168h0m0.5s", "-1", "INFO+4", "oidc", "https://issuer.example", "app", "cognito-access")
	f.Fuzz(func(t *testing.T, ttl, devices, level, auth, issuer, audience, token string) {
		environment := map[string]string{
			envTable: "device-tokens", envStage: "prod", envTTL: ttl, envMaxDevices: devices, envLogLevel: level,
			envAuth: auth, envIssuer: issuer, envAudience: audience, envToken: token,
		}
		cfg, err := ConfigFromEnv(func(name string) string { return environment[name] })
		if err != nil {
			if !strings.Contains(err.Error(), "DEVICE_TOKEN_") {
				t.Errorf("the error %v names no variable", err)
			}
			return
		}
		if _, err := cfg.Policy.WithDefaults(); err != nil || cfg.Authenticate == nil {
			t.Errorf("the policy %+v and an authenticator (%t) were taken: %v", cfg.Policy, cfg.Authenticate != nil, err)
		}
	})
}

// FuzzSettings has the settings that are lists, addresses, paths and words.
func FuzzSettings(f *testing.F) {
	f.Add("tv web", "azp", "EdDSA ES256", "https://issuer.example/?p=x", "issuer/", "", "true", "/push")
	f.Add("", "sub", "none", "", "", "http://keys", "yes", "/../")
	f.Fuzz(func(t *testing.T, audiences, claim, algorithms, discovery, metadata, keys, allowHTTP, base string) {
		environment := maps.Clone(oidc)
		maps.Copy(environment, map[string]string{
			envOtherAudiences: audiences, envAudienceClaim: claim, envAlgorithms: algorithms, envDiscoveryURL: discovery,
			envMetadataIssuer: metadata, envKeysURL: keys, envAllowHTTP: allowHTTP, envBasePath: base,
		})
		cfg, err := ConfigFromEnv(func(name string) string { return environment[name] })
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.HasPrefix(line, "DEVICE_TOKEN_") {
					t.Errorf("the error %v names no variable", err)
				}
			}
			return
		}
		if cfg.Authenticate == nil || cfg.BasePath != "" && path.Clean(cfg.BasePath) != cfg.BasePath {
			t.Errorf("the base path %q and an authenticator (%t) were taken", cfg.BasePath, cfg.Authenticate != nil)
		}
	})
}
