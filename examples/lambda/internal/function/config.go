package function

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
	"github.com/devicetokens/devicetokens/store"
)

// The environment variables, which README.md describes. infrastructure/function.tf sets
// them.
const (
	envTable      = "DEVICE_TOKEN_TABLE_NAME"
	envStage      = "DEVICE_TOKEN_STAGE"
	envTTL        = "DEVICE_TOKEN_TTL"
	envMaxDevices = "DEVICE_TOKEN_MAX_DEVICES"
	envLogLevel   = "DEVICE_TOKEN_LOG_LEVEL"
	envAuth       = "DEVICE_TOKEN_AUTH"
	envBasePath   = "DEVICE_TOKEN_BASE_PATH"

	envIssuer         = "DEVICE_TOKEN_OIDC_ISSUER"
	envAudience       = "DEVICE_TOKEN_OIDC_AUDIENCE"
	envToken          = "DEVICE_TOKEN_OIDC_TOKEN"
	envOtherAudiences = "DEVICE_TOKEN_OIDC_OTHER_AUDIENCES"
	envAudienceClaim  = "DEVICE_TOKEN_OIDC_AUDIENCE_CLAIM"
	envAlgorithms     = "DEVICE_TOKEN_OIDC_ALGORITHMS"
	envDiscoveryURL   = "DEVICE_TOKEN_OIDC_DISCOVERY_URL"
	envMetadataIssuer = "DEVICE_TOKEN_OIDC_METADATA_ISSUER"
	envKeysURL        = "DEVICE_TOKEN_OIDC_KEYS_URL"
	envAllowHTTP      = "DEVICE_TOKEN_OIDC_ALLOW_HTTP"
)

// oidcFields has the variable of each field of oidcauth.Config. They are rejected with
// claims.
var oidcFields = map[string]string{
	"Issuer": envIssuer, "Audience": envAudience, "Kind": envToken,
	"OtherAudiences": envOtherAudiences, "AudienceClaim": envAudienceClaim, "Algorithms": envAlgorithms,
	"DiscoveryURL": envDiscoveryURL, "MetadataIssuer": envMetadataIssuer, "KeysURL": envKeysURL, "AllowHTTP": envAllowHTTP,
}

// A Config has the settings of the environment.
type Config struct {
	Table        string
	Stage        string
	Policy       store.Policy
	LogLevel     slog.Level
	BasePath     string // prefix of the API's paths; "" if none
	Authenticate httpapi.Authenticator
}

// ConfigFromEnv reads the environment. The error names every variable that is
// missing or invalid.
func ConfigFromEnv(getenv func(string) string) (Config, error) {
	env := &environment{getenv: getenv}
	cfg := Config{
		Table:        env.required(envTable),
		Stage:        env.required(envStage),
		Policy:       store.Policy{TTL: env.ttl(), MaxDevices: env.maxDevices()},
		LogLevel:     env.logLevel(),
		BasePath:     env.basePath(),
		Authenticate: env.authenticator(),
	}
	return cfg, errors.Join(env.faults...)
}

// An environment reads variables and collects errors. The errors contain no values,
// because they are logged.
type environment struct {
	getenv func(string) string
	faults []error
}

func (e *environment) fault(name string, err error) {
	e.faults = append(e.faults, fmt.Errorf("%s: %w", name, err))
}

func (e *environment) required(name string) string {
	value := e.getenv(name)
	if value == "" {
		e.fault(name, errors.New("is not set"))
	}
	return value
}

func (e *environment) ttl() time.Duration {
	value := e.getenv(envTTL)
	if value == "" {
		return store.DefaultTTL
	}
	ttl, err := time.ParseDuration(value)
	if err == nil && ttl != 0 {
		_, err = store.Policy{TTL: ttl}.WithDefaults()
	}
	if err != nil || ttl == 0 {
		e.fault(envTTL, fmt.Errorf("is not a duration of whole seconds from %v to %v", store.MinTTL, store.MaxTTL))
	}
	return ttl
}

func (e *environment) maxDevices() int {
	value := e.getenv(envMaxDevices)
	if value == "" {
		return store.DefaultMaxDevices
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > store.MaxMaxDevices {
		e.fault(envMaxDevices, fmt.Errorf("is not a number from 1 to %d", store.MaxMaxDevices))
	}
	return n
}

func (e *environment) logLevel() slog.Level {
	var level slog.Level
	if value := e.getenv(envLogLevel); value != "" && level.UnmarshalText([]byte(value)) != nil {
		e.fault(envLogLevel, errors.New("is not debug, info, warn or error"))
	}
	return level
}

// authenticator returns the configured authenticator. There is no default, because
// the choice depends on the deployment.
func (e *environment) authenticator() httpapi.Authenticator {
	switch e.getenv(envAuth) {
	case "claims":
		for _, name := range slices.Sorted(maps.Values(oidcFields)) {
			if e.getenv(name) != "" {
				e.fault(name, fmt.Errorf("is set, but %s is claims: unset it, or use oidc", envAuth))
			}
		}
		return claimsUser
	case "oidc":
		return e.oidc()
	}
	e.fault(envAuth, errors.New("is neither claims nor oidc"))
	return nil
}

func (e *environment) oidc() httpapi.Authenticator {
	allowHTTP, err := strconv.ParseBool(cmp.Or(e.getenv(envAllowHTTP), "false"))
	if err != nil {
		e.fault(envAllowHTTP, errors.New("is neither true nor false"))
	}
	authenticate, err := oidcauth.New(oidcauth.Config{
		Issuer:         e.getenv(envIssuer),
		Audience:       e.getenv(envAudience),
		Kind:           oidcauth.Kind(e.getenv(envToken)),
		OtherAudiences: e.list(envOtherAudiences),
		AudienceClaim:  e.getenv(envAudienceClaim),
		Algorithms:     e.list(envAlgorithms),
		DiscoveryURL:   e.getenv(envDiscoveryURL),
		MetadataIssuer: e.getenv(envMetadataIssuer),
		KeysURL:        e.getenv(envKeysURL),
		AllowHTTP:      allowHTTP,
	})
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			name := envAuth
			if field, ok := errors.AsType[*oidcauth.FieldError](err); ok {
				name, err = cmp.Or(oidcFields[field.Field], envAuth), field.Err
			}
			e.fault(name, err)
		}
	}
	return authenticate
}

// list returns the words of a variable; nil if there are none.
func (e *environment) list(name string) []string {
	words := strings.Fields(e.getenv(name))
	if len(words) == 0 {
		return nil
	}
	return words
}

var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$`)

func (e *environment) basePath() string {
	path := e.getenv(envBasePath)
	if path != "" && !basePath.MatchString(path) {
		e.fault(envBasePath, errors.New("is not a path like /push: each segment begins with a slash and has letters, digits and ._-"))
	}
	return path
}
