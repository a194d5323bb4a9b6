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

// read reads a configuration from the variables of all maps.
func read(all ...map[string]string) (Config, error) {
	env := map[string]string{}
	for _, some := range all {
		maps.Copy(env, some)
	}
	return ConfigFromEnv(func(name string) string { return env[name] })
}

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
		{"minimal", minimal, nil, nil},
		{"no variable", nil, nil, []string{envTable, envStage, envAuth}},
		{"every fault", nil, map[string]string{envTTL: "90", envMaxDevices: "0", envLogLevel: "loud", envAuth: "oidc", envIssuer: "issuer", envToken: "jwt"},
			[]string{envTable, envStage, envTTL, envMaxDevices, envLogLevel, envIssuer, envAudience, envToken}},
		{"TTL too short", minimal, map[string]string{envTTL: "24h"}, []string{envTTL}},
		{"TTL not of whole seconds", minimal, map[string]string{envTTL: "200h500ms"}, []string{envTTL}},
		{"TTL 0", minimal, map[string]string{envTTL: "0"}, []string{envTTL}},
		{"too many devices", minimal, map[string]string{envMaxDevices: "1001"}, []string{envMaxDevices}},
		{"devices not a number", minimal, map[string]string{envMaxDevices: "ten"}, []string{envMaxDevices}},
		{"a base path", minimal, map[string]string{envBasePath: "/push/api.v2"}, nil},
		{"a base path without a slash", minimal, map[string]string{envBasePath: "push"}, []string{envBasePath}},
		{"a base path with a final slash", minimal, map[string]string{envBasePath: "/push/"}, []string{envBasePath}},
		{"a base path with ..", minimal, map[string]string{envBasePath: "/push/.."}, []string{envBasePath}},
		{"unknown authentication", minimal, map[string]string{envAuth: "none"}, []string{envAuth}},
		{"claims and an issuer", minimal, map[string]string{envIssuer: "https://issuer.example"}, []string{envIssuer}},
		{"OIDC", oidc, nil, nil},
		{"OIDC, plain HTTP", oidc, map[string]string{envIssuer: "http://issuer.example"}, []string{envIssuer}},
		{"OIDC, unknown kind", oidc, map[string]string{envToken: "cognito"}, []string{envToken}},
		{"OIDC, no kind", oidc, map[string]string{envToken: ""}, []string{envToken}},
		{"claims and keys", minimal, map[string]string{envKeysURL: "https://issuer.example", envAllowHTTP: "false"}, []string{envAllowHTTP, envKeysURL}},
		{"OIDC, every setting", oidc, map[string]string{
			envIssuer: "name", envToken: "access", envOtherAudiences: " web  tv ", envAudienceClaim: "azp", envAlgorithms: "EdDSA ES256",
			envDiscoveryURL: "http://keycloak:8080/metadata", envMetadataIssuer: "name/", envAllowHTTP: "true",
		}, nil},
		{"OIDC, every fault", oidc, map[string]string{
			envAllowHTTP: "yes", envKeysURL: "http://keycloak/keys", envDiscoveryURL: "keycloak", envAudienceClaim: "azp", envAlgorithms: "HS256",
		}, []string{envAllowHTTP, envDiscoveryURL, envKeysURL, envKeysURL, envAudienceClaim, envAlgorithms}},
		{"OIDC, no audience", oidc, map[string]string{envAudience: ""}, []string{envAudience}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := read(test.base, test.change)
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
	want := Config{
		Table: "device-tokens", Stage: "prod", LogLevel: slog.LevelInfo,
		Policy: store.Policy{TTL: store.DefaultTTL, MaxDevices: store.DefaultMaxDevices},
	}
	set := map[string]string{}
	for range 2 {
		got, err := read(minimal, set)
		got.Authenticate = nil
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("with %v: %v (-want +got):\n%s", set, err, diff)
		}
		set = map[string]string{envTTL: "720h", envMaxDevices: "5", envLogLevel: "debug"}
		want.Policy, want.LogLevel = store.Policy{TTL: 30 * 24 * time.Hour, MaxDevices: 5}, slog.LevelDebug
	}
}

