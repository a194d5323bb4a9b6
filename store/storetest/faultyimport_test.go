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
	if !r.UpdatedAt.IsZero() && !r.UpdatedAt.After(now) && s.has("Import takes the server's time", "Import/Rule") {
		r.UpdatedAt = now
	}
	own, holder := s.importing(r, now)
	planned, outcome := s.planImport(r, now, own, holder)
	if s.has("Import reads, then writes", "Race/ImportOneToken", "Race/ImportOneKey", "Pairs/Import") {
		s.gap()
	}
	if holder != nil && ctx.Err() != nil && s.has("Import gives up after it removed the holder", "Ending/Import") {
		s.erase(holder.Key)
		return "", gaveUp(ctx)
	}
	switch outcome {
	case store.Imported:
		if holder != nil {
			s.eraseImported(*holder, r)
			if s.has("Import counts the device that loses the token", "Import/NoLimit") {
				s.counter.set(holder.Key.UserID, s.counter[holder.Key.UserID]+1)
			}
		}
		s.put(s.importedAs(planned, given, own, now))
		delete(s.broken, s.id(r.Key))
		if s.has("Import makes room", "Import/NoLimit") && s.crowded(r.Key.UserID) {
			s.erase(s.of(r.Key.UserID)[0].Key)
		}
		if s.has("Import obeys the limit", "Import/NoLimit") && s.crowded(r.Key.UserID) {
			s.erase(r.Key)
			return store.ImportKept, s.end(ctx, "Import")
		}
	case store.ImportedStatus:
		if s.has("Import reads the row, then writes its status", "Pairs/ImportStatus") {
			s.gap()
		}
		if s.has("Import writes what it was given over the status", "Import/Rule") {
			planned = given
		}
		s.put(planned)
	case store.ImportKept:
		if holder != nil && s.has("Import removes the holder that it keeps the token for", "Import/Rule") {
			s.erase(holder.Key)
		}
		if own != nil && own.Active() && !r.Active() && s.has("Import takes any log out", "Import/Rule") {
			own.Status = r.Status
			s.put(*own)
		}
	}
	if outcome == store.ImportedStatus && s.has("Import does not say that it took the status", "Import/Rule") {
		outcome = store.ImportKept
	}
	if outcome == store.ImportExpired && s.has("Import does not say that what it was given has expired", "Import/Rule") {
		outcome = store.ImportKept
	}
	return outcome, s.end(ctx, "Import")
}

// importing returns the arguments of PlanImport.
func (s *faulty) importing(r tokens.Registration, now time.Time) (own, holder *tokens.Registration) {
	if stored, ok := s.rows[s.id(r.Key)]; ok {
		own = &stored
	}
	holder = s.previous(tokens.Request{Key: r.Key, Token: r.Token})
	if own != nil && s.broken[s.id(r.Key)] && !s.has("Import compares what cannot be decoded", "Import/Rule") {
		own = nil
	}
	if own != nil && s.has("Import ignores what is under the key", "Import/Rule") {
		own = nil
	}
	if holder != nil && (s.has("Import leaves the token with its holder too", "Import/Rule", "Import/Over") ||
		s.broken[s.id(holder.Key)] && s.has("Import leaves the token with what cannot be decoded too", "Import/Rule") ||
		s.expired(*holder, now) && s.has("Import leaves the token with its expired holder too", "Import/Rule") ||
		holder.Key.UserID == r.Key.UserID && s.has("Import leaves the token with the user's other device too", "Import/Rule")) {
		holder = nil
	}
	return own, holder
}

