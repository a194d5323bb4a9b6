package storetest

import (
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var clockChecks = []check{
	{name: "Clock/Truncated", run: clockTruncated},
	{name: "Clock/RefreshInThePast", run: clockRefreshInThePast},
	{name: "Clock/ReplaceInThePast", run: clockReplaceInThePast},
	{name: "Clock/MoveInThePast", run: clockMoveInThePast},
}

// clockTruncated has times that rounding to the nearest would put into the next
// millisecond or second.
func clockTruncated(f *fixture) {
	for i, now := range []time.Time{
		time.Date(2051, time.May, 6, 7, 8, 9, 0, time.UTC),
		time.Date(2051, time.May, 6, 7, 8, 9, 999_999_999, time.UTC),
		time.Date(2051, time.December, 31, 23, 59, 59, 499_500_000, time.FixedZone("", 3600)),
		time.Date(2052, time.February, 29, 23, 59, 59, 999_000_001, time.FixedZone("", -12*3600)),
	} {
		f.clock.set(now)
		req := request(alice, device(i), token(i))
		f.wantResult(req, store.Created, now, f.register(req))
		f.wantResult(req, store.Refreshed, now, f.register(req))
	}
}

// wantAnHourBack sets the clock back by an hour and fails unless req then wins:
// of two writes the one applied last does, whatever the clock says.
func (f *fixture) wantAnHourBack(req tokens.Request, outcome store.Outcome) {
	f.Helper()
	f.clock.set(start.Add(-time.Hour))
	f.wantResult(req, outcome, start, f.register(req))
}

func clockRefreshInThePast(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	req.Platform = tokens.Android
	f.wantAnHourBack(req, store.Refreshed)
	f.deactivate(req.Key)
	f.wantDevices(alice)
}

func clockReplaceInThePast(f *fixture) {
	f.register(request(alice, phone, token(1)))
	f.wantAnHourBack(request(alice, phone, token(2)), store.Replaced)
	f.wantNoHolder(token(1))
}

func clockMoveInThePast(f *fixture) {
	f.register(request(alice, phone, token(1)))
	f.clock.set(start.Add(-time.Hour))
	req := request(bob, phone, token(1))
	f.wantMove(req, store.Created, f.clock.Now(), key(alice, phone), f.register(req))
	f.clock.set(start)
	f.wantNone(key(alice, phone))
}
