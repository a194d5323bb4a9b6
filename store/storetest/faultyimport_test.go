package storetest

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func (s *faulty) Import(ctx context.Context, r tokens.Registration) (store.ImportOutcome, error) {
	if err := s.begin(ctx, "Import", store.ValidateImport(r)); err != nil {
		return "", err
	}
	defer s.mu.Unlock()
	now := s.policy.Now()
	given := r
	if !r.UpdatedAt.IsZero() && !r.UpdatedAt.After(now) && s.has("Import takes the server's time") {
		r.UpdatedAt = now
	}
	own, holder := s.importing(r, now)
	planned, outcome := s.planImport(r, now, own, holder)
	if s.has("Import reads, then writes") {
		s.gap()
	}
	if holder != nil && ctx.Err() != nil && s.has("Import gives up after it removed the holder") {
		s.erase(holder.Key)
		return "", gaveUp(ctx)
	}
	switch outcome {
	case store.Imported:
		if holder != nil {
			s.eraseImported(*holder, r)
			if s.has("Import counts the device that loses the token") {
				s.counter[holder.Key.UserID]++
			}
		}
		s.put(s.importedAs(planned, given, own, now))
		delete(s.broken, s.id(r.Key))
		if s.has("Import makes room") && s.crowded(r.Key.UserID) {
			s.erase(s.of(r.Key.UserID)[0].Key)
		}
		if s.has("Import obeys the limit") && s.crowded(r.Key.UserID) {
			s.erase(r.Key)
			return store.ImportKept, s.end(ctx, "Import")
		}
	case store.ImportedStatus:
		if s.has("Import reads the row, then writes its status") {
			s.gap()
		}
		if s.has("Import writes what it was given over the status") {
			planned = given
		}
		s.put(planned)
	case store.ImportKept:
		if holder != nil && s.has("Import removes the holder that it keeps the token for") {
			s.erase(holder.Key)
		}
		if own != nil && own.Active() && !r.Active() && s.has("Import takes any log out") {
			own.Status = r.Status
			s.put(*own)
		}
	}
	if outcome == store.ImportedStatus && s.has("Import does not say that it took the status") {
		outcome = store.ImportKept
	}
	if outcome == store.ImportExpired && s.has("Import does not say that what it was given has expired") {
		outcome = store.ImportKept
	}
	return outcome, s.end(ctx, "Import")
}

// importing returns what PlanImport has to know.
func (s *faulty) importing(r tokens.Registration, now time.Time) (own, holder *tokens.Registration) {
	if stored, ok := s.rows[s.id(r.Key)]; ok {
		own = &stored
	}
	holder = s.previous(tokens.Request{Key: r.Key, Token: r.Token})
	if own != nil && s.broken[s.id(r.Key)] && !s.has("Import compares what cannot be decoded") {
		own = nil
	}
	if own != nil && s.has("Import ignores what is under the key") {
		own = nil
	}
	if holder != nil && (s.has("Import leaves the token with its holder too") ||
		s.broken[s.id(holder.Key)] && s.has("Import leaves the token with what cannot be decoded too") ||
		s.expired(*holder, now) && s.has("Import leaves the token with its expired holder too") ||
		holder.Key.UserID == r.Key.UserID && s.has("Import leaves the token with the user's other device too")) {
		holder = nil
	}
	return own, holder
}

