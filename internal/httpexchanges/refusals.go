package httpexchanges

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func refused(status int, code string, errors ...string) Answer {
	return Answer{Status: status, Code: code, Errors: errors, Outcome: store.Invalid}
}

func blind(e Exchange) Exchange {
	e.Blind = true
	return e
}

// refusedBodies are not one JSON object with the declared members and types.
func refusedBodies() []Exchange {
	bad := func(name, body, code string) Exchange { return post("body: "+name, body, refused(400, code)) }
	device := func(name, value, code string) Exchange {
		body := `{"deviceId":` + value + valid[len(`{"deviceId":"phone"`):]
		return post("body: "+name, body, refused(400, code, "deviceId "+code))
	}
	twice := func(name, member string) Exchange {
		return blind(post("body: "+name, `{`+member+`,`+valid[1:], refused(400, "duplicate_member", "deviceId duplicate_member")))
	}
	return []Exchange{
		bad("none", "", "invalid_json"),
		bad("not JSON", Echo, "invalid_json"),
		bad("cut short", valid[:len(valid)-1], "invalid_json"),
		bad("not JSON after a member that is not declared", `{"ecHO":1,}`, "invalid_json"),
		blind(bad("a byte order mark", "\uFEFF"+valid, "invalid_json")),
		blind(bad("invalid UTF-8", body("\xff", token), "invalid_utf8")),
		blind(bad("invalid UTF-8, a surrogate", body("\xed\xa0\x80", token), "invalid_utf8")),
		bad("null", `null`, "not_an_object"),
		bad("deep arrays", strings.Repeat("[", 1000)+strings.Repeat("]", 1000), "not_an_object"),
		blind(bad("a second object", valid+valid, "trailing_data")),
		bad("a user", `{"userId":"`+Bob+`",`+valid[1:], "unknown_member"),
		bad("another case beside the right one", `{"DEVICEID":"ecHO",`+valid[1:], "unknown_member"),
		twice("a member twice", `"deviceId":"phone"`),
		twice("a member twice, once with an escape", `"device\u0049d":"phone"`),
		device("null for a string", `null`, "wrong_type"),
		device("a number for a string", `17`, "wrong_type"),
		device("an object for a string", `{"ecHO":1}`, "nested_value"),
		device("an array for a string", `["ecHO"]`, "nested_value"),
		device("deep nesting", strings.Repeat(`{"a":[`, 300)+strings.Repeat("]}", 300), "nested_value"),
		blind(device("half a character", `"ecHO\ud83d"`, "lone_surrogate")),
		bad("half a character in a name", `{"ecHO\ud83d":1}`, "lone_surrogate"),
	}
}

// refusedValues have the declared form, but break a rule.
func refusedValues() []Exchange {
	bad := func(name, body string, errors ...string) Exchange {
		return post("value: "+name, body, refused(422, "invalid_fields", errors...))
	}
	with := func(name, field, value, code string) Exchange {
		members := map[string]string{"deviceId": "phone", "expoPushToken": token, "platform": "ios", "projectId": ""}
		members[field] = value
		body := fmt.Sprintf(`{"deviceId":"%s","expoPushToken":"%s","platform":"%s","projectId":"%s"}`,
			members["deviceId"], members["expoPushToken"], members["platform"], members["projectId"])
		return bad(field+" "+name, body, field+" "+code)
	}
	return []Exchange{
		bad("nothing", `{}`, "deviceId required", "expoPushToken required", "platform required"),
		bad("all bad at once",
			`{"projectId":"`+strings.Repeat("p", 65)+`","platform":"ecHO","expoPushToken":"`+secret+`","deviceId":"\u0000"}`,
			"deviceId control_character", "expoPushToken malformed", "platform unknown", "projectId too_long"),
		with("empty", "deviceId", "", "required"),
		with("too long", "deviceId", strings.Repeat("é", 129), "too_long"),
		with("with a line break", "deviceId", `ecHO\n`, "control_character"),
		with("empty", "expoPushToken", "", "required"),
		with("one character too long", "expoPushToken", "ExpoPushToken["+secret+strings.Repeat("~", 241-len(secret))+"]", "too_long"),
		with("of another service", "expoPushToken", secret+":APA91b", "malformed"),
		with("empty", "platform", "", "required"),
		with("in another case", "platform", "iOS", "unknown"),
		with("too long", "projectId", strings.Repeat("ecHO", 17), "too_long"),
		with("with a tab", "projectId", `ecHO\t`, "control_character"),
	}
}

