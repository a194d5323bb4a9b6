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

// refusedBodies are those that are not one JSON object of the declared members
// and types.
func refusedBodies() []Exchange {
	bad := func(name, body, code string, errors ...string) Exchange {
		return Exchange{Name: "body: " + name, Method: "POST", Body: body, Want: refused(400, code, errors...)}
	}
	blind := func(name, body, code string, errors ...string) Exchange {
		e := bad(name, body, code, errors...)
		e.Blind = true
		return e
	}
	end := valid[len(`{"deviceId":"phone"`):] // from the comma on
	return []Exchange{
		bad("none", "", "invalid_json"),
		bad("white space", " \n", "invalid_json"),
		bad("not JSON", echo, "invalid_json"),
		bad("cut short", valid[:len(valid)-1], "invalid_json"),
		bad("cut short in a string", valid[:len(valid)-3], "invalid_json"),
		bad("a comma too many", valid[:len(valid)-1]+",}", "invalid_json"),
		bad("a comma too few", `{"deviceId":"ecHO" "platform":"ios"}`, "invalid_json"),
		bad("no colon", `{"deviceId" "ecHO"}`, "invalid_json"),
		bad("no quotes", `{deviceId:"ecHO"}`, "invalid_json"),
		bad("single quotes", `{'deviceId':'ecHO'}`, "invalid_json"),
		bad("a comment", `{/* ecHO */}`, "invalid_json"),
		bad("a raw line break in a string", "{\"deviceId\":\"EC\nHO\"}", "invalid_json"),
		bad("an escape that JSON does not have", `{"deviceId":"\xecHO"}`, "invalid_json"),
		bad("a short escape", `{"deviceId":"\u12"}`, "invalid_json"),
		bad("not JSON after a member that is not declared", `{"ecHO":1,}`, "invalid_json"),
		blind("a byte order mark", "\uFEFF"+valid, "invalid_json"),
		blind("invalid UTF-8", `{"deviceId":"`+"\xff"+`"`+end, "invalid_utf8"),
		blind("invalid UTF-8, a surrogate", `{"deviceId":"`+"\xed\xa0\x80"+`"`+end, "invalid_utf8"),
		bad("null", `null`, "not_an_object"),
		bad("an array", `[`+valid+`]`, "not_an_object"),
		bad("a string", `"ecHO"`, "not_an_object"),
		bad("deep arrays", strings.Repeat("[", 1000)+strings.Repeat("]", 1000), "not_an_object"),
		blind("a second object", valid+valid, "trailing_data"),
		blind("something after the object", valid+echo, "trailing_data"),
		blind("a zero byte after the object", valid+"\x00", "trailing_data"),
		bad("a member that is not declared", `{"ecHO":"x"`+end[1:], "invalid_json"),
		bad("one member more", `{"ecHO":"x",`+valid[1:], "unknown_member"),
		bad("a user", `{"userId":"`+Bob+`",`+valid[1:], "unknown_member"),
		bad("another case", `{"deviceID":"ecHO"`+end, "unknown_member"),
		bad("another case beside the right one", `{"DEVICEID":"ecHO",`+valid[1:], "unknown_member"),
		bad("an empty name", `{"":"ecHO",`+valid[1:], "unknown_member"),
		blind("a member twice", `{"deviceId":"phone",`+valid[1:], "duplicate_member", "deviceId duplicate_member"),
		blind("a member twice, once with an escape", `{"device\u0049d":"phone",`+valid[1:], "duplicate_member", "deviceId duplicate_member"),
		bad("null for a string", `{"deviceId":null`+end, "wrong_type", "deviceId wrong_type"),
		bad("a number for a string", `{"deviceId":17`+end, "wrong_type", "deviceId wrong_type"),
		bad("a boolean for a string", valid[:len(valid)-1]+`,"projectId":false}`, "wrong_type", "projectId wrong_type"),
		bad("an object for a string", `{"deviceId":{"ecHO":1}`+end, "nested_value", "deviceId nested_value"),
		bad("an array for a string", `{"deviceId":["ecHO"]`+end, "nested_value", "deviceId nested_value"),
		bad("deep nesting", `{"deviceId":`+strings.Repeat(`{"a":[`, 300)+strings.Repeat("]}", 300)+end, "nested_value", "deviceId nested_value"),
		blind("half a character", `{"deviceId":"ecHO\ud83d"`+end, "lone_surrogate", "deviceId lone_surrogate"),
		blind("half a character before another escape", `{"deviceId":"\uD83D\u0041"`+end, "lone_surrogate", "deviceId lone_surrogate"),
		blind("half a character before what is no escape", `{"deviceId":"\ud83dxudcf1"`+end, "lone_surrogate", "deviceId lone_surrogate"),
		blind("half a character before an escape of another kind", `{"deviceId":"\ud83d\ndcf1"`+end, "lone_surrogate", "deviceId lone_surrogate"),
		blind("the other half of a character", `{"deviceId":"\\\udcf1\ud83d"`+end, "lone_surrogate", "deviceId lone_surrogate"),
		bad("half a character in a name", `{"ecHO\ud83d":1}`, "lone_surrogate"),
	}
}

