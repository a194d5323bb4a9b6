package outbox

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Recipient is one device of one user. Hash is that of the token which was
// read last.
type Recipient struct {
	User   tokens.UserID   `json:"u"`
	Device tokens.DeviceID `json:"d"`
	Hash   []byte          `json:"h"`
}

// Key is the key of the registration.
func (r Recipient) Key() tokens.Key { return tokens.Key{UserID: r.User, DeviceID: r.Device} }

// A Batch is what goes out in one request. Before its first request Attempts is
// 0. If a run finds one with more, the answer was lost, or there was none: the
// messages may have arrived.
type Batch struct {
	Seq        uint64           `json:"-"`
	Project    tokens.ProjectID `json:",omitempty"` // as registered
	Experience string           `json:",omitempty"` // as Expo named it, where nobody registered one
	Attempts   int              `json:",omitempty"`
	SentAt     time.Time        `json:",omitzero"` // of the last attempt
	NotBefore  time.Time        `json:",omitzero"`
	Recipients []Recipient
}

// Quota is whose limit the batch counts against.
func (b *Batch) Quota() string {
	if b.Experience != "" {
		return b.Experience
	}
	return string(b.Project)
}

// AddPage puts a page of recipients into the outbox, numbers its batches, and
// moves on to the next page.
func (o *Outbox) AddPage(next Position, batches []*Batch, done Counts) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		if err := insertBatches(tx, batches); err != nil {
			return err
		}
		if err := put(tx.Bucket(jobBucket), positionKey, next); err != nil {
			return err
		}
		return count(tx, done)
	})
}

func insertBatches(tx *bbolt.Tx, batches []*Batch) error {
	for _, b := range batches {
		seq, err := insert(tx.Bucket(batchBucket), b)
		if err != nil {
			return err
		}
		b.Seq = seq
	}
	return nil
}

// Pending returns the batches that were not acknowledged. They are few: no page
// is planned before those of the one before are under way.
func (o *Outbox) Pending() (batches []*Batch, err error) {
	return batches, o.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(batchBucket).ForEach(func(key, value []byte) error {
			b := &Batch{Seq: binary.BigEndian.Uint64(key)}
			batches = append(batches, b)
			return json.Unmarshal(value, b)
		})
	})
}

// Sending records that b is about to go out as it is, and what was dropped from
// it.
func (o *Outbox) Sending(b *Batch, done Counts) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		if err := put(tx.Bucket(batchBucket), sequenceKey(b.Seq), b); err != nil {
			return err
		}
		return count(tx, done)
	})
}

// Replace puts other batches in the place of b, which was not sent, and numbers
// them.
func (o *Outbox) Replace(b *Batch, with []*Batch, done Counts) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(batchBucket).Delete(sequenceKey(b.Seq)); err != nil {
			return err
		}
		if err := insertBatches(tx, with); err != nil {
			return err
		}
		return count(tx, done)
	})
}

// An Answer is what Expo's tickets call for.
type Answer struct {
	Tickets []Ticket // to fetch the receipts of, at Due
	Due     time.Time
	Gone    []Recipient // to invalidate
	Again   *Batch      // to send once more, or nil
	Counts  Counts
}

// Acknowledge records Expo's answer to b, which is then sent for good.
func (o *Outbox) Acknowledge(b *Batch, a Answer) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(batchBucket).Delete(sequenceKey(b.Seq)); err != nil {
			return err
		}
		if len(a.Tickets) > 0 {
			if err := addTickets(tx, &Sent{SentAt: b.SentAt, Due: a.Due, Tickets: a.Tickets}); err != nil {
				return err
			}
		}
		if err := addGone(tx, b.SentAt, a.Gone); err != nil {
			return err
		}
		if a.Again != nil {
			if err := insertBatches(tx, []*Batch{a.Again}); err != nil {
				return err
			}
		}
		return count(tx, a.Counts)
	})
}
