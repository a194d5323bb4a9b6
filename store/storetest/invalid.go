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
	{"Invalid/Register", "invalid", defaults, func(f *fixture) { f.refusesRequests(registerCall) }},
	{"Invalid/Get", "invalid", defaults, func(f *fixture) { f.refusesKeys(getCall) }},
	{"Invalid/List", "invalid", defaults, func(f *fixture) { f.refusesUsers(listCall) }},
	{"Invalid/Holder", "invalid", defaults, func(f *fixture) {
		f.refuses(holderCall(tokens.Hash{}), required(tokens.FieldTokenHash)...)
	}},
	{"Invalid/Deactivate", "invalid", defaults, func(f *fixture) { f.refusesKeys(deactivateCall) }},
	{"Invalid/Invalidate", "invalid", defaults, func(f *fixture) {
		sentAt := start.Add(time.Hour)
		f.refusesKeys(func(k tokens.Key) call { return invalidateCall(k, owned.Token.Hash(), sentAt) })
		f.refuses(invalidateCall(owned.Key, tokens.Hash{}, sentAt), required(tokens.FieldTokenHash)...)
		for sentAt, code := range map[time.Time]tokens.Code{
			{}:                                       tokens.CodeRequired,
			time.Time{}.In(time.FixedZone("", 3600)): tokens.CodeRequired,
			time.Date(0, time.December, 31, 23, 59, 59, 0, time.UTC):                   tokens.CodeMalformed,
			time.Date(9999, time.December, 31, 23, 0, 0, 0, time.FixedZone("", -3600)): tokens.CodeMalformed,
			time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC):                    tokens.CodeMalformed,
		} {
			f.refuses(invalidateCall(owned.Key, owned.Token.Hash(), sentAt), bad(tokens.FieldSentAt, code))
		}
		f.refuses(invalidateCall(tokens.Key{}, tokens.Hash{}, time.Time{}),
			required(tokens.FieldUserID, tokens.FieldDeviceID, tokens.FieldTokenHash, tokens.FieldSentAt)...)
		f.wantUnchanged(owned)
	}},
	{"Invalid/Delete", "invalid", defaults, func(f *fixture) { f.refusesKeys(deleteCall) }},
	{"Invalid/DeleteUser", "invalid", defaults, func(f *fixture) { f.refusesUsers(deleteUserCall) }},
}

const marker = "DO-NOT-ECHO"

// Ids that break a rule each, and projects.
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
	badProjects = map[tokens.ProjectID]tokens.Code{
		tokens.ProjectID(strings.Repeat("p", tokens.MaxProjectIDLen+1)): tokens.CodeTooLong,
		marker + "\xff": tokens.CodeInvalidUTF8,
		marker + "\t":   tokens.CodeControlCharacter,
	}
)

func bad(field string, code tokens.Code) tokens.FieldError {
	return tokens.FieldError{Field: field, Code: code}
}

func required(fields ...string) (errs []tokens.FieldError) {
	for _, field := range fields {
		errs = append(errs, bad(field, tokens.CodeRequired))
	}
	return errs
}

// refuses fails unless the call returns an InvalidError with just these fields and none of
// the input, also if its context is done.
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

func (f *fixture) refusesUsers(call userCall) {
	f.Helper()
	for user, code := range badUsers {
		f.refuses(call(user), bad(tokens.FieldUserID, code))
	}
}

func (f *fixture) refusesKeys(call keyCall) {
	f.Helper()
	f.register(owned)
	f.refusesUsers(func(user tokens.UserID) func(context.Context, store.Store) error { return call(key(user, phone)) })
	for device, code := range badDevices {
		f.refuses(call(key(alice, device)), bad(tokens.FieldDeviceID, code))
	}
	f.refuses(call(tokens.Key{}), required(tokens.FieldUserID, tokens.FieldDeviceID)...)
	f.wantUnchanged(owned)
}

// refusesRequests has requests with one bad field each, and the zero request.
func (f *fixture) refusesRequests(do func(tokens.Request) call) {
	f.Helper()
	f.register(owned)
	f.clock.advance(time.Hour)
	f.refusesUsers(func(user tokens.UserID) call { r := owned; r.Key.UserID = user; return do(r) })
	for device, code := range badDevices {
		req := owned
		req.Key.DeviceID = device
		f.refuses(do(req), bad(tokens.FieldDeviceID, code))
	}
	for platform, code := range map[tokens.Platform]tokens.Code{"": tokens.CodeRequired, "IOS": tokens.CodeUnknown, marker: tokens.CodeUnknown} {
		req := owned
		req.Platform = platform
		f.refuses(do(req), bad(tokens.FieldPlatform, code))
	}
	for project, code := range badProjects {
		req := owned
		req.ProjectID = project
		f.refuses(do(req), bad(tokens.FieldProjectID, code))
	}
	f.refuses(do(request(alice, phone, tokens.Token{})), required(tokens.FieldToken)...)
	f.refuses(do(tokens.Request{}), required(tokens.FieldUserID, tokens.FieldDeviceID, tokens.FieldToken, tokens.FieldPlatform)...)
	f.wantUnchanged(owned)
}

func invalidImport(f *fixture) {
	good := f.registered(owned, start, start.Add(time.Hour)) // which would be imported
	f.refusesRequests(func(req tokens.Request) call {
		r := good
		r.Key, r.Token, r.Platform, r.ProjectID = req.Key, req.Token, req.Platform, req.ProjectID
		return importCall(r)
	})
	for status, code := range map[tokens.Status]tokens.Code{"": tokens.CodeRequired, marker: tokens.CodeUnknown} {
		r := good
		r.Status = status
		f.refuses(importCall(r), bad(tokens.FieldStatus, code))
	}
	late := time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, t := range []time.Time{late, time.Date(0, time.December, 31, 23, 59, 59, 0, time.UTC)} {
		registered, updated, expires := good, good, good
		registered.RegisteredAt, updated.UpdatedAt, expires.ExpiresAt = t, t, t
		f.refuses(importCall(registered), bad(tokens.FieldRegisteredAt, tokens.CodeMalformed))
		f.refuses(importCall(updated), bad(tokens.FieldUpdatedAt, tokens.CodeMalformed))
		f.refuses(importCall(expires), bad(tokens.FieldExpiresAt, tokens.CodeMalformed))
	}
	f.refuses(importCall(tokens.Registration{ExpiresAt: late}), append(
		required(tokens.FieldUserID, tokens.FieldDeviceID, tokens.FieldToken, tokens.FieldPlatform, tokens.FieldStatus),
		bad(tokens.FieldExpiresAt, tokens.CodeMalformed))...)
	f.wantUnchanged(owned)
}
