package function

import (
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
		{"no such authentication", minimal, map[string]string{envAuth: "none"}, []string{envAuth}},
		{"claims, and an issuer", minimal, map[string]string{envIssuer: "https://issuer.example"}, []string{envIssuer}},
		{"OIDC", oidc, nil, nil},
		{"OIDC, plain HTTP", oidc, map[string]string{envIssuer: "http://issuer.example"}, []string{envIssuer}},
		{"OIDC, no such kind", oidc, map[string]string{envToken: "cognito"}, []string{envToken}},
		{"OIDC, no kind", oidc, map[string]string{envToken: ""}, []string{envToken}},
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

// TestTerraform holds the variables that infrastructure/ sets to those that are
// read here.
func TestTerraform(t *testing.T) {
	hcl, err := os.ReadFile("../../../../infrastructure/function.tf")
	if err != nil {
		t.Fatal(err)
	}
	set := regexp.MustCompile(`(?m)^\s+(DEVICE_TOKEN_\w+)\s+=`).FindAllStringSubmatch(string(hcl), -1)
	var names []string
	for _, match := range set {
		names = append(names, match[1])
	}
	slices.Sort(names)
	read := []string{envTable, envStage, envTTL, envMaxDevices, envLogLevel, envAuth, envIssuer, envAudience, envToken}
	slices.Sort(read)
	if diff := cmp.Diff(read, slices.Compact(names)); diff != "" {
		t.Errorf("variables (-read +set):\n%s", diff)
	}
}

// FuzzConfig has an environment of any texts: what is no good is named by its
// variable, and what is taken keeps the rules.
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
