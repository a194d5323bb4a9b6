package outbox

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"
)

// A Ticket is Expo's, with the recipient that it was given for.
type Ticket struct {
	Recipient
	ID string `json:"t"`
}

// Sent is a batch whose receipts are to be fetched at Due.
type Sent struct {
	Seq     uint64    `json:"-"`
	Due     time.Time `json:"-"`
	SentAt  time.Time
	Tickets []Ticket
}

// Due sorts by time, as keys do.
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

// Due returns what is due, the earliest first, as long as it has at most that
// many tickets.
func (o *Outbox) Due(now time.Time, tickets int) (due []*Sent, err error) {
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
			if tickets -= len(s.Tickets); tickets < 0 {
				return nil
			}
			due = append(due, s)
		}
		return nil
	})
}

// NextDue returns when the next receipts are due, and false if none will be.
func (o *Outbox) NextDue() (due time.Time, some bool, err error) {
	return due, some, o.db.View(func(tx *bbolt.Tx) error {
		if key, _ := tx.Bucket(ticketBucket).Cursor().First(); key != nil {
			due, some = time.Unix(0, int64(binary.BigEndian.Uint64(key))), true
		}
		return nil
	})
}

// Receipts records what the receipts of these batches call for. Each of later
// takes the place of one of them, with the tickets that had no receipt yet.
func (o *Outbox) Receipts(fetched, later []*Sent, gone []Gone, done Counts) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		for _, s := range fetched {
			if err := tx.Bucket(ticketBucket).Delete(dueKey(s)); err != nil {
				return err
			}
		}
		for _, s := range later {
			if err := addTickets(tx, s); err != nil {
				return err
			}
		}
		for _, g := range gone {
			if err := addGone(tx, g.SentAt, []Recipient{g.Recipient}); err != nil {
				return err
			}
		}
		return count(tx, done)
	})
}
