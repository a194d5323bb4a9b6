package httpexchanges

import (
	"context"
	"strings"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func successes() []Exchange {
	createdAs := func(device string) Answer {
		return Answer{Status: 201, Body: answered(device, "ios"), Outcome: store.Created}
	}
	created := createdAs("phone")
	listed := func(registrations string) Answer {
		return Answer{Status: 200, Body: `{"deviceTokens":[` + registrations + `]}`, Outcome: store.OK}
	}
	removed := Answer{Status: 204, Outcome: store.OK}
	longest := strings.Repeat("\U0001F4F1", tokens.MaxDeviceIDLen) // four bytes, and two UTF-16 units, each

	after := func(e Exchange, given ...tokens.Request) Exchange {
		e.Given = given
		return e
	}
	at := func(e Exchange, target string) Exchange {
		e.Target = httpapi.Path + target
		return e
	}
	remove := func(name, query string) Exchange {
		return Exchange{Name: name, Method: "DELETE", Target: httpapi.Path + "?" + query, Want: removed}
	}
	get := func(name string, want Answer) Exchange { return Exchange{Name: name, Method: "GET", Want: want} }

	withParameters := post("create, a charset and other parameters", valid, created)
	withParameters.Header = map[string]string{"Content-Type": "Application/JSON; Charset=UTF-8; v=1", "Content-Encoding": "identity"}
	chunked := post("create, chunked", valid, created)
	chunked.Size = -1
	older := get("list a row of an older service, which lacks times", listed(`{"deviceId":"phone","platform":"ios"}`))
	older.Store = func(s store.Store) store.Store { return olderRow{s} }
	named := get("a sane request id is kept", listed(""))
	named.Header = map[string]string{"X-Request-Id": "1-67a_b.C"}
	named.Want.Header = named.Header

	return []Exchange{
		post("create", valid, created),
		post("create with a project",
			`{"deviceId":"phone","expoPushToken":"`+token+`","platform":"android","projectId":"@example/app"}`, Answer{
				Status: 201, Outcome: store.Created,
				Body: `{"deviceId":"phone","platform":"android","projectId":"@example/app",` + answeredTimes + `}`,
			}),
		post("create, an empty project is none", valid[:len(valid)-1]+`,"projectId":""}`, created),
		post("create with the bare form of a token", body("phone", bare), created),
		post("create with the longest token", body("phone", "ExpoPushToken["+secret+strings.Repeat("~", 240-len(secret))+"]"), created),
		post("create with the longest device id", body(longest, token), createdAs(longest)),
		post("create with the longest device id, escaped", body(strings.Repeat(`\uD83D\uDCF1`, tokens.MaxDeviceIDLen), token), createdAs(longest)),
		post("create with a device id that needs escapes", body(`#\"\\\/ <\u00e9>`, token), createdAs(`#\"\\/ <é>`)),
		post("create, names and white space as JSON allows",
			" {\r\n\t\"device\\u0049d\" : \"phone\" , \"expoPushToken\":\""+token+"\",\"platform\":\"\\u0069os\"} \n", created),
		withParameters,
		chunked,
		at(post("create, a user in the query changes nothing", valid, created), "?userId="+Bob+"&deviceId="+echo),
		at(post("create, a query that is not well-formed changes nothing", valid, created), "?%zz;"),
		after(post("refresh", valid, Answer{Status: 200, Body: answered("phone", "ios"), Outcome: store.Refreshed}),
			registered(Alice, "phone", respelled)),
		after(post("replace the token", valid, Answer{Status: 200, Body: answered("phone", "ios"), Outcome: store.Replaced}),
			registered(Alice, "phone", otherToken)),
		after(post("move the phone, which the answer does not tell", valid, created), registered(Bob, "phone", token)),
		get("list nothing", listed("")),
		after(at(get("list the caller's, by device id", listed(answered("phone", "ios")+","+answered("tablet", "ios"))), "?userId="+Bob),
			registered(Alice, "tablet", token), registered(Alice, "phone", otherToken), registered(Bob, "watch", bare)),
		older,
		{Name: "head", Method: "HEAD", Want: Answer{Status: 200, Outcome: store.OK}},
		after(remove("log out", "deviceId=phone"), registered(Alice, "phone", token)),
		remove("log out, nothing is there", "deviceId=phone&permanent=false&other=1"),
		remove("log out on a device with a name that needs escapes", "deviceId=%23%26+%F0%9F%93%B1"),
		after(remove("erase", "permanent=true&deviceId=phone"), registered(Alice, "phone", token)),
		named,
	}
}

// olderRow lists one registration that has no times.
type olderRow struct{ store.Store }

func (olderRow) List(_ context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	reg := registered(user, "phone", token)
	return []tokens.Registration{{Key: reg.Key, Token: reg.Token, Platform: reg.Platform, Status: tokens.Active}}, nil
}
