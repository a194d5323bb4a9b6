package oidcauth

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/internal/jsontext"
	"github.com/devicetokens/devicetokens/tokens"
)

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
	authenticate, err := New(Config{Issuer: "https://issuer.example", Audience: "app", Kind: Standard, Client: &http.Client{Transport: offline{}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, authorization string) {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Header["Authorization"] = []string{authorization}
		user, err := authenticate(r)
		if user != "" || !errors.Is(err, httpapi.ErrUnauthenticated) {
			t.Fatalf("got %q, %v", user, err)
		}
		if token := strings.TrimSpace(authorization); len(token) > 32 && strings.Contains(err.Error(), token) {
			t.Errorf("the error echoes the header: %v", err)
		}
	})
}

// FuzzClaims has the issuer sign arbitrary claims. Only claims with this issuer, this
// audience and a user are accepted, as that user.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`{"iss":"https://issuer.example","aud":"app","sub":"u","exp":4102444800}`,
		`{"iss":"https://issuer.example","aud":["app","x"],"sub":"u","exp":4102444800.5,"nbf":1,"iat":null}`,
		`{"iss":"https://issuer.example","ISS":"x","aud":"app","sub":"u","sub":"v","exp":1e300}`,
		`{"iss":"https://issuer.example","ISS":"x","aud":"app","sub":"u","exp":4102444800}`, // failed once
		`{"aud":{},"exp":"soon"}`, `[]`, `null`, ``,
		`{"iss":"https://issuer.example","aud":"app","sub":"u\ud800","exp":4102444800}`,
		"{\"iss\":\"https://issuer.example\",\"aud\":\"app\",\"sub\":\"\xff\",\"exp\":4102444800}",
		`{"iss":"https://issuer.example","aud":"app","sub":"u","exp":4102444800,"jti":7,"azp":[],"events":{}}`,
	} {
		f.Add(seed)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	key := jose.JSONWebKey{Key: private, KeyID: "k", Algorithm: string(jose.EdDSA), Use: "sig"}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key}, nil)
	if err != nil {
		f.Fatal(err)
	}
	authenticate, err := New(Config{
		Issuer: "https://issuer.example", Audience: "app", Kind: Standard,
		Client: &http.Client{Transport: issuing{key.Public()}}, Algorithms: []string{string(jose.EdDSA)},
	})
	if err != nil {
		f.Fatal(err)
	}
	present := func(tb testing.TB, payload string) (tokens.UserID, error) {
		signed, err := signer.Sign([]byte(payload))
		if err != nil {
			tb.Fatal(err)
		}
		token, err := signed.CompactSerialize()
		if err != nil {
			tb.Fatal(err)
		}
		r := httptest.NewRequestWithContext(tb.Context(), "GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		return authenticate(r)
	}
	if user, err := present(f, `{"iss":"https://issuer.example","aud":"app","sub":"u","exp":4102444800}`); user != "u" || err != nil {
		f.Fatalf("good claims: got %q, %v", user, err)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		user, err := present(t, payload)
		if err != nil {
			if user != "" || !errors.Is(err, httpapi.ErrUnauthenticated) {
				t.Fatalf("got %q, %v", user, err)
			}
			return
		}
		var claims map[string]any // not a struct, which would accept "ISS" for "iss"
		if err := json.Unmarshal([]byte(payload), &claims); err != nil || claims["iss"] != "https://issuer.example" || claims["sub"] != string(user) {
			t.Fatalf("let in as %q: %v", user, err)
		}
		if _, isObject := claims["events"].(map[string]any); isObject || !jsontext.IsUnicode([]byte(payload)) {
			t.Fatalf("let in as %q", user)
		}
	})
}

// issuing is the network of an issuer with that key.
type issuing struct{ key jose.JSONWebKey }

func (i issuing) RoundTrip(r *http.Request) (*http.Response, error) {
	var document any = map[string]string{"issuer": "https://issuer.example", "jwks_uri": "https://issuer.example/keys"}
	if r.URL.Path == "/keys" {
		document = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.key}}
	}
	body, err := json.Marshal(document)
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body))}, err
}

type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("offline") }

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AA"},{"kty":"RSA","n":"AQ","e":"AQAB"},null,[]]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","x5c":["AA=="],"use":7}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseKeys(data)
		if (len(p.keys) == 0) != (err != nil) {
			t.Fatalf("%d keys and the error %v", len(p.keys), err)
		}
		for _, key := range p.keys {
			if !key.IsPublic() || len(key.Certificates) != 0 {
				t.Errorf("took a %T with %d certificates", key.Key, len(key.Certificates))
			}
		}
	})
}
