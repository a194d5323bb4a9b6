package outbox

import (
	"cmp"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Recipient is one device of one user, with the hash of the token that was read last.
type Recipient struct {
	User     tokens.UserID   `json:"u"`
	Device   tokens.DeviceID `json:"d"`
	Platform tokens.Platform `json:"p,omitempty"`
	Hash     tokens.Hash     `json:"h"`
}

// Key returns the key of the registration.
func (r Recipient) Key() tokens.Key { return tokens.Key{UserID: r.User, DeviceID: r.Device} }

// A Group is what the messages of one request have in common.
type Group struct {
	Project    tokens.ProjectID `json:",omitempty"` // as registered
	Experience string           `json:",omitempty"` // as Expo named it, if the registrations did not
	Slowed     int              `json:",omitempty"` // how often Expo answered MessageRateExceeded
}

// Quota names the project whose rate limit the group counts against.
func (g Group) Quota() string { return cmp.Or(g.Experience, string(g.Project)) }

// A Batch is the content of one request. If a run finds a batch with a SentAt, the answer
// was lost or never came, and the messages may have arrived.
type Batch struct {
	Seq uint64 `json:"-"`
	Group
	SentAt     time.Time `json:",omitzero"` // of the last attempt
	NotBefore  time.Time `json:",omitzero"`
	Left       string    `json:",omitempty"` // why the last run left it
	Recipients []Recipient
}

// AddPage stores the batches of a page, sets their numbers, and moves the position.
func (o *Outbox) AddPage(next Position, batches []*Batch, done Counts) error {
	return o.update(done, func(tx *bbolt.Tx) error {
		if err := insertBatches(tx, batches); err != nil {
			return err
		}
		return put(tx.Bucket(jobBucket), positionKey, next)
	})
}

func insertBatches(tx *bbolt.Tx, batches []*Batch) (err error) {
	for _, b := range batches {
		if b.Seq, err = insert(tx.Bucket(batchBucket), b); err != nil {
			return err
		}
	}
	return nil
}

// Pending returns up to n batches that are not acknowledged, in the order of their
// numbers, beginning above after.
func (o *Outbox) Pending(after uint64, n int) (batches []*Batch, err error) {
	return batches, each(o, batchBucket, sequenceKey(after+1), func(key []byte, b *Batch) bool {
		b.Seq = binary.BigEndian.Uint64(key)
		batches = append(batches, b)
		return len(batches) < n
	})
}

// Last returns the greatest batch number so far.
func (o *Outbox) Last() (seq uint64, err error) {
	return seq, o.db.View(func(tx *bbolt.Tx) error {
		seq = tx.Bucket(batchBucket).Sequence()
		return nil
	})
}

// Left returns the number of messages that are not sent, by the reason why the last run
// left them. The reason is "" if the run ended first.
func (o *Outbox) Left() (map[string]int, error) {
	left := map[string]int{}
	return left, each(o, batchBucket, nil, func(_ []byte, b *Batch) bool {
		left[b.Left] += len(b.Recipients)
		return true
	})
}

// Update stores a changed batch.
func (o *Outbox) Update(b *Batch, done Counts) error {
	return o.update(done, func(tx *bbolt.Tx) error { return put(tx.Bucket(batchBucket), sequenceKey(b.Seq), b) })
}

// Replace replaces b, which was not sent, with other batches and sets their numbers. They
// come after all other batches.
func (o *Outbox) Replace(b *Batch, with []*Batch, done Counts) error {
	return o.update(done, func(tx *bbolt.Tx) error {
		if err := tx.Bucket(batchBucket).Delete(sequenceKey(b.Seq)); err != nil {
			return err
		}
		return insertBatches(tx, with)
	})
}
