package function

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
	"github.com/devicetokens/devicetokens/store"
)

// The variables of the environment. infrastructure/function.tf sets them.
const (
	envTable      = "DEVICE_TOKEN_TABLE_NAME"    // required
	envStage      = "DEVICE_TOKEN_STAGE"         // required; the dimension of the metrics
	envTTL        = "DEVICE_TOKEN_TTL"           // a Go duration like 2160h; unset is store.DefaultTTL
	envMaxDevices = "DEVICE_TOKEN_MAX_DEVICES"   // unset is store.DefaultMaxDevices
	envLogLevel   = "DEVICE_TOKEN_LOG_LEVEL"     // debug, info, warn or error; unset is info
	envAuth       = "DEVICE_TOKEN_AUTH"          // required: claims or oidc
	envIssuer     = "DEVICE_TOKEN_OIDC_ISSUER"   // required with oidc, as the two below; forbidden with claims
	envAudience   = "DEVICE_TOKEN_OIDC_AUDIENCE" // see oidcauth.Config
	envToken      = "DEVICE_TOKEN_OIDC_TOKEN"    // see oidcauth.Kind
)

// A Config is what the environment says.
type Config struct {
	Table        string
	Stage        string
	Policy       store.Policy
	LogLevel     slog.Level
	Authenticate httpapi.Authenticator
}

// ConfigFromEnv reads the environment. The error names every variable that is
// missing or no good.
func ConfigFromEnv(getenv func(string) string) (Config, error) {
	env := &environment{getenv: getenv}
	cfg := Config{
		Table:        env.required(envTable),
		Stage:        env.required(envStage),
		Policy:       store.Policy{TTL: env.ttl(), MaxDevices: env.maxDevices()},
		LogLevel:     env.logLevel(),
		Authenticate: env.authenticator(),
	}
	return cfg, errors.Join(env.faults...)
}

// environment reads variables, and collects what is wrong with them. No value is
// in a fault but where it is one of a few words: an error ends up in a log.
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

// authenticator returns the one way in which callers say who they are. There is no
// default: whoever deploys this decides.
func (e *environment) authenticator() httpapi.Authenticator {
	switch e.getenv(envAuth) {
	case "claims":
		for _, name := range []string{envIssuer, envAudience, envToken} {
			if e.getenv(name) != "" {
				e.fault(name, fmt.Errorf("is set, but %s is claims: which is meant?", envAuth))
			}
		}
		return claimsUser
	case "oidc":
		return e.oidc()
	}
	e.fault(envAuth, errors.New("is neither claims nor oidc"))
	return nil
}

// oidc tries each setting beside others that are good, so that a fault has the
// name of its variable.
func (e *environment) oidc() httpapi.Authenticator {
	good := oidcauth.Config{Issuer: "https://issuer.example", Audience: "audience", Kind: oidcauth.Standard}
	cfg := good
	try := func(name string, set func(*oidcauth.Config, string)) {
		value := e.required(name)
		if value == "" {
			return
		}
		set(&cfg, value)
		alone := good
		set(&alone, value)
		if _, err := oidcauth.New(alone); err != nil {
			e.fault(name, err)
		}
	}
	try(envIssuer, func(c *oidcauth.Config, value string) { c.Issuer = value })
	try(envAudience, func(c *oidcauth.Config, value string) { c.Audience = value })
	try(envToken, func(c *oidcauth.Config, value string) { c.Kind = oidcauth.Kind(value) })
	authenticate, err := oidcauth.New(cfg)
	if err != nil {
		return nil // its parts are faults
	}
	return authenticate
}
