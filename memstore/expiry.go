package memstore

// An expiryList links all rows in the order in which they were last registered.
// They have one TTL, so while the clock goes forward this is also the order in
// which they expire, and the ones to free are at its beginning. Where the clock
// was set back, a row waits behind one that expires later.
//
// It is a ring around a row that stands for no registration.
type expiryList struct{ ends row }

func (l *expiryList) init() { l.ends.older, l.ends.newer = &l.ends, &l.ends }

// oldest returns the row that was registered longest ago, or nil.
func (l *expiryList) oldest() *row {
	if r := l.ends.newer; r != &l.ends {
		return r
	}
	return nil
}

// push adds r as the newest.
func (l *expiryList) push(r *row) {
	r.older, r.newer = l.ends.older, &l.ends
	r.older.newer, r.newer.older = r, r
}

func (l *expiryList) unlink(r *row) {
	r.older.newer, r.newer.older = r.newer, r.older
}