func (s *faulty) planImport(r tokens.Registration, now time.Time, own, holder *tokens.Registration) (tokens.Registration, store.ImportOutcome) {
	compared := holder
	if holder != nil && (s.broken[s.id(holder.Key)] || s.has("Import takes the token from whoever has it") ||
		!holder.Active() && s.has("Import takes the token from what is inactive")) {
		compared = nil
	}
	if own != nil && !own.Active() && s.has("Import overwrites what is inactive") {
		own = nil
	}
	for _, stored := range []*tokens.Registration{own, compared} {
		if stored != nil && s.expired(*stored, now) && s.has("Import keeps what has expired and is newer") {
			return tokens.Registration{}, store.ImportKept
		}
		if stored != nil && stored.UpdatedAt.Equal(r.UpdatedAt) && stored.Active() == r.Active() && s.has("Import overwrites what is as old") {
			return s.stampedImport(r), store.Imported
		}
	}
	if own != nil && s.has("Import keeps whatever is under the key") {
		return tokens.Registration{}, store.ImportKept
	}
	if r.UpdatedAt.After(now) && s.has("Import believes a time that has not come") {
		return s.stampedImport(r), store.Imported
	}
	planned, outcome := s.policy.PlanImport(r, now, own, compared)
	switch {
	case outcome == store.ImportExpired && s.has("Import stores what has expired"):
		return s.stampedImport(r), store.Imported
	case outcome == store.ImportedStatus && s.has("Import keeps what was logged out meanwhile"):
		return tokens.Registration{}, store.ImportKept
	}
	return planned, outcome
}

func (s *faulty) stampedImport(r tokens.Registration) tokens.Registration {
	r.RegisteredAt, r.UpdatedAt = stamp(r.RegisteredAt), stamp(r.UpdatedAt)
	r.ExpiresAt = r.ExpiresAt.UTC().Truncate(time.Second)
	return r
}

func (s *faulty) eraseImported(holder, r tokens.Registration) {
	if s.has("Import deactivates the holder") {
		holder.Status = tokens.LoggedOut
		s.put(holder)
		return
	}
	if s.has("Import removes the holder by its key") {
		s.gap()
		s.erase(holder.Key)
		return
	}
	if now, ok := s.rows[s.id(holder.Key)]; ok && s.same(now.Token, r.Token) {
		s.erase(holder.Key)
	}
}

// importedAs returns the stored form of the registration.
func (s *faulty) importedAs(planned, given tokens.Registration, own *tokens.Registration, now time.Time) tokens.Registration {
	switch {
	case s.has("Import sets updatedAt"):
		planned.UpdatedAt = stamp(now)
	case s.has("Import sets registeredAt"):
		planned.RegisteredAt = stamp(now)
	case planned.RegisteredAt.IsZero() && s.has("Import makes up a registeredAt"):
		planned.RegisteredAt = planned.UpdatedAt
	case own != nil && s.has("Import keeps registeredAt"):
		planned.RegisteredAt = own.RegisteredAt
	case own != nil && s.has("Import keeps the project"):
		planned.ProjectID = own.ProjectID
	case own != nil && planned.ProjectID == "" && s.has("Import keeps a project that it is not given"):
		planned.ProjectID = own.ProjectID
	case own != nil && s.has("Import keeps the platform"):
		planned.Platform = own.Platform
	case own != nil && own.Token.Equal(planned.Token) && s.has("Import keeps the spelling"):
		planned.Token = own.Token
	case s.has("Import makes active"):
		planned.Status = tokens.Active
	case !planned.Active() && s.has("Import knows one reason"):
		planned.Status = tokens.LoggedOut
	case s.has("Import prolongs"):
		planned.ExpiresAt = s.policy.Expiry(now)
	case s.has("Import cuts the expiry at a TTL") && planned.ExpiresAt.After(s.policy.Expiry(now)):
		planned.ExpiresAt = s.policy.Expiry(now)
	case s.has("Import keeps a zero expiry"):
		planned.ExpiresAt = given.ExpiresAt.UTC().Truncate(time.Second)
	case s.has("Import keeps nanoseconds"):
		planned.UpdatedAt = given.UpdatedAt.UTC()
	case s.has("Import keeps the zone"):
		planned.UpdatedAt = given.UpdatedAt.Truncate(time.Millisecond)
	case planned.UpdatedAt.After(now) && s.has("Import stores no time that has not come"):
		planned.UpdatedAt = stamp(now)
	}
	return planned
}

