package storetest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var invalidChecks = []check{
	{name: "Invalid/Register", rule: "invalid", run: invalidRegister},
	{name: "Invalid/Get", rule: "invalid", run: func(f *fixture) { f.refusesKeys(getCall) }},
	{name: "Invalid/List", rule: "invalid", run: func(f *fixture) { f.refusesUsers(listCall) }},
	{name: "Invalid/Holder", rule: "invalid", run: invalidHolder},
	{name: "Invalid/Deactivate", rule: "invalid", run: func(f *fixture) { f.refusesKeys(deactivateCall) }},
	{name: "Invalid/Invalidate", rule: "invalid", run: invalidInvalidate},
	{name: "Invalid/Delete", rule: "invalid", run: func(f *fixture) { f.refusesKeys(deleteCall) }},
	{name: "Invalid/DeleteUser", rule: "invalid", run: func(f *fixture) { f.refusesUsers(deleteUserCall) }},
}

const marker = "DO-NOT-ECHO"

// badUsers and badDevices are ids that break a rule each.
var (
	badUsers = map[tokens.UserID]tokens.Code{
		"": tokens.CodeRequired,
		tokens.UserID(strings.Repeat("é", tokens.MaxUserIDLen+1)): tokens.CodeTooLong,
		marker + "\xff":           tokens.CodeInvalidUTF8,
		marker + "\x00":           tokens.CodeControlCharacter,
		marker + "\u0085":         tokens.CodeControlCharacter,
		"#" + marker:              tokens.CodeReserved,
		"#claim#1#AAAAAAAAAAAAAA": tokens.CodeReserved,
	}
	badDevices = map[tokens.DeviceID]tokens.Code{
		"": tokens.CodeRequired,
		tokens.DeviceID(strings.Repeat("é", tokens.MaxDeviceIDLen+1)): tokens.CodeTooLong,
		marker + "\xff": tokens.CodeInvalidUTF8,
		marker + "\n":   tokens.CodeControlCharacter,
	}
)

// refuses fails unless the call returns an InvalidError with just these fields,
// and none of the input, also if its context is done.
func (f *fixture) refuses(call func(context.Context, store.Store) error, want ...tokens.FieldError) {
	f.Helper()
	err := call(f.Context(), f.store)
	var invalid *tokens.InvalidError
	if !errors.As(err, &invalid) {
		f.Errorf("got error %v, want *tokens.InvalidError with %v", err, want)
		return
	}
	f.wantEqual("Fields", want, invalid.Fields)
	if strings.Contains(err.Error(), marker) {
		f.Errorf("the error's text %q contains the input", err)
	}
	done, cancel := context.WithCancel(f.Context())
	cancel()
	if err := call(done, f.store); !errors.As(err, &invalid) {
		f.Errorf("an argument is invalid and the context is done: got error %v, want *tokens.InvalidError", err)
	}
}

func (f *fixture) refusesKeys(call keyCall) {
	f.Helper()
	req := request(alice, phone, token(1))
	f.register(req)
	for user, code := range badUsers {
		f.refuses(call(key(user, phone)), tokens.FieldError{Field: tokens.FieldUserID, Code: code})
	}
	for device, code := range badDevices {
		f.refuses(call(key(alice, device)), tokens.FieldError{Field: tokens.FieldDeviceID, Code: code})
	}
	f.refuses(call(tokens.Key{}),
		tokens.FieldError{Field: tokens.FieldUserID, Code: tokens.CodeRequired},
		tokens.FieldError{Field: tokens.FieldDeviceID, Code: tokens.CodeRequired})
	f.wantStored(f.registered(req, start, start))
}

func (f *fixture) refusesUsers(call userCall) {
	f.Helper()
	for user, code := range badUsers {
		f.refuses(call(user), tokens.FieldError{Field: tokens.FieldUserID, Code: code})
	}
}