// Each setting makes the function accept tokens that it refuses without.
func TestOIDCSettings(t *testing.T) {
	issuer := oidctest.New(t)
	defaults := map[string]string{envIssuer: issuer.URL, envAudience: "app", envToken: "standard"}
	for name, test := range map[string]struct {
		settings map[string]string
		claims   map[string]any
	}{
		"keys":       {map[string]string{envIssuer: "name", envKeysURL: issuer.URL + "/keys"}, map[string]any{"iss": "name"}},
		"discovery":  {map[string]string{envIssuer: "name", envMetadataIssuer: issuer.URL, envDiscoveryURL: issuer.URL + "/.well-known/openid-configuration"}, map[string]any{"iss": "name"}},
		"audiences":  {map[string]string{envOtherAudiences: "tv  web"}, map[string]any{"aud": "web"}},
		"app client": {map[string]string{envAudienceClaim: "azp"}, map[string]any{"aud": nil, "azp": "app"}},
		"kind":       {map[string]string{envToken: "cognito-access"}, map[string]any{"aud": nil, "client_id": "app", "token_use": "access"}},
	} {
		t.Run(name, func(t *testing.T) {
			claims := map[string]any{"sub": "alice", "aud": "app"}
			maps.Copy(claims, test.claims)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Header.Set("Authorization", "Bearer "+issuer.Token(t, claims))
			for _, with := range []bool{false, true} {
				settings := map[string]string{}
				if with {
					settings = test.settings
				}
				cfg, err := read(oidc, defaults, settings)
				if err != nil {
					t.Fatal(err)
				}
				user, err := cfg.Authenticate(r)
				if with != (user == "alice") || with == errors.Is(err, httpapi.ErrUnauthenticated) {
					t.Errorf("with the setting: %t; got %q, %v", with, user, err)
				}
			}
		})
	}
}

// Terraform and SST set the variables that are read here. They do not allow http, because
// their function is not in a VPC.
func TestVariablesOfTheDeployments(t *testing.T) {
	variables := append([]string{envTable, envStage, envTTL, envMaxDevices, envLogLevel, envBasePath, envAuth}, slices.Collect(maps.Values(oidcFields))...)
	variables = slices.DeleteFunc(variables, func(name string) bool { return name == envAllowHTTP })
	slices.Sort(variables)
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
		if diff := cmp.Diff(variables, slices.Compact(names)); diff != "" {
			t.Errorf("variables (-read +set by %s):\n%s", file, diff)
		}
	}
}

// The error of any environment names the invalid variables, and an accepted configuration
// is valid.
func FuzzConfig(f *testing.F) {
	f.Add("2160h", "20", "info", "claims", "", "", "")
	f.Add("168h0m0.5s", "-1", "INFO+4", "oidc", "https://issuer.example", "app", "cognito-access")
	f.Fuzz(func(t *testing.T, ttl, devices, level, auth, issuer, audience, token string) {
		checkRead(t, minimal, map[string]string{
			envTTL: ttl, envMaxDevices: devices, envLogLevel: level, envAuth: auth, envIssuer: issuer, envAudience: audience, envToken: token,
		})
	})
}

// FuzzSettings has the settings that are lists, addresses, paths and words.
func FuzzSettings(f *testing.F) {
	f.Add("tv web", "azp", "EdDSA ES256", "https://issuer.example/?p=x", "issuer/", "", "true", "/push")
	f.Add("", "sub", "none", "", "", "http://keys", "yes", "/../")
	f.Fuzz(func(t *testing.T, audiences, claim, algorithms, discovery, metadata, keys, allowHTTP, base string) {
		checkRead(t, oidc, map[string]string{
			envOtherAudiences: audiences, envAudienceClaim: claim, envAlgorithms: algorithms, envDiscoveryURL: discovery,
			envMetadataIssuer: metadata, envKeysURL: keys, envAllowHTTP: allowHTTP, envBasePath: base,
		})
	})
}

func checkRead(t *testing.T, base, change map[string]string) {
	t.Helper()
	cfg, err := read(base, change)
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			if !strings.HasPrefix(line, "DEVICE_TOKEN_") {
				t.Errorf("the error %v names no variable", err)
			}
		}
		return
	}
	_, err = cfg.Policy.WithDefaults()
	if err != nil || cfg.Authenticate == nil || cfg.BasePath != "" && path.Clean(cfg.BasePath) != cfg.BasePath {
		t.Errorf("accepted the policy %+v, the base path %q and an authenticator (%t): %v", cfg.Policy, cfg.BasePath, cfg.Authenticate != nil, err)
	}
}
