package memstore

import "maps"

// shrink makes the maps anew when they are mostly empty, since a map keeps the
// room of all that it ever held. A quarter is moved after three quarters were
// removed, so it costs less than they did.
func (s *Store) shrink() {
	const worthIt = 1_000
	if s.most < worthIt || len(s.holders) > s.most/4 {
		return
	}
	s.users = maps.Collect(maps.All(s.users))
	s.holders = maps.Collect(maps.All(s.holders))
	s.most = len(s.holders)
}
