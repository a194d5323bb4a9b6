package httpexchanges

import (
	"context"
	"strings"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func successes() []Exchange {
	created := Answer{Status: 201, Body: answered("phone", "ios"), Outcome: store.Created}
	longest := strings.Repeat("\U0001F4F1", tokens.MaxDeviceIDLen) // four bytes, and two UTF-16 units, each
	inner := func(n int) string { return secret + strings.Repeat("~", n-len(secret)) }
	return []Exchange{
		{Name: "create", Method: "POST", Body: valid, Want: created},
		{
			Name: "create with a project", Method: "POST",
			Body: `{"deviceId":"phone","expoPushToken":"` + token + `","platform":"android","projectId":"@example/app"}`,
			Want: Answer{
				Status: 201, Outcome: store.Created,
				Body: `{"deviceId":"phone","platform":"android","projectId":"@example/app",` + answeredTimes + `}`,
			},
		},
		{
			Name: "create, an empty project is none", Method: "POST",
			Body: `{"deviceId":"phone","expoPushToken":"` + token + `","platform":"ios","projectId":""}`, Want: created,
		},
		{
			Name: "create with the bare form of a token", Method: "POST",
			Body: `{"deviceId":"phone","expoPushToken":"` + bare + `","platform":"ios"}`, Want: created,
		},
		{
			Name: "create with the longest token", Method: "POST",
			Body: `{"deviceId":"phone","expoPushToken":"ExpoPushToken[` + inner(240) + `]","platform":"ios"}`, Want: created,
		},
		{
			Name: "create with the longest device id", Method: "POST",
			Body: `{"deviceId":"` + longest + `","expoPushToken":"` + token + `","platform":"ios"}`,
			Want: Answer{Status: 201, Body: answered(longest, "ios"), Outcome: store.Created},
		},
		{
			Name: "create with the longest device id, escaped", Method: "POST",
			Body: `{"deviceId":"` + strings.Repeat(`\uD83D\uDCF1`, tokens.MaxDeviceIDLen) + `","expoPushToken":"` + token + `","platform":"ios"}`,
			Want: Answer{Status: 201, Body: answered(longest, "ios"), Outcome: store.Created},
		},
		{
			Name: "create with a device id that needs escapes", Method: "POST",
			Body: `{"deviceId":"#\"\\\/ <\u00e9>","expoPushToken":"` + token + `","platform":"ios"}`,
			Want: Answer{Status: 201, Body: answered(`#\"\\/ <é>`, "ios"), Outcome: store.Created},
		},
		{
			Name: "create, names and white space as JSON allows", Method: "POST",
			Body: " {\r\n\t\"device\\u0049d\" : \"phone\" , \"expoPushToken\":\"" + token + "\",\"platform\":\"\\u0069os\"} \n",
			Want: created,
		},
		{
			Name: "create, a charset and other parameters", Method: "POST", Body: valid,
			Header: map[string]string{"Content-Type": "Application/JSON; Charset=UTF-8; v=1", "Content-Encoding": "identity"},
			Want:   created,
		},
		{Name: "create, chunked", Method: "POST", Body: valid, Size: -1, Want: created},
		{
			Name: "create, a user in the query changes nothing", Method: "POST",
			Target: httpapi.Path + "?userId=" + Bob + "&deviceId=" + echo, Body: valid, Want: created,
		},
		{
			Name: "create, a query that is not well-formed changes nothing", Method: "POST",
			Target: httpapi.Path + "?%zz;", Body: valid, Want: created,
		},
		{
			Name: "refresh", Method: "POST", Body: valid,
			Given: []tokens.Request{registered(Alice, "phone", respelled)},
			Want:  Answer{Status: 200, Body: answered("phone", "ios"), Outcome: store.Refreshed},
		},
		{
			Name: "replace the token", Method: "POST", Body: valid,
			Given: []tokens.Request{registered(Alice, "phone", otherToken)},
			Want:  Answer{Status: 200, Body: answered("phone", "ios"), Outcome: store.Replaced},
		},
		{
			Name: "move the phone, which the answer does not tell", Method: "POST", Body: valid,
			Given: []tokens.Request{registered(Bob, "phone", token)},
			Want:  created,
		},
		{
			Name: "list nothing", Method: "GET",
			Want: Answer{Status: 200, Body: `{"deviceTokens":[]}`, Outcome: store.OK},
		},
		{
			Name: "list the caller's, by device id", Method: "GET", Target: httpapi.Path + "?userId=" + Bob,
			Given: []tokens.Request{
				registered(Alice, "tablet", token), registered(Alice, "phone", otherToken), registered(Bob, "watch", bare),
			},
			Want: Answer{
				Status: 200, Outcome: store.OK,
				Body: `{"deviceTokens":[` + answered("phone", "ios") + `,` + answered("tablet", "ios") + `]}`,
			},
		},
		{
			Name: "list a row of an older service, which lacks times", Method: "GET",
			Store: func(s store.Store) store.Store { return olderRow{s} },
			Want: Answer{
				Status: 200, Body: `{"deviceTokens":[{"deviceId":"phone","platform":"ios"}]}`, Outcome: store.OK,
			},
		},
		{Name: "head", Method: "HEAD", Want: Answer{Status: 200, Outcome: store.OK}},
		{
			Name: "log out", Method: "DELETE", Target: httpapi.Path + "?deviceId=phone",
			Given: []tokens.Request{registered(Alice, "phone", token)},
			Want:  Answer{Status: 204, Outcome: store.OK},
		},
		{
			Name: "log out, nothing is there", Method: "DELETE", Target: httpapi.Path + "?deviceId=phone&permanent=false&other=1",
			Want: Answer{Status: 204, Outcome: store.OK},
		},
		{
			Name: "log out on a device with a name that needs escapes", Method: "DELETE",
			Target: httpapi.Path + "?deviceId=%23%26+%F0%9F%93%B1",
			Want:   Answer{Status: 204, Outcome: store.OK},
		},
		{
			Name: "erase", Method: "DELETE", Target: httpapi.Path + "?permanent=true&deviceId=phone",
			Given: []tokens.Request{registered(Alice, "phone", token)},
			Want:  Answer{Status: 204, Outcome: store.OK},
		},
		{
			Name: "a sane request id is kept", Method: "GET", Header: map[string]string{"X-Request-Id": "1-67a_b.C"},
			Want: Answer{
				Status: 200, Body: `{"deviceTokens":[]}`, Outcome: store.OK,
				Header: map[string]string{"X-Request-Id": "1-67a_b.C"},
			},
		},
	}
}

// olderRow lists one registration that has no times.
type olderRow struct{ store.Store }

func (olderRow) List(_ context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	reg := registered(user, "phone", token)
	return []tokens.Registration{{Key: reg.Key, Token: reg.Token, Platform: reg.Platform, Status: tokens.Active}}, nil
}
