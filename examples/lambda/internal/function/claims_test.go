package function

import (
	"bytes"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
)

// TestClaims has requests that no user is read of. Without an authorizer no
// caller is let in, and none is told that the credential is bad; claims that are not
// Unicode could be those of another user.
func TestClaims(t *testing.T) {
	var out bytes.Buffer
	f := newFunction(t, Config{Authenticate: claimsUser}, memstore.MustNew(store.Policy{}), &out)
	const noAuthorizer, notUnicode = "add an authorizer to the route", "not Unicode"
	rest := `{"path": "/v1/device-tokens", "httpMethod": "GET", "requestContext": `
	http := `{"version": "2.0", "rawPath": "/v1/device-tokens", "requestContext": {"http": {"method": "GET"}, "authorizer": `
	for event, want := range map[string]struct {
		status float64
		says   string
	}{
		rest + `{}}`: {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"email": "a@example"}}}}`:   {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"sub": 7}}}}`:               {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"Sub": "alice"}}}}`:         {500, noAuthorizer},
		rest + `{"authorizer": "alice"}}`:                              {500, noAuthorizer},
		rest + `{"elb": {"targetGroupArn": "arn"}}}`:                   {500, "load balancer"},
		http + `{"iam": {"userId": "alice"}}}}`:                        {500, "function URL"},
		http + `{"jwt": {"claims": [{"sub": "alice"}]}}}}`:             {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"sub": "u\ud800"}}}}`:       {401, notUnicode},
		rest + "{\"authorizer\": {\"claims\": {\"sub\": \"u\xff\"}}}}": {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "u\udfff"}}}}}`:             {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "u\ufffd"}}}}}`:             {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "u", "x": "\ud800"}}}}}`:    {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "\ud83d\ude00"}}}}}`:        {200, ""},
	} {
		out.Reset()
		payload, err := f.Invoke(t.Context(), []byte(event))
		if err != nil {
			t.Fatal(err)
		}
		if status := decode(t, payload)["statusCode"]; status != want.status || !strings.Contains(out.String(), want.says) {
			t.Errorf("%s: status is %v, want %v; the log has:\n%s", event, status, want.status, out.String())
		}
	}
}