// refusedValues are of the declared form, but break a rule.
func refusedValues() []Exchange {
	bad := func(name, body string, errors ...string) Exchange {
		return Exchange{Name: "value: " + name, Method: "POST", Body: body, Want: refused(422, "invalid_fields", errors...)}
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
		with("with a C1 control", "deviceId", `\u0085ecHO`, "control_character"),
		with("with a delete", "deviceId", "EC\x7fHO", "control_character"),
		with("empty", "expoPushToken", "", "required"),
		with("one character too long", "expoPushToken", "ExpoPushToken["+secret+strings.Repeat("~", 241-len(secret))+"]", "too_long"),
		with("of another service", "expoPushToken", secret+":APA91b", "malformed"),
		with("with nothing in it", "expoPushToken", "ExpoPushToken[]", "malformed"),
		with("with a space", "expoPushToken", "ExpoPushToken["+secret+" ]", "malformed"),
		with("with a bracket", "expoPushToken", "ExpoPushToken["+secret+"]]", "malformed"),
		with("with a letter that is not ASCII", "expoPushToken", "ExpoPushToken["+secret+"\u212a]", "malformed"),
		with("in the bare form with one", "expoPushToken", "\u212a"+bare[1:], "malformed"),
		with("with white space around", "expoPushToken", " "+token, "malformed"),
		with("empty", "platform", "", "required"),
		with("in another case", "platform", "iOS", "unknown"),
		with("of the browser", "platform", "web", "unknown"),
		with("too long", "projectId", strings.Repeat("ecHO", 17), "too_long"),
		with("with a tab", "projectId", `ecHO\t`, "control_character"),
	}
}

func refusedQueries() []Exchange {
	bad := func(name, query string, errors ...string) Exchange {
		return Exchange{
			Name: "query: " + name, Method: "DELETE", Target: httpapi.Path + "?" + query,
			Want: refused(422, "invalid_fields", errors...),
		}
	}
	blind := func(e Exchange) Exchange {
		e.Blind = true
		return e
	}
	malformed := func(name, query string) Exchange {
		e := blind(bad(name, query))
		e.Want = refused(400, "invalid_query")
		return e
	}
	return []Exchange{
		bad("nothing", "", "deviceId required"),
		bad("an empty device", "deviceId=", "deviceId required"),
		bad("another case", "deviceid=ecHO", "deviceId required"),
		blind(bad("a device twice", "deviceId=ecHO1&deviceId=ecHO2", "deviceId repeated")),
		bad("a device that is too long", "deviceId="+strings.Repeat("ecHO", 33), "deviceId too_long"),
		bad("a device with a control character", "deviceId=ecHO%00", "deviceId control_character"),
		blind(bad("a device that is not UTF-8", "deviceId=ecHO%ff", "deviceId invalid_utf8")),
		bad("an unknown permanent", "deviceId=phone&permanent=ecHO", "permanent unknown"),
		bad("permanent in another case", "deviceId=phone&permanent=True", "permanent unknown"),
		bad("an empty permanent", "deviceId=phone&permanent=", "permanent unknown"),
		blind(bad("permanent twice", "deviceId=phone&permanent=true&permanent=true", "permanent repeated")),
		bad("all bad at once", "permanent=ecHO", "deviceId required", "permanent unknown"),
		malformed("a bad percent-encoding", "deviceId=%EC%HO"),
		malformed("a semicolon", "deviceId=phone;permanent=true"),
		malformed("a bad percent-encoding elsewhere", "deviceId=phone&ecHO=%"),
	}
}