func (s *faulty) planImport(r tokens.Registration, now time.Time, own, holder *tokens.Registration) (tokens.Registration, store.ImportOutcome) {
	compared := holder
	if holder != nil && (s.broken[s.id(holder.Key)] || s.has("Import takes the token from whoever has it", "Import/Rule") ||
		!holder.Active() && s.has("Import takes the token from what is inactive", "Import/Rule")) {
		compared = nil
	}
	if own != nil && !own.Active() && s.has("Import overwrites what is inactive", "Import/Rule") {
		own = nil
	}
	for _, stored := range []*tokens.Registration{own, compared} {
		if stored != nil && s.expired(*stored, now) && s.has("Import keeps what has expired and is newer", "Import/Rule") {
			return tokens.Registration{}, store.ImportKept
		}
		if stored != nil && stored.UpdatedAt.Equal(r.UpdatedAt) && stored.Active() == r.Active() && s.has("Import overwrites what is as old", "Import/Rule") {
			return s.stampedImport(r), store.Imported
		}
	}
	if own != nil && s.has("Import keeps whatever is under the key", "Import/Rule", "Import/Over") {
		return tokens.Registration{}, store.ImportKept
	}
	if r.UpdatedAt.After(now) && s.has("Import believes a time that has not come", "Import/Rule") {
		return s.stampedImport(r), store.Imported
	}
	planned, outcome := s.policy.PlanImport(r, now, own, compared)
	switch {
	case outcome == store.ImportExpired && s.has("Import stores what has expired", "Import/Rule"):
		return s.stampedImport(r), store.Imported
	case outcome == store.ImportedStatus && s.has("Import keeps what was logged out meanwhile", "Import/Rule"):
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
	if s.has("Import deactivates the holder", "Import/Rule", "Import/Over") {
		holder.Status = tokens.LoggedOut
		s.put(holder)
		return
	}
	if s.has("Import removes the holder by its key", "Pairs/Import") {
		s.gap()
		s.erase(holder.Key)
		return
	}
	if now, ok := s.rows[s.id(holder.Key)]; ok && s.same(now.Token, r.Token) {
		s.erase(holder.Key)
	}
}

func (s *faulty) importedAs(planned, given tokens.Registration, own *tokens.Registration, now time.Time) tokens.Registration {
	switch {
	case s.has("Import sets updatedAt", "Import/Rule", "Import/Times"):
		planned.UpdatedAt = stamp(now)
	case s.has("Import sets registeredAt", "Import/Rule", "Import/Times"):
		planned.RegisteredAt = stamp(now)
	case planned.RegisteredAt.IsZero() && s.has("Import makes up a registeredAt", "Import/Times"):
		planned.RegisteredAt = planned.UpdatedAt
	case own != nil && s.has("Import keeps registeredAt", "Import/Over"):
		planned.RegisteredAt = own.RegisteredAt
	case own != nil && s.has("Import keeps the project", "Import/Rule"):
		planned.ProjectID = own.ProjectID
	case own != nil && planned.ProjectID == "" && s.has("Import keeps a project that it is not given", "Import/Rule"):
		planned.ProjectID = own.ProjectID
	case own != nil && s.has("Import keeps the platform", "Import/Rule"):
		planned.Platform = own.Platform
	case own != nil && own.Token.Equal(planned.Token) && s.has("Import keeps the spelling", "Import/Respelled"):
		planned.Token = own.Token
	case s.has("Import makes active", "Import/Rule", "Import/Times"):
		planned.Status = tokens.Active
	case !planned.Active() && s.has("Import knows one reason", "Import/Times"):
		planned.Status = tokens.LoggedOut
	case s.has("Import prolongs", "Import/Rule", "Import/Times"):
		planned.ExpiresAt = s.policy.Expiry(now)
	case s.has("Import cuts the expiry at a TTL", "Import/Times") && planned.ExpiresAt.After(s.policy.Expiry(now)):
		planned.ExpiresAt = s.policy.Expiry(now)
	case s.has("Import keeps a zero expiry", "Import/Rule", "Import/Times"):
		planned.ExpiresAt = given.ExpiresAt.UTC().Truncate(time.Second)
	case s.has("Import keeps nanoseconds", "Import/Times"):
		planned.UpdatedAt = given.UpdatedAt.UTC()
	case s.has("Import keeps the zone", "Import/Times"):
		planned.UpdatedAt = given.UpdatedAt.Truncate(time.Millisecond)
	case planned.UpdatedAt.After(now) && s.has("Import stores no time that has not come", "Import/Rule", "Import/Times"):
		planned.UpdatedAt = stamp(now)
	}
	return planned
}
