package outbox

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Recipient is one device of one user. Hash is the hash of the token that was read
// last.
type Recipient struct {
	User     tokens.UserID   `json:"u"`
	Device   tokens.DeviceID `json:"d"`
	Platform tokens.Platform `json:"p,omitempty"`
	Hash     tokens.Hash     `json:"h"`
}

// Key returns the key of the registration.
func (r Recipient) Key() tokens.Key { return tokens.Key{UserID: r.User, DeviceID: r.Device} }

// A Batch is the content of one request. Attempts is 0 before the first request. If a run
// finds a batch with Attempts above 0, the answer was lost or never came, and the
// messages may have arrived.
type Batch struct {
	Seq        uint64           `json:"-"`
	Project    tokens.ProjectID `json:",omitempty"` // as registered
	Experience string           `json:",omitempty"` // as Expo named it, if the registrations did not
	Attempts   int              `json:",omitempty"`
	SentAt     time.Time        `json:",omitzero"` // of the last attempt
	NotBefore  time.Time        `json:",omitzero"`
	Slowed     int              `json:",omitempty"` // how often Expo answered MessageRateExceeded
	Left       string           `json:",omitempty"` // why the last run left it
	Recipients []Recipient
}

// Quota names the project whose rate limit the batch counts against.
func (b *Batch) Quota() string { return quota(b.Project, b.Experience) }

func quota(project tokens.ProjectID, experience string) string {
	if experience != "" {
		return experience
	}
	return string(project)
}

// AddPage stores the batches of a page, sets their numbers, and moves the position to
// the next page.
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

// Pending returns up to n batches that are not acknowledged, in the order of their
// numbers, beginning above after.
func (o *Outbox) Pending(after uint64, n int) (batches []*Batch, err error) {
	return batches, o.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(batchBucket).Cursor()
		for key, value := cursor.Seek(sequenceKey(after + 1)); key != nil && len(batches) < n; key, value = cursor.Next() {
			b := &Batch{Seq: binary.BigEndian.Uint64(key)}
			if err := json.Unmarshal(value, b); err != nil {
				return err
			}
			batches = append(batches, b)
		}
		return nil
	})
}

// Last returns the greatest batch number so far.
func (o *Outbox) Last() (seq uint64, err error) {
	return seq, o.db.View(func(tx *bbolt.Tx) error {
		seq = tx.Bucket(batchBucket).Sequence()
		return nil
	})
}

// Left returns the number of messages that are not sent yet, by the reason why the last
// run left them; the reason "" means that the run ended first.
func (o *Outbox) Left() (map[string]int, error) {
	left := map[string]int{}
	return left, o.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(batchBucket).ForEach(func(_, value []byte) error {
			var b Batch
			err := json.Unmarshal(value, &b)
			left[b.Left] += len(b.Recipients)
			return err
		})
	})
}

// Sending records that b is about to be sent as it is, and the recipients that were
// dropped from it.
func (o *Outbox) Sending(b *Batch, done Counts) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		if err := put(tx.Bucket(batchBucket), sequenceKey(b.Seq), b); err != nil {
			return err
		}
		return count(tx, done)
	})
}

// Leave records why this run did not try to send b.
func (o *Outbox) Leave(b *Batch, why string) error {
	b.Left = why
	return o.db.Update(func(tx *bbolt.Tx) error { return put(tx.Bucket(batchBucket), sequenceKey(b.Seq), b) })
}

// Postpone records why this run could not send b, and moves b behind all other batches,
// so that the next run begins with the batches that this run did not try.
func (o *Outbox) Postpone(b *Batch, why string) error {
	last := *b
	last.Left = why
	return o.Replace(b, []*Batch{&last}, Counts{})
}

// Fail counts the messages of b as failed with a code, and removes b.
func (o *Outbox) Fail(b *Batch, code string) error {
	var done Counts
	done.Fail(code, len(b.Recipients))
	return o.Replace(b, nil, done)
}

// Replace replaces b, which was not sent, with other batches and sets their numbers.
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

// An Answer is the result of Expo's tickets for a batch.
type Answer struct {
	Tickets []Ticket // their receipts are fetched at Due
	Due     time.Time
	Gone    []Recipient // to invalidate
	Again   *Batch      // to send again, or nil
	Tallies map[tokens.Platform]Tally
	Counts  Counts
}

// Acknowledge records Expo's answer to b and removes b, so that it is not sent again.
func (o *Outbox) Acknowledge(b *Batch, a Answer) error {
	return o.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(batchBucket).Delete(sequenceKey(b.Seq)); err != nil {
			return err
		}
		if len(a.Tickets) > 0 {
			if err := addTickets(tx, &Sent{
				Project: b.Project, Experience: b.Experience, Slowed: b.Slowed,
				SentAt: b.SentAt, Due: a.Due, Tickets: a.Tickets,
			}); err != nil {
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
		if err := tally(tx, b.Quota(), a.Tallies); err != nil {
			return err
		}
		return count(tx, a.Counts)
	})
}
