package storetest

import (
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// soon are the times within which a store may take a refresh for none, to save a
// write.
var soon = map[string]time.Duration{
	"a second": time.Second, "half a minute": 30 * time.Second, "an hour": time.Hour, "a day": 24 * time.Hour,
	"a third of the TTL": store.DefaultTTL / 3,
}

// skips reports whether the store takes the refresh for none, and what it answers.
func (s *faulty) skips(req tokens.Request, old tokens.Registration, live bool, now time.Time) (store.Result, bool) {
	what, within, about := strings.Cut(s.fault, " within ")
	if !about || !live || !s.same(old.Token, req.Token) || now.Sub(old.UpdatedAt) > soon[within] {
		return store.Result{}, false
	}
	answer := store.Result{Registration: old, Outcome: store.Refreshed}
	switch unchanged := old.Active() && old.Platform == req.Platform && old.ProjectID == req.ProjectID; what {
	case "skips a refresh":
		return answer, true
	case "skips a refresh that changes nothing":
		return answer, unchanged
	case "answers a refresh that changes nothing, and skips it":
		answer.Registration = s.written(req, old, true, true, now)
		return answer, unchanged
	case "skips a refresh that changes the project":
		return answer, old.ProjectID != req.ProjectID
	case "skips a refresh of what is logged out":
		return answer, !old.Active()
	}
	return store.Result{}, false
}

var brokenSoon = func() []broken {
	var all []broken
	for within := range soon {
		for _, what := range []string{
			"skips a refresh", "skips a refresh that changes nothing", "answers a refresh that changes nothing, and skips it",
			"skips a refresh that changes the project", "skips a refresh of what is logged out",
		} {
			all = append(all, broken{what + " within " + within, []string{"Clock/RefreshSoon"}})
		}
	}
	return all
}()
