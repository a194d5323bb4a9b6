package outbox

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Ticket is Expo's ticket for a message to the recipient.
type Ticket struct {
	Recipient
	ID string `json:"t"`
}

// Sent is a batch that Expo accepted. Its receipts are to be fetched at Due.
type Sent struct {
	Seq uint64    `json:"-"`
	Due time.Time `json:"-"`
	Group
	Asked   bool `json:",omitempty"` // its receipts were asked for before
	SentAt  time.Time
	Tickets []Ticket
}

func (s *Sent) key() []byte {
	key := binary.BigEndian.AppendUint64(nil, uint64(s.Due.UnixNano()))
	return binary.BigEndian.AppendUint64(key, s.Seq)
}

// sent passes the batches whose receipts are missing to use, the earliest first, while
// use returns true.
func (o *Outbox) sent(use func(s *Sent) (more bool)) error {
	return each(o, ticketBucket, nil, func(key []byte, s *Sent) bool {
		s.Due, s.Seq = time.Unix(0, int64(binary.BigEndian.Uint64(key))), binary.BigEndian.Uint64(key[8:])
		return use(s)
	})
}

// Due returns the batches whose receipts are due, the earliest first, with at most that
// many tickets in total, without those whose quota is to be skipped.
func (o *Outbox) Due(now time.Time, tickets int, skip func(quota string) bool) (due []*Sent, err error) {
	return due, o.sent(func(s *Sent) bool {
		switch {
		case s.Due.After(now):
			return false
		case skip(s.Quota()):
			return true
		}
		if tickets -= len(s.Tickets); tickets >= 0 {
			due = append(due, s)
		}
		return tickets > 0
	})
}

// Waiting returns the number of tickets without a receipt.
func (o *Outbox) Waiting() (n int, err error) {
	return n, o.sent(func(s *Sent) bool {
		n += len(s.Tickets)
		return true
	})
}

// NextDue returns when the next receipts are due, like Due, or false if there are none.
func (o *Outbox) NextDue(skip func(quota string) bool) (due time.Time, some bool, err error) {
	return due, some, o.sent(func(s *Sent) bool {
		if !skip(s.Quota()) {
			due, some = s.Due, true
		}
		return !some
	})
}

// Unasked reports whether there are receipts that no run has asked for.
func (o *Outbox) Unasked() (unasked bool, err error) {
	return unasked, o.sent(func(s *Sent) bool {
		unasked = !s.Asked
		return s.Asked
	})
}

// Results are what Expo's tickets or receipts for some messages mean.
type Results struct {
	Sent    []*Sent  // receipts to fetch
	Again   []*Batch // to send again
	Gone    []Gone   // to invalidate
	Tallies Tallies
	Counts  Counts
}

// Gone is a device that Expo no longer reaches. It stays in the outbox until its
// registration is invalidated.
type Gone struct {
	Recipient
	Seq    uint64 `json:"-"`
	SentAt time.Time
}

// Acknowledge records the results of Expo's tickets for b and removes b, so that it is not
// sent again.
func (o *Outbox) Acknowledge(b *Batch, r Results) error {
	return o.update(r.Counts, func(tx *bbolt.Tx) error {
		if err := tx.Bucket(batchBucket).Delete(sequenceKey(b.Seq)); err != nil {
			return err
		}
		if err := tally(tx, b.Quota(), "", Tally{}); err != nil {
			return err
		}
		return record(tx, r)
	})
}

// Receipts records the results of the receipts for the fetched batches.
func (o *Outbox) Receipts(fetched []*Sent, r Results) error {
	return o.update(r.Counts, func(tx *bbolt.Tx) error {
		for _, s := range fetched {
			if err := tx.Bucket(ticketBucket).Delete(s.key()); err != nil {
				return err
			}
		}
		return record(tx, r)
	})
}

func record(tx *bbolt.Tx, r Results) (err error) {
	bucket := tx.Bucket(ticketBucket)
	for _, s := range r.Sent {
		if s.Seq, err = bucket.NextSequence(); err != nil {
			return err
		}
		if err := put(bucket, s.key(), s); err != nil {
			return err
		}
	}
	for _, g := range r.Gone {
		if _, err := insert(tx.Bucket(goneBucket), g); err != nil {
			return err
		}
	}
	for of, t := range r.Tallies {
		if err := tally(tx, of.Quota, of.Platform, t); err != nil {
			return err
		}
	}
	return insertBatches(tx, r.Again)
}

// Gone returns up to n devices to invalidate.
func (o *Outbox) Gone(n int) (gone []Gone, err error) {
	return gone, each(o, goneBucket, nil, func(key []byte, g *Gone) bool {
		g.Seq = binary.BigEndian.Uint64(key)
		gone = append(gone, *g)
		return len(gone) < n
	})
}

// Told records that the store's Invalidate was called for these.
func (o *Outbox) Told(gone []Gone, done Counts) error {
	return o.update(done, func(tx *bbolt.Tx) error {
		for _, g := range gone {
			if err := tx.Bucket(goneBucket).Delete(sequenceKey(g.Seq)); err != nil {
				return err
			}
		}
		return nil
	})
}

// A Tally counts Expo's final answers: receipts, and tickets with an error.
type Tally struct{ Answers, Gone int }

// Tallied are the devices of one platform of a project. They share credentials at Apple or
// Google.
type Tallied struct {
	Quota    string
	Platform tokens.Platform
}

// Tallies are counts of Expo's answers.
type Tallies map[Tallied]Tally

// Add adds to the counts of some devices.
func (t Tallies) Add(of Tallied, more Tally) {
	t[of] = Tally{t[of].Answers + more.Answers, t[of].Gone + more.Gone}
}

// projectKey returns a key that is never empty, as bbolt requires.
func projectKey(quota string) []byte { return []byte("=" + quota) }

// tally adds to a project's counts, which exist if Expo has accepted a request of it.
func tally(tx *bbolt.Tx, quota string, platform tokens.Platform, more Tally) error {
	bucket, key := tx.Bucket(projectBucket), projectKey(quota)
	platforms := map[tokens.Platform]Tally{}
	if err := get(bucket, key, &platforms); err != nil {
		return err
	}
	if more != (Tally{}) {
		sum := platforms[platform]
		platforms[platform] = Tally{sum.Answers + more.Answers, sum.Gone + more.Gone}
	}
	return put(bucket, key, platforms)
}

// HasAccepted reports whether Expo accepted a request of this quota in any run.
func (o *Outbox) HasAccepted(quota string) (has bool, err error) {
	return has, o.db.View(func(tx *bbolt.Tx) error {
		has = tx.Bucket(projectBucket).Get(projectKey(quota)) != nil
		return nil
	})
}

// Tallies returns the counts of all runs.
func (o *Outbox) Tallies() (Tallies, error) {
	all := Tallies{}
	return all, each(o, projectBucket, nil, func(key []byte, platforms *map[tokens.Platform]Tally) bool {
		for platform, t := range *platforms {
			all[Tallied{string(key[1:]), platform}] = t
		}
		return true
	})
}
