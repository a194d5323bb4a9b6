package function

import (
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
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
		{"too short", minimal, map[string]string{envTTL: "24h"}, []string{envTTL}},
		{"not of whole seconds", minimal, map[string]string{envTTL: "200h500ms"}, []string{envTTL}},
		{"no time, and too many devices", minimal, map[string]string{envTTL: "0", envMaxDevices: "1001"}, []string{envTTL, envMaxDevices}},
		{"no number", minimal, map[string]string{envMaxDevices: "ten"}, []string{envMaxDevices}},
		{"a base path", minimal, map[string]string{envBasePath: "/push/api.v2"}, nil},
		{"no slash", minimal, map[string]string{envBasePath: "push"}, []string{envBasePath}},
		{"a final slash", minimal, map[string]string{envBasePath: "/push/"}, []string{envBasePath}},
		{"two dots", minimal, map[string]string{envBasePath: "/push/.."}, []string{envBasePath}},
		{"unknown authentication", minimal, map[string]string{envAuth: "none"}, []string{envAuth}},
		{"claims and settings of oidc", minimal, map[string]string{envIssuer: "https://issuer.example", envKeysURL: "https://issuer.example", envAllowHTTP: "false"},
			[]string{envAllowHTTP, envIssuer, envKeysURL}},
		{"OIDC", oidc, nil, nil},
		{"OIDC, plain HTTP, no kind, no audience", oidc, map[string]string{envIssuer: "http://issuer.example", envToken: "", envAudience: ""},
			[]string{envIssuer, envAudience, envToken}},
		{"OIDC, every setting", oidc, map[string]string{
			envIssuer: "name", envToken: "access", envOtherAudiences: " web  tv ", envAudienceClaim: "azp", envAlgorithms: "EdDSA ES256",
			envDiscoveryURL: "http://keycloak:8080/metadata", envMetadataIssuer: "name/", envAllowHTTP: "true",
		}, nil},
		{"OIDC, every fault", oidc, map[string]string{
			envAllowHTTP: "yes", envKeysURL: "http://keycloak/keys", envDiscoveryURL: "keycloak", envAudienceClaim: "azp", envAlgorithms: "HS256",
		}, []string{envAllowHTTP, envDiscoveryURL, envKeysURL, envKeysURL, envAudienceClaim, envAlgorithms}},
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
	for level, change := range map[slog.Level]map[string]string{
		slog.LevelInfo:  nil,
		slog.LevelDebug: {envTTL: "720h", envMaxDevices: "5", envLogLevel: "debug"},
	} {
		want := Config{Table: "device-tokens", Stage: "prod", LogLevel: level, Policy: store.Policy{TTL: store.DefaultTTL, MaxDevices: store.DefaultMaxDevices}}
		if change != nil {
			want.Policy = store.Policy{TTL: 30 * 24 * time.Hour, MaxDevices: 5}
		}
		got, err := read(minimal, change)
		got.Authenticate = nil
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
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

// The error of any environment names the invalid variables, and an accepted configuration
// is valid. The input has lines like TTL=720h.
func FuzzConfig(f *testing.F) {
	f.Add("TTL=2160h\nMAX_DEVICES=20\nLOG_LEVEL=info\nBASE_PATH=/push")
	f.Add("TTL=168h0m0.5s\nMAX_DEVICES=-1\nLOG_LEVEL=INFO+4\nAUTH=claims\nBASE_PATH=/../")
	f.Add("OIDC_OTHER_AUDIENCES=tv web\nOIDC_AUDIENCE_CLAIM=azp\nOIDC_ALGORITHMS=EdDSA ES256\nOIDC_ALLOW_HTTP=true\n" +
		"OIDC_DISCOVERY_URL=https://issuer.example/?p=x\nOIDC_METADATA_ISSUER=issuer/")
	f.Add("OIDC_AUDIENCE_CLAIM=sub\nOIDC_ALGORITHMS=none\nOIDC_ALLOW_HTTP=yes\nOIDC_KEYS_URL=http://keys\nOIDC_TOKEN=")
	f.Fuzz(func(t *testing.T, lines string) {
		change := map[string]string{}
		for line := range strings.Lines(lines) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			change["DEVICE_TOKEN_"+name] = value
		}
		cfg, err := read(oidc, change)
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
	})
}