// invalidRegister makes each bad request of a good one that is registered.
func invalidRegister(f *fixture) {
	good := request(alice, phone, token(1))
	f.register(good)
	f.clock.advance(time.Hour)
	refuses := func(change func(*tokens.Request), want ...tokens.FieldError) {
		f.Helper()
		req := good
		change(&req)
		f.refuses(registerCall(req), want...)
	}
	for user, code := range badUsers {
		refuses(func(r *tokens.Request) { r.Key.UserID = user }, tokens.FieldError{Field: tokens.FieldUserID, Code: code})
	}
	for device, code := range badDevices {
		refuses(func(r *tokens.Request) { r.Key.DeviceID = device }, tokens.FieldError{Field: tokens.FieldDeviceID, Code: code})
	}
	for platform, code := range map[tokens.Platform]tokens.Code{"": tokens.CodeRequired, "IOS": tokens.CodeUnknown, marker: tokens.CodeUnknown} {
		refuses(func(r *tokens.Request) { r.Platform = platform }, tokens.FieldError{Field: tokens.FieldPlatform, Code: code})
	}
	for project, code := range map[tokens.ProjectID]tokens.Code{
		tokens.ProjectID(strings.Repeat("p", tokens.MaxProjectIDLen+1)): tokens.CodeTooLong,
		marker + "\xff": tokens.CodeInvalidUTF8,
		marker + "\t":   tokens.CodeControlCharacter,
	} {
		refuses(func(r *tokens.Request) { r.ProjectID = project }, tokens.FieldError{Field: tokens.FieldProjectID, Code: code})
	}
	refuses(func(r *tokens.Request) { r.Token = tokens.Token{} }, tokens.FieldError{Field: tokens.FieldToken, Code: tokens.CodeRequired})
	refuses(func(r *tokens.Request) { *r = tokens.Request{} },
		tokens.FieldError{Field: tokens.FieldUserID, Code: tokens.CodeRequired},
		tokens.FieldError{Field: tokens.FieldDeviceID, Code: tokens.CodeRequired},
		tokens.FieldError{Field: tokens.FieldToken, Code: tokens.CodeRequired},
		tokens.FieldError{Field: tokens.FieldPlatform, Code: tokens.CodeRequired})
	f.wantStored(f.registered(good, start, start))
}

func invalidHolder(f *fixture) {
	f.refuses(holderCall(tokens.Hash{}), tokens.FieldError{Field: tokens.FieldTokenHash, Code: tokens.CodeRequired})
}

func invalidInvalidate(f *fixture) {
	sentAt := start.Add(time.Hour)
	f.refusesKeys(func(k tokens.Key) call { return invalidateCall(k, token(1).Hash(), sentAt) })

	req := request(alice, phone, token(1))
	f.refuses(invalidateCall(req.Key, tokens.Hash{}, sentAt), tokens.FieldError{Field: tokens.FieldTokenHash, Code: tokens.CodeRequired})
	for sentAt, code := range map[time.Time]tokens.Code{
		{}:                                       tokens.CodeRequired,
		time.Time{}.In(time.FixedZone("", 3600)): tokens.CodeRequired,
		time.Date(0, time.December, 31, 23, 59, 59, 0, time.UTC):                   tokens.CodeMalformed,
		time.Date(9999, time.December, 31, 23, 0, 0, 0, time.FixedZone("", -3600)): tokens.CodeMalformed,
		time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC):                    tokens.CodeMalformed,
	} {
		f.refuses(invalidateCall(req.Key, req.Token.Hash(), sentAt), tokens.FieldError{Field: tokens.FieldSentAt, Code: code})
	}
	f.refuses(invalidateCall(tokens.Key{}, tokens.Hash{}, time.Time{}),
		tokens.FieldError{Field: tokens.FieldUserID, Code: tokens.CodeRequired},
		tokens.FieldError{Field: tokens.FieldDeviceID, Code: tokens.CodeRequired},
		tokens.FieldError{Field: tokens.FieldTokenHash, Code: tokens.CodeRequired},
		tokens.FieldError{Field: tokens.FieldSentAt, Code: tokens.CodeRequired})
	f.wantStored(f.registered(req, start, start))
}