// refusedRequests are refused for who sends them, or for what they are beside
// body and query.
func refusedRequests() []Exchange {
	post := func(name string, header map[string]string, want Answer) Exchange {
		return Exchange{Name: name, Method: "POST", Body: valid, Header: header, Want: want}
	}
	noType := refused(415, "unsupported_media_type")
	noType.Header = map[string]string{"Accept": "application/json"}
	coded := refused(415, "unsupported_content_coding")
	coded.Header = map[string]string{"Accept-Encoding": "identity"}
	tooLarge := refused(413, "content_too_large")
	large := valid + strings.Repeat(" ", httpapi.DefaultMaxBodyBytes)

	exchanges := []Exchange{
		post("no content type", map[string]string{"Content-Type": ""}, noType),
		post("a form", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, noType),
		post("text", map[string]string{"Content-Type": "text/plain"}, noType),
		post("another kind of JSON", map[string]string{"Content-Type": "application/merge-patch+json"}, noType),
	}
	blind := []Exchange{
		post("another charset", map[string]string{"Content-Type": "application/json; charset=utf-16"}, noType),
		post("no valid content type", map[string]string{"Content-Type": "application/json; ="}, noType),
		post("compressed", map[string]string{"Content-Encoding": "gzip"}, coded),
		{Name: "too large", Method: "POST", Body: large, Want: tooLarge},
		{Name: "too large by what it says", Method: "POST", Body: valid, Size: 1 << 40, Want: tooLarge},
		{Name: "too large and chunked", Method: "POST", Body: large, Size: -1, Want: tooLarge},
		{
			Name: "no credential", Method: "POST", Body: "{" + echo,
			Authenticate: authError(fmt.Errorf("expired: %w", httpapi.ErrUnauthenticated)),
			Want: Answer{
				Status: 401, Code: "unauthenticated", Outcome: store.Invalid,
				Header: map[string]string{"WWW-Authenticate": "Bearer"},
			},
		},
		{
			Name: "no credential, list", Method: "GET", Authenticate: authError(httpapi.ErrUnauthenticated),
			Want: Answer{
				Status: 401, Code: "unauthenticated", Outcome: store.Invalid,
				Header: map[string]string{"WWW-Authenticate": "Bearer"},
			},
		},
	}
	for name, id := range inOrder(map[string]tokens.UserID{
		"no user": "", "a reserved user": "#" + Alice, "a user that is not UTF-8": Alice + "\xff",
		"a user with a control character": Alice + "\n", "a user that is too long": tokens.UserID(strings.Repeat(Alice, 25)),
	}) {
		blind = append(blind, Exchange{
			Name: name, Method: "GET", Want: refused(403, "forbidden"),
			Authenticate: func(*http.Request) (tokens.UserID, error) { return id, nil },
		})
	}
	for name, target := range inOrder(map[string]string{
		"another path": "/v1/" + echo, "the root": "/", "a slash at the end": httpapi.Path + "/",
		"a doubled slash": "/v1//device-tokens", "dots": "/v1/x/../device-tokens", "an escaped slash": "/v1%2Fdevice-tokens",
		"below the path": httpapi.Path + "/phone",
	}) {
		blind = append(blind, Exchange{Name: name, Method: "GET", Target: target, Want: refused(404, "not_found")})
	}
	for _, method := range []string{"PUT", "PATCH", "OPTIONS", "TRACE", echo} {
		want := refused(405, "method_not_allowed")
		want.Header = map[string]string{"Allow": "DELETE, GET, HEAD, POST"}
		blind = append(blind, Exchange{Name: "method " + method, Method: method, Want: want})
	}
	for i := range blind {
		blind[i].Blind = true
	}
	return append(exchanges, blind...)
}

func authError(err error) httpapi.Authenticator {
	return func(*http.Request) (tokens.UserID, error) { return "", err }
}
