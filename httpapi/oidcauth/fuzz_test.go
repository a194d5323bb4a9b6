package oidcauth_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
	"github.com/devicetokens/devicetokens/internal/jsontext"
)

const fuzzed = "https://issuer.example"

// FuzzAuthorization has headers without a signature of the issuer. They are refused without
// a request to the issuer, and the error does not quote them.
func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{
		"", "Bearer ", "Bearer a.b.c", "Bearer eyJhbGciOiJFUzI1NiJ9.e30.AA",
		"Bearer " + base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","x5c":["AA=="],"jwk":{"kty":"EC"}}`)) + ".e30.AA",
		"Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIn0.",
	} {
		f.Add(seed)
	}
	authenticate := newAuthenticator(f, oidcauth.Config{Issuer: fuzzed, Client: &http.Client{Transport: network{}}})
	f.Fuzz(func(t *testing.T, authorization string) {
		user, err := authenticate(request(t, authorization))
		if user != "" || !errors.Is(err, no) {
			t.Fatalf("got %q, %v", user, err)
		}
		if token := strings.TrimSpace(authorization); len(token) > 32 && strings.Contains(err.Error(), token) {
			t.Errorf("the error contains the header: %v", err)
		}
	})
}

// FuzzClaims has the issuer sign arbitrary claims. Only claims with this issuer, this
// audience and a user are accepted, as that user.
func FuzzClaims(f *testing.F) {
	const good = `{"iss":"https://issuer.example","aud":"the-app","sub":"u","exp":4102444800,"x":"\ud83d\ude00"}`
	for _, seed := range []string{
		good,
		`{"iss":"https://issuer.example","aud":["the-app","x"],"sub":"u","exp":4102444800.5,"nbf":1,"iat":null}`,
		`{"iss":"https://issuer.example","ISS":"x","aud":"the-app","sub":"u","sub":"v","exp":1e300}`,
		`{"iss":"https://issuer.example","ISS":"x","aud":"the-app","sub":"u","exp":4102444800}`,
		`{"aud":{},"exp":"soon"}`, `[]`, `null`, ``,
		`{"iss":"https://issuer.example","aud":"the-app","sub":"u\ud800","exp":4102444800}`,
		"{\"iss\":\"https://issuer.example\",\"aud\":\"the-app\",\"sub\":\"\xff\",\"exp\":4102444800}",
		`{"iss":"https://issuer.example","aud":"the-app","sub":"u","exp":4102444800,"x":["\ud800"]}`,
		"{\"iss\":\"https://issuer.example\",\"aud\":\"the-app\",\"sub\":\"u\",\"exp\":4102444800,\"x\":{\"\xff\":1}}",
		`{"iss":"https://issuer.example","aud":"the-app","sub":"u","exp":4102444800,"jti":7,"azp":[],"events":{}}`,
	} {
		f.Add(seed)
	}
	authenticate := newAuthenticator(f, oidcauth.Config{
		Issuer: fuzzed, KeysURL: fuzzed + "/keys", Algorithms: []string{string(jose.EdDSA)},
		Client: &http.Client{Transport: network{fuzzed + "/keys": keySet(eddsa.Public())}},
	})
	f.Fuzz(func(t *testing.T, payload string) {
		user, err := authenticate(request(t, "Bearer "+sign(jose.EdDSA, eddsa, nil, []byte(payload))))
		if err != nil {
			if user != "" || !errors.Is(err, no) || payload == good {
				t.Fatalf("got %q, %v", user, err)
			}
			return
		}
		var claims map[string]any // not a struct, which would accept "ISS" for "iss"
		if err := json.Unmarshal([]byte(payload), &claims); err != nil || claims["iss"] != fuzzed || claims["sub"] != string(user) {
			t.Fatalf("accepted as %q: %v", user, err)
		}
		if _, isObject := claims["events"].(map[string]any); isObject || !jsontext.IsUnicode([]byte(payload)) {
			t.Fatalf("accepted as %q", user)
		}
	})
}