func refusedQueries() []Exchange {
	query := func(name, query string, want Answer) Exchange {
		return Exchange{Name: "query: " + name, Method: "DELETE", Target: httpapi.Path + "?" + query, Want: want}
	}
	bad := func(name, q string, errors ...string) Exchange {
		return query(name, q, refused(422, "invalid_fields", errors...))
	}
	malformed := func(name, q string) Exchange { return blind(query(name, q, refused(400, "invalid_query"))) }
	return []Exchange{
		bad("nothing", "", "deviceId required"),
		bad("an empty device", "deviceId=", "deviceId required"),
		bad("another case", "deviceid=ecHO", "deviceId required"),
		blind(bad("a device twice", "deviceId=ecHO1&deviceId=ecHO2", "deviceId repeated")),
		bad("a device that is too long", "deviceId="+strings.Repeat("ecHO", 33), "deviceId too_long"),
		bad("a device with a control character", "deviceId=ecHO%00", "deviceId control_character"),
		blind(bad("a device that is not UTF-8", "deviceId=ecHO%ff", "deviceId invalid_utf8")),
		bad("permanent in another case", "deviceId=phone&permanent=True", "permanent unknown"),
		bad("an empty permanent", "deviceId=phone&permanent=", "permanent unknown"),
		blind(bad("permanent twice", "deviceId=phone&permanent=true&permanent=true", "permanent repeated")),
		bad("all bad at once", "permanent=ecHO", "deviceId required", "permanent unknown"),
		malformed("a bad percent-encoding", "deviceId=%EC%HO"),
		malformed("a semicolon", "deviceId=phone;permanent=true"),
		malformed("a bad percent-encoding elsewhere", "deviceId=phone&ecHO=%"),
	}
}

// refusedRequests are refused because of their user, path, method or header.
func refusedRequests() []Exchange {
	withHeader := func(want Answer, name, value string) Answer {
		want.Header = map[string]string{name: value}
		return want
	}
	noType := withHeader(refused(415, "unsupported_media_type"), "Accept", "application/json")
	coded := withHeader(refused(415, "unsupported_content_coding"), "Accept-Encoding", "identity")
	unknown := withHeader(refused(401, "unauthenticated"), "WWW-Authenticate", "Bearer")
	notAllowed := withHeader(refused(405, "method_not_allowed"), "Allow", "DELETE, GET, HEAD, POST")
	tooLarge := refused(413, "content_too_large")
	large := valid + strings.Repeat(" ", httpapi.DefaultMaxBodyBytes)

	headed := func(name, header, value string, want Answer) Exchange {
		e := post(name, valid, want)
		e.Header = map[string]string{header: value}
		return e
	}
	exchanges := []Exchange{
		headed("no content type", "Content-Type", "", noType),
		headed("text", "Content-Type", "text/plain", noType),
		headed("another kind of JSON", "Content-Type", "application/merge-patch+json", noType),
	}
	all := []Exchange{
		headed("another charset", "Content-Type", "application/json; charset=utf-16", noType),
		headed("no valid content type", "Content-Type", "application/json; =", noType),
		headed("compressed", "Content-Encoding", "gzip", coded),
		post("too large", large, tooLarge),
		{Name: "too large by its Content-Length", Method: "POST", Body: valid, Size: 1 << 40, Want: tooLarge},
		{Name: "too large and chunked", Method: "POST", Body: large, Size: -1, Want: tooLarge},
		{
			Name: "no credential", Method: "POST", Body: "{" + Echo, Want: unknown,
			Authenticate: authError(fmt.Errorf("expired: %w", httpapi.ErrUnauthenticated)),
		},
		{Name: "no credential, list", Method: "GET", Authenticate: authError(httpapi.ErrUnauthenticated), Want: unknown},
	}
	for _, id := range []struct {
		name string
		user tokens.UserID
	}{
		{"no user", ""}, {"a reserved user", "#" + Alice}, {"a user that is not UTF-8", Alice + "\xff"},
		{"a user with a control character", Alice + "\n"}, {"a user that is too long", tokens.UserID(strings.Repeat(Alice, 25))},
	} {
		all = append(all, Exchange{
			Name: id.name, Method: "GET", Want: refused(403, "forbidden"),
			Authenticate: func(*http.Request) (tokens.UserID, error) { return id.user, nil },
		})
	}
	for _, at := range []struct{ name, target string }{
		{"another path", "/v1/" + Echo}, {"a slash at the end", httpapi.Path + "/"},
		{"a doubled slash", "/v1//device-tokens"}, {"an escaped slash", "/v1%2Fdevice-tokens"},
	} {
		all = append(all, Exchange{Name: at.name, Method: "GET", Target: at.target, Want: refused(404, "not_found")})
	}
	for _, method := range []string{"PUT", "PATCH", "OPTIONS", "TRACE", Echo} {
		all = append(all, Exchange{Name: "method " + method, Method: method, Want: notAllowed})
	}
	for _, e := range all {
		exchanges = append(exchanges, blind(e))
	}
	return exchanges
}

func authError(err error) httpapi.Authenticator {
	return func(*http.Request) (tokens.UserID, error) { return "", err }
}