var brokenImport = []broken{
	{"Import ignores what is under the key", []string{"Import/Rule"}},
	{"Import keeps whatever is under the key", []string{"Import/Rule", "Import/Over"}},
	{"Import overwrites what is inactive", []string{"Import/Rule"}},
	{"Import overwrites what is as old", []string{"Import/Rule"}},
	{"Import keeps what has expired and is newer", []string{"Import/Rule"}},
	{"Import takes the token from whoever has it", []string{"Import/Rule"}},
	{"Import takes the token from what is inactive", []string{"Import/Rule"}},
	{"Import leaves the token with its holder too", []string{"Import/Rule", "Import/Over"}},
	{"Import leaves the token with its expired holder too", []string{"Import/Rule"}},
	{"Import leaves the token with the user's other device too", []string{"Import/Rule"}},
	{"Import leaves the token with what cannot be decoded too", []string{"Import/Rule"}},
	{"Import removes the holder that it keeps the token for", []string{"Import/Rule"}},
	{"Import deactivates the holder", []string{"Import/Rule", "Import/Over"}},
	{"Import compares what cannot be decoded", []string{"Import/Rule"}},
	{"Import believes a time that has not come", []string{"Import/Rule"}},
	{"Import takes the server's time", []string{"Import/Rule"}},
	{"Import stores what has expired", []string{"Import/Rule"}},
	{"Import keeps what was logged out meanwhile", []string{"Import/Rule", "Import/Copy"}},
	{"Import takes any log out", []string{"Import/Rule"}},
	{"Import writes what it was given over the status", []string{"Import/Rule"}},
	{"Import does not say that it took the status", []string{"Import/Rule", "Import/Copy"}},
	{"Import does not say that what it was given has expired", []string{"Import/Rule"}},
	{"Import sets updatedAt", []string{"Import/Rule", "Import/Times", "Import/Copy"}},
	{"Import sets registeredAt", []string{"Import/Rule", "Import/Times"}},
	{"Import makes up a registeredAt", []string{"Import/Times"}},
	{"Import keeps registeredAt", []string{"Import/Over"}},
	{"Import keeps the project", []string{"Import/Rule"}},
	{"Import keeps a project that it is not given", []string{"Import/Rule"}},
	{"Import counts the device that loses the token", []string{"Import/NoLimit"}},
	{"Import keeps the platform", []string{"Import/Rule"}},
	{"Import keeps the spelling", []string{"Import/Respelled"}},
	{"Import makes active", []string{"Import/Rule", "Import/Times"}},
	{"Import knows one reason", []string{"Import/Times"}},
	{"Import prolongs", []string{"Import/Rule", "Import/Times"}},
	{"Import cuts the expiry at a TTL", []string{"Import/Times"}},
	{"Import keeps a zero expiry", []string{"Import/Rule", "Import/Times"}},
	{"Import keeps nanoseconds", []string{"Import/Times"}},
	{"Import keeps the zone", []string{"Import/Times"}},
	{"Import stores no time that has not come", []string{"Import/Rule", "Import/Times"}},
	{"Import makes room", []string{"Import/NoLimit"}},
	{"Import obeys the limit", []string{"Import/NoLimit"}},
	{"Deactivate gives a reason where none is known", []string{"Import/NoReasonKnown"}},
	{"Invalidate gives a reason where none is known", []string{"Import/NoReasonKnown"}},
	{"Invalidate spares what has no updatedAt", []string{"Import/NoUpdateKnown"}},
	{"Import reads the clock again", []string{"Import/Clock"}},
	{"Import takes invalid arguments", []string{"Import/Invalid"}},
	{"Import ignores a canceled context", []string{"Import/Context"}},
	{"Import denies a write during which the context ended", []string{"Import/Context"}},
	{"Import reads, then writes", []string{
		"Race/ImportOneToken", "Race/ImportOneKey", "Race/ImportAndMove", "Race/ImportAndRefresh", "Race/ImportAndReplace",
	}},
	{"Import gives up after it removed the holder", []string{"Ending/Import"}},
	{"Import reads the row, then writes its status", []string{"Race/ImportStatusAndRefresh", "Pairs/ImportStatus"}},
	{"Import removes the holder by its key", []string{"Race/ImportAndReplaceHolder", "Pairs/Import"}},
}
