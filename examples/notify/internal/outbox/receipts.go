package outbox

import (
	"encoding/binary"
	"encoding/json"
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
	Seq        uint64           `json:"-"`
	Due        time.Time        `json:"-"`
	Project    tokens.ProjectID `json:",omitempty"`
	Experience string           `json:",omitempty"`
	Slowed     int              `json:",omitempty"`
	Asked      bool             `json:",omitempty"` // its receipts were asked for before
	SentAt     time.Time
	Tickets    []Ticket
}

// Quota is the quota of the batch.
func (s *Sent) Quota() string { return quota(s.Project, s.Experience) }

// dueKey returns a key that sorts by Due.
func dueKey(s *Sent) []byte {
	key := binary.BigEndian.AppendUint64(nil, uint64(s.Due.UnixNano()))
	return binary.BigEndian.AppendUint64(key, s.Seq)
}

func addTickets(tx *bbolt.Tx, s *Sent) error {
	bucket := tx.Bucket(ticketBucket)
	var err error
	if s.Seq, err = bucket.NextSequence(); err != nil {
		return err
	}
	return put(bucket, dueKey(s), s)
}

// Due returns the batches whose receipts are due, the earliest first, with at most that
// many tickets in total. It leaves out batches whose quota is to be skipped.
func (o *Outbox) Due(now time.Time, tickets int, skip func(quota string) bool) (due []*Sent, err error) {
	return due, o.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(ticketBucket).Cursor()
		for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
			s := &Sent{
				Due: time.Unix(0, int64(binary.BigEndian.Uint64(key))),
				Seq: binary.BigEndian.Uint64(key[8:]),
			}
			if s.Due.After(now) {
				return nil
			}
			if err := json.Unmarshal(value, s); err != nil {
				return err
			}
			if skip(s.Quota()) {
				continue
			}
			if tickets -= len(s.Tickets); tickets < 0 {
				return nil
			}
			due = append(due, s)
		}
		return nil
	})
}

// Waiting returns the number of tickets that wait for their receipts.
func (o *Outbox) Waiting() (n int, err error) {
	return n, o.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(ticketBucket).ForEach(func(_, value []byte) error {
			var s Sent
			err := json.Unmarshal(value, &s)
			n += len(s.Tickets)
			return err
		})
	})
}

// NextDue returns when the next receipts are due, or false if there are none. It leaves
// out batches whose quota is to be skipped.
func (o *Outbox) NextDue(skip func(quota string) bool) (due time.Time, some bool, err error) {
	return due, some, o.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(ticketBucket).Cursor()
		for key, value := cursor.First(); key != nil && !some; key, value = cursor.Next() {
			var s Sent
			if err := json.Unmarshal(value, &s); err != nil {
				return err
			}
			if !skip(s.Quota()) {
				due, some = time.Unix(0, int64(binary.BigEndian.Uint64(key))), true
			}
		}
		return nil
	})
}

// Unasked reports whether there are receipts that no run has asked for.
func (o *Outbox) Unasked() (unasked bool, err error) {
	return unasked, o.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(ticketBucket).Cursor()
		for key, value := cursor.First(); key != nil && !unasked; key, value = cursor.Next() {
			var s Sent
			if err := json.Unmarshal(value, &s); err != nil {
				return err
			}
			unasked = !s.Asked
		}
		return nil
	})
}

// A Reading is the result of reading receipts.
type Reading struct {
	Fetched []*Sent                              // to remove
	Later   []*Sent                              // to add: the tickets of these without a receipt yet
	Again   []*Batch                             // to send again
	Gone    []Gone                               // to invalidate
	Tallies map[string]map[tokens.Platform]Tally // by quota
	Counts  Counts
}

// Receipts records a reading and sets the numbers of the batches.
func (o *Outbox) Receipts(r Reading) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		for _, s := range r.Fetched {
			if err := tx.Bucket(ticketBucket).Delete(dueKey(s)); err != nil {
				return err
			}
		}
		for _, s := range r.Later {
			if err := addTickets(tx, s); err != nil {
				return err
			}
		}
		if err := insertBatches(tx, r.Again); err != nil {
			return err
		}
		for _, g := range r.Gone {
			if err := addGone(tx, g.SentAt, []Recipient{g.Recipient}); err != nil {
				return err
			}
		}
		for quota, tallies := range r.Tallies {
			if err := tally(tx, quota, tallies); err != nil {
				return err
			}
		}
		return count(tx, r.Counts)
	})
}
